//! The dashboards of the demo: card = last point of its series = sum of its non-overlapping breakdown = what a query
//! answers, under every filter. Nothing is known of the figures beforehand.

mod advice;
mod agreement;
mod asked;
mod demo;
mod distributions;
mod explained;
mod generated;
mod performance;

use insights_proto::metrics::v1::{
    Basis, Dimension, DimensionValue, Filter, Measure, Percentage, Scope, Value, value::Kind,
};
use insights_proto::reporting::v1::{
    Breakdown, Card, ChangeKind, ExplainRequest, Figure, GetCustomersDashboardResponse,
    GetDynamicsUsageDashboardResponse, GetLicenceAdoptionDashboardRequest, GetLicenceAdoptionDashboardResponse,
    PageFilters, RangePreset,
};
use tonic::Code;

use demo::{Demo, Person, query};

/// Every dimension but those of seats and services, which have rules of their own.
const DIMENSIONS: [Dimension; 14] = [
    Dimension::Country,
    Dimension::Segment,
    Dimension::Industry,
    Dimension::Customer,
    Dimension::Product,
    Dimension::Sku,
    Dimension::Location,
    Dimension::AttributionType,
    Dimension::SalesChannel,
    Dimension::PricingModel,
    Dimension::Seller,
    Dimension::Trial,
    Dimension::Standing,
    Dimension::Subscription,
];

fn card(cards: &[Card], figure: Figure) -> &Card {
    cards.iter().find(|card| card.figure() == figure).expect("a card")
}

fn count(value: Option<&Value>) -> i64 {
    match value.and_then(|value| value.kind.as_ref()) {
        Some(Kind::Count(count)) => *count,
        other => panic!("not a count: {other:?}"),
    }
}

fn percentage(card: &Card) -> Percentage {
    match card.value.as_ref().and_then(|value| value.kind.as_ref()) {
        Some(Kind::Percentage(percentage)) => *percentage,
        other => panic!("not a percentage: {other:?}"),
    }
}

/// The series of a measure, summed over the groups of a breakdown.
fn summed(breakdown: &Breakdown, measure: Measure) -> Vec<i64> {
    let place = breakdown.measures().position(|candidate| candidate == measure).expect("a measure");
    let months = breakdown.groups.first().map_or(0, |group| group.trend.len());
    let of_month =
        |month: usize| breakdown.groups.iter().map(|group| count(group.trend[month].values.get(place))).sum();
    (0..months).map(of_month).collect()
}

fn series(card: &Card) -> Vec<i64> {
    card.trend.iter().map(|point| count(point.value.as_ref())).collect()
}

fn stock_ends_its_series(card: &Card) {
    assert_eq!(card.value, card.trend.last().expect("a point").value, "{:?}", card.figure());
}

/// Where nothing matches there are no groups, and their sum is 0.
fn sums_to(breakdown: &Breakdown, measure: Measure, card: &Card, what: &str) {
    let parts = summed(breakdown, measure);
    let whole = series(card);
    if parts.is_empty() {
        assert!(whole.iter().all(|value| *value == 0), "{what}: {whole:?} of no parts");
    } else {
        assert_eq!(parts, whole, "{what}");
    }
    assert!(!breakdown.overlapping, "{what}");
}

