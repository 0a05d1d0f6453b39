//! The Licence adoption dashboard: what customers do with the licences they bought.

use insights_proto::metrics::v1::{Basis, Dimension, Measure, Query, Scope, Top};
use insights_proto::reporting::v1::{
    Breakdown, Card, Figure, GetLicenceAdoptionDashboardRequest, GetLicenceAdoptionDashboardResponse, UndefinedReason,
};
use insights_service::FieldViolation;

use super::breakdown::{self, Parts};
use super::cards::{Figures, reasons, undefined};
use super::plan::{Asked, AskedWhy};
use super::table::Table;
use super::{Answers, Names, Page, Plan, Span};

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
/// Customers shown of the portfolio.
const CUSTOMERS: i32 = 100;

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Asking {
    /// What every section obeys, narrowed to the customer.
    pub page: Page,
    /// One customer by id.
    pub customer: Option<String>,
}

/// Where the answers will stand.
pub struct Questions {
    users: Asked,
    users_base: Asked,
    why_users: AskedWhy,
    seats: Option<Seats>,
    by_product: Asked,
    why_product: AskedWhy,
    by_service: Asked,
    why_service: AskedWhy,
    by_customer: Option<Customers>,
}

impl Questions {
    /// The customers whose names the page needs.
    #[must_use]
    pub fn customers(&self, answers: &Answers) -> Vec<String> {
        self.by_customer.as_ref().map(|asked| super::ids(answers.of(asked.figures))).unwrap_or_default()
    }
}

/// Where the answers by customer will stand.
struct Customers {
    figures: Asked,
    why_users: AskedWhy,
    why_seats: AskedWhy,
}

/// Where the answers about seats will stand, which no service filter allows.
struct Seats {
    range: Asked,
    base: Asked,
    why: AskedWhy,
    why_product: AskedWhy,
}

/// Parses the request.
pub fn parse(request: GetLicenceAdoptionDashboardRequest, faults: &mut Vec<FieldViolation>) -> Asking {
    let mut page = Page::parse(request.page, Scope::AllSellers, faults);
    let customer = Some(request.customer_id.trim().to_owned()).filter(|id| !id.is_empty());
    if let Some(id) = &customer {
        page.narrow(Dimension::Customer, std::slice::from_ref(id));
    }
    Asking { page, customer }
}

/// What to ask of metrics; customers are told apart in a portfolio only.
#[must_use]
pub fn plan(page: &Page, span: &Span, portfolio: bool) -> (Plan, Questions) {
    let percentage = [Measure::UsagePercent];
    let by_service = !page.filters_on(Dimension::Service);
    let mut plan = Plan::default();
    let seats = by_service.then(|| Seats {
        range: plan.ask(page.query(&SEATS, &[], span.from, span.to)),
        base: plan.ask(page.query(&SEATS, &[], span.base(), span.base())),
        why: plan.ask_why(entitlements(page.query(&percentage, &[], span.to, span.to))),
        why_product: plan.ask_why(entitlements(page.query(&percentage, &[Dimension::Product], span.to, span.to))),
    });
    let by_customer = (portfolio && seats.is_some()).then(|| {
        let top = |query: Query| {
            let top = Top { measure: Measure::Available as i32, count: CUSTOMERS };
            Query { top: Some(top), ..query }
        };
        let why = top(page.query(&percentage, &[Dimension::Customer], span.to, span.to));
        Customers {
            figures: plan.ask(top(page.query(&BOTH, &[Dimension::Customer], span.from, span.to))),
            why_users: plan.ask_why(why.clone()),
            why_seats: plan.ask_why(entitlements(why)),
        }
    });
    let measures: &[Measure] = if seats.is_some() { &BOTH } else { &USERS };
    let questions = Questions {
        users: plan.ask(page.query(&USERS, &[], span.from, span.to)),
        users_base: plan.ask(page.query(&USERS, &[], span.base(), span.base())),
        why_users: plan.ask_why(page.query(&percentage, &[], span.to, span.to)),
        seats,
        by_product: plan.ask(page.query(measures, &[Dimension::Product], span.from, span.to)),
        why_product: plan.ask_why(page.query(&percentage, &[Dimension::Product], span.to, span.to)),
        by_service: plan.ask(page.query(&USERS, &[Dimension::Service], span.from, span.to)),
        why_service: plan.ask_why(page.query(&percentage, &[Dimension::Service], span.to, span.to)),
        by_customer,
    };
    (plan, questions)
}

