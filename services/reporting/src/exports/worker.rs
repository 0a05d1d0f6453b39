//! Background task on every replica that writes the files of orders.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Exports;
use super::file_writer::{ProgressCounters, WriteError, write};
use super::store::ExportJob;

/// Interval of sweeps for expired exports.
const SWEEP: Duration = Duration::from_secs(60);
/// Partners remembered that were served lately.
const REMEMBERED: usize = 1_000;
/// Longest backoff before another attempt, in seconds.
const LONGEST_WAIT: i64 = 60;

impl Exports {
    /// Writes the files of orders and removes expired exports until shutdown. Exports under way are then released, so that
    /// another replica starts them again.
    pub async fn run(&self, shutdown: CancellationToken) {
        tokio::join!(
            self.take_orders(shutdown.clone()),
            self.keep_sweeping(shutdown.clone()),
            self.stay_among_replicas(shutdown.clone()),
            self.keep_looking(shutdown)
        );
    }

    async fn take_orders(&self, shutdown: CancellationToken) {
        let mut under_way = JoinSet::new();
        let mut served = Vec::new();
        loop {
            while under_way.len() < self.config.at_a_time {
                match self.table.claim(&self.worker, &self.config, &served).await {
                    Ok(Some(job)) => {
                        served.retain(|partner| *partner != job.partner);
                        served.push(job.partner.clone());
                        served.drain(..served.len().saturating_sub(REMEMBERED));
                        let (exports, shutdown) = (self.clone(), shutdown.clone());
                        under_way.spawn(async move { exports.carry_out(job, shutdown).await });
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(%error, "cannot look for waiting exports; will retry");
                        break;
                    }
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.wake.notified() => {}
                _ = under_way.join_next(), if !under_way.is_empty() => {}
                () = tokio::time::sleep(self.config.poll()) => {}
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    async fn keep_sweeping(&self, shutdown: CancellationToken) {
        loop {
            if let Err(error) = self.sweep().await {
                tracing::warn!(%error, "cannot remove expired exports; will retry");
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(SWEEP) => {}
            }
        }
    }

    /// Removes expired exports and their files.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn sweep(&self) -> Result<usize, insights_database::Error> {
        let mut removed = 0;
        for job in self.table.expired().await? {
            // The file goes first: a row without a file can be swept again, a file without a row cannot.
            if let Err(error) = self.files.remove_all(&job.export_id).await {
                tracing::warn!(%error, export = job.export_id, "cannot remove the file of an export");
                continue;
            }
            removed += usize::from(self.table.remove(&job).await?);
        }
        Ok(removed)
    }

    /// Writes one file while this worker holds the lease.
    async fn carry_out(&self, mut job: ExportJob, shutdown: CancellationToken) {
        match self.erasures.version_without(&job.partner).await {
            // A replica of metrics may be behind the one that erased.
            Ok(version) => job.min_version = job.min_version.max(version),
            Err(error) => {
                tracing::warn!(%error, export = job.export_id, "cannot look for erasures; will retry");
                return self.give_back(&job, TimeDelta::seconds(1)).await;
            }
        }
        let progress = Arc::new(ProgressCounters::default());
        if job.attempt > self.config.attempts {
            return self.give_up(&job, "The export was begun too often without coming to an end.").await;
        }
        if job.attempt > 1
            && let Err(error) = self.files.remove_others(&job.file_path).await
        {
            // They are removed with the export.
            tracing::warn!(%error, export = job.export_id, "cannot remove the files of earlier attempts");
        }
        let written = tokio::select! {
            written = write(self, &job, &progress) => written,
            () = self.lose(&job, &progress) => {
                tracing::info!(export = job.export_id, "export cancelled, or taken over by another replica");
                return self.take_back(&job).await;
            }
            () = shutdown.cancelled() => {
                self.give_back(&job, TimeDelta::zero()).await;
                return self.take_back(&job).await;
            }
        };
        match written {
            Ok(finished) => match self.table.finish(&job, &self.config, finished).await {
                Ok(true) => {}
                Ok(false) => self.take_back(&job).await,
                // The update may or may not have been applied; the next attempt writes another file.
                Err(error) => tracing::warn!(%error, export = job.export_id, "cannot mark an export as done"),
            },
            Err(WriteError::Permanent(why)) => self.give_up(&job, &why).await,
            Err(WriteError::Transient(why)) => {
                tracing::warn!(export = job.export_id, attempt = job.attempt, why, "export failed and will be retried");
                let wait = TimeDelta::seconds((1_i64 << job.attempt.clamp(0, 6)).min(LONGEST_WAIT));
                self.give_back(&job, wait).await;
                self.take_back(&job).await;
            }
        }
    }

    /// Renews the lease until it is lost or the export is cancelled, which is checked more often.
    async fn lose(&self, job: &ExportJob, progress: &ProgressCounters) {
        let (heartbeat, look) = (self.config.heartbeat(), self.config.poll());
        let mut since = Duration::ZERO;
        loop {
            let pause = look.min(heartbeat - since);
            tokio::time::sleep(pause).await;
            since += pause;
            if since < heartbeat {
                match self.table.is_held(job).await {
                    Ok(false) => return,
                    // The next renewal reports the error.
                    Ok(true) | Err(_) => continue,
                }
            }
            since = Duration::ZERO;
            match self.table.renew(job, &self.config, progress.snapshot()).await {
                Ok(true) => {}
                Ok(false) => return,
                // The lease may outlast the outage.
                Err(error) => tracing::warn!(%error, export = job.export_id, "cannot renew the lease of an export"),
            }
        }
    }

    async fn give_up(&self, job: &ExportJob, why: &str) {
        if let Err(error) = self.table.fail(job, &self.config, why).await {
            tracing::warn!(%error, export = job.export_id, "cannot mark an export as failed");
        }
        self.take_back(job).await;
    }

    async fn give_back(&self, job: &ExportJob, wait: TimeDelta) {
        if let Err(error) = self.table.release(job, self.table.now() + wait).await {
            tracing::warn!(%error, export = job.export_id, "cannot release the lease of an export; it will expire");
        }
    }

    async fn take_back(&self, job: &ExportJob) {
        if let Err(error) = self.files.remove(&job.file_path).await {
            tracing::warn!(%error, export = job.export_id, "cannot remove an abandoned file");
        }
    }
}
