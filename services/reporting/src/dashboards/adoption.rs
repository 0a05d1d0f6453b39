//! The Licence adoption dashboard: what customers do with the licences they bought.

use insights_proto::metrics::v1::{Basis, Dimension, Measure, Query, Scope, Top};
use insights_proto::reporting::v1::{
    Breakdown, Card, Figure, GetLicenceAdoptionDashboardRequest, GetLicenceAdoptionDashboardResponse, UndefinedReason,
};
use insights_service::FieldViolation;

use super::batch::{ExplainHandle, QueryHandle};
use super::breakdown::{self, BreakdownInput};
use super::cards::{RangeFigures, reasons, undefined};
use super::row_index::RowIndex;
use super::{BatchResults, DimensionNames, MonthSpan, PageSelection, QueryBatch};

const USERS: [Measure; 3] = [Measure::ActiveUsers, Measure::TotalUsers, Measure::UsagePercent];
const SEATS: [Measure; 7] = [
    Measure::Available,
    Measure::Assigned,
    Measure::Active,
    Measure::DeploymentPercent,
    Measure::ActiveUsagePercent,
    Measure::DeploymentOpportunity,
    Measure::IdleSeats,
];
const BOTH: [Measure; 10] = [
    Measure::Available,
    Measure::Assigned,
    Measure::Active,
    Measure::DeploymentPercent,
    Measure::ActiveUsagePercent,
    Measure::ActiveUsers,
    Measure::TotalUsers,
    Measure::UsagePercent,
    Measure::DeploymentOpportunity,
    Measure::IdleSeats,
];
/// Customers listed for a portfolio.
const CUSTOMERS: i32 = 100;

/// The parsed request.
#[derive(Debug, Clone)]
pub struct AdoptionParams {
    /// Months, filters and scope of every section, narrowed to the customer.
    pub page: PageSelection,
    /// Id of the one customer; `None` for the portfolio.
    pub customer: Option<String>,
}

/// Handles of the page's queries.
pub struct AdoptionQueries {
    users: QueryHandle,
    users_base: QueryHandle,
    why_users: ExplainHandle,
    seats: Option<SeatQueries>,
    by_product: QueryHandle,
    why_product: ExplainHandle,
    by_service: QueryHandle,
    why_service: ExplainHandle,
    by_customer: Option<CustomerQueries>,
}

impl AdoptionQueries {
    /// Ids of the customers whose names the page shows.
    #[must_use]
    pub fn customers(&self, results: &BatchResults) -> Vec<String> {
        self.by_customer.as_ref().map(|asked| super::ids(results.result(asked.figures))).unwrap_or_default()
    }
}

/// Handles of the queries by customer.
struct CustomerQueries {
    figures: QueryHandle,
    why_users: ExplainHandle,
    why_seats: ExplainHandle,
}

/// Handles of the queries about seats, which are undefined under a service filter.
struct SeatQueries {
    range: QueryHandle,
    base: QueryHandle,
    why: ExplainHandle,
    why_product: ExplainHandle,
}

/// Parses the request.
pub fn parse(request: GetLicenceAdoptionDashboardRequest, faults: &mut Vec<FieldViolation>) -> AdoptionParams {
    let mut page = PageSelection::parse(request.page, Scope::AllSellers, faults);
    let customer = Some(request.customer_id.trim().to_owned()).filter(|id| !id.is_empty());
    if let Some(id) = &customer {
        page.narrow(Dimension::Customer, std::slice::from_ref(id));
    }
    AdoptionParams { page, customer }
}

/// The queries of the page. Only a portfolio is split by customer.
#[must_use]
pub fn build_batch(page: &PageSelection, span: &MonthSpan, portfolio: bool) -> (QueryBatch, AdoptionQueries) {
    let percentage = [Measure::UsagePercent];
    let by_service = !page.filters_on(Dimension::Service);
    let mut batch = QueryBatch::default();
    let seats = by_service.then(|| SeatQueries {
        range: batch.query(page.query(&SEATS, &[], span.from, span.to)),
        base: batch.query(page.query(&SEATS, &[], span.base(), span.base())),
        why: batch.explain(entitlements(page.query(&percentage, &[], span.to, span.to))),
        why_product: batch.explain(entitlements(page.query(&percentage, &[Dimension::Product], span.to, span.to))),
    });
    let by_customer = (portfolio && seats.is_some()).then(|| {
        let top = |query: Query| {
            let top = Top { measure: Measure::Available as i32, count: CUSTOMERS };
            Query { top: Some(top), ..query }
        };
        let why = top(page.query(&percentage, &[Dimension::Customer], span.to, span.to));
        CustomerQueries {
            figures: batch.query(top(page.query(&BOTH, &[Dimension::Customer], span.from, span.to))),
            why_users: batch.explain(why.clone()),
            why_seats: batch.explain(entitlements(why)),
        }
    });
    let measures: &[Measure] = if seats.is_some() { &BOTH } else { &USERS };
    let queries = AdoptionQueries {
        users: batch.query(page.query(&USERS, &[], span.from, span.to)),
        users_base: batch.query(page.query(&USERS, &[], span.base(), span.base())),
        why_users: batch.explain(page.query(&percentage, &[], span.to, span.to)),
        seats,
        by_product: batch.query(page.query(measures, &[Dimension::Product], span.from, span.to)),
        why_product: batch.explain(page.query(&percentage, &[Dimension::Product], span.to, span.to)),
        by_service: batch.query(page.query(&USERS, &[Dimension::Service], span.from, span.to)),
        why_service: batch.explain(page.query(&percentage, &[Dimension::Service], span.to, span.to)),
        by_customer,
    };
    (batch, queries)
}

