//! From the feed's messages to the facts the rollup reads, and to what is kept of a customer and a partner.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;

use insights_domain::amount::Amount;
use insights_domain::calendar::{Day, Month};
use insights_domain::coverage::{Coverage, USERS_REPORT};
use insights_domain::facts::{
    Absence, Activity, Assignment, Attribution, BySku, CustomerFacts, Licence, ReportedSeats, ReportedUsage, Revenue,
    Seller, SkuNumber, State, SubscriptionFacts, SubscriptionNumber,
};
use insights_domain::ids::folded_name;
use insights_domain::service_fold;
use insights_proto::ingestion::v1::{self, absence_facts::Subject};

use crate::rollups::CellCustomer;
use crate::rollups::header::{CustomerHeader, SubscriptionHeader, SupportMonth};
use crate::rollups::model::{LocationModel, PartnerModel, ReportMonths, ServiceModel, SkuModel, StoredCustomer};

/// A message of the feed that contradicts its contract.
#[derive(Debug, thiserror::Error)]
#[error("the feed sent {what} that cannot be read")]
pub struct FactsError {
    what: &'static str,
}

const fn damaged(what: &'static str) -> FactsError {
    FactsError { what }
}

/// Everything about one customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatheredCustomer {
    /// Which.
    pub key: CellCustomer,
    /// What is kept of it.
    pub stored: StoredCustomer,
    /// What is rolled up.
    pub facts: CustomerFacts,
}

/// What concerns a whole partner, as the feed says it.
pub fn partner_model(facts: &v1::GetPartnerFactsResponse) -> Result<PartnerModel, FactsError> {
    let settings = facts.settings.clone().unwrap_or_default();
    let mut skus: Vec<SkuModel> = facts.skus.iter().map(sku_model).collect();
    skus.sort_by_key(|sku| sku.number);
    unite_spellings(&mut skus);
    let mut services: Vec<ServiceModel> = facts
        .services
        .iter()
        .map(|service| ServiceModel { number: service.number, name: service.name.clone() })
        .collect();
    services.sort_by_key(|service| service.number);
    let location = |location: &v1::Location| LocationModel {
        location_id: location.location_id.clone(),
        name: location.name.clone(),
        country: location.country.clone(),
    };
    let mut locations: Vec<LocationModel> = facts.locations.iter().map(location).collect();
    locations.sort_by(|left, right| left.location_id.cmp(&right.location_id));
    Ok(PartnerModel {
        name: settings.name,
        time_zone: settings.time_zone,
        currency: settings.currency,
        complete_through: facts.complete_through.map(day).transpose()?,
        last_activity: facts.last_activity.map(day).transpose()?,
        skus,
        services,
        locations,
        coverage: coverage(&facts.coverage)?,
    })
}

/// What reports cover, as the feed says it.
pub fn coverage(reports: &[v1::ReportCoverage]) -> Result<Coverage, FactsError> {
    let mut coverage = Coverage::default();
    for report in reports {
        for month in &report.months {
            let month = Month::from_index(*month).ok_or(damaged("a month"))?;
            coverage.add(&report.report, report.by_sku, month);
        }
    }
    Ok(coverage)
}

fn sku_model(facts: &v1::SkuFacts) -> SkuModel {
    let sku = facts.sku.clone().unwrap_or_default();
    let mut services = facts.services.clone();
    services.sort_unstable();
    services.dedup();
    SkuModel {
        number: facts.number,
        sku_id: sku.sku_id,
        known: facts.known,
        name: sku.name,
        product: sku.product,
        free: sku.free,
        services,
    }
}

/// SKUs whose ids differ in case and blanks only are one: the first of them that came, as the one with the least id describes it.
fn unite_spellings(skus: &mut [SkuModel]) {
    let mut spellings: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, sku) in skus.iter().enumerate() {
        spellings.entry(folded_name(&sku.sku_id)).or_default().push(at);
    }
    for places in spellings.into_values().filter(|places| places.len() > 1) {
        let known = places.iter().copied().filter(|at| skus[*at].known);
        let Some(described) = known.min_by(|one, other| skus[*one].sku_id.cmp(&skus[*other].sku_id)) else { continue };
        let described = skus[described].clone();
        for at in &places {
            skus[*at].known = false;
        }
        let first = &mut skus[places[0]];
        *first = SkuModel { number: first.number, ..described };
    }
}

