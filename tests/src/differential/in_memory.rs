//! The heart of the product without its body: rollup and cube, fed straight from the records that stand.
//!
//! It finds in seconds what the whole product would find in minutes. What lies around the heart (identity, waiting, taking
//! back, storage, the feed) is the second implementation's here, so it is not tested.

use super::by_column;
use super::question::Question;
use insights_domain::amount::Amount;
use insights_domain::calendar::{Day, Month};
use insights_domain::coverage::{Coverage, USERS_REPORT};
use insights_domain::facts::{
    Absence, Activity, Assignment, Attribution, BySku, Catalogue, CustomerFacts, Licence, ReportedSeats, ReportedUsage,
    Revenue, Seller, State, SubscriptionFacts, SubscriptionNumber,
};
use insights_domain::ids::folded_name;
use insights_domain::rollup::roll_up;
use insights_domain::standing::Switches;
use insights_metrics::cube::{
    AnswerRow, Cube, CustomerHeader, CustomerUpdate, ExplanationRow, Figure, FigureSource, PartnerHeader, SkuHeader,
    SubscriptionHeader, Visibility,
};
use insights_metrics::query::{Basis, Filter, Query, Scope};
use insights_proto::metrics::v1::{Dimension, Measure};
use naive::Ledger;
use naive::record::{Owner, Record};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Numbers for names, from 1, in the order of first mention.
#[derive(Default)]
struct Numbers(BTreeMap<String, u32>);

impl Numbers {
    fn of(&mut self, name: &str) -> u32 {
        let next = self.0.len() as u32 + 1;
        *self.0.entry(name.to_owned()).or_insert(next)
    }
}

fn day(day: chrono::NaiveDate) -> Day {
    day.to_string().parse().expect("a day is a day")
}

fn month(month: naive::calendar::Month) -> Month {
    month.to_string().parse().expect("a month is a month")
}

fn seller(name: &str) -> Seller {
    Seller::from_name(name).expect("a checked seller")
}

fn attributions(list: &[naive::record::Attribution]) -> Vec<Attribution> {
    list.iter().map(|(location, kind)| Attribution { location: location.clone(), kind: kind.clone() }).collect()
}

/// Turns what stands into a cube.
#[derive(Default)]
struct Builder {
    skus: Numbers,
    services: Numbers,
    users: Numbers,
    owners: BTreeMap<String, String>,
    subscriptions: BTreeMap<String, SubscriptionFacts>,
    headers: BTreeMap<String, CustomerHeader>,
    customers: BTreeMap<String, CustomerFacts>,
    catalogue: BTreeMap<u32, SkuHeader>,
    days: BTreeMap<(String, u32, u32, Month), u32>,
    coverage: Coverage,
}

/// The cube of a ledger.
pub fn cube(ledger: &Ledger) -> Cube {
    let facts = naive::Facts::of(ledger);
    let complete_through = day(facts.complete_through);
    let mut builder = Builder::default();
    let records = ledger.records();
    records.iter().for_each(|record| builder.thing(record));
    records.iter().for_each(|record| builder.fact(record));
    for record in &records {
        if let Record::ReportedSeats { of, month: of_month, row, .. } = record
            && !row.of_customer
        {
            builder.coverage.add(&row.report, matches!(of, Owner::CustomerSku(..)), month(*of_month));
        }
        if let Record::ReportedUsage { month: of_month, .. } = record {
            builder.coverage.add(USERS_REPORT, false, month(*of_month));
        }
    }
    builder.lower_bounds(ledger);
    builder.absences(&facts);
    builder.finish(complete_through)
}

impl Builder {
    /// Customers, SKUs and subscriptions.
    fn thing(&mut self, record: &Record) {
        match record {
            Record::Customer { customer, country, segment, industry } => {
                let number = self.headers.len() as i64 + 1;
                let (country, segment, industry) = (country.clone(), segment.clone(), industry.clone());
                let id = customer.clone();
                let header = CustomerHeader { number, id, country, segment, industry, ..CustomerHeader::default() };
                self.headers.insert(customer.clone(), header);
                self.customers.insert(customer.clone(), CustomerFacts { known: true, ..CustomerFacts::default() });
            }
            Record::Sku { sku, product, services, free } => {
                let services = services.iter().map(|service| self.services.of(service)).collect();
                let (id, product) = (sku.clone(), product.clone());
                let header = SkuHeader { known: true, name: id.clone(), id, product, free: *free, services };
                // Of spellings of one id the least describes it, and comes first.
                self.catalogue.entry(self.skus.of(&folded_name(sku))).or_insert(header);
            }
            Record::Subscription(s) => {
                let number = SubscriptionNumber::of_subscription(self.owners.len() as u32 + 1);
                self.owners.insert(s.id.clone(), s.customer.clone());
                let facts = SubscriptionFacts {
                    number,
                    sku: self.skus.of(&folded_name(&s.sku)),
                    trial: s.trial,
                    paid_by_use: s.paid_by_use,
                    states: Vec::new(),
                    assignments: Vec::new(),
                    reported: Vec::new(),
                    revenue: Vec::new(),
                    absences: Vec::new(),
                };
                self.subscriptions.insert(s.id.clone(), facts);
            }
            _ => {}
        }
    }

