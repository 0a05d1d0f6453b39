//! Cuts a batch into transactions of whole shards.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    rules::{
        activity::{self, FactsByShard},
        fact_rows::Arrival,
        retraction::ResolvedRetraction,
    },
    transaction::{ResolvedFact, ResolvedOwner, key},
};
use crate::{
    ids::{BatchNames, CustomerAddress, SurrogateIds},
    records::{
        CheckedActivity, ParsedRecord, RecordContent,
        fact::{FactKind, FactOwner},
    },
};

/// A good record and when it was received, nanoseconds since 1970. Within a batch, later ones are received later.
#[derive(Debug)]
pub(crate) struct CheckedRecord {
    pub record: ParsedRecord,
    pub received: i64,
    /// Its position in the batch.
    pub index: usize,
}

impl CheckedRecord {
    /// When the source recorded it.
    pub(crate) fn recorded(&self) -> i64 {
        self.record.recorded.unwrap_or(self.received)
    }

    /// Whether it concerns the partner as a whole.
    pub(crate) fn is_of_partner(&self) -> bool {
        match &self.record.content {
            RecordContent::Fact(fact) => matches!(fact.owner, FactOwner::Partner),
            RecordContent::Retract(retraction) => retraction.is_of_partner(),
        }
    }
}

/// The ids that a batch names.
pub(crate) fn names(items: &[CheckedRecord], activity: &CheckedActivity) -> BatchNames {
    let mut names = BatchNames::default();
    for item in items {
        match &item.record.content {
            RecordContent::Fact(fact) => {
                match &fact.owner {
                    FactOwner::Partner => {}
                    FactOwner::Customer(id) => add(&mut names.customers, id),
                    FactOwner::Subscription(id) if names.subscriptions.contains_key(id) => {}
                    FactOwner::Subscription(id) => drop(names.subscriptions.insert(id.clone(), None)),
                    FactOwner::SubscriptionRecord { subscription, customer } => {
                        add(&mut names.customers, customer);
                        names.subscriptions.insert(subscription.clone(), Some(customer.clone()));
                    }
                }
                fact.sku.iter().for_each(|sku| add(&mut names.skus, sku));
                fact.services.iter().for_each(|service| add(&mut names.services, service));
            }
            RecordContent::Retract(retraction) if !retraction.customer.is_empty() => {
                names.mentioned.insert(retraction.customer.clone());
                names.services.extend(retraction.service.clone());
            }
            RecordContent::Retract(_) => {}
        }
    }
    // Entries of a dictionary that no good fact uses get no surrogate id.
    let mut used = (vec![false; activity.customers.len()], vec![false; activity.services.len()]);
    for (customer, service) in activity.columns.customer.iter().zip(&activity.columns.service) {
        used.0[*customer as usize] = true;
        used.1[*service as usize] = true;
    }
    names.customers.extend(activity.customers.iter().zip(used.0).filter(|(_, used)| *used).map(|(id, _)| id.clone()));
    names.services.extend(activity.services.iter().zip(used.1).filter(|(_, used)| *used).map(|(name, _)| name.clone()));
    names
}

/// Adds a name, of which most are there already.
fn add(names: &mut BTreeSet<String>, name: &str) {
    if !names.contains(name) {
        names.insert(name.to_owned());
    }
}

/// The steps of a batch that are not committed yet, besides the partner's own records.
#[derive(Clone, Debug, Default)]
pub(crate) struct RemainingSteps {
    /// Positions in the records of the batch.
    pub items: Vec<usize>,
    pub activity: FactsByShard,
    pub arrivals: Vec<Arrival>,
    /// They have lost a race while they shared their customers with other writers.
    pub alone: bool,
}

impl RemainingSteps {
    pub(crate) fn new(
        items: &[CheckedRecord],
        activity: &CheckedActivity,
        ids: &SurrogateIds,
        arrivals: Vec<Arrival>,
    ) -> Self {
        let items = (0..items.len()).filter(|position| !items[*position].is_of_partner()).collect();
        Self { items, activity: activity::by_shard(activity, ids), arrivals, alone: false }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.activity.is_empty() && self.arrivals.is_empty()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.items.extend(other.items);
        self.items.sort_unstable();
        self.activity.extend(other.activity);
        self.arrivals.extend(other.arrivals);
    }
}

