//! Subscriptions' own records: they attach a subscription to its customer and move its facts there.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    fact_rows::{self, Arrival},
    identity::{self, Verdict},
};
use crate::{
    error::Error,
    ids::{CustomerAddress, ResolvedSubscription},
    records::{
        fact::{EVERY_DAY, FactKind, FactOwner},
        users::Marked,
    },
    tables::{
        fact::{self, FactRow, FactWrite},
        history, subscription,
    },
    write::transaction::{ResolvedFact, ResolvedOwner, UNREAD_SUBSCRIPTION, WriteTransaction},
};

/// A subscription that changes its customer.
struct SubscriptionMove {
    subscription: i32,
    from: CustomerAddress,
    to: CustomerAddress,
}

/// Stores subscriptions' own records. Returns the subscriptions that became known.
pub(crate) async fn apply(tx: &mut WriteTransaction<'_>, owned: &[&ResolvedFact<'_>]) -> Result<Vec<Arrival>, Error> {
    if owned.is_empty() {
        return Ok(Vec::new());
    }
    let mut stored = stored(tx, owned).await?;
    let known: HashSet<Vec<u8>> = stored.values().map(|row| row.key.clone()).collect();
    let mut winners: BTreeMap<i32, (FactRow, &ResolvedFact<'_>)> = BTreeMap::new();
    // Rows that were only raised; each is written once, however often it was raised.
    let mut raised: BTreeMap<i32, FactRow> = BTreeMap::new();
    for resolved in owned {
        let ResolvedOwner::SubscriptionRecord { subscription, customer } = resolved.owner else { continue };
        let row = fact_rows::row_of(resolved, customer, tx.waits_for(customer, None, resolved.fact.sku.as_deref()));
        let current = winners.get_mut(&subscription).map(|(row, _)| row).or_else(|| stored.get_mut(&subscription));
        match current.map(|stored| (identity::verdict(stored, &row), stored)) {
            Some((Verdict::Duplicate, _)) => tx.counts.duplicates += 1,
            Some((Verdict::Superseded, _)) => tx.counts.superseded += 1,
            Some((Verdict::Raised, stored)) => {
                identity::raise(stored, &row);
                tx.counts.duplicates += 1;
                raised.insert(subscription, stored.clone());
            }
            Some((Verdict::Replaces, _)) | None => {
                tx.counts.accepted += 1;
                tx.counts.waiting += i64::from(!row.waits_for.is_empty());
                winners.insert(subscription, (row, resolved));
            }
        }
    }
    // A row that was raised and then replaced is written as replaced.
    raised.retain(|subscription, _| !winners.contains_key(subscription));
    let mut arrivals = Vec::new();
    let mut moves = Vec::new();
    let mut gone = Vec::new();
    let mut attached: Vec<(String, ResolvedSubscription)> = Vec::new();
    for (subscription, (row, resolved)) in &winners {
        let at = *tx.subscriptions.get(subscription).ok_or(UNREAD_SUBSCRIPTION)?;
        if let Some(old) = stored.remove(subscription) {
            tx.note(old.customer, EVERY_DAY);
            if old.customer != row.customer {
                gone.push(old);
            }
        }
        if row.waits_for.is_empty() {
            tx.note(row.customer, EVERY_DAY);
        }
        let FactOwner::SubscriptionRecord { subscription: id, .. } = &resolved.fact.owner else { continue };
        if at.customer != row.customer {
            tx.have_alone([at.customer, row.customer])?;
            moves.push(SubscriptionMove { subscription: *subscription, from: at.customer, to: row.customer });
        }
        if !at.known {
            arrivals.push((row.customer, format!("subscription/{id}")));
        }
        if !at.known || at.customer != row.customer {
            attached.push((
                id.clone(),
                ResolvedSubscription { number: *subscription, customer: row.customer, known: true },
            ));
        }
    }
    tx.subscriptions.extend(attached.iter().map(|(_, entry)| (entry.number, *entry)));
    let (new, again): (Vec<_>, Vec<_>) = winners.into_values().partition(|(row, _)| !known.contains(&row.key));
    let again = again.into_iter().map(|(row, _)| row).chain(raised.into_values()).collect();
    delete_all(tx, gone).await?;
    write_all(tx, FactWrite::New, new.into_iter().map(|(row, _)| row).collect()).await?;
    write_all(tx, FactWrite::Again, again).await?;
    subscription::attach(tx.transaction, tx.partner, &attached).await?;
    move_facts(tx, &moves).await?;
    Ok(arrivals)
}

/// The stored records of these subscriptions, by number.
async fn stored(tx: &WriteTransaction<'_>, owned: &[&ResolvedFact<'_>]) -> Result<HashMap<i32, FactRow>, Error> {
    let mut by_shard: BTreeMap<i32, BTreeMap<i32, (i64, Vec<u8>)>> = BTreeMap::new();
    for resolved in owned.iter().filter(|resolved| !resolved.is_new) {
        if let ResolvedOwner::SubscriptionRecord { subscription, .. } = resolved.owner {
            let at = tx.subscriptions.get(&subscription).ok_or(UNREAD_SUBSCRIPTION)?.customer;
            by_shard.entry(at.shard).or_default().insert(subscription, (at.number, resolved.key.clone()));
        }
    }
    let mut stored = HashMap::new();
    for (shard, keys) in by_shard {
        let rows = fact::read(
            tx.transaction,
            tx.partner,
            shard,
            keys.values().map(|(number, key)| (*number, FactKind::Subscription, key)),
        )
        .await?;
        for row in rows {
            stored.insert(subscription_of(&row)?, row);
        }
    }
    Ok(stored)
}

