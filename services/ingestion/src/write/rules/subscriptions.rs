//! Subscriptions' own records: whose they are, and what moves when that changes.

use std::collections::{BTreeMap, HashMap};

use super::facts::{self, Arrival};
use crate::{
    error::Error,
    ids::CustomerAt,
    records::fact::{EVERY_DAY, Kind, Place},
    tables::{
        fact::{self, FactRow},
        history, subscription,
    },
    write::transaction::{Placed, Where, Work},
};

/// A subscription that changes its customer.
struct Move {
    subscription: i32,
    from: CustomerAt,
    to: CustomerAt,
}

/// Takes in subscriptions' own records. Returns what now is there that was not.
pub(crate) async fn apply(work: &mut Work<'_>, owned: &[&Placed<'_>]) -> Result<Vec<Arrival>, Error> {
    if owned.is_empty() {
        return Ok(Vec::new());
    }
    let mut stored = stored(work, owned).await?;
    let mut winners: BTreeMap<i32, (FactRow, &Placed<'_>)> = BTreeMap::new();
    // What was recorded again, once however often: a row is written once.
    let mut raised: BTreeMap<i32, FactRow> = BTreeMap::new();
    for placed in owned {
        let Where::Owned { subscription, customer } = placed.place else { continue };
        let row = facts::row_of(placed, customer, work.waits_for(customer, None, placed.fact.sku.as_deref()));
        let current = winners.get_mut(&subscription).map(|(row, _)| row).or_else(|| stored.get_mut(&subscription));
        match current {
            Some(held) if (row.recorded, &row.body) <= (held.recorded, &held.body) => work.tally.duplicates += 1,
            Some(held) if row.body == held.body => {
                held.recorded = row.recorded;
                work.tally.duplicates += 1;
                raised.insert(subscription, held.clone());
            }
            _ => {
                work.tally.accepted += 1;
                work.tally.waiting += i64::from(!row.waits_for.is_empty());
                winners.insert(subscription, (row, placed));
            }
        }
    }
    // A row raised first and replaced then is written as replaced.
    raised.retain(|subscription, _| !winners.contains_key(subscription));
    let mut arrivals = Vec::new();
    let mut moves = Vec::new();
    let mut gone = Vec::new();
    let mut directory: Vec<(String, i32, CustomerAt)> = Vec::new();
    for (subscription, (row, placed)) in &winners {
        let Some(at) = work.subscriptions.get(subscription).copied() else { return Err(Error::Moved) };
        if let Some(old) = stored.remove(subscription) {
            work.note(old.customer, EVERY_DAY);
            if old.customer != row.customer {
                gone.push(old);
            }
        }
        if row.waits_for.is_empty() {
            work.note(row.customer, EVERY_DAY);
        }
        let Place::Owned { subscription: id, .. } = &placed.fact.place else { continue };
        if at.customer != row.customer {
            moves.push(Move { subscription: *subscription, from: at.customer, to: row.customer });
        }
        if !at.known {
            arrivals.push((row.customer, format!("subscription/{id}")));
        }
        if !at.known || at.customer != row.customer {
            directory.push((id.clone(), *subscription, row.customer));
        }
    }
    for (_, subscription, customer) in &directory {
        if let Some(at) = work.subscriptions.get_mut(subscription) {
            at.known = true;
            at.customer = *customer;
        }
    }
    let rows: Vec<FactRow> = winners.into_values().map(|(row, _)| row).chain(raised.into_values()).collect();
    write_all(work, rows, &gone).await?;
    subscription::attach(work.transaction, work.partner, directory).await?;
    move_facts(work, &moves).await?;
    Ok(arrivals)
}

/// The stored records of these subscriptions, by number.
async fn stored(work: &Work<'_>, owned: &[&Placed<'_>]) -> Result<HashMap<i32, FactRow>, Error> {
    let mut by_cell: BTreeMap<i32, BTreeMap<i32, (i64, Vec<u8>)>> = BTreeMap::new();
    for placed in owned {
        if let Where::Owned { subscription, .. } = placed.place {
            let at = work.subscriptions.get(&subscription).ok_or(Error::Moved)?.customer;
            by_cell.entry(at.cell).or_default().insert(subscription, (at.no, placed.key.clone()));
        }
    }
    let mut stored = HashMap::new();
    for (cell, keys) in by_cell {
        let rows = fact::read(
            work.transaction,
            work.partner,
            cell,
            keys.values().map(|(no, key)| (*no, Kind::Subscription, key)),
        )
        .await?;
        for row in rows {
            let number = row.key.first_chunk::<4>().map(|bytes| i32::from_be_bytes(*bytes));
            stored.insert(number.ok_or_else(|| Error::Damaged("key of a subscription".to_owned()))?, row);
        }
    }
    Ok(stored)
}

