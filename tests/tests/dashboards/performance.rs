//! How subscriptions are used: pages are together the query, the sum is the card, ranks tell nobody of revenue who may not
//! see it.

use std::collections::{BTreeMap, BTreeSet};

use insights_proto::metrics::v1::{
    Dimension, DimensionValue, Filter, Measure, Query, Result as QueryResult, Scope, Value, value::Kind,
};
use insights_proto::reporting::v1::{
    Figure, ListSubscriptionPerformanceRequest, ListSubscriptionPerformanceResponse, PageFilters, QueryRequest,
    SubscriptionPerformance,
};
use tonic::Code;

use super::demo::{Demo, Person};
use super::{card, count, explained, series};

const MEASURES: [Measure; 4] = [Measure::Available, Measure::Assigned, Measure::Active, Measure::ActiveUsagePercent];

impl Person {
    async fn page(
        &mut self,
        request: &ListSubscriptionPerformanceRequest,
    ) -> Result<ListSubscriptionPerformanceResponse, tonic::Status> {
        let request = self.request(request.clone());
        self.client.list_subscription_performance(request).await.map(tonic::Response::into_inner)
    }

    /// Every page of a list.
    async fn every_page(&mut self, request: &ListSubscriptionPerformanceRequest) -> Vec<SubscriptionPerformance> {
        let mut request = request.clone();
        let (mut found, mut pages) = (Vec::new(), 0);
        loop {
            let page = self.page(&request).await.expect("a page");
            assert!(request.page_size == 0 || page.subscriptions.len() <= request.page_size as usize);
            found.extend(page.subscriptions);
            pages += 1;
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                assert!(request.page_size == 0 || pages >= found.len() / request.page_size as usize);
                return found;
            }
        }
    }

    async fn rows(&mut self, query: Query) -> QueryResult {
        let request = self.request(QueryRequest { query: Some(query), min_version: 0, max_bytes: 0 });
        self.client.query(request).await.expect("an answer").into_inner().result.expect("a result")
    }
}

fn id(of: &SubscriptionPerformance) -> (String, String) {
    let customer = of.customer.as_ref().and_then(|it| it.value.as_ref()).and_then(|it| it.value.clone());
    (customer.expect("a customer"), of.subscription_id.clone())
}

fn ids(found: &[SubscriptionPerformance]) -> Vec<(String, String)> {
    found.iter().map(id).collect()
}

fn values(of: &[&str]) -> Vec<DimensionValue> {
    of.iter().map(|text| DimensionValue { value: Some((*text).to_owned()) }).collect()
}

/// What the whole list is made of, asked for in general terms.
fn general(page: &ListSubscriptionPerformanceResponse, filters: &[Filter]) -> Query {
    let coverage = page.coverage.as_ref().expect("coverage");
    let products = page.products.iter().map(String::as_str).collect::<Vec<_>>();
    let mut filters = filters.to_vec();
    filters.push(Filter { dimension: Dimension::Product.into(), values: values(&products) });
    Query {
        measures: MEASURES.map(i32::from).to_vec(),
        group_by: vec![Dimension::Customer.into(), Dimension::Subscription.into()],
        from_month: coverage.from_month.clone(),
        to_month: coverage.to_month.clone(),
        scope: Scope::SoldOrManaged.into(),
        filters,
        every_subscription: true,
        ..Query::default()
    }
}

/// Rows of the query by subscription and month.
fn by_month(result: &QueryResult) -> BTreeMap<(String, String, String), Vec<Value>> {
    let text = |value: &DimensionValue| value.value.clone().expect("a value");
    let rows = result.rows.iter();
    rows.map(|row| ((text(&row.dimensions[0]), text(&row.dimensions[1]), row.month.clone()), row.values.clone()))
        .collect()
}

