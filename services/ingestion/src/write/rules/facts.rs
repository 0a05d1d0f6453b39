//! Facts other than activity and subscriptions' own records: which record of a key counts, what is written, what no longer
//! waits.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    coverage, customer_lists,
    fact_rows::{self, Arrival, release, row_of},
    identity::{self, Verdict},
    list_effects::{self, AcceptedList},
    subscriptions,
};
use crate::{
    error::Error,
    ids::CustomerAddress,
    records::{
        fact::{EVERY_DAY, FactKind, FactOwner},
        licences,
    },
    tables::{
        self,
        fact::{self, FactRow, FactWrite},
        history,
    },
    write::transaction::{ResolvedFact, ResolvedOwner, WriteTransaction},
};

/// Stores facts that follow each other without a retraction between them.
pub(crate) async fn apply(tx: &mut WriteTransaction<'_>, resolved: &[ResolvedFact<'_>]) -> Result<(), Error> {
    let skus = resolved
        .iter()
        .filter(|resolved| resolved.fact.kind != FactKind::Sku)
        .filter_map(|resolved| resolved.fact.sku.as_deref());
    tx.read_skus(skus.collect::<HashSet<_>>().into_iter().map(str::to_owned)).await?;
    let mut arrivals: Vec<Arrival> = Vec::new();
    for fact in resolved {
        if let (FactKind::Customer, ResolvedOwner::Customer(at)) = (fact.fact.kind, fact.owner)
            && let Some(state) = tx.locked.get_mut(&at)
            && !state.known
        {
            state.known = true;
            state.changed = true;
            arrivals.push((at, format!("customer/{}", state.id)));
        }
    }
    let (owned, rest): (Vec<_>, Vec<_>) =
        resolved.iter().partition(|fact| matches!(fact.owner, ResolvedOwner::SubscriptionRecord { .. }));
    arrivals.extend(subscriptions::apply(tx, &owned).await?);
    let mut by_shard: BTreeMap<i32, Vec<(CustomerAddress, &ResolvedFact<'_>)>> = BTreeMap::new();
    for fact in rest {
        let customer = tx.customer(fact.owner)?;
        by_shard.entry(customer.shard).or_default().push((customer, fact));
    }
    for (shard, facts) in by_shard {
        decide(tx, shard, &facts).await?;
    }
    note_known(tx, &arrivals).await?;
    release(tx, &arrivals).await
}

/// Notes customers that became known: from now on they count, with their activity.
async fn note_known(tx: &mut WriteTransaction<'_>, arrivals: &[Arrival]) -> Result<(), Error> {
    let mut active: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for (customer, _) in arrivals.iter().filter(|(_, reference)| reference.starts_with("customer/")) {
        tx.note(*customer, EVERY_DAY);
        // Most customers come before their activity, and their row says so.
        if tx.locked.get(customer).is_some_and(|state| !state.first_activity.is_empty()) {
            active.entry(customer.shard).or_default().push(customer.number);
        }
    }
    for (shard, customers) in active {
        let last = tables::activity::last_day_of_customers(tx.transaction, tx.partner, shard, customers).await?;
        tx.changes.last_activity = tx.changes.last_activity.max(last);
    }
    Ok(())
}

/// The row of a key while the facts of a batch are applied.
struct CurrentRow {
    row: FactRow,
    /// Whether it is to be written, and how; `None`: it is stored as it is.
    written: Option<FactWrite>,
}

impl CurrentRow {
    /// A row in the place of this one, which is new or not as this one is.
    fn replace(&mut self, row: FactRow) {
        *self = Self { row, written: self.written.or(Some(FactWrite::Again)) };
    }
}

async fn decide(
    tx: &mut WriteTransaction<'_>,
    shard: i32,
    facts: &[(CustomerAddress, &ResolvedFact<'_>)],
) -> Result<(), Error> {
    let perhaps_stored = facts.iter().filter(|(_, fact)| !fact.is_new);
    let mut current =
        stored(tx, shard, perhaps_stored.map(|(at, fact)| (at.number, fact.fact.kind, &fact.key))).await?;
    let mut history = Vec::new();
    let mut lists = Vec::new();
    for (customer, resolved) in facts {
        let waits_for = waits_for(tx, *customer, resolved);
        let row = row_of(resolved, *customer, waits_for);
        let waits = !row.waits_for.is_empty();
        let list = customer_lists::list_of(&row);
        let id = (customer.number, resolved.fact.kind, resolved.key.clone());
        match current.get_mut(&id).map(|stored| (identity::verdict(&stored.row, &row), stored)) {
            Some((verdict @ (Verdict::Duplicate | Verdict::Superseded), _)) => {
                tx.counts.changes_nothing(verdict == Verdict::Superseded);
                continue;
            }
            Some((Verdict::Raised, stored)) => {
                note_raised(tx, *customer, stored.row.recorded, &row)?;
                identity::raise(&mut stored.row, &row);
                stored.written = stored.written.or(Some(FactWrite::Again));
                tx.counts.duplicates += 1;
                continue;
            }
            Some((Verdict::Replaces, stored)) => {
                if row.kind.keeps_history() {
                    history.push((stored.row.clone(), row.received));
                }
                if stored.row.waits_for.is_empty() {
                    tx.note(*customer, resolved.fact.day);
                }
                coverage::note(tx, &stored.row, -1)?;
                coverage::note(tx, &row, 1)?;
                stored.replace(row);
            }
            None => {
                coverage::note(tx, &row, 1)?;
                current.insert(id, CurrentRow { row, written: Some(FactWrite::New) });
            }
        }
        tx.counts.accepted += 1;
        if waits {
            tx.counts.waiting += 1;
        } else {
            tx.note(*customer, resolved.fact.day);
            tx.lists.extend(list);
        }
        if tx.effects.is_some() && list_effects::is_list(resolved.fact.kind) {
            lists.push(accepted(*customer, resolved));
        }
    }
    list_effects::note(tx, shard, &lists).await?;
    let (mut new, mut again) = (Vec::new(), Vec::new());
    for CurrentRow { row, written } in current.into_values() {
        match written {
            Some(FactWrite::New) => new.push(row),
            Some(FactWrite::Again) => again.push(row),
            None => {}
        }
    }
    fact_rows::write(tx, shard, FactWrite::New, new).await?;
    fact_rows::write(tx, shard, FactWrite::Again, again).await?;
    history::keep(tx.transaction, tx.partner, shard, history).await
}

/// Notes what a row of the same content changes that was recorded later than the stored one, `before`.
fn note_raised(
    tx: &mut WriteTransaction<'_>,
    customer: CustomerAddress,
    before: i64,
    row: &FactRow,
) -> Result<(), Error> {
    if !row.waits_for.is_empty() {
        return Ok(());
    }
    if licences::is_listed(row.kind, &row.body)? {
        // A licence list that ended it may end it no longer.
        tx.note(customer, licences::seen(before));
    }
    if row.kind == FactKind::CustomerList {
        // Who was named when the list was recorded first, and not again, is named no longer.
        tx.note(customer, row.day);
        tx.lists.extend(customer_lists::list_of(row));
    }
    Ok(())
}

/// The reference that a fact waits for.
fn waits_for(tx: &WriteTransaction<'_>, customer: CustomerAddress, resolved: &ResolvedFact<'_>) -> String {
    let unknown = match (&resolved.fact.owner, resolved.owner) {
        (FactOwner::Subscription(id), ResolvedOwner::Subscription(number)) => {
            tx.subscriptions.get(&number).filter(|at| !at.known).map(|_| id.as_str())
        }
        _ => None,
    };
    let sku = resolved.fact.sku.as_deref().filter(|_| resolved.fact.kind != FactKind::Sku);
    tx.waits_for(customer, unknown, sku)
}

fn accepted(customer: CustomerAddress, resolved: &ResolvedFact<'_>) -> AcceptedList {
    AcceptedList {
        customer,
        kind: resolved.fact.kind,
        key: resolved.key.clone(),
        day: resolved.fact.day,
        body: resolved.fact.body.clone(),
        service: resolved.fact.services.first().cloned().unwrap_or_default(),
    }
}

async fn stored(
    tx: &WriteTransaction<'_>,
    shard: i32,
    keys: impl Iterator<Item = (i64, FactKind, &Vec<u8>)>,
) -> Result<HashMap<(i64, FactKind, Vec<u8>), CurrentRow>, Error> {
    let distinct: HashSet<(i64, FactKind, &Vec<u8>)> = keys.collect();
    let rows = fact::read(tx.transaction, tx.partner, shard, distinct.into_iter()).await?;
    let current = |row: FactRow| ((row.customer.number, row.kind, row.key.clone()), CurrentRow { row, written: None });
    Ok(rows.into_iter().map(current).collect())
}
