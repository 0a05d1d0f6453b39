//! The Dynamics usage dashboard, for Dynamics or any products.

use insights_proto::metrics::v1::{Basis, Dimension, Explanation, Measure, Scope};
use insights_proto::reporting::v1::{
    Card, Figure, GetDynamicsUsageDashboardRequest, GetDynamicsUsageDashboardResponse, PageFilters,
};
use insights_service::FieldViolation;

use super::breakdown::{self, Parts};
use super::cards::{Figures, reasons};
use super::plan::{Asked, AskedWhy};
use super::table::Table;
use super::{Answers, Names, Page, Plan, Span};

/// What the names of Dynamics products begin with.
pub const DYNAMICS: &str = "Dynamics 365";

const MEASURES: [Measure; 4] = [Measure::Available, Measure::Assigned, Measure::Active, Measure::ActiveUsagePercent];

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Asking {
    /// What every section obeys.
    pub page: Page,
    /// The products; none: Dynamics.
    pub products: Vec<String>,
}

/// Where the answers will stand.
pub struct Questions {
    range: Asked,
    base: Asked,
    by_sku: Asked,
    by_country: Asked,
    why: AskedWhy,
    why_sku: AskedWhy,
    why_country: AskedWhy,
}

/// Parses the request.
pub fn parse(request: GetDynamicsUsageDashboardRequest, faults: &mut Vec<FieldViolation>) -> Asking {
    let (page, products) = parse_page(request.page, request.products, faults);
    Asking { page, products }
}

/// Parses the filters and products of a page about seats.
pub fn parse_page(
    page: Option<PageFilters>,
    products: Vec<String>,
    faults: &mut Vec<FieldViolation>,
) -> (Page, Vec<String>) {
    let page = Page::parse(page, Scope::SoldOrManaged, faults);
    for (index, filter) in page.filters.iter().enumerate() {
        if filter.dimension == Dimension::Service as i32 {
            let field = format!("page.filters[{index}].dimension");
            faults.push(FieldViolation::new(field, "seats are not defined by service"));
        }
    }
    for (index, product) in products.iter().enumerate() {
        if product.trim().is_empty() {
            faults.push(FieldViolation::new(format!("products[{index}]"), "needs a name"));
        }
    }
    (page, products)
}

/// What to ask of metrics.
#[must_use]
pub fn plan(page: &Page, span: &Span) -> (Plan, Questions) {
    let percentage = [Measure::ActiveUsagePercent];
    let mut plan = Plan::default();
    let questions = Questions {
        range: plan.ask(page.query(&MEASURES, &[], span.from, span.to)),
        base: plan.ask(page.query(&MEASURES, &[], span.base(), span.base())),
        by_sku: plan.ask(page.query(&MEASURES, &[Dimension::Sku], span.from, span.to)),
        by_country: plan.ask(page.query(&MEASURES, &[Dimension::Country], span.from, span.to)),
        why: plan.ask_why(page.query(&percentage, &[], span.to, span.to)),
        why_sku: plan.ask_why(page.query(&percentage, &[Dimension::Sku], span.to, span.to)),
        why_country: plan.ask_why(page.query(&percentage, &[Dimension::Country], span.to, span.to)),
    };
    (plan, questions)
}

/// The SKUs whose names the page needs.
#[must_use]
pub fn skus(questions: &Questions, answers: &Answers) -> Vec<String> {
    super::ids(answers.of(questions.by_sku))
}

/// Composes the page.
#[must_use]
pub fn compose(
    page: &Page,
    span: Span,
    questions: &Questions,
    answers: &Answers,
    names: &Names,
    products: Vec<String>,
) -> GetDynamicsUsageDashboardResponse {
    let figures = Figures {
        span,
        range: Table::new(&MEASURES, answers.of(questions.range)),
        base: Table::new(&MEASURES, answers.of(questions.base)),
    };
    let by_sku = breakdown::compose(&Parts {
        span,
        dimension: Dimension::Sku,
        measures: &MEASURES,
        result: answers.of(questions.by_sku),
        why: &[(Basis::Entitlements, answers.why(questions.why_sku))],
        names,
    });
    let by_country = breakdown::compose(&Parts {
        span,
        dimension: Dimension::Country,
        measures: &MEASURES,
        result: answers.of(questions.by_country),
        why: &[(Basis::Entitlements, answers.why(questions.why_country))],
        names,
    });
    GetDynamicsUsageDashboardResponse {
        coverage: Some(super::coverage(page, span, answers, questions.range)),
        cards: cards(&figures, answers.why(questions.why).first()),
        by_sku: Some(by_sku),
        by_country: Some(by_country),
        products,
    }
}

fn cards(figures: &Figures<'_>, why: Option<&Explanation>) -> Vec<Card> {
    let mut usage = figures.stock(Figure::ActiveUsagePercent, Measure::ActiveUsagePercent);
    usage.reasons = reasons(Basis::Entitlements, why);
    vec![
        figures.stock(Figure::AvailableSeats, Measure::Available),
        figures.stock(Figure::AssignedSeats, Measure::Assigned),
        figures.stock(Figure::ActiveSeats, Measure::Active),
        usage,
    ]
}
