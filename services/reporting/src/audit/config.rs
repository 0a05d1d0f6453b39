//! Settings of the audit.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Settings of the audit. Plain data with defaults; unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// Days until an entry is removed; 0: never.
    pub keep_days: u32,
}

impl Default for AuditConfig {
    /// Long enough to examine a year after its end.
    fn default() -> Self {
        Self { keep_days: 400 }
    }
}

impl AuditConfig {
    /// Retention of entries; `None`: unlimited.
    pub(super) fn keep(&self) -> Option<TimeDelta> {
        (self.keep_days > 0).then(|| TimeDelta::days(self.keep_days.into()))
    }
}
