//! Pages over made-up figures: what a card says, what its change is measured against, and what is asked of metrics.

mod support;

use insights_access::Role;
use insights_proto::metrics::v1::{Dimension, DimensionValue, Filter, Measure, Percentage, Scope, Value, value::Kind};
use insights_proto::reporting::v1::{
    Card, Change, ChangeKind, Figure, GetCustomersDashboardRequest, GetDynamicsUsageDashboardRequest,
    GetLicenceAdoptionDashboardRequest, ListFilterValuesRequest, PageFilters, RangePreset, UndefinedReason,
};
use support::{Figures, ReportingFixture, count};
use tonic::Code;
use tonic_types::StatusExt;

const MONTH: i32 = 2026 * 12 + 2;

fn card(cards: &[Card], figure: Figure) -> &Card {
    cards.iter().find(|card| card.figure() == figure).expect("a card")
}

fn number(value: Option<&Value>) -> i64 {
    match value.and_then(|value| value.kind.as_ref()) {
        Some(Kind::Count(count)) => *count,
        other => panic!("not a count: {other:?}"),
    }
}

fn change(card: &Card, kind: ChangeKind) -> (&Change, Percentage) {
    let change = card.changes.iter().find(|change| change.kind() == kind).expect("a change");
    (change, change.change.expect("a percentage"))
}

fn filter(dimension: Dimension, value: Option<&str>) -> Filter {
    Filter { dimension: dimension as i32, values: vec![DimensionValue { value: value.map(str::to_owned) }] }
}

async fn customers(
    fixture: &ReportingFixture,
    page: PageFilters,
) -> insights_proto::reporting::v1::GetCustomersDashboardResponse {
    let request = GetCustomersDashboardRequest { page: Some(page), ..Default::default() };
    let request = fixture.request(&[Role::ReportViewer], request);
    fixture.client().get_customers_dashboard(request).await.expect("a page").into_inner()
}

#[tokio::test]
async fn the_default_range_is_twelve_months_that_end_with_the_data() {
    let fixture = ReportingFixture::start(Figures::default()).await;
    let page = customers(&fixture, PageFilters::default()).await;
    let coverage = page.coverage.expect("coverage");
    assert_eq!((coverage.from_month.as_str(), coverage.to_month.as_str()), ("2025-04", "2026-03"));
    assert_eq!(coverage.scope(), Scope::SoldOrManaged);
    assert!(coverage.partial);
    assert_eq!(page.movements.len(), 12);
    let half = PageFilters { preset: RangePreset::SixMonths as i32, ..PageFilters::default() };
    assert_eq!(customers(&fixture, half).await.movements.len(), 6);
}

#[tokio::test]
async fn stocks_flows_and_churn_change_against_their_own_bases() {
    let fixture = ReportingFixture::start(Figures::default()).await;
    let page =
        customers(&fixture, PageFilters { preset: RangePreset::ThreeMonths as i32, ..PageFilters::default() }).await;

    let stock = card(&page.cards, Figure::Customers);
    assert_eq!(number(stock.value.as_ref()), count(Measure::Customers, MONTH));
    assert_eq!(stock.trend.len(), 3);
    assert_eq!(stock.trend[2].value, stock.value);
    let (against, percentage) = change(stock, ChangeKind::Stock);
    let base = count(Measure::Customers, MONTH - 3);
    assert_eq!(against.base_to_month, "2025-12");
    assert_eq!(percentage.numerator, Some(count(Measure::Customers, MONTH) - base));
    assert_eq!(percentage.denominator, Some(base));

    let over = |months: std::ops::RangeInclusive<i32>, measure| months.map(|m| count(measure, m)).sum::<i64>();
    let (now, before) = (MONTH - 2..=MONTH, MONTH - 5..=MONTH - 3);
    let flow = card(&page.cards, Figure::CustomersAdded);
    let added = over(now.clone(), Measure::New);
    assert_eq!(number(flow.value.as_ref()), added);
    let (against, percentage) = change(flow, ChangeKind::Flow);
    assert_eq!((against.base_from_month.as_str(), against.base_to_month.as_str()), ("2025-10", "2025-12"));
    assert_eq!(percentage.denominator, Some(over(before, Measure::New)));
    assert_eq!(percentage.numerator, Some(added - percentage.denominator.unwrap_or_default()));

    let churned = over(now, Measure::Churned);
    let (_, churn) = change(card(&page.cards, Figure::CustomersChurned), ChangeKind::Churn);
    assert_eq!((churn.numerator, churn.denominator), (Some(churned), Some(base)));

    let totals = page.totals.expect("totals");
    assert_eq!((totals.added, totals.churned, totals.net_added), (added, churned, added - churned));
    assert_eq!(totals.last_month_churn, count(Measure::Churned, MONTH));
}

