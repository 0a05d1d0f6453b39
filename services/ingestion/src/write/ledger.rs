//! What all writers of this process share.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use insights_database::{Database, Engine};
use insights_service::{Clock, PageTokenKey};
use tokio::sync::watch;

use super::{debounce::IngestDebounce, surrogate_ids, transaction::UserCache};
use crate::{IngestLimits, config::WriteLocks, error::Error, user_key::UserKey};

/// The database, the limits and the caches that all batches of this process share.
pub(crate) struct Ledger {
    pub database: Database,
    pub limits: IngestLimits,
    pub(super) clock: Clock,
    pub(super) user_key: UserKey,
    pub(super) ids: surrogate_ids::SurrogateIdCache,
    pub(super) users: UserCache,
    /// The latest receive time given.
    received: AtomicI64,
    /// Holds change notices back during bulk ingestion.
    pub debounce: IngestDebounce,
    /// Notified after every commit that changed something.
    pub changed: watch::Sender<u64>,
    pub(super) locks: WriteLocks,
    pub page_tokens: PageTokenKey,
}

impl Ledger {
    pub(crate) async fn open(
        database: Database,
        limits: IngestLimits,
        clock: Clock,
        user_key: UserKey,
        locks: WriteLocks,
    ) -> Result<Self, Error> {
        Ok(Self {
            database,
            limits,
            clock,
            page_tokens: user_key.sealing_key(),
            user_key,
            ids: surrogate_ids::SurrogateIdCache::default(),
            users: UserCache::default(),
            received: AtomicI64::new(0),
            debounce: IngestDebounce::default(),
            changed: watch::Sender::new(0),
            locks,
        })
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A range of receive times, one per record and strictly later than any given before. Nanoseconds since 1970.
    pub(super) fn receive(&self, records: usize) -> i64 {
        let now = self.now().timestamp_nanos_opt().unwrap_or(i64::MAX / 2);
        let span = i64::try_from(records).unwrap_or(0) + 1;
        let next = |last: i64| Some(now.max(last + 1) + span);
        let last = self.received.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or(now);
        now.max(last + 1)
    }

    /// Whether a batch is one transaction: SQLite has one writer and syncs the disk once per commit.
    pub(super) fn stores_in_one_transaction(&self) -> bool {
        self.database.engine() == Engine::Sqlite
    }

    pub(super) fn notify_followers(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}
