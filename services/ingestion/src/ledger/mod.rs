//! The ledger: the facts of every partner, and how they get there.

pub(crate) mod activity;
mod apply;
pub(crate) mod batches;
pub(crate) mod cells;
mod directory;
mod error;
mod facts;
mod ingest;
pub(crate) mod kind;
pub(crate) mod licences;
pub(crate) mod migrations;
mod numbers;
mod owned;
pub(crate) mod partner;
mod plan;
pub(crate) mod prepare;
pub(crate) mod quarantine;
mod rehearse;
mod replay;
mod retract;
mod rush;
pub(crate) mod users;
pub(crate) mod waiting;
mod work;

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use insights_database::{Database, Engine, bulk::Lock};
use insights_service::Clock;
use tokio::sync::watch;

pub(crate) use error::Error;

use crate::Limits;

/// Cells of a partner.
pub(crate) const CELLS: i32 = 16;

/// The number of the customer beside whom facts are kept whose subscription nobody has said anything about: one in every
/// cell, so that writers of such facts in different cells do not meet.
pub(crate) const LIMBO: i64 = -1;

/// The facts of every partner.
pub(crate) struct Ledger {
    pub database: Database,
    pub limits: Limits,
    clock: Clock,
    user_key: users::UserKey,
    numbers: numbers::Cache,
    users: directory::UserCache,
    /// The latest receive time given.
    received: AtomicI64,
    /// Whether much is coming in.
    pub rush: rush::Rush,
    /// Told after every commit that changed something.
    pub changed: watch::Sender<u64>,
    lock: Lock,
}

impl Ledger {
    pub(crate) async fn open(
        database: Database,
        limits: Limits,
        clock: Clock,
        user_key: users::UserKey,
        lock: Lock,
    ) -> Result<Self, Error> {
        Ok(Self {
            database,
            limits,
            clock,
            user_key,
            numbers: numbers::Cache::default(),
            users: directory::UserCache::default(),
            received: AtomicI64::new(0),
            rush: rush::Rush::default(),
            changed: watch::Sender::new(0),
            lock,
        })
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A range of receive times, one per record and strictly later than any given before. Nanoseconds since 1970.
    fn receive(&self, records: usize) -> i64 {
        let now = self.now().timestamp_nanos_opt().unwrap_or(i64::MAX / 2);
        let span = i64::try_from(records).unwrap_or(0) + 1;
        let next = |last: i64| Some(now.max(last + 1) + span);
        let last = self.received.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or(now);
        now.max(last + 1)
    }

    /// Whether all units of a batch go into one transaction: SQLite has one writer and syncs the disk once per commit.
    fn together(&self) -> bool {
        self.database.engine() == Engine::Sqlite
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}
