//! What can be set of the audit.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Settings of the audit. Plain data with defaults; unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// An entry is removed after so many days; 0: never.
    pub keep_days: u32,
}

impl Default for AuditConfig {
    /// A year can be looked at when it is over.
    fn default() -> Self {
        Self { keep_days: 400 }
    }
}

impl AuditConfig {
    /// How long entries are kept; none: for ever.
    pub(super) fn keep(&self) -> Option<TimeDelta> {
        (self.keep_days > 0).then(|| TimeDelta::days(self.keep_days.into()))
    }
}
