//! `ingestion_customer`: the shard and number of each customer, and what a writer of the customer must know of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use insights_database::{
    Transaction,
    bulk::{Column, Lock},
    sea_orm::{self, ConnectionTrait, FromQueryResult},
};

use super::{partner::StoredPartner, statements as sql};
use crate::{
    error::Error,
    ids::{CustomerAddress, SHARDS, UNATTACHED},
};

/// A customer's row, locked by this transaction.
#[derive(Clone, Debug)]
pub(crate) struct CustomerRow {
    pub at: CustomerAddress,
    pub id: String,
    /// Its own record has come; until then it is only referred to.
    pub known: bool,
    /// How many users have a number.
    pub users: i32,
    /// First day of activity by service number.
    pub first_activity: BTreeMap<i32, i32>,
    /// First and last day that is a date of last activity, by service number.
    pub lower_bound: LowerBounds,
    /// Other writers of facts of subscriptions share it: it must not be changed.
    pub shared: bool,
    /// Differs from what is stored.
    pub changed: bool,
}

impl CustomerRow {
    pub(crate) fn is_unattached(&self) -> bool {
        self.at.number == UNATTACHED
    }
}

/// The customers that a transaction has locked.
pub(crate) type LockedCustomers = HashMap<CustomerAddress, CustomerRow>;

pub(crate) fn decode_first_activity(bytes: &[u8]) -> BTreeMap<i32, i32> {
    let number = |bytes: &[u8]| i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    bytes.chunks_exact(8).map(|pair| (number(&pair[..4]), number(&pair[4..]))).collect()
}

fn encode_first_activity(days: &BTreeMap<i32, i32>) -> Vec<u8> {
    days.iter().flat_map(|(service, day)| service.to_le_bytes().into_iter().chain(day.to_le_bytes())).collect()
}

/// First and last day by service number, days since 1970-01-01.
pub(crate) type LowerBounds = BTreeMap<i32, (i32, i32)>;

pub(crate) fn decode_lower_bound(bytes: &[u8]) -> LowerBounds {
    let number = |bytes: &[u8]| i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let entry = |entry: &[u8]| (number(&entry[..4]), (number(&entry[4..8]), number(&entry[8..])));
    bytes.chunks_exact(12).map(entry).collect()
}

fn encode_lower_bound(bounds: &LowerBounds) -> Vec<u8> {
    bounds.iter().flat_map(|(service, (first, last))| [*service, *first, *last]).flat_map(i32::to_le_bytes).collect()
}

#[derive(FromQueryResult)]
struct CustomerColumns {
    customer_no: i64,
    customer_id: String,
    known: bool,
    users: i32,
    first_activity: Vec<u8>,
    lower_bound: Vec<u8>,
}

/// Locks the rows of these customers, shard by shard and in the order of their numbers, as every writer does. That keeps two
/// writers of one customer apart; `FOR UPDATE` on their facts would lock nothing that does not exist yet.
pub(crate) async fn lock(
    transaction: &Transaction,
    partner: &StoredPartner,
    customers: &BTreeSet<CustomerAddress>,
    lock: Lock,
) -> Result<LockedCustomers, Error> {
    let mut by_shard: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for at in customers {
        by_shard.entry(at.shard).or_default().push(at.number);
    }
    let mut locked = LockedCustomers::with_capacity(customers.len());
    for (shard, numbers) in by_shard {
        let (scope, numbers) = (partner.in_shard(shard), Column::BigInt(numbers));
        for row in sql::LOCK_CUSTOMERS.rows::<CustomerColumns>(transaction, scope, numbers, lock).await? {
            let at = CustomerAddress { shard, number: row.customer_no };
            let customer = CustomerRow {
                at,
                id: row.customer_id,
                known: row.known,
                users: row.users,
                first_activity: decode_first_activity(&row.first_activity),
                lower_bound: decode_lower_bound(&row.lower_bound),
                shared: lock == Lock::Share,
                changed: false,
            };
            locked.insert(at, customer);
        }
    }
    if let Some(missing) = customers.iter().find(|at| !locked.contains_key(at)) {
        let what = format!("customer {} of shard {} has no row", missing.number, missing.shard);
        return Err(partner.missing(transaction, what).await);
    }
    Ok(locked)
}

/// Writes back the rows that changed. [`Error::CustomerShared`] where other writers share one.
pub(crate) async fn update(
    transaction: &Transaction,
    partner: &StoredPartner,
    locked: &LockedCustomers,
) -> Result<(), Error> {
    let mut by_shard: BTreeMap<i32, Vec<&CustomerRow>> = BTreeMap::new();
    for row in locked.values().filter(|row| row.changed) {
        if row.shared {
            return Err(Error::CustomerShared);
        }
        by_shard.entry(row.at.shard).or_default().push(row);
    }
    for (shard, rows) in by_shard {
        let columns = vec![
            Column::BigInt(rows.iter().map(|row| row.at.number).collect()),
            Column::Text(rows.iter().map(|row| row.id.clone()).collect()),
            Column::Bool(rows.iter().map(|row| row.known).collect()),
            Column::Int(rows.iter().map(|row| row.users).collect()),
            Column::Bytes(rows.iter().map(|row| encode_first_activity(&row.first_activity)).collect()),
            Column::Bytes(rows.iter().map(|row| encode_lower_bound(&row.lower_bound)).collect()),
        ];
        sql::UPDATE_CUSTOMERS.run(transaction, partner.in_shard(shard), columns).await?;
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct CustomerId {
    customer_id: String,
    cell: i32,
    customer_no: i64,
}

/// Where these customers are, of those that have a row.
pub(crate) async fn look_up<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    ids: Vec<String>,
) -> Result<Vec<(String, CustomerAddress)>, Error> {
    let keys = vec![Column::Text(ids)];
    let rows = sql::CUSTOMERS_BY_ID.rows::<CustomerId, _>(connection, partner.whole(), keys).await?;
    let key = |row: &CustomerId| CustomerAddress { shard: row.cell, number: row.customer_no };
    Ok(rows.into_iter().map(|(_, row)| (key(&row), row.customer_id)).map(|(key, id)| (id, key)).collect())
}

/// Makes rows of customers whose own records have not come.
pub(crate) async fn insert<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    customers: &[(String, CustomerAddress)],
) -> Result<(), Error> {
    let columns = new_rows(customers.to_vec(), false);
    sql::INSERT_CUSTOMERS.run(connection, partner.whole(), columns).await
}