#[tokio::test]
async fn a_base_before_the_stored_data_gives_no_change() {
    // The range begins with the data: nothing lies before it.
    let begins = ReportingFixture::start(Figures { first_month: "2025-04".into(), ..Figures::default() }).await;
    let page = customers(&begins, PageFilters::default()).await;
    // But for the churn of the last month, which compares with the month before it.
    for card in page.cards.iter().filter(|card| card.figure() != Figure::LastMonthChurn) {
        for change in &card.changes {
            assert_eq!(change.change.and_then(|change| change.value), None, "{card:?}");
        }
    }
    // One month earlier there is a base for stocks and churn, but not for a flow, which needs as long a range.
    let earlier = ReportingFixture::start(Figures { first_month: "2025-03".into(), ..Figures::default() }).await;
    let page = customers(&earlier, PageFilters::default()).await;
    assert!(change(card(&page.cards, Figure::Customers), ChangeKind::Stock).1.value.is_some());
    assert!(change(card(&page.cards, Figure::CustomersChurned), ChangeKind::Churn).1.value.is_some());
    assert_eq!(change(card(&page.cards, Figure::CustomersAdded), ChangeKind::Flow).1.value, None);
}

#[tokio::test]
async fn who_was_there_in_the_earliest_month_is_not_added() {
    // The range begins with the data.
    let begins = ReportingFixture::start(Figures { first_month: "2026-01".into(), ..Figures::default() }).await;
    let three = PageFilters { preset: RangePreset::ThreeMonths as i32, ..PageFilters::default() };
    let page = customers(&begins, three.clone()).await;
    let added: i64 = (MONTH - 1..=MONTH).map(|month| count(Measure::New, month)).sum();
    let churned: i64 = (MONTH - 2..=MONTH).map(|month| count(Measure::Churned, month)).sum();
    let totals = page.totals.expect("totals");
    assert_eq!((totals.added, totals.net_added), (added, added - churned));
    for figure in [Figure::CustomersAdded, Figure::NetAdded] {
        assert_eq!(card(&page.cards, figure).trend[0].value.as_ref().and_then(|value| value.kind.as_ref()), None);
    }
    assert_eq!(number(card(&page.cards, Figure::CustomersAdded).value.as_ref()), added);
    // The month itself is served as it is, so that customers, new and churned go on adding up.
    assert_eq!((page.movements[0].earliest, page.movements[0].new_customers), (true, count(Measure::New, MONTH - 2)));
    assert!(!page.movements[1].earliest);
    let countries = page.by_country.expect("countries");
    let place = countries.measures().position(|measure| measure == Measure::New).expect("new");
    let of_brazil = countries.groups.iter().find(|group| group.name == "Brazil" || group.name == "BR").expect("BR");
    let sum: i64 = (MONTH - 1..=MONTH).map(|month| count(Measure::New, month) * 40 / 100).sum();
    assert_eq!(number(of_brazil.values.get(place)), sum);

    // The base of a flow contains the earliest month, so there is no change; one month more of data, and there is.
    for (first_month, known) in [("2025-10", false), ("2025-09", true)] {
        let fixture = ReportingFixture::start(Figures { first_month: first_month.into(), ..Figures::default() }).await;
        let page = customers(&fixture, three.clone()).await;
        for figure in [Figure::CustomersAdded, Figure::CustomersChurned, Figure::NetAdded] {
            let (_, percentage) = change(card(&page.cards, figure), ChangeKind::Flow);
            assert_eq!(percentage.value.is_some(), known, "{first_month} {figure:?}");
        }
    }
}

#[tokio::test]
async fn the_churn_of_the_last_month_compares_with_the_month_before_it() {
    let page = customers(&ReportingFixture::start(Figures::default()).await, PageFilters::default()).await;
    let (against, percentage) = change(card(&page.cards, Figure::LastMonthChurn), ChangeKind::Stock);
    assert_eq!((against.base_from_month.as_str(), against.base_to_month.as_str()), ("2026-02", "2026-02"));
    assert_eq!(percentage.denominator, Some(count(Measure::Churned, MONTH - 1)));

    // Nobody can have churned in the earliest month with data.
    let begins = ReportingFixture::start(Figures { first_month: "2026-02".into(), ..Figures::default() }).await;
    let page = customers(&begins, PageFilters::default()).await;
    assert_eq!(change(card(&page.cards, Figure::LastMonthChurn), ChangeKind::Stock).1.value, None);
}

