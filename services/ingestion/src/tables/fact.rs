//! `ingestion_fact`: facts other than activity, one row for each identity (customer, kind, key).

use insights_database::{
    Transaction,
    bulk::{self, Column, Columns, Conflict, statement},
    sea_orm::{ConnectionTrait, QueryResult, Value},
};

use super::partner::PartnerRow;
use crate::{error::Error, ids::CustomerKey, records::fact::FactKind};

const TABLE: &str = "ingestion_fact";

const COLUMNS_READ: &str = "customer_no, kind, key, recorded_at, received_at, day, body, waits_for";

/// Facts beside this customer that wait for this reference (such as `sku/K-1`).
pub(crate) type WaitingReference = (CustomerKey, String);

/// A row of facts.
#[derive(Clone, Debug)]
pub(crate) struct FactRow {
    pub customer: CustomerKey,
    pub kind: FactKind,
    pub key: Vec<u8>,
    pub recorded: i64,
    pub received: i64,
    pub day: i32,
    pub body: Vec<u8>,
    pub waits_for: String,
}

impl FactRow {
    /// The user in the key of facts about one.
    pub(crate) fn user(&self) -> Option<u128> {
        matches!(self.kind, FactKind::Assignment | FactKind::Licensed)
            .then(|| self.key.get(4..20).and_then(|bytes| bytes.try_into().ok()).map(u128::from_be_bytes))
            .flatten()
    }

    fn parse(row: &QueryResult, shard: i32) -> Result<Self, Error> {
        let kind: i32 = row.try_get_by_index(2)?;
        Ok(Self {
            customer: CustomerKey { shard, number: row.try_get_by_index(1)? },
            kind: FactKind::from_number(kind).ok_or_else(|| Error::Damaged(format!("kind {kind}")))?,
            key: row.try_get_by_index(3)?,
            recorded: row.try_get_by_index(4)?,
            received: row.try_get_by_index(5)?,
            day: row.try_get_by_index(6)?,
            body: row.try_get_by_index(7)?,
            waits_for: row.try_get_by_index(8)?,
        })
    }
}

/// Reads rows of one shard by key.
pub(crate) async fn read(
    transaction: &Transaction,
    partner: &PartnerRow,
    shard: i32,
    keys: impl Iterator<Item = (i64, FactKind, &Vec<u8>)>,
) -> Result<Vec<FactRow>, Error> {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for (customer, kind, key) in keys {
        columns.0.push(customer);
        columns.1.push(kind as i32);
        columns.2.push(key.clone());
    }
    let keys = vec![
        ("customer_no", Column::BigInt(columns.0)),
        ("kind", Column::Int(columns.1)),
        ("key", Column::Bytes(columns.2)),
    ];
    look_up(transaction, partner, shard, keys, "").await
}

/// Reads every row of these subscriptions (customer, subscription) but the subscriptions' own.
pub(crate) async fn read_of_subscriptions(
    transaction: &Transaction,
    partner: &PartnerRow,
    shard: i32,
    subscriptions: &[(i64, i32)],
) -> Result<Vec<FactRow>, Error> {
    let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (customer, number) in subscriptions {
        for kind in FactKind::OF_SUBSCRIPTION {
            columns.0.push(*customer);
            columns.1.push(kind as i32);
            columns.2.push(number.to_be_bytes().to_vec());
            columns.3.push((number + 1).to_be_bytes().to_vec());
        }
    }
    let keys = vec![
        ("customer_no", Column::BigInt(columns.0)),
        ("kind", Column::Int(columns.1)),
        ("_low", Column::Bytes(columns.2)),
        ("_high", Column::Bytes(columns.3)),
    ];
    look_up(transaction, partner, shard, keys, "AND t.key >= k._low AND t.key < k._high").await
}

/// Reads the rows of one shard that wait for something, by what they wait for.
pub(crate) async fn read_waiting(
    transaction: &Transaction,
    partner: &PartnerRow,
    shard: i32,
    customers: Vec<i64>,
    references: Vec<String>,
) -> Result<Vec<FactRow>, Error> {
    let keys = vec![("customer_no", Column::BigInt(customers)), ("waits_for", Column::Text(references))];
    // Said again for the planner: only so it sees that the partial index serves.
    look_up(transaction, partner, shard, keys, "AND t.waits_for <> ''").await
}

async fn look_up(
    transaction: &Transaction,
    partner: &PartnerRow,
    shard: i32,
    keys: Columns,
    condition: &str,
) -> Result<Vec<FactRow>, Error> {
    let rows =
        bulk::lookup_where(transaction, TABLE, &partner.fixed_shard(shard), keys, COLUMNS_READ, condition).await?;
    rows.iter().map(|row| FactRow::parse(row, shard)).collect()
}

