//! The Customers dashboard.

use insights_messages::folded;
use insights_proto::metrics::v1::{Dimension, Measure, Result as QueryResult, Scope};
use insights_proto::reporting::v1::{
    ActivityPoint, Breakdown, Card, CountryOrder, CustomerTotals, Figure, GetCustomersDashboardRequest,
    GetCustomersDashboardResponse, Group, Movement,
};
use insights_service::FieldViolation;

use super::batch::QueryHandle;
use super::breakdown::{self, BreakdownInput};
use super::cards::RangeFigures;
use super::distribution;
use super::row_index::RowIndex;
use super::{BatchResults, DimensionNames, MonthSpan, PageSelection, QueryBatch};

/// Longest text to search countries for, in bytes.
const MAX_SEARCH: usize = 100;

const MEASURES: [Measure; 7] = [
    Measure::Customers,
    Measure::ActiveCustomers,
    Measure::New,
    Measure::Existing,
    Measure::Churned,
    Measure::Returning,
    Measure::Subscriptions,
];
const BY_COUNTRY: [Measure; 3] = [Measure::Customers, Measure::ActiveCustomers, Measure::New];

/// The parsed request.
#[derive(Debug, Clone)]
pub struct CustomersParams {
    /// Months, filters and scope of every section.
    pub page: PageSelection,
    /// Trends show every group.
    pub all_groups: bool,
    order: CountryOrder,
    search: String,
}

/// Handles of the page's queries.
pub struct CustomersQueries {
    range: QueryHandle,
    base: QueryHandle,
    by_country: QueryHandle,
    distribution: distribution::DistributionQueries,
}

impl CustomersQueries {
    /// Ids of the locations whose names the page shows.
    #[must_use]
    pub fn locations(&self, results: &BatchResults) -> Vec<String> {
        self.distribution.locations(results)
    }

    /// Ids of the SKUs whose names the page shows.
    #[must_use]
    pub fn skus(&self, results: &BatchResults) -> Vec<String> {
        self.distribution.skus(results)
    }
}

/// Parses the request.
pub fn parse(request: GetCustomersDashboardRequest, faults: &mut Vec<FieldViolation>) -> CustomersParams {
    let order = request.country_order.unwrap_or_default();
    let known = order.measure == Measure::Unspecified as i32 || BY_COUNTRY.iter().any(|it| *it as i32 == order.measure);
    if !known {
        faults.push(FieldViolation::new("country_order.measure", "must be customers, active_customers or new"));
    } else if order.by_code && order.measure != Measure::Unspecified as i32 {
        faults.push(FieldViolation::new("country_order.by_code", "goes without a measure"));
    }
    if order.by_name && (order.by_code || order.measure != Measure::Unspecified as i32) {
        faults.push(FieldViolation::new("country_order.by_name", "goes without a measure and without by_code"));
    }
    if request.country_search.len() > MAX_SEARCH {
        faults.push(FieldViolation::new("country_search", format!("is longer than {MAX_SEARCH} bytes")));
    }
    CustomersParams {
        page: PageSelection::parse(request.page, Scope::SoldOrManaged, faults),
        all_groups: request.all_groups,
        order,
        search: folded(request.country_search.trim()),
    }
}

/// The queries of the page.
#[must_use]
pub fn build_batch(page: &PageSelection, span: &MonthSpan) -> (QueryBatch, CustomersQueries) {
    let mut batch = QueryBatch::default();
    let queries = CustomersQueries {
        range: batch.query(page.query(&MEASURES, &[], span.from, span.to)),
        base: batch.query(page.query(&MEASURES, &[], span.base_from(), span.base())),
        by_country: batch.query(page.query(&BY_COUNTRY, &[Dimension::Country], span.base(), span.to)),
        distribution: distribution::DistributionQueries::ask(page, span, &mut batch),
    };
    (batch, queries)
}

