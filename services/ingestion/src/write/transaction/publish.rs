//! The end of a transaction: its version and its rows in the change feed.

use std::collections::BTreeMap;

use insights_database::sea_orm::ConnectionTrait;
use insights_service::fail_point;

use crate::{
    error::Error,
    tables::{
        activity,
        coverage::{self, CoveredMonth},
        feed,
        partner::{self, NO_DAY, StoredPartner},
    },
};

/// What a transaction changed, written at its end.
#[derive(Debug, Default)]
pub(crate) struct PendingChanges {
    /// First month whose figures may differ, by customer; customer 0 is the partner as a whole.
    pub customers: BTreeMap<i64, i32>,
    /// The last day of activity that was added.
    pub last_activity: Option<i32>,
    /// The last day of activity that was retracted.
    pub retracted_activity: Option<i32>,
    /// How many rows more or less there are of reports and months.
    pub coverage: BTreeMap<CoveredMonth, i64>,
}

impl PendingChanges {
    pub(crate) fn note(&mut self, customer: i64, first_month: i32) {
        self.customers.entry(customer).and_modify(|month| *month = (*month).min(first_month)).or_insert(first_month);
    }

    /// Notes that there are so many rows more or less of a report and month.
    pub(crate) fn cover(&mut self, month: CoveredMonth, more: i64) {
        *self.coverage.entry(month).or_default() += more;
    }

    /// Notes that what concerns the partner as a whole changed.
    pub(crate) fn note_partner(&mut self) {
        self.note(0, 0);
    }
}

/// Ends a transaction: raises the version and writes the feed's rows under the lock of the partner's row, so that no other writer does
/// until this commits. Returns the new version, or `None` when nothing changed.
pub(crate) async fn publish<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    mut changes: PendingChanges,
    now: i64,
) -> Result<Option<i64>, Error> {
    changes.coverage.retain(|_, more| *more != 0);
    if changes.customers.is_empty() && changes.coverage.is_empty() {
        return Ok(None);
    }
    let current = if fail_point::guard_holds("ingestion.version_lock") {
        partner.lock_unerased(connection).await?
    } else {
        StoredPartner::find(connection, &partner.id).await?.ok_or(Error::NoPartner)?
    };
    fail_point::hit("ingestion.version_read");
    if !changes.coverage.is_empty() && coverage::change(connection, &current, &changes.coverage, now).await? {
        changes.note_partner();
    }
    if changes.customers.is_empty() {
        return Ok(None);
    }
    let mut last_activity = changes.last_activity.map_or(current.last_activity, |day| day.max(current.last_activity));
    if changes.retracted_activity.is_some_and(|day| day >= last_activity) {
        // No other writer can publish meanwhile; those that write now raise it again at their end.
        last_activity = activity::last_day_of_partner(connection, &current).await?;
    }
    if last_activity != current.last_activity && current.complete_through == NO_DAY {
        // Without a `complete_through` the last day of activity decides it, for the partner as a whole.
        changes.note_partner();
    }
    let version = current.version + 1;
    let next = StoredPartner { version, last_activity, last_ingest: now.max(current.last_ingest), ..current };
    partner::set_version(connection, &next).await?;
    fail_point::hit("ingestion.version_taken");
    let customers: Vec<(i64, i32)> = changes.customers.into_iter().collect();
    feed::insert(connection, partner, version, now, &customers).await?;
    Ok(Some(version))
}