async fn delete_all(tx: &WriteTransaction<'_>, gone: Vec<FactRow>) -> Result<(), Error> {
    for (shard, rows) in by_shard(gone) {
        fact::delete(tx.transaction, tx.partner, shard, &rows).await?;
    }
    Ok(())
}

async fn write_all(tx: &mut WriteTransaction<'_>, written: FactWrite, rows: Vec<FactRow>) -> Result<(), Error> {
    for (shard, rows) in by_shard(rows) {
        fact_rows::write(tx, shard, written, rows).await?;
    }
    Ok(())
}

fn by_shard(rows: Vec<FactRow>) -> BTreeMap<i32, Vec<FactRow>> {
    let mut shards: BTreeMap<i32, Vec<FactRow>> = BTreeMap::new();
    for row in rows {
        shards.entry(row.customer.shard).or_default().push(row);
    }
    shards
}

/// Moves the facts of subscriptions to their new customers.
async fn move_facts(tx: &mut WriteTransaction<'_>, moves: &[SubscriptionMove]) -> Result<(), Error> {
    let targets: HashMap<i32, CustomerAddress> = moves.iter().map(|moved| (moved.subscription, moved.to)).collect();
    let mut sources: BTreeMap<i32, Vec<(i64, i32)>> = BTreeMap::new();
    for moved in moves {
        sources.entry(moved.from.shard).or_default().push((moved.from.number, moved.subscription));
    }
    let mut moved = Vec::new();
    for (shard, subscriptions) in sources {
        let rows = fact::read_of_subscriptions(tx.transaction, tx.partner, shard, &subscriptions).await?;
        fact::delete(tx.transaction, tx.partner, shard, &rows).await?;
        move_history(tx, shard, &subscriptions, &targets).await?;
        for mut row in rows {
            if row.waits_for.is_empty() {
                tx.note(row.customer, row.day);
            }
            row.customer = target(&row, &targets)?;
            // Of a user who was erased at that customer, and waited without one.
            if !is_erased(tx, &row) {
                moved.push(row);
            }
        }
    }
    fact_rows::reconsider(tx, &mut moved).await?;
    write_all(tx, FactWrite::Again, moved).await
}

/// Whether a row is about a user who was erased at the customer it is kept beside.
fn is_erased(tx: &WriteTransaction<'_>, row: &FactRow) -> bool {
    let customer = tx.locked.get(&row.customer).map(|state| state.id.as_str());
    row.user().zip(customer).is_some_and(|(user, customer)| tx.erased.has(Marked::UserOf(user, customer)))
}

/// The subscription whose number the key of a row begins with.
fn subscription_of(row: &FactRow) -> Result<i32, Error> {
    let number = row.key.first_chunk::<4>().map(|bytes| i32::from_be_bytes(*bytes));
    number.ok_or_else(|| Error::Damaged(format!("the key of a fact of kind {:?} names no subscription", row.kind)))
}

/// The customer to whom the subscription of a row moves.
fn target(row: &FactRow, targets: &HashMap<i32, CustomerAddress>) -> Result<CustomerAddress, Error> {
    let customer = targets.get(&subscription_of(row)?).copied();
    customer.ok_or(Error::Internal("a fact was read of a subscription that does not move"))
}

async fn move_history(
    tx: &WriteTransaction<'_>,
    shard: i32,
    subscriptions: &[(i64, i32)],
    targets: &HashMap<i32, CustomerAddress>,
) -> Result<(), Error> {
    let rows = history::take_of_subscriptions(tx.transaction, tx.partner, shard, subscriptions).await?;
    let mut targeted: BTreeMap<i32, Vec<(FactRow, i64)>> = BTreeMap::new();
    for (mut row, superseded) in rows {
        row.customer = target(&row, targets)?;
        targeted.entry(row.customer.shard).or_default().push((row, superseded));
    }
    for (shard, rows) in targeted {
        history::keep(tx.transaction, tx.partner, shard, rows).await?;
    }
    Ok(())
}
