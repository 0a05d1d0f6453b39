//! What can be set.

mod sources;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use insights_access::AccessConfig;
use insights_database::Options as DatabaseOptions;
use insights_reporting::{AdviceConfig, AuditConfig, ExportsConfig, SignInConfig};
use insights_service::{ChannelConfig, Clock, ServerConfig, TelemetryConfig, TlsConfig, Validate};
use serde::{Deserialize, Serialize};

pub use sources::{Given, Origin, Resolved, listed, resolve};

// House: one field for each top-level key of the settings file; sections are types of their own.
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
    /// The address of the port for the platform, such as `0.0.0.0:9090`: probes and metrics in plaintext, nothing about any partner.
    /// Empty: none.
    pub admin_address: String,
    /// Allows plaintext beyond this machine, both ways. Only where something else encrypts, such as a mesh or an ingress.
    pub plaintext: bool,
    /// The server that client commands talk to; several with commas.
    pub server: String,
    /// The file with the token of client commands; empty: the demo's, of the data directory.
    pub token_file: PathBuf,
    /// `sqlite` (one file per service in the data directory) or `postgres://…` without a password; several hosts with commas, of which
    /// that is used which takes writes. `{service}` in it stands for
    /// the service's name, so that each has a role of its own.
    pub database_url: String,
    /// A file with the whole `postgres://…`, password included; instead of `database_url`. `{service}` stands for the service's name
    /// here too.
    pub database_url_file: PathBuf,
    /// Connections to it.
    pub database: DatabaseOptions,
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
    pub links: ChannelConfig,
    /// Limits of the server.
    pub limits: ServerConfig,
    /// Ingestion.
    pub ingestion: IngestionSettings,
    /// Metrics.
    pub metrics: MetricsSettings,
    /// Exports; without a folder, in the data directory.
    pub exports: ExportsConfig,
    /// The audit.
    pub audit: AuditConfig,
    /// When there is something to advise.
    pub advice: AdviceConfig,
    /// Where people sign in on the page; without an issuer they paste a token.
    pub sign_in: SignInConfig,
    /// Logs, traces, metrics.
    pub telemetry: TelemetryConfig,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: default_data_dir(),
            host: "127.0.0.1".into(),
            port: 8080,
            admin_address: String::new(),
            plaintext: false,
            server: "http://127.0.0.1:8080".into(),
            token_file: PathBuf::new(),
            database_url: "sqlite".into(),
            database_url_file: PathBuf::new(),
            database: DatabaseOptions::default(),
            user_key_file: PathBuf::new(),
            ingestion_url: String::new(),
            metrics_url: String::new(),
            service_token_file: PathBuf::new(),
            now: String::new(),
            access: AccessConfig::default(),
            tls: TlsConfig::default(),
            links: ChannelConfig::default(),
            limits: ServerConfig::default(),
            ingestion: IngestionSettings::default(),
            metrics: MetricsSettings::default(),
            exports: ExportsConfig { folder: PathBuf::new(), ..ExportsConfig::default() },
            audit: AuditConfig::default(),
            advice: AdviceConfig::default(),
            sign_in: SignInConfig::default(),
            telemetry: TelemetryConfig { log: "warn".into(), ..TelemetryConfig::default() },
        }
    }
}

/// Settings of ingestion.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IngestionSettings {
    /// How large a batch and its transactions may be.
    pub limits: insights_ingestion::IngestLimits,
}

/// Settings of metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsSettings {
    /// What a caller may ask for.
    pub limits: insights_metrics::QueryLimits,
    /// Partners whose cubes are kept in memory; the one that was not asked for the longest makes room.
    pub cubes_in_memory: usize,
    /// A cube that is not asked for this long leaves memory, in seconds.
    pub idle_seconds: u64,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        let insights_metrics::Config { limits, cubes_in_memory, idle_seconds, .. } =
            insights_metrics::Config::default();
        Self { limits, cubes_in_memory, idle_seconds }
    }
}

impl Validate for IngestionSettings {
    fn faults(&self) -> Vec<(String, String)> {
        self.limits.faults().into_iter().map(|(setting, what)| (format!("limits.{setting}"), what)).collect()
    }
}

impl Validate for MetricsSettings {
    fn faults(&self) -> Vec<(String, String)> {
        let config = insights_metrics::Config {
            limits: self.limits.clone(),
            cubes_in_memory: self.cubes_in_memory,
            idle_seconds: self.idle_seconds,
            ..insights_metrics::Config::default()
        };
        config.faults()
    }
}

fn default_data_dir() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share"));
    // Without a home, as in a container: where services keep their data.
    let shared = || PathBuf::from("/var/lib");
    std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home).unwrap_or_else(shared).join("insights")
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
        if !self.admin_address.is_empty() && self.admin_address.parse::<std::net::SocketAddr>().is_err() {
            fault("admin_address", "must be an address and a port, such as 127.0.0.1:9090");
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
        under("database", self.database.faults());
        under("tls", self.tls.faults());
        under("links", self.links.faults());
        under("limits", self.limits.faults());
        under("ingestion", self.ingestion.faults());
        under("metrics", self.metrics.faults());
        under("exports", self.exports.faults());
        under("advice", self.advice.faults());
        under("sign_in", self.sign_in.faults());
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

#[cfg(test)]
mod tests;
