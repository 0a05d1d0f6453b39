//! `ingestion_fact`: facts other than activity, one row for each identity (customer, kind, key).

use insights_database::{
    Transaction,
    bulk::Column,
    sea_orm::{self, ConnectionTrait, FromQueryResult, Value},
};
use insights_proto::ingestion::v1::Precedence;

use super::{partner::StoredPartner, query::ReadByKey, statements as sql};
use crate::{
    error::Error,
    ids::{CustomerAddress, OF_PARTNER},
    records::fact::FactKind,
};

/// The customer beside whom facts are kept that wait, and the reference they wait for, such as `sku/K-1`.
pub(crate) type WaitingReference = (CustomerAddress, String);

/// A row of facts.
#[derive(Clone, Debug)]
pub(crate) struct FactRow {
    pub customer: CustomerAddress,
    pub kind: FactKind,
    pub key: Vec<u8>,
    pub precedence: Precedence,
    /// When its source recorded it, nanoseconds since 1970.
    pub recorded: i64,
    /// When it was received, nanoseconds since 1970.
    pub received: i64,
    pub day: i32,
    pub body: Vec<u8>,
    /// The reference it waits for; empty when it counts.
    pub waits_for: String,
}

impl FactRow {
    /// The hash of the user, of facts about one.
    pub(crate) fn user(&self) -> Option<u128> {
        matches!(self.kind, FactKind::Assignment | FactKind::Licensed)
            .then(|| self.key.get(4..20).and_then(|bytes| bytes.try_into().ok()).map(u128::from_be_bytes))
            .flatten()
    }
}

#[derive(FromQueryResult)]
struct StoredRow {
    customer_no: i64,
    kind: i32,
    key: Vec<u8>,
    precedence: i32,
    recorded_at: i64,
    received_at: i64,
    day: i32,
    body: Vec<u8>,
    waits_for: String,
}

impl StoredRow {
    fn parse(self, shard: i32) -> Result<FactRow, Error> {
        let damaged = |what: &str, number: i32| Error::Damaged(format!("a fact has {what} {number}"));
        Ok(FactRow {
            customer: CustomerAddress { shard, number: self.customer_no },
            kind: FactKind::from_number(self.kind).ok_or_else(|| damaged("kind", self.kind))?,
            key: self.key,
            precedence: Precedence::try_from(self.precedence).map_err(|_| damaged("precedence", self.precedence))?,
            recorded: self.recorded_at,
            received: self.received_at,
            day: self.day,
            body: self.body,
            waits_for: self.waits_for,
        })
    }
}

/// Reads rows of one shard by key.
pub(crate) async fn read(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    keys: impl Iterator<Item = (i64, FactKind, &Vec<u8>)>,
) -> Result<Vec<FactRow>, Error> {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for (customer, kind, key) in keys {
        columns.0.push(customer);
        columns.1.push(kind as i32);
        columns.2.push(key.clone());
    }
    let keys = vec![Column::BigInt(columns.0), Column::Int(columns.1), Column::Bytes(columns.2)];
    read_by(&sql::FACTS_BY_KEY, transaction, partner, shard, keys).await
}

/// Reads rows of one shard by customer and kind, of a range of keys: from one on, up to and not including another.
pub(crate) async fn read_ranges<'k>(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    ranges: impl Iterator<Item = (i64, FactKind, &'k [u8], &'k [u8])>,
) -> Result<Vec<FactRow>, Error> {
    let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (customer, kind, low, high) in ranges {
        columns.0.push(customer);
        columns.1.push(kind as i32);
        columns.2.push(low.to_vec());
        columns.3.push(high.to_vec());
    }
    let (customers, kinds) = (Column::BigInt(columns.0), Column::Int(columns.1));
    let keys = vec![customers, kinds, Column::Bytes(columns.2), Column::Bytes(columns.3)];
    read_by(&sql::FACTS_OF_RANGES, transaction, partner, shard, keys).await
}

