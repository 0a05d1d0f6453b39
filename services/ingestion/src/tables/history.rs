//! `ingestion_history`: superseded rows of the kinds that answers as of an earlier time need.

use insights_database::{
    Transaction,
    bulk::Column,
    sea_orm::{self, ConnectionTrait, FromQueryResult},
};
use insights_proto::ingestion::v1::Precedence;

use super::{
    fact::{FactRow, FeedFact},
    partner::StoredPartner,
    statements as sql,
    waiting::RecordCount,
};
use crate::{error::Error, ids::CustomerAddress, records::fact::FactKind};

/// Keeps rows of one shard, each with the time it was superseded at.
pub(crate) async fn keep(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    rows: Vec<(FactRow, i64)>,
) -> Result<(), Error> {
    let columns = vec![
        Column::BigInt(rows.iter().map(|(row, _)| row.customer.number).collect()),
        Column::Int(rows.iter().map(|(row, _)| row.kind as i32).collect()),
        Column::Bytes(rows.iter().map(|(row, _)| row.key.clone()).collect()),
        Column::BigInt(rows.iter().map(|(row, _)| row.received).collect()),
        Column::BigInt(rows.iter().map(|(_, at)| *at).collect()),
        Column::BigInt(rows.iter().map(|(row, _)| row.recorded).collect()),
        Column::Int(rows.iter().map(|(row, _)| row.day).collect()),
        Column::Bytes(rows.into_iter().map(|(row, _)| row.body).collect()),
    ];
    sql::INSERT_HISTORY.run(transaction, partner.in_shard(shard), columns).await
}

#[derive(FromQueryResult)]
struct HistoryRow {
    customer_no: i64,
    key: Vec<u8>,
    recorded_at: i64,
    received_at: i64,
    day: i32,
    body: Vec<u8>,
    superseded_at: i64,
}

/// Takes the superseded rows of these subscriptions (customer, subscription) out of one shard.
pub(crate) async fn take_of_subscriptions(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    subscriptions: &[(i64, i32)],
) -> Result<Vec<(FactRow, i64)>, Error> {
    // Of the kinds that belong to a subscription, only this one keeps history.
    let kind = FactKind::ReportedSeats;
    let scope = partner.in_shard(shard);
    let keys = vec![
        Column::BigInt(subscriptions.iter().map(|(customer, _)| *customer).collect()),
        Column::Int(vec![kind as i32; subscriptions.len()]),
        Column::Bytes(subscriptions.iter().map(|(_, number)| number.to_be_bytes().to_vec()).collect()),
        Column::Bytes(subscriptions.iter().map(|(_, number)| (number + 1).to_be_bytes().to_vec()).collect()),
    ];
    let found = sql::HISTORY_OF_SUBSCRIPTIONS.rows::<HistoryRow, _>(transaction, scope, keys).await?;
    let row = |row: HistoryRow| {
        let fact = FactRow {
            customer: CustomerAddress { shard, number: row.customer_no },
            kind,
            key: row.key,
            precedence: Precedence::Unspecified,
            recorded: row.recorded_at,
            received: row.received_at,
            day: row.day,
            body: row.body,
            waits_for: String::new(),
        };
        (fact, row.superseded_at)
    };
    let rows: Vec<(FactRow, i64)> = found.into_iter().map(|(_, found)| row(found)).collect();
    let keys = vec![
        Column::BigInt(rows.iter().map(|(row, _)| row.customer.number).collect()),
        Column::Int(rows.iter().map(|(row, _)| row.kind as i32).collect()),
        Column::Bytes(rows.iter().map(|(row, _)| row.key.clone()).collect()),
        Column::BigInt(rows.iter().map(|(row, _)| row.received).collect()),
    ];
    sql::DELETE_HISTORY.run(transaction, scope, keys).await?;
    Ok(rows)
}

/// How many superseded rows a customer has.
pub(crate) async fn count<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    at: CustomerAddress,
) -> Result<i64, Error> {
    let row = sql::COUNT_HISTORY.row(connection, partner.in_shard(at.shard), vec![at.number.into()]).await?;
    Ok(row.map_or(0, |row: RecordCount| row.records))
}

/// Deletes all superseded rows of a customer.
pub(crate) async fn delete_all(
    transaction: &Transaction,
    partner: &StoredPartner,
    at: CustomerAddress,
) -> Result<(), Error> {
    sql::DELETE_HISTORY_OF_CUSTOMER.run(transaction, partner.in_shard(at.shard), vec![at.number.into()]).await
}

#[derive(FromQueryResult)]
struct StandingRow {
    kind: i32,
    key: Vec<u8>,
    day: i32,
    body: Vec<u8>,
}

/// Superseded rows of customers of one shard that stood at a time (nanoseconds since 1970), each with its customer's position.
pub(crate) async fn standing_at(
    snapshot: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    customers: &[i64],
    time: i64,
) -> Result<Vec<(usize, FeedFact)>, Error> {
    let keys = vec![Column::BigInt(customers.to_vec()), Column::BigInt(vec![time; customers.len()])];
    let rows = sql::HISTORY_STANDING_AT.rows::<StandingRow, _>(snapshot, partner.in_shard(shard), keys).await?;
    let fact = |(position, row): (usize, StandingRow)| {
        let kind = FactKind::from_number(row.kind)?;
        let (key, day, body) = (row.key, row.day, row.body);
        Some((position, FeedFact { kind, key, day, user: 0, recorded: 0, received: 0, body }))
    };
    Ok(rows.into_iter().filter_map(fact).collect())
}

/// Deletes the rows of a partner that were superseded before a time.
pub(crate) async fn prune<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    before: i64,
) -> Result<(), Error> {
    sql::DELETE_HISTORY_BEFORE.run(connection, partner.whole(), vec![before.into()]).await
}
