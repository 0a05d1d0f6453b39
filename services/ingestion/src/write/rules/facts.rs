//! Facts other than activity: who wins, what is written, what it frees.
//!
//! One rule decides between two records of a key: the greater `recorded_at` wins, ties go to the greater canonical bytes.

use std::collections::{BTreeMap, HashMap, HashSet};

use insights_proto::ingestion::v1 as proto;
use prost::Message;

use super::{subscriptions, user_ids::user_numbers};
use crate::{
    error::Error,
    ids::CustomerAt,
    records::{
        fact::{EVERY_DAY, Kind, Place},
        licences,
    },
    tables::{
        self,
        fact::{self, FactRow},
        history,
    },
    write::transaction::{Placed, Where, Work},
};

/// Stands for no user.
pub(crate) const NO_USER: i32 = -1;

/// What has arrived and may free facts that wait: the customer beside whom they are kept, and what they wait for.
pub(crate) type Arrival = fact::Reference;

/// Takes in facts that came one after the other with no retraction between them.
pub(crate) async fn apply(work: &mut Work<'_>, placed: &[Placed<'_>]) -> Result<(), Error> {
    let skus =
        placed.iter().filter(|placed| placed.fact.kind != Kind::Sku).filter_map(|placed| placed.fact.sku.clone());
    work.ask_skus(skus.collect::<HashSet<_>>()).await?;
    let mut arrivals: Vec<Arrival> = Vec::new();
    for fact in placed {
        if let (Kind::Customer, Where::Customer(at)) = (fact.fact.kind, fact.place)
            && let Some(state) = work.held.get_mut(&at)
            && !state.known
        {
            state.known = true;
            state.changed = true;
            arrivals.push((at, format!("customer/{}", state.id)));
        }
    }
    let (owned, rest): (Vec<_>, Vec<_>) = placed.iter().partition(|fact| matches!(fact.place, Where::Owned { .. }));
    arrivals.extend(subscriptions::apply(work, &owned).await?);
    let mut by_cell: BTreeMap<i32, Vec<(CustomerAt, &Placed<'_>)>> = BTreeMap::new();
    for fact in rest {
        let customer = work.customer(fact.place)?;
        by_cell.entry(customer.cell).or_default().push((customer, fact));
    }
    for (cell, facts) in by_cell {
        decide(work, cell, &facts).await?;
    }
    for (customer, reference) in &arrivals {
        if reference.starts_with("customer/") {
            work.note(*customer, EVERY_DAY);
            let last = tables::activity::last_day_of_customer(work.transaction, work.partner, *customer).await?;
            work.changes.last_activity = work.changes.last_activity.max(last);
        }
    }
    release(work, &arrivals).await
}

/// What a key holds while the facts of a batch pass.
struct Current {
    row: FactRow,
    /// Differs from what is stored.
    changed: bool,
}

async fn decide(work: &mut Work<'_>, cell: i32, facts: &[(CustomerAt, &Placed<'_>)]) -> Result<(), Error> {
    let mut current = stored(work, cell, facts.iter().map(|(at, fact)| (at.no, fact.fact.kind, &fact.key))).await?;
    let mut history = Vec::new();
    for (customer, placed) in facts {
        let unknown = match (&placed.fact.place, placed.place) {
            (Place::Subscription(id), Where::Subscription(no)) => {
                work.subscriptions.get(&no).filter(|at| !at.known).map(|_| id.as_str())
            }
            _ => None,
        };
        let sku = placed.fact.sku.as_deref().filter(|_| placed.fact.kind != Kind::Sku);
        let waits_for = work.waits_for(*customer, unknown, sku);
        let row = row_of(placed, *customer, waits_for);
        let waits = !row.waits_for.is_empty();
        let id = (customer.no, placed.fact.kind, placed.key.clone());
        match current.get_mut(&id) {
            Some(held) if (row.recorded, &row.body) <= (held.row.recorded, &held.row.body) => {
                work.tally.duplicates += 1;
                continue;
            }
            Some(held) if row.body == held.row.body => {
                // The same again, recorded later: it changes nothing but what it takes to replace it.
                if row.waits_for.is_empty() && licences::is_listed(row.kind, &row.body)? {
                    // A list that ended it may end it no longer.
                    work.note(*customer, licences::seen(held.row.recorded));
                }
                held.row.recorded = row.recorded;
                held.changed = true;
                work.tally.duplicates += 1;
                continue;
            }
            Some(held) => {
                if row.kind.keeps_history() {
                    history.push((held.row.clone(), row.received));
                }
                if held.row.waits_for.is_empty() {
                    work.note(*customer, placed.fact.day);
                }
                *held = Current { row, changed: true };
            }
            None => {
                current.insert(id, Current { row, changed: true });
            }
        }
        work.tally.accepted += 1;
        if waits {
            work.tally.waiting += 1;
        } else {
            work.note(*customer, placed.fact.day);
        }
    }
    let rows = current.into_values().filter(|current| current.changed).map(|current| current.row).collect();
    write(work, cell, rows).await?;
    history::keep(work.transaction, work.partner, cell, history).await
}

