//! What the rules look at, asked of metrics in one call.

use std::collections::{BTreeMap, HashMap};

use insights_domain::calendar::{Day, Month};
use insights_proto::metrics::v1::{
    CustomerSupportCases, Dimension, Measure, Query, Result as QueryResult, Row, SubscriptionDetails, Top, value::Kind,
};

use super::config::AdviceConfig;
use super::found::{ByMonth, Cases, CustomerSeats, Ending, Seats, SkuSeats};
use crate::dashboards::{Answers, Asked, Page, Plan, Span};

const MEASURES: [Measure; 5] =
    [Measure::Available, Measure::Assigned, Measure::Active, Measure::DeploymentOpportunity, Measure::IdleSeats];
/// Questions about one list of things at most: metrics answers a hundred at once.
const PARTS: usize = 30;
/// SKUs are looked at for as many customers as have so many of them each.
const SKUS_OF_A_CUSTOMER: i32 = 4;
/// As many SKUs of customers as an answer has room for, beside the others.
const MOST_PAIRS: i32 = 8_000;
/// Customers are looked at that have the most of any of these.
const RANKINGS: [Measure; 3] = [Measure::Available, Measure::DeploymentOpportunity, Measure::IdleSeats];

/// What is known beside figures: which subscriptions end, and who asks for help.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// Subscriptions that end soon.
    pub ending: Vec<SubscriptionDetails>,
    /// Customers with how-to cases.
    pub cases: Vec<CustomerSupportCases>,
}

/// Where the answers will stand.
#[derive(Debug)]
pub struct Questions {
    /// By customer and month; the first is the main one.
    pub customers: Vec<Asked>,
    skus: Asked,
    renewals: Vec<Asked>,
    trials: Vec<Asked>,
    cases: Vec<Asked>,
    /// There was too much to ask for.
    cut: bool,
}

/// What the rules look at.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// By customer.
    pub customers: Vec<CustomerSeats>,
    /// By customer and SKU.
    pub skus: Vec<SkuSeats>,
    /// Paid subscriptions that end.
    pub renewals: Vec<Ending>,
    /// Trials that end.
    pub trials: Vec<Ending>,
    /// Customers with cases.
    pub cases: Vec<Cases>,
    /// A ranking left customers out.
    pub incomplete: bool,
}

/// The first month that rules look at.
#[must_use]
pub fn first_month(last: Month, config: &AdviceConfig) -> Month {
    last.plus(-config.decline_months.max(5))
}

/// The first month of the trends of SKUs and of subscriptions that end, of which there are many.
fn first_of_trends(last: Month) -> Month {
    last.plus(-5)
}

/// How many SKUs of customers are looked at: several of each customer, for as many as an answer can tell the trends of.
fn pairs(config: &AdviceConfig) -> i32 {
    config.customers.saturating_mul(SKUS_OF_A_CUSTOMER).min(MOST_PAIRS)
}

/// What to ask of metrics.
#[must_use]
pub fn plan(page: &Page, span: &Span, trouble: &Trouble, config: &AdviceConfig) -> (Plan, Questions) {
    let mut plan = Plan::default();
    let (first, last) = (first_of_trends(span.to), span.to);
    let top = |query: Query, measure: Measure| Query {
        top: Some(Top { measure: measure as i32, count: config.customers }),
        ..query
    };
    let by_customer = page.query(&MEASURES, &[Dimension::Customer], first_month(last, config), last);
    let customers = RANKINGS.iter().map(|measure| plan.ask(top(by_customer.clone(), *measure))).collect();
    let by_sku = page.query(&MEASURES, &[Dimension::Customer, Dimension::Sku], first, last);
    let largest = Top { measure: Measure::Available as i32, count: pairs(config) };
    let skus = plan.ask(Query { top: Some(largest), ..by_sku });
    let ids: Vec<String> = trouble.ending.iter().map(|details| details.subscription_id.clone()).collect();
    let by_subscription = [Dimension::Customer, Dimension::Subscription];
    let mut cut = false;
    let mut ask_each =
        |page: &Page, dimension: Dimension, ids: &[String], group_by: &[Dimension], first| -> Vec<Asked> {
            let chunks = ids.chunks(page.room(dimension).max(1));
            cut |= chunks.len() > PARTS;
            let narrowed = |ids: &[String]| {
                let mut page = page.clone();
                page.narrow(dimension, ids);
                page.query(&MEASURES, group_by, first, last)
            };
            chunks.take(PARTS).map(|ids| plan.ask(narrowed(ids))).collect()
        };
    let renewals = ask_each(page, Dimension::Subscription, &ids, &by_subscription, first);
    let mut on_trial = page.clone();
    let some = on_trial.narrow(Dimension::Trial, &["true".to_owned()])
        && on_trial.narrow(Dimension::Standing, &["ACTIVE".to_owned()]);
    let of_trials: &[String] = if some { &ids } else { &[] };
    let trials = ask_each(&on_trial, Dimension::Subscription, of_trials, &by_subscription, first);
    let helped: Vec<String> = trouble.cases.iter().map(|cases| cases.customer_id.clone()).collect();
    let cases = ask_each(page, Dimension::Customer, &helped, &[Dimension::Customer], last);
    (plan, Questions { customers, skus, renewals, trials, cases, cut })
}

