//! A caller of one partner, or of one location, never sees another's.

use insights_access::Role;
use insights_proto::{
    ingestion::v1::{
        GetFreshnessRequest, GetFreshnessResponse, ListRejectionsRequest, ListRejectionsResponse,
        ReplayRejectionsRequest, ReplayRejectionsResponse, SubscriptionState, record::Kind,
    },
    metrics::v1::{Dimension, Measure},
    reporting::v1::QueryRequest,
};
use insights_testkit::TempDatabase;
use insights_tests::product::Product;
use tonic::Code;

use crate::{
    marked_partners::{ADOPTION, QUERY, Sold, adoption_of, ask, count, everything, marked, query, send, shows},
    table::ROLES,
};

const LIST: &str = "/insights.ingestion.v1.IngestionService/ListRejections";
const REPLAY: &str = "/insights.ingestion.v1.IngestionService/ReplayRejections";

fn one(customer: &'static str, seats: i64) -> Sold {
    Sold { customer, seats, location: None, amount: "1.5" }
}

/// A record that cannot be good, with the marker in it.
fn bad(marker: &str) -> Kind {
    Kind::SubscriptionState(SubscriptionState {
        subscription_id: format!("S-{marker}"),
        effective: "not a day".into(),
        status: marker.into(),
        ..SubscriptionState::default()
    })
}

#[tokio::test]
async fn partners_with_the_same_ids_on_sqlite() {
    partners_with_the_same_ids(&Product::sqlite().await).await;
}

#[tokio::test]
async fn partners_with_the_same_ids_on_postgresql() {
    let database = TempDatabase::postgres();
    partners_with_the_same_ids(&Product::postgres(&database).await).await;
}

async fn partners_with_the_same_ids(product: &Product) {
    let alpha = product.ingest("alpha", marked("Alphamark", &[one("C-1", 11), one("C-2", 100)])).await;
    // The same batch id and the same ids; and one customer of its own.
    let beta = product.ingest("beta", marked("Betamark", &[one("C-1", 7), one("C-3", 20_000)])).await;
    for (partner, version, seats, customers) in
        [("alpha", alpha, 111, 2), ("beta", beta, 20_007, 2), ("gamma", 0, 0, 0)]
    {
        let token = product.token(partner, &[Role::GlobalAdmin], &[]);
        assert_eq!(count(product, &token, Measure::Available, version).await, seats, "{partner}");
        assert_eq!(count(product, &token, Measure::Customers, version).await, customers, "{partner}");
    }
    for (partner, version, own, other) in
        [("alpha", alpha, "alphamark", "betamark"), ("beta", beta, "betamark", "alphamark")]
    {
        let mut own_seen = 0;
        for (what, answer) in everything(product, partner, &ROLES, &[], version).await {
            assert!(!shows(&answer, other), "{partner} sees {other} in {what}: {answer:?}");
            own_seen += usize::from(shows(&answer, own));
        }
        assert!(own_seen > 3, "{partner} sees itself");
    }
    for (what, answer) in everything(product, "gamma", &ROLES, &[], 0).await {
        assert!(!shows(&answer, "alphamark") && !shows(&answer, "betamark"), "a stranger sees {what}: {answer:?}");
    }
    another_s_id_is_like_none(product, alpha).await;
}

async fn another_s_id_is_like_none(product: &Product, version: i64) {
    let token = product.token("alpha", &[Role::GlobalAdmin], &[]);
    // C-3 belongs to beta alone, C-4 to no partner.
    let mut answers = Vec::new();
    for customer in ["C-3", "C-4"] {
        let answer = send(product, ADOPTION, &token, &adoption_of(customer, version)).await;
        assert_eq!(answer.code(), Code::NotFound, "{answer:?}");
        answers.push(answer.status.unwrap().message().replace(customer, "ID"));
        let mut filtered = query(&[Measure::Available], &[Dimension::Customer]);
        filtered.filters = vec![insights_proto::metrics::v1::Filter {
            dimension: Dimension::Customer.into(),
            values: vec![insights_proto::metrics::v1::DimensionValue { value: Some(customer.into()) }],
        }];
        assert!(ask(product, &token, filtered, version).await.is_empty());
    }
    assert_eq!(answers[0], answers[1]);
    // Another's version is no version of ours, however the numbers lie.
    let asked =
        QueryRequest { query: Some(query(&[Measure::Available], &[])), min_version: version + 1_000_000, max_bytes: 0 };
    assert_eq!(send(product, QUERY, &token, &asked).await.code(), Code::OutOfRange);
}

