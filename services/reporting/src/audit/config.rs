//! Settings of the audit.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Settings of the audit. Plain data with defaults; unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// Days until an entry is removed; 0: never.
    pub keep_days: u32,
    /// Refused calls of a caller and a minute that are kept one by one; the others are kept as one entry for each method and outcome.
    pub refused_per_minute: u32,
}

impl Default for AuditConfig {
    /// Long enough to examine a year after its end.
    fn default() -> Self {
        Self { keep_days: 400, refused_per_minute: 20 }
    }
}

impl AuditConfig {
    /// Retention of entries; `None`: unlimited.
    pub(super) fn keep(&self) -> Option<TimeDelta> {
        (self.keep_days > 0).then(|| TimeDelta::days(self.keep_days.into()))
    }
}