impl Gathered {
    /// What the rules look at, from the answers; `day` is the last day of the figures.
    #[must_use]
    pub fn of(
        questions: &Questions,
        answers: &Answers,
        trouble: &Trouble,
        span: &Span,
        day: Day,
        config: &AdviceConfig,
    ) -> Self {
        let months: Vec<Month> = crate::dashboards::months(first_month(span.to, config), span.to).collect();
        let trend: Vec<Month> = crate::dashboards::months(first_of_trends(span.to), span.to).collect();
        let mut customers: BTreeMap<&str, BTreeMap<&str, Seats>> = BTreeMap::new();
        let mut incomplete = questions.cut;
        for asked in &questions.customers {
            let ranked = by_key(&answers.of(*asked).rows, |row| key(row, 0));
            incomplete |= i32::try_from(ranked.len()).is_ok_and(|ranked| ranked >= config.customers);
            customers.extend(ranked);
        }
        let customers = customers
            .iter()
            .map(|(customer, of)| CustomerSeats { customer: (*customer).to_owned(), seats: without_gaps(&months, of) });
        let skus = by_key(&answers.of(questions.skus).rows, |row| Some((key(row, 0)?, key(row, 1)?)));
        incomplete |= i32::try_from(skus.len()).is_ok_and(|ranked| ranked >= pairs(config));
        let of_sku = |((customer, sku), of): (&(&str, &str), &BTreeMap<&str, Seats>)| SkuSeats {
            customer: (*customer).to_owned(),
            sku: (*sku).to_owned(),
            seats: without_gaps(&trend, of),
        };
        Self {
            customers: customers.collect(),
            skus: skus.iter().map(of_sku).collect(),
            renewals: endings(&questions.renewals, answers, trouble, day, &trend),
            trials: endings(&questions.trials, answers, trouble, day, &trend),
            cases: cases(&questions.cases, answers, trouble, &trend),
            incomplete,
        }
    }
}

/// Seats by month of each thing that rows are about.
fn by_key<'a, K: Ord>(
    rows: impl IntoIterator<Item = &'a Row>,
    key: impl Fn(&'a Row) -> Option<K>,
) -> BTreeMap<K, BTreeMap<&'a str, Seats>> {
    let mut found: BTreeMap<K, BTreeMap<&str, Seats>> = BTreeMap::new();
    for row in rows {
        if let Some(key) = key(row) {
            found.entry(key).or_default().insert(&row.month, seats(row));
        }
    }
    found
}

/// Months without a row have no seats.
fn without_gaps(months: &[Month], of: &BTreeMap<&str, Seats>) -> ByMonth {
    let seats = |month: &Month| (*month, of.get(month.to_string().as_str()).copied().unwrap_or_default());
    ByMonth(months.iter().map(seats).collect())
}

/// Subscriptions that end and have figures in the last month.
fn endings(asked: &[Asked], answers: &Answers, trouble: &Trouble, day: Day, months: &[Month]) -> Vec<Ending> {
    let details: HashMap<&str, &SubscriptionDetails> =
        trouble.ending.iter().map(|details| (details.subscription_id.as_str(), details)).collect();
    let found = by_key(rows(asked, answers), |row| Some((key(row, 0)?, key(row, 1)?)));
    let ending = |((customer, subscription), of): (&(&str, &str), &BTreeMap<&str, Seats>)| {
        let details = details.get(subscription)?;
        let end: Day = details.end.parse().ok()?;
        is_now(months, of).then(|| Ending {
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

fn is_now(months: &[Month], of: &BTreeMap<&str, Seats>) -> bool {
    months.last().is_some_and(|last| of.contains_key(last.to_string().as_str()))
}

/// Support cases of customers that have figures in the last month: whoever has none is not under the page's filters.
fn cases(asked: &[Asked], answers: &Answers, trouble: &Trouble, months: &[Month]) -> Vec<Cases> {
    let seen = by_key(rows(asked, answers), |row| key(row, 0));
    let is_seen =
        |cases: &&CustomerSupportCases| seen.get(cases.customer_id.as_str()).is_some_and(|of| is_now(months, of));
    let of = |cases: &CustomerSupportCases| Cases {
        customer: cases.customer_id.clone(),
        months: cases.months.iter().filter_map(|of| Some((of.month.parse().ok()?, of.total, of.how_to))).collect(),
    };
    trouble.cases.iter().filter(is_seen).map(of).collect()
}

fn rows<'a>(asked: &'a [Asked], answers: &'a Answers) -> impl Iterator<Item = &'a Row> {
    asked.iter().flat_map(move |asked| &of(answers, *asked).rows)
}

fn of(answers: &Answers, asked: Asked) -> &QueryResult {
    answers.of(asked)
}

fn key(row: &Row, at: usize) -> Option<&str> {
    row.dimensions.get(at)?.value.as_deref()
}

fn seats(row: &Row) -> Seats {
    let count = |at: usize| match row.values.get(at).and_then(|value| value.kind.as_ref()) {
        Some(Kind::Count(count)) => *count,
        _ => 0,
    };
    Seats { available: count(0), assigned: count(1), active: count(2), unassigned: count(3), idle: count(4) }
}
