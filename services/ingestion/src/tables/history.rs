//! `ingestion_history`: superseded rows of the kinds that answers as of an earlier time need.

use insights_database::{
    Transaction,
    bulk::{self, Column},
};

use super::{fact::FactRow, partner::PartnerRow};
use crate::{error::Error, ids::CustomerKey, records::fact::FactKind};

const TABLE: &str = "ingestion_history";

/// Keeps rows of one shard with the time they were superseded at.
pub(crate) async fn keep(
    transaction: &Transaction,
    partner: &PartnerRow,
    shard: i32,
    rows: Vec<(FactRow, i64)>,
) -> Result<(), Error> {
    let columns = vec![
        ("customer_no", Column::BigInt(rows.iter().map(|(row, _)| row.customer.number).collect())),
        ("kind", Column::Int(rows.iter().map(|(row, _)| row.kind as i32).collect())),
        ("received_at", Column::BigInt(rows.iter().map(|(row, _)| row.received).collect())),
        ("superseded_at", Column::BigInt(rows.iter().map(|(_, at)| *at).collect())),
        ("recorded_at", Column::BigInt(rows.iter().map(|(row, _)| row.recorded).collect())),
        ("day", Column::Int(rows.iter().map(|(row, _)| row.day).collect())),
        ("key", Column::Bytes(rows.iter().map(|(row, _)| row.key.clone()).collect())),
        ("body", Column::Bytes(rows.into_iter().map(|(row, _)| row.body).collect())),
    ];
    let keep = bulk::Conflict::Keep { key: &["partner_no", "cell", "customer_no", "kind", "key", "received_at"] };
    bulk::upsert(transaction, TABLE, &partner.fixed_shard(shard), columns, keep).await?;
    Ok(())
}

/// Takes the superseded rows of these subscriptions (customer, subscription) out of one shard.
pub(crate) async fn take_of_subscriptions(
    transaction: &Transaction,
    partner: &PartnerRow,
    shard: i32,
    subscriptions: &[(i64, i32)],
) -> Result<Vec<(FactRow, i64)>, Error> {
    let keys = vec![
        ("customer_no", Column::BigInt(subscriptions.iter().map(|(customer, _)| *customer).collect())),
        ("kind", Column::Int(vec![FactKind::ReportedSeats as i32; subscriptions.len()])),
        ("_low", Column::Bytes(subscriptions.iter().map(|(_, number)| number.to_be_bytes().to_vec()).collect())),
        ("_high", Column::Bytes(subscriptions.iter().map(|(_, number)| (number + 1).to_be_bytes().to_vec()).collect())),
    ];
    let select = "customer_no, key, recorded_at, received_at, day, body, superseded_at";
    let fixed = partner.fixed_shard(shard);
    let range = "AND t.key >= k._low AND t.key < k._high";
    let found = bulk::lookup_where(transaction, TABLE, &fixed, keys, select, range).await?;
    let mut rows: Vec<(FactRow, i64)> = Vec::with_capacity(found.len());
    for row in &found {
        let old = FactRow {
            customer: CustomerKey { shard, number: row.try_get_by_index(1)? },
            kind: FactKind::ReportedSeats,
            key: row.try_get_by_index(2)?,
            recorded: row.try_get_by_index(3)?,
            received: row.try_get_by_index(4)?,
            day: row.try_get_by_index(5)?,
            body: row.try_get_by_index(6)?,
            waits_for: String::new(),
        };
        rows.push((old, row.try_get_by_index(7)?));
    }
    let keys = vec![
        ("customer_no", Column::BigInt(rows.iter().map(|(row, _)| row.customer.number).collect())),
        ("kind", Column::Int(rows.iter().map(|(row, _)| row.kind as i32).collect())),
        ("key", Column::Bytes(rows.iter().map(|(row, _)| row.key.clone()).collect())),
        ("received_at", Column::BigInt(rows.iter().map(|(row, _)| row.received).collect())),
    ];
    bulk::delete(transaction, TABLE, &fixed, keys).await?;
    Ok(rows)
}
