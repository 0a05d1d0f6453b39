//! What can be set, and where each value comes from: a flag, the environment, the file, or the default.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use insights_access::AccessConfig;
use insights_reporting::{AdviceConfig, AuditConfig, ExportsConfig};
use insights_service::{Clock, Fault, Faults, LinkConfig, ServerConfig, TelemetryConfig, TlsConfig, Validate};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Every setting. Secrets are not among them: settings name the files that hold them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where databases, keys and tokens of this machine are kept.
    pub data_dir: PathBuf,
    /// The address to listen on.
    pub host: String,
    /// The port to listen on; 0: any that is free.
    pub port: u16,
    /// Allows plaintext beyond this machine, both ways. Only where something else encrypts, such as a mesh or an ingress.
    pub plaintext: bool,
    /// The server that client commands talk to; several with commas.
    pub server: String,
    /// The file with the token of client commands; empty: the demo's, of the data directory.
    pub token_file: PathBuf,
    /// `sqlite` (one file per service in the data directory) or `postgres://…` without a password. `{service}` in it stands for
    /// the service's name, so that each has a role of its own.
    pub database_url: String,
    /// A file with the whole `postgres://…`, password included; instead of `database_url`. `{service}` stands for the service's name
    /// here too.
    pub database_url_file: PathBuf,
    /// The key that user identifiers are hashed with; empty: made in the data directory.
    pub user_key_file: PathBuf,
    /// Where ingestion is, when it does not run in this process: a URL whose name may have many addresses, or several with commas.
    pub ingestion_url: String,
    /// Where metrics is, when it does not run in this process, likewise.
    pub metrics_url: String,
    /// The token of this process's services; empty: from the local development issuer.
    pub service_token_file: PathBuf,
    /// What a process takes for now when it starts, RFC 3339; time goes on from there. Empty: the machine's time. For tests, only
    /// with the local development issuer.
    pub now: String,
    /// Who may call. Without an issuer of people's tokens, the local development issuer is believed, on loopback only.
    pub access: AccessConfig,
    /// TLS on the listener.
    pub tls: TlsConfig,
    /// How other servers are reached: by services and by client commands.
    pub links: LinkConfig,
    /// Limits of the server.
    pub limits: ServerConfig,
    /// Exports; without a folder, in the data directory.
    pub exports: ExportsConfig,
    /// The audit.
    pub audit: AuditConfig,
    /// When there is something to advise.
    pub advice: AdviceConfig,
    /// Logs, traces, metrics.
    pub telemetry: TelemetryConfig,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: default_data_dir(),
            host: "127.0.0.1".into(),
            port: 8080,
            plaintext: false,
            server: "http://127.0.0.1:8080".into(),
            token_file: PathBuf::new(),
            database_url: "sqlite".into(),
            database_url_file: PathBuf::new(),
            user_key_file: PathBuf::new(),
            ingestion_url: String::new(),
            metrics_url: String::new(),
            service_token_file: PathBuf::new(),
            now: String::new(),
            access: AccessConfig::default(),
            tls: TlsConfig::default(),
            links: LinkConfig::default(),
            limits: ServerConfig::default(),
            exports: ExportsConfig { folder: PathBuf::new(), ..ExportsConfig::default() },
            audit: AuditConfig::default(),
            advice: AdviceConfig::default(),
            telemetry: TelemetryConfig { log: "warn".into(), ..TelemetryConfig::default() },
        }
    }
}

fn default_data_dir() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share"));
    std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home).unwrap_or_default().join("insights")
}

impl Settings {
    /// Whether the local development issuer is the one believed.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.access.people.issuer.is_empty()
    }

    /// The time: the machine's, or that of `now` and on.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let system = Clock::system();
        match self.now.parse::<DateTime<Utc>>() {
            Ok(now) if self.is_local() => {
                let ahead = now - system.now();
                Clock::new(move || system.now() + ahead)
            }
            _ => system,
        }
    }

    /// The file the token of client commands stands in.
    #[must_use]
    pub fn token_path(&self) -> PathBuf {
        if self.token_file.as_os_str().is_empty() {
            token_path(&self.data_dir, "global_admin")
        } else {
            self.token_file.clone()
        }
    }
}

/// Where the demo keeps the ready sign-in of a role.
#[must_use]
pub fn token_path(data_dir: &Path, role: &str) -> PathBuf {
    data_dir.join("tokens").join(format!("{role}.jwt"))
}

