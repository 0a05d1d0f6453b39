//! Subscriptions' own records: whose they are, and what moves when that changes.

use std::collections::{BTreeMap, HashMap};

use super::fact_rows::{self, Arrival};
use crate::{
    error::Error,
    ids::CustomerKey,
    records::fact::{EVERY_DAY, FactKind, FactOwner},
    tables::{
        fact::{self, FactRow},
        history, subscription,
    },
    write::transaction::{ResolvedFact, ResolvedOwner, WriteTransaction},
};

/// A subscription that changes its customer.
struct SubscriptionMove {
    subscription: i32,
    from: CustomerKey,
    to: CustomerKey,
}

/// Takes in subscriptions' own records. Returns what now is there that was not.
pub(crate) async fn apply(tx: &mut WriteTransaction<'_>, owned: &[&ResolvedFact<'_>]) -> Result<Vec<Arrival>, Error> {
    if owned.is_empty() {
        return Ok(Vec::new());
    }
    let mut stored = stored(tx, owned).await?;
    let mut winners: BTreeMap<i32, (FactRow, &ResolvedFact<'_>)> = BTreeMap::new();
    // What was recorded again, once however often: a row is written once.
    let mut raised: BTreeMap<i32, FactRow> = BTreeMap::new();
    for resolved in owned {
        let ResolvedOwner::SubscriptionRecord { subscription, customer } = resolved.owner else { continue };
        let row = fact_rows::row_of(resolved, customer, tx.waits_for(customer, None, resolved.fact.sku.as_deref()));
        let current = winners.get_mut(&subscription).map(|(row, _)| row).or_else(|| stored.get_mut(&subscription));
        match current {
            Some(locked) if (row.recorded, &row.body) <= (locked.recorded, &locked.body) => tx.counts.duplicates += 1,
            Some(locked) if row.body == locked.body => {
                locked.recorded = row.recorded;
                tx.counts.duplicates += 1;
                raised.insert(subscription, locked.clone());
            }
            _ => {
                tx.counts.accepted += 1;
                tx.counts.waiting += i64::from(!row.waits_for.is_empty());
                winners.insert(subscription, (row, resolved));
            }
        }
    }
    // A row raised first and replaced then is written as replaced.
    raised.retain(|subscription, _| !winners.contains_key(subscription));
    let mut arrivals = Vec::new();
    let mut moves = Vec::new();
    let mut gone = Vec::new();
    let mut directory: Vec<(String, i32, CustomerKey)> = Vec::new();
    for (subscription, (row, resolved)) in &winners {
        let Some(at) = tx.subscriptions.get(subscription).copied() else { return Err(Error::Moved) };
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
            moves.push(SubscriptionMove { subscription: *subscription, from: at.customer, to: row.customer });
        }
        if !at.known {
            arrivals.push((row.customer, format!("subscription/{id}")));
        }
        if !at.known || at.customer != row.customer {
            directory.push((id.clone(), *subscription, row.customer));
        }
    }
    for (_, subscription, customer) in &directory {
        if let Some(at) = tx.subscriptions.get_mut(subscription) {
            at.known = true;
            at.customer = *customer;
        }
    }
    let rows: Vec<FactRow> = winners.into_values().map(|(row, _)| row).chain(raised.into_values()).collect();
    write_all(tx, rows, &gone).await?;
    subscription::attach(tx.transaction, tx.partner, directory).await?;
    move_facts(tx, &moves).await?;
    Ok(arrivals)
}

/// The stored records of these subscriptions, by number.
async fn stored(tx: &WriteTransaction<'_>, owned: &[&ResolvedFact<'_>]) -> Result<HashMap<i32, FactRow>, Error> {
    let mut by_shard: BTreeMap<i32, BTreeMap<i32, (i64, Vec<u8>)>> = BTreeMap::new();
    for resolved in owned {
        if let ResolvedOwner::SubscriptionRecord { subscription, .. } = resolved.owner {
            let at = tx.subscriptions.get(&subscription).ok_or(Error::Moved)?.customer;
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
            let number = row.key.first_chunk::<4>().map(|bytes| i32::from_be_bytes(*bytes));
            stored.insert(number.ok_or_else(|| Error::Damaged("key of a subscription".to_owned()))?, row);
        }
    }
    Ok(stored)
}

async fn write_all(tx: &mut WriteTransaction<'_>, rows: Vec<FactRow>, gone: &[FactRow]) -> Result<(), Error> {
    for (shard, rows) in by_shard(gone.to_vec()) {
        fact::delete(tx.transaction, tx.partner, shard, &rows).await?;
    }
    for (shard, rows) in by_shard(rows) {
        fact_rows::write(tx, shard, rows).await?;
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

/// Everything that is said of a subscription goes where the subscription goes.
async fn move_facts(tx: &mut WriteTransaction<'_>, moves: &[SubscriptionMove]) -> Result<(), Error> {
    let targets: HashMap<i32, CustomerKey> = moves.iter().map(|moved| (moved.subscription, moved.to)).collect();
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
            let number = row.key.first_chunk::<4>().map_or(0, |bytes| i32::from_be_bytes(*bytes));
            row.customer = *targets.get(&number).ok_or(Error::Moved)?;
            moved.push(row);
        }
    }
    fact_rows::reconsider(tx, &mut moved).await?;
    for (shard, rows) in by_shard(moved) {
        fact_rows::write(tx, shard, rows).await?;
    }
    Ok(())
}

async fn move_history(
    tx: &WriteTransaction<'_>,
    shard: i32,
    subscriptions: &[(i64, i32)],
    targets: &HashMap<i32, CustomerKey>,
) -> Result<(), Error> {
    let rows = history::take_of_subscriptions(tx.transaction, tx.partner, shard, subscriptions).await?;
    let mut targeted: BTreeMap<i32, Vec<(FactRow, i64)>> = BTreeMap::new();
    for (mut row, superseded) in rows {
        let number = row.key.first_chunk::<4>().map_or(0, |bytes| i32::from_be_bytes(*bytes));
        row.customer = *targets.get(&number).ok_or(Error::Moved)?;
        targeted.entry(row.customer.shard).or_default().push((row, superseded));
    }
    for (shard, rows) in targeted {
        history::keep(tx.transaction, tx.partner, shard, rows).await?;
    }
    Ok(())
}
