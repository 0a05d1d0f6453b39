//! Exports: orders, jobs that survive a restart, files, and how they are fetched.

mod cell;
mod columns;
mod config;
mod entity;
mod files;
mod formats;
mod lines;
mod manifest;
mod orders;
mod report;
mod rights;
mod sheet;
mod table;
mod tickets;
mod worker;
mod write;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use insights_access::Policy;
use tokio::sync::Notify;

use crate::audit::Audit;
use crate::metrics::Upstream;
use files::Files;
use table::Table;

pub use config::{ExportsConfig, S3Config};
pub use files::StoreError;
pub(crate) use formats::ending;
pub(crate) use orders::export;
pub(crate) use table::Job;

/// Exports of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Exports {
    config: Arc<ExportsConfig>,
    table: Table,
    files: Files,
    metrics: Upstream,
    policy: Arc<Policy>,
    audit: Audit,
    /// There may be something to do.
    wake: Arc<Notify>,
    /// This process among the replicas.
    worker: String,
}

impl std::fmt::Debug for Exports {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Exports")
    }
}

impl Exports {
    /// Exports over metrics, kept where the audit is.
    ///
    /// # Errors
    /// When the settings of the store cannot be used.
    pub fn new(
        config: ExportsConfig,
        audit: Audit,
        metrics: Upstream,
        policy: Arc<Policy>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            table: Table::new(audit.database().clone(), audit.clock().clone()),
            files: Files::new(&config)?,
            wake: Arc::default(),
            worker: format!("{:016x}", rand::random::<u64>()),
            config: Arc::new(config),
            metrics,
            policy,
            audit,
        })
    }

    /// Bytes of the file of an export.
    pub(crate) async fn file(&self, job: &Job, range: Range<u64>) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        self.files.get(&job.file_path, range).await
    }
}
