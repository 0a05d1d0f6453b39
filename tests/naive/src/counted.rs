//! What counts of a ledger: records whose references are there, and each subscription on each snapshot day.

use crate::calendar::{Month, window};
use crate::ledger::Ledger;
use crate::lists::Lists;
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

    /// The state in force at the end of a day.
    fn state_on(&self, subscription: &str, day: NaiveDate) -> Option<&State> {
        let states = self.states.get(subscription)?;
        states
            .iter()
            .filter(|(effective, _)| **effective <= day)
            .max_by_key(|(effective, _)| **effective)
            .map(|(_, s)| s)
    }

    /// The SKU in force; where only reports tell, that of the first part.
    fn sku_of(&self, contract: &Contract, month: Month) -> String {
        let s = &contract.subscription;
        match (self.state_on(&s.id, self.day(month)), self.told(contract, month)) {
            (Some(state), _) => state.sku.clone().unwrap_or(s.sku.clone()),
            (None, Some(told)) => told.parts[0].0.clone(),
            (None, None) => s.sku.clone(),
        }
    }

    /// The month whose rows are carried into one that a row's report does not cover: the last covered before, where one after is.
    fn carried_from(&self, row: &ReportedSeats, by_sku: bool, customer: &str, month: Month) -> Option<Month> {
        let whose = row.of_customer.then(|| customer.to_owned());
        let covered = self.covered.get(&(row.report.clone(), by_sku, whose))?;
        let before = covered.iter().filter(|m| **m < month).max();
        let after = covered.iter().any(|m| *m > month);
        before.copied().filter(|_| after && !covered.contains(&month))
    }

    /// Whether whole lists say that a subscription, or what stands for one, is gone on a day.
    pub fn is_gone(&self, contract: &Contract, day: NaiveDate) -> bool {
        let (s, owner) = (&contract.subscription, contract.owner());
        let row = |after: NaiveDate| {
            let later = |month: Month| month > Month::of(after) && month.first_day() <= day;
            self.reported.keys().any(|(of, month)| *of == owner && later(*month))
        };
        if contract.stood_for {
            return self.lists.leave_out("skus", &s.customer, &s.sku, day, row);
        }
        let state = |after: NaiveDate| {
            let mut states = self.states.get(&s.id).into_iter().flatten();
            states.any(|(effective, _)| after < *effective && *effective <= day)
        };
        let again = |after| row(after) || state(after);
        let listed = |from| self.lists.name_subscription(&s.customer, &s.id, from, day);
        self.lists.leave_out("subscriptions", &s.customer, &s.id, day, again)
            || s.seller == "own" && self.lists.leave_customer_out(&s.customer, day, |from| again(from) || listed(from))
    }

    /// What reports say of a subscription in a month; nothing of one that is gone.
    fn told(&self, contract: &Contract, month: Month) -> Option<Told<'_>> {
        if self.is_gone(contract, self.day(month)) {
            return None;
        }
        let s = &contract.subscription;
        let owner = contract.owner();
        let mut rows: Vec<(&Option<String>, &ReportedSeats)> =
            self.reported.get(&(owner.clone(), month)).into_iter().flatten().collect();
        let carried = rows.is_empty();
        if carried {
            let earlier = self.reported.iter().filter(|((of, m), _)| *of == owner && *m < month);
            let mut candidates: Vec<(Month, &Option<String>, &ReportedSeats)> =
                earlier.flat_map(|((_, m), parts)| parts.iter().map(|(sku, row)| (*m, sku, row))).collect();
            candidates.retain(|(m, _, row)| self.carried_from(row, contract.stood_for, &s.customer, month) == Some(*m));
            let last = candidates.iter().map(|(m, _, _)| *m).max()?;
            rows = candidates.into_iter().filter(|(m, _, _)| *m == last).map(|(_, sku, row)| (sku, row)).collect();
        }
        let whole = rows.iter().find(|(sku, _)| sku.is_none()).map(|(_, row)| *row);
        let named = rows.iter().filter_map(|(sku, row)| Some(((*sku).clone()?, *row)));
        let (mut parts, others): (Vec<_>, Vec<_>) = named.partition(|(sku, _)| *sku == s.sku);
        parts.extend(others);
        match whole {
            Some(row) if parts.is_empty() => Some(Told { parts: vec![(s.sku.clone(), row)], whole: None, carried }),
            whole => Some(Told { parts, whole, carried }),
        }
    }

    /// What is billed of a subscription in a month: SKU it is shown under, currency, millionths.
    fn billed(&self, contract: &Contract, month: Month) -> Vec<(String, String, i128)> {
        let sku = self.sku_of(contract, month);
        let in_force = self.state_on(&contract.subscription.id, self.day(month)).is_some();
        let told = self.told(contract, month).filter(|_| !in_force);
        let parts: Vec<String> = told.into_iter().flat_map(|told| told.parts).map(|(sku, _)| sku).collect();
        let Some(rows) = self.revenue.get(&(contract.owner(), month)) else { return Vec::new() };
        let named = |currency: &String| rows.keys().any(|(other, part)| other == currency && part.is_some());
        rows.iter()
            .filter(|((currency, part), _)| part.is_some() || !named(currency))
            .map(|((currency, part), (micros, _))| {
                let shown = part.clone().filter(|part| parts.contains(part)).unwrap_or(sku.clone());
                (shown, currency.clone(), *micros)
            })
            .collect()
    }

    /// Whether a subscription, sent as one, of a customer `has` data of a SKU.
    fn elsewhere(&self, customer: &str, has: impl Fn(&Contract) -> bool) -> bool {
        let sent = self.subscriptions.values().filter(|contract| !contract.stood_for);
        sent.into_iter().any(|contract| contract.subscription.customer == customer && has(contract))
    }

    fn has_seats_of(&self, contract: &Contract, sku: &str, month: Month) -> bool {
        match (self.state_on(&contract.subscription.id, self.day(month)), self.told(contract, month)) {
            (Some(_), _) => self.sku_of(contract, month) == sku,
            (None, Some(told)) => told.parts.iter().any(|(part, _)| part == sku),
            (None, None) => false,
        }
    }

    /// A subscription in a month, and its further parts.
    fn snapshots_of(&self, contract: &Contract, month: Month) -> Vec<Snapshot> {
        let s = &contract.subscription;
        let state = self.state_on(&s.id, self.day(month));
        let hidden = contract.stood_for && self.elsewhere(&s.customer, |other| self.has_seats_of(other, &s.sku, month));
        let told = self.told(contract, month).filter(|_| !hidden);
        let first = self.snapshot(contract, month, &self.sku_of(contract, month), told.as_ref());
        let mut snapshots = match (state, &told) {
            (None, Some(told)) => {
                let parts = told.parts.iter().enumerate();
                parts.map(|(at, (sku, _))| self.of_report(contract, month, sku, told, at)).collect()
            }
            _ => vec![first],
        };
        for snapshot in snapshots.iter_mut().filter(|_| s.paid_by_use) {
            (snapshot.seats, snapshot.grace) = (0, 0);
        }
        snapshots
    }

    /// A part, as a report tells of it. Users are those of the first.
    fn of_report(&self, contract: &Contract, month: Month, sku: &str, told: &Told, at: usize) -> Snapshot {
        let (row, day) = (told.parts[at].1, self.day(month));
        let mut part = self.snapshot(contract, month, sku, None);
        if at > 0 {
            part.held_on_day.clear();
            part.held_in_window.clear();
            part.used.clear();
        }
        part.has_state = true;
        part.standing = standing(&row.status);
        part.standing_reported = true;
        part.seats = row.available;
        part.grace = row.grace;
        part.carried = told.carried;
        let own = &contract.subscription.attributions;
        part.attributions = if row.attributions.is_empty() { own.clone() } else { row.attributions.clone() };
        if !self.any_assignment(contract, day) {
            part.assigned_reported = told.figure(at, |row| row.assigned);
        }
        if !self.any_activity(contract, sku, day) {
            let active = told.figure(at, |row| row.active);
            part.active_reported = if told.carried { active.map(|_| 0) } else { active };
            part.active_unknown = told.carried;
        }
        part
    }

    fn any_assignment(&self, contract: &Contract, day: NaiveDate) -> bool {
        self.assignments.get(&contract.subscription.id).into_iter().flatten().any(|a| a.from <= day)
    }

    fn any_activity(&self, contract: &Contract, sku: &str, day: NaiveDate) -> bool {
        let customer = &contract.subscription.customer;
        self.skus[sku].services.iter().any(|service| self.used_by(customer, service, day))
    }

    /// A subscription under a SKU, by its states; reports tell what detail does not know.
    fn snapshot(&self, contract: &Contract, month: Month, sku_id: &str, told: Option<&Told>) -> Snapshot {
        let (s, day) = (&contract.subscription, self.day(month));
        let own_row = self.told(contract, month);
        let seller = if contract.stood_for {
            let revenue = self.revenue.get(&(contract.owner(), month)).cloned().unwrap_or_default();
            let billed = revenue.values().find_map(|(_, seller)| seller.clone());
            own_row.as_ref().and_then(|told| told.parts[0].1.seller.clone()).or(billed).unwrap_or("other".into())
        } else {
            s.seller.clone()
        };
        let billed_elsewhere = |other: &Contract| self.billed(other, month).iter().any(|(sku, _, _)| *sku == s.sku);
        let mut revenue: BTreeMap<String, i128> = BTreeMap::new();
        if !contract.stood_for || !self.elsewhere(&s.customer, billed_elsewhere) {
            for (_, currency, micros) in self.billed(contract, month).into_iter().filter(|(sku, _, _)| sku == sku_id) {
                *revenue.entry(currency).or_default() += micros;
            }
        }
        let state = self.state_on(&s.id, day);
        let sku = &self.skus[sku_id];
        let (word, seats) = state.map_or(("pending", 0), |state| (state.status.as_str(), state.seats));

        let assignments: Vec<&Assignment> = self.assignments.get(&s.id).into_iter().flatten().collect();
        let held = |user: &str, day| assignments.iter().any(|a| a.user == user && holds(a.from, a.to, day));
        let users: BTreeSet<&String> = assignments.iter().map(|a| &a.user).collect();
        let days = window(day);
        let activity = self.activity.get(&s.customer).into_iter().flatten();
        let used = activity
            .filter(|(on, user, service)| days.contains(on) && sku.services.contains(service) && held(user, *on));
        let attributions: BTreeSet<Attribution> =
            own_row.iter().flat_map(|told| &told.parts).flat_map(|(_, row)| row.attributions.clone()).collect();
        let assigned = told.filter(|_| !self.any_assignment(contract, day)).and_then(|t| t.total(|row| row.assigned));
        let active = told.filter(|_| !self.any_activity(contract, sku_id, day)).and_then(|t| t.total(|row| row.active));
        let carried = told.is_some_and(|told| told.carried);
        let gone = !contract.stood_for && self.is_gone(contract, day);

        Snapshot {
            id: s.id.clone(),
            customer: s.customer.clone(),
            has_state: state.is_some(),
            standing: if gone { "DISABLED" } else { standing(word) },
            trial: state.and_then(|state| state.trial).unwrap_or(s.trial),
            seats,
            grace: 0,
            product: sku.product.clone(),
            services: sku.services.clone(),
            free: sku.free,
            sku: sku_id.to_owned(),
            seller,
            sales_channel: s.sales_channel.clone(),
            pricing_model: s.pricing_model.clone(),
            attributions: if attributions.is_empty() {
                s.attributions.clone()
            } else {
                attributions.into_iter().collect()
            },
            held_on_day: users.iter().filter(|u| held(u, day)).map(|u| u.to_string()).collect(),
            held_in_window: users.iter().filter(|u| days.iter().any(|d| held(u, *d))).map(|u| u.to_string()).collect(),
            used: used.map(|(_, user, _)| user.clone()).collect(),
            standing_reported: false,
            assigned_reported: assigned,
            active_reported: if carried { active.map(|_| 0) } else { active },
            carried: carried && (assigned.is_some() || active.is_some()),
            active_unknown: carried && active.is_some(),
            revenue,
        }
    }
}

/// What reports say of a subscription in a month.
struct Told<'a> {
    /// The SKU and row of each part, that of the subscription's own SKU first; the row about all of it where there is no other.
    parts: Vec<(String, &'a ReportedSeats)>,
    /// The row about all of it beside parts.
    whole: Option<&'a ReportedSeats>,
    /// The rows are those of an earlier month.
    carried: bool,
}

impl Told<'_> {
    /// What no part tells and the row about all of it does, is told of the first part.
    fn figure(&self, at: usize, of: fn(&ReportedSeats) -> Option<u64>) -> Option<u64> {
        let silent = self.parts.iter().all(|(_, row)| of(row).is_none());
        if silent && at == 0 { self.whole.and_then(of) } else { of(self.parts[at].1) }
    }

    fn total(&self, of: fn(&ReportedSeats) -> Option<u64>) -> Option<u64> {
        let told: Vec<u64> = (0..self.parts.len()).filter_map(|at| self.figure(at, of)).collect();
        (!told.is_empty()).then(|| told.iter().sum())
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