/// A step of a transaction; steps keep the order of the batch.
#[derive(Debug)]
pub(crate) enum BatchStep<'a> {
    Fact(ResolvedFact<'a>),
    Retract(ResolvedRetraction<'a>),
}

/// A transaction: the steps of one shard, or of several where subscriptions move between them or each has few.
#[derive(Debug, Default)]
pub(crate) struct PlannedTransaction<'a> {
    pub steps: Vec<BatchStep<'a>>,
    /// The customers to lock.
    pub customers: BTreeSet<CustomerAddress>,
    /// Others may not write to these customers meanwhile. Those that write nothing but facts of subscriptions share the customers, and
    /// each subscription is one writer's.
    pub alone: bool,
    /// The subscriptions referred to.
    pub subscriptions: Vec<i32>,
    pub remaining: RemainingSteps,
}

impl PlannedTransaction<'_> {
    /// Facts of activity, and records as so many as take the same time.
    fn weight(&self) -> usize {
        self.steps.len() * FACTS_OF_A_RECORD + self.remaining.activity.values().map(Vec::len).sum::<usize>()
    }

    /// Adds the steps of another transaction. Neither refers to a customer of the other, so their order does not matter.
    fn absorb(&mut self, other: Self) {
        self.alone |= other.alone;
        self.steps.extend(other.steps);
        self.customers.extend(other.customers);
        self.subscriptions.extend(other.subscriptions);
        self.remaining.add(other.remaining);
    }
}

/// A record takes the time of so many facts of activity: a row is written for it, where a row of activity holds dozens of facts.
pub(crate) const FACTS_OF_A_RECORD: usize = 12;

/// The weight of each of the transactions into which so much is cut: an even number, as two of them run side by side, and none much
/// heavier than `most`.
fn even_weight(total: usize, most: usize) -> usize {
    if total < most { total } else { total.div_ceil(total.div_ceil(most).next_multiple_of(2)) }
}

/// Cuts steps into transactions of whole shards, each of about `weight` facts or as many records as take their time, unless one shard
/// alone has more. `usize::MAX` makes one transaction.
pub(crate) fn transactions<'a>(
    items: &'a [CheckedRecord],
    activity: &CheckedActivity,
    ids: &SurrogateIds,
    remaining: RemainingSteps,
    weight: usize,
) -> Vec<PlannedTransaction<'a>> {
    let mut joined = JoinedShards::default();
    let mut resolved = Vec::with_capacity(remaining.items.len());
    for position in remaining.items {
        let Some(step) = resolve(&items[position], ids) else { continue };
        if let (Some(to), Some(from)) = (step.customer, step.from) {
            joined.join(to.shard, from.shard);
        }
        resolved.push((position, step));
    }
    let mut transactions: BTreeMap<i32, PlannedTransaction<'a>> = BTreeMap::new();
    for (position, ResolvedStep { step, customer, from, subscription, alone }) in resolved {
        let shard = customer.map_or(0, |customer| customer.shard);
        let planned = transactions.entry(joined.root(shard)).or_default();
        planned.steps.push(step);
        planned.customers.extend(customer.into_iter().chain(from));
        planned.subscriptions.extend(subscription);
        planned.alone |= alone || remaining.alone;
        planned.remaining.items.push(position);
    }
    for (shard, facts) in remaining.activity {
        let planned = transactions.entry(joined.root(shard)).or_default();
        let mut seen = vec![false; activity.customers.len()];
        for fact in &facts {
            seen[activity.columns.customer[*fact as usize] as usize] = true;
        }
        let named = activity.customers.iter().zip(seen).filter(|(_, seen)| *seen);
        planned.customers.extend(named.filter_map(|(id, _)| ids.customers.get(id).copied()));
        planned.alone = true;
        planned.remaining.activity.insert(shard, facts);
    }
    for arrival in remaining.arrivals {
        let planned = transactions.entry(joined.root(arrival.0.shard)).or_default();
        planned.customers.insert(arrival.0);
        planned.alone = true;
        planned.remaining.arrivals.push(arrival);
    }
    let weight = even_weight(transactions.values().map(PlannedTransaction::weight).sum(), weight);
    let mut packed: Vec<PlannedTransaction<'a>> = Vec::new();
    for planned in transactions.into_values() {
        // A shard goes where more than half of it belongs.
        match packed.last_mut().filter(|last| last.weight() + planned.weight() / 2 <= weight) {
            Some(last) => last.absorb(planned),
            None => packed.push(planned),
        }
    }
    packed
}