fn check_customers(page: &GetCustomersDashboardResponse, what: &str) {
    let customers = card(&page.cards, Figure::Customers);
    stock_ends_its_series(customers);
    stock_ends_its_series(card(&page.cards, Figure::ActiveCustomers));
    stock_ends_its_series(card(&page.cards, Figure::Subscriptions));
    sums_to(page.by_country.as_ref().expect("countries"), Measure::Customers, customers, what);
    let (added, churned) = (card(&page.cards, Figure::CustomersAdded), card(&page.cards, Figure::CustomersChurned));
    assert_eq!(count(added.value.as_ref()), series(added).iter().sum::<i64>(), "{what}");
    assert_eq!(count(churned.value.as_ref()), series(churned).iter().sum::<i64>(), "{what}");
    let totals = page.totals.expect("totals");
    assert_eq!((totals.added, totals.churned), (count(added.value.as_ref()), count(churned.value.as_ref())), "{what}");
    assert_eq!(totals.net_added, totals.added - totals.churned, "{what}");
    assert_eq!(Some(&totals.last_month_churn), series(churned).last(), "{what}");
    let whole = series(customers);
    for (index, movement) in page.movements.iter().enumerate() {
        assert_eq!(movement.existing_customers + movement.new_customers, whole[index], "{what} {}", movement.month);
        if index > 0 {
            let before = whole[index - 1];
            assert_eq!(before + movement.new_customers - movement.churned_customers, whole[index], "{what}");
        }
        assert_eq!(page.activity[index].customers, whole[index], "{what}");
    }
    // The base of the change is the month before the range: what the first month began with.
    let change = customers.changes[0].change.expect("a change");
    assert_eq!(customers.changes[0].kind(), ChangeKind::Stock);
    if let Some(base) = change.denominator {
        assert_eq!(base + totals.net_added, count(customers.value.as_ref()), "{what}");
        assert_eq!(change.numerator, Some(totals.net_added), "{what}");
    }
}

fn check_seats(cards: &[Card], breakdown: &Breakdown, what: &str) {
    let parts = [
        (Figure::AvailableSeats, Measure::Available),
        (Figure::AssignedSeats, Measure::Assigned),
        (Figure::ActiveSeats, Measure::Active),
    ];
    for (figure, measure) in parts {
        let card = card(cards, figure);
        stock_ends_its_series(card);
        let (parts, whole) = (summed(breakdown, measure), series(card));
        assert!(parts == whole || (parts.is_empty() && whole.iter().all(|v| *v == 0)), "{what}: {parts:?} {whole:?}");
    }
}

fn check_reasons(card: &Card, what: &str) {
    let shown = percentage(card);
    let why = card.reasons.clone().and_then(|reasons| reasons.explanation);
    let Some(why) = why else {
        assert_eq!((shown.numerator, shown.denominator), (Some(0), Some(0)), "{what}: no reasons");
        return;
    };
    assert_eq!((Some(why.numerator), Some(why.denominator)), (shown.numerator, shown.denominator), "{what}");
    assert_eq!(why.covered + why.reasons.iter().map(|reason| reason.count).sum::<i64>(), why.numerator, "{what}");
    assert!(why.covered <= why.denominator, "{what}");
}

fn check_dynamics(page: &GetDynamicsUsageDashboardResponse, what: &str) {
    check_seats(&page.cards, page.by_sku.as_ref().expect("SKUs"), what);
    check_seats(&page.cards, page.by_country.as_ref().expect("countries"), what);
    let usage = card(&page.cards, Figure::ActiveUsagePercent);
    let shown = percentage(usage);
    assert_eq!(shown.numerator, Some(count(card(&page.cards, Figure::ActiveSeats).value.as_ref())), "{what}");
    assert_eq!(shown.denominator, Some(count(card(&page.cards, Figure::AvailableSeats).value.as_ref())), "{what}");
    check_reasons(usage, what);
}

