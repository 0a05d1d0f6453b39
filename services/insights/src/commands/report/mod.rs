//! `insights report`: a dashboard in the terminal.

mod about;
mod advice;
mod args;
mod cards;
mod figures;
mod json;
mod known;
mod labels;
mod months;
mod performance;
mod sections;
mod text;

use std::time::Duration;

use insights_messages::Language;
use insights_proto::{
    metrics::v1::{Dimension, Measure, Scope},
    reporting::v1::{
        self as wire, Breakdown, Card, CountryOrder, Coverage, FilterValue, GetCustomersDashboardRequest,
        GetDynamicsUsageDashboardRequest, GetLicenceAdoptionDashboardRequest, PageFilters,
    },
};

pub use self::args::ReportArgs;
use self::{
    about::About,
    args::{CountryOrderName, DashboardName},
};
use crate::{
    client::Caller,
    commands::query::{self, Flagged, ScopeName},
    failure::Failure,
    output,
};

const DEADLINE: Duration = Duration::from_secs(60);

/// How texts are shown.
#[derive(Clone, Copy)]
struct TextView {
    language: Language,
    /// Long lists are shown to their ends.
    all: bool,
}

// House: text.rs and json.rs each show it in their own way.
/// What a page shows, whichever it is.
#[derive(Default)]
struct DashboardParts {
    page: wire::Page,
    coverage: Coverage,
    cards: Vec<Card>,
    months: Option<months::ShownMonths>,
    breakdowns: Vec<Section>,
    trends: Option<Vec<Breakdown>>,
    products: Vec<String>,
    customer: Option<FilterValue>,
    subscriptions: Option<performance::ShownSubscriptions>,
}

/// A breakdown, and the field of the answer it stands in.
struct Section {
    field: &'static str,
    /// The product whose SKUs it tells apart.
    product: Option<String>,
    breakdown: Breakdown,
}

/// Shows a dashboard.
pub async fn run(caller: &Caller, command: &ReportArgs, language: Language, json: bool) -> Result<(), Failure> {
    check(command)?;
    let page = page_filters(command)?;
    let view = TextView { language, all: command.all };
    let known = known::look_up(caller, &page, &command.product, language).await;
    known.say_what_is_not();
    let about = About::new(command, &page, known);
    let shown = match command.page {
        DashboardName::Advice => return advice::run(caller, page, &about, view, json).await,
        DashboardName::Customers => customers(caller, page, command).await?,
        DashboardName::DynamicsUsage => dynamics(caller, page, command).await?,
        DashboardName::Adoption => adoption(caller, page, command.customer.clone().unwrap_or_default()).await?,
    };
    if json { output::print_json(&shown.json()) } else { output::print(&output::plain(&shown.text(&about, view))) }
}

/// Refuses flags of another page.
fn check(command: &ReportArgs) -> Result<(), Failure> {
    let of_usage = !command.product.is_empty() || command.search.is_some() || command.all_subscriptions;
    if of_usage && command.page != DashboardName::DynamicsUsage {
        return Err(Failure::Usage("--product, --search and --all-subscriptions belong to dynamics-usage".into()));
    }
    let of_customers = command.countries_by.is_some() || command.country_search.is_some();
    if of_customers && command.page != DashboardName::Customers {
        return Err(Failure::Usage("--countries-by and --country-search belong to customers".into()));
    }
    Ok(())
}

fn page_filters(command: &ReportArgs) -> Result<PageFilters, Failure> {
    let flags: [(_, Flagged); 2] = [
        (command.customer.is_some(), (Dimension::Customer, "--customer")),
        (!command.product.is_empty(), (Dimension::Product, "--product")),
    ];
    let flags: Vec<Flagged> = flags.into_iter().filter_map(|(given, flag)| given.then_some(flag)).collect();
    let wrong = |faults: Vec<String>| Failure::Usage(faults.join("\n"));
    let mut filters = query::filters(&command.filter, &flags).map_err(wrong)?;
    if let Some(customer) = &command.customer
        && command.page != DashboardName::Adoption
    {
        let text = format!("customer={}", query::escaped(customer));
        filters.extend(query::filters(&[text], &[]).map_err(wrong)?);
    }
    Ok(PageFilters {
        from_month: command.from.clone().unwrap_or_default(),
        to_month: command.to.clone().unwrap_or_default(),
        filters,
        include_grace: command.include_grace,
        include_free: command.include_free,
        scope: command.scope.map_or(Scope::Unspecified, ScopeName::scope).into(),
        ..PageFilters::default()
    })
}

