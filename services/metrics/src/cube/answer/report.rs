//! Rows of reports: what queries sum up, one by one, with what is known of the things they are about. What matches, and what
//! counts, is decided where queries decide it.

use std::collections::{BTreeMap, HashMap};

use insights_domain::amount::Amount;
use insights_domain::calendar::Month;
use insights_domain::facts::{Attribution, Seller};
use insights_domain::measures::new_seats;
use insights_domain::standing::Standing;
use insights_domain::usage::{SeatFigures, SeatRule};
use insights_proto::metrics::v1::{
    Measure, ReportAmount, ReportAttribution, ReportCustomer, ReportGrain, ReportRow, ReportSku, ReportSubscription,
};

use crate::cube::answer::rows::{AnswerRow, Figure};
use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::data::chunk::{
    ACTIVE_UNKNOWN, AttributeRun, CARRIED, ChunkCustomer, CustomerChunk, HAS_STATE, TRIAL, standing_of,
};
use crate::cube::data::cube::{Cube, Visibility};
use crate::query::Query;
use crate::rollups::header::SubscriptionHeader;

/// Which rows are wanted.
#[derive(Clone, Copy, Debug)]
pub struct ReportRequest {
    /// What they are about.
    pub grain: ReportGrain,
    /// Who looks sees personal data.
    pub personal: bool,
    /// The position of the first customer.
    pub from: usize,
    /// No further customer is begun after so many rows.
    pub enough: usize,
}

/// Rows of a report for a caller, and the position of the next customer.
pub fn report(cube: &Cube, query: &Query, view: Visibility<'_>, request: ReportRequest) -> (Vec<ReportRow>, usize) {
    if request.grain == ReportGrain::CustomerServices {
        return (services(cube, query, view, request.personal), cube.customer_count());
    }
    let compiled = CompiledQuery::new(query, cube, view);
    let (mut rows, mut next) = (Vec::new(), 0);
    for placed in compiled.chunks().as_slice() {
        for owner in &placed.chunk.customers {
            if next >= request.from {
                if rows.len() >= request.enough {
                    return (rows, next);
                }
                let personal = request.personal;
                let customer = CustomerReport { compiled: &compiled, chunk: placed.chunk, owner, personal };
                match request.grain {
                    _ if !compiled.predicate().customer(owner) => {}
                    ReportGrain::Subscriptions => customer.subscriptions(&mut rows),
                    ReportGrain::CustomerSkus => customer.skus(&mut rows),
                    ReportGrain::CustomerServices | ReportGrain::Unspecified => {}
                }
            }
            next += 1;
        }
    }
    (rows, next)
}

/// The answer to a query by customer and service, with what is known of both. What is of no service is left out.
fn services(cube: &Cube, query: &Query, view: Visibility<'_>, personal: bool) -> Vec<ReportRow> {
    let compiled = CompiledQuery::new(query, cube, view);
    let chunks = compiled.chunks().as_slice().iter();
    let customers = chunks.flat_map(|placed| placed.chunk.customers.iter().map(|it| (placed.chunk, it)));
    let customers: HashMap<&str, CustomerReport<'_>> = customers
        .map(|(chunk, owner)| {
            (owner.header.id.as_str(), CustomerReport { compiled: &compiled, chunk, owner, personal })
        })
        .collect();
    let rows = cube.query(query, view).rows.into_iter();
    let mut rows: Vec<ReportRow> = rows
        .filter_map(|row| {
            let (customer, service) = (row.dimensions.first()?.as_deref()?, row.dimensions.get(1)?.as_deref()?);
            Some(customers.get(customer)?.service(service, &row, query))
        })
        .collect();
    rows.sort_by(|left, right| {
        let key = |row: &ReportRow| row.customer.as_ref().map(|it| it.id.clone());
        key(left).cmp(&key(right))
    });
    rows
}

/// Reads one customer.
struct CustomerReport<'r> {
    compiled: &'r CompiledQuery<'r>,
    chunk: &'r CustomerChunk,
    owner: &'r ChunkCustomer,
    personal: bool,
}

