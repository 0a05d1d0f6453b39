//! A page shows what it was asked for: all of it, of the months asked for, and nothing else.

use std::collections::BTreeSet;

use insights_access::Role;
use insights_proto::ingestion::v1::{
    ActivityColumns, Assignment, IngestBatchRequest, IngestBatchResponse, SubscriptionState, record::Kind,
};
use insights_proto::metrics::v1::{Dimension, DimensionValue, Filter};
use insights_proto::reporting::v1::{
    GetLicenceAdoptionDashboardRequest, ListAdviceRequest, ListFilterValuesRequest, ListGlossaryTermsRequest,
    ListSubscriptionPerformanceRequest, PageFilters,
};
use insights_tests::product::{Person, Product};
use insights_tests::records::{self, smallest, text};
use tonic::Code;

const PARTNER: &str = "contoso";

/// Another customer with a subscription of a SKU that is there.
fn customer(number: usize, name: &str, sku: &str, seats: i64) -> Vec<Kind> {
    let (customer, subscription) = (format!("C-{number}"), format!("S-{number}"));
    vec![
        records::customer(&customer, |it| it.name = text(name)),
        records::subscription(&subscription, &customer, sku, |it| {
            it.seller = text("own");
            it.end = text("2025-04-20");
        }),
        records::state(&subscription, "2025-01-01", "Active", seats),
    ]
}

fn only(dimension: Dimension, value: &str) -> PageFilters {
    let values = vec![DimensionValue { value: Some(value.into()) }];
    PageFilters { filters: vec![Filter { dimension: dimension.into(), values }], ..PageFilters::default() }
}

async fn started(records: Vec<Kind>) -> (Product, Person, i64) {
    let product = Product::sqlite().await;
    let version = product.ingest(PARTNER, records).await;
    let person = product.person(&product.token(PARTNER, &[Role::GlobalAdmin], &[])).await;
    (product, person, version)
}

