//! `ingestion_feed`: which customers each version changed, and from which month on.

use insights_database::{
    bulk::Column,
    sea_orm::{self, ConnectionTrait, FromQueryResult, Value},
};
use prost::Message;

use super::{partner::StoredPartner, statements as sql};
use crate::error::Error;

/// Most customers of a row: as many as fit into a page with others, so that the database keeps them beside their key.
const CUSTOMERS: usize = 500;

/// Customers that a version changed. A version has as many rows as it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChangeRow {
    pub version: i64,
    /// Nanoseconds since 1970.
    pub committed: i64,
    /// Numbers of customers, each with the first month that may differ; 0 is the partner as a whole.
    pub customers: Vec<(i64, i32)>,
}

/// The customers of a row after its first, in the order of their numbers.
#[derive(Clone, PartialEq, Message)]
struct OtherCustomers {
    /// Each number less the one before it.
    #[prost(uint64, repeated, tag = "1")]
    steps: Vec<u64>,
    /// Each month less that of the first.
    #[prost(sint32, repeated, tag = "2")]
    months: Vec<i32>,
}

#[derive(FromQueryResult)]
struct PackedRow {
    version: i64,
    customer_no: i64,
    month: i32,
    committed_at: i64,
    others: Vec<u8>,
}

impl PackedRow {
    fn parse(self) -> Result<ChangeRow, Error> {
        let Self { version, customer_no, month, committed_at, others } = self;
        let OtherCustomers { steps, months } = OtherCustomers::decode(others.as_slice())?;
        if steps.len() != months.len() {
            return Err(Error::Damaged(format!("a row of version {version} has more customers than months, or fewer")));
        }
        let mut customers = Vec::with_capacity(steps.len() + 1);
        customers.push((customer_no, month));
        let mut last = customer_no;
        for (step, later) in steps.into_iter().zip(months) {
            last = last.wrapping_add_unsigned(step);
            customers.push((last, month.wrapping_add(later)));
        }
        Ok(ChangeRow { version, committed: committed_at, customers })
    }
}

/// What is stored of some customers beside the first, which are in the order of their numbers.
fn others_of(customers: &[(i64, i32)]) -> Vec<u8> {
    let steps = customers.windows(2).map(|pair| pair[1].0.abs_diff(pair[0].0)).collect();
    let first = customers.first().map_or(0, |(_, month)| *month);
    let months = customers.iter().skip(1).map(|(_, month)| month.wrapping_sub(first)).collect();
    OtherCustomers { steps, months }.encode_to_vec()
}

#[derive(FromQueryResult)]
struct CommitTime {
    committed_at: i64,
}

#[derive(FromQueryResult)]
struct LastVersion {
    version: Option<i64>,
}

/// Writes what a version changed, as customers in the order of their numbers with their first months.
pub(crate) async fn insert<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    version: i64,
    now: i64,
    changes: &[(i64, i32)],
) -> Result<(), Error> {
    let firsts = changes.chunks(CUSTOMERS).filter_map(|row| row.first().copied());
    let (customers, months) = firsts.unzip();
    let others = changes.chunks(CUSTOMERS).map(others_of).collect();
    let fixed = [
        ("partner_no", Value::from(partner.number)),
        ("version", Value::from(version)),
        ("committed_at", Value::from(now)),
    ];
    let columns = vec![Column::BigInt(customers), Column::Int(months), Column::Bytes(others)];
    sql::INSERT_CHANGES.run_with(connection, &fixed, columns).await
}

/// Changes of versions after one, up to the partner's version as it was read, in their order: so many rows at most.
pub(crate) async fn after<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    version: i64,
    most: i64,
) -> Result<Vec<ChangeRow>, Error> {
    let values = vec![version.into(), partner.version.into(), most.into()];
    let rows = sql::CHANGES_AFTER.rows::<PackedRow, _>(connection, partner.whole(), values).await?;
    rows.into_iter().map(PackedRow::parse).collect()
}

/// Changes of one version.
pub(crate) async fn of_version<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    version: i64,
) -> Result<Vec<ChangeRow>, Error> {
    let rows = sql::CHANGES_OF_VERSION.rows::<PackedRow, _>(connection, partner.whole(), vec![version.into()]).await?;
    rows.into_iter().map(PackedRow::parse).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_as_they_were_written() {
        let all: Vec<(i64, i32)> =
            (0..1_203).map(|number| (number * number, 24_300 - i32::try_from(number % 7).unwrap())).collect();
        for customers in [&[(0, 0)][..], &[(-1, 5), (i64::MAX, 0)], &all] {
            let mut read = Vec::new();
            for row in customers.chunks(CUSTOMERS) {
                let (customer_no, month) = row[0];
                let others = others_of(row);
                assert!(others.len() < 2_000, "a row is kept in its page");
                let stored = PackedRow { version: 1, customer_no, month, committed_at: 2, others };
                read.extend(stored.parse().unwrap().customers);
            }
            assert_eq!(read, customers);
        }
        // One customer a row, as versions before wrote it.
        let stored = PackedRow { version: 1, customer_no: 7, month: 3, committed_at: 2, others: Vec::new() };
        assert_eq!(stored.parse().unwrap().customers, [(7, 3)]);
    }
}
