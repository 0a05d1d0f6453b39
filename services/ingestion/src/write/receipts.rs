//! Receive times. For one partner they rise strictly, whichever replica gives them: a server whose clock is wrong gives none, for what it
//! dated ahead nobody could correct before that time comes.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use insights_database::Database;
use insights_service::{Clock, fail_point};

use crate::{
    error::{ClockError, Error},
    tables::partner::StoredPartner,
};

/// How long a comparison with the database's clock holds.
const COMPARED_FOR: Duration = Duration::from_secs(10);

/// Gives out receive times, nanoseconds since 1970.
pub(crate) struct ReceiptClock {
    clock: Clock,
    /// How far apart clocks may be, nanoseconds.
    leeway: i64,
    /// Whether the database's clock is asked.
    compares: bool,
    /// The latest receive time given, by partner.
    given: Mutex<HashMap<i32, i64>>,
    /// How far this clock is ahead of the database's, and when that was found out.
    ahead: Mutex<Option<(Instant, i64)>>,
    /// A fault was logged and is not over.
    said: AtomicBool,
}

impl ReceiptClock {
    pub(super) fn new(clock: Clock, leeway: Duration, compares: bool) -> Self {
        Self {
            clock,
            leeway: i64::try_from(leeway.as_nanos()).unwrap_or(i64::MAX / 4),
            compares,
            given: Mutex::default(),
            ahead: Mutex::default(),
            said: AtomicBool::new(false),
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn nanoseconds(&self) -> i64 {
        self.now().timestamp_nanos_opt().unwrap_or(i64::MAX / 2)
    }

    /// The latest time at which a source may have recorded what comes now.
    pub(super) fn latest_recorded(&self) -> i64 {
        if fail_point::guard_holds("ingestion.recorded_ahead") {
            self.nanoseconds().saturating_add(self.leeway)
        } else {
            i64::MAX
        }
    }

    /// Asks the database what time it is, unless it was asked a moment ago.
    pub(crate) async fn compare(&self, database: &Database) -> Result<(), Error> {
        let known = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.compares || known.is_some_and(|(at, _)| at.elapsed() < COMPARED_FOR) {
            return Ok(());
        }
        let asked = self.nanoseconds();
        if let Some(theirs) = database.clock().await? {
            // The answer took some time; it is about the time in the middle of it.
            let ours = asked + (self.nanoseconds() - asked) / 2;
            *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), ours - theirs));
        }
        Ok(())
    }

    /// What is wrong with the clock, as far as this partner's records are concerned.
    pub(crate) fn fault(&self, partner: &StoredPartner) -> Option<ClockError> {
        if !fail_point::guard_holds("ingestion.clock") {
            return None;
        }
        let compared = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, ahead)) = compared.filter(|(_, ahead)| ahead.saturating_abs() > self.leeway) {
            return Some(ClockError::ApartFromDatabase { ahead });
        }
        let ahead = self.nanoseconds().saturating_sub(partner.last_ingest);
        (ahead < -self.leeway).then_some(ClockError::BehindReceipts { ahead })
    }

    /// A range of receive times for a partner's records, one per record, strictly later than any given before, by whichever replica.
    pub(super) fn receive(&self, partner: &StoredPartner, records: usize) -> Result<i64, Error> {
        let fault = self.fault(partner);
        if fault.is_some() != self.said.swap(fault.is_some(), Ordering::Relaxed) {
            match &fault {
                Some(fault) => tracing::error!(partner = partner.id, %fault, "nothing is stored"),
                None => tracing::warn!("the clock is right again"),
            }
        }
        if let Some(fault) = fault {
            return Err(Error::Clock(fault));
        }
        let stored = if fail_point::guard_holds("ingestion.clock") { partner.last_ingest } else { 0 };
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let last = given.entry(partner.number).or_insert(stored);
        let first = self.nanoseconds().max(stored.max(*last) + 1);
        *last = first + i64::try_from(records).unwrap_or(0);
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partner(number: i32, last_ingest: i64) -> StoredPartner {
        StoredPartner { number, last_ingest, ..StoredPartner::unknown("contoso") }
    }

    #[test]
    fn receive_times_of_a_partner_rise_and_are_those_of_nobody_else() {
        let clock = Clock::fixed(DateTime::from_timestamp_nanos(1_000_000_000_000));
        let receipts = ReceiptClock::new(clock, Duration::from_secs(300), false);
        let receive = |number, last, records| receipts.receive(&partner(number, last), records).ok();
        assert_eq!(receive(1, 0, 3), Some(1_000_000_000_000));
        assert_eq!(receive(1, 0, 1), Some(1_000_000_000_004));
        // Another replica is a little ahead: its times are not fallen behind, and other partners do not notice.
        assert_eq!(receive(1, 1_200_000_000_000, 1), Some(1_200_000_000_001));
        assert_eq!(receive(1, 1_200_000_000_000, 1), Some(1_200_000_000_003));
        assert_eq!(receive(2, 0, 1), Some(1_000_000_000_000));
        assert_eq!(receive(2, 1_300_000_000_001, 1), None, "more than the leeway");
        assert!(receipts.fault(&partner(2, 1_300_000_000_000)).is_none());
    }
}
