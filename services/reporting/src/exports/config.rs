//! What can be set of exports.

use std::{path::PathBuf, time::Duration};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Settings of exports. Plain data with defaults; unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExportsConfig {
    /// Where files are kept; replicas must share it.
    pub folder: PathBuf,
    /// Where workbooks are put together before they are kept; empty: the system's place for temporary files.
    pub scratch_folder: PathBuf,
    /// An export is removed so many days after it ended.
    pub keep_days: u32,
    /// Exports one caller may keep.
    pub per_owner: u64,
    /// Exports this process writes at a time.
    pub at_a_time: usize,
    /// How often writing one is begun before it counts as failed.
    pub attempts: i32,
    /// After this time without a sign of life, another replica goes on with an export.
    pub lease_seconds: u32,
    /// How often orders that other replicas took are looked for, in milliseconds.
    pub poll_milliseconds: u64,
    /// How long a download ticket is good for.
    pub ticket_seconds: u32,
}

impl Default for ExportsConfig {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("exports"),
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
    /// What is wrong with it: settings and why.
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
        zero.map(|(setting, _)| (setting.to_owned(), "must be at least 1".to_owned())).collect()
    }

    pub(super) fn keep(&self) -> TimeDelta {
        TimeDelta::days(self.keep_days.into())
    }

    pub(super) fn lease(&self) -> TimeDelta {
        TimeDelta::seconds(self.lease_seconds.into())
    }

    /// Often enough that a lost sign of life does no harm.
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
