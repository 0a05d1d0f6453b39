//! `ingestion_activity`: a chunk a row, which is what up to 64 users of a customer did in a month.

use insights_database::{
    Transaction,
    bulk::{self, Column, Conflict, statement},
    sea_orm::{ConnectionTrait, Value},
};
use insights_domain::calendar::Month;

use super::{
    chunk::{self, ActivityChunk},
    partner::{NO_DAY, PartnerRow},
};
use crate::{error::Error, ids::CustomerKey};

const TABLE: &str = "ingestion_activity";
const KEY: [&str; 5] = ["partner_no", "cell", "customer_no", "month", "bucket"];

/// Columns of chunks of one shard.
#[derive(Default)]
pub(crate) struct ChunkColumns {
    customers: Vec<i64>,
    months: Vec<i32>,
    buckets: Vec<i32>,
    bodies: Vec<Vec<u8>>,
}

impl ChunkColumns {
    pub(crate) fn push(&mut self, customer: i64, month: i32, bucket: i32, body: Vec<u8>) {
        self.customers.push(customer);
        self.months.push(month);
        self.buckets.push(bucket);
        self.bodies.push(body);
    }

    fn keys(self) -> bulk::Columns {
        vec![
            ("customer_no", Column::BigInt(self.customers)),
            ("month", Column::Int(self.months)),
            ("bucket", Column::Int(self.buckets)),
        ]
    }
}

/// The bodies of the chunks with these keys, empty where there is none.
pub(crate) async fn read(
    transaction: &Transaction,
    partner: &PartnerRow,
    shard: i32,
    keys: ChunkColumns,
) -> Result<Vec<Vec<u8>>, Error> {
    let mut bodies: Vec<Vec<u8>> = vec![Vec::new(); keys.customers.len()];
    for row in bulk::lookup(transaction, TABLE, &partner.fixed_shard(shard), keys.keys(), "body").await? {
        let place = usize::try_from(row.try_get_by_index::<i64>(0)?).unwrap_or_default();
        bodies[place] = row.try_get_by_index(1)?;
    }
    Ok(bodies)
}

/// Writes chunks, whatever was there.
pub(crate) async fn write(
    transaction: &Transaction,
    partner: &PartnerRow,
    shard: i32,
    mut chunks: ChunkColumns,
) -> Result<(), Error> {
    let bodies = std::mem::take(&mut chunks.bodies);
    let mut columns = chunks.keys();
    columns.push(("body", Column::Bytes(bodies)));
    let conflict = Conflict::Replace { key: &KEY, set: &["body"], only_if: None };
    bulk::upsert(transaction, TABLE, &partner.fixed_shard(shard), columns, conflict).await?;
    Ok(())
}

/// Deletes chunks by key.
pub(crate) async fn delete(
    transaction: &Transaction,
    partner: &PartnerRow,
    shard: i32,
    chunks: ChunkColumns,
) -> Result<(), Error> {
    bulk::delete(transaction, TABLE, &partner.fixed_shard(shard), chunks.keys()).await?;
    Ok(())
}

/// A chunk that was read.
pub(crate) struct ChunkRow {
    pub month: Month,
    pub bucket: i32,
    pub chunk: ActivityChunk,
}

/// A customer's chunks of some months.
pub(crate) async fn read_months(
    transaction: &Transaction,
    partner: &PartnerRow,
    customer: CustomerKey,
    [first, last]: [Month; 2],
) -> Result<Vec<ChunkRow>, Error> {
    let sql = "SELECT month, bucket, body FROM ingestion_activity WHERE partner_no = $1 AND cell = $2 \
               AND customer_no = $3 AND month >= $4 AND month <= $5";
    let values = [first, last].map(|month| Value::from(month.index()));
    chunks(transaction, partner, customer, sql, values.into()).await
}

/// A customer's chunks of the first month that has any, after one.
pub(crate) async fn read_next_month(
    transaction: &Transaction,
    partner: &PartnerRow,
    customer: CustomerKey,
    after: i32,
) -> Result<Vec<ChunkRow>, Error> {
    let of = "FROM ingestion_activity WHERE partner_no = $1 AND cell = $2 AND customer_no = $3";
    let sql = format!("SELECT month, bucket, body {of} AND month = (SELECT min(month) {of} AND month > $4)");
    chunks(transaction, partner, customer, &sql, vec![after.into()]).await
}

/// The last day on which anybody of a customer used anything.
pub(crate) async fn last_day_of_customer(
    transaction: &Transaction,
    partner: &PartnerRow,
    customer: CustomerKey,
) -> Result<Option<i32>, Error> {
    let of = "FROM ingestion_activity WHERE partner_no = $1 AND cell = $2 AND customer_no = $3";
    let sql = format!("SELECT month, bucket, body {of} AND month = (SELECT max(month) {of})");
    let rows = chunks(transaction, partner, customer, &sql, vec![]).await?;
    Ok(rows.iter().filter_map(|row| last_day(row.month, &row.chunk)).max())
}

async fn chunks(
    transaction: &Transaction,
    partner: &PartnerRow,
    customer: CustomerKey,
    sql: &str,
    more: Vec<Value>,
) -> Result<Vec<ChunkRow>, Error> {
    let mut values: Vec<Value> = vec![partner.number.into(), customer.shard.into(), customer.number.into()];
    values.extend(more);
    let mut chunks = Vec::new();
    for row in transaction.query_all_raw(statement(transaction, sql, values)).await? {
        chunks.push(ChunkRow {
            month: month(row.try_get_by_index(0)?)?,
            bucket: row.try_get_by_index(1)?,
            chunk: ActivityChunk::decode(&row.try_get_by_index::<Vec<u8>>(2)?)?,
        });
    }
    Ok(chunks)
}

/// The last day on which anybody of any known customer used anything; [`NO_DAY`] when nobody did.
pub(crate) async fn last_day_of_partner<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
) -> Result<i32, Error> {
    let known = "FROM ingestion_activity a JOIN ingestion_customer c ON c.partner_no = a.partner_no AND c.cell = a.cell \
                 AND c.customer_no = a.customer_no AND c.known WHERE a.partner_no = $1";
    let sql = format!("SELECT a.month, a.body {known} AND a.month = (SELECT max(a.month) {known})");
    let mut last = NO_DAY;
    for row in connection.query_all_raw(statement(connection, sql, vec![partner.number.into()])).await? {
        let chunk = ActivityChunk::decode(&row.try_get_by_index::<Vec<u8>>(1)?)?;
        last = last.max(last_day(month(row.try_get_by_index(0)?)?, &chunk).unwrap_or(NO_DAY));
    }
    Ok(last)
}

fn month(index: i32) -> Result<Month, Error> {
    Month::from_index(index).ok_or_else(|| Error::Damaged(format!("month {index}")))
}

/// The last day with activity in a chunk.
fn last_day(month: Month, chunk: &ActivityChunk) -> Option<i32> {
    let days = chunk.services().fold(0, |days, (_, masks)| days | chunk::days(masks));
    (days != 0).then(|| month.first_day().plus(31 - days.leading_zeros().cast_signed()).epoch_days())
}
