//! Dashboards: parse the request, query metrics in one batch, compose the page.

use insights_domain::ids::name_begins;
use insights_messages::Language;
use insights_proto::metrics::v1::{Dimension, DimensionValue};
use insights_proto::reporting::v1::{
    FilterValue, GetCustomersDashboardRequest, GetCustomersDashboardResponse, GetDynamicsUsageDashboardRequest,
    GetDynamicsUsageDashboardResponse, GetLicenceAdoptionDashboardRequest, GetLicenceAdoptionDashboardResponse,
};
use insights_service::{Error, FieldViolation};
use tonic::Status;

use crate::dashboards::{
    BatchResults, DimensionNames, MonthSpan, OtherGroups, PageSelection, QueryBatch, adoption as adoption_page,
};
use crate::dashboards::{customers as customers_page, dynamics as dynamics_page};
use crate::field_paths::{of_page, rename};
use crate::metrics::CallerMetrics;

/// Attempts to get a page of one version while the last month with data moves on.
const ATTEMPTS: usize = 3;

/// The Customers dashboard.
pub async fn customers(
    metrics: &CallerMetrics,
    language: Language,
    request: GetCustomersDashboardRequest,
) -> Result<GetCustomersDashboardResponse, Status> {
    let min_version = request.min_version;
    let params = parsed(|faults| customers_page::parse(request, faults))?;
    let mut min_version = min_version;
    for _ in 0..ATTEMPTS {
        let (span, queries, results) = pinned(metrics, min_version, &params.page, customers_page::build_batch).await?;
        let named = metrics.since(results.freshness.version);
        let locations = named.names(Dimension::Location, &queries.locations(&results)).await?;
        let skus = named.names(Dimension::Sku, &queries.skus(&results)).await?;
        let names = DimensionNames::new(language).and(Dimension::Location, locations).and(Dimension::Sku, skus);
        let mut page = customers_page::compose(&params, span, &queries, &results, &names);
        if params.all_groups {
            return Ok(page);
        }
        let version = results.freshness.version;
        let trends = &mut page.distribution_trends;
        let (batch, asked) = OtherGroups::of(trends, &params.page, &span).split();
        // The largest groups are known only now, so the rest takes a second call, for the same version.
        let rest = if batch.is_empty() { results } else { metrics.batch(batch.request(version)).await?.into() };
        if rest.freshness.version == version {
            OtherGroups::fill(&asked, trends, span, &rest);
            return Ok(page);
        }
        min_version = rest.freshness.version;
    }
    Err(moved_on())
}

/// The Dynamics usage dashboard.
pub async fn dynamics(
    metrics: &CallerMetrics,
    language: Language,
    request: GetDynamicsUsageDashboardRequest,
) -> Result<GetDynamicsUsageDashboardResponse, Status> {
    let min_version = request.min_version;
    let params = parsed(|faults| dynamics_page::parse(request, faults))?;
    let products = products(&metrics.since(min_version), params.products).await?;
    let mut page = params.page;
    page.narrow(Dimension::Product, &products);
    let (span, queries, results) = pinned(metrics, min_version, &page, dynamics_page::build_batch).await?;
    let named = metrics.since(results.freshness.version);
    let skus = named.names(Dimension::Sku, &dynamics_page::skus(&queries, &results)).await?;
    let names = DimensionNames::new(language).and(Dimension::Sku, skus);
    Ok(dynamics_page::compose(&page, span, &queries, &results, &names, products))
}

/// The requested products; by default those whose names begin with Dynamics 365.
pub async fn products(metrics: &CallerMetrics, mut products: Vec<String>) -> Result<Vec<String>, Status> {
    if products.is_empty() {
        let known = metrics.search(Dimension::Product, dynamics_page::DYNAMICS).await?;
        products.extend(known.into_iter().map(|name| name.id).filter(|id| name_begins(id, dynamics_page::DYNAMICS)));
    }
    Ok(products)
}

/// The Licence adoption dashboard.
pub async fn adoption(
    metrics: &CallerMetrics,
    language: Language,
    request: GetLicenceAdoptionDashboardRequest,
) -> Result<GetLicenceAdoptionDashboardResponse, Status> {
    let min_version = request.min_version;
    let params = parsed(|faults| adoption_page::parse(request, faults))?;
    let mut customer = None;
    if let Some(id) = params.customer {
        let name = metrics.since(min_version).find_name(Dimension::Customer, &id).await?;
        let name = name.ok_or_else(|| Error::not_found("The customer"))?;
        customer = Some(FilterValue { value: Some(DimensionValue { value: Some(id) }), name });
    }
    let portfolio = customer.is_none();
    let plan = |page: &PageSelection, span: &MonthSpan| adoption_page::build_batch(page, span, portfolio);
    let (span, queries, results) = pinned(metrics, min_version, &params.page, plan).await?;
    let named = metrics.since(results.freshness.version);
    let customers = named.names(Dimension::Customer, &queries.customers(&results)).await?;
    let names = DimensionNames::new(language).and(Dimension::Customer, customers);
    let page = adoption_page::compose(&params.page, span, &queries, &results, &names);
    Ok(GetLicenceAdoptionDashboardResponse { customer, ..page })
}

/// Runs a parser that collects field violations.
pub fn parsed<T>(parse: impl FnOnce(&mut Vec<FieldViolation>) -> T) -> Result<T, Error> {
    let mut faults = Vec::new();
    let parsed = parse(&mut faults);
    if faults.is_empty() { Ok(parsed) } else { Err(Error::Invalid(faults)) }
}

/// Queries everything from one version. The months of the page depend on the last month with data, which the answer itself
/// names; when it has changed since, the queries are built and sent again.
pub async fn pinned<Q>(
    metrics: &CallerMetrics,
    min_version: i64,
    page: &PageSelection,
    plan: impl Fn(&PageSelection, &MonthSpan) -> (QueryBatch, Q),
) -> Result<(MonthSpan, Q, BatchResults), Status> {
    let mut freshness = metrics.freshness(min_version).await?;
    for _ in 0..ATTEMPTS {
        let span = page.span(&freshness)?;
        let (batch, queries) = plan(page, &span);
        let response = metrics.batch(batch.request(min_version.max(freshness.version))).await;
        let results = BatchResults::from(response.map_err(|status| rename(status, of_page))?);
        if page.span(&results.freshness)? == span {
            return Ok((span, queries, results));
        }
        freshness = results.freshness;
    }
    Err(moved_on())
}

/// The data moved into another month in every attempt.
pub fn moved_on() -> Status {
    Error::aborted("The data moved on while the page was composed; ask again.").into()
}