async fn write_all(work: &mut Work<'_>, rows: Vec<FactRow>, gone: &[FactRow]) -> Result<(), Error> {
    for (cell, rows) in by_cell(gone.to_vec()) {
        fact::delete(work.transaction, work.partner, cell, &rows).await?;
    }
    for (cell, rows) in by_cell(rows) {
        facts::write(work, cell, rows).await?;
    }
    Ok(())
}

fn by_cell(rows: Vec<FactRow>) -> BTreeMap<i32, Vec<FactRow>> {
    let mut cells: BTreeMap<i32, Vec<FactRow>> = BTreeMap::new();
    for row in rows {
        cells.entry(row.customer.cell).or_default().push(row);
    }
    cells
}

/// Everything that is said of a subscription goes where the subscription goes.
async fn move_facts(work: &mut Work<'_>, moves: &[Move]) -> Result<(), Error> {
    let targets: HashMap<i32, CustomerAt> = moves.iter().map(|moved| (moved.subscription, moved.to)).collect();
    let mut sources: BTreeMap<i32, Vec<(i64, i32)>> = BTreeMap::new();
    for moved in moves {
        sources.entry(moved.from.cell).or_default().push((moved.from.no, moved.subscription));
    }
    let mut moved = Vec::new();
    for (cell, subscriptions) in sources {
        let rows = fact::read_of_subscriptions(work.transaction, work.partner, cell, &subscriptions).await?;
        fact::delete(work.transaction, work.partner, cell, &rows).await?;
        move_history(work, cell, &subscriptions, &targets).await?;
        for mut row in rows {
            if row.waits_for.is_empty() {
                work.note(row.customer, row.day);
            }
            let number = row.key.first_chunk::<4>().map_or(0, |bytes| i32::from_be_bytes(*bytes));
            row.customer = *targets.get(&number).ok_or(Error::Moved)?;
            moved.push(row);
        }
    }
    facts::reconsider(work, &mut moved).await?;
    for (cell, rows) in by_cell(moved) {
        facts::write(work, cell, rows).await?;
    }
    Ok(())
}

async fn move_history(
    work: &Work<'_>,
    cell: i32,
    subscriptions: &[(i64, i32)],
    targets: &HashMap<i32, CustomerAt>,
) -> Result<(), Error> {
    let rows = history::take_of_subscriptions(work.transaction, work.partner, cell, subscriptions).await?;
    let mut targeted: BTreeMap<i32, Vec<(FactRow, i64)>> = BTreeMap::new();
    for (mut row, superseded) in rows {
        let number = row.key.first_chunk::<4>().map_or(0, |bytes| i32::from_be_bytes(*bytes));
        row.customer = *targets.get(&number).ok_or(Error::Moved)?;
        targeted.entry(row.customer.cell).or_default().push((row, superseded));
    }
    for (cell, rows) in targeted {
        history::keep(work.transaction, work.partner, cell, rows).await?;
    }
    Ok(())
}