/// Reads a customer's rows of two kinds whose day lies in a range.
pub(crate) async fn read_days(
    transaction: &Transaction,
    partner: &PartnerRow,
    customer: CustomerKey,
    kinds: [FactKind; 2],
    [from, to]: [i32; 2],
) -> Result<Vec<FactRow>, Error> {
    let sql = format!(
        "SELECT 0, {COLUMNS_READ} FROM {TABLE} WHERE partner_no = $1 AND cell = $2 AND customer_no = $3 \
         AND kind IN ($4, $7) AND day >= $5 AND day <= $6"
    );
    let values: Vec<Value> = vec![
        partner.number.into(),
        customer.shard.into(),
        customer.number.into(),
        (kinds[0] as i32).into(),
        from.into(),
        to.into(),
        (kinds[1] as i32).into(),
    ];
    let rows = transaction.query_all_raw(statement(transaction, sql, values)).await?;
    rows.iter().map(|row| FactRow::parse(row, customer.shard)).collect()
}

/// Writes rows of one shard with the number of each one's user, whatever was there. The rows are sorted by key.
pub(crate) async fn write(
    transaction: &Transaction,
    partner: &PartnerRow,
    shard: i32,
    mut rows: Vec<FactRow>,
    users: Vec<i32>,
) -> Result<(), Error> {
    let columns = vec![
        ("customer_no", Column::BigInt(rows.iter().map(|row| row.customer.number).collect())),
        ("kind", Column::Int(rows.iter().map(|row| row.kind as i32).collect())),
        ("recorded_at", Column::BigInt(rows.iter().map(|row| row.recorded).collect())),
        ("received_at", Column::BigInt(rows.iter().map(|row| row.received).collect())),
        ("day", Column::Int(rows.iter().map(|row| row.day).collect())),
        ("user_no", Column::Int(users)),
        ("waits_for", Column::Text(rows.iter_mut().map(|row| std::mem::take(&mut row.waits_for)).collect())),
        ("key", Column::Bytes(rows.iter_mut().map(|row| std::mem::take(&mut row.key)).collect())),
        ("body", Column::Bytes(rows.iter_mut().map(|row| std::mem::take(&mut row.body)).collect())),
    ];
    let conflict = Conflict::Replace {
        key: &["partner_no", "cell", "customer_no", "kind", "key"],
        set: &["recorded_at", "received_at", "day", "user_no", "waits_for", "body"],
        only_if: None,
    };
    bulk::upsert(transaction, TABLE, &partner.fixed_shard(shard), columns, conflict).await?;
    Ok(())
}

/// Deletes rows of one shard by key.
pub(crate) async fn delete(
    transaction: &Transaction,
    partner: &PartnerRow,
    shard: i32,
    rows: &[FactRow],
) -> Result<(), Error> {
    let keys = vec![
        ("customer_no", Column::BigInt(rows.iter().map(|row| row.customer.number).collect())),
        ("kind", Column::Int(rows.iter().map(|row| row.kind as i32).collect())),
        ("key", Column::Bytes(rows.iter().map(|row| row.key.clone()).collect())),
    ];
    bulk::delete(transaction, TABLE, &partner.fixed_shard(shard), keys).await?;
    Ok(())
}

/// Beside which customers facts wait for these references.
pub(crate) async fn waiting_for<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    references: Vec<String>,
) -> Result<Vec<WaitingReference>, Error> {
    let keys = vec![("waits_for", Column::Text(references))];
    let condition = "AND t.waits_for <> ''";
    let select = "cell, customer_no, waits_for";
    let rows = bulk::lookup_where(connection, TABLE, &partner.fixed(), keys, select, condition).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let at = CustomerKey { shard: row.try_get_by_index(1)?, number: row.try_get_by_index(2)? };
        found.push((at, row.try_get_by_index(3)?));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Facts that wait for SKUs that are there: whoever brought them ended before it freed what waited.
pub(crate) async fn forgotten<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
) -> Result<Vec<WaitingReference>, Error> {
    let sql = "SELECT sku_id FROM ingestion_sku s WHERE partner_no = $1 AND known AND EXISTS (SELECT 1 FROM ingestion_fact f \
               WHERE f.partner_no = $1 AND f.waits_for = 'sku/' || s.sku_id AND f.waits_for <> '')";
    let mut references = Vec::new();
    for row in connection.query_all_raw(statement(connection, sql, vec![partner.number.into()])).await? {
        references.push(format!("sku/{}", row.try_get_by_index::<String>(0)?));
    }
    waiting_for(connection, partner, references).await
}

/// The greatest day and the body of the partner's own facts of a kind.
pub(crate) async fn of_partner(
    transaction: &Transaction,
    partner: &PartnerRow,
    kind: FactKind,
) -> Result<(Option<i32>, Option<Vec<u8>>), Error> {
    let sql = "SELECT day, body FROM ingestion_fact WHERE partner_no = $1 AND cell = 0 AND customer_no = 0 AND kind = $2 \
               ORDER BY day DESC LIMIT 1";
    let values = vec![partner.number.into(), (kind as i32).into()];
    let Some(row) = transaction.query_one_raw(statement(transaction, sql, values)).await? else {
        return Ok((None, None));
    };
    Ok((Some(row.try_get_by_index(0)?), Some(row.try_get_by_index(1)?)))
}
