//! `ingestion_activity`: a chunk a row, which is what up to 64 users of a customer did in a month.

use insights_database::{
    Transaction,
    bulk::Column,
    sea_orm::{self, ConnectionTrait, FromQueryResult, Value},
};
use insights_domain::calendar::Month;

use super::{
    chunk::{self, ActivityChunk},
    partner::{NO_DAY, StoredPartner},
    query::Sql,
    statements as sql,
    waiting::RecordCount,
};
use crate::{error::Error, ids::CustomerAddress};

/// Chunks of one shard, a column each.
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

    fn keys(self) -> Vec<Column> {
        vec![Column::BigInt(self.customers), Column::Int(self.months), Column::Int(self.buckets)]
    }
}

#[derive(FromQueryResult)]
struct BodyRow {
    body: Vec<u8>,
}

/// The bodies of the chunks with these keys, empty where there is none.
pub(crate) async fn read(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    keys: ChunkColumns,
) -> Result<Vec<Vec<u8>>, Error> {
    let mut bodies: Vec<Vec<u8>> = vec![Vec::new(); keys.customers.len()];
    let rows = sql::CHUNKS_BY_KEY.rows::<BodyRow, _>(transaction, partner.in_shard(shard), keys.keys()).await?;
    for (position, row) in rows {
        bodies[position] = row.body;
    }
    Ok(bodies)
}

/// Writes chunks over those of their keys.
pub(crate) async fn write(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    mut chunks: ChunkColumns,
) -> Result<(), Error> {
    let bodies = std::mem::take(&mut chunks.bodies);
    let mut columns = chunks.keys();
    columns.push(Column::Bytes(bodies));
    sql::UPSERT_CHUNKS.run(transaction, partner.in_shard(shard), columns).await
}

/// Deletes chunks by key.
pub(crate) async fn delete(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    chunks: ChunkColumns,
) -> Result<(), Error> {
    sql::DELETE_CHUNKS.run(transaction, partner.in_shard(shard), chunks.keys()).await
}

/// How many chunks a customer has.
pub(crate) async fn count<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    at: CustomerAddress,
) -> Result<i64, Error> {
    let row = sql::COUNT_CHUNKS.row(connection, partner.in_shard(at.shard), vec![at.number.into()]).await?;
    Ok(row.map_or(0, |row: RecordCount| row.records))
}

/// Deletes all chunks of a customer.
pub(crate) async fn delete_all(
    transaction: &Transaction,
    partner: &StoredPartner,
    at: CustomerAddress,
) -> Result<(), Error> {
    sql::DELETE_CHUNKS_OF_CUSTOMER.run(transaction, partner.in_shard(at.shard), vec![at.number.into()]).await
}

/// A chunk, decoded.
pub(crate) struct ChunkRow {
    pub month: Month,
    pub bucket: i32,
    pub chunk: ActivityChunk,
}

#[derive(FromQueryResult)]
struct EncodedChunk {
    month: i32,
    bucket: i32,
    body: Vec<u8>,
}

impl EncodedChunk {
    fn decode(&self) -> Result<ChunkRow, Error> {
        let month = Month::from_index(self.month);
        Ok(ChunkRow {
            month: month.ok_or_else(|| Error::Damaged(format!("a chunk of activity has month {}", self.month)))?,
            bucket: self.bucket,
            chunk: ActivityChunk::decode(&self.body)?,
        })
    }
}

/// A customer's chunks of some months.
pub(crate) async fn read_months<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    customer: CustomerAddress,
    months: [Month; 2],
) -> Result<Vec<ChunkRow>, Error> {
    let values = months.map(|month| Value::from(month.index()));
    chunks(&sql::CHUNKS_OF_MONTHS, connection, partner, customer, values.into()).await
}

/// A customer's chunks of the first month with any, after one.
pub(crate) async fn read_next_month(
    transaction: &Transaction,
    partner: &StoredPartner,
    customer: CustomerAddress,
    after: i32,
) -> Result<Vec<ChunkRow>, Error> {
    chunks(&sql::CHUNKS_OF_NEXT_MONTH, transaction, partner, customer, vec![after.into()]).await
}

/// The last day of activity of some customers of one shard.
pub(crate) async fn last_day_of_customers(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    customers: Vec<i64>,
) -> Result<Option<i32>, Error> {
    let keys = vec![Column::BigInt(customers)];
    let rows = sql::CHUNKS_OF_LAST_MONTH.rows::<EncodedChunk, _>(transaction, partner.in_shard(shard), keys).await?;
    let days = rows.iter().map(|(_, row)| Ok(last_day(&row.decode()?)));
    days.collect::<Result<Vec<_>, Error>>().map(|days| days.into_iter().flatten().max())
}

async fn chunks<C: ConnectionTrait>(
    statement: &Sql,
    connection: &C,
    partner: &StoredPartner,
    customer: CustomerAddress,
    more: Vec<Value>,
) -> Result<Vec<ChunkRow>, Error> {
    let values = [vec![customer.number.into()], more].concat();
    let rows = statement.rows::<EncodedChunk, _>(connection, partner.in_shard(customer.shard), values).await?;
    rows.iter().map(EncodedChunk::decode).collect()
}

/// The last day of activity of all customers whose own record has come; [`NO_DAY`] when there is none.
pub(crate) async fn last_day_of_partner<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
) -> Result<i32, Error> {
    let statement = sql::CHUNKS_OF_PARTNERS_LAST_MONTH;
    let mut last = NO_DAY;
    for row in statement.rows::<EncodedChunk, _>(connection, partner.whole(), vec![]).await? {
        last = last.max(last_day(&row.decode()?).unwrap_or(NO_DAY));
    }
    Ok(last)
}

fn last_day(row: &ChunkRow) -> Option<i32> {
    let days = row.chunk.services().fold(0, |days, (_, masks)| days | chunk::days(masks));
    (days != 0).then(|| row.month.first_day().plus(31 - days.leading_zeros().cast_signed()).epoch_days())
}

/// Chunks of customers of one shard from a month on, each with its customer's position.
pub(crate) async fn read_since(
    snapshot: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    customers: &[i64],
    first_month: i32,
) -> Result<Vec<(usize, ChunkRow)>, Error> {
    let keys = vec![Column::BigInt(customers.to_vec()), Column::Int(vec![first_month; customers.len()])];
    let rows = sql::CHUNKS_SINCE.rows::<EncodedChunk, _>(snapshot, partner.in_shard(shard), keys).await?;
    rows.iter().map(|(position, row)| Ok((*position, row.decode()?))).collect()
}
