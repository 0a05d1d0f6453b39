//! Settings of the service.

use insights_service::{MessageLimits, Validate};
use serde::{Deserialize, Serialize};

use crate::advice::AdviceConfig;
use crate::audit::AuditConfig;
use crate::exports::ExportsConfig;
use crate::http::{DevelopmentTokens, SignInConfig};

/// Settings of the reporting service. Plain data with defaults; unknown keys are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `sqlite:PATH` or `postgres://…`, for the service's own tables.
    pub database_url: String,
    /// Largest messages, received and sent.
    pub messages: MessageLimits,
    /// Most values that are listed for a filter.
    pub filter_values: usize,
    /// Exports.
    pub exports: ExportsConfig,
    /// The audit.
    pub audit: AuditConfig,
    /// Thresholds of advice.
    pub advice: AdviceConfig,
    /// Where people sign in on the page.
    pub sign_in: SignInConfig,
    /// Ready sign-ins of the demo, set by the program and never in a file.
    #[serde(skip)]
    pub development_tokens: Option<DevelopmentTokens>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database_url: "sqlite:reporting.db".to_owned(),
            messages: MessageLimits::default(),
            filter_values: 200,
            exports: ExportsConfig::default(),
            audit: AuditConfig::default(),
            advice: AdviceConfig::default(),
            sign_in: SignInConfig::default(),
            development_tokens: None,
        }
    }
}

impl Validate for Config {
    fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        if self.filter_values == 0 {
            faults.push(("filter_values".to_owned(), "must be at least 1".to_owned()));
        }
        let exports = self.exports.faults().into_iter();
        faults.extend(exports.map(|(setting, fault)| (format!("exports.{setting}"), fault)));
        let advice = self.advice.faults().into_iter();
        faults.extend(advice.map(|(setting, fault)| (format!("advice.{setting}"), fault)));
        let sign_in = self.sign_in.faults().into_iter();
        faults.extend(sign_in.map(|(setting, fault)| (format!("sign_in.{setting}"), fault)));
        faults
    }
}