impl Validate for Settings {
    fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut fault = |setting: &str, what: &str| faults.push((setting.to_owned(), what.to_owned()));
        if self.database_url != "sqlite" && !is_postgres(&self.database_url) {
            fault("database_url", "must be `sqlite` or begin with postgres://");
        }
        if has_password(&self.database_url) {
            fault("database_url", "must not hold a password: put the URL into a file and name it in database_url_file");
        }
        self.check_doors(&mut fault);
        if !self.now.is_empty() && self.now.parse::<DateTime<Utc>>().is_err() {
            fault("now", "must be a time such as 2026-07-01T12:00:00Z");
        }
        if !self.now.is_empty() && !self.is_local() {
            fault("now", "is for tests: leave it empty unless the local development issuer is believed");
        }
        let mut under = |section: &str, inner: Vec<(String, String)>| {
            faults.extend(inner.into_iter().map(|(setting, what)| (format!("{section}.{setting}"), what)));
        };
        under("tls", self.tls.faults());
        under("links", self.links.faults());
        under("limits", self.limits.faults());
        under("exports", self.exports.faults());
        under("advice", self.advice.faults());
        under("telemetry", self.telemetry.faults());
        if !self.is_local() {
            under("access", self.access.faults());
        }
        faults
    }
}

impl Settings {
    /// Tokens pass through these: who listens on the way must not read them, unless somebody said that nobody can.
    fn check_doors(&self, fault: &mut impl FnMut(&str, &str)) {
        let urls =
            [("server", &self.server), ("ingestion_url", &self.ingestion_url), ("metrics_url", &self.metrics_url)];
        for (setting, urls) in urls {
            for url in urls.split(',').map(str::trim).filter(|_| !urls.is_empty()) {
                if !(url.starts_with("http://") || url.starts_with("https://")) {
                    fault(setting, "must begin with http:// or https://");
                } else if url.starts_with("http://") && !self.plaintext && !is_loopback(host_of(url)) {
                    fault(
                        setting,
                        "would send tokens in plaintext to another machine: use https:// (links.ca_file names the authorities to \
                         believe), or set plaintext = true where something else encrypts, such as a mesh",
                    );
                }
            }
        }
        if is_loopback(&self.host) {
            return;
        }
        if self.is_local() {
            fault(
                "host",
                "must be a loopback address while the local development issuer is believed: set access.people first",
            );
        } else if !self.tls.is_on() && !self.plaintext {
            fault(
                "host",
                "would take tokens in plaintext from other machines: name a certificate in tls.cert_file and its key in \
                 tls.key_file, or set plaintext = true where something else encrypts, such as a mesh or an ingress",
            );
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare.parse::<std::net::IpAddr>().map_or(bare == "localhost", |address| address.is_loopback())
}

/// The host of an `http://` URL.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn has_password(url: &str) -> bool {
    let authority = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || url.contains("password=")
}

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
}

/// Reads the file, then the environment, then the flags over the defaults; reports every fault at once.
pub fn resolve(
    file: Option<&Path>,
    environment: &dyn Fn(&str) -> Option<String>,
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
    let mut faults = Vec::new();
    for (setting, default) in leaves(&defaults) {
        let name = format!("INSIGHTS_{}", setting.to_uppercase().replace('.', "_"));
        let Some(text) = environment(&name) else { continue };
        match typed(&default, &text) {
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
        Ok(settings) if faults.is_empty() => Ok(Resolved { settings, origins }),
        Ok(_) => Err(Faults(faults)),
        Err(Faults(more)) => {
            faults.extend(more);
            Err(Faults(faults))
        }
    }
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

/// A text as a value of the default's type. Lists are written with commas.
fn typed(default: &Value, text: &str) -> Result<Value, String> {
    match default {
        Value::Bool(_) => text.parse().map(Value::Bool).map_err(|_| "must be true or false".into()),
        Value::Number(_) => text.parse::<i64>().map(Value::from).map_err(|_| "must be a whole number".into()),
        Value::Array(_) => {
            Ok(text.split(',').filter(|item| !item.is_empty()).map(|item| Value::from(item.trim())).collect())
        }
        Value::Object(_) => Err("can only be set in the file".into()),
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

#[cfg(test)]
mod tests;
