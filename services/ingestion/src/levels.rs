//! What is watched of this service: how old the facts are, what was refused, what waits for what it names.

use chrono::{DateTime, Utc};
use insights_service::{WatchedLevel, connections};

use crate::{
    error::Error,
    tables::{
        partner::{NO_DAY, StoredPartner},
        quarantine, waiting,
    },
    write::Ledger,
};

/// A partner that sent nothing for so long is not waited for.
const GONE_DAYS: i64 = 35;
const NANOS_OF_A_DAY: i64 = 24 * 3600 * 1_000_000_000;

/// The levels of this service.
pub(crate) struct Levels {
    age: WatchedLevel,
    quarantined: WatchedLevel,
    waiting: WatchedLevel,
}

impl Levels {
    pub(crate) fn new() -> Self {
        Self {
            age: WatchedLevel::new(
                "insights.data.age",
                "s",
                "Age of the newest facts of the partner whose facts end the earliest",
            ),
            quarantined: WatchedLevel::new(
                "insights.records.quarantined",
                "{record}",
                "Records that were refused and are kept",
            ),
            waiting: WatchedLevel::new("insights.records.waiting", "{record}", "Records that wait for what they name"),
        }
    }

    /// Looks at every partner, one after the other.
    pub(crate) async fn look(&self, ledger: &Ledger) -> Result<(), Error> {
        let reader = ledger.database.reader();
        let now = ledger.now();
        let (mut oldest, mut quarantined, mut waits) = (0, 0, 0);
        for partner in StoredPartner::all(reader).await? {
            oldest = oldest.max(age(&partner, now));
            quarantined += quarantine::count(reader, &partner).await?;
            waits += waiting::count(reader, &partner).await?;
        }
        self.age.set(oldest as f64, &[]);
        self.quarantined.set(quarantined as f64, &[]);
        self.waiting.set(waits as f64, &[]);
        let pool = ledger.database.connections();
        connections("ingestion", pool.used, pool.most);
        Ok(())
    }
}

/// Seconds since the end of the last day of which something is known.
fn age(partner: &StoredPartner, now: DateTime<Utc>) -> i64 {
    let silent = now.timestamp_nanos_opt().unwrap_or_default().saturating_sub(partner.last_ingest);
    let last = partner.complete_through.max(partner.last_activity);
    if last == NO_DAY || silent > GONE_DAYS * NANOS_OF_A_DAY {
        return 0;
    }
    (now.timestamp() - (i64::from(last) + 1) * 86_400).max(0)
}