/// Composes the page.
#[must_use]
pub fn compose(
    page: &PageSelection,
    span: MonthSpan,
    queries: &AdoptionQueries,
    results: &BatchResults,
    names: &DimensionNames,
) -> GetLicenceAdoptionDashboardResponse {
    let mut cards = seat_cards(span, queries, results);
    cards.extend(user_cards(span, queries, results));
    GetLicenceAdoptionDashboardResponse {
        coverage: Some(super::coverage(page, span, results, queries.users)),
        cards,
        by_product: Some(by_product(span, queries, results, names)),
        by_service: Some(by_service(page, span, queries, results, names)),
        customer: None,
        by_customer: queries.by_customer.as_ref().map(|asked| by_customer(span, asked, results, names)),
    }
}

fn seat_cards(span: MonthSpan, queries: &AdoptionQueries, results: &BatchResults) -> Vec<Card> {
    let kinds = [
        (Figure::DeploymentPercent, Measure::DeploymentPercent),
        (Figure::UsagePercentEntitlements, Measure::ActiveUsagePercent),
        (Figure::AvailableSeats, Measure::Available),
        (Figure::AssignedSeats, Measure::Assigned),
        (Figure::ActiveSeats, Measure::Active),
        (Figure::DeploymentOpportunity, Measure::DeploymentOpportunity),
        (Figure::IdleSeats, Measure::IdleSeats),
    ];
    let Some(seats) = &queries.seats else {
        return kinds.iter().map(|(figure, _)| undefined(*figure, UndefinedReason::SeatsByService)).collect();
    };
    let figures = RangeFigures {
        span,
        range: RowIndex::new(&SEATS, results.result(seats.range)),
        base: RowIndex::new(&SEATS, results.result(seats.base)),
    };
    let mut cards: Vec<Card> = kinds.iter().map(|(figure, measure)| figures.stock(*figure, *measure)).collect();
    cards[1].reasons = reasons(Basis::Entitlements, results.explanations(seats.why).first());
    cards
}

fn user_cards(span: MonthSpan, queries: &AdoptionQueries, results: &BatchResults) -> Vec<Card> {
    let figures = RangeFigures {
        span,
        range: RowIndex::new(&USERS, results.result(queries.users)),
        base: RowIndex::new(&USERS, results.result(queries.users_base)),
    };
    let mut usage = figures.stock(Figure::UsagePercentUsers, Measure::UsagePercent);
    usage.reasons = reasons(Basis::Users, results.explanations(queries.why_users).first());
    vec![
        usage,
        figures.stock(Figure::ActiveUsers, Measure::ActiveUsers),
        figures.stock(Figure::TotalUsers, Measure::TotalUsers),
    ]
}

fn by_product(span: MonthSpan, queries: &AdoptionQueries, results: &BatchResults, names: &DimensionNames) -> Breakdown {
    let users = (Basis::Users, results.explanations(queries.why_product));
    let (measures, why): (&[Measure], Vec<_>) = match &queries.seats {
        Some(seats) => (&BOTH, vec![users, (Basis::Entitlements, results.explanations(seats.why_product))]),
        None => (&USERS, vec![users]),
    };
    let by_product = breakdown::compose(&BreakdownInput {
        span,
        dimension: Dimension::Product,
        measures,
        result: results.result(queries.by_product),
        why: &why,
        names,
    });
    let reason = if queries.seats.is_none() { UndefinedReason::SeatsByService } else { UndefinedReason::Unspecified };
    Breakdown { undefined_reason: reason.into(), ..by_product }
}

fn by_customer(span: MonthSpan, asked: &CustomerQueries, results: &BatchResults, names: &DimensionNames) -> Breakdown {
    breakdown::compose(&BreakdownInput {
        span,
        dimension: Dimension::Customer,
        measures: &BOTH,
        result: results.result(asked.figures),
        why: &[
            (Basis::Users, results.explanations(asked.why_users)),
            (Basis::Entitlements, results.explanations(asked.why_seats)),
        ],
        names,
    })
}

fn by_service(
    page: &PageSelection,
    span: MonthSpan,
    queries: &AdoptionQueries,
    results: &BatchResults,
    names: &DimensionNames,
) -> Breakdown {
    let mut by_service = breakdown::compose(&BreakdownInput {
        span,
        dimension: Dimension::Service,
        measures: &USERS,
        result: results.result(queries.by_service),
        why: &[(Basis::Users, results.explanations(queries.why_service))],
        names,
    });
    // A service filter matches whole subscriptions, whose other services were not asked for.
    by_service.groups.retain(|group| page.lets_through(Dimension::Service, group.key.as_ref()));
    Breakdown { undefined_reason: UndefinedReason::SeatsByService.into(), ..by_service }
}

fn entitlements(query: Query) -> Query {
    Query { basis: Basis::Entitlements as i32, ..query }
}
