//! What whole lists and licence lists leave out that the list before them named.

use std::collections::{BTreeSet, HashMap};

use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{Licensed, ListEffect, WholeList};
use prost::Message;

use crate::{
    error::Error,
    ids::CustomerAddress,
    records::{fact::FactKind, licences},
    tables::fact::{self, FactRow},
    write::transaction::WriteTransaction,
};

/// Most ids of one effect.
const MOST_IDS: usize = 20;

/// A list of a customer that was accepted.
pub(super) struct AcceptedList {
    pub customer: CustomerAddress,
    pub kind: FactKind,
    pub key: Vec<u8>,
    pub day: i32,
    pub body: Vec<u8>,
    /// The service, of a licence list.
    pub service: String,
}

/// Whether a fact is a list that may leave out what another one names.
pub(super) fn is_list(kind: FactKind) -> bool {
    matches!(kind, FactKind::SubscriptionList | FactKind::SkuList | FactKind::LicenceList)
}

/// Notes what lists of one shard leave out.
pub(super) async fn note(tx: &mut WriteTransaction<'_>, shard: i32, lists: &[AcceptedList]) -> Result<(), Error> {
    for list in lists {
        let effect = match list.kind {
            FactKind::LicenceList => of_licences(tx, shard, list).await?,
            _ => of_ids(tx, shard, list).await?,
        };
        let customer_id = tx.locked.get(&list.customer).map(|row| row.id.clone()).unwrap_or_default();
        tx.effects.get_or_insert_default().push(ListEffect { customer_id, ..effect });
    }
    Ok(())
}

/// An effect on a day.
pub(super) fn effect(what: &str, source: String, day: i32, before: usize, gone: BTreeSet<String>) -> ListEffect {
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    ListEffect {
        source,
        what: what.to_owned(),
        day: Day::from_epoch_days(day).map(|day| day.to_string()).unwrap_or_default(),
        named_before: count(before),
        left_out: count(gone.len()),
        ids: gone.into_iter().take(MOST_IDS).collect(),
        ..ListEffect::default()
    }
}

async fn of_ids(tx: &WriteTransaction<'_>, shard: i32, list: &AcceptedList) -> Result<ListEffect, Error> {
    let what = if list.kind == FactKind::SkuList { "skus" } else { "subscriptions" };
    let WholeList { source, part, ids, .. } = WholeList::decode(list.body.as_slice())?;
    let low = &list.key[..source.len() + 1];
    let range = (list.customer.number, list.kind, low, list.key.as_slice());
    let mut earlier = fact::read_ranges(tx.transaction, tx.partner, shard, std::iter::once(range)).await?;
    earlier.sort_by_key(|row| row.day);
    let mut before = BTreeSet::new();
    for row in earlier.iter().rev().filter(|row| !part && row.day < list.day) {
        let named = WholeList::decode(row.body.as_slice())?;
        if !named.part {
            before = named.ids.into_iter().collect();
            break;
        }
    }
    let (count, ids): (usize, BTreeSet<String>) = (before.len(), ids.into_iter().collect());
    Ok(effect(what, source, list.day, count, before.difference(&ids).cloned().collect()))
}

async fn of_licences(tx: &WriteTransaction<'_>, shard: i32, list: &AcceptedList) -> Result<ListEffect, Error> {
    let service = &list.key[..size_of::<i32>()];
    let after = i32::from_be_bytes(service.try_into().unwrap_or_default()).saturating_add(1).to_be_bytes();
    let number = list.customer.number;
    let ranges = [
        (number, FactKind::LicenceList, service, list.key.as_slice()),
        (number, FactKind::Licensed, service, after.as_slice()),
    ];
    let rows = fact::read_ranges(tx.transaction, tx.partner, shard, ranges.into_iter()).await?;
    let is_before = |row: &&FactRow| row.kind == FactKind::LicenceList && row.day < list.day;
    let before = rows.iter().filter(is_before).map(|row| row.day).max();
    // The day each user was last seen with a licence that the list before named.
    let mut seen: HashMap<u128, i32> = HashMap::new();
    for row in rows.iter().filter(|row| row.kind == FactKind::Licensed) {
        let licence = Licensed::decode(row.body.as_slice())?;
        let day = licences::seen(row.recorded);
        if let (Some(user), Some(before)) = (row.user(), before)
            && licence.listed
            && licence.to_day.is_none()
            && before <= day
        {
            let last = seen.entry(user).or_insert(day);
            *last = day.max(*last);
        }
    }
    let left_out = seen.values().filter(|day| **day < list.day).count();
    let known = effect("licences", String::new(), list.day, seen.len(), BTreeSet::new());
    let left_out = i64::try_from(left_out).unwrap_or(i64::MAX);
    Ok(ListEffect { service: list.service.clone(), left_out, ..known })
}