fn check_adoption(page: &GetLicenceAdoptionDashboardResponse, what: &str) {
    check_seats(&page.cards, page.by_product.as_ref().expect("products"), what);
    let value = |figure| Some(count(card(&page.cards, figure).value.as_ref()));
    let deployment = percentage(card(&page.cards, Figure::DeploymentPercent));
    let of = (value(Figure::AssignedSeats), value(Figure::AvailableSeats));
    assert_eq!((deployment.numerator, deployment.denominator), of, "{what}");
    let entitlements = card(&page.cards, Figure::UsagePercentEntitlements);
    let shown = percentage(entitlements);
    let of = (value(Figure::ActiveSeats), value(Figure::AvailableSeats));
    assert_eq!((shown.numerator, shown.denominator), of, "{what}");
    check_reasons(entitlements, what);
    for (figure, measure) in
        [(Figure::DeploymentOpportunity, Measure::DeploymentOpportunity), (Figure::IdleSeats, Measure::IdleSeats)]
    {
        stock_ends_its_series(card(&page.cards, figure));
        let whole = series(card(&page.cards, figure));
        let parts = summed(page.by_product.as_ref().expect("products"), measure);
        assert!(parts == whole || (parts.is_empty() && whole.iter().all(|v| *v == 0)), "{what}: {figure:?}");
        // Of customers there are those with the most seats in the last month, a hundred at most.
        if let Some(customers) = page.by_customer.as_ref().filter(|customers| customers.groups.len() < 100) {
            let parts = summed(customers, measure);
            assert_eq!(parts.last().copied().unwrap_or_default(), whole[whole.len() - 1], "{what}: {figure:?}");
        }
    }
    let idle = series(card(&page.cards, Figure::IdleSeats));
    let assigned = series(card(&page.cards, Figure::AssignedSeats));
    assert!(idle.iter().zip(&assigned).all(|(idle, assigned)| idle <= assigned), "{what}: {idle:?} {assigned:?}");
    let users = card(&page.cards, Figure::UsagePercentUsers);
    let shown = percentage(users);
    assert_eq!((shown.numerator, shown.denominator), (value(Figure::ActiveUsers), value(Figure::TotalUsers)), "{what}");
    check_reasons(users, what);
}

