//! Builds the input of the rules from one batch of queries to metrics.

use std::collections::{BTreeMap, HashMap};

use insights_domain::calendar::{Day, Month};
use insights_domain::standing::Standing;
use insights_proto::metrics::v1::{
    CustomerSupportCases, Dimension, Measure, Query, Result as QueryResult, Row, SubscriptionDetails, Top, value::Kind,
};

use super::config::AdviceConfig;
use super::findings::{CustomerCases, CustomerSeats, EndingSubscription, MonthSeats, MonthlySeats, SkuSeats};
use crate::dashboards::{BatchResults, MonthSpan, PageSelection, QueryBatch, QueryHandle};

const MEASURES: [Measure; 5] =
    [Measure::Available, Measure::Assigned, Measure::Active, Measure::DeploymentOpportunity, Measure::IdleSeats];
/// Most queries for one list of ids. Metrics answers a hundred queries in a batch.
const PARTS: usize = 30;
/// SKUs examined per customer, on average.
const SKUS_OF_A_CUSTOMER: i32 = 4;
/// Most pairs of customer and SKU, so that the whole answer stays within a message.
const MOST_PAIRS: i32 = 8_000;
/// Rankings whose first customers are examined.
const RANKINGS: [Measure; 3] = [Measure::Available, Measure::DeploymentOpportunity, Measure::IdleSeats];

/// What is known beside figures: ends of subscriptions and support cases.
#[derive(Clone, Debug, Default)]
pub struct AdviceContext {
    /// Subscriptions that end soon.
    pub ending: Vec<SubscriptionDetails>,
    /// Customers with how-to cases.
    pub cases: Vec<CustomerSupportCases>,
}

/// Handles of the queries.
#[derive(Debug)]
pub struct AdviceQueries {
    /// By customer and month, one per ranking; the first decides the coverage.
    pub customers: Vec<QueryHandle>,
    skus: QueryHandle,
    renewals: Vec<QueryHandle>,
    trials: Vec<QueryHandle>,
    cases: Vec<QueryHandle>,
    /// Whether ids were left out because there were too many.
    cut: bool,
}

/// Input of the rules.
#[derive(Clone, Debug, Default)]
pub struct AdviceInput {
    /// By customer.
    pub customers: Vec<CustomerSeats>,
    /// By customer and SKU.
    pub skus: Vec<SkuSeats>,
    /// Paid subscriptions that end.
    pub renewals: Vec<EndingSubscription>,
    /// Trials that end.
    pub trials: Vec<EndingSubscription>,
    /// Customers with cases.
    pub cases: Vec<CustomerCases>,
    /// Whether customers were left out.
    pub incomplete: bool,
}

/// The first month that the rules need.
#[must_use]
pub fn first_month(last: Month, config: &AdviceConfig) -> Month {
    last.plus(-config.decline_months.max(5))
}

/// The first month of trends of SKUs and of subscriptions that end. It is late because there are many of them.
fn first_of_trends(last: Month) -> Month {
    last.plus(-5)
}

/// How many pairs of customer and SKU are examined.
fn pairs(config: &AdviceConfig) -> i32 {
    config.customers.saturating_mul(SKUS_OF_A_CUSTOMER).min(MOST_PAIRS)
}

/// The queries of the rules.
#[must_use]
pub fn build_batch(
    page: &PageSelection,
    span: &MonthSpan,
    context: &AdviceContext,
    config: &AdviceConfig,
) -> (QueryBatch, AdviceQueries) {
    let mut batch = QueryBatch::default();
    let (first, last) = (first_of_trends(span.to), span.to);
    let top = |query: Query, measure: Measure| Query {
        top: Some(Top { measure: measure as i32, count: config.customers }),
        ..query
    };
    let by_customer = page.query(&MEASURES, &[Dimension::Customer], first_month(last, config), last);
    let customers = RANKINGS.iter().map(|measure| batch.query(top(by_customer.clone(), *measure))).collect();
    let by_sku = page.query(&MEASURES, &[Dimension::Customer, Dimension::Sku], first, last);
    let largest = Top { measure: Measure::Available as i32, count: pairs(config) };
    let skus = batch.query(Query { top: Some(largest), ..by_sku });
    let ids: Vec<String> = context.ending.iter().map(|details| details.subscription_id.clone()).collect();
    let by_subscription = [Dimension::Customer, Dimension::Subscription];
    let mut cut = false;
    let mut ask_each = |page: &PageSelection,
                        dimension: Dimension,
                        ids: &[String],
                        group_by: &[Dimension],
                        first|
     -> Vec<QueryHandle> {
        let chunks = ids.chunks(page.room(dimension).max(1));
        cut |= chunks.len() > PARTS;
        let narrowed = |ids: &[String]| {
            let mut page = page.clone();
            page.narrow(dimension, ids);
            page.query(&MEASURES, group_by, first, last)
        };
        chunks.take(PARTS).map(|ids| batch.query(narrowed(ids))).collect()
    };
    let renewals = ask_each(page, Dimension::Subscription, &ids, &by_subscription, first);
    let counted = Standing::ALL.into_iter().filter(|standing| standing.counts());
    let counted: Vec<String> = counted.map(|standing| standing.name().to_owned()).collect();
    let mut on_trial = page.clone();
    let some =
        on_trial.narrow(Dimension::Trial, &["true".to_owned()]) && on_trial.narrow(Dimension::Standing, &counted);
    let of_trials: &[String] = if some { &ids } else { &[] };
    let trials = ask_each(&on_trial, Dimension::Subscription, of_trials, &by_subscription, first);
    let helped: Vec<String> = context.cases.iter().map(|cases| cases.customer_id.clone()).collect();
    let cases = ask_each(page, Dimension::Customer, &helped, &[Dimension::Customer], last);
    (batch, AdviceQueries { customers, skus, renewals, trials, cases, cut })
}

