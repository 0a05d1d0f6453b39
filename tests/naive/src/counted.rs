//! What counts of a ledger: records whose references are there, and each subscription on each snapshot day.

use crate::calendar::{Month, window};
use crate::ledger::Ledger;
use crate::record::{Attribution, Owner, Record, ReportedSeats, ReportedUsage, Subscription};
use crate::snapshot::{Snapshot, standing};
use crate::spelling::folded_name;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that counts.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Facts {
    pub complete_through: NaiveDate,
    pub skus: BTreeMap<String, Sku>,
    /// By id of a SKU: the one under which it counts.
    pub spellings: BTreeMap<String, String>,
    pub customers: BTreeMap<String, Customer>,
    /// The subscriptions sent, and those that rows by customer and SKU stand for.
    pub subscriptions: BTreeMap<String, Contract>,
    pub licences: Vec<Licence>,
    pub usage: BTreeMap<(String, String, Month), ReportedUsage>,
    states: BTreeMap<String, BTreeMap<NaiveDate, State>>,
    assignments: BTreeMap<String, Vec<Assignment>>,
    activity: BTreeMap<String, BTreeSet<(NaiveDate, String, String)>>,
    lower_bounds: BTreeMap<(String, String), (NaiveDate, NaiveDate)>,
    revenue: BTreeMap<(Owner, Month), BTreeMap<String, (i128, Option<String>)>>,
    reported: BTreeMap<(Owner, Month), ReportedSeats>,
    /// Every subscription by month, for every month with data.
    pub snapshots: BTreeMap<Month, Vec<Snapshot>>,
}

#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Sku {
    pub product: String,
    pub services: Vec<String>,
    pub free: bool,
}

#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Customer {
    pub country: Option<String>,
    pub segment: Option<String>,
    pub industry: Option<String>,
}

/// A subscription, sent or stood for.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Contract {
    pub subscription: Subscription,
    /// It is only known by rows that name a customer and a SKU.
    pub stood_for: bool,
}

#[derive(Clone, Debug)]
struct State {
    status: String,
    seats: u64,
    sku: Option<String>,
    trial: Option<bool>,
}

#[derive(Clone, Debug)]
struct Assignment {
    user: String,
    from: NaiveDate,
    to: Option<NaiveDate>,
}

#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Licence {
    pub customer: String,
    pub user: String,
    pub service: String,
    pub from: NaiveDate,
    pub to: Option<NaiveDate>,
}

fn holds(from: NaiveDate, to: Option<NaiveDate>, day: NaiveDate) -> bool {
    from <= day && to.is_none_or(|to| day < to)
}

impl Licence {
    /// Licensed on a day.
    pub fn on(&self, day: NaiveDate) -> bool {
        holds(self.from, self.to, day)
    }
}

impl Facts {
    /// What counts of a ledger now.
    pub fn of(ledger: &Ledger) -> Self {
        let mut facts = Self::with_references(ledger);
        let records = ledger.records();
        for record in &records {
            facts.take(record);
        }
        facts.stand_for();
        let through = records.iter().filter_map(|record| match record {
            Record::CompleteThrough { day } => Some(*day),
            _ => None,
        });
        let last_activity = facts.activity.values().flatten().map(|(day, _, _)| *day).max();
        facts.complete_through = through.max().or(last_activity).unwrap_or(ledger.today()).min(ledger.today());
        if let Some(first) = facts.first_month() {
            for month in Month::range(first, Month::of(facts.complete_through)) {
                let snapshots = facts.subscriptions.values().map(|contract| facts.snapshot(contract, month)).collect();
                facts.snapshots.insert(month, snapshots);
            }
        }
        facts
    }