/// A month of a matching subscription.
struct MatchedMonth<'r> {
    run: &'r AttributeRun,
    /// What counts under the query's switches.
    figures: SeatFigures,
    /// By code of the currency.
    revenue: Vec<(u32, Amount)>,
}

impl MatchedMonth<'_> {
    fn says_something(&self) -> bool {
        self.run.flags & HAS_STATE != 0 || self.figures.active > 0 || !self.revenue.is_empty()
    }

    /// Its standing, if it has a state at all.
    fn standing(&self) -> Option<Standing> {
        (self.run.flags & HAS_STATE != 0).then(|| standing_of(self.run.flags))
    }
}

/// What the subscriptions of a customer's SKU come to in a month.
#[derive(Default)]
struct SkuMonth {
    says_something: bool,
    /// One of them counts.
    counts: bool,
    carried: bool,
    available: u64,
    before: u64,
    revenue: BTreeMap<u32, Amount>,
    channels: Vec<String>,
    attributions: Vec<ReportAttribution>,
}

impl<'r> CustomerReport<'r> {
    /// A month of a subscription at a position, if it matches then.
    fn seen(&self, position: usize, month: i32) -> Option<MatchedMonth<'r>> {
        if month < self.compiled.range().floor.index() {
            return None;
        }
        let (chunk, subscription) = (self.chunk, &self.chunk.subscriptions[position]);
        let offset = chunk.offset(month)?;
        let run = chunk.run_at(subscription, offset).filter(|run| self.compiled.predicate().run(subscription, run))?;
        let (free, switches) = (self.compiled.products().is_free(run.sku), self.compiled.query().switches);
        let rule = SeatRule::of(standing_of(run.flags), run.flags & TRIAL != 0, free, switches);
        let figures = rule.figures(chunk.counts(chunk.count_at(subscription, offset)));
        // Who may not see revenue cannot tell by a row that there is some.
        let billed = if self.compiled.view().revenue { &chunk.months[offset].revenue[..] } else { &[] };
        let first = billed.partition_point(|row| (row.subscription as usize) < position);
        let of_this = billed[first..].iter().take_while(|row| row.subscription as usize == position);
        Some(MatchedMonth { run, figures, revenue: of_this.map(|row| (row.currency, row.amount)).collect() })
    }

    fn matching(&self) -> impl Iterator<Item = (usize, &'r SubscriptionHeader)> {
        let (compiled, chunk) = (self.compiled, self.chunk);
        let positions = self.owner.subscriptions().zip(&self.owner.header.subscriptions);
        positions.filter(move |(position, _)| compiled.predicate().names_subscription(chunk, *position))
    }

    /// The month before the range, and those of the range.
    fn months(&self) -> std::ops::RangeInclusive<i32> {
        self.compiled.range().first.index() - 1..=self.compiled.range().last.index()
    }

    fn subscriptions(&self, rows: &mut Vec<ReportRow>) {
        let first = self.compiled.range().first.index();
        for (position, header) in self.matching() {
            let (mut before, mut sku) = (0, 0);
            for month in self.months() {
                let seen = self.seen(position, month);
                let available = seen.as_ref().map_or(0, |seen| seen.figures.available);
                sku = seen.as_ref().map_or(sku, |seen| seen.run.sku);
                let told = seen.filter(MatchedMonth::says_something);
                // What is gone leaves the seats it had to be taken away.
                if month >= first && (told.is_some() || before != available) {
                    let flow = new_seats(before, available);
                    rows.extend(self.subscription(header, position, month, sku, told, flow));
                }
                before = available;
            }
        }
    }

    fn subscription(
        &self,
        header: &SubscriptionHeader,
        position: usize,
        month: i32,
        sku: u32,
        seen: Option<MatchedMonth<'_>>,
        flow: i64,
    ) -> Option<ReportRow> {
        let subscription = &self.chunk.subscriptions[position];
        let (seller, attributions) = match &seen {
            Some(seen) => seen.run.terms(subscription),
            None => (subscription.seller, subscription.attributions),
        };
        let figures = seen.as_ref().map_or_else(SeatFigures::default, |seen| seen.figures);
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let standing = seen.as_ref().and_then(MatchedMonth::standing);
        let says = |flag| seen.as_ref().is_some_and(|seen| seen.run.reported & flag != 0);
        let revenue = seen.iter().flat_map(|seen| &seen.revenue).copied();
        Some(ReportRow {
            subscription: Some(ReportSubscription {
                id: header.id.clone(),
                start: header.start.map(|day| day.to_string()),
                end: header.end.map(|day| day.to_string()),
                sales_channel: header.sales_channel.clone(),
                pricing_model: header.pricing_model.clone(),
            }),
            standing: standing.map(|standing| standing.name().to_owned()).unwrap_or_default(),
            trial: seen.as_ref().is_some_and(|seen| seen.run.flags & TRIAL != 0),
            seller: Seller::from_code(seller.into()).map_or_else(String::new, |seller| seller.name().to_owned()),
            attributions: self.attributions(attributions),
            available: self.asked(Measure::Available, count(figures.available)),
            new_seats: self.asked(Measure::NewSeats, flow),
            assigned: self.asked(Measure::Assigned, count(figures.assigned)),
            active: self.asked(Measure::Active, count(figures.active)).filter(|_| !says(ACTIVE_UNKNOWN)),
            revenue: self.revenue(revenue),
            carried: says(CARRIED),
            ..self.row(month, Some(sku))?
        })
    }

    fn skus(&self, rows: &mut Vec<ReportRow>) {
        let first = self.compiled.range().first.index();
        let mut found: BTreeMap<(u32, i32), SkuMonth> = BTreeMap::new();
        for (position, header) in self.matching() {
            for month in self.months() {
                let Some(seen) = self.seen(position, month) else { continue };
                let seats = seen.figures.available;
                if seats > 0 {
                    found.entry((seen.run.sku, month + 1)).or_default().before += seats;
                }
                found.entry((seen.run.sku, month)).or_default().add(self, position, header, seen);
            }
        }
        let told = |row: &SkuMonth| row.says_something || row.before != row.available;
        let in_range = |month: i32| month >= first && month <= self.compiled.range().last.index();
        for ((sku, month), seen) in found.into_iter().filter(|((_, month), seen)| in_range(*month) && told(seen)) {
            let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            let row = self.row(month, Some(sku)).map(|row| ReportRow {
                standing: if seen.counts { Standing::Active.name().to_owned() } else { String::new() },
                sales_channels: seen.channels,
                attributions: seen.attributions,
                available: self.asked(Measure::Available, count(seen.available)),
                new_seats: self.asked(Measure::NewSeats, new_seats(seen.before, seen.available)),
                revenue: self.revenue(seen.revenue.into_iter()),
                carried: seen.carried,
                ..row
            });
            rows.extend(row);
        }
    }

    /// What a query answers of the customer and a service in a month.
    fn service(&self, service: &str, row: &AnswerRow, query: &Query) -> ReportRow {
        let count = |measure| {
            let figure = query.measures.iter().zip(&row.values).find(|(asked, _)| **asked == measure);
            figure.and_then(|(_, figure)| if let Figure::Count(count) = figure { Some(*count) } else { None })
        };
        ReportRow {
            service: Some(service.to_owned()),
            attributions: self.attributions_of_service(service, row.month),
            active_users: count(Measure::ActiveUsers),
            total_users: count(Measure::TotalUsers),
            ..self.row(row.month.index(), None).unwrap_or_default()
        }
    }

    /// Those of matching subscriptions whose SKU carries the service, and of rows reported for it.
    fn attributions_of_service(&self, service: &str, month: Month) -> Vec<ReportAttribution> {
        let (partner, mut found) = (&self.compiled.cube().partner, Vec::new());
        let named = |number: &u32| partner.services.get(number).is_some_and(|name| name == service);
        for (position, _) in self.matching() {
            let Some(seen) = self.seen(position, month.index()) else { continue };
            let carries = partner.skus.get(&seen.run.sku).is_some_and(|sku| sku.services.iter().any(named));
            if carries && seen.run.flags & HAS_STATE != 0 {
                merge(&mut found, self.attributions(seen.run.terms(&self.chunk.subscriptions[position]).1));
            }
        }
        let customer = self.chunk.customers.iter().position(|owner| std::ptr::eq(owner, self.owner));
        if let Some((offset, customer)) = self.chunk.offset(month.index()).zip(customer) {
            for usage in self.chunk.months[offset].usage_of(customer).iter().filter(|usage| named(&usage.service)) {
                merge(&mut found, self.attributions(usage.attributions));
            }
        }
        found
    }

    /// What every row says.
    fn row(&self, month: i32, sku: Option<u32>) -> Option<ReportRow> {
        let header = &self.owner.header;
        let sku = sku.and_then(|number| self.compiled.cube().partner.skus.get(&number));
        Some(ReportRow {
            month: Month::from_index(month)?.to_string(),
            customer: Some(ReportCustomer {
                id: header.id.clone(),
                name: header.name.clone(),
                country: header.country.clone(),
                segment: header.segment.clone(),
                industry: header.industry.clone(),
                domain: header.domain.clone().filter(|_| self.personal),
            }),
            sku: sku.map(|sku| ReportSku {
                id: sku.id.clone(),
                name: sku.name.clone(),
                product: sku.product.clone(),
                free: sku.free,
            }),
            ..ReportRow::default()
        })
    }

    /// Those of a list that satisfy the filters and that the caller may see.
    fn attributions(&self, code: u32) -> Vec<ReportAttribution> {
        let cube = self.compiled.cube();
        let list = cube.dictionaries.attributions.value(code).iter();
        let shown = |it: &Attribution| ReportAttribution {
            location_name: it.location.as_ref().and_then(|id| cube.partner.locations.get(id)).cloned(),
            location_id: it.location.clone(),
            r#type: it.kind.clone(),
        };
        list.filter(|it| self.compiled.predicate().attribution(it)).map(shown).collect()
    }

    fn revenue(&self, amounts: impl Iterator<Item = (u32, Amount)>) -> Vec<ReportAmount> {
        if !self.compiled.query().measures.contains(&Measure::BilledRevenue) {
            return Vec::new();
        }
        let texts = &self.compiled.cube().dictionaries.texts;
        let shown = |(currency, amount): (u32, Amount)| ReportAmount {
            currency: texts.value(currency).clone().unwrap_or_default(),
            amount: amount.to_string(),
        };
        let mut amounts: Vec<ReportAmount> = amounts.map(shown).collect();
        amounts.sort_by(|left, right| left.currency.cmp(&right.currency));
        amounts
    }

    fn asked(&self, measure: Measure, value: i64) -> Option<i64> {
        self.compiled.query().measures.contains(&measure).then_some(value)
    }
}

impl SkuMonth {
    fn add(
        &mut self,
        reader: &CustomerReport<'_>,
        position: usize,
        header: &SubscriptionHeader,
        seen: MatchedMonth<'_>,
    ) {
        self.says_something |= seen.says_something();
        self.counts |= seen.standing().is_some_and(Standing::counts);
        self.available += seen.figures.available;
        self.carried |= seen.run.reported & CARRIED != 0;
        for (currency, amount) in &seen.revenue {
            let sum = self.revenue.entry(*currency).or_default();
            *sum = Amount::from_micros(sum.micros().saturating_add(amount.micros()));
        }
        self.channels.extend(header.sales_channel.clone().filter(|channel| !self.channels.contains(channel)));
        merge(&mut self.attributions, reader.attributions(seen.run.terms(&reader.chunk.subscriptions[position]).1));
    }
}

fn merge(found: &mut Vec<ReportAttribution>, more: Vec<ReportAttribution>) {
    for attribution in more {
        if !found.contains(&attribution) {
            found.push(attribution);
        }
    }
}
