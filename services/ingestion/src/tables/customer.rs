//! Where a customer is, and who may write there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use insights_database::{
    Transaction,
    bulk::{self, Column, Conflict, Lock},
};

use super::partner::PartnerRow;
use crate::{
    error::Error,
    ids::{CustomerKey, UNATTACHED},
};

/// A customer's row, held by this transaction.
#[derive(Clone, Debug)]
pub(crate) struct CustomerRow {
    pub at: CustomerKey,
    pub id: String,
    /// Its own record has come; else others only refer to it.
    pub known: bool,
    /// How many users have a number.
    pub users: i32,
    /// First day of activity by service number.
    pub first_activity: BTreeMap<i32, i32>,
    /// First and last day that is a date of last activity, by service number.
    pub lower_bound: LowerBounds,
    /// Differs from what is stored.
    pub changed: bool,
}

impl CustomerRow {
    pub(crate) fn is_unattached(&self) -> bool {
        self.at.number == UNATTACHED
    }
}

/// The customers a transaction holds.
pub(crate) type LockedCustomers = HashMap<CustomerKey, CustomerRow>;

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

/// Holds the rows of these customers, shard by shard and in the order of their numbers, as every writer does: that is what
/// keeps two writers of one customer apart where `FOR UPDATE` on their facts would lock nothing that does not exist yet.
pub(crate) async fn hold(
    transaction: &Transaction,
    partner: &PartnerRow,
    customers: &BTreeSet<CustomerKey>,
    lock: Lock,
) -> Result<LockedCustomers, Error> {
    let mut by_shard: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for at in customers {
        by_shard.entry(at.shard).or_default().push(at.number);
    }
    let mut held = LockedCustomers::with_capacity(customers.len());
    for (shard, numbers) in by_shard {
        let key = ("customer_no", Column::BigInt(numbers));
        let select = "customer_no, customer_id, known, users, first_activity, lower_bound";
        let fixed = partner.fixed_shard(shard);
        for row in bulk::lock(transaction, "ingestion_customer", &fixed, key, select, lock).await? {
            let at = CustomerKey { shard, number: row.try_get_by_index(1)? };
            let (first, bounds): (Vec<u8>, Vec<u8>) = (row.try_get_by_index(5)?, row.try_get_by_index(6)?);
            let state = CustomerRow {
                at,
                id: row.try_get_by_index(2)?,
                known: row.try_get_by_index(3)?,
                users: row.try_get_by_index(4)?,
                first_activity: decode_first_activity(&first),
                lower_bound: decode_lower_bound(&bounds),
                changed: false,
            };
            held.insert(at, state);
        }
    }
    Ok(held)
}

/// Writes back what changed.
pub(crate) async fn store(
    transaction: &Transaction,
    partner: &PartnerRow,
    held: &LockedCustomers,
) -> Result<(), Error> {
    let mut by_shard: BTreeMap<i32, Vec<&CustomerRow>> = BTreeMap::new();
    for state in held.values().filter(|state| state.changed) {
        by_shard.entry(state.at.shard).or_default().push(state);
    }
    for (shard, states) in by_shard {
        let columns = vec![
            ("customer_no", Column::BigInt(states.iter().map(|state| state.at.number).collect())),
            ("customer_id", Column::Text(states.iter().map(|state| state.id.clone()).collect())),
            ("known", Column::Bool(states.iter().map(|state| state.known).collect())),
            ("users", Column::Int(states.iter().map(|state| state.users).collect())),
            (
                "first_activity",
                Column::Bytes(states.iter().map(|state| encode_first_activity(&state.first_activity)).collect()),
            ),
            ("lower_bound", Column::Bytes(states.iter().map(|state| encode_lower_bound(&state.lower_bound)).collect())),
        ];
        let conflict = Conflict::Replace {
            key: &["partner_no", "cell", "customer_no"],
            set: &["known", "users", "first_activity", "lower_bound"],
            only_if: None,
        };
        bulk::upsert(transaction, "ingestion_customer", &partner.fixed_shard(shard), columns, conflict).await?;
    }
    Ok(())
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
