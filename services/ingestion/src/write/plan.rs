//! What a batch becomes: units of cells, each a transaction of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    rules::{
        activity::{self, ByCell},
        facts::Arrival,
        retraction::PlacedRetraction,
    },
    transaction::{Placed, Where, key},
};
use crate::{
    ids::{CustomerAt, Numbers, Wanted},
    records::{
        Activity, Parsed,
        fact::{Kind, Place, Retracted},
    },
};

/// A good record with its times in nanoseconds since 1970. Within a batch, later ones are received later.
#[derive(Debug)]
pub(crate) struct Item {
    /// What its record says; `None` is when it was received.
    pub recorded: Option<i64>,
    pub received: i64,
    pub what: Parsed,
}

impl Item {
    /// When the source recorded it.
    pub(crate) fn recorded(&self) -> i64 {
        self.recorded.unwrap_or(self.received)
    }

    /// Whether it concerns the partner as a whole.
    pub(crate) fn is_of_partner(&self) -> bool {
        match &self.what {
            Parsed::Fact(fact) => matches!(fact.place, Place::Partner),
            Parsed::Retract(retraction) => retraction.what == Retracted::Facts(Kind::CompleteThrough),
        }
    }
}

/// What a batch names.
pub(crate) fn wanted(items: &[Item], activity: &Activity) -> Wanted {
    let mut wanted = Wanted::default();
    for item in items {
        match &item.what {
            Parsed::Fact(fact) => {
                match &fact.place {
                    Place::Partner => {}
                    Place::Customer(id) => {
                        wanted.customers.insert(id.clone());
                    }
                    Place::Subscription(id) => {
                        wanted.subscriptions.entry(id.clone()).or_default();
                    }
                    Place::Owned { subscription, customer } => {
                        wanted.customers.insert(customer.clone());
                        wanted.subscriptions.insert(subscription.clone(), Some(customer.clone()));
                    }
                }
                wanted.skus.extend(fact.sku.clone());
                wanted.services.extend(fact.services.iter().cloned());
            }
            Parsed::Retract(retraction) if !retraction.customer.is_empty() => {
                wanted.mentioned.insert(retraction.customer.clone());
                wanted.services.extend(retraction.service.clone());
            }
            Parsed::Retract(_) => {}
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
pub(crate) struct Todo {
    /// Positions in the items.
    pub items: Vec<usize>,
    pub activity: ByCell,
    pub arrivals: Vec<Arrival>,
}

impl Todo {
    pub(crate) fn new(items: &[Item], activity: &Activity, numbers: &Numbers, arrivals: Vec<Arrival>) -> Self {
        let items = (0..items.len()).filter(|position| !items[*position].is_of_partner()).collect();
        Self { items, activity: activity::by_cell(activity, numbers), arrivals }
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
pub(crate) enum Step<'a> {
    Fact(Placed<'a>),
    Retract(PlacedRetraction<'a>),
}

/// What goes into one transaction: one cell, or several where subscriptions move between them or each has little to do.
#[derive(Debug, Default)]
pub(crate) struct Unit<'a> {
    pub steps: Vec<Step<'a>>,
    /// The customers to hold.
    pub customers: BTreeSet<CustomerAt>,
    /// The subscriptions referred to.
    pub subscriptions: Vec<i32>,
    pub todo: Todo,
}

impl Unit<'_> {
    /// Records and facts of activity.
    fn weight(&self) -> usize {
        self.steps.len() + self.todo.activity.values().map(Vec::len).sum::<usize>()
    }

    /// Takes another unit in. Nothing in the one refers to a customer of the other, so their order does not matter.
    fn absorb(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.customers.extend(other.customers);
        self.subscriptions.extend(other.subscriptions);
        self.todo.add(other.todo);
    }
}

/// Cuts what is to be done into units of whole cells, each of about `weight` records and facts, unless one cell alone has
/// more. `usize::MAX` makes it one unit.
pub(crate) fn units<'a>(
    items: &'a [Item],
    activity: &Activity,
    numbers: &Numbers,
    todo: Todo,
    weight: usize,
) -> Vec<Unit<'a>> {
    let mut joined = Joined::default();
    let mut placed = Vec::with_capacity(todo.items.len());
    for position in todo.items {
        let Some((step, customers, subscription)) = place(&items[position], numbers) else { continue };
        let cells: Vec<i32> = customers.iter().map(|customer| customer.cell).collect();
        joined.join(&cells);
        placed.push((position, step, customers, subscription));
    }
    let mut units: BTreeMap<i32, Unit<'a>> = BTreeMap::new();
    for (position, step, customers, subscription) in placed {
        let cell = customers.first().map_or(0, |customer| customer.cell);
        let unit = units.entry(joined.root(cell)).or_default();
        unit.steps.push(step);
        unit.customers.extend(customers);
        unit.subscriptions.extend(subscription);
        unit.todo.items.push(position);
    }
    for (cell, facts) in todo.activity {
        let unit = units.entry(joined.root(cell)).or_default();
        let mut seen = vec![false; activity.customers.len()];
        for fact in &facts {
            seen[activity.columns.customer[*fact as usize] as usize] = true;
        }
        let ids = activity.customers.iter().zip(seen).filter(|(_, seen)| *seen);
        unit.customers.extend(ids.filter_map(|(id, _)| numbers.customers.get(id).copied()));
        unit.todo.activity.insert(cell, facts);
    }
    for arrival in todo.arrivals {
        let unit = units.entry(joined.root(arrival.0.cell)).or_default();
        unit.customers.insert(arrival.0);
        unit.todo.arrivals.push(arrival);
    }
    let mut packed: Vec<Unit<'a>> = Vec::new();
    for unit in units.into_values() {
        match packed.last_mut().filter(|last| last.weight().saturating_add(unit.weight()) <= weight) {
            Some(last) => last.absorb(unit),
            None => packed.push(unit),
        }
    }
    packed
}

/// A step, the customers it needs held and the subscription it refers to. `None` when a number is missing, which a
/// retraction of what never was does not mind.
fn place<'a>(item: &'a Item, numbers: &Numbers) -> Option<(Step<'a>, Vec<CustomerAt>, Option<i32>)> {
    let fact = match &item.what {
        Parsed::Fact(fact) => fact,
        Parsed::Retract(retraction) => {
            let customer = numbers.customers.get(&retraction.customer).copied();
            let service = retraction.service.as_ref().map(|name| numbers.services.get(name).copied());
            let step = PlacedRetraction { retraction, received: item.received, customer, service };
            return Some((Step::Retract(step), customer.into_iter().collect(), None));
        }
    };
    let (place, customers, subscription) = match &fact.place {
        Place::Partner => return None,
        Place::Customer(id) => {
            let customer = *numbers.customers.get(id)?;
            (Where::Customer(customer), vec![customer], None)
        }
        Place::Subscription(id) => {
            let at = numbers.subscriptions.get(id)?;
            (Where::Subscription(at.no), vec![at.customer], Some(at.no))
        }
        Place::Owned { subscription, customer } => {
            let at = numbers.subscriptions.get(subscription)?;
            let customer = *numbers.customers.get(customer)?;
            (Where::Owned { subscription: at.no, customer }, vec![customer, at.customer], Some(at.no))
        }
    };
    let key = key(fact, subscription.unwrap_or(0), numbers);
    let placed = Placed { fact, recorded: item.recorded(), received: item.received, place, key };
    Some((Step::Fact(placed), customers, subscription))
}

/// Cells that must share a transaction.
#[derive(Default)]
struct Joined(BTreeMap<i32, i32>);

impl Joined {
    fn root(&mut self, cell: i32) -> i32 {
        let mut root = cell;
        while let Some(parent) = self.0.get(&root).filter(|parent| **parent != root) {
            root = *parent;
        }
        root
    }

    fn join(&mut self, cells: &[i32]) {
        for pair in cells.windows(2) {
            let (a, b) = (self.root(pair[0]), self.root(pair[1]));
            if a != b {
                self.0.insert(a.max(b), a.min(b));
            }
        }
    }
}
