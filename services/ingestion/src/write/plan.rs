//! What a batch becomes: units of shards, each a transaction of its own.

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
    ids::{BatchNames, CustomerKey, SurrogateIds},
    records::{
        CheckedActivity, RecordContent,
        fact::{FactKind, FactOwner, Retracted},
    },
};

/// A good record with its times in nanoseconds since 1970. Within a batch, later ones are received later.
#[derive(Debug)]
pub(crate) struct CheckedRecord {
    /// What its record says; `None` is when it was received.
    pub recorded: Option<i64>,
    pub received: i64,
    pub what: RecordContent,
}

impl CheckedRecord {
    /// When the source recorded it.
    pub(crate) fn recorded(&self) -> i64 {
        self.recorded.unwrap_or(self.received)
    }

    /// Whether it concerns the partner as a whole.
    pub(crate) fn is_of_partner(&self) -> bool {
        match &self.what {
            RecordContent::Fact(fact) => matches!(fact.owner, FactOwner::Partner),
            RecordContent::Retract(retraction) => retraction.what == Retracted::Facts(FactKind::CompleteThrough),
        }
    }
}

/// What a batch names.
pub(crate) fn wanted(items: &[CheckedRecord], activity: &CheckedActivity) -> BatchNames {
    let mut wanted = BatchNames::default();
    for item in items {
        match &item.what {
            RecordContent::Fact(fact) => {
                match &fact.owner {
                    FactOwner::Partner => {}
                    FactOwner::Customer(id) => {
                        wanted.customers.insert(id.clone());
                    }
                    FactOwner::Subscription(id) => {
                        wanted.subscriptions.entry(id.clone()).or_default();
                    }
                    FactOwner::SubscriptionRecord { subscription, customer } => {
                        wanted.customers.insert(customer.clone());
                        wanted.subscriptions.insert(subscription.clone(), Some(customer.clone()));
                    }
                }
                wanted.skus.extend(fact.sku.clone());
                wanted.services.extend(fact.services.iter().cloned());
            }
            RecordContent::Retract(retraction) if !retraction.customer.is_empty() => {
                wanted.mentioned.insert(retraction.customer.clone());
                wanted.services.extend(retraction.service.clone());
            }
            RecordContent::Retract(_) => {}
        }
    }
    // Dictionaries may hold what no good fact uses; that gets no number.
    let mut used = (vec![false; activity.customers.len()], vec![false; activity.services.len()]);
    for (customer, service) in activity.columns.customer.iter().zip(&activity.columns.service) {
        used.0[*customer as usize] = true;
        used.1[*service as usize] = true;
    }
    wanted.customers.extend(activity.customers.iter().zip(used.0).filter(|(_, used)| *used).map(|(id, _)| id.clone()));
    wanted
        .services
        .extend(activity.services.iter().zip(used.1).filter(|(_, used)| *used).map(|(name, _)| name.clone()));
    wanted
}

/// What is still to be done of a batch, besides the partner's own records.
#[derive(Clone, Debug, Default)]
pub(crate) struct RemainingSteps {
    /// Positions in the items.
    pub items: Vec<usize>,
    pub activity: FactsByShard,
    pub arrivals: Vec<Arrival>,
}