/// Composes the page.
#[must_use]
pub fn compose(
    page: &Page,
    span: Span,
    questions: &Questions,
    answers: &Answers,
    names: &Names,
) -> GetLicenceAdoptionDashboardResponse {
    let mut cards = seat_cards(span, questions, answers);
    cards.extend(user_cards(span, questions, answers));
    GetLicenceAdoptionDashboardResponse {
        coverage: Some(super::coverage(page, span, answers, questions.users)),
        cards,
        by_product: Some(by_product(span, questions, answers, names)),
        by_service: Some(by_service(page, span, questions, answers, names)),
        customer: None,
        by_customer: questions.by_customer.as_ref().map(|asked| by_customer(span, asked, answers, names)),
    }
}

fn seat_cards(span: Span, questions: &Questions, answers: &Answers) -> Vec<Card> {
    let kinds = [
        (Figure::DeploymentPercent, Measure::DeploymentPercent),
        (Figure::UsagePercentEntitlements, Measure::ActiveUsagePercent),
        (Figure::AvailableSeats, Measure::Available),
        (Figure::AssignedSeats, Measure::Assigned),
        (Figure::ActiveSeats, Measure::Active),
        (Figure::DeploymentOpportunity, Measure::DeploymentOpportunity),
        (Figure::IdleSeats, Measure::IdleSeats),
    ];
    let Some(seats) = &questions.seats else {
        return kinds.iter().map(|(figure, _)| undefined(*figure, UndefinedReason::SeatsByService)).collect();
    };
    let figures = Figures {
        span,
        range: Table::new(&SEATS, answers.of(seats.range)),
        base: Table::new(&SEATS, answers.of(seats.base)),
    };
    let mut cards: Vec<Card> = kinds.iter().map(|(figure, measure)| figures.stock(*figure, *measure)).collect();
    cards[1].reasons = reasons(Basis::Entitlements, answers.why(seats.why).first());
    cards
}

fn user_cards(span: Span, questions: &Questions, answers: &Answers) -> Vec<Card> {
    let figures = Figures {
        span,
        range: Table::new(&USERS, answers.of(questions.users)),
        base: Table::new(&USERS, answers.of(questions.users_base)),
    };
    let mut usage = figures.stock(Figure::UsagePercentUsers, Measure::UsagePercent);
    usage.reasons = reasons(Basis::Users, answers.why(questions.why_users).first());
    vec![
        usage,
        figures.stock(Figure::ActiveUsers, Measure::ActiveUsers),
        figures.stock(Figure::TotalUsers, Measure::TotalUsers),
    ]
}

fn by_product(span: Span, questions: &Questions, answers: &Answers, names: &Names) -> Breakdown {
    let users = (Basis::Users, answers.why(questions.why_product));
    let (measures, why): (&[Measure], Vec<_>) = match &questions.seats {
        Some(seats) => (&BOTH, vec![users, (Basis::Entitlements, answers.why(seats.why_product))]),
        None => (&USERS, vec![users]),
    };
    let by_product = breakdown::compose(&Parts {
        span,
        dimension: Dimension::Product,
        measures,
        result: answers.of(questions.by_product),
        why: &why,
        names,
    });
    let reason = if questions.seats.is_none() { UndefinedReason::SeatsByService } else { UndefinedReason::Unspecified };
    Breakdown { undefined_reason: reason.into(), ..by_product }
}

fn by_customer(span: Span, asked: &Customers, answers: &Answers, names: &Names) -> Breakdown {
    breakdown::compose(&Parts {
        span,
        dimension: Dimension::Customer,
        measures: &BOTH,
        result: answers.of(asked.figures),
        why: &[(Basis::Users, answers.why(asked.why_users)), (Basis::Entitlements, answers.why(asked.why_seats))],
        names,
    })
}

fn by_service(page: &Page, span: Span, questions: &Questions, answers: &Answers, names: &Names) -> Breakdown {
    let mut by_service = breakdown::compose(&Parts {
        span,
        dimension: Dimension::Service,
        measures: &USERS,
        result: answers.of(questions.by_service),
        why: &[(Basis::Users, answers.why(questions.why_service))],
        names,
    });
    // The filter lets whole subscriptions through, which carry other services too; nobody asked for those.
    by_service.groups.retain(|group| page.lets_through(Dimension::Service, group.key.as_ref()));
    Breakdown { undefined_reason: UndefinedReason::SeatsByService.into(), ..by_service }
}

fn entitlements(query: Query) -> Query {
    Query { basis: Basis::Entitlements as i32, ..query }
}
