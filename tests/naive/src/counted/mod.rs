//! What counts of a ledger: records whose references are there.

mod snapshots;

use crate::calendar::{Month, window};
use crate::ledger::Ledger;
use crate::lists::Lists;
use crate::record::{Attribution, Owner, Record, ReportedSeats, ReportedUsage, Subscription};
use crate::snapshot::Snapshot;
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
    /// By currency and part.
    revenue: BTreeMap<(Owner, Month), BTreeMap<(String, Option<String>), (i128, Option<String>)>>,
    /// By part; none: all of it.
    reported: BTreeMap<(Owner, Month), BTreeMap<Option<String>, ReportedSeats>>,
    /// The months that reports cover: by report, whether it is by customer and SKU, and customer where it is about one alone.
    covered: BTreeMap<(String, bool, Option<String>), BTreeSet<Month>>,
    lists: Lists,
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
            facts.cover(record);
            facts.take(record);
        }
        facts.stand_for();
        facts.carry_usage();
        let through = records.iter().filter_map(|record| match record {
            Record::CompleteThrough { day } => Some(*day),
            _ => None,
        });
        let last_activity = facts.activity.values().flatten().map(|(day, _, _)| *day).max();
        facts.complete_through = through.max().or(last_activity).unwrap_or(ledger.today()).min(ledger.today());
        if let Some(first) = facts.first_month() {
            for month in Month::range(first, Month::of(facts.complete_through)) {
                let snapshots =
                    facts.subscriptions.values().flat_map(|contract| facts.snapshots_of(contract, month)).collect();
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
            covered: BTreeMap::new(),
            lists: Lists::default(),
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
            Record::Revenue { of, sku, month, micros, currency, seller }
                if self.knows(&of) && self.knows_part(&sku) =>
            {
                let sku = sku.and_then(|sku| self.spelling(&sku));
                self.revenue.entry((self.spelled(of), month)).or_default().insert((currency, sku), (micros, seller));
            }
            Record::ReportedSeats { of, sku, month, row } if self.knows(&of) && self.knows_part(&sku) => {
                let sku = sku.and_then(|sku| self.spelling(&sku));
                self.reported.entry((self.spelled(of), month)).or_default().insert(sku, row);
            }
            Record::ReportedUsage { customer, service, month, row } if self.customers.contains_key(&customer) => {
                self.usage.insert((customer, service, month), row);
            }
            list @ Record::WholeList { .. } => self.lists.take(&list),
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

    /// A row covers its month whether or not it waits; one about a customer alone does for that customer, once it counts.
    fn cover(&mut self, record: &Record) {
        if let Record::ReportedUsage { month, .. } = record {
            self.covered.entry(("reported_usage".into(), false, None)).or_default().insert(*month);
        }
        let Record::ReportedSeats { of, sku, month, row } = record else { return };
        let (by_sku, customer) = match of {
            Owner::CustomerSku(customer, _) => (true, Some(customer.clone())),
            Owner::Subscription(id) => (false, self.subscriptions.get(id).map(|s| s.subscription.customer.clone())),
        };
        let counts = self.knows(of) && self.knows_part(sku);
        if !row.of_customer || counts {
            let whose = customer.filter(|_| row.of_customer);
            self.covered.entry((row.report.clone(), by_sku, whose)).or_default().insert(*month);
        }
    }

    fn knows_part(&self, sku: &Option<String>) -> bool {
        sku.iter().all(|sku| self.spelling(sku).is_some())
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
                    paid_by_use: false,
                };
                self.subscriptions.insert(subscription.id.clone(), Contract { subscription, stood_for: true });
            }
        }
    }

    /// Rows of users by service of the last month covered, in the months after it that are not, where a later one is.
    fn carry_usage(&mut self) {
        let covered = self.covered.get(&("reported_usage".into(), false, None)).cloned().unwrap_or_default();
        let (Some(first), Some(last)) = (covered.first(), covered.last()) else { return };
        let rows = self.usage.clone();
        for gap in Month::range(*first, *last).filter(|month| !covered.contains(month)) {
            let before = covered.iter().filter(|month| **month < gap).max();
            for ((customer, service, month), row) in rows.iter().filter(|((_, _, month), _)| Some(month) == before) {
                debug_assert!(*month < gap);
                let row = ReportedUsage { active_users: 0, carried: true, ..row.clone() };
                self.usage.insert((customer.clone(), service.clone(), gap), row);
            }
        }
    }

    /// The earliest month with data.
    pub fn first_month(&self) -> Option<Month> {
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

    /// Whether a customer has an assignment, by the snapshot day of a month, of a subscription whose SKU then carries a service.
    pub fn assigned_by(&self, customer: &str, service: &str, month: Month) -> bool {
        let day = self.day(month);
        self.subscriptions.values().any(|contract| {
            let s = &contract.subscription;
            s.customer == customer
                && self.skus[&self.sku_of(contract, month)].services.iter().any(|carried| carried == service)
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
        let seats = self.reported.values().flat_map(BTreeMap::values).flat_map(|row| &row.attributions);
        let usage = self.usage.values().flat_map(|row| &row.attributions);
        own.chain(seats).chain(usage).cloned().collect()
    }
}

impl Contract {
    fn owner(&self) -> Owner {
        let s = &self.subscription;
        if self.stood_for {
            Owner::CustomerSku(s.customer.clone(), s.sku.clone())
        } else {
            Owner::Subscription(s.id.clone())
        }
    }
}