/// A step and what it needs.
struct ResolvedStep<'a> {
    step: BatchStep<'a>,
    /// The customer to lock, if there is one.
    customer: Option<CustomerAddress>,
    /// The customer who has the subscription now, where the step may take it away.
    from: Option<CustomerAddress>,
    /// The subscription it refers to.
    subscription: Option<i32>,
    /// Whether others may not write to its customers meanwhile.
    alone: bool,
}

/// Resolves a record. `None` when an id is missing; a retraction of what was never stored needs none.
fn resolve<'a>(item: &'a CheckedRecord, ids: &SurrogateIds) -> Option<ResolvedStep<'a>> {
    let fact = match &item.record.content {
        RecordContent::Fact(fact) => fact,
        RecordContent::Retract(retraction) => {
            let customer = ids.customers.get(&retraction.customer).copied();
            let service = retraction.service.as_ref().map(|name| ids.services.get(name).copied());
            let step =
                BatchStep::Retract(ResolvedRetraction { retraction, received: item.received, customer, service });
            return Some(ResolvedStep { step, customer, from: None, subscription: None, alone: true });
        }
    };
    let (owner, customer, from, subscription) = match &fact.owner {
        FactOwner::Partner => return None,
        FactOwner::Customer(id) => {
            let customer = *ids.customers.get(id)?;
            (ResolvedOwner::Customer(customer), customer, None, None)
        }
        FactOwner::Subscription(id) => {
            let at = ids.subscriptions.get(id)?;
            (ResolvedOwner::Subscription(at.number), at.customer, None, Some(at.number))
        }
        FactOwner::SubscriptionRecord { subscription, customer } => {
            let at = ids.subscriptions.get(subscription)?;
            let customer = *ids.customers.get(customer)?;
            let from = Some(at.customer).filter(|from| *from != customer);
            let owner = ResolvedOwner::SubscriptionRecord { subscription: at.number, customer };
            (owner, customer, from, Some(at.number))
        }
    };
    // Users get their numbers of the customer.
    let alone = subscription.is_none() || from.is_some() || fact.kind == FactKind::Assignment;
    let is_new = match subscription {
        Some(number) => ids.is_new_subscription(number),
        None => ids.is_new_customer(customer.number),
    };
    let step = BatchStep::Fact(ResolvedFact {
        fact,
        is_new,
        precedence: item.record.precedence,
        recorded: item.recorded(),
        received: item.received,
        owner,
        key: key(fact, subscription.unwrap_or(0), ids),
    });
    Some(ResolvedStep { step, customer: Some(customer), from, subscription, alone })
}

/// Shards that must share a transaction.
#[derive(Default)]
struct JoinedShards(BTreeMap<i32, i32>);

impl JoinedShards {
    fn root(&mut self, shard: i32) -> i32 {
        let mut root = shard;
        while let Some(parent) = self.0.get(&root).filter(|parent| **parent != root) {
            root = *parent;
        }
        root
    }

    fn join(&mut self, one: i32, other: i32) {
        let (a, b) = (self.root(one), self.root(other));
        if a != b {
            self.0.insert(a.max(b), a.min(b));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_are_as_heavy_as_each_other() {
        let of = |total| even_weight(total, 60_000);
        assert_eq!(
            [10, 59_999, 60_000, 100_000, 120_000, 121_000].map(of),
            [10, 59_999, 30_000, 50_000, 60_000, 30_250]
        );
        assert_eq!(even_weight(1_000_000, usize::MAX), 1_000_000, "one transaction");
        assert_eq!(even_weight(7, 1), 1, "a shard a transaction");
    }
}