impl AdviceInput {
    /// Builds the input from the results; `day` is the last day with data.
    #[must_use]
    pub fn of(
        queries: &AdviceQueries,
        results: &BatchResults,
        context: &AdviceContext,
        span: &MonthSpan,
        day: Day,
        config: &AdviceConfig,
    ) -> Self {
        let months: Vec<Month> = crate::dashboards::months(first_month(span.to, config), span.to).collect();
        let trend: Vec<Month> = crate::dashboards::months(first_of_trends(span.to), span.to).collect();
        let mut customers: BTreeMap<&str, BTreeMap<&str, MonthSeats>> = BTreeMap::new();
        let mut incomplete = queries.cut;
        for asked in &queries.customers {
            let ranked = by_key(&results.result(*asked).rows, |row| key(row, 0));
            incomplete |= i32::try_from(ranked.len()).is_ok_and(|ranked| ranked >= config.customers);
            customers.extend(ranked);
        }
        let customers = customers
            .iter()
            .map(|(customer, of)| CustomerSeats { customer: (*customer).to_owned(), seats: without_gaps(&months, of) });
        let skus = by_key(&results.result(queries.skus).rows, |row| Some((key(row, 0)?, key(row, 1)?)));
        incomplete |= i32::try_from(skus.len()).is_ok_and(|ranked| ranked >= pairs(config));
        let of_sku = |((customer, sku), of): (&(&str, &str), &BTreeMap<&str, MonthSeats>)| SkuSeats {
            customer: (*customer).to_owned(),
            sku: (*sku).to_owned(),
            seats: without_gaps(&trend, of),
        };
        Self {
            customers: customers.collect(),
            skus: skus.iter().map(of_sku).collect(),
            renewals: endings(&queries.renewals, results, context, day, &trend),
            trials: endings(&queries.trials, results, context, day, &trend),
            cases: cases(&queries.cases, results, context, &trend),
            incomplete,
        }
    }
}

/// Seats by month for each key of the rows.
fn by_key<'a, K: Ord>(
    rows: impl IntoIterator<Item = &'a Row>,
    key: impl Fn(&'a Row) -> Option<K>,
) -> BTreeMap<K, BTreeMap<&'a str, MonthSeats>> {
    let mut found: BTreeMap<K, BTreeMap<&str, MonthSeats>> = BTreeMap::new();
    for row in rows {
        if let Some(key) = key(row) {
            found.entry(key).or_default().insert(&row.month, seats(row));
        }
    }
    found
}

/// Seats of every month; a month without a row has none.
fn without_gaps(months: &[Month], of: &BTreeMap<&str, MonthSeats>) -> MonthlySeats {
    let seats = |month: &Month| (*month, of.get(month.to_string().as_str()).copied().unwrap_or_default());
    MonthlySeats(months.iter().map(seats).collect())
}

/// Subscriptions that end and have figures in the last month.
fn endings(
    asked: &[QueryHandle],
    results: &BatchResults,
    context: &AdviceContext,
    day: Day,
    months: &[Month],
) -> Vec<EndingSubscription> {
    let details: HashMap<&str, &SubscriptionDetails> =
        context.ending.iter().map(|details| (details.subscription_id.as_str(), details)).collect();
    let found = by_key(rows(asked, results), |row| Some((key(row, 0)?, key(row, 1)?)));
    let ending = |((customer, subscription), of): (&(&str, &str), &BTreeMap<&str, MonthSeats>)| {
        let details = details.get(subscription)?;
        let end: Day = details.end.parse().ok()?;
        is_now(months, of).then(|| EndingSubscription {
            customer: (*customer).to_owned(),
            subscription: details.subscription_id.clone(),
            sku: (details.sku_id.clone(), details.sku_name.clone()),
            end,
            days: end.epoch_days() - day.epoch_days(),
            seats: without_gaps(months, of),
        })
    };
    found.iter().filter_map(ending).collect()
}

fn is_now(months: &[Month], of: &BTreeMap<&str, MonthSeats>) -> bool {
    months.last().is_some_and(|last| of.contains_key(last.to_string().as_str()))
}

/// Support cases of customers with figures in the last month; a customer without is excluded by the page's filters.
fn cases(
    asked: &[QueryHandle],
    results: &BatchResults,
    context: &AdviceContext,
    months: &[Month],
) -> Vec<CustomerCases> {
    let seen = by_key(rows(asked, results), |row| key(row, 0));
    let is_seen =
        |cases: &&CustomerSupportCases| seen.get(cases.customer_id.as_str()).is_some_and(|of| is_now(months, of));
    let of = |cases: &CustomerSupportCases| CustomerCases {
        customer: cases.customer_id.clone(),
        months: cases.months.iter().filter_map(|of| Some((of.month.parse().ok()?, of.total, of.how_to))).collect(),
    };
    context.cases.iter().filter(is_seen).map(of).collect()
}

fn rows<'a>(asked: &'a [QueryHandle], results: &'a BatchResults) -> impl Iterator<Item = &'a Row> {
    asked.iter().flat_map(move |asked| &of(results, *asked).rows)
}

fn of(results: &BatchResults, asked: QueryHandle) -> &QueryResult {
    results.result(asked)
}

fn key(row: &Row, at: usize) -> Option<&str> {
    row.dimensions.get(at)?.value.as_deref()
}

fn seats(row: &Row) -> MonthSeats {
    let count = |at: usize| match row.values.get(at).and_then(|value| value.kind.as_ref()) {
        Some(Kind::Count(count)) => *count,
        _ => 0,
    };
    MonthSeats { available: count(0), assigned: count(1), active: count(2), unassigned: count(3), idle: count(4) }
}