/// Numbers of the SKUs and services that facts name by id.
#[derive(Debug)]
pub struct PartnerNumbers {
    /// By id without case and blanks: the first that came.
    sku_names: HashMap<String, u32>,
    /// By number of a SKU: that of the first whose id differs in case and blanks only.
    one_of: HashMap<u32, u32>,
    sku_ids: HashMap<u32, String>,
    services: HashMap<String, u32>,
}

impl PartnerNumbers {
    /// Of a partner.
    pub fn of(partner: &PartnerModel) -> Self {
        let mut sku_names = HashMap::new();
        let mut one_of = HashMap::new();
        for sku in &partner.skus {
            let first = *sku_names.entry(folded_name(&sku.sku_id)).or_insert(sku.number);
            one_of.insert(sku.number, first);
        }
        Self {
            sku_names,
            one_of,
            sku_ids: partner.skus.iter().map(|sku| (sku.number, sku.sku_id.clone())).collect(),
            services: partner.services.iter().map(|service| (service.name.clone(), service.number)).collect(),
        }
    }
}

impl PartnerNumbers {
    /// The number under which the SKU of an id counts, however it is spelled.
    fn sku(&self, id: &str) -> Option<u32> {
        self.sku_names.get(&folded_name(id)).copied()
    }

    /// The number under which a SKU counts.
    fn counted_sku(&self, number: u32) -> u32 {
        self.one_of.get(&number).copied().unwrap_or(number)
    }
}

/// Gathers the parts of one customer.
#[derive(Debug)]
pub struct Gatherer<'a> {
    numbers: &'a PartnerNumbers,
    customer: GatheredCustomer,
    positions: HashMap<u32, usize>,
    by_id: HashMap<String, usize>,
    pending: SubscriptionParts,
}

/// Rows that name a subscription by id: it may come in a later part.
#[derive(Debug, Default)]
struct SubscriptionParts {
    states: Vec<v1::StateFacts>,
    assignments: Vec<v1::AssignmentFacts>,
    revenue: Vec<v1::Revenue>,
    seats: Vec<v1::ReportedSeats>,
    absences: Vec<v1::AbsenceFacts>,
}

impl<'a> Gatherer<'a> {
    /// Begins with a customer's first part, which [`Self::add`] takes as well.
    pub fn new(numbers: &'a PartnerNumbers, part: &v1::StreamFactsResponse) -> Self {
        let key = CellCustomer { cell: part.cell, customer: part.customer };
        let header = CustomerHeader {
            number: part.customer,
            cell: part.cell,
            id: part.customer_id.clone(),
            ..CustomerHeader::default()
        };
        let stored = StoredCustomer { header, skus: Vec::new(), reports: Vec::new() };
        let customer = GatheredCustomer { key, stored, facts: CustomerFacts::default() };
        Self {
            numbers,
            customer,
            positions: HashMap::new(),
            by_id: HashMap::new(),
            pending: SubscriptionParts::default(),
        }
    }

    /// Adds a part.
    pub fn add(&mut self, part: v1::StreamFactsResponse) -> Result<(), FactsError> {
        if let Some(attributes) = part.attributes {
            let header = &mut self.customer.stored.header;
            header.name = attributes.name;
            header.country = attributes.country;
            header.segment = attributes.segment;
            header.industry = attributes.industry;
            header.domain = attributes.domain;
            self.customer.facts.known = true;
        }
        for subscription in part.subscriptions {
            self.subscription(subscription)?;
        }
        self.pending.states.extend(part.states);
        self.pending.assignments.extend(part.assignments);
        self.pending.revenue.extend(part.revenue);
        self.pending.seats.extend(part.reported_seats);
        self.pending.absences.extend(part.absences);
        for licence in part.licences {
            let (from, to) = (day(licence.from_day)?, licence.to_day.map(day).transpose()?);
            self.customer.facts.licences.push(Licence { user: licence.user, service: licence.service, from, to });
        }
        for activity in part.activity {
            self.activity(&activity)?;
        }
        for first in part.first_activity {
            self.customer.facts.first_activity.insert(first.service, day(first.day)?);
        }
        for bound in part.lower_bound {
            let days = (day(bound.first_day)?, day(bound.last_day)?);
            self.customer.facts.lower_bound.insert(bound.service, days);
        }
        for usage in part.reported_usage {
            self.usage(usage)?;
        }
        for cases in part.support_cases {
            // No customer opens more than fit.
            let most = |count: Option<i64>| u32::try_from(count.unwrap_or_default().max(0)).unwrap_or(u32::MAX);
            let of_month =
                SupportMonth { month: month(&cases.month)?, total: most(cases.total), how_to: most(cases.how_to) };
            self.customer.stored.header.support_cases.push(of_month);
        }
        Ok(())
    }

