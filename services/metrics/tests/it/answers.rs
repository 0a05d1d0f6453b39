//! What callers get and what they are refused.

use insights_access::{Role, TokenRequest};
use insights_proto::ingestion::v1::Revenue;
use insights_proto::metrics::v1::{
    Basis, BatchQueryRequest, Dimension, DimensionValue, ExplainRequest, Filter, LookUpNamesRequest, Measure, Query,
    Slice, Top, VerifyRequest,
};
use insights_service::Clock;
use insights_testkit::TempDatabase;
use tonic::{Code, Status};

use crate::world::{PARTNER, Replica, World, admin, catalogue, customer, month, noon, query, short, use_seat};

async fn world() -> (World, Replica) {
    let world = World::new(TempDatabase::sqlite());
    let replica = world.replica(Clock::fixed(noon("2026-06-20"))).await;
    world.feed.change(PARTNER, &[(1, month("2026-04")), (2, month("2026-04"))], |book| {
        catalogue(book, "2026-06-30");
        for number in 1..=2 {
            let mut facts = customer(number, if number == 1 { "BR" } else { "DE" }, "2026-04-03");
            use_seat(&mut facts, "2026-06-05");
            let revenue = |currency: &str| Revenue {
                subscription_id: Some(format!("S-{number}")),
                month: "2026-05".into(),
                amount: format!("{number}.5"),
                currency: currency.into(),
                ..Revenue::default()
            };
            facts.revenue = vec![revenue("USD"), revenue("EUR")];
            book.customers.insert(number, facts);
        }
    });
    (world, replica)
}

fn caller(roles: &[Role], locations: &[&str]) -> TokenRequest {
    let locations = locations.iter().map(|location| (*location).to_owned()).collect();
    TokenRequest { roles: roles.to_vec(), partner: PARTNER.to_owned(), locations, ..TokenRequest::default() }
}