/// What a card says is what the query says.
async fn check_against_query(person: &mut Person, page: &PageFilters, what: &str) {
    let customers = person.customers(page).await;
    let dynamics = person.dynamics(page).await;
    let adoption = person.adoption(page, "").await;
    let coverage = customers.coverage.clone().expect("coverage");
    let month = coverage.to_month;
    let cases = [
        (&customers.cards, Figure::Customers, Measure::Customers, Basis::Users, Scope::SoldOrManaged),
        (&customers.cards, Figure::ActiveCustomers, Measure::ActiveCustomers, Basis::Users, Scope::SoldOrManaged),
        (&adoption.cards, Figure::UsagePercentUsers, Measure::UsagePercent, Basis::Users, Scope::AllSellers),
        (
            &adoption.cards,
            Figure::UsagePercentEntitlements,
            Measure::UsagePercent,
            Basis::Entitlements,
            Scope::AllSellers,
        ),
        (&adoption.cards, Figure::AssignedSeats, Measure::Assigned, Basis::Users, Scope::AllSellers),
        (&adoption.cards, Figure::IdleSeats, Measure::IdleSeats, Basis::Users, Scope::AllSellers),
    ];
    for (cards, figure, measure, basis, scope) in cases {
        let asked = person.ask(measure, basis, page, scope, &month).await;
        assert_eq!(card(cards, figure).value.as_ref(), Some(&asked), "{what}: {figure:?}");
    }
    if !page.filters.iter().any(|filter| filter.dimension() == Dimension::Product) {
        let products = dynamics.products.iter().map(|name| DimensionValue { value: Some(name.clone()) }).collect();
        let mut narrowed = page.clone();
        narrowed.filters.push(Filter { dimension: Dimension::Product as i32, values: products });
        let asked = person.ask(Measure::Active, Basis::Users, &narrowed, Scope::SoldOrManaged, &month).await;
        assert_eq!(card(&dynamics.cards, Figure::ActiveSeats).value.as_ref(), Some(&asked), "{what}");
    }
    let why = query(Measure::UsagePercent, Basis::Users, page, Scope::AllSellers, &month);
    let request = person.request(ExplainRequest { query: Some(why), min_version: 0, max_bytes: 0 });
    let explained = person.client.explain(request).await.expect("reasons").into_inner().explanations;
    let shown =
        card(&adoption.cards, Figure::UsagePercentUsers).reasons.clone().and_then(|reasons| reasons.explanation);
    assert_eq!(shown.as_ref(), explained.first(), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_agree_on_every_page_under_every_filter() {
    let demo = Demo::start();
    let mut admin = demo.person(&["--role", "global_admin"]).await;
    let mut pages = vec![
        ("all".to_owned(), PageFilters::default()),
        ("3 months".to_owned(), PageFilters { preset: RangePreset::ThreeMonths as i32, ..PageFilters::default() }),
        ("switches".to_owned(), PageFilters { include_grace: true, include_free: true, ..PageFilters::default() }),
    ];
    for dimension in DIMENSIONS {
        let values = admin.values(dimension).await;
        assert!(!values.is_empty(), "{dimension:?} has no values");
        let values: Vec<_> = values.into_iter().take(2).collect();
        let filters = vec![Filter { dimension: dimension as i32, values }];
        pages.push((format!("{dimension:?}"), PageFilters { filters, ..PageFilters::default() }));
    }
    let mut above = 0;
    for (what, page) in &pages {
        let customers = admin.customers(page).await;
        check_customers(&customers, what);
        distributions::check(&customers, what);
        distributions::check_others(&mut admin, page, &customers, what).await;
        let (dynamics, adoption) = (admin.dynamics(page).await, admin.adoption(page, "").await);
        check_dynamics(&dynamics, what);
        check_adoption(&adoption, what);
        above += explained::check(&dynamics, &adoption, what);
        check_against_query(&mut admin, page, what).await;
    }
    assert!(above > 0, "nothing above 100 % was seen");
    let whole = admin.customers(&PageFilters::default()).await;
    assert!(count(card(&whole.cards, Figure::Customers).value.as_ref()) > 10, "the demo has customers");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_customer_is_the_portfolio_filtered_to_it() {
    let demo = Demo::start();
    let mut agent = demo.person(&["--role", "sales_agent"]).await;
    let customers = agent.values(Dimension::Customer).await;
    for customer in customers.iter().take(5) {
        let filters = vec![Filter { dimension: Dimension::Customer as i32, values: vec![customer.clone()] }];
        let filtered = agent.adoption(&PageFilters { filters, ..PageFilters::default() }, "").await;
        let own = agent.adoption(&PageFilters::default(), customer.value()).await;
        assert_eq!(own.cards, filtered.cards);
        check_adoption(&own, customer.value());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_caller_sees_the_rows_of_its_location_on_every_page() {
    let demo = Demo::start();
    let mut admin = demo.person(&["--role", "global_admin"]).await;
    let locations = admin.values(Dimension::Location).await;
    let location = locations.iter().find_map(|value| value.value.clone()).expect("a location");
    let mut bound = demo.person(&["--role", "admin_agent", "--location", &location]).await;
    let values = vec![DimensionValue { value: Some(location) }];
    let filters = vec![Filter { dimension: Dimension::Location as i32, values }];
    let filtered = PageFilters { filters, ..PageFilters::default() };
    let everything = PageFilters::default();

    let (own, same) = (bound.customers(&everything).await, admin.customers(&filtered).await);
    assert_eq!((own.cards, own.movements, own.by_country), (same.cards, same.movements, same.by_country));
    let (own, same) = (bound.dynamics(&everything).await, admin.dynamics(&filtered).await);
    assert_eq!((own.cards, own.by_sku), (same.cards, same.by_sku));
    let (own, same) = (bound.adoption(&everything, "").await, admin.adoption(&filtered, "").await);
    assert_eq!((own.cards, own.by_product), (same.cards, same.by_product));

    let mine = bound.values(Dimension::Customer).await;
    let everybody = admin.values(Dimension::Customer).await;
    assert!(mine.len() < everybody.len(), "{} of {}", mine.len(), everybody.len());
    let stranger = everybody.iter().find(|customer| !mine.contains(customer)).expect("somebody else's customer");
    let request = GetLicenceAdoptionDashboardRequest { customer_id: stranger.value().to_owned(), ..Default::default() };
    let request = bound.request(request);
    let refused = bound.client.get_licence_adoption_dashboard(request).await.expect_err("refused");
    assert_eq!(refused.code(), Code::NotFound);
}
