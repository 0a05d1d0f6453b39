//! Lists of customers. That one is whole is a record of the partner; whom it names, of each customer. So a list that comes, or goes,
//! changes the figures of those it does not name.

use std::collections::{BTreeMap, BTreeSet};

use super::list_effects::effect;
use crate::{
    error::Error,
    ids::{CustomerAddress, OF_PARTNER},
    records::fact::{FactKind, first_month},
    tables::{
        customer,
        fact::{self, FactRow},
    },
    write::transaction::{ChangedList, WriteTransaction},
};

/// Customers looked at together.
const TOGETHER: i64 = 2_000;

/// The list of customers that a row says is whole.
pub(super) fn list_of(row: &FactRow) -> Option<ChangedList> {
    let is_whole = row.kind == FactKind::CustomerList && row.customer == OF_PARTNER;
    is_whole.then(|| ChangedList { key: row.key.clone(), day: row.day, recorded: row.recorded })
}

/// Notes the customers whom the changed lists do not name and earlier ones of their sources do.
pub(crate) async fn note_absent(tx: &mut WriteTransaction<'_>) -> Result<(), Error> {
    for list in std::mem::take(&mut tx.lists) {
        let mut left_out = LeftOut { before: before(tx, &list).await?, ..LeftOut::default() };
        let mut last = CustomerAddress { shard: i32::MIN, number: 0 };
        loop {
            let customers = customer::read_after(tx.transaction, tx.partner, last, TOGETHER).await?;
            let Some(end) = customers.last() else { break };
            last = end.at();
            let mut by_shard: BTreeMap<i32, BTreeMap<i64, String>> = BTreeMap::new();
            for customer in customers {
                by_shard.entry(customer.at().shard).or_default().insert(customer.at().number, customer.customer_id);
            }
            for (shard, customers) in by_shard {
                note_absent_of(tx, &list, shard, customers, &mut left_out).await?;
            }
        }
        if let Some(effects) = &mut tx.effects {
            let source = String::from_utf8_lossy(source_of(&list.key)).trim_end_matches('\0').to_owned();
            effects.push(effect("customers", source, list.day, left_out.named, left_out.ids));
        }
    }
    Ok(())
}

/// What a list leaves out of the list of its source before it.
#[derive(Default)]
struct LeftOut {
    before: Option<ChangedList>,
    /// How many that one names.
    named: usize,
    ids: BTreeSet<String>,
}

/// The list of customers before one, where what is left out is asked for.
async fn before(tx: &WriteTransaction<'_>, list: &ChangedList) -> Result<Option<ChangedList>, Error> {
    if tx.effects.is_none() {
        return Ok(None);
    }
    let range = (OF_PARTNER.number, FactKind::CustomerList, source_of(&list.key), list.key.as_slice());
    let rows = fact::read_ranges(tx.transaction, tx.partner, OF_PARTNER.shard, std::iter::once(range)).await?;
    Ok(rows.iter().max_by_key(|row| row.day).and_then(list_of))
}

/// What the keys of a source's lists begin with.
fn source_of(key: &[u8]) -> &[u8] {
    &key[..key.len() - size_of::<i32>()]
}

/// Of some customers, those whom a list names.
async fn named(
    tx: &WriteTransaction<'_>,
    list: &ChangedList,
    shard: i32,
    customers: impl Iterator<Item = i64>,
) -> Result<BTreeSet<i64>, Error> {
    let keys = customers.map(|number| (number, FactKind::CustomerList, &list.key));
    let rows = fact::read(tx.transaction, tx.partner, shard, keys).await?;
    Ok(rows.iter().filter(|row| row.recorded >= list.recorded).map(|row| row.customer.number).collect())
}

async fn note_absent_of(
    tx: &mut WriteTransaction<'_>,
    list: &ChangedList,
    shard: i32,
    mut customers: BTreeMap<i64, String>,
    left_out: &mut LeftOut,
) -> Result<(), Error> {
    let now = named(tx, list, shard, customers.keys().copied()).await?;
    if let Some(before) = &left_out.before {
        let before = named(tx, before, shard, customers.keys().copied()).await?;
        left_out.named += before.len();
        left_out.ids.extend(before.difference(&now).filter_map(|number| customers.get(number).cloned()));
    }
    customers.retain(|number, _| !now.contains(number));
    // Keys of a source's lists are sorted by day.
    let (low, high) = (source_of(&list.key), list.key.as_slice());
    let ranges = customers.into_keys().map(|number| (number, FactKind::CustomerList, low, high));
    for row in fact::read_ranges(tx.transaction, tx.partner, shard, ranges).await? {
        tx.changes.note(row.customer.number, first_month(list.day));
    }
    Ok(())
}
