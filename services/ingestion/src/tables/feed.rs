//! `ingestion_feed`: which customers each version changed, and from which month on.

use insights_database::{
    bulk::Column,
    sea_orm::{self, ConnectionTrait, FromQueryResult, Value},
};

use super::{partner::StoredPartner, statements as sql};
use crate::error::Error;

/// A change of a customer by a version.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct ChangeRow {
    pub version: i64,
    /// The customer's number; 0 is the partner as a whole.
    #[sea_orm(from_alias = "customer_no")]
    pub customer: i64,
    pub first_month: i32,
    /// Nanoseconds since 1970.
    #[sea_orm(from_alias = "committed_at")]
    pub committed: i64,
}

#[derive(FromQueryResult)]
struct CommitTime {
    committed_at: i64,
}

#[derive(FromQueryResult)]
struct LastVersion {
    version: Option<i64>,
}

/// Writes what a version changed, as customers and first months.
pub(crate) async fn insert<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    version: i64,
    now: i64,
    changes: impl IntoIterator<Item = (i64, i32)>,
) -> Result<(), Error> {
    let (customers, months) = changes.into_iter().unzip();
    let fixed = [
        ("partner_no", Value::from(partner.number)),
        ("version", Value::from(version)),
        ("committed_at", Value::from(now)),
    ];
    sql::INSERT_CHANGES.run_with(connection, &fixed, vec![Column::BigInt(customers), Column::Int(months)]).await
}

/// Changes of versions after one, up to the partner's version as it was read, in their order.
pub(crate) async fn after<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    version: i64,
    most: i64,
) -> Result<Vec<ChangeRow>, Error> {
    let values = vec![version.into(), partner.version.into(), most.into()];
    sql::CHANGES_AFTER.rows(connection, partner.whole(), values).await
}

/// Changes of one version.
pub(crate) async fn of_version<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    version: i64,
) -> Result<Vec<ChangeRow>, Error> {
    sql::CHANGES_OF_VERSION.rows(connection, partner.whole(), vec![version.into()]).await
}

/// When a version was committed, nanoseconds since 1970; `None` when its changes are pruned.
pub(crate) async fn time_of_version<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    version: i64,
) -> Result<Option<i64>, Error> {
    let row = sql::TIME_OF_VERSION.row(connection, partner.whole(), vec![version.into()]).await?;
    Ok(row.map(|row: CommitTime| row.committed_at))
}

/// The last version that was committed before a time (nanoseconds since 1970), but for the newest.
pub(crate) async fn last_version_before<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    before: i64,
) -> Result<Option<i64>, Error> {
    let values = vec![partner.version.into(), before.into()];
    let row = sql::LAST_VERSION_BEFORE.row(connection, partner.whole(), values).await?;
    Ok(row.and_then(|row: LastVersion| row.version))
}

/// Deletes the changes of versions before one.
pub(crate) async fn delete_before<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    version: i64,
) -> Result<(), Error> {
    sql::DELETE_CHANGES_BEFORE.run(connection, partner.whole(), vec![version.into()]).await
}