pub(super) fn row_of(placed: &Placed<'_>, customer: CustomerAt, waits_for: String) -> FactRow {
    FactRow {
        customer,
        kind: placed.fact.kind,
        key: placed.key.clone(),
        recorded: placed.recorded,
        received: placed.received,
        day: placed.fact.day,
        body: placed.fact.body.clone(),
        waits_for,
    }
}

async fn stored(
    work: &Work<'_>,
    cell: i32,
    keys: impl Iterator<Item = (i64, Kind, &Vec<u8>)>,
) -> Result<HashMap<(i64, Kind, Vec<u8>), Current>, Error> {
    let distinct: HashSet<(i64, Kind, &Vec<u8>)> = keys.collect();
    let rows = fact::read(work.transaction, work.partner, cell, distinct.into_iter()).await?;
    let current = |row: FactRow| ((row.customer.no, row.kind, row.key.clone()), Current { row, changed: false });
    Ok(rows.into_iter().map(current).collect())
}

/// Writes rows of one cell, whatever was there.
pub(super) async fn write(work: &mut Work<'_>, cell: i32, mut rows: Vec<FactRow>) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by(|a, b| (a.customer.no, a.kind, &a.key).cmp(&(b.customer.no, b.kind, &b.key)));
    let numbers = numbers_of_users(work, cell, &rows).await?;
    let users = rows
        .iter()
        .map(|row| row.user().and_then(|user| numbers.get(&(row.customer.no, user))).copied().unwrap_or(NO_USER))
        .collect();
    fact::write(work.transaction, work.partner, cell, rows, users).await
}

/// Numbers of the users of these rows. Nobody's users have none: they get them with their customer.
async fn numbers_of_users(
    work: &mut Work<'_>,
    cell: i32,
    rows: &[FactRow],
) -> Result<HashMap<(i64, u128), i32>, Error> {
    let mut pairs: Vec<(i64, u128)> = rows
        .iter()
        .filter(|row| row.customer.no > 0)
        .filter_map(|row| row.user().map(|user| (row.customer.no, user)))
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let numbers = user_numbers(work, cell, &pairs).await?;
    Ok(pairs.into_iter().zip(numbers).collect())
}

/// Looks again at facts that wait for something that is there now. They may wait for another thing next.
pub(crate) async fn release(work: &mut Work<'_>, arrivals: &[Arrival]) -> Result<(), Error> {
    let mut by_cell: BTreeMap<i32, (Vec<i64>, Vec<String>)> = BTreeMap::new();
    for (customer, reference) in arrivals {
        let (customers, references) = by_cell.entry(customer.cell).or_default();
        customers.push(customer.no);
        references.push(reference.clone());
    }
    for (cell, (customers, references)) in by_cell {
        let mut rows = fact::read_waiting(work.transaction, work.partner, cell, customers, references).await?;
        reconsider(work, &mut rows).await?;
        write(work, cell, rows).await?;
    }
    Ok(())
}

/// Finds out what rows wait for whose subscription is known.
pub(super) async fn reconsider(work: &mut Work<'_>, rows: &mut [FactRow]) -> Result<(), Error> {
    let skus: Vec<Option<String>> = rows.iter().map(|row| sku_of(row.kind, &row.body)).collect::<Result<_, _>>()?;
    work.ask_skus(skus.iter().flatten().cloned().collect::<HashSet<_>>()).await?;
    for (row, sku) in rows.iter_mut().zip(skus) {
        row.waits_for = work.waits_for(row.customer, None, sku.as_deref());
        if row.waits_for.is_empty() {
            work.note(row.customer, row.day);
        }
    }
    Ok(())
}

/// The SKU that a stored fact names.
fn sku_of(kind: Kind, body: &[u8]) -> Result<Option<String>, Error> {
    Ok(match kind {
        Kind::Subscription => Some(proto::Subscription::decode(body)?.sku_id),
        Kind::State => proto::SubscriptionState::decode(body)?.sku_id,
        Kind::Revenue => proto::Revenue::decode(body)?.sku_id,
        Kind::ReportedSeats => proto::ReportedSeats::decode(body)?.sku_id,
        _ => None,
    })
}