/// Composes the page; its trends show every group.
#[must_use]
pub fn compose(
    params: &CustomersParams,
    span: MonthSpan,
    queries: &CustomersQueries,
    results: &BatchResults,
    names: &DimensionNames,
) -> GetCustomersDashboardResponse {
    let figures = RangeFigures {
        span,
        range: RowIndex::new(&MEASURES, results.result(queries.range)),
        base: RowIndex::new(&MEASURES, results.result(queries.base)),
    };
    let by_product = BreakdownInput {
        span,
        dimension: Dimension::Product,
        measures: &[Measure::Customers],
        result: queries.distribution.by(Dimension::Product, results),
        why: &[],
        names,
    };
    GetCustomersDashboardResponse {
        coverage: Some(super::coverage(&params.page, span, results, queries.range)),
        cards: cards(&figures),
        totals: Some(totals(&figures)),
        movements: span.months().map(|month| movement(&figures, month)).collect(),
        activity: span.months().map(|month| activity(&figures, month)).collect(),
        by_product: Some(breakdown::with_changes(&by_product)),
        by_country: Some(countries(params, span, results.result(queries.by_country), names)),
        skus: queries.distribution.products(span, results, names),
        distributions: queries.distribution.distributions(span, results, names),
        distribution_trends: queries.distribution.trends(span, results, names),
    }
}

fn countries(params: &CustomersParams, span: MonthSpan, result: &QueryResult, names: &DimensionNames) -> Breakdown {
    let parts = BreakdownInput { span, dimension: Dimension::Country, measures: &BY_COUNTRY, result, why: &[], names };
    let mut breakdown = breakdown::with_changes(&parts);
    let groups = &mut breakdown.groups;
    let found = |text: &str| folded(text).contains(&params.search);
    let missing = |group: &Group| group.key.as_ref().is_some_and(|key| key.value.is_none()) && found("(none)");
    groups.retain(|group| params.search.is_empty() || found(code(group)) || found(&group.name) || missing(group));
    groups.sort_by(|left, right| code(left).cmp(code(right)));
    if params.order.by_name {
        groups.sort_by_cached_key(|group| folded(&group.name));
    }
    if params.order.by_name || params.order.by_code {
        if !params.order.ascending {
            groups.reverse();
        }
    } else {
        let measure = BY_COUNTRY.iter().position(|measure| *measure as i32 == params.order.measure);
        breakdown::sort(groups, measure.unwrap_or_default(), params.order.ascending);
    }
    breakdown
}

fn code(group: &Group) -> &str {
    group.key.as_ref().and_then(|key| key.value.as_deref()).unwrap_or_default()
}

fn cards(figures: &RangeFigures<'_>) -> Vec<Card> {
    let mut churned = figures.flow(Figure::CustomersChurned, Measure::Churned);
    churned.changes.insert(0, figures.churn());
    vec![
        figures.stock(Figure::Customers, Measure::Customers),
        figures.stock(Figure::ActiveCustomers, Measure::ActiveCustomers),
        figures.flow(Figure::CustomersAdded, Measure::New),
        churned,
        figures.net_added(),
        figures.last_month_churn(),
        figures.stock(Figure::Subscriptions, Measure::Subscriptions),
    ]
}

fn totals(figures: &RangeFigures<'_>) -> CustomerTotals {
    let (added, churned) = (figures.over_range(Measure::New), figures.over_range(Measure::Churned));
    CustomerTotals {
        added,
        churned,
        net_added: added - churned,
        last_month_churn: figures.range.count(figures.span.to, Measure::Churned),
    }
}

fn movement(figures: &RangeFigures<'_>, month: insights_domain::calendar::Month) -> Movement {
    let count = |measure| figures.range.count(month, measure);
    Movement {
        month: month.to_string(),
        new_customers: count(Measure::New),
        existing_customers: count(Measure::Existing),
        churned_customers: count(Measure::Churned),
        returning_customers: count(Measure::Returning),
        partial: figures.range.row(None, month).is_some_and(|row| row.partial),
        earliest: !figures.span.arrivals_known(month),
    }
}

fn activity(figures: &RangeFigures<'_>, month: insights_domain::calendar::Month) -> ActivityPoint {
    ActivityPoint {
        month: month.to_string(),
        active_customers: figures.range.count(month, Measure::ActiveCustomers),
        customers: figures.range.count(month, Measure::Customers),
        partial: figures.range.row(None, month).is_some_and(|row| row.partial),
    }
}