    /// Ends with the customer's last part.
    pub fn finish(mut self) -> Result<GatheredCustomer, FactsError> {
        let pending = std::mem::take(&mut self.pending);
        for state in pending.states {
            self.state(state)?;
        }
        for assignment in pending.assignments {
            let (from, to) = (day(assignment.from_day)?, assignment.to_day.map(day).transpose()?);
            if let Some(position) = self.positions.get(&assignment.subscription) {
                let assignments = &mut self.customer.facts.subscriptions[*position].assignments;
                assignments.push(Assignment { user: assignment.user, from, to });
            }
        }
        for row in pending.revenue {
            self.revenue(row)?;
        }
        for row in pending.seats {
            self.seats(row)?;
        }
        for absence in pending.absences {
            self.absence(absence)?;
        }
        let facts = &mut self.customer.facts;
        facts.by_sku.sort_by_key(|row| row.sku);
        facts.reported_usage.sort_by_key(|row| (row.month, row.service));
        let own = facts.subscriptions.iter().map(|subscription| subscription.sku);
        let named = facts
            .subscriptions
            .iter()
            .flat_map(|subscription| subscription.states.iter().filter_map(|state| state.sku));
        let parts = facts.subscriptions.iter().flat_map(part_skus);
        let by_sku = facts.by_sku.iter().map(|row| row.sku);
        let mut skus: Vec<SkuNumber> = own.chain(named).chain(parts).chain(by_sku).collect();
        skus.sort_unstable();
        skus.dedup();
        self.customer.stored.skus = skus;
        self.customer.stored.reports = report_months(facts);
        let header = &mut self.customer.stored.header;
        add_parts(header, &facts.subscriptions);
        for row in &facts.by_sku {
            header.subscriptions.push(by_sku_header(&header.id, row.sku, self.numbers));
        }
        header.subscriptions.sort_by_key(|subscription| subscription.number);
        header.support_cases.sort_unstable();
        Ok(self.customer)
    }

    fn subscription(&mut self, facts: v1::SubscriptionFacts) -> Result<(), FactsError> {
        let subscription = facts.subscription.ok_or(damaged("a subscription"))?;
        let seller = seller(subscription.seller.as_deref())?.unwrap_or_default();
        let position = self.customer.facts.subscriptions.len();
        self.positions.insert(facts.number, position);
        self.by_id.insert(subscription.subscription_id.clone(), position);
        self.customer.facts.subscriptions.push(SubscriptionFacts {
            number: SubscriptionNumber::of_subscription(facts.number),
            sku: self.numbers.counted_sku(facts.sku),
            trial: subscription.trial,
            paid_by_use: subscription.paid_by_use,
            states: Vec::new(),
            assignments: Vec::new(),
            reported: Vec::new(),
            revenue: Vec::new(),
            absences: Vec::new(),
        });
        self.customer.stored.header.subscriptions.push(SubscriptionHeader {
            number: SubscriptionNumber::of_subscription(facts.number),
            id: subscription.subscription_id,
            sales_channel: subscription.sales_channel,
            pricing_model: subscription.pricing_model,
            seller,
            attributions: attributions(subscription.attributions),
            start: written_day(subscription.start.as_deref())?,
            end: written_day(subscription.end.as_deref())?,
        });
        Ok(())
    }

    fn state(&mut self, state: v1::StateFacts) -> Result<(), FactsError> {
        let effective = day(state.effective)?;
        let sku = (state.sku != 0).then_some(self.numbers.counted_sku(state.sku));
        if let Some(position) = self.positions.get(&state.subscription) {
            let states = &mut self.customer.facts.subscriptions[*position].states;
            states.push(State { effective, status: state.status, seats: state.seats, sku, trial: state.trial });
        }
        Ok(())
    }

    fn activity(&mut self, activity: &v1::ActivityFacts) -> Result<(), FactsError> {
        if activity.user.len() != activity.days.len() {
            return Err(damaged("activity"));
        }
        let month = Month::from_index(activity.month).ok_or(damaged("a month"))?;
        let service = activity.service;
        let rows = activity.user.iter().zip(&activity.days);
        self.customer.facts.activity.extend(rows.map(|(user, days)| Activity {
            user: *user,
            service,
            month,
            days: *days,
        }));
        Ok(())
    }