#[tokio::test]
async fn every_fault_is_told_at_once_with_its_path() {
    let fixture = ReportingFixture::start(Figures::default()).await;
    let page = PageFilters {
        preset: RangePreset::SixMonths as i32,
        from_month: "2026-13".into(),
        to_month: "soon".into(),
        filters: vec![Filter { dimension: 99, values: vec![] }],
        scope: 17,
        ..PageFilters::default()
    };
    let request = GetCustomersDashboardRequest { page: Some(page), ..Default::default() };
    let request = fixture.request(&[Role::ReportViewer], request);
    let refused = fixture.client().get_customers_dashboard(request).await.expect_err("refused");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let mut fields: Vec<String> =
        refused.get_details_bad_request().expect("details").field_violations.into_iter().map(|v| v.field).collect();
    fields.sort();
    let expected = [
        "page.filters[0].dimension",
        "page.filters[0].values",
        "page.from_month",
        "page.preset",
        "page.scope",
        "page.to_month",
    ];
    assert_eq!(fields, expected);

    let late = PageFilters { from_month: "2026-01".into(), to_month: "2026-04".into(), ..PageFilters::default() };
    let request = GetCustomersDashboardRequest { page: Some(late), ..Default::default() };
    let request = fixture.request(&[Role::ReportViewer], request);
    let refused = fixture.client().get_customers_dashboard(request).await.expect_err("refused");
    assert_eq!(refused.get_details_bad_request().expect("details").field_violations[0].field, "page.to_month");
}

#[tokio::test]
async fn what_metrics_refuses_is_told_in_the_words_of_the_page() {
    let fixture = ReportingFixture::start(Figures::default()).await;
    let as_of = Some(prost_types::Timestamp { seconds: 1, nanos: 0 });
    let request = GetCustomersDashboardRequest {
        page: Some(PageFilters { as_of, ..PageFilters::default() }),
        ..Default::default()
    };
    let request = fixture.request(&[Role::ReportViewer], request);
    let refused = fixture.client().get_customers_dashboard(request).await.expect_err("refused");
    assert_eq!(refused.get_details_bad_request().expect("details").field_violations[0].field, "page.as_of");
}

#[tokio::test]
async fn dynamics_is_every_product_of_that_name_and_a_page_filter_only_narrows_it() {
    let fixture = ReportingFixture::start(Figures::default()).await;
    let ask = async |page: PageFilters, products: Vec<String>| {
        let request = GetDynamicsUsageDashboardRequest { page: Some(page), min_version: 0, products };
        let request = fixture.request(&[Role::AccountAdmin], request);
        let page = fixture.client().get_dynamics_usage_dashboard(request).await.expect("a page").into_inner();
        let asked = fixture.figures.asked.lock().expect("unpoisoned").last().cloned().expect("asked");
        let filters = asked.queries[0].filters.clone();
        assert!(asked.queries.iter().chain(&asked.explain).all(|query| query.filters == filters));
        let values = |filter: &Filter| filter.values.iter().filter_map(|v| v.value.clone()).collect::<Vec<_>>();
        let products: Vec<String> =
            filters.iter().filter(|filter| filter.dimension() == Dimension::Product).flat_map(values).collect();
        (page, products)
    };
    let (page, asked) = ask(PageFilters::default(), vec![]).await;
    assert_eq!(asked, ["Dynamics 365 Sales", "Dynamics 365 Business Central"]);
    assert_eq!(page.products, asked);
    let names: Vec<_> = page.by_sku.expect("SKUs").groups.into_iter().map(|group| group.name).collect();
    assert_eq!(names[0], "Dynamics 365 Sales Enterprise");

    let narrowed = PageFilters { filters: vec![filter(Dimension::Product, Some("Azure"))], ..PageFilters::default() };
    let (_, asked) = ask(narrowed, vec![]).await;
    assert_eq!(asked, ["(nothing in common)"]);
    let (_, asked) = ask(PageFilters::default(), vec!["Azure".into()]).await;
    assert_eq!(asked, ["Azure"]);
}

