//! Advice: rules that find problems of customers in their figures and recommend actions. Rules are pure functions; their input
//! is queried from metrics with the caller's rights.

mod config;
mod findings;
mod input;
pub mod rules;
pub mod texts;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use insights_domain::calendar::Month;
use insights_domain::measures::NotByService;
use insights_messages::Language;
use insights_proto::metrics::v1::{Dimension, Scope};
use insights_proto::reporting::v1::{Advice, AdviceCode, AdviceCount, ListAdviceRequest};
use insights_service::{FieldViolation, PageToken, page_size};

use crate::dashboards::PageSelection;
use crate::dashboards::performance::named;

pub use config::{AdviceConfig, Weights};
pub use findings::{AdviceFinding, CustomerCases, CustomerSeats, EndingSubscription, MonthSeats, SkuSeats};
pub use input::{AdviceContext, AdviceInput, AdviceQueries, build_batch, first_month};

use texts::NamedArguments;

/// Default and largest number of findings of a page.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 500;

/// Position in the list: the number of findings before it, and the version of the data.
pub type AdvicePosition = (usize, i64);

/// The parsed request.
#[derive(Clone, Debug)]
pub struct AdviceParams {
    /// Months, filters and scope.
    pub page: PageSelection,
    /// Rules to apply; empty for all.
    pub codes: Vec<AdviceCode>,
    /// Number of findings of the page.
    pub size: usize,
    /// Position of the page.
    pub after: Option<AdvicePosition>,
}

/// Parses the request.
pub fn parse(
    request: ListAdviceRequest,
    tokens: &PageToken<AdvicePosition>,
    faults: &mut Vec<FieldViolation>,
) -> AdviceParams {
    let page = PageSelection::parse(request.page, Scope::AllSellers, faults);
    for (index, filter) in page.filters.iter().enumerate() {
        if filter.dimension == Dimension::Service as i32 {
            let field = format!("page.filters[{index}].dimension");
            faults.push(FieldViolation::new(field, NotByService::RULE));
        }
    }
    let mut codes = Vec::new();
    for (index, code) in request.codes.iter().enumerate() {
        match AdviceCode::try_from(*code) {
            Ok(AdviceCode::Unspecified) | Err(_) => {
                faults.push(FieldViolation::new(format!("codes[{index}]"), "is not a rule"));
            }
            Ok(code) => codes.push(code),
        }
    }
    let after = tokens.read(&request.page_token).unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    let size = page_size(request.page_size, PAGE, LARGEST_PAGE).unwrap_or_else(|fault| {
        faults.push(fault);
        PAGE
    });
    AdviceParams { page, codes, size, after }
}

/// All findings, highest score first.
#[must_use]
pub fn find(input: &AdviceInput, last: Month, config: &AdviceConfig) -> Vec<AdviceFinding> {
    let of_customers = input.customers.iter().flat_map(|seats| {
        [rules::low_adoption(seats, config), rules::idle_seats(seats, config), rules::steady_decline(seats, config)]
    });
    let of_skus = input.skus.iter().map(|seats| rules::seats_nearly_exhausted(seats, config));
    let of_renewals = input.renewals.iter().map(|ending| rules::unassigned_before_renewal(ending, config));
    let of_trials = input.trials.iter().map(|ending| rules::trial_ending(ending, config));
    let of_cases = input.cases.iter().map(|cases| rules::how_to_cases(cases, last, config));
    let all = of_customers.chain(of_skus).chain(of_renewals).chain(of_trials).chain(of_cases);
    let mut found: Vec<AdviceFinding> = all.flatten().collect();
    found.sort_by(|left, right| {
        let key = |it: &AdviceFinding| (Reverse(it.score), it.code as i32);
        key(left).cmp(&key(right)).then_with(|| {
            (&left.customer, &left.subscription, &left.sku).cmp(&(&right.customer, &right.subscription, &right.sku))
        })
    });
    found
}

/// Number of findings by rule.
#[must_use]
pub fn counts(found: &[AdviceFinding]) -> Vec<AdviceCount> {
    let mut counts: BTreeMap<i32, i32> = BTreeMap::new();
    for one in found {
        *counts.entry(one.code as i32).or_default() += 1;
    }
    counts.into_iter().map(|(code, count)| AdviceCount { code, count }).collect()
}

/// Composes the message of a finding in a language.
#[must_use]
pub fn compose(
    mut found: AdviceFinding,
    customers: &HashMap<String, String>,
    skus: &HashMap<String, String>,
    language: Language,
) -> Advice {
    let customer = customers.get(&found.customer).cloned().unwrap_or_default();
    let sku = skus.get(&found.sku.0).cloned().unwrap_or_else(|| found.sku.1.clone());
    let called = |name: &String, id: &String| if name.is_empty() { id.clone() } else { name.clone() };
    let (customer_called, sku_called) = (called(&customer, &found.customer), called(&sku, &found.sku.0));
    rules::name(&mut found, &customer_called, &sku_called);
    let said = texts::texts(found.code, NamedArguments(&found.arguments), language);
    Advice {
        code: found.code as i32,
        customer: Some(named(found.customer, customer)),
        subscription_id: found.subscription,
        sku: Some(named(found.sku.0, sku)).filter(|sku| sku.value.as_ref().is_some_and(|it| it.value.is_some())),
        score: found.score,
        arguments: found.arguments,
        evidence: found.evidence,
        title: said.title,
        problem: said.problem,
        because: said.because,
        consider: said.consider,
        to_try: said.to_try,
    }
}
