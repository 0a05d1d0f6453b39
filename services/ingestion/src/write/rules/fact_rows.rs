//! Rows of facts before they are written: users get their numbers, and waiting facts are released.

use std::collections::{BTreeMap, HashMap, HashSet};

use insights_proto::ingestion::v1 as proto;
use prost::Message;

use super::user_ids::user_ids;
use crate::{
    error::Error,
    ids::CustomerAddress,
    records::fact::FactKind,
    tables::fact::{self, FactRow, FactWrite},
    write::transaction::{ResolvedFact, WriteTransaction},
};

/// The number of no user.
pub(crate) const NO_USER: i32 = -1;

/// Something that became known and may release facts: the customer beside whom they are kept, and the reference they wait for.
pub(crate) type Arrival = fact::WaitingReference;

pub(super) fn row_of(resolved: &ResolvedFact<'_>, customer: CustomerAddress, waits_for: String) -> FactRow {
    FactRow {
        customer,
        kind: resolved.fact.kind,
        key: resolved.key.clone(),
        precedence: resolved.precedence,
        recorded: resolved.recorded,
        received: resolved.received,
        day: resolved.fact.day,
        body: resolved.fact.body.clone(),
        waits_for,
    }
}

/// Writes rows of one shard over those of their keys.
pub(super) async fn write(
    tx: &mut WriteTransaction<'_>,
    shard: i32,
    written: FactWrite,
    mut rows: Vec<FactRow>,
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by(|a, b| (a.customer.number, a.kind, &a.key).cmp(&(b.customer.number, b.kind, &b.key)));
    let numbers = numbers_of_users(tx, shard, &rows).await?;
    let users = rows
        .iter()
        .map(|row| row.user().and_then(|user| numbers.get(&(row.customer.number, user))).copied().unwrap_or(NO_USER))
        .collect();
    fact::write(tx.transaction, tx.partner, shard, written, rows, users).await
}

/// The numbers of the users of these rows. Users of unattached facts get theirs when the facts move to a customer.
async fn numbers_of_users(
    tx: &mut WriteTransaction<'_>,
    shard: i32,
    rows: &[FactRow],
) -> Result<HashMap<(i64, u128), i32>, Error> {
    let mut pairs: Vec<(i64, u128)> = rows
        .iter()
        .filter(|row| row.customer.number > 0)
        .filter_map(|row| row.user().map(|user| (row.customer.number, user)))
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let numbers = user_ids(tx, shard, &pairs).await?;
    Ok(pairs.into_iter().zip(numbers).collect())
}

/// Releases facts whose reference became known. They may wait for another one next.
pub(crate) async fn release(tx: &mut WriteTransaction<'_>, arrivals: &[Arrival]) -> Result<(), Error> {
    let mut by_shard: BTreeMap<i32, (Vec<i64>, Vec<String>)> = BTreeMap::new();
    for (customer, reference) in arrivals {
        let (customers, references) = by_shard.entry(customer.shard).or_default();
        customers.push(customer.number);
        references.push(reference.clone());
    }
    for (shard, (customers, references)) in by_shard {
        let mut rows = fact::read_waiting(tx.transaction, tx.partner, shard, customers, references).await?;
        reconsider(tx, &mut rows).await?;
        write(tx, shard, FactWrite::Again, rows).await?;
    }
    Ok(())
}

/// Sets what rows wait for, whose subscriptions are known.
pub(super) async fn reconsider(tx: &mut WriteTransaction<'_>, rows: &mut [FactRow]) -> Result<(), Error> {
    let skus: Vec<Option<String>> = rows.iter().map(|row| sku_of(row.kind, &row.body)).collect::<Result<_, _>>()?;
    tx.read_skus(skus.iter().flatten().cloned().collect::<HashSet<_>>()).await?;
    for (row, sku) in rows.iter_mut().zip(skus) {
        row.waits_for = tx.waits_for(row.customer, None, sku.as_deref());
        if row.waits_for.is_empty() {
            tx.note(row.customer, row.day);
        }
    }
    Ok(())
}

/// The SKU that a stored fact names.
fn sku_of(kind: FactKind, body: &[u8]) -> Result<Option<String>, Error> {
    Ok(match kind {
        FactKind::Subscription => Some(proto::Subscription::decode(body)?.sku_id),
        FactKind::State => proto::SubscriptionState::decode(body)?.sku_id,
        FactKind::Revenue => proto::Revenue::decode(body)?.sku_id,
        FactKind::ReportedSeats => proto::ReportedSeats::decode(body)?.sku_id,
        _ => None,
    })
}