    fn fact(&mut self, record: &Record) {
        match record {
            Record::Subscription(s) => self.subscription(s),
            Record::State { subscription, effective, status, seats, sku, trial } => {
                let sku = sku.as_ref().map(|sku| self.skus.of(&folded_name(sku)));
                let state =
                    State { effective: day(*effective), status: status.clone(), seats: *seats, sku, trial: *trial };
                if let Some(subscription) = self.subscriptions.get_mut(subscription) {
                    subscription.states.push(state);
                }
            }
            Record::Assignment { subscription, user, from, to } => {
                let assignment = Assignment { user: self.users.of(user), from: day(*from), to: to.map(day) };
                if let Some(subscription) = self.subscriptions.get_mut(subscription) {
                    subscription.assignments.push(assignment);
                }
            }
            Record::Licensed { customer, user, service, from, to, .. } => {
                let (user, service) = (self.users.of(user), self.services.of(service));
                if let Some(facts) = self.customers.get_mut(customer) {
                    facts.licences.push(Licence { user, service, from: day(*from), to: to.map(day) });
                }
            }
            Record::Activity { customer, user, service, day: on, .. } => {
                self.activity(customer, user, service, day(*on))
            }
            Record::Revenue { of, sku, month: of_month, micros, currency, seller: by } => {
                let Some(sku) = self.part(sku.as_ref()) else { return };
                let revenue = Revenue {
                    month: month(*of_month),
                    sku,
                    currency: currency.clone(),
                    amount: Amount::from_micros(*micros as i64),
                    seller: by.as_deref().map(seller),
                };
                match of {
                    Owner::Subscription(id) => {
                        self.subscriptions.entry(id.clone()).and_modify(|s| s.revenue.push(revenue));
                    }
                    Owner::CustomerSku(customer, sku) => {
                        self.by_sku(customer, sku, |row| row.revenue.push(revenue));
                    }
                }
            }
            Record::ReportedSeats { of, sku, month, row } => {
                if let Some(sku) = self.part(sku.as_ref()) {
                    self.reported_seats(of, sku, *month, row);
                }
            }
            Record::ReportedUsage { customer, service, month: of_month, row } => {
                let service = self.services.of(service);
                if let Some(facts) = self.customers.get_mut(customer) {
                    facts.reported_usage.push(ReportedUsage {
                        service,
                        month: month(*of_month),
                        paid_available_units: row.units as u32,
                        monthly_active_users: row.active_users as u32,
                        attributions: attributions(&row.attributions),
                    });
                }
            }
            _ => {}
        }
    }

    fn subscription(&mut self, s: &naive::record::Subscription) {
        let number = self.subscriptions[&s.id].number;
        let (sales_channel, pricing_model) = (s.sales_channel.clone(), s.pricing_model.clone());
        if let Some(header) = self.headers.get_mut(&s.customer) {
            header.subscriptions.push(SubscriptionHeader {
                number,
                id: s.id.clone(),
                sales_channel,
                pricing_model,
                seller: seller(&s.seller),
                attributions: attributions(&s.attributions),
                start: None,
                end: None,
            });
        }
    }

    /// The number of the SKU of a part; `None` while it has not come.
    fn part(&mut self, sku: Option<&String>) -> Option<Option<u32>> {
        let Some(sku) = sku else { return Some(None) };
        let number = self.skus.of(&folded_name(sku));
        self.catalogue.contains_key(&number).then_some(Some(number))
    }

    fn reported_seats(
        &mut self,
        of: &Owner,
        sku: Option<u32>,
        of_month: naive::calendar::Month,
        row: &naive::record::ReportedSeats,
    ) {
        let reported = ReportedSeats {
            month: month(of_month),
            sku,
            available: row.available as u32,
            grace: row.grace as u32,
            assigned: row.assigned.map(|n| n as u32),
            active: row.active.map(|n| n as u32),
            status: Some(row.status.clone()),
            seller: row.seller.as_deref().map(seller),
            attributions: attributions(&row.attributions),
            report: row.report.clone(),
            of_customer: row.of_customer,
        };
        match of {
            Owner::Subscription(id) => {
                self.subscriptions.entry(id.clone()).and_modify(|s| s.reported.push(reported));
            }
            Owner::CustomerSku(customer, sku) => {
                self.by_sku(customer, sku, |row| row.reported.push(reported));
            }
        }
    }