/// Returns how many subscriptions are used above 100 %.
async fn pages_are_the_query(person: &mut Person, filters: &[Filter], products: &[&str]) -> usize {
    let request = ListSubscriptionPerformanceRequest {
        page: Some(PageFilters { filters: filters.to_vec(), ..PageFilters::default() }),
        products: products.iter().map(|product| (*product).to_owned()).collect(),
        all: true,
        page_size: 7,
        ..Default::default()
    };
    let first = person.page(&request).await.expect("a page");
    assert_eq!(first.measures().collect::<Vec<_>>(), MEASURES);
    assert_eq!(first.ranked_by(), Measure::Unspecified);
    let found = person.every_page(&request).await;
    let listed = ids(&found);
    let distinct: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(distinct.iter().cloned().collect::<Vec<_>>(), listed, "each once, by customer and id");
    let rows = by_month(&person.rows(general(&first, filters)).await);
    let known: BTreeSet<_> =
        rows.keys().map(|(customer, subscription, _)| (customer.clone(), subscription.clone())).collect();
    assert_eq!(distinct, known);
    let mut above = 0;
    for of in &found {
        let (customer, subscription) = id(of);
        for point in &of.trend {
            match rows.get(&(customer.clone(), subscription.clone(), point.month.clone())) {
                Some(values) => assert_eq!(&point.values, values, "{subscription} {}", point.month),
                None => assert_eq!(count(point.values.first()), 0),
            }
        }
        assert_eq!(Some(&of.values), of.trend.last().map(|point| &point.values));
        above += usize::from(explained::subscription(of, 3));
    }
    // The whole is the sum of its parts.
    let page = PageFilters { filters: filters.to_vec(), ..PageFilters::default() };
    let message = insights_proto::reporting::v1::GetDynamicsUsageDashboardRequest {
        page: Some(page),
        products: request.products.clone(),
        ..Default::default()
    };
    let message = person.request(message);
    let whole = person.client.get_dynamics_usage_dashboard(message).await.expect("a page").into_inner();
    let parts = [(Figure::AvailableSeats, 0), (Figure::AssignedSeats, 1), (Figure::ActiveSeats, 2)];
    for (figure, at) in parts {
        let whole = series(card(&whole.cards, figure));
        let sum = |month: usize| found.iter().map(|of| count(of.trend[month].values.get(at))).sum::<i64>();
        assert_eq!((0..whole.len()).map(sum).collect::<Vec<_>>(), whole, "{figure:?}");
    }
    above
}

/// Ranks customers by revenue, or by seats for roles that may not see revenue.
async fn ranks(person: &mut Person, sees_revenue: bool) -> Vec<String> {
    let request = ListSubscriptionPerformanceRequest { page_size: 11, ..Default::default() };
    let first = person.page(&request).await.expect("a page");
    assert_eq!(first.coverage.as_ref().expect("coverage").redacted, !sees_revenue);
    let expected = if sees_revenue { Measure::BilledRevenue } else { Measure::Available };
    assert_eq!(first.ranked_by(), expected);
    let found = person.every_page(&request).await;
    let mut customers: Vec<String> = ids(&found).into_iter().map(|(customer, _)| customer).collect();
    customers.dedup();
    assert!(customers.len() <= 100 && customers.len() > 3, "{customers:?}");
    let once: BTreeSet<&String> = customers.iter().collect();
    assert_eq!(once.len(), customers.len(), "the subscriptions of a customer stand together");
    // In the order of what they rank by.
    let mut query = general(&first, &[]);
    query.group_by = vec![Dimension::Customer.into()];
    query.measures = vec![Measure::Available.into(), expected.into()];
    query.measures.dedup();
    let last = query.to_month.clone();
    let mut scores: BTreeMap<String, f64> = BTreeMap::new();
    for row in person.rows(query).await.rows {
        let customer = row.dimensions[0].value.clone().expect("a customer");
        let score = scores.entry(customer).or_default();
        *score += match row.values.last().and_then(|value| value.kind.clone()) {
            Some(Kind::Amount(amount)) if row.currency == "USD" => amount.parse::<f64>().expect("a number"),
            Some(Kind::Count(seats)) if !sees_revenue && row.month == last => seats as f64,
            _ => 0.0,
        };
    }
    let ordered: Vec<f64> =
        customers.iter().map(|customer| scores.get(customer).copied().unwrap_or_default()).collect();
    assert!(ordered.windows(2).all(|pair| pair[0] >= pair[1] - 0.001), "{ordered:?}");
    customers
}

