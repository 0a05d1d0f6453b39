//! The end of a transaction: its version and its feed rows.

use insights_database::{
    bulk::{self, Column, Conflict, statement},
    sea_orm::{ConnectionTrait, Value},
};
use insights_service::fail_point;

use crate::{
    error::Error,
    tables::{
        activity,
        partner::{NO_DAY, PartnerRow},
    },
};

/// What a transaction changed, written at its end.
#[derive(Debug, Default)]
pub(crate) struct PendingChanges {
    /// First month that may differ, by customer; customer 0 is everybody.
    pub customers: std::collections::BTreeMap<i64, i32>,
    /// The last day of activity that came.
    pub last_activity: Option<i32>,
    /// The last day of activity that was taken back.
    pub retracted_activity: Option<i32>,
}

impl PendingChanges {
    pub(crate) fn note(&mut self, customer: i64, first_month: i32) {
        self.customers.entry(customer).and_modify(|month| *month = (*month).min(first_month)).or_insert(first_month);
    }

    pub(crate) fn everybody(&mut self) {
        self.note(0, 0);
    }
}

/// Ends a transaction: bumps the version and writes the feed rows under the partner's row, which nobody else can do
/// until this commits. Returns the new version, or `None` when nothing changed.
pub(crate) async fn publish<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    mut changes: PendingChanges,
    now: i64,
) -> Result<Option<i64>, Error> {
    if changes.customers.is_empty() {
        return Ok(None);
    }
    let current = if fail_point::guard_holds("ingestion.version_lock") {
        PartnerRow::hold(connection, partner.number).await?
    } else {
        PartnerRow::find(connection, &partner.id).await?.ok_or(Error::NoPartner)?
    };
    fail_point::hit("ingestion.version_read");
    let mut last_activity = changes.last_activity.map_or(current.last_activity, |day| day.max(current.last_activity));
    if changes.retracted_activity.is_some_and(|day| day >= last_activity) {
        // Counted anew while nobody else can publish; who writes now raises it again at the end.
        last_activity = activity::last_day_of_partner(connection, &current).await?;
    }
    if last_activity != current.last_activity && current.complete_through == NO_DAY {
        // Without a `complete_through` the last activity decides it, for everybody.
        changes.everybody();
    }
    let version = current.version + 1;
    let sql = "UPDATE ingestion_partner SET version = $2, last_activity = $3, last_ingest = $4 WHERE partner_no = $1";
    let values = vec![partner.number.into(), version.into(), last_activity.into(), now.max(current.last_ingest).into()];
    connection.execute_raw(statement(connection, sql, values)).await?;
    fail_point::hit("ingestion.version_taken");
    let (numbers, months): (Vec<i64>, Vec<i32>) = changes.customers.into_iter().unzip();
    let fixed = [
        ("partner_no", Value::from(partner.number)),
        ("version", Value::from(version)),
        ("committed_at", Value::from(now)),
    ];
    let columns = vec![("customer_no", Column::BigInt(numbers)), ("first_month", Column::Int(months))];
    bulk::upsert(connection, "ingestion_feed", &fixed, columns, Conflict::Fail).await?;
    Ok(Some(version))
}