/// Reads every row of these subscriptions (customer, subscription) but the subscriptions' own.
pub(crate) async fn read_of_subscriptions(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    subscriptions: &[(i64, i32)],
) -> Result<Vec<FactRow>, Error> {
    let bounds: Vec<(i64, [u8; 4], [u8; 4])> = subscriptions
        .iter()
        .map(|(customer, number)| (*customer, number.to_be_bytes(), (number + 1).to_be_bytes()))
        .collect();
    let ranges = bounds.iter().flat_map(|(customer, low, high)| {
        FactKind::OF_SUBSCRIPTION.into_iter().map(|kind| (*customer, kind, low.as_slice(), high.as_slice()))
    });
    read_ranges(transaction, partner, shard, ranges).await
}

/// Reads the rows of one shard that wait, by customer and reference.
pub(crate) async fn read_waiting(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    customers: Vec<i64>,
    references: Vec<String>,
) -> Result<Vec<FactRow>, Error> {
    let keys = vec![Column::BigInt(customers), Column::Text(references)];
    read_by(&sql::FACTS_WAITING, transaction, partner, shard, keys).await
}

async fn read_by(
    statement: &ReadByKey,
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    keys: Vec<Column>,
) -> Result<Vec<FactRow>, Error> {
    let rows = statement.rows::<StoredRow, _>(transaction, partner.in_shard(shard), keys).await?;
    rows.into_iter().map(|(_, row)| row.parse(shard)).collect()
}

/// Reads a customer's rows of two kinds whose days lie in a range.
pub(crate) async fn read_days<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    customer: CustomerAddress,
    kinds: [FactKind; 2],
    [from, to]: [i32; 2],
) -> Result<Vec<FactRow>, Error> {
    let [kind, other] = kinds.map(|kind| Value::from(kind as i32));
    let values = vec![customer.number.into(), kind, other, from.into(), to.into()];
    let scope = partner.in_shard(customer.shard);
    let rows = sql::FACTS_OF_DAYS.rows::<StoredRow, _>(connection, scope, values).await?;
    rows.into_iter().map(|row| row.parse(customer.shard)).collect()
}

/// Whether rows are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FactWrite {
    /// Nobody has written them: their customers are locked, and they were looked for.
    New,
    /// They may be there.
    Again,
}

/// Writes rows of one shard, each with the number of its user, over those of their keys. The rows are sorted by key.
pub(crate) async fn write(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    written: FactWrite,
    mut rows: Vec<FactRow>,
    users: Vec<i32>,
) -> Result<(), Error> {
    let columns = vec![
        Column::BigInt(rows.iter().map(|row| row.customer.number).collect()),
        Column::Int(rows.iter().map(|row| row.kind as i32).collect()),
        Column::Bytes(rows.iter_mut().map(|row| std::mem::take(&mut row.key)).collect()),
        Column::Int(rows.iter().map(|row| row.precedence as i32).collect()),
        Column::BigInt(rows.iter().map(|row| row.recorded).collect()),
        Column::BigInt(rows.iter().map(|row| row.received).collect()),
        Column::Int(rows.iter().map(|row| row.day).collect()),
        Column::Int(users),
        Column::Text(rows.iter_mut().map(|row| std::mem::take(&mut row.waits_for)).collect()),
        Column::Bytes(rows.iter_mut().map(|row| std::mem::take(&mut row.body)).collect()),
    ];
    let statement = match written {
        // Takes less than half of the time: the row need not be looked for again.
        FactWrite::New => sql::INSERT_FACTS,
        FactWrite::Again => sql::UPSERT_FACTS,
    };
    statement.run(transaction, partner.in_shard(shard), columns).await
}

