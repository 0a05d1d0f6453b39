//! Exports: orders, jobs that survive a restart, files and their download.

mod cell;
mod config;
mod entity;
mod file_writer;
mod files;
mod forget;
mod formats;
mod levels;
mod manifest;
mod orders;
mod replicas;
mod report;
mod rows;
mod schema;
mod spec;
mod store;
mod tickets;
mod worker;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use insights_access::Policy;
use tokio::sync::Notify;

use crate::audit::Audit;
use crate::erasure_table::ErasureTable;
use crate::metrics::MetricsClient;
use files::FileStore;
use store::ExportTable;

pub use config::{ExportsConfig, S3Config};
pub use files::FileStoreError;
pub(crate) use formats::ending;
pub(crate) use orders::export;
pub(crate) use store::ExportJob;

/// Exports of this installation. Cheap to clone.
// House: orders, tickets and the worker each add their methods; all of them need the table, the files and metrics.
#[derive(Clone)]
pub struct Exports {
    config: Arc<ExportsConfig>,
    table: ExportTable,
    files: FileStore,
    erasures: ErasureTable,
    metrics: MetricsClient,
    policy: Arc<Policy>,
    audit: Audit,
    /// Wakes the worker after an order.
    wake: Arc<Notify>,
    /// Random id of this process.
    worker: String,
}

impl std::fmt::Debug for Exports {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Exports")
    }
}

impl Exports {
    /// Exports over metrics, with their table in the database of the audit.
    ///
    /// # Errors
    /// When the settings of the store cannot be used.
    pub fn new(
        config: ExportsConfig,
        audit: Audit,
        metrics: MetricsClient,
        policy: Arc<Policy>,
    ) -> Result<Self, FileStoreError> {
        Ok(Self {
            table: ExportTable::new(audit.database().clone(), audit.clock().clone()),
            files: FileStore::new(&config)?,
            erasures: ErasureTable::new(audit.database().clone(), audit.clock().clone()),
            wake: Arc::default(),
            worker: format!("{:016x}", rand::random::<u64>()),
            config: Arc::new(config),
            metrics,
            policy,
            audit,
        })
    }

    /// Streams a range of the file of an export.
    pub(crate) async fn file(
        &self,
        job: &ExportJob,
        range: Range<u64>,
    ) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        self.files.get(&job.file_path, range).await
    }
}
