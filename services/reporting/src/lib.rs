//! The reporting service: dashboards, queries, advice, exports, the audit and the web page.
//!
//! It computes no figures: every figure comes from metrics, with the caller's rights.

pub mod advice;
mod api;
mod audit;
mod config;
pub mod dashboards;
mod erasure;
mod erasure_table;
mod exports;
mod field_paths;
mod http;
mod metrics;
mod migrations;

use std::sync::Arc;

use insights_access::{Outgoing, Policy, PolicyError};
use insights_proto::access::v1::access_service_server::AccessServiceServer;
use insights_proto::reporting::v1::reporting_service_server::ReportingServiceServer;
use insights_service::{NamedRoutes, Requirement, ServiceChannel, sized};
use tokio_util::sync::CancellationToken;

use erasure::Erasures;
use exports::Exports;

pub use advice::AdviceConfig;
pub use audit::{Audit, AuditConfig, AuditRecord, CallOutcome};
pub use config::Config;
pub use exports::{ExportsConfig, FileStoreError, S3Config};
pub use http::{DevelopmentToken, DevelopmentTokens, SignInConfig, TokenKind};
pub use migrations::Migrator;

/// The reporting service.
#[derive(Debug)]
pub struct Reporting {
    config: Config,
    api: api::ReportingApi,
    metrics: metrics::MetricsClient,
    exports: Exports,
    erasures: Erasures,
}

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The access table cannot be read.
    #[error("the access table")]
    Policy(#[from] PolicyError),
    /// Files cannot be kept as configured.
    #[error("the place of exports")]
    Store(#[from] FileStoreError),
}

impl Reporting {
    /// The service over an open audit, which the access layer reports denials to.
    ///
    /// # Errors
    /// When the access table cannot be read, or the settings of the store of exports cannot be used.
    pub fn new(
        config: Config,
        audit: Audit,
        metrics: impl Into<ServiceChannel>,
        outgoing: Outgoing,
    ) -> Result<Self, OpenError> {
        let metrics = metrics::MetricsClient::new(metrics.into(), outgoing, &config.messages);
        let policy = Arc::new(Policy::product()?);
        let exports = Exports::new(config.exports.clone(), audit.clone(), metrics.clone(), Arc::clone(&policy))?;
        let erasures = Erasures::new(metrics.clone(), exports.clone(), audit.clone());
        let api = api::ReportingApi::new(metrics.clone(), audit, policy, &config, exports.clone(), erasures.clone());
        Ok(Self { config, api, metrics, exports, erasures })
    }

    /// Makes sure that the replicas that are there keep the files of exports where this one does.
    ///
    /// # Errors
    /// When they do not, or nobody can tell.
    pub async fn join_replicas(&self) -> Result<(), OpenError> {
        Ok(self.exports.join_replicas().await?)
    }

    /// The audit.
    #[must_use]
    pub fn audit(&self) -> &Audit {
        self.api.audit()
    }

    /// What this service needs to answer: its database, and that metrics takes its token.
    #[must_use]
    pub fn needs(&self) -> Vec<Requirement> {
        let (database, metrics) = (self.audit().database().clone(), self.metrics.clone());
        let ping = move || {
            let database = database.clone();
            async move { database.ping().await.map_err(|error| error.to_string()) }
        };
        let accepted = move || {
            let metrics = metrics.clone();
            async move { metrics.accepted().await }
        };
        vec![Requirement::new("database of reporting", ping), Requirement::new("metrics", accepted)]
    }

    /// ReportingService and AccessService.
    #[must_use]
    pub fn routes(&self) -> NamedRoutes {
        let reporting = sized!(ReportingServiceServer::new(self.api.clone()), &self.config.messages);
        let access = sized!(AccessServiceServer::new(api::AccessApi), &self.config.messages);
        NamedRoutes::new(reporting).with(access)
    }

    /// The web page and downloads of exports, over plain HTTP.
    pub fn pages(&self) -> axum::Router {
        http::router(self.config.development_tokens.clone(), &self.config.sign_in, self.exports.clone())
    }

    /// Writes exports, removes expired exports and audit entries, and takes up erasures that a crash left, until shutdown.
    pub async fn run(&self, shutdown: CancellationToken) {
        let (exports, audit) = (self.exports.run(shutdown.clone()), self.audit().keep_sweeping(shutdown.clone()));
        tokio::join!(exports, audit, self.erasures.run(shutdown));
    }

    /// Removes the exports whose time is over; [`Self::run`] does so from time to time.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn sweep_exports(&self) -> Result<usize, insights_database::Error> {
        self.exports.sweep().await
    }
}