    /// Customers and SKUs, and the subscriptions that have both.
    fn with_references(ledger: &Ledger) -> Self {
        let mut facts = Self {
            complete_through: ledger.today(),
            skus: BTreeMap::new(),
            spellings: BTreeMap::new(),
            customers: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            licences: Vec::new(),
            usage: BTreeMap::new(),
            states: BTreeMap::new(),
            assignments: BTreeMap::new(),
            activity: BTreeMap::new(),
            lower_bounds: ledger.lower_bounds.clone(),
            revenue: BTreeMap::new(),
            reported: BTreeMap::new(),
            snapshots: BTreeMap::new(),
        };
        let records = ledger.records();
        for record in records.iter().cloned() {
            match record {
                Record::Sku { sku, product, services, free } => {
                    facts.skus.insert(sku, Sku { product, services, free });
                }
                Record::Customer { customer, country, segment, industry } => {
                    facts.customers.insert(customer, Customer { country, segment, industry });
                }
                _ => {}
            }
        }
        facts.unite_spellings();
        for record in &records {
            if let Record::Subscription(s) = record
                && facts.customers.contains_key(&s.customer)
                && let Some(sku) = facts.spelling(&s.sku)
            {
                let subscription = Subscription { sku, ..s.clone() };
                facts.subscriptions.insert(s.id.clone(), Contract { subscription, stood_for: false });
            }
        }
        facts
    }

    /// SKUs whose ids differ in case and blanks only are one, which the one with the least id describes; so are products, named by the
    /// least of their names.
    fn unite_spellings(&mut self) {
        for id in self.skus.keys() {
            let one = self.skus.keys().find(|other| folded_name(other) == folded_name(id)).unwrap_or(id);
            self.spellings.insert(id.clone(), one.clone());
        }
        let spellings: BTreeSet<&String> = self.spellings.values().collect();
        self.skus.retain(|id, _| spellings.contains(id));
        let products: BTreeSet<String> = self.skus.values().map(|sku| sku.product.clone()).collect();
        for sku in self.skus.values_mut() {
            let one = products.iter().find(|other| folded_name(other) == folded_name(&sku.product));
            sku.product = one.unwrap_or(&sku.product).clone();
        }
    }

    /// The id under which a SKU that has come counts.
    fn spelling(&self, sku: &str) -> Option<String> {
        self.spellings.get(sku).cloned()
    }

    /// Takes a record whose references are there; the others wait.
    fn take(&mut self, record: &Record) {
        match record.clone() {
            Record::State { subscription, effective, status, seats, sku, trial }
                if self.subscriptions.contains_key(&subscription)
                    && sku.iter().all(|sku| self.spelling(sku).is_some()) =>
            {
                let sku = sku.and_then(|sku| self.spelling(&sku));
                let state = State { status, seats: u64::from(seats), sku, trial };
                self.states.entry(subscription).or_default().insert(effective, state);
            }
            Record::Assignment { subscription, user, from, to } if self.subscriptions.contains_key(&subscription) => {
                self.assignments.entry(subscription).or_default().push(Assignment { user, from, to });
            }
            Record::Licensed { customer, user, service, from, to, .. } if self.customers.contains_key(&customer) => {
                self.licences.push(Licence { customer, user, service, from, to });
            }
            Record::Activity { customer, user, service, day, .. } if self.customers.contains_key(&customer) => {
                self.activity.entry(customer).or_default().insert((day, user, service));
            }
            Record::Revenue { of, month, micros, currency, seller } if self.knows(&of) => {
                self.revenue.entry((self.spelled(of), month)).or_default().insert(currency, (micros, seller));
            }
            Record::ReportedSeats { of, month, row } if self.knows(&of) => {
                self.reported.insert((self.spelled(of), month), row);
            }
            Record::ReportedUsage { customer, service, month, row } if self.customers.contains_key(&customer) => {
                self.usage.insert((customer, service, month), row);
            }
            _ => {}
        }
    }

    fn spelled(&self, of: Owner) -> Owner {
        match of {
            Owner::CustomerSku(customer, sku) => {
                let one = self.spelling(&sku).unwrap_or(sku);
                Owner::CustomerSku(customer, one)
            }
            of => of,
        }
    }

    fn knows(&self, of: &Owner) -> bool {
        match of {
            Owner::Subscription(id) => self.subscriptions.contains_key(id),
            Owner::CustomerSku(customer, sku) => self.customers.contains_key(customer) && self.spelling(sku).is_some(),
        }
    }