/// Makes the rows beside which unattached facts are kept, one in each shard. Their ids cannot come from a source, which may not
/// send control characters.
pub(crate) async fn insert_unattached<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
) -> Result<(), Error> {
    let shards = (0..SHARDS).map(|offset| partner.number * SHARDS + offset);
    let rows =
        shards.map(|shard| (format!("\u{1}limbo/{shard}"), CustomerAddress { shard, number: UNATTACHED })).collect();
    sql::INSERT_UNATTACHED.run(connection, partner.whole(), new_rows(rows, true)).await
}

fn new_rows(customers: Vec<(String, CustomerAddress)>, known: bool) -> Vec<Column> {
    let count = customers.len();
    vec![
        Column::Int(customers.iter().map(|(_, at)| at.shard).collect()),
        Column::BigInt(customers.iter().map(|(_, at)| at.number).collect()),
        Column::Text(customers.into_iter().map(|(id, _)| id).collect()),
        Column::Bool(vec![known; count]),
        Column::Int(vec![0; count]),
        Column::Bytes(vec![Vec::new(); count]),
    ]
}

/// The ids of customers whose own record has come, by where they are.
pub(crate) async fn named<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    numbers: Vec<i64>,
) -> Result<HashMap<CustomerAddress, String>, Error> {
    let keys = vec![Column::BigInt(numbers)];
    let rows = sql::CUSTOMERS_BY_NUMBER.rows::<FeedCustomer, _>(connection, partner.whole(), keys).await?;
    Ok(rows.into_iter().map(|(_, row)| (row.at(), row.customer_id)).collect())
}

#[derive(FromQueryResult)]
struct CustomerNumber {
    customer_no: i64,
}

/// The numbers of the next customers of a shard after one, the row of unattached facts included.
pub(crate) async fn numbers_after<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    shard: i32,
    after: i64,
    most: i64,
) -> Result<Vec<i64>, Error> {
    let values = vec![after.into(), most.into()];
    let rows = sql::CUSTOMERS_OF_SHARD.rows(connection, partner.in_shard(shard), values).await?;
    Ok(rows.into_iter().map(|row: CustomerNumber| row.customer_no).collect())
}

/// Deletes a customer's row.
pub(crate) async fn delete(
    transaction: &Transaction,
    partner: &StoredPartner,
    at: CustomerAddress,
) -> Result<(), Error> {
    sql::DELETE_CUSTOMERS.run(transaction, partner.in_shard(at.shard), vec![Column::BigInt(vec![at.number])]).await
}

/// A customer as followers read it.
#[derive(Debug, FromQueryResult)]
pub(crate) struct FeedCustomer {
    cell: i32,
    customer_no: i64,
    pub customer_id: String,
    pub users: i32,
    pub first_activity: Vec<u8>,
    pub lower_bound: Vec<u8>,
}

impl FeedCustomer {
    pub(crate) fn at(&self) -> CustomerAddress {
        CustomerAddress { shard: self.cell, number: self.customer_no }
    }
}

/// Customers whose own record has come, of these.
pub(crate) async fn read_numbers(
    snapshot: &Transaction,
    partner: &StoredPartner,
    numbers: Vec<i64>,
) -> Result<Vec<FeedCustomer>, Error> {
    let keys = vec![Column::BigInt(numbers)];
    let rows = sql::CUSTOMERS_BY_NUMBER.rows(snapshot, partner.whole(), keys).await?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

#[derive(FromQueryResult)]
struct IdRow {
    customer_id: String,
}

/// The ids of customers, known or not.
pub(crate) async fn ids(
    snapshot: &Transaction,
    partner: &StoredPartner,
    numbers: Vec<i64>,
) -> Result<Vec<String>, Error> {
    let rows = sql::CUSTOMER_IDS.rows(snapshot, partner.whole(), vec![Column::BigInt(numbers)]).await?;
    Ok(rows.into_iter().map(|(_, row): (usize, IdRow)| row.customer_id).collect())
}

/// The next customers whose own record has come, after one.
pub(crate) async fn read_after(
    snapshot: &Transaction,
    partner: &StoredPartner,
    last: CustomerAddress,
    most: i64,
) -> Result<Vec<FeedCustomer>, Error> {
    let values = vec![last.shard.into(), last.number.into(), most.into()];
    sql::CUSTOMERS_AFTER.rows(snapshot, partner.whole(), values).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_read_as_they_were_written() {
        let bounds = LowerBounds::from([(7, (-3, 19_000)), (1, (5, 5))]);
        assert_eq!(decode_lower_bound(&encode_lower_bound(&bounds)), bounds);
        assert!(decode_lower_bound(&[]).is_empty());
    }
}
