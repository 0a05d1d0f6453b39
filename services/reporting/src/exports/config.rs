//! Settings of exports.

use std::{path::PathBuf, time::Duration};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Settings of exports. Plain data with defaults; unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExportsConfig {
    /// Directory of the files when no bucket is set; replicas must share it.
    pub folder: PathBuf,
    /// Bucket of an S3 store for the files.
    pub s3: S3Config,
    /// Directory for temporary files of workbooks; empty: the system's.
    pub scratch_folder: PathBuf,
    /// Days until an export is removed after it ended.
    pub keep_days: u32,
    /// Most exports that one caller keeps.
    pub per_owner: u64,
    /// Most exports that this process writes at a time.
    pub at_a_time: usize,
    /// Attempts to write an export before it fails.
    pub attempts: i32,
    /// Duration of a writer's lease; another replica takes over an export whose lease expired.
    pub lease_seconds: u32,
    /// Interval at which waiting exports are looked for, in milliseconds.
    pub poll_milliseconds: u64,
    /// Lifetime of a download ticket.
    pub ticket_seconds: u32,
}

/// A bucket of Amazon S3 or a compatible store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S3Config {
    /// Name of the bucket; empty: files are kept in a directory.
    pub bucket: String,
    /// Prefix of all object names, such as `insights/exports`.
    pub prefix: String,
    /// The region.
    pub region: String,
    /// URL of the store; empty: Amazon's in the region.
    pub endpoint: String,
    /// The bucket is named in the host instead of the path.
    pub virtual_hosted: bool,
    /// Id of the access key; empty: the platform's credentials (environment, workload identity, instance profile).
    pub access_key_id: String,
    /// File with the secret of the access key, read for every call.
    pub secret_access_key_file: PathBuf,
    /// File with the session token of a temporary key; empty: none.
    pub session_token_file: PathBuf,
    /// PEM file with additional certificate authorities.
    pub ca_file: PathBuf,
    /// Allows a plaintext endpoint, for networks that encrypt by themselves.
    pub allow_http: bool,
    /// Size of the parts of a multipart upload, in MiB; stores take 10,000 parts. Each upload holds up to three in memory.
    pub part_mebibytes: u32,
}

impl Default for S3Config {
    fn default() -> Self {
        Self {
            bucket: String::new(),
            prefix: String::new(),
            region: "us-east-1".into(),
            endpoint: String::new(),
            virtual_hosted: false,
            access_key_id: String::new(),
            secret_access_key_file: PathBuf::new(),
            session_token_file: PathBuf::new(),
            ca_file: PathBuf::new(),
            allow_http: false,
            part_mebibytes: 8,
        }
    }
}

impl S3Config {
    /// Whether a bucket is configured.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !self.bucket.is_empty()
    }

    fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut fault = |setting: &str, what: &str| faults.push((setting.to_owned(), what.to_owned()));
        let named = |path: &PathBuf| !path.as_os_str().is_empty();
        if self.endpoint.starts_with("http://") {
            if !self.allow_http {
                fault(
                    "endpoint",
                    "would send files in plaintext: use https://, or set s3.allow_http = true where something else encrypts",
                );
            }
        } else if !self.endpoint.is_empty() && !self.endpoint.starts_with("https://") {
            fault("endpoint", "must begin with https:// or http://");
        }
        if self.access_key_id.is_empty() == named(&self.secret_access_key_file) {
            fault("secret_access_key_file", "must be given together with access_key_id");
        }
        if named(&self.session_token_file) && self.access_key_id.is_empty() {
            fault("session_token_file", "must be given together with access_key_id");
        }
        let others = [&self.endpoint, &self.access_key_id, &self.prefix];
        if !self.is_wanted() && others.iter().any(|setting| !setting.is_empty()) {
            fault("bucket", "must be named, or else nothing of s3");
        }
        if self.region.is_empty() {
            fault("region", "must be named; stores without regions take us-east-1");
        }
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '/');
        if !self.prefix.chars().all(plain)
            || self.prefix.starts_with('/')
            || self.prefix.split('/').any(|it| it == "..")
        {
            fault("prefix", "must be letters, digits, - _ . and / between them");
        }
        if !(5..=1024).contains(&self.part_mebibytes) {
            fault("part_mebibytes", "must be from 5 to 1024");
        }
        faults
    }
}