/// Deletes rows of one shard by key.
pub(crate) async fn delete(
    transaction: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    rows: &[FactRow],
) -> Result<(), Error> {
    let keys = vec![
        Column::BigInt(rows.iter().map(|row| row.customer.number).collect()),
        Column::Int(rows.iter().map(|row| row.kind as i32).collect()),
        Column::Bytes(rows.iter().map(|row| row.key.clone()).collect()),
    ];
    sql::DELETE_FACTS.run(transaction, partner.in_shard(shard), keys).await
}

#[derive(FromQueryResult)]
struct KindCount {
    kind: i32,
    records: i64,
}

/// How many rows of each kind a customer has.
pub(crate) async fn count<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    at: CustomerAddress,
) -> Result<Vec<(FactKind, i64)>, Error> {
    let rows = sql::COUNT_FACTS.rows(connection, partner.in_shard(at.shard), vec![at.number.into()]).await?;
    let count = |row: KindCount| Some((FactKind::from_number(row.kind)?, row.records));
    Ok(rows.into_iter().filter_map(count).collect())
}

/// Deletes all rows of a customer.
pub(crate) async fn delete_all(
    transaction: &Transaction,
    partner: &StoredPartner,
    at: CustomerAddress,
) -> Result<(), Error> {
    sql::DELETE_FACTS_OF_CUSTOMER.run(transaction, partner.in_shard(at.shard), vec![at.number.into()]).await
}

#[derive(FromQueryResult)]
struct WaitingRow {
    cell: i32,
    customer_no: i64,
    waits_for: String,
}

/// The customers beside whom facts wait for these references.
pub(crate) async fn waiting_for<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    references: Vec<String>,
) -> Result<Vec<WaitingReference>, Error> {
    let keys = vec![Column::Text(references)];
    let rows = sql::CUSTOMERS_WAITING_FOR.rows::<WaitingRow, _>(connection, partner.whole(), keys).await?;
    let customer = |row: &WaitingRow| CustomerAddress { shard: row.cell, number: row.customer_no };
    let mut found: Vec<WaitingReference> = rows.into_iter().map(|(_, row)| (customer(&row), row.waits_for)).collect();
    found.sort();
    found.dedup();
    Ok(found)
}

#[derive(FromQueryResult)]
struct SkuId {
    sku_id: String,
}

/// Facts that wait for SKUs that are there: a crash came between the SKU and the release of what waited for it.
pub(crate) async fn waiting_for_known_skus<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
) -> Result<Vec<WaitingReference>, Error> {
    let skus = sql::SKUS_WAITED_FOR.rows::<SkuId, _>(connection, partner.whole(), vec![]).await?;
    waiting_for(connection, partner, skus.into_iter().map(|sku| format!("sku/{}", sku.sku_id)).collect()).await
}

/// Customers of one shard who have rows of a kind in a range of days that were recorded before a time, nanoseconds since 1970.
pub(crate) async fn customers_of_days(
    snapshot: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    kind: FactKind,
    [from, to]: [i32; 2],
    before: i64,
) -> Result<Vec<i64>, Error> {
    let values = vec![(kind as i32).into(), from.into(), to.into(), before.into()];
    let rows = sql::CUSTOMERS_OF_DAYS.rows(snapshot, partner.in_shard(shard), values).await?;
    Ok(rows.into_iter().map(|row: ChangedCustomer| row.customer_no).collect())
}

/// A row of the partner's own facts of one kind.
#[derive(FromQueryResult)]
pub(crate) struct PartnerFact {
    pub day: i32,
    pub body: Vec<u8>,
}

/// The partner's own fact of a kind; that of the greatest day where there are several.
pub(crate) async fn of_partner(
    transaction: &Transaction,
    partner: &StoredPartner,
    kind: FactKind,
) -> Result<Option<PartnerFact>, Error> {
    let scope = partner.in_shard(OF_PARTNER.shard);
    sql::FACTS_OF_PARTNER.row(transaction, scope, vec![(kind as i32).into()]).await
}

/// A fact of the partner that says that a list of customers is whole.
#[derive(FromQueryResult)]
pub(crate) struct CustomerListFact {
    pub day: i32,
    pub recorded_at: i64,
    pub body: Vec<u8>,
}

