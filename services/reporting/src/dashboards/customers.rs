//! The Customers dashboard.

use std::collections::HashMap;

use insights_proto::metrics::v1::{Dimension, Measure, Scope};
use insights_proto::reporting::v1::{
    ActivityPoint, Card, CustomerTotals, Figure, GetCustomersDashboardRequest, GetCustomersDashboardResponse, Movement,
};
use insights_service::FieldViolation;

use super::breakdown::{self, Parts};
use super::cards::Figures;
use super::plan::Asked;
use super::table::Table;
use super::{Answers, Page, Plan, Span};

const MEASURES: [Measure; 7] = [
    Measure::Customers,
    Measure::ActiveCustomers,
    Measure::New,
    Measure::Existing,
    Measure::Churned,
    Measure::Returning,
    Measure::Subscriptions,
];
const BY_GROUP: [Measure; 1] = [Measure::Customers];

/// Where the answers will stand.
pub struct Questions {
    range: Asked,
    base: Asked,
    by_product: Asked,
    by_country: Asked,
}

/// Parses the request.
pub fn parse(request: GetCustomersDashboardRequest, faults: &mut Vec<FieldViolation>) -> Page {
    Page::parse(request.page, Scope::SoldOrManaged, faults)
}

/// What to ask of metrics.
#[must_use]
pub fn plan(page: &Page, span: &Span) -> (Plan, Questions) {
    let mut plan = Plan::default();
    let questions = Questions {
        range: plan.ask(page.query(&MEASURES, &[], span.from, span.to)),
        base: plan.ask(page.query(&MEASURES, &[], span.base_from(), span.base())),
        by_product: plan.ask(page.query(&BY_GROUP, &[Dimension::Product], span.from, span.to)),
        by_country: plan.ask(page.query(&BY_GROUP, &[Dimension::Country], span.from, span.to)),
    };
    (plan, questions)
}

/// Composes the page.
#[must_use]
pub fn compose(page: &Page, span: Span, questions: &Questions, answers: &Answers) -> GetCustomersDashboardResponse {
    let figures = Figures {
        span,
        range: Table::new(&MEASURES, answers.of(questions.range)),
        base: Table::new(&MEASURES, answers.of(questions.base)),
    };
    let nameless = HashMap::new();
    let by = |dimension, asked| {
        breakdown::compose(&Parts {
            span,
            dimension,
            measures: &BY_GROUP,
            result: answers.of(asked),
            why: &[],
            names: &nameless,
        })
    };
    GetCustomersDashboardResponse {
        coverage: Some(super::coverage(page, span, answers, questions.range)),
        cards: cards(&figures),
        totals: Some(totals(&figures)),
        movements: span.months().map(|month| movement(&figures, month)).collect(),
        activity: span.months().map(|month| activity(&figures, month)).collect(),
        by_product: Some(by(Dimension::Product, questions.by_product)),
        by_country: Some(by(Dimension::Country, questions.by_country)),
    }
}

fn cards(figures: &Figures<'_>) -> Vec<Card> {
    let mut churned = figures.flow(Figure::CustomersChurned, Measure::Churned);
    churned.changes.insert(0, figures.churn());
    vec![
        figures.stock(Figure::Customers, Measure::Customers),
        figures.stock(Figure::ActiveCustomers, Measure::ActiveCustomers),
        figures.flow(Figure::CustomersAdded, Measure::New),
        churned,
        figures.stock(Figure::Subscriptions, Measure::Subscriptions),
    ]
}

fn totals(figures: &Figures<'_>) -> CustomerTotals {
    let added = figures.range.sum(figures.span.months(), Measure::New);
    let churned = figures.range.sum(figures.span.months(), Measure::Churned);
    CustomerTotals {
        added,
        churned,
        net_added: added - churned,
        last_month_churn: figures.range.count(figures.span.to, Measure::Churned),
    }
}

fn movement(figures: &Figures<'_>, month: insights_domain::calendar::Month) -> Movement {
    let count = |measure| figures.range.count(month, measure);
    Movement {
        month: month.to_string(),
        new_customers: count(Measure::New),
        existing_customers: count(Measure::Existing),
        churned_customers: count(Measure::Churned),
        returning_customers: count(Measure::Returning),
        partial: figures.range.row(None, month).is_some_and(|row| row.partial),
    }
}

fn activity(figures: &Figures<'_>, month: insights_domain::calendar::Month) -> ActivityPoint {
    ActivityPoint {
        month: month.to_string(),
        active_customers: figures.range.count(month, Measure::ActiveCustomers),
        customers: figures.range.count(month, Measure::Customers),
        partial: figures.range.row(None, month).is_some_and(|row| row.partial),
    }
}