    fn activity(&mut self, customer: &str, user: &str, service: &str, on: Day) {
        if !self.customers.contains_key(customer) {
            return;
        }
        let (user, service) = (self.users.of(user), self.services.of(service));
        *self.days.entry((customer.to_owned(), user, service, on.month())).or_default() |= 1 << (on.day_of_month() - 1);
        if let Some(facts) = self.customers.get_mut(customer) {
            let first = facts.first_activity.entry(service).or_insert(on);
            *first = (*first).min(on);
        }
    }

    fn by_sku(&mut self, customer: &str, sku: &str, add: impl FnOnce(&mut BySku)) {
        let number = self.skus.of(&folded_name(sku));
        let Some(facts) = self.customers.get_mut(customer) else { return };
        let at = facts.by_sku.iter().position(|row| row.sku == number).unwrap_or_else(|| {
            facts.by_sku.push(BySku { sku: number, reported: Vec::new(), revenue: Vec::new(), absences: Vec::new() });
            facts.by_sku.len() - 1
        });
        add(&mut facts.by_sku[at]);
        let header = self.headers.get_mut(customer).expect("a customer with facts has a header");
        let stood_for = SubscriptionNumber::of_sku(number);
        if header.subscriptions.iter().all(|s| s.number != stood_for) {
            header.subscriptions.push(SubscriptionHeader {
                number: stood_for,
                id: format!("{customer}/{sku}"),
                sales_channel: None,
                pricing_model: None,
                seller: Seller::Other,
                attributions: Vec::new(),
                start: None,
                end: None,
            });
        }
    }

    fn lower_bounds(&mut self, ledger: &Ledger) {
        for ((customer, service), (first, last)) in &ledger.lower_bounds {
            if let Some(facts) = self.customers.get_mut(customer) {
                facts.lower_bound.insert(self.services.of(service), (day(*first), day(*last)));
            }
        }
    }

    /// On the snapshot days, which are the days that are looked at.
    fn absences(&mut self, counted: &naive::Facts) {
        for contract in counted.subscriptions.values() {
            let days = counted.snapshots.keys().map(|month| counted.day(*month));
            let gone = days.filter(|day| counted.is_gone(contract, *day));
            let absences = gone.map(|on| Absence { from: day(on), to: on.succ_opt().map(day) }).collect();
            let s = &contract.subscription;
            if contract.stood_for {
                self.by_sku(&s.customer, &s.sku, |row| row.absences = absences);
            } else if let Some(facts) = self.subscriptions.get_mut(&s.id) {
                facts.absences = absences;
            }
        }
    }

    fn finish(mut self, complete_through: Day) -> Cube {
        for ((customer, user, service, month), days) in std::mem::take(&mut self.days) {
            let facts = self.customers.get_mut(&customer).expect("only known customers have days");
            facts.activity.push(Activity { user, service, month, days });
        }
        for (id, subscription) in std::mem::take(&mut self.subscriptions) {
            let owner = &self.owners[&id];
            if let (Some(facts), Some(header)) = (self.customers.get_mut(owner), self.headers.get_mut(owner)) {
                parts(&subscription, header);
                facts.subscriptions.push(subscription);
            }
        }
        for number in self.skus.0.values() {
            self.catalogue.entry(*number).or_default();
        }
        let partner = PartnerHeader {
            epoch: 1,
            version: 1,
            complete_through,
            currency: "USD".into(),
            skus: self.catalogue,
            services: self.services.0.into_iter().map(|(name, number)| (number, name)).collect(),
            locations: BTreeMap::new(),
        };
        let catalogue = Catalogue { coverage: self.coverage, ..partner.catalogue() };
        let from: Month = "2010-01".parse().expect("a month");
        let mut headers = self.headers;
        let updates = self.customers.iter().map(|(id, facts)| {
            let mut header = headers.remove(id).expect("a customer with facts has a header");
            header.subscriptions.sort_by_key(|s| s.number);
            CustomerUpdate { header, from, months: roll_up(facts, &catalogue, complete_through, from) }
        });
        let updates = updates.collect();
        Cube::new(partner.clone()).apply(partner, updates)
    }
}

/// The parts of a subscription stand beside it.
fn parts(facts: &SubscriptionFacts, header: &mut CustomerHeader) {
    let skus: BTreeSet<u32> = facts.reported.iter().filter_map(|row| row.sku).collect();
    let whole = header.subscriptions.iter().find(|it| it.number == facts.number).cloned();
    let part = |sku| whole.clone().map(|it| SubscriptionHeader { number: it.number.part(sku), ..it });
    header.subscriptions.extend(skus.into_iter().filter_map(part));
}