    /// The number of the SKU that a row about a part of a subscription names.
    fn part(&self, subscription: Option<&str>, sku: Option<&str>) -> NamedPart {
        match sku.filter(|_| subscription.is_some()) {
            None => NamedPart::Whole,
            Some(id) => self.numbers.sku(id).map_or(NamedPart::Waits, NamedPart::Of),
        }
    }

    fn revenue(&mut self, row: v1::Revenue) -> Result<(), FactsError> {
        let sku = match self.part(row.subscription_id.as_deref(), row.sku_id.as_deref()) {
            NamedPart::Whole => None,
            NamedPart::Of(sku) => Some(sku),
            NamedPart::Waits => return Ok(()),
        };
        let revenue = Revenue {
            month: month(&row.month)?,
            sku,
            amount: Amount::from_str(&row.amount).map_err(|_| damaged("an amount"))?,
            seller: seller(row.seller.as_deref())?,
            currency: row.currency,
        };
        if let Some(id) = row.subscription_id {
            if let Some(position) = self.by_id.get(&id) {
                let known = &mut self.customer.facts.subscriptions[*position].revenue;
                // Rows of two spellings are of one SKU.
                let key = |row: &Revenue| (row.month, row.sku, row.currency.clone());
                known.retain(|row| row.sku.is_none() || key(row) != key(&revenue));
                known.push(revenue);
            }
        } else if let Some(row) = self.by_sku(row.sku_id.as_deref()) {
            // Rows of two spellings are of one SKU.
            row.revenue.retain(|known| (known.month, &known.currency) != (revenue.month, &revenue.currency));
            row.revenue.push(revenue);
        }
        Ok(())
    }

    fn seats(&mut self, row: v1::ReportedSeats) -> Result<(), FactsError> {
        let sku = match self.part(row.subscription_id.as_deref(), row.sku_id.as_deref()) {
            NamedPart::Whole => None,
            NamedPart::Of(sku) => Some(sku),
            NamedPart::Waits => return Ok(()),
        };
        let reported = ReportedSeats {
            month: month(&row.month)?,
            sku,
            available: count(row.available)?.unwrap_or(0),
            grace: count(row.grace)?.unwrap_or(0),
            assigned: count(row.assigned)?,
            active: count(row.active)?,
            status: row.status,
            seller: seller(row.seller.as_deref())?,
            attributions: attributions(row.attributions),
            report: row.report.unwrap_or_default(),
            of_customer: row.of_customer,
        };
        if let Some(id) = row.subscription_id {
            if let Some(position) = self.by_id.get(&id) {
                let known = &mut self.customer.facts.subscriptions[*position].reported;
                known.retain(|row| row.sku.is_none() || (row.month, row.sku) != (reported.month, reported.sku));
                known.push(reported);
            }
        } else if let Some(row) = self.by_sku(row.sku_id.as_deref()) {
            row.reported.retain(|known| known.month != reported.month);
            row.reported.push(reported);
        }
        Ok(())
    }

    /// Of what nothing else is known, it says nothing.
    fn absence(&mut self, row: v1::AbsenceFacts) -> Result<(), FactsError> {
        let absence = Absence { from: day(row.from_day)?, to: row.to_day.map(day).transpose()? };
        match row.subject.ok_or(damaged("an absence"))? {
            Subject::Subscription(number) => {
                if let Some(position) = self.positions.get(&number) {
                    self.customer.facts.subscriptions[*position].absences.push(absence);
                }
            }
            Subject::SkuId(sku_id) => {
                let sku = self.numbers.sku(&sku_id);
                let rows = &mut self.customer.facts.by_sku;
                if let Some(row) = rows.iter_mut().find(|row| Some(row.sku) == sku) {
                    row.absences.push(absence);
                }
            }
        }
        Ok(())
    }

    /// Rows of a SKU that has no number yet wait, as the feed's next version will say.
    fn by_sku(&mut self, sku_id: Option<&str>) -> Option<&mut BySku> {
        let sku = self.numbers.sku(sku_id?)?;
        let rows = &mut self.customer.facts.by_sku;
        let position = rows.iter().position(|row| row.sku == sku).unwrap_or_else(|| {
            rows.push(BySku { sku, reported: Vec::new(), revenue: Vec::new(), absences: Vec::new() });
            rows.len() - 1
        });
        rows.get_mut(position)
    }

    fn usage(&mut self, row: v1::ReportedUsage) -> Result<(), FactsError> {
        let Some(service) = self.numbers.services.get(service_fold(&row.service)) else {
            return Ok(());
        };
        self.customer.facts.reported_usage.push(ReportedUsage {
            service: *service,
            month: month(&row.month)?,
            paid_available_units: count(row.paid_available_units)?.unwrap_or(0),
            monthly_active_users: count(row.monthly_active_users)?.unwrap_or(0),
            attributions: attributions(row.attributions),
        });
        Ok(())
    }
}

