//! The settings of the service.

use std::{path::PathBuf, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use insights_database::{Options, bulk::Lock};
use insights_service::{Validate, fail_point};
use serde::{Deserialize, Serialize};

/// The settings of the service.
#[derive(Clone, Debug)]
pub struct Config {
    /// `sqlite:PATH` or `postgres://…`.
    pub database_url: String,
    /// How to connect to it.
    pub database: Options,
    /// The key under which users are hashed; made when absent. Keep it: without it no user is recognised again.
    pub user_key_file: PathBuf,
    /// How much is taken at once.
    pub limits: IngestLimits,
    /// How often the feed looks for commits of other replicas.
    pub feed_poll: Duration,
    /// How long feed rows are kept; followers that were away longer rebuild.
    pub feed_kept: Duration,
    /// How long batch ids are kept; an older id may be used again.
    pub batches_kept: Duration,
    /// How often the maintenance runs.
    pub maintenance: Duration,
    /// How long who sent what is kept, and how much of it.
    pub audit: AuditRetention,
    /// Whether the clock is compared with the database's; one that a test moves is not.
    pub compare_clocks: bool,
}

/// How long who sent what is kept, and how much of it.
#[derive(Clone, Copy, Debug)]
pub struct AuditRetention {
    /// Days until an entry is removed; 0: never.
    pub keep_days: u32,
    /// Refused calls of a caller and a minute that are kept one by one; the others are summed up.
    pub refused_per_minute: u32,
}

impl Default for AuditRetention {
    fn default() -> Self {
        Self { keep_days: 400, refused_per_minute: 20 }
    }
}

/// How much is taken at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IngestLimits {
    /// Records in a batch, activity apart.
    pub records_per_batch: usize,
    /// Activity facts in a batch.
    pub activity_per_batch: usize,
    /// Names of services in the activity of a batch.
    pub services_per_batch: usize,
    /// About how many facts of a batch go into one transaction, a record counted as 12 (PostgreSQL); 1: one shard a transaction.
    pub records_per_transaction: usize,
    /// Transactions of one batch that run side by side (PostgreSQL).
    pub transactions_in_flight: usize,
    /// How far clocks may be apart, in seconds: so far ahead may `recorded_at` lie, and so far may this server's clock be from the
    /// database's, or behind what other replicas dated.
    pub clock_leeway_seconds: u32,
    /// Rejected records that are kept of a partner; the oldest make room.
    pub quarantine_records: u32,
    /// How large they may be in all, in MiB.
    pub quarantine_mebibytes: u32,
    /// Days until a rejected record is removed; 0: never.
    pub quarantine_days: u32,
    /// Days for which superseded rows are kept, for answers as of an earlier time; 0: for ever.
    pub history_days: u32,
}

impl Default for IngestLimits {
    fn default() -> Self {
        Self {
            records_per_batch: 10_000,
            activity_per_batch: 100_000,
            services_per_batch: 1_000,
            records_per_transaction: 60_000,
            transactions_in_flight: 2,
            clock_leeway_seconds: 300,
            quarantine_records: 100_000,
            quarantine_mebibytes: 64,
            quarantine_days: 90,
            history_days: 1_830,
        }
    }
}

impl IngestLimits {
    /// The time before which rejected records are too old, nanoseconds since 1970; `None`: none is.
    pub(crate) fn quarantine_floor(&self, now: DateTime<Utc>) -> Option<i64> {
        let kept = TimeDelta::days(self.quarantine_days.into());
        (self.quarantine_days > 0).then(|| (now - kept).timestamp_nanos_opt()).flatten()
    }

    /// The earliest time of which superseded rows are kept, nanoseconds since 1970; `None`: of every time.
    pub(crate) fn history_floor(&self, now: DateTime<Utc>) -> Option<i64> {
        let kept = TimeDelta::days(self.history_days.into());
        (self.history_days > 0).then(|| (now - kept).timestamp_nanos_opt()).flatten()
    }

    pub(crate) fn clock_leeway(&self) -> Duration {
        Duration::from_secs(self.clock_leeway_seconds.into())
    }
}

impl Validate for IngestLimits {
    /// 0 of anything takes no batch.
    fn faults(&self) -> Vec<(String, String)> {
        let limits = [
            ("records_per_batch", self.records_per_batch),
            ("activity_per_batch", self.activity_per_batch),
            ("services_per_batch", self.services_per_batch),
            ("records_per_transaction", self.records_per_transaction),
            ("transactions_in_flight", self.transactions_in_flight),
            ("quarantine_records", self.quarantine_records as usize),
            ("quarantine_mebibytes", self.quarantine_mebibytes as usize),
        ];
        let zero = limits.into_iter().filter(|(_, limit)| *limit == 0);
        zero.map(|(setting, _)| (setting.to_owned(), "must be at least 1".to_owned())).collect()
    }
}

/// How writers hold rows against each other; only a test holds them less.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteLocks {
    pub customers: Lock,
    /// Those of transactions that share their customers.
    pub subscriptions: Lock,
}

impl Config {
    /// The default settings for a database and a key file.
    #[must_use]
    pub fn new(database_url: impl Into<String>, user_key_file: impl Into<PathBuf>) -> Self {
        Self {
            database_url: database_url.into(),
            database: Options::default(),
            user_key_file: user_key_file.into(),
            limits: IngestLimits::default(),
            feed_poll: Duration::from_millis(500),
            feed_kept: Duration::from_secs(14 * 24 * 3600),
            batches_kept: Duration::from_secs(90 * 24 * 3600),
            maintenance: Duration::from_secs(60),
            audit: AuditRetention::default(),
            compare_clocks: false,
        }
    }

    pub(crate) fn locks(&self) -> WriteLocks {
        let lock = |guard| match fail_point::guard_holds_in(guard, &self.database_url) {
            true => Lock::Update,
            false => Lock::None,
        };
        WriteLocks { customers: lock("ingestion.customer_lock"), subscriptions: lock("ingestion.subscription_lock") }
    }
}
