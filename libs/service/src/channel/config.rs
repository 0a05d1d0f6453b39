//! How a process reaches the services of others, as configuration.

use std::{fs, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use crate::settings::Validate;

/// How a process reaches the services of others. Data only, with defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelConfig {
    /// Certificates of the authorities believed for `https://`, PEM; empty: the system's. Read again when it changes.
    pub ca_file: PathBuf,
    /// Our own certificate for servers that ask for one, PEM. Read again when it changes.
    pub cert_file: PathBuf,
    /// The key of our own certificate, PEM.
    pub key_file: PathBuf,
    /// A connection is made in this time or given up.
    pub connect_seconds: u32,
    /// A connection that was silent this long is asked whether it is still there; 0: never.
    pub keepalive_seconds: u32,
    /// A connection that does not answer the question in this time is given up.
    pub keepalive_timeout_seconds: u32,
    /// Names are looked up again after this time, and certificates looked at.
    pub resolve_seconds: u32,
    /// A call is tried so often before its error is the caller's; 1: no second try.
    pub attempts: u32,
}

impl Default for ChannelConfig {
    fn default() -> Self {
        Self {
            ca_file: PathBuf::new(),
            cert_file: PathBuf::new(),
            key_file: PathBuf::new(),
            connect_seconds: 5,
            keepalive_seconds: 10,
            keepalive_timeout_seconds: 5,
            resolve_seconds: 10,
            attempts: 5,
        }
    }
}

impl Validate for ChannelConfig {
    fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let times = [
            ("connect_seconds", self.connect_seconds),
            ("keepalive_timeout_seconds", self.keepalive_timeout_seconds),
            ("resolve_seconds", self.resolve_seconds),
            ("attempts", self.attempts),
        ];
        for (setting, value) in times {
            if value == 0 {
                faults.push((setting.to_owned(), "must be at least 1".to_owned()));
            }
        }
        if self.cert_file.as_os_str().is_empty() != self.key_file.as_os_str().is_empty() {
            faults.push(("key_file".to_owned(), "must be given together with cert_file".to_owned()));
        }
        faults
    }
}

impl ChannelConfig {
    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.connect_seconds.into())
    }

    pub(crate) fn resolve_interval(&self) -> Duration {
        Duration::from_secs(self.resolve_seconds.into())
    }

    /// What the files hold now, to be compared with what they held; unreadable ones count as empty until they are used.
    pub(crate) fn files(&self) -> Vec<Vec<u8>> {
        [&self.ca_file, &self.cert_file, &self.key_file].map(|path| fs::read(path).unwrap_or_default()).into()
    }

    /// What is believed and shown when a connection to `host` is made.
    pub(crate) fn tls(&self, host: &str) -> Result<ClientTlsConfig, String> {
        let read = |path: &PathBuf| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
        // The time to connect covers the network alone; a host that hangs takes connections and never shakes hands.
        let tls = ClientTlsConfig::new().timeout(self.connect_timeout());
        let mut tls = tls.domain_name(host.trim_matches(['[', ']']));
        tls = match self.ca_file.as_os_str().is_empty() {
            true => tls.with_native_roots(),
            false => tls.ca_certificate(Certificate::from_pem(read(&self.ca_file)?)),
        };
        if !self.cert_file.as_os_str().is_empty() {
            tls = tls.identity(Identity::from_pem(read(&self.cert_file)?, read(&self.key_file)?));
        }
        Ok(tls)
    }
}