async fn searching(person: &mut Person) {
    let all = ListSubscriptionPerformanceRequest { all: true, page_size: 500, ..Default::default() };
    let everybody = person.every_page(&all).await;
    let one = everybody.first().and_then(|of| of.customer.clone()).expect("a customer");
    let word = one.name.split(' ').next().expect("a word").to_uppercase();
    let request = ListSubscriptionPerformanceRequest { customer_search: word.clone(), ..Default::default() };
    let found = person.every_page(&request).await;
    let named = |of: &&SubscriptionPerformance| {
        of.customer.as_ref().is_some_and(|customer| customer.name.to_uppercase().contains(&word))
    };
    assert_eq!(ids(&found), everybody.iter().filter(named).map(id).collect::<Vec<_>>());
    assert!(!found.is_empty() && found.len() < everybody.len());
    let request = ListSubscriptionPerformanceRequest { customer_search: "no such".into(), ..Default::default() };
    assert!(person.every_page(&request).await.is_empty());
    let ends = everybody.iter().filter(|of| !of.end.is_empty()).count();
    assert!(everybody.iter().all(|of| !of.start.is_empty()) && ends > everybody.len() / 2, "{ends}");
}

async fn tokens(person: &mut Person) {
    let request = ListSubscriptionPerformanceRequest { all: true, page_size: 1, ..Default::default() };
    let token = person.page(&request).await.expect("a page").next_page_token;
    let with = |token: &str| ListSubscriptionPerformanceRequest { page_token: token.into(), ..request.clone() };
    person.page(&with(&token)).await.expect("the next page");
    let edited = format!("0{}", &token[1..]);
    let mut other = with(&token);
    other.customer_search = "a".into();
    let mut filtered = with(&token);
    filtered.page = Some(PageFilters { include_grace: true, ..PageFilters::default() });
    for wrong in [with(&edited), with("x"), other, filtered] {
        let refused = person.page(&wrong).await.expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument, "{wrong:?}");
        assert!(refused.message().contains("page_token") || format!("{refused:?}").contains("page_token"));
    }
    let negative = ListSubscriptionPerformanceRequest { page_size: -1, ..request };
    assert_eq!(person.page(&negative).await.expect_err("refused").code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_subscription_is_shown_once_with_the_figures_of_the_query() {
    let demo = Demo::start();
    let mut admin = demo.person(&["--role", "global_admin"]).await;
    let country = |code: &str| Filter { dimension: Dimension::Country.into(), values: values(&[code]) };
    let above = pages_are_the_query(&mut admin, &[], &[]).await;
    assert!(above > 0, "nothing above 100 % was seen");
    pages_are_the_query(&mut admin, &[country("US")], &["Office 365", "Power BI"]).await;
    let mut viewer = demo.person(&["--role", "report_viewer"]).await;
    pages_are_the_query(&mut viewer, &[country("BR")], &["Office 365"]).await;
    ranks(&mut admin, true).await;
    ranks(&mut viewer, false).await;
    searching(&mut viewer).await;
    tokens(&mut viewer).await;

    let locations = admin.values(Dimension::Location).await;
    let location = locations.iter().find_map(|value| value.value.clone()).expect("a location");
    let mut bound = demo.person(&["--role", "report_viewer", "--location", &location]).await;
    pages_are_the_query(&mut bound, &[], &["Office 365"]).await;
    let at_location = Filter { dimension: Dimension::Location.into(), values: values(&[&location]) };
    let request = |filters: Vec<Filter>| ListSubscriptionPerformanceRequest {
        page: Some(PageFilters { filters, ..PageFilters::default() }),
        products: vec!["Office 365".into()],
        all: true,
        page_size: 500,
        ..Default::default()
    };
    let own = bound.every_page(&request(Vec::new())).await;
    assert_eq!(own, admin.every_page(&request(vec![at_location])).await);
    assert!(!own.is_empty() && own.len() < admin.every_page(&request(Vec::new())).await.len());
}