/// What a row of a subscription is about.
enum NamedPart {
    /// All of it.
    Whole,
    /// The part of a SKU.
    Of(SkuNumber),
    /// The part of a SKU that has no number yet: the row waits, as the feed's next version will say.
    Waits,
}

/// The SKUs of parts of a subscription.
fn part_skus(facts: &SubscriptionFacts) -> impl Iterator<Item = SkuNumber> {
    let reported = facts.reported.iter().filter_map(|row| row.sku);
    reported.chain(facts.revenue.iter().filter_map(|row| row.sku))
}

/// A subscription of which a month has several parts has each of them beside it, under its id.
fn add_parts(header: &mut CustomerHeader, subscriptions: &[SubscriptionFacts]) {
    for facts in subscriptions {
        let mut parts: Vec<(Month, SkuNumber)> =
            facts.reported.iter().filter_map(|row| Some((row.month, row.sku?))).collect();
        parts.sort_unstable();
        let several = parts.chunk_by(|left, right| left.0 == right.0).filter(|of_month| of_month.len() > 1);
        let mut skus: Vec<SkuNumber> = several.flatten().map(|(_, sku)| *sku).collect();
        skus.sort_unstable();
        skus.dedup();
        let whole = header.subscriptions.iter().find(|it| it.number == facts.number).cloned();
        let part = |sku| whole.clone().map(|it| SubscriptionHeader { number: it.number.part(sku), ..it });
        header.subscriptions.extend(skus.into_iter().filter_map(part));
    }
}

/// The months of a customer's rows by report.
fn report_months(facts: &CustomerFacts) -> Vec<ReportMonths> {
    let by_subscription = facts.subscriptions.iter().flat_map(|facts| &facts.reported).map(|row| (row, false));
    let by_sku = facts.by_sku.iter().flat_map(|facts| &facts.reported).map(|row| (row, true));
    let mut reports: BTreeMap<(&str, bool, bool), BTreeSet<Month>> = BTreeMap::new();
    for (row, by_sku) in by_subscription.chain(by_sku) {
        reports.entry((&row.report, by_sku, row.of_customer)).or_default().insert(row.month);
    }
    for row in &facts.reported_usage {
        reports.entry((USERS_REPORT, false, false)).or_default().insert(row.month);
    }
    let report = |((report, by_sku, of_customer), months): ((&str, _, _), BTreeSet<Month>)| ReportMonths {
        report: report.to_owned(),
        by_sku,
        of_customer,
        months: months.into_iter().collect(),
    };
    reports.into_iter().map(report).collect()
}

/// What rows by customer and SKU stand for.
fn by_sku_header(customer_id: &str, sku: SkuNumber, numbers: &PartnerNumbers) -> SubscriptionHeader {
    let sku_id = numbers.sku_ids.get(&sku).map_or("", String::as_str);
    SubscriptionHeader {
        number: SubscriptionNumber::of_sku(sku),
        id: format!("{customer_id}/{sku_id}"),
        sales_channel: None,
        pricing_model: None,
        seller: Seller::Other,
        attributions: Vec::new(),
        start: None,
        end: None,
    }
}

fn written_day(text: Option<&str>) -> Result<Option<Day>, FactsError> {
    text.map(|text| text.parse().map_err(|_| damaged("a day"))).transpose()
}

fn day(days: i32) -> Result<Day, FactsError> {
    Day::from_epoch_days(days).ok_or(damaged("a day"))
}

fn month(text: &str) -> Result<Month, FactsError> {
    text.parse().map_err(|_| damaged("a month"))
}

fn count(count: Option<i64>) -> Result<Option<u32>, FactsError> {
    count.map(|count| u32::try_from(count).map_err(|_| damaged("a count"))).transpose()
}

fn seller(name: Option<&str>) -> Result<Option<Seller>, FactsError> {
    name.map(|name| Seller::from_name(name).ok_or(damaged("a seller"))).transpose()
}

/// In a fixed order and each once, so that the same attributions give the same bytes.
fn attributions(attributions: Vec<v1::Attribution>) -> Vec<Attribution> {
    let mut attributions: Vec<Attribution> = attributions
        .into_iter()
        .map(|attribution| Attribution { location: attribution.location_id, kind: attribution.r#type })
        .collect();
    attributions.sort();
    attributions.dedup();
    attributions
}
