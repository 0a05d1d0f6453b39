//! Reading configuration: unknown keys are refused and every fault is reported at once.

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Something wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The path of the setting, such as `server.deadline_seconds`.
    pub setting: String,
    /// What is wrong with it.
    pub what: String,
}

/// Everything wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(|fault| format!("{}: {}", fault.setting, fault.what)).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Faults {}

/// Configuration that knows what its values must be.
pub trait Validate {
    /// What is wrong, as (setting, what); empty when nothing is.
    fn faults(&self) -> Vec<(String, String)>;
}

impl Validate for insights_access::AccessConfig {
    fn faults(&self) -> Vec<(String, String)> {
        Self::faults(self)
    }
}

/// Reads TOML over the defaults. Every key must be one of the defaults' (optional settings are there as null).
pub fn load<C: Default + Serialize + DeserializeOwned + Validate>(text: &str) -> Result<C, Faults> {
    let fault = |setting: &str, what: String| Fault { setting: setting.to_owned(), what };
    let table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| Faults(vec![fault("file", error.to_string())]))?;
    let given = serde_json::to_value(table).map_err(|error| Faults(vec![fault("file", error.to_string())]))?;
    let defaults =
        serde_json::to_value(C::default()).map_err(|error| Faults(vec![fault("defaults", error.to_string())]))?;
    let (mut merged, mut faults) = (defaults.clone(), Vec::new());
    if let Value::Object(given) = given {
        for (path, value) in leaves(&defaults, given, &mut faults) {
            // One setting at a time over the defaults, so that a wrong one does not hide the next.
            let mut alone = defaults.clone();
            set(&mut alone, &path, value.clone());
            match serde_json::from_value::<C>(alone) {
                Ok(_) => set(&mut merged, &path, value),
                Err(error) => faults.push(fault(&path.join("."), error.to_string())),
            }
        }
    }
    let config: C = serde_json::from_value(merged).map_err(|error| Faults(vec![fault("file", error.to_string())]))?;
    faults.extend(config.faults().into_iter().map(|(setting, what)| Fault { setting, what }));
    if faults.is_empty() { Ok(config) } else { Err(Faults(faults)) }
}

/// The settings given, by path. Tables whose default is an empty table are maps and one setting each.
fn leaves(defaults: &Value, given: Map<String, Value>, faults: &mut Vec<Fault>) -> Vec<(Vec<String>, Value)> {
    let (mut found, mut open) = (Vec::new(), vec![(Vec::new(), defaults.clone(), given)]);
    while let Some((path, defaults, given)) = open.pop() {
        for (key, value) in given {
            let mut path = path.clone();
            path.push(key.clone());
            match (defaults.get(&key), value) {
                (None, _) => faults.push(Fault { setting: path.join("."), what: "there is no such setting".into() }),
                (Some(Value::Object(inner)), Value::Object(value)) if !inner.is_empty() => {
                    open.push((path, Value::Object(inner.clone()), value));
                }
                (Some(_), value) => found.push((path, value)),
            }
        }
    }
    found
}

fn set(target: &mut Value, path: &[String], value: Value) {
    let mut place = target;
    for key in path {
        place = &mut place[key.as_str()];
    }
    *place = value;
}

/// A value that must not be seen: it prints as `***`. It comes from a file, never from a flag.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret in a file, without the line's end.
    pub fn read(path: &std::path::Path) -> std::io::Result<Self> {
        std::fs::read_to_string(path).map(|text| Self(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// A secret made in memory.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The value itself. The caller must not print or log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // An empty one stays empty, so that defaults can be written out and read back.
        serializer.serialize_str(if self.0.is_empty() { "" } else { "***" })
    }
}
