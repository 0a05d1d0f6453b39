//! What can be set, and where each value comes from: a flag, the environment, the file, or the default.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use insights_access::AccessConfig;
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
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn flags_win_over_the_environment_over_the_file_over_defaults() {
        let file = file("port = 1\nserver = \"https://file\"\ntoken_file = \"of-file\"\n[limits]\nin_flight = 5\n");
        let environment = |name: &str| match name {
            "INSIGHTS_PORT" => Some("2".to_owned()),
            "INSIGHTS_SERVER" => Some("https://environment".to_owned()),
            "INSIGHTS_LIMITS_DEADLINE_SECONDS" => Some("7".to_owned()),
            _ => None,
        };
        let resolved = resolve(Some(file.path()), &environment, vec![("port", "port", 3.into())]).unwrap();
        assert_eq!(resolved.settings.port, 3);
        assert_eq!(resolved.settings.server, "https://environment");
        assert_eq!(resolved.settings.token_file, Path::new("of-file"));
        assert_eq!((resolved.settings.limits.in_flight, resolved.settings.limits.deadline_seconds), (5, 7));
        assert_eq!(resolved.origins["port"], Origin::Flag("port"));
        assert_eq!(resolved.origins["server"], Origin::Environment("INSIGHTS_SERVER".into()));
        assert_eq!(resolved.origins["limits.in_flight"], Origin::File(file.path().to_owned()));
        assert!(!resolved.origins.contains_key("host"));
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let file = file("prot = 1\nserver = \"nowhere\"\n[limits]\nin_flight = 0\nspeed = 9\n");
        let environment = |name: &str| (name == "INSIGHTS_PORT").then(|| "many".to_owned());
        let Faults(faults) = resolve(Some(file.path()), &environment, vec![]).unwrap_err();
        let settings: Vec<_> = faults.iter().map(|fault| fault.setting.as_str()).collect();
        for setting in ["prot", "server", "limits.in_flight", "limits.speed", "INSIGHTS_PORT"] {
            assert!(settings.contains(&setting), "{setting} is not among {settings:?}");
        }
    }

    #[test]
    fn time_can_be_set_for_tests_only() {
        let at = |now: &str, issuer: &str| {
            let mut settings = Settings { now: now.into(), ..Settings::default() };
            settings.access.people.issuer = issuer.into();
            settings
        };
        let now = at("2026-07-01T12:00:00Z", "").clock().now();
        assert_eq!(now.to_rfc3339()[..15], *"2026-07-01T12:0");
        let believed = at("2026-07-01T12:00:00Z", "https://login.example").faults();
        assert!(believed.iter().any(|(setting, _)| setting == "now"), "{believed:?}");
        assert!(at("tomorrow", "").faults().iter().any(|(setting, _)| setting == "now"));
        assert!(at("", "").faults().is_empty());
    }

    #[test]
    fn plaintext_leaves_the_machine_only_when_somebody_says_so() {
        let faults = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            settings.access.people.issuer = "https://login.example".into();
            settings.access = AccessConfig {
                people: insights_access::Trust { keys: "/keys".into(), ..settings.access.people },
                services: insights_access::Trust {
                    issuer: "https://login.example".into(),
                    keys: "/keys".into(),
                    subjects: vec!["metrics".into()],
                    ..settings.access.services
                },
                ..settings.access
            };
            change(&mut settings);
            settings.faults().into_iter().map(|(setting, _)| setting).collect::<Vec<_>>()
        };
        assert_eq!(faults(|_| {}), Vec::<String>::new());
        assert_eq!(faults(|settings| settings.host = "0.0.0.0".into()), ["host"]);
        assert_eq!(faults(|settings| settings.metrics_url = "http://metrics:8080".into()), ["metrics_url"]);
        assert_eq!(faults(|settings| settings.server = "http://[2001:db8::1]:8080".into()), ["server"]);
        assert_eq!(
            faults(|settings| settings.ingestion_url = "http://localhost:1,http://10.0.0.1:1".into()),
            ["ingestion_url"]
        );
        assert_eq!(
            faults(|settings| settings.ingestion_url = "http://127.0.0.1@evil.example".into()),
            ["ingestion_url"]
        );
        assert_eq!(
            faults(|settings| settings.ingestion_url = "http://[::1]:1,https://ingestion".into()),
            Vec::<String>::new()
        );
        let said_so = |settings: &mut Settings| {
            settings.host = "0.0.0.0".into();
            settings.metrics_url = "http://metrics:8080".into();
            settings.plaintext = true;
        };
        assert_eq!(faults(said_so), Vec::<String>::new());
        let encrypted = |settings: &mut Settings| {
            settings.host = "::".into();
            settings.tls.cert_file = "cert".into();
            settings.tls.key_file = "key".into();
        };
        assert_eq!(faults(encrypted), Vec::<String>::new());
        assert_eq!(faults(|settings| settings.tls.cert_file = "cert".into()), ["tls.key_file"]);
    }

    #[test]
    fn passwords_and_open_doors_are_refused() {
        for (setting, value) in [("database_url", "postgres://me:secret@host/db"), ("host", "0.0.0.0")] {
            let Faults(faults) = resolve(None, &|_| None, vec![(setting, "x", value.into())]).unwrap_err();
            assert_eq!(faults.iter().map(|fault| fault.setting.as_str()).collect::<Vec<_>>(), [setting]);
        }
        assert!(resolve(None, &|_| None, vec![("database_url", "x", "postgres://me@host/db".into())]).is_ok());
    }
}