/// Field paths of a refusal, sorted.
fn fields(status: &Status) -> Vec<String> {
    let prefix = "the request is not valid: ";
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    let text = status.message().to_lowercase();
    assert!(text.contains(prefix.trim()) || !text.is_empty());
    use tonic_types::StatusExt;
    let mut fields: Vec<String> = status
        .get_error_details()
        .bad_request()
        .unwrap()
        .field_violations
        .iter()
        .map(|violation| violation.field.clone())
        .collect();
    fields.sort();
    fields
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_request_is_told_at_once() {
    let (_world, replica) = world().await;
    let value = |value: &str| DimensionValue { value: Some(value.to_owned()) };
    let filter = |dimension: Dimension, values: Vec<DimensionValue>| Filter { dimension: dimension.into(), values };
    let bad = Query {
        measures: vec![Measure::Customers.into(), Measure::Available.into(), 99, Measure::BilledRevenue.into()],
        group_by: vec![Dimension::Service.into(), 0, Dimension::Service.into()],
        from_month: "2026-13".into(),
        to_month: String::new(),
        filters: vec![
            filter(Dimension::Standing, vec![value("active"), value("gone")]),
            filter(Dimension::Trial, vec![]),
            Filter { dimension: 77, values: vec![value("x")] },
        ],
        basis: 9,
        scope: 9,
        as_of: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 }),
        ..Query::default()
    };
    let backwards = query(&[], &[], "2026-05", "2026-04");
    let long = query(&[Measure::Customers], &[], "2006-05", "2026-04");
    let mut by_service = query(&[Measure::UsagePercent, Measure::Subscriptions], &[], "2026-05", "2026-05");
    by_service.basis = Basis::Entitlements.into();
    by_service.filters = vec![filter(Dimension::Service, vec![value("Exchange")])];
    let mut sliced = query(&[Measure::Customers], &[Dimension::Country], "2026-05", "2026-05");
    sliced.top = Some(Top { measure: Measure::Customers.into(), count: 1 });
    sliced.slice = Some(Slice { after: vec![value("BR"), value("PT")], count: 0 });
    let status = replica.batch(&admin(), vec![bad, backwards, long, by_service, sliced], 0).await.unwrap_err();
    let expected = [
        "queries[0].as_of",
        "queries[0].basis",
        "queries[0].filters[0].values[1]",
        "queries[0].filters[1].values",
        "queries[0].filters[2].dimension",
        "queries[0].from_month",
        "queries[0].group_by[1]",
        "queries[0].group_by[2]",
        "queries[0].measures[1]",
        "queries[0].measures[2]",
        "queries[0].measures[3]",
        "queries[0].scope",
        "queries[0].to_month",
        "queries[1].measures",
        "queries[1].to_month",
        "queries[2].to_month",
        "queries[3].measures[0]",
        "queries[4].slice",
        "queries[4].slice.after",
        "queries[4].slice.count",
    ];
    assert_eq!(fields(&status), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_at_the_limit_and_one_more() {
    let (_world, replica) = world().await;
    let one = query(&[Measure::Customers], &[], "2026-05", "2026-05");
    let answer = replica.batch(&admin(), vec![one.clone(); 100], 1).await.unwrap();
    assert_eq!(answer.results.len(), 100);
    assert_eq!(fields(&replica.batch(&admin(), vec![one.clone(); 101], 1).await.unwrap_err()), ["queries"]);
    let countries = |count: usize| {
        let values = (0..count).map(|number| DimensionValue { value: Some(number.to_string()) }).collect();
        Query { filters: vec![Filter { dimension: Dimension::Country.into(), values }], ..one.clone() }
    };
    replica.batch(&admin(), vec![countries(1_000)], 1).await.unwrap();
    assert_eq!(fields(&replica.batch(&admin(), vec![countries(1_001)], 1).await.unwrap_err()), ["queries[0].filters"]);
    let months = |from: &str| query(&[Measure::Customers], &[], from, "2026-05");
    replica.batch(&admin(), vec![months("2015-10")], 1).await.unwrap();
    assert_eq!(
        fields(&replica.batch(&admin(), vec![months("2015-09")], 1).await.unwrap_err()),
        ["queries[0].to_month"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn revenue_is_absent_for_who_may_not_see_it() {
    let (_world, replica) = world().await;
    let asked = query(&[Measure::Available, Measure::BilledRevenue], &[], "2026-05", "2026-05");
    let full = replica.batch(&admin(), vec![asked.clone()], 1).await.unwrap().results.remove(0);
    assert_eq!(full.rows.iter().map(short).collect::<Vec<_>>(), ["2026-05: 20 4.00EUR", "2026-05: 20 4.00USD"]);
    assert!(!full.redacted);
    let viewer = caller(&[Role::ReportViewer], &[]);
    let redacted = replica.batch(&viewer, vec![asked], 1).await.unwrap().results.remove(0);
    assert_eq!(redacted.rows.iter().map(short).collect::<Vec<_>>(), ["2026-05: 20 null"]);
    assert!(redacted.redacted && redacted.rows[0].currency.is_empty());
    // Which groups have revenue is not to be seen either.
    let membership = query(&[Measure::BilledRevenue], &[Dimension::Customer], "2026-05", "2026-05");
    assert!(replica.batch(&viewer, vec![membership], 1).await.unwrap().results[0].rows.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_are_refused_by_role_before_anything_is_validated() {
    let (_world, replica) = world().await;
    let users = query(&[Measure::Customers, Measure::ActiveUsers], &[], "2026-99", "2026-05");
    let refused = replica.batch(&caller(&[Role::ReportViewer], &[]), vec![users.clone()], 1).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(replica.batch(&admin(), vec![users], 1).await.unwrap_err().code(), Code::InvalidArgument);
    // Nor may one rank by what one may not ask for.
    let mut ranked = query(&[Measure::Customers], &[Dimension::Customer], "2026-05", "2026-05");
    ranked.top = Some(Top { measure: Measure::ActiveUsers.into(), count: 1 });
    let refused = replica.batch(&caller(&[Role::ReportViewer], &[]), vec![ranked], 1).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let machine = caller(&[Role::DataSource], &[]);
    assert_eq!(replica.batch(&machine, vec![], 1).await.unwrap_err().code(), Code::PermissionDenied);
    let verify = replica.as_caller(&caller(&[Role::ReportViewer], &[]), VerifyRequest {});
    assert_eq!(replica.client.clone().verify(verify).await.err().unwrap().code(), Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_caller_sees_its_locations_alone() {
    let (_world, replica) = world().await;
    let bound = caller(&[Role::GlobalAdmin], &["l2"]);
    let asked = query(&[Measure::Customers, Measure::Available], &[Dimension::Country], "2026-06", "2026-06");
    let rows = replica.batch(&bound, vec![asked.clone()], 1).await.unwrap().results.remove(0).rows;
    assert_eq!(rows.iter().map(short).collect::<Vec<_>>(), ["2026-06 DE: 1 10"]);
    let stranger = caller(&[Role::GlobalAdmin], &["elsewhere"]);
    assert!(replica.batch(&stranger, vec![asked], 1).await.unwrap().results[0].rows.is_empty());
    let names = |dimension: Dimension, ids: &[&str]| LookUpNamesRequest {
        dimension: dimension.into(),
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        ..LookUpNamesRequest::default()
    };
    let look_up = async |who: &TokenRequest, request| {
        let answer = replica.client.clone().look_up_names(replica.as_caller(who, request)).await?;
        Ok::<_, Status>(
            answer.into_inner().names.into_iter().map(|name| format!("{}={}", name.id, name.name)).collect::<Vec<_>>(),
        )
    };
    assert_eq!(look_up(&admin(), names(Dimension::Customer, &[])).await.unwrap(), ["C-1=", "C-2="]);
    assert_eq!(look_up(&bound, names(Dimension::Customer, &[])).await.unwrap(), ["C-2="]);
    assert_eq!(look_up(&bound, names(Dimension::Sku, &["e3", "e5"])).await.unwrap(), ["e3=E3"]);
    assert_eq!(look_up(&bound, names(Dimension::Product, &[])).await.unwrap(), ["Office 365=Office 365"]);
    assert_eq!(fields(&look_up(&bound, names(Dimension::Country, &[])).await.unwrap_err()), ["dimension"]);
    // Another partner's caller finds nothing of this one.
    let other = TokenRequest { partner: "fabrikam".into(), ..admin() };
    assert!(look_up(&other, names(Dimension::Customer, &["C-1"])).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_answers_and_explains_from_one_version() {
    let (_world, replica) = world().await;
    let usage = query(&[Measure::UsagePercent], &[], "2026-06", "2026-06");
    let request = BatchQueryRequest { queries: vec![usage.clone()], explain: vec![usage.clone()], min_version: 1 };
    let answer = replica.client.clone().batch_query(replica.as_caller(&admin(), request)).await.unwrap().into_inner();
    assert_eq!(answer.results[0].rows.iter().map(short).collect::<Vec<_>>(), ["2026-06: 2/2"]);
    let explained = &answer.explained[0].explanations[0];
    assert_eq!((explained.numerator, explained.denominator, explained.covered), (2, 2, 2));
    assert!(explained.reasons.is_empty());
    let request = ExplainRequest { query: Some(usage), min_version: 1 };
    let alone = replica.client.clone().explain(replica.as_caller(&admin(), request)).await.unwrap().into_inner();
    assert_eq!(alone.explanations, answer.explained[0].explanations);
    let wrong = ExplainRequest { query: Some(query(&[Measure::Customers], &[], "2026-06", "2026-06")), min_version: 1 };
    let refused = replica.client.clone().explain(replica.as_caller(&admin(), wrong)).await.unwrap_err();
    assert_eq!(fields(&refused), ["query.measures"]);
    let missing = ExplainRequest { query: None, min_version: 1 };
    let refused = replica.client.clone().explain(replica.as_caller(&admin(), missing)).await.unwrap_err();
    assert_eq!(fields(&refused), ["query"]);
}