    /// Rows by customer and SKU stand for one subscription `customer/sku`.
    fn stand_for(&mut self) {
        let owners: BTreeSet<Owner> =
            self.revenue.keys().chain(self.reported.keys()).map(|(of, _)| of.clone()).collect();
        for owner in owners {
            if let Owner::CustomerSku(customer, sku) = owner {
                let subscription = Subscription {
                    id: format!("{customer}/{sku}"),
                    customer,
                    sku,
                    sales_channel: None,
                    pricing_model: None,
                    seller: "other".into(),
                    trial: false,
                    attributions: Vec::new(),
                };
                self.subscriptions.insert(subscription.id.clone(), Contract { subscription, stood_for: true });
            }
        }
    }

    fn first_month(&self) -> Option<Month> {
        let months = self.revenue.keys().chain(self.reported.keys()).map(|(_, month)| *month);
        let usage = self.usage.keys().map(|(_, _, month)| *month);
        let states = self.states.values().flat_map(|states| states.keys()).map(|day| Month::of(*day));
        let held = self.assignments.values().flatten().map(|assignment| Month::of(assignment.from));
        let licences = self.licences.iter().map(|licence| Month::of(licence.from));
        let used = self.activity.values().flatten().map(|(day, _, _)| Month::of(*day));
        let first = months.chain(usage).chain(states).chain(held).chain(licences).chain(used).min()?;
        Some(Month(first.0.max(self.oldest_month().0)))
    }

    /// Months further back give no rows.
    pub fn oldest_month(&self) -> Month {
        Month(Month::of(self.complete_through).0 - 127)
    }

    /// The snapshot day of a month, for months up to that of `complete_through`.
    pub fn day(&self, month: Month) -> NaiveDate {
        month.last_day().min(self.complete_through)
    }

    /// Whether anybody of a customer used a service by a day.
    pub fn used_by(&self, customer: &str, service: &str, day: NaiveDate) -> bool {
        self.activity.get(customer).into_iter().flatten().any(|(d, _, s)| *d <= day && s == service)
    }

    /// (user, service) pairs in the 28 days that end with a day.
    pub fn use_in_window(&self, customer: &str, day: NaiveDate) -> BTreeSet<(String, String)> {
        let days = window(day);
        let used = self.activity.get(customer).into_iter().flatten();
        used.filter(|(d, _, _)| days.contains(d)).map(|(_, user, service)| (user.clone(), service.clone())).collect()
    }

    /// Whether use of a service in the 28 days that end with a day may be greater than what is known of it.
    pub fn lower_bound(&self, customer: &str, service: &str, day: NaiveDate) -> bool {
        let days = self.lower_bounds.get(&(customer.to_owned(), service.to_owned()));
        days.is_some_and(|(first, last)| window(day).iter().any(|day| first <= day && day <= last))
    }

    /// Whether a customer has an assignment by a day of a subscription whose SKU in force then carries a service.
    pub fn assigned_by(&self, customer: &str, service: &str, day: NaiveDate) -> bool {
        self.subscriptions.values().any(|contract| {
            let s = &contract.subscription;
            s.customer == customer
                && self.skus[&self.sku_on(s, day)].services.iter().any(|carried| carried == service)
                && self.assignments.get(&s.id).into_iter().flatten().any(|a| a.from <= day)
        })
    }

    /// Every service there is.
    pub fn services(&self) -> BTreeSet<String> {
        let catalogue = self.skus.values().flat_map(|sku| sku.services.iter().cloned());
        let used = self.activity.values().flatten().map(|(_, _, service)| service.clone());
        let licensed = self.licences.iter().map(|licence| licence.service.clone());
        let reported = self.usage.keys().map(|(_, service, _)| service.clone());
        catalogue.chain(used).chain(licensed).chain(reported).collect()
    }

    /// Attributions of subscriptions and of reported rows.
    pub fn attributions(&self) -> BTreeSet<Attribution> {
        let own = self.subscriptions.values().flat_map(|contract| &contract.subscription.attributions);
        let seats = self.reported.values().flat_map(|row| &row.attributions);
        let usage = self.usage.values().flat_map(|row| &row.attributions);
        own.chain(seats).chain(usage).cloned().collect()
    }

    /// The state in force at the end of a day.
    fn state_on(&self, subscription: &str, day: NaiveDate) -> Option<&State> {
        let states = self.states.get(subscription)?;
        states
            .iter()
            .filter(|(effective, _)| **effective <= day)
            .max_by_key(|(effective, _)| **effective)
            .map(|(_, s)| s)
    }