#[tokio::test]
async fn seats_by_service_are_refused_on_one_page_and_left_out_on_the_other() {
    let fixture = ReportingFixture::start(Figures::default()).await;
    let page = PageFilters { filters: vec![filter(Dimension::Service, Some("Teams"))], ..PageFilters::default() };
    let request = GetDynamicsUsageDashboardRequest { page: Some(page.clone()), min_version: 0, products: vec![] };
    let request = fixture.request(&[Role::GlobalAdmin], request);
    let refused = fixture.client().get_dynamics_usage_dashboard(request).await.expect_err("refused");
    assert_eq!(
        refused.get_details_bad_request().expect("details").field_violations[0].field,
        "page.filters[0].dimension"
    );
    let request = GetLicenceAdoptionDashboardRequest { page: Some(page), min_version: 0, customer_id: String::new() };
    let request = fixture.request(&[Role::SalesAgent], request);
    let page = fixture.client().get_licence_adoption_dashboard(request).await.expect("a page").into_inner();
    let deployment = card(&page.cards, Figure::DeploymentPercent);
    assert!(deployment.value.is_none() && deployment.undefined_reason() == UndefinedReason::SeatsByService);
    assert!(card(&page.cards, Figure::UsagePercentUsers).value.is_some());
}

#[tokio::test]
async fn adoption_names_both_bases_and_explains_them() {
    let fixture = ReportingFixture::start(Figures::default()).await;
    let request = GetLicenceAdoptionDashboardRequest::default();
    let request = fixture.request(&[Role::UserManagementAdmin], request);
    let page = fixture.client().get_licence_adoption_dashboard(request).await.expect("a page").into_inner();
    assert_eq!(page.coverage.expect("coverage").scope(), Scope::AllSellers);
    for figure in [Figure::UsagePercentUsers, Figure::UsagePercentEntitlements] {
        let card = card(&page.cards, figure);
        let Some(Kind::Percentage(shown)) = card.value.clone().expect("a value").kind else { panic!("{card:?}") };
        let why = card.reasons.clone().and_then(|reasons| reasons.explanation).expect("reasons");
        assert_eq!(Some(why.numerator), shown.numerator, "{figure:?}");
        assert_eq!(why.covered + why.reasons.iter().map(|reason| reason.count).sum::<i64>(), why.numerator);
    }
    let services = page.by_service.expect("services").groups;
    let yammer = services.iter().find(|g| g.key.as_ref().is_some_and(|k| k.value() == "Yammer")).expect("Yammer");
    let Some(Kind::Percentage(usage)) = yammer.values[2].kind else { panic!("{yammer:?}") };
    assert!(usage.value.expect("a value") > 100.0, "never clamped");
    assert_eq!(yammer.reasons.len(), 1);
}

#[tokio::test]
async fn a_customer_one_does_not_have_is_not_found() {
    let fixture = ReportingFixture::start(Figures::default()).await;
    let ask = async |customer: &str| {
        let request = GetLicenceAdoptionDashboardRequest { customer_id: customer.into(), ..Default::default() };
        let request = fixture.request(&[Role::SalesAgent], request);
        fixture.client().get_licence_adoption_dashboard(request).await
    };
    let page = ask("C-7").await.expect("a page").into_inner();
    assert_eq!(page.customer.expect("a customer").name, "Customer number 7");
    assert_eq!(ask("C-700").await.expect_err("refused").code(), Code::NotFound);
}

#[tokio::test]
async fn filter_values_are_searched_and_cut() {
    let fixture = ReportingFixture::start(Figures::default()).await;
    let ask = async |dimension: Dimension, search: &str, role: Role| {
        let request =
            ListFilterValuesRequest { dimension: dimension as i32, search: search.into(), ..Default::default() };
        let answer = fixture.client().list_filter_values(fixture.request(&[role], request)).await.expect("values");
        answer.into_inner()
    };
    let found = ask(Dimension::Customer, "NUMBER 3", Role::SalesAgent).await;
    assert_eq!(found.values.len(), 11);
    let countries = ask(Dimension::Country, "", Role::AccountAdmin).await;
    let values: Vec<_> = countries.values.iter().map(|v| v.value.as_ref().and_then(|v| v.value.as_deref())).collect();
    assert_eq!(values, [Some("BR"), Some("DE"), Some("PT"), Some("US"), None]);
    assert!(ask(Dimension::Service, "", Role::AccountAdmin).await.values.is_empty());
}