impl RemainingSteps {
    pub(crate) fn new(
        items: &[CheckedRecord],
        activity: &CheckedActivity,
        numbers: &SurrogateIds,
        arrivals: Vec<Arrival>,
    ) -> Self {
        let items = (0..items.len()).filter(|position| !items[*position].is_of_partner()).collect();
        Self { items, activity: activity::by_shard(activity, numbers), arrivals }
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

/// A step of a unit, in the order of the batch.
#[derive(Debug)]
pub(crate) enum BatchStep<'a> {
    Fact(ResolvedFact<'a>),
    Retract(ResolvedRetraction<'a>),
}

/// What goes into one transaction: one shard, or several where subscriptions move between them or each has little to do.
#[derive(Debug, Default)]
pub(crate) struct PlannedTransaction<'a> {
    pub steps: Vec<BatchStep<'a>>,
    /// The customers to hold.
    pub customers: BTreeSet<CustomerKey>,
    /// The subscriptions referred to.
    pub subscriptions: Vec<i32>,
    pub remaining: RemainingSteps,
}

impl PlannedTransaction<'_> {
    /// Records and facts of activity.
    fn weight(&self) -> usize {
        self.steps.len() + self.remaining.activity.values().map(Vec::len).sum::<usize>()
    }

    /// Takes another unit in. Nothing in the one refers to a customer of the other, so their order does not matter.
    fn absorb(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.customers.extend(other.customers);
        self.subscriptions.extend(other.subscriptions);
        self.remaining.add(other.remaining);
    }
}

/// Cuts what is to be done into units of whole shards, each of about `weight` records and facts, unless one shard alone has
/// more. `usize::MAX` makes it one unit.
pub(crate) fn transactions<'a>(
    items: &'a [CheckedRecord],
    activity: &CheckedActivity,
    numbers: &SurrogateIds,
    remaining: RemainingSteps,
    weight: usize,
) -> Vec<PlannedTransaction<'a>> {
    let mut joined = JoinedShards::default();
    let mut resolved = Vec::with_capacity(remaining.items.len());
    for position in remaining.items {
        let Some((step, customers, subscription)) = resolve(&items[position], numbers) else { continue };
        let shards: Vec<i32> = customers.iter().map(|customer| customer.shard).collect();
        joined.join(&shards);
        resolved.push((position, step, customers, subscription));
    }
    let mut transactions: BTreeMap<i32, PlannedTransaction<'a>> = BTreeMap::new();
    for (position, step, customers, subscription) in resolved {
        let shard = customers.first().map_or(0, |customer| customer.shard);
        let planned = transactions.entry(joined.root(shard)).or_default();
        planned.steps.push(step);
        planned.customers.extend(customers);
        planned.subscriptions.extend(subscription);
        planned.remaining.items.push(position);
    }
    for (shard, facts) in remaining.activity {
        let planned = transactions.entry(joined.root(shard)).or_default();
        let mut seen = vec![false; activity.customers.len()];
        for fact in &facts {
            seen[activity.columns.customer[*fact as usize] as usize] = true;
        }
        let ids = activity.customers.iter().zip(seen).filter(|(_, seen)| *seen);
        planned.customers.extend(ids.filter_map(|(id, _)| numbers.customers.get(id).copied()));
        planned.remaining.activity.insert(shard, facts);
    }
    for arrival in remaining.arrivals {
        let planned = transactions.entry(joined.root(arrival.0.shard)).or_default();
        planned.customers.insert(arrival.0);
        planned.remaining.arrivals.push(arrival);
    }
    let mut packed: Vec<PlannedTransaction<'a>> = Vec::new();
    for planned in transactions.into_values() {
        match packed.last_mut().filter(|last| last.weight().saturating_add(planned.weight()) <= weight) {
            Some(last) => last.absorb(planned),
            None => packed.push(planned),
        }
    }
    packed
}

/// A step, the customers it needs held and the subscription it refers to. `None` when a number is missing, which a
/// retraction of what never was does not mind.
fn resolve<'a>(
    item: &'a CheckedRecord,
    numbers: &SurrogateIds,
) -> Option<(BatchStep<'a>, Vec<CustomerKey>, Option<i32>)> {
    let fact = match &item.what {
        RecordContent::Fact(fact) => fact,
        RecordContent::Retract(retraction) => {
            let customer = numbers.customers.get(&retraction.customer).copied();
            let service = retraction.service.as_ref().map(|name| numbers.services.get(name).copied());
            let step = ResolvedRetraction { retraction, received: item.received, customer, service };
            return Some((BatchStep::Retract(step), customer.into_iter().collect(), None));
        }
    };
    let (owner, customers, subscription) = match &fact.owner {
        FactOwner::Partner => return None,
        FactOwner::Customer(id) => {
            let customer = *numbers.customers.get(id)?;
            (ResolvedOwner::Customer(customer), vec![customer], None)
        }
        FactOwner::Subscription(id) => {
            let at = numbers.subscriptions.get(id)?;
            (ResolvedOwner::Subscription(at.number), vec![at.customer], Some(at.number))
        }
        FactOwner::SubscriptionRecord { subscription, customer } => {
            let at = numbers.subscriptions.get(subscription)?;
            let customer = *numbers.customers.get(customer)?;
            (
                ResolvedOwner::SubscriptionRecord { subscription: at.number, customer },
                vec![customer, at.customer],
                Some(at.number),
            )
        }
    };
    let key = key(fact, subscription.unwrap_or(0), numbers);
    let resolved = ResolvedFact { fact, recorded: item.recorded(), received: item.received, owner, key };
    Some((BatchStep::Fact(resolved), customers, subscription))
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

    fn join(&mut self, shards: &[i32]) {
        for pair in shards.windows(2) {
            let (a, b) = (self.root(pair[0]), self.root(pair[1]));
            if a != b {
                self.0.insert(a.max(b), a.min(b));
            }
        }
    }
}
