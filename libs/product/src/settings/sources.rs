//! Where the value of a setting comes from: a flag, the environment, the file, or the default.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

use insights_service::{Fault, Faults};
use serde_json::{Map, Value};

use super::Settings;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File(path) => write!(out, "file {}", path.display()),
            Self::Environment(name) => write!(out, "environment {name}"),
            Self::Flag(name) => write!(out, "flag --{name}"),
        }
    }
}

/// A value given on the command line: the setting's path, the flag's name, the value.
pub type Given = (&'static str, &'static str, Value);

/// Settings and where each comes from.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The values.
    pub settings: Settings,
    /// Where each comes from, by path; those not here are defaults.
    pub origins: BTreeMap<String, Origin>,
    /// What was left aside, for people.
    pub notes: Vec<String>,
}

/// What begins the name of every environment variable that is read.
const PREFIX: &str = "INSIGHTS_";
/// Variables that are no settings: the file of the settings, and those of tests.
const OTHERS: [&str; 2] = ["INSIGHTS_CONFIG", "INSIGHTS_FAIL_POINTS"];

/// Reads the file, then the environment, then the flags over the defaults; reports every fault at once.
pub fn resolve(
    file: Option<&Path>,
    environment: &BTreeMap<String, String>,
    flags: Vec<Given>,
) -> Result<Resolved, Faults> {
    let fault = |setting: &str, what: String| Faults(vec![Fault { setting: setting.to_owned(), what }]);
    let defaults = serde_json::to_value(Settings::default()).map_err(|error| fault("defaults", error.to_string()))?;
    let mut origins = BTreeMap::new();
    let mut merged = toml::Table::new();
    if let Some(path) = file {
        let text =
            std::fs::read_to_string(path).map_err(|error| fault("config", format!("{}: {error}", path.display())))?;
        merged =
            text.parse().map_err(|error: toml::de::Error| fault("config", format!("{}: {error}", path.display())))?;
        let given = serde_json::to_value(&merged).map_err(|error| fault("config", error.to_string()))?;
        for (setting, _) in leaves(&given) {
            origins.insert(setting, Origin::File(path.to_owned()));
        }
    }
    let (given, notes) = variables(environment, &defaults);
    let mut faults = Vec::new();
    for (setting, default) in leaves(&defaults) {
        let name = variable(&setting);
        let Some(text) = given.get(name.as_str()) else { continue };
        match typed(&default, text) {
            Ok(value) => {
                set(&mut merged, &setting, value);
                origins.insert(setting, Origin::Environment(name));
            }
            Err(what) => faults.push(Fault { setting: name, what }),
        }
    }
    for (setting, flag, value) in flags {
        set(&mut merged, setting, value);
        origins.insert(setting.to_owned(), Origin::Flag(flag));
    }
    let text = toml::to_string(&merged).map_err(|error| fault("config", error.to_string()))?;
    match insights_service::load::<Settings>(&text) {
        Ok(settings) if faults.is_empty() => Ok(Resolved { settings, origins, notes }),
        Ok(_) => Err(Faults(faults)),
        Err(Faults(more)) => {
            faults.extend(more);
            Err(Faults(faults))
        }
    }
}

/// The environment variable of a setting.
fn variable(setting: &str) -> String {
    format!("{PREFIX}{}", setting.to_uppercase().replace('.', "_"))
}

/// The variables that are settings, and a word on those that are not.
fn variables<'a>(
    environment: &'a BTreeMap<String, String>,
    defaults: &Value,
) -> (BTreeMap<&'a str, &'a str>, Vec<String>) {
    let known: BTreeSet<String> = leaves(defaults).into_iter().map(|(setting, _)| variable(&setting)).collect();
    let (mut given, mut links, mut notes) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (name, value) in environment.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
        if is_service_link(name, value) {
            links.push(name.as_str());
        } else if known.contains(name) {
            given.insert(name.as_str(), value.as_str());
        } else if !OTHERS.contains(&name.as_str()) {
            notes.push(format!("{name} is no setting and is not read"));
        }
    }
    if !links.is_empty() {
        let links = links.join(", ");
        notes.push(format!(
            "not read, because Kubernetes sets them for a Service and not for this program: {links}; `enableServiceLinks: false` in the \
             pod leaves them out"
        ));
    }
    (given, notes)
}

/// Whether Kubernetes made the variable for a Service whose name begins with `insights`.
fn is_service_link(name: &str, value: &str) -> bool {
    let address = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    let of_a_port = |(_, rest): (&str, &str)| rest.starts_with(|first: char| first.is_ascii_digit());
    name.ends_with("_PORT") && address
        || name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.split_once("_PORT_").is_some_and(of_a_port)
}

/// Every setting of a tree by path. An empty table is one setting: it is a map.
#[must_use]
pub fn leaves(tree: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), tree.clone())];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(map) if !map.is_empty() => open.extend(map.into_iter().rev().map(|(key, value)| {
                let path = if path.is_empty() { key } else { format!("{path}.{key}") };
                (path, value)
            })),
            value => found.push((path, value)),
        }
    }
    found
}

/// A text as a value of the default's type. Lists are written with commas or as JSON, maps as JSON.
fn typed(default: &Value, text: &str) -> Result<Value, String> {
    match default {
        Value::Bool(_) => text.parse().map(Value::Bool).map_err(|_| "must be true or false".into()),
        Value::Number(_) => text.parse::<i64>().map(Value::from).map_err(|_| "must be a whole number".into()),
        Value::Array(_) if text.trim_start().starts_with('[') => {
            serde_json::from_str::<Vec<Value>>(text).map(Value::from).map_err(|error| format!("is no list: {error}"))
        }
        Value::Array(_) => {
            Ok(text.split(',').filter(|item| !item.is_empty()).map(|item| Value::from(item.trim())).collect())
        }
        Value::Object(_) => serde_json::from_str::<Map<String, Value>>(text)
            .map(Value::from)
            .map_err(|_| "must be a JSON object".into()),
        Value::String(_) | Value::Null => Ok(Value::from(text)),
    }
}

fn set(table: &mut toml::Table, path: &str, value: Value) {
    let Ok(value) = toml::Value::try_from(value) else { return };
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(inner) = inner {
                let value = serde_json::to_value(value).unwrap_or(Value::Null);
                set(inner, rest, value);
            }
        }
    }
}

/// Settings with their origins, for people and for programs.
#[must_use]
pub fn listed(resolved: &Resolved) -> Vec<(String, Value, Origin)> {
    let tree = serde_json::to_value(&resolved.settings).unwrap_or_else(|_| Value::Object(Map::new()));
    let origin = |setting: &str| resolved.origins.get(setting).cloned().unwrap_or(Origin::Default);
    leaves(&tree).into_iter().map(|(setting, value)| (setting.clone(), value, origin(&setting))).collect()
}