fn country_order(command: &ReportArgs) -> CountryOrder {
    let measure = match command.countries_by {
        None | Some(CountryOrderName::Code | CountryOrderName::Name) => Measure::Unspecified,
        Some(CountryOrderName::Customers) => Measure::Customers,
        Some(CountryOrderName::ActiveCustomers) => Measure::ActiveCustomers,
        Some(CountryOrderName::New) => Measure::New,
    };
    let by_code = command.countries_by == Some(CountryOrderName::Code);
    let by_name = command.countries_by == Some(CountryOrderName::Name);
    let ascending = by_code || by_name || command.countries_ascending;
    CountryOrder { measure: measure.into(), by_code, ascending, by_name }
}

async fn customers(caller: &Caller, page: PageFilters, command: &ReportArgs) -> Result<DashboardParts, Failure> {
    let message = GetCustomersDashboardRequest {
        page: Some(page),
        country_order: Some(country_order(command)),
        country_search: command.country_search.clone().unwrap_or_default(),
        all_groups: command.all,
        ..Default::default()
    };
    let answer = caller.reporting().get_customers_dashboard(caller.request(message, DEADLINE)).await?.into_inner();
    let mut breakdowns = sections([("by_product", answer.by_product), ("by_country", answer.by_country)]);
    breakdowns.extend(sections(answer.distributions.into_iter().map(|it| ("distributions", Some(it)))));
    breakdowns.extend(answer.skus.into_iter().filter_map(|of| {
        let product = Some(of.product);
        of.by_sku.map(|breakdown| Section { field: "skus", product, breakdown })
    }));
    Ok(DashboardParts {
        page: wire::Page::Customers,
        coverage: answer.coverage.unwrap_or_default(),
        cards: answer.cards,
        months: Some(months::ShownMonths {
            totals: answer.totals.unwrap_or_default(),
            movements: answer.movements,
            activity: answer.activity,
        }),
        breakdowns,
        trends: Some(answer.distribution_trends),
        ..DashboardParts::default()
    })
}

async fn dynamics(caller: &Caller, page: PageFilters, command: &ReportArgs) -> Result<DashboardParts, Failure> {
    let products = command.product.clone();
    let message = GetDynamicsUsageDashboardRequest { page: Some(page.clone()), products, ..Default::default() };
    let answer = caller.reporting().get_dynamics_usage_dashboard(caller.request(message, DEADLINE)).await?.into_inner();
    let coverage = answer.coverage.unwrap_or_default();
    let version = coverage.freshness.as_ref().map_or(0, |freshness| freshness.version);
    Ok(DashboardParts {
        page: wire::Page::DynamicsUsage,
        coverage,
        cards: answer.cards,
        breakdowns: sections([("by_sku", answer.by_sku), ("by_country", answer.by_country)]),
        products: answer.products,
        subscriptions: Some(performance::ask(caller, page, version, command).await?),
        ..DashboardParts::default()
    })
}

async fn adoption(caller: &Caller, page: PageFilters, customer_id: String) -> Result<DashboardParts, Failure> {
    let message = GetLicenceAdoptionDashboardRequest { page: Some(page), min_version: 0, customer_id };
    let answer =
        caller.reporting().get_licence_adoption_dashboard(caller.request(message, DEADLINE)).await?.into_inner();
    let fields =
        [("by_product", answer.by_product), ("by_service", answer.by_service), ("by_customer", answer.by_customer)];
    Ok(DashboardParts {
        page: wire::Page::LicenceAdoption,
        coverage: answer.coverage.unwrap_or_default(),
        cards: answer.cards,
        breakdowns: sections(fields),
        customer: answer.customer,
        ..DashboardParts::default()
    })
}

/// The sections that the answer has.
fn sections(fields: impl IntoIterator<Item = (&'static str, Option<Breakdown>)>) -> Vec<Section> {
    let one = |(field, breakdown): (_, Option<Breakdown>)| {
        breakdown.map(|breakdown| Section { field, product: None, breakdown })
    };
    fields.into_iter().filter_map(one).collect()
}