    fn sku_on(&self, s: &Subscription, day: NaiveDate) -> String {
        self.state_on(&s.id, day).and_then(|state| state.sku.clone()).unwrap_or(s.sku.clone())
    }

    /// Whether a customer has a subscription, sent as one, of a SKU on a day, that `has` some data.
    fn has_detail(&self, customer: &str, sku: &str, day: NaiveDate, has: impl Fn(&str) -> bool) -> bool {
        self.subscriptions.values().any(|contract| {
            let s = &contract.subscription;
            !contract.stood_for && s.customer == customer && self.sku_on(s, day) == sku && has(&s.id)
        })
    }

    fn snapshot(&self, contract: &Contract, month: Month) -> Snapshot {
        let s = &contract.subscription;
        let day = self.day(month);
        let owner = if contract.stood_for {
            Owner::CustomerSku(s.customer.clone(), s.sku.clone())
        } else {
            Owner::Subscription(s.id.clone())
        };
        let own_row = |id: &str| self.reported.contains_key(&(Owner::Subscription(id.to_owned()), month));
        let own_revenue = |id: &str| self.revenue.contains_key(&(Owner::Subscription(id.to_owned()), month));
        let seats_known = |id: &str| self.state_on(id, day).is_some() || own_row(id);
        let row = self.reported.get(&(owner.clone(), month));
        let serving = row.filter(|_| !contract.stood_for || !self.has_detail(&s.customer, &s.sku, day, seats_known));
        let revenue = self.revenue.get(&(owner, month)).cloned().unwrap_or_default();
        let seller = if contract.stood_for {
            let billed = revenue.values().find_map(|(_, seller)| seller.clone());
            row.and_then(|row| row.seller.clone()).or(billed).unwrap_or("other".into())
        } else {
            s.seller.clone()
        };
        let revenue_serves = !contract.stood_for || !self.has_detail(&s.customer, &s.sku, day, own_revenue);

        let state = self.state_on(&s.id, day);
        let sku_id = self.sku_on(s, day);
        let sku = &self.skus[&sku_id];
        let (word, seats) = match (state, serving) {
            (Some(state), _) => (state.status.as_str(), state.seats),
            (None, Some(row)) => (row.status.as_str(), row.available),
            (None, None) => ("pending", 0),
        };

        let assignments: Vec<&Assignment> = self.assignments.get(&s.id).into_iter().flatten().collect();
        let held = |user: &str, day| assignments.iter().any(|a| a.user == user && holds(a.from, a.to, day));
        let users: BTreeSet<&String> = assignments.iter().map(|a| &a.user).collect();
        let days = window(day);
        let activity = self.activity.get(&s.customer).into_iter().flatten();
        let used = activity
            .filter(|(on, user, service)| days.contains(on) && sku.services.contains(service) && held(user, *on));
        let any_assignment = assignments.iter().any(|a| a.from <= day);
        let any_activity = sku.services.iter().any(|service| self.used_by(&s.customer, service, day));

        Snapshot {
            id: s.id.clone(),
            customer: s.customer.clone(),
            has_state: state.is_some() || serving.is_some(),
            standing: standing(word),
            trial: state.and_then(|state| state.trial).unwrap_or(s.trial),
            seats,
            product: sku.product.clone(),
            services: sku.services.clone(),
            free: sku.free,
            sku: sku_id,
            seller,
            sales_channel: s.sales_channel.clone(),
            pricing_model: s.pricing_model.clone(),
            attributions: row
                .map(|row| row.attributions.clone())
                .filter(|a| !a.is_empty())
                .unwrap_or(s.attributions.clone()),
            held_on_day: users.iter().filter(|u| held(u, day)).map(|u| u.to_string()).collect(),
            held_in_window: users.iter().filter(|u| days.iter().any(|d| held(u, *d))).map(|u| u.to_string()).collect(),
            used: used.map(|(_, user, _)| user.clone()).collect(),
            standing_reported: state.is_none() && serving.is_some(),
            assigned_reported: serving.and_then(|row| row.assigned).filter(|_| !any_assignment),
            active_reported: serving.and_then(|row| row.active).filter(|_| !any_activity),
            revenue: revenue.into_iter().filter(|_| revenue_serves).map(|(c, (micros, _))| (c, micros)).collect(),
        }
    }
}