impl Default for ExportsConfig {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("exports"),
            s3: S3Config::default(),
            scratch_folder: PathBuf::new(),
            keep_days: 14,
            per_owner: 100,
            at_a_time: 2,
            attempts: 20,
            lease_seconds: 30,
            poll_milliseconds: 1_000,
            ticket_seconds: 300,
        }
    }
}

impl ExportsConfig {
    /// Faulty settings and their faults.
    #[must_use]
    pub fn faults(&self) -> Vec<(String, String)> {
        let counts = [
            ("keep_days", u64::from(self.keep_days)),
            ("per_owner", self.per_owner),
            ("at_a_time", self.at_a_time as u64),
            ("attempts", u64::try_from(self.attempts).unwrap_or_default()),
            ("lease_seconds", self.lease_seconds.into()),
            ("poll_milliseconds", self.poll_milliseconds),
            ("ticket_seconds", self.ticket_seconds.into()),
        ];
        let zero = counts.into_iter().filter(|(_, value)| *value == 0);
        let zero = zero.map(|(setting, _)| (setting.to_owned(), "must be at least 1".to_owned()));
        let s3 = self.s3.faults().into_iter().map(|(setting, what)| (format!("s3.{setting}"), what));
        zero.chain(s3).collect()
    }

    pub(super) fn keep(&self) -> TimeDelta {
        TimeDelta::days(self.keep_days.into())
    }

    pub(super) fn lease(&self) -> TimeDelta {
        TimeDelta::seconds(self.lease_seconds.into())
    }

    /// Interval of renewals of a lease: a quarter of it, so that a lost renewal does no harm.
    pub(super) fn heartbeat(&self) -> Duration {
        Duration::from_millis(u64::from(self.lease_seconds) * 1_000 / 4)
    }

    pub(super) fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_milliseconds)
    }

    pub(super) fn ticket(&self) -> TimeDelta {
        TimeDelta::seconds(self.ticket_seconds.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(s3: S3Config) -> Vec<String> {
        let config = ExportsConfig { s3, ..ExportsConfig::default() };
        config.faults().into_iter().map(|(setting, _)| setting).collect()
    }

    #[test]
    fn buckets_are_checked_before_anything_is_sent() {
        let good = S3Config {
            bucket: "files".into(),
            prefix: "insights/exports".into(),
            endpoint: "https://store.example".into(),
            access_key_id: "id".into(),
            secret_access_key_file: "secret".into(),
            ..S3Config::default()
        };
        assert_eq!(faults(good.clone()), [""; 0]);
        assert_eq!(faults(S3Config { bucket: "files".into(), ..S3Config::default() }), [""; 0]);
        let plain = S3Config { endpoint: "http://store.example".into(), ..good.clone() };
        assert_eq!(faults(plain.clone()), ["s3.endpoint"]);
        assert_eq!(faults(S3Config { allow_http: true, ..plain }), [""; 0]);
        assert_eq!(faults(S3Config { endpoint: "store.example".into(), ..good.clone() }), ["s3.endpoint"]);
        assert_eq!(faults(S3Config { bucket: String::new(), ..good.clone() }), ["s3.bucket"]);
        assert_eq!(faults(S3Config { access_key_id: String::new(), ..good.clone() }), ["s3.secret_access_key_file"]);
        assert_eq!(faults(S3Config { part_mebibytes: 4, ..good.clone() }), ["s3.part_mebibytes"]);
        for prefix in ["/a", "a/../b", "a b"] {
            assert_eq!(faults(S3Config { prefix: prefix.into(), ..good.clone() }), ["s3.prefix"], "{prefix}");
        }
    }
}
