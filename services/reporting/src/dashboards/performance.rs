//! The use of each subscription by month.

use std::collections::{BTreeMap, HashMap};

use insights_domain::amount::Amount;
use insights_proto::metrics::v1::{
    Basis, Dimension, DimensionValue, Explanation, Measure, Query, Result as QueryResult, Row, Slice,
    SubscriptionDetails, Top, value::Kind,
};
use insights_proto::reporting::v1::{
    FilterValue, ListSubscriptionPerformanceRequest, Reasons, SubscriptionPerformance,
};
use insights_service::{FieldViolation, PageToken, page_size};

use super::breakdown::{self, BreakdownInput};
use super::row_index::RowIndex;
use super::{DimensionNames, MonthSpan, PageSelection, dynamics};

/// Measures of each subscription.
pub const MEASURES: [Measure; 4] =
    [Measure::Available, Measure::Assigned, Measure::Active, Measure::ActiveUsagePercent];
/// Measures that customers rank by: the second, or the first for callers who may not see revenue.
pub const RANKING: [Measure; 2] = [Measure::Available, Measure::BilledRevenue];

/// Default and largest number of subscriptions of a page.
const PAGE: usize = 100;
const LARGEST_PAGE: usize = 500;
/// Number of customers in the ranking.
const TOP: i32 = 100;
/// Longest text to search customers for, in bytes.
const MAX_SEARCH: usize = 100;

/// The customers whose subscriptions are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionOwners {
    /// Customers that rank highest.
    Top,
    /// Customers whose id or name contains a text.
    Found(String),
    /// All customers.
    All,
}

/// Position in the list: ids of a customer and one of its subscriptions.
pub type SubscriptionKey = (String, String);

/// The parsed request.
#[derive(Debug, Clone)]
pub struct PerformanceParams {
    /// Months, filters and scope.
    pub page: PageSelection,
    /// Names of the products; empty for the default.
    pub products: Vec<String>,
    /// Customers whose subscriptions are listed.
    pub which: SubscriptionOwners,
    /// The last subscription of the page before.
    pub after: Option<SubscriptionKey>,
    /// Number of subscriptions of the page.
    pub size: usize,
}

/// Parses the request.
pub fn parse(
    request: ListSubscriptionPerformanceRequest,
    tokens: &PageToken<SubscriptionKey>,
    faults: &mut Vec<FieldViolation>,
) -> PerformanceParams {
    let search = request.customer_search.trim();
    if search.len() > MAX_SEARCH {
        faults.push(FieldViolation::new("customer_search", format!("is longer than {MAX_SEARCH} bytes")));
    }
    let which = match search {
        "" if request.all => SubscriptionOwners::All,
        "" => SubscriptionOwners::Top,
        text => SubscriptionOwners::Found(text.to_owned()),
    };
    let size = page_size(request.page_size, PAGE, LARGEST_PAGE).unwrap_or_else(|fault| {
        faults.push(fault);
        PAGE
    });
    let after = tokens.read(&request.page_token).unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    let (page, products) = dynamics::parse_page(request.page, request.products, faults);
    PerformanceParams { page, products, which, after, size }
}

/// The query for one page of all subscriptions, and one subscription more.
#[must_use]
pub fn slice(page: &PageSelection, span: &MonthSpan, after: Option<&SubscriptionKey>, size: usize) -> Query {
    let value = |text: &String| DimensionValue { value: Some(text.clone()) };
    let after = after.map(|(customer, subscription)| vec![value(customer), value(subscription)]).unwrap_or_default();
    let count = i32::try_from(size + 1).unwrap_or(i32::MAX);
    Query { slice: Some(Slice { after, count }), ..every(page, span) }
}

/// The query for all subscriptions, including those without assigned seats.
#[must_use]
pub fn every(page: &PageSelection, span: &MonthSpan) -> Query {
    let query = page.query(&MEASURES, &[Dimension::Customer, Dimension::Subscription], span.from, span.to);
    Query { every_subscription: true, ..query }
}

/// The query for the reasons of the usage in the last month; of a slice, at least for the subscriptions it returns.
#[must_use]
pub fn why(query: &Query, span: &MonthSpan) -> Query {
    let (from_month, to_month) = (span.to.to_string(), span.to.to_string());
    let measures = vec![Measure::ActiveUsagePercent as i32];
    Query { measures, from_month, to_month, every_subscription: false, ..query.clone() }
}

/// The query for the customers that rank highest.
#[must_use]
pub fn ranking(page: &PageSelection, span: &MonthSpan) -> Query {
    let top = Top { measure: Measure::BilledRevenue as i32, count: TOP };
    let query = page.query(&RANKING, &[Dimension::Customer], span.from, span.to);
    Query { top: Some(top), every_subscription: true, ..query }
}

