//! What all writers of this process share.

use chrono::{DateTime, Utc};
use insights_database::{Database, Engine};
use insights_service::{Clock, PageTokenKey};
use tokio::sync::watch;

use super::{
    debounce::IngestDebounce, erased::ErasedCache, receipts::ReceiptClock, surrogate_ids, transaction::UserCache,
};
use crate::{Config, IngestLimits, config::WriteLocks, user_key::UserKey};

/// The database, the limits and the caches that all batches of this process share.
pub(crate) struct Ledger {
    pub database: Database,
    pub limits: IngestLimits,
    pub receipts: ReceiptClock,
    pub(super) user_key: UserKey,
    pub(super) ids: surrogate_ids::SurrogateIdCache,
    pub(super) users: UserCache,
    pub(super) erased: ErasedCache,
    /// Holds change notices back during bulk ingestion.
    pub debounce: IngestDebounce,
    /// Notified after every commit that changed something.
    pub changed: watch::Sender<u64>,
    pub(super) locks: WriteLocks,
    pub page_tokens: PageTokenKey,
}

impl Ledger {
    pub(crate) fn new(database: Database, config: &Config, clock: Clock, user_key: UserKey) -> Self {
        let limits = config.limits.clone();
        Self {
            database,
            receipts: ReceiptClock::new(clock, limits.clock_leeway(), config.compare_clocks),
            limits,
            page_tokens: user_key.sealing_key(),
            user_key,
            ids: surrogate_ids::SurrogateIdCache::default(),
            users: UserCache::default(),
            erased: ErasedCache::default(),
            debounce: IngestDebounce::default(),
            changed: watch::Sender::new(0),
            locks: config.locks(),
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.receipts.now()
    }

    /// The time in nanoseconds since 1970.
    pub(super) fn nanoseconds(&self) -> i64 {
        self.now().timestamp_nanos_opt().unwrap_or(i64::MAX / 2)
    }

    /// Whether a batch is one transaction: SQLite has one writer and syncs the disk once per commit.
    pub(super) fn stores_in_one_transaction(&self) -> bool {
        self.database.engine() == Engine::Sqlite
    }

    pub(super) fn notify_followers(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}
