//! The Dynamics usage dashboard. It can show any products; Dynamics 365 is the default.

use insights_domain::measures::NotByService;
use insights_proto::metrics::v1::{Basis, Dimension, Explanation, Measure, Scope};
use insights_proto::reporting::v1::{
    Card, Figure, GetDynamicsUsageDashboardRequest, GetDynamicsUsageDashboardResponse, PageFilters,
};
use insights_service::FieldViolation;

use super::batch::{ExplainHandle, QueryHandle};
use super::breakdown::{self, BreakdownInput};
use super::cards::{RangeFigures, reasons};
use super::row_index::RowIndex;
use super::{BatchResults, DimensionNames, MonthSpan, PageSelection, QueryBatch};

/// What the names of Dynamics products begin with.
pub const DYNAMICS: &str = "Dynamics 365";

const MEASURES: [Measure; 4] = [Measure::Available, Measure::Assigned, Measure::Active, Measure::ActiveUsagePercent];

/// The parsed request.
#[derive(Debug, Clone)]
pub struct DynamicsParams {
    /// Months, filters and scope of every section.
    pub page: PageSelection,
    /// Names of the products; empty for the default.
    pub products: Vec<String>,
}

/// Handles of the page's queries.
pub struct DynamicsQueries {
    range: QueryHandle,
    base: QueryHandle,
    by_sku: QueryHandle,
    by_country: QueryHandle,
    why: ExplainHandle,
    why_sku: ExplainHandle,
    why_country: ExplainHandle,
}

/// Parses the request.
pub fn parse(request: GetDynamicsUsageDashboardRequest, faults: &mut Vec<FieldViolation>) -> DynamicsParams {
    let (page, products) = parse_page(request.page, request.products, faults);
    DynamicsParams { page, products }
}

/// Parses the filters and products of a page about seats.
pub fn parse_page(
    page: Option<PageFilters>,
    products: Vec<String>,
    faults: &mut Vec<FieldViolation>,
) -> (PageSelection, Vec<String>) {
    let page = PageSelection::parse(page, Scope::SoldOrManaged, faults);
    for (index, filter) in page.filters.iter().enumerate() {
        if filter.dimension == Dimension::Service as i32 {
            let field = format!("page.filters[{index}].dimension");
            faults.push(FieldViolation::new(field, NotByService::RULE));
        }
    }
    for (index, product) in products.iter().enumerate() {
        if product.trim().is_empty() {
            faults.push(FieldViolation::new(format!("products[{index}]"), "needs a name"));
        }
    }
    (page, products)
}

/// The queries of the page.
#[must_use]
pub fn build_batch(page: &PageSelection, span: &MonthSpan) -> (QueryBatch, DynamicsQueries) {
    let percentage = [Measure::ActiveUsagePercent];
    let mut batch = QueryBatch::default();
    let queries = DynamicsQueries {
        range: batch.query(page.query(&MEASURES, &[], span.from, span.to)),
        base: batch.query(page.query(&MEASURES, &[], span.base(), span.base())),
        by_sku: batch.query(page.query(&MEASURES, &[Dimension::Sku], span.from, span.to)),
        by_country: batch.query(page.query(&MEASURES, &[Dimension::Country], span.from, span.to)),
        why: batch.explain(page.query(&percentage, &[], span.to, span.to)),
        why_sku: batch.explain(page.query(&percentage, &[Dimension::Sku], span.to, span.to)),
        why_country: batch.explain(page.query(&percentage, &[Dimension::Country], span.to, span.to)),
    };
    (batch, queries)
}

/// Ids of the SKUs whose names the page shows.
#[must_use]
pub fn skus(queries: &DynamicsQueries, results: &BatchResults) -> Vec<String> {
    super::ids(results.result(queries.by_sku))
}

/// Composes the page.
#[must_use]
pub fn compose(
    page: &PageSelection,
    span: MonthSpan,
    queries: &DynamicsQueries,
    results: &BatchResults,
    names: &DimensionNames,
    products: Vec<String>,
) -> GetDynamicsUsageDashboardResponse {
    let figures = RangeFigures {
        span,
        range: RowIndex::new(&MEASURES, results.result(queries.range)),
        base: RowIndex::new(&MEASURES, results.result(queries.base)),
    };
    let by_sku = breakdown::compose(&BreakdownInput {
        span,
        dimension: Dimension::Sku,
        measures: &MEASURES,
        result: results.result(queries.by_sku),
        why: &[(Basis::Entitlements, results.explanations(queries.why_sku))],
        names,
    });
    let by_country = breakdown::compose(&BreakdownInput {
        span,
        dimension: Dimension::Country,
        measures: &MEASURES,
        result: results.result(queries.by_country),
        why: &[(Basis::Entitlements, results.explanations(queries.why_country))],
        names,
    });
    GetDynamicsUsageDashboardResponse {
        coverage: Some(super::coverage(page, span, results, queries.range)),
        cards: cards(&figures, results.explanations(queries.why).first()),
        by_sku: Some(by_sku),
        by_country: Some(by_country),
        products,
    }
}

fn cards(figures: &RangeFigures<'_>, why: Option<&Explanation>) -> Vec<Card> {
    let mut usage = figures.stock(Figure::ActiveUsagePercent, Measure::ActiveUsagePercent);
    usage.reasons = reasons(Basis::Entitlements, why);
    vec![
        figures.stock(Figure::AvailableSeats, Measure::Available),
        figures.stock(Figure::AssignedSeats, Measure::Assigned),
        figures.stock(Figure::ActiveSeats, Measure::Active),
        usage,
    ]
}