/// Orders customers by revenue in the reporting currency over the range, or by available seats in the last month for callers
/// who may not see revenue, then by id.
#[must_use]
pub fn ranked(result: &QueryResult, span: &MonthSpan, currency: &str) -> Vec<String> {
    let last = span.to.to_string();
    let mut scores: BTreeMap<&str, i128> = BTreeMap::new();
    for row in &result.rows {
        let Some(customer) = row.dimensions.first().and_then(|key| key.value.as_deref()) else { continue };
        let score = scores.entry(customer).or_default();
        *score += match (result.redacted, row.values.get(usize::from(!result.redacted)).map(|value| &value.kind)) {
            (true, Some(Some(Kind::Count(seats)))) if row.month == last => i128::from(*seats),
            (false, Some(Some(Kind::Amount(amount)))) if row.currency == currency => {
                amount.parse::<Amount>().map_or(0, |amount| i128::from(amount.micros()))
            }
            _ => 0,
        };
    }
    let mut ranked: Vec<(&str, i128)> = scores.into_iter().collect();
    // They are ordered by id, and the sort is stable.
    ranked.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
    ranked.into_iter().map(|(customer, _)| customer.to_owned()).collect()
}

/// The subscriptions of a result, sorted by customer and id.
#[must_use]
pub fn keys(result: &QueryResult) -> Vec<SubscriptionKey> {
    let text = |row: &Row, at: usize| row.dimensions.get(at)?.value.clone();
    let mut keys: Vec<SubscriptionKey> =
        result.rows.iter().filter_map(|row| Some((text(row, 0)?, text(row, 1)?))).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Orders subscriptions by their customers' ranks and drops those up to `after`; `None` when the customer of `after` is no
/// longer ranked.
#[must_use]
pub fn by_rank(
    mut keys: Vec<SubscriptionKey>,
    ranks: &[String],
    after: Option<&SubscriptionKey>,
) -> Option<Vec<SubscriptionKey>> {
    let ranks: HashMap<&str, usize> = ranks.iter().map(String::as_str).zip(0..).collect();
    let rank =
        |(customer, subscription): &SubscriptionKey| (ranks.get(customer.as_str()).copied(), subscription.clone());
    keys.sort_by_cached_key(rank);
    if let Some(after) = after {
        ranks.get(after.0.as_str())?;
        let after = rank(after);
        keys.retain(|place| rank(place) > after);
    }
    Some(keys)
}

/// Composes the subscriptions of a page.
#[must_use]
pub fn compose(
    span: MonthSpan,
    result: &QueryResult,
    why: &[Explanation],
    keys: &[SubscriptionKey],
    details: &HashMap<String, SubscriptionDetails>,
) -> Vec<SubscriptionPerformance> {
    // Ids of subscriptions are unique, so the customer is not needed as a key.
    let rows = result.rows.iter().filter_map(|row| {
        let subscription = row.dimensions.get(1)?.clone();
        Some(Row { dimensions: vec![subscription], ..row.clone() })
    });
    let result = QueryResult { rows: rows.collect(), ..*result };
    let names = DimensionNames::default();
    let dimension = Dimension::Subscription;
    let parts = BreakdownInput { span, dimension, measures: &MEASURES, result: &result, why: &[], names: &names };
    let table = RowIndex::new(&MEASURES, &result);
    let explained = why.iter().filter(|explanation| !explanation.reasons.is_empty());
    let why: HashMap<_, _> =
        explained.filter_map(|explanation| Some((explanation.dimensions.get(1)?, explanation))).collect();
    let one = |(customer, subscription): &SubscriptionKey| {
        let key = DimensionValue { value: Some(subscription.clone()) };
        let (values, trend) = breakdown::figures(&parts, &table, &key);
        let known = details.get(subscription).cloned().unwrap_or_default();
        let reasons = why.get(&key).map(|explanation| Reasons {
            basis: Basis::Entitlements as i32,
            explanation: Some((*explanation).clone()),
        });
        SubscriptionPerformance {
            subscription_id: subscription.clone(),
            customer: Some(named(customer.clone(), known.customer_name)),
            sku: Some(named(known.sku_id, known.sku_name)),
            product: known.product,
            start: known.start,
            end: known.end,
            values,
            trend,
            reasons: reasons.into_iter().collect(),
        }
    };
    keys.iter().map(one).collect()
}

/// An id with its name.
#[must_use]
pub fn named(id: String, name: String) -> FilterValue {
    FilterValue { value: Some(DimensionValue { value: Some(id).filter(|id| !id.is_empty()) }), name }
}

#[cfg(test)]
#[path = "performance_tests.rs"]
mod tests;