/// The lists of customers that are whole.
pub(crate) async fn customer_lists(
    transaction: &Transaction,
    partner: &StoredPartner,
) -> Result<Vec<CustomerListFact>, Error> {
    let scope = partner.in_shard(OF_PARTNER.shard);
    sql::CUSTOMER_LISTS.rows(transaction, scope, vec![(FactKind::CustomerList as i32).into()]).await
}

/// A fact that waits for nothing, as followers read it.
pub(crate) struct FeedFact {
    pub kind: FactKind,
    pub key: Vec<u8>,
    pub day: i32,
    /// The user's number within the customer; below 0 of facts about no user.
    pub user: i32,
    /// When its source recorded it, nanoseconds since 1970; 0 of superseded rows.
    pub recorded: i64,
    /// When it was received, nanoseconds since 1970.
    pub received: i64,
    pub body: Vec<u8>,
}

impl FeedFact {
    /// The number that its key begins with.
    pub(crate) fn prefix(&self) -> u32 {
        self.key.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }
}

#[derive(FromQueryResult)]
struct FeedRow {
    kind: i32,
    key: Vec<u8>,
    day: i32,
    user_no: i32,
    body: Vec<u8>,
    received_at: i64,
    recorded_at: i64,
}

/// Facts of customers of one shard that wait for nothing, each with its customer's position. Kinds of a later version are left out.
pub(crate) async fn read_of_customers(
    snapshot: &Transaction,
    partner: &StoredPartner,
    shard: i32,
    customers: &[i64],
) -> Result<Vec<(usize, FeedFact)>, Error> {
    let (scope, keys) = (partner.in_shard(shard), vec![Column::BigInt(customers.to_vec())]);
    let rows = sql::FACTS_OF_CUSTOMERS.rows::<FeedRow, _>(snapshot, scope, keys).await?;
    let fact = |(position, row): (usize, FeedRow)| {
        let fact = FeedFact {
            kind: FactKind::from_number(row.kind)?,
            key: row.key,
            day: row.day,
            user: row.user_no,
            recorded: row.recorded_at,
            received: row.received_at,
            body: row.body,
        };
        Some((position, fact))
    };
    Ok(rows.into_iter().filter_map(fact).collect())
}

#[derive(FromQueryResult)]
struct ChangedCustomer {
    customer_no: i64,
}

/// Customers of whom other reported rows stood at a time (nanoseconds since 1970) than stand now.
pub(crate) async fn customers_changed_since<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    time: i64,
) -> Result<Vec<i64>, Error> {
    let [seats, usage, lists] =
        [FactKind::ReportedSeats, FactKind::ReportedUsage, FactKind::SkuList].map(|kind| Value::from(kind as i32));
    let values = vec![time.into(), seats, usage, lists];
    let rows = sql::CUSTOMERS_CHANGED_SINCE.rows(connection, partner.whole(), values).await?;
    Ok(rows.into_iter().map(|row: ChangedCustomer| row.customer_no).collect())
}

#[derive(FromQueryResult)]
struct PartnerFactRow {
    kind: i32,
    key: Vec<u8>,
    body: Vec<u8>,
}

/// The partner's own facts, as kind, key and body. Kinds of a later version are left out.
pub(crate) async fn all_of_partner(
    snapshot: &Transaction,
    partner: &StoredPartner,
) -> Result<Vec<(FactKind, Vec<u8>, Vec<u8>)>, Error> {
    let scope = partner.in_shard(OF_PARTNER.shard);
    let rows = sql::ALL_FACTS_OF_PARTNER.rows::<PartnerFactRow, _>(snapshot, scope, vec![]).await?;
    let fact = |row: PartnerFactRow| Some((FactKind::from_number(row.kind)?, row.key, row.body));
    Ok(rows.into_iter().filter_map(fact).collect())
}