fn dimension(name: &str) -> Dimension {
    Dimension::from_str_name(&format!("DIMENSION_{}", name.to_uppercase())).expect("a dimension")
}

/// Answers end in the middle of blocks, and at their ends.
const ROWS_OF_A_BLOCK: usize = 5;

/// What the product's heart answers, in both its forms.
pub fn ask(cube: &Cube, question: &Question) -> Result<Vec<Value>, String> {
    let asked = question.query();
    if asked.refusal().is_some() {
        return Err("INVALID_ARGUMENT".into());
    }
    let names: Vec<&String> = asked.measures.iter().filter(|m| asked.sees_revenue || *m != "billed_revenue").collect();
    let measure =
        |name: &&String| Measure::from_str_name(&format!("MEASURE_{}", name.to_uppercase())).expect("a measure");
    let filters = asked.filters.iter().map(|filter| Filter {
        dimension: dimension(&filter.dimension),
        values: filter.values.iter().cloned().collect(),
    });
    let query = Query {
        measures: names.iter().map(measure).collect(),
        group_by: asked.by.iter().map(|name| dimension(name)).collect(),
        from: month(asked.from),
        to: month(asked.to),
        filters: filters.collect(),
        basis: if asked.entitlements { Basis::Entitlements } else { Basis::Users },
        scope: match asked.scope {
            naive::query::Scope::Own => Scope::Own,
            naive::query::Scope::SoldOrManaged => Scope::SoldOrManaged,
            naive::query::Scope::All => Scope::AllSellers,
        },
        switches: Switches { include_grace: asked.include_grace, include_free: asked.include_free },
        top: None,
        slice: None,
        hidden: false,
    };
    let view = Visibility { locations: asked.bound.as_ref(), revenue: asked.sees_revenue };
    if question.command == "explain" {
        return Ok(cube.explain(&query, view).into_iter().map(|row| explanation(&asked.by, row)).collect());
    }
    let redacted = names.len() < asked.measures.len();
    let answer = cube.query(&query, view);
    let columns = cube.blocks(&query, view, ROWS_OF_A_BLOCK);
    assert_eq!(by_column::rows(&columns, &query.measures), answer.rows, "by column: {asked:?}");
    assert_eq!(columns.overlapping, answer.overlapping);
    Ok(answer.rows.into_iter().map(|row| figures(&asked.by, &names, redacted, row)).collect())
}

fn head(by: &[String], month: Month, values: Vec<Option<String>>) -> Map<String, Value> {
    let mut row = Map::from_iter([("month".to_owned(), json!(month.to_string()))]);
    for (name, value) in by.iter().zip(values) {
        let value = if name == "trial" { value.map(|v| json!(v == "true")) } else { value.map(|v| json!(v)) };
        row.insert(name.clone(), value.unwrap_or_default());
    }
    row
}

fn explanation(by: &[String], row: ExplanationRow) -> Value {
    let (reasons, mut fields) = (row.reasons, head(by, row.month, row.dimensions));
    fields.insert("numerator".into(), json!(reasons.total()));
    fields.insert("denominator".into(), json!(row.denominator));
    fields.insert("covered".into(), json!(reasons.covered));
    let reasons = json!({"TRIAL": reasons.trial, "NOT_IN_GOOD_STANDING": reasons.not_in_good_standing,
        "FREE": reasons.free, "LICENSE_TRANSFERRED": reasons.license_transferred,
        "UNLICENSED_USE": reasons.unlicensed_use, "OVER_ASSIGNED": reasons.over_assigned});
    fields.insert("reasons".into(), reasons);
    Value::Object(fields)
}

fn figures(by: &[String], names: &[&String], redacted: bool, row: AnswerRow) -> Value {
    let mut fields = head(by, row.month, row.dimensions);
    for (name, figure) in names.iter().zip(row.values) {
        let value = match figure {
            Figure::Null => Value::Null,
            Figure::Count(count) => json!(count),
            Figure::Amount(amount) => json!(amount.to_string()),
            Figure::Percentage(percentage) => {
                fields.insert(format!("{name}_numerator"), json!(percentage.numerator));
                fields.insert(format!("{name}_denominator"), json!(percentage.denominator));
                json!(percentage.value())
            }
        };
        fields.insert((*name).clone(), value);
    }
    if let Some(currency) = row.currency {
        fields.insert("currency".into(), json!(currency));
    }
    let source = match row.source {
        FigureSource::Computed => "computed",
        FigureSource::Reported => "reported",
        FigureSource::Mixed => "mixed",
    };
    fields.insert("source".into(), json!(source));
    for (name, flag) in
        [("partial", row.partial), ("lower_bound", row.lower_bound), ("carried", row.carried), ("redacted", redacted)]
    {
        if flag {
            fields.insert(name.into(), json!(true));
        }
    }
    Value::Object(fields)
}