#[tokio::test]
async fn quarantine_is_a_partners_own() {
    let product = Product::sqlite().await;
    for (partner, marker) in [("alpha", "alphamark"), ("beta", "betamark")] {
        let stored = product.ingest_some(partner, (0..5).map(|number| bad(&format!("{marker}{number}")))).await;
        assert_eq!(stored.rejected, 5);
    }
    let (alpha, beta) =
        (product.token("alpha", &[Role::AdminAgent], &[]), product.token("beta", &[Role::AdminAgent], &[]));
    let list = async |token: &str, page_token: &str| {
        let request = ListRejectionsRequest { page_size: 2, page_token: page_token.into(), ..Default::default() };
        product.ask::<ListRejectionsResponse>(LIST, token, &request).await
    };
    let (answer, theirs) = list(&beta, "").await;
    assert!(shows(&answer, "betamark") && !shows(&answer, "alphamark"));
    assert!(!theirs.next_page_token.is_empty());
    // A page token is its caller's own, and nobody makes one up.
    for token in [theirs.next_page_token.as_str(), "3", "AAAA"] {
        let (answer, _) = list(&alpha, token).await;
        assert_eq!(answer.code(), Code::InvalidArgument, "{answer:?}");
        assert!(shows(&answer, "page_token") && !shows(&answer, "betamark"), "{answer:?}");
    }
    let (_, next) = list(&beta, &theirs.next_page_token).await;
    assert_eq!(next.rejections.len(), 2);
    let ids: Vec<_> = theirs.rejections.iter().map(|rejection| rejection.id).collect();
    // A partner without any of its own: what it names can only be another's.
    let gamma = product.token("gamma", &[Role::AdminAgent], &[]);
    let (_, replayed) = product.ask::<ReplayRejectionsResponse>(REPLAY, &gamma, &ReplayRejectionsRequest { ids }).await;
    assert_eq!((replayed.accepted, replayed.rejected), (0, 0), "another's numbers are no numbers");
    let (_, after) = list(&beta, "").await;
    assert_eq!(after.rejections, theirs.rejections);
}

#[tokio::test]
async fn records_that_are_not_stored_are_counted_for_the_whole_partner_alone() {
    const FRESHNESS: &str = "/insights.ingestion.v1.IngestionService/GetFreshness";
    let product = Product::sqlite().await;
    let stored = product.ingest_some("alpha", [bad("first"), bad("second")]).await;
    assert_eq!(stored.rejected, 2);
    let cases: [(&[&str], _, _); 2] = [(&[], Some(2), Some(0)), (&["L1"], None, None)];
    for (locations, rejected, waiting) in cases {
        let token = product.token("alpha", &[Role::GlobalAdmin], locations);
        let (_, told) = product.ask::<GetFreshnessResponse>(FRESHNESS, &token, &GetFreshnessRequest {}).await;
        assert_eq!((told.rejected, told.waiting), (rejected, waiting), "{locations:?}");
        assert_eq!(told.version, stored.version);
    }
}

#[tokio::test]
async fn callers_bound_to_locations() {
    let product = Product::sqlite().await;
    let sold = |customer, seats, location| Sold { customer, seats, location, amount: "1.5" };
    let sales = [sold("C-1", 10, Some("L1")), sold("C-2", 200, Some("L2")), sold("C-3", 4000, None)];
    let version = product.ingest("alpha", marked("Alphamark", &sales)).await;
    let cases: [(&[&str], i64, i64); 5] =
        [(&["L1"], 10, 1), (&["L2"], 200, 1), (&["L1", "L2"], 210, 2), (&[], 4210, 3), (&["L9"], 0, 0)];
    for (locations, seats, customers) in cases {
        let token = product.token("alpha", &[Role::GlobalAdmin], locations);
        assert_eq!(count(&product, &token, Measure::Available, version).await, seats, "{locations:?}");
        assert_eq!(count(&product, &token, Measure::Customers, version).await, customers, "{locations:?}");
        let rows = ask(&product, &token, query(&[Measure::Available], &[Dimension::Customer]), version).await;
        assert_eq!(rows.len() as i64, customers, "{locations:?}");
    }
    for (location, own, others) in [("L1", "C-1", ["C-2", "C-3"]), ("L2", "C-2", ["C-1", "C-3"])] {
        for (what, answer) in everything(&product, "alpha", &ROLES, &[location], version).await {
            if what.starts_with("adoption of") {
                let code = if what.ends_with(own) { Code::Ok } else { Code::NotFound };
                assert_eq!(answer.code(), code, "{location}: {what}: {answer:?}");
                continue;
            }
            for other in others {
                assert!(!shows(&answer, other), "{location} sees {other} in {what}: {answer:?}");
            }
        }
    }
    // Asking for another location's rows by name gives nothing more.
    let token = product.token("alpha", &[Role::GlobalAdmin], &["L1"]);
    let mut asked = query(&[Measure::Available], &[]);
    asked.filters = vec![insights_proto::metrics::v1::Filter {
        dimension: Dimension::Location.into(),
        values: vec![insights_proto::metrics::v1::DimensionValue { value: Some("L2".into()) }],
    }];
    let rows = ask(&product, &token, asked, version).await;
    let seats: Vec<_> = rows.iter().flat_map(|row| row.values.iter().map(|value| value.kind.clone())).collect();
    assert!(
        seats.iter().all(|kind| matches!(kind, Some(insights_proto::metrics::v1::value::Kind::Count(0)))),
        "{seats:?}"
    );
}