async fn listed(person: &mut Person, request: ListSubscriptionPerformanceRequest) -> Vec<(String, String)> {
    let request = person.request(request);
    let page = person.client.list_subscription_performance(request).await.expect("a page").into_inner();
    let value = |of: Option<insights_proto::reporting::v1::FilterValue>| of?.value?.value;
    page.subscriptions.into_iter().map(|of| (of.subscription_id, value(of.sku).unwrap_or_default())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_without_a_seat_are_subscriptions_too() {
    let mut records = smallest(10);
    records.extend(customer(2, "Unused", "SKU-1", 0));
    let (product, mut admin, min_version) = started(records).await;
    let every = ["S-1".to_owned(), "S-2".to_owned()];
    // For who ranks customers by revenue, of which there is none here, and for who ranks them by seats.
    let mut viewer = product.person(&product.token(PARTNER, &[Role::ReportViewer], &[])).await;
    for person in [&mut admin, &mut viewer] {
        for all in [true, false] {
            let request = ListSubscriptionPerformanceRequest { all, min_version, ..Default::default() };
            let found: Vec<String> = listed(person, request).await.into_iter().map(|(id, _)| id).collect();
            assert_eq!(found, every, "all: {all}");
        }
        let request = ListSubscriptionPerformanceRequest { customer_search: "unused".into(), ..Default::default() };
        assert_eq!(listed(person, request).await.len(), 1);
        let request = ListSubscriptionPerformanceRequest { all: true, page_size: 1, ..Default::default() };
        let first = person.request(request.clone());
        let first = person.client.list_subscription_performance(first).await.expect("a page").into_inner();
        let next = ListSubscriptionPerformanceRequest { page_token: first.next_page_token, ..request };
        assert_eq!(listed(person, next).await[0].0, "S-2");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_of_the_sku_that_the_range_ends_with() {
    let mut records = smallest(10);
    records.push(records::sku("SKU-2", "Field", "Dynamics 365 Field", &["Dynamics"]));
    records.push(Kind::SubscriptionState(SubscriptionState {
        subscription_id: "S-1".into(),
        effective: "2025-03-01".into(),
        status: "Active".into(),
        seats: Some(10),
        sku_id: text("SKU-2"),
        ..SubscriptionState::default()
    }));
    let (_product, mut admin, min_version) = started(records).await;
    for (from, to, expected) in [("2025-01", "2025-02", "SKU-1"), ("2025-01", "2025-03", "SKU-2")] {
        let page = PageFilters { from_month: from.into(), to_month: to.into(), ..PageFilters::default() };
        let request = ListSubscriptionPerformanceRequest { page: Some(page), min_version, ..Default::default() };
        assert_eq!(listed(&mut admin, request).await, [("S-1".to_owned(), expected.to_owned())], "{from} to {to}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_by_service_shows_no_other_service() {
    let mut records = smallest(10);
    records.push(records::sku("SKU-2", "Office", "Office 365", &["Teams", "SharePoint", "Exchange"]));
    records.extend(customer(2, "Two", "SKU-2", 5));
    // Holds what counts in every service of the SKU.
    records.push(Kind::Assignment(Assignment {
        subscription_id: "S-2".into(),
        user_id: "ann@x.example".into(),
        from_day: "2025-01-01".into(),
        ..Assignment::default()
    }));
    let (product, mut admin, _) = started(records).await;
    let services = ["Teams", "Exchange", "OneDrive"];
    let day: insights_domain::calendar::Day = "2025-03-20".parse().expect("a day");
    let activity = ActivityColumns {
        customers: vec!["C-2".into()],
        users: vec!["ann@x.example".into()],
        services: services.map(str::to_owned).to_vec(),
        customer: vec![0; services.len()],
        user: vec![0; services.len()],
        service: vec![0, 1, 2],
        day: vec![day.epoch_days(); services.len()],
        ..ActivityColumns::default()
    };
    let batch = IngestBatchRequest { activity: Some(activity), ..IngestBatchRequest::default() };
    let source = product.token(PARTNER, &[Role::DataSource], &[]);
    let path = "/insights.ingestion.v1.IngestionService/IngestBatch";
    let min_version = product.ask::<IngestBatchResponse>(path, &source, &batch).await.1.version;
    for (asked, shown) in [("Teams", "Teams"), ("onedrive", "SharePoint")] {
        let page = Some(only(Dimension::Service, asked));
        let request = admin.request(GetLicenceAdoptionDashboardRequest { page, min_version, ..Default::default() });
        let page = admin.client.get_licence_adoption_dashboard(request).await.expect("a page").into_inner();
        let groups = page.by_service.expect("services").groups;
        let services: BTreeSet<String> = groups.into_iter().filter_map(|group| group.key?.value).collect();
        assert_eq!(services, BTreeSet::from([shown.to_owned()]), "{asked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_is_given_under_every_filter() {
    let mut records = smallest(10);
    records.extend(customer(2, "Ending", "SKU-1", 20));
    let (_product, mut admin, min_version) = started(records).await;
    let mut given = Vec::new();
    for (dimension, value) in [
        (Dimension::Trial, "false"),
        (Dimension::Trial, "True"),
        (Dimension::Standing, "GRACE"),
        (Dimension::Standing, "active"),
        (Dimension::Seller, "OWN"),
    ] {
        let page = Some(only(dimension, value));
        let request = admin.request(ListAdviceRequest { page, min_version, ..Default::default() });
        let answer = admin.client.list_advice(request).await.unwrap_or_else(|status| panic!("{value}: {status}"));
        given.push(!answer.into_inner().advice.is_empty());
    }
    assert_eq!(given, [true, false, false, true, true], "seats nobody holds, of a subscription that ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_found_however_many_others_it_is_a_part_of() {
    let named = |id: String, name: &str| records::customer(&id, |it| it.name = text(name));
    let mut records = smallest(10);
    records.extend((0..250).map(|number| named(format!("T-{number}"), "A part of many")));
    records.push(named("T".into(), "Zed"));
    let (_product, mut admin, min_version) = started(records).await;
    for search in ["T", "t"] {
        let dimension = Dimension::Customer.into();
        let request = admin.request(ListFilterValuesRequest { dimension, search: search.into(), min_version });
        let answer = admin.client.list_filter_values(request).await.expect("values").into_inner();
        let first = answer.values.first().and_then(|value| value.value.clone()?.value);
        assert_eq!((first.as_deref(), answer.values.len(), answer.truncated), (Some("T"), 200, true), "{search}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_glossary_is_of_one_search() {
    let (_product, mut admin, _) = started(smallest(1)).await;
    let request = ListGlossaryTermsRequest { page_size: 2, ..Default::default() };
    let first = admin.request(request.clone());
    let first = admin.client.list_glossary_terms(first).await.expect("terms").into_inner();
    let next = ListGlossaryTermsRequest { page_token: first.next_page_token, ..request };
    let second = admin.request(next.clone());
    let second = admin.client.list_glossary_terms(second).await.expect("more terms").into_inner();
    assert!(!second.terms.is_empty() && second.terms[0] != first.terms[0]);
    let other = admin.request(ListGlossaryTermsRequest { search: "a".into(), ..next });
    let refused = admin.client.list_glossary_terms(other).await.expect_err("another search");
    assert_eq!(refused.code(), Code::InvalidArgument);
}
