//! Who sees what of an import that is only tried.

use insights_access::Role;
use insights_proto::ingestion::v1::{IngestBatchRequest, IngestBatchResponse, Record, Unreadable, record::Kind};
use insights_proto::metrics::v1::{Dimension, Measure, Query, Result as QueryResult, value};
use insights_proto::reporting::v1::{GetFreshnessRequest, PreviewImportRequest, PreviewImportResponse};
use insights_tests::product::Product;
use insights_tests::records::{attribution, batch, customer, smallest, state, subscription};
use tonic::{Code, Status};

const INGEST: &str = "/insights.ingestion.v1.IngestionService/IngestBatch";

/// Tries batches as a caller who asks for seats by customer in March.
async fn tried(
    product: &Product,
    token: &str,
    measure: Measure,
    batches: Vec<IngestBatchRequest>,
    done: bool,
) -> Result<PreviewImportResponse, Status> {
    let query = Query {
        measures: vec![measure.into()],
        group_by: vec![Dimension::Customer.into()],
        from_month: "2025-03".into(),
        to_month: "2025-03".into(),
        ..Query::default()
    };
    let first = PreviewImportRequest { query: Some(query), ..PreviewImportRequest::default() };
    let batches = batches.into_iter().map(|batch| PreviewImportRequest { batch: Some(batch), ..Default::default() });
    let end = done.then(|| PreviewImportRequest { done: true, ..PreviewImportRequest::default() });
    let messages: Vec<_> = std::iter::once(first).chain(batches).chain(end).collect();
    let mut person = product.person(token).await;
    let request = person.request(futures::stream::iter(messages));
    person.client.preview_import(request).await.map(tonic::Response::into_inner)
}

/// Imports batches for good.
async fn store(product: &Product, batches: Vec<IngestBatchRequest>) {
    let token = product.token("alpha", &[Role::DataSource], &[]);
    for batch in batches {
        let (answer, stored) = product.ask::<IngestBatchResponse>(INGEST, &token, &batch).await;
        assert_eq!((answer.code(), stored.rejected), (Code::Ok, 0), "{answer:?}");
    }
}

/// Customers with their seats.
fn seats(result: Option<QueryResult>) -> Vec<(String, i64)> {
    let rows = result.unwrap_or_default().rows.into_iter();
    rows.map(|row| {
        let Some(value::Kind::Count(seats)) = row.values[0].kind else { panic!("no count: {row:?}") };
        (row.dimensions[0].value.clone().unwrap(), seats)
    })
    .collect()
}

fn named(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    pairs.iter().map(|(customer, seats)| ((*customer).to_owned(), *seats)).collect()
}

/// A second customer with 7 seats, attributed to L-2, and more seats of the first one.
fn more() -> Vec<IngestBatchRequest> {
    let second = subscription("S-2", "C-2", "SKU-1", |it| it.attributions = vec![attribution("L-2", "CSP")]);
    vec![
        batch("", [customer("C-2", |_| {}), second]),
        batch("", [state("S-2", "2025-02-01", "Active", 7), state("S-1", "2025-03-01", "Active", 12)]),
    ]
}

#[tokio::test]
async fn a_preview_shows_a_caller_what_the_figures_would_show() {
    let product = Product::sqlite().await;
    let version = product.ingest("alpha", smallest(5)).await;
    let admin = product.token("alpha", &[Role::AdminAgent], &[]);
    let answer = tried(&product, &admin, Measure::Available, more(), true).await.unwrap();
    assert_eq!(seats(answer.before), named(&[("C-1", 5)]));
    assert_eq!(seats(answer.after), named(&[("C-1", 12), ("C-2", 7)]));
    // Who is bound to a location would attribute what is elsewhere to it, and see it.
    let bound = product.token("alpha", &[Role::AdminAgent], &["L-2"]);
    let refused = tried(&product, &bound, Measure::Available, more(), true).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    // Nothing of it stays.
    let mut person = product.person(&admin).await;
    let request = person.request(GetFreshnessRequest::default());
    let fresh = person.client.get_freshness(request).await.unwrap().into_inner().freshness.unwrap();
    assert_eq!(fresh.version, version);
    // Another partner's import is another's.
    let stranger = product.token("beta", &[Role::AdminAgent], &[]);
    let answer = tried(&product, &stranger, Measure::Available, more(), true).await.unwrap();
    assert_eq!((seats(answer.before), seats(answer.after)), (named(&[]), named(&[])), "S-1 and its SKU are not known");
    // What is imported for good afterwards is what was told.
    store(&product, more()).await;
    let answer = tried(&product, &admin, Measure::Available, Vec::new(), true).await.unwrap();
    assert_eq!(seats(answer.before), named(&[("C-1", 12), ("C-2", 7)]));
    assert_eq!(seats(answer.after), named(&[("C-1", 12), ("C-2", 7)]));
}

#[tokio::test]
async fn a_preview_is_for_those_who_import_and_see() {
    let product = Product::sqlite().await;
    product.ingest("alpha", smallest(5)).await;
    for (roles, measure, code) in [
        (&[Role::DataSource][..], Measure::Available, Code::PermissionDenied),
        (&[Role::ReportViewer], Measure::Available, Code::PermissionDenied),
        (&[Role::DataSource, Role::ReportViewer], Measure::TotalUsers, Code::PermissionDenied),
        (&[Role::DataSource, Role::ReportViewer], Measure::Available, Code::Ok),
        (&[Role::GlobalAdmin], Measure::TotalUsers, Code::Ok),
    ] {
        let token = product.token("alpha", roles, &[]);
        let answer = tried(&product, &token, measure, more(), true).await;
        assert_eq!(answer.as_ref().map_or_else(Status::code, |_| Code::Ok), code, "{roles:?} {measure:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_preview_that_breaks_off_or_is_too_large_is_not_answered() {
    let product = Product::sqlite().await;
    product.ingest("alpha", smallest(5)).await;
    let token = product.token("alpha", &[Role::GlobalAdmin], &[]);
    let broken = tried(&product, &token, Measure::Available, more(), false).await.unwrap_err();
    assert_eq!(broken.code(), Code::Aborted, "{broken:?}");
    let wrong = || Record { kind: Some(Kind::Unreadable(Unreadable::default())), ..Record::default() };
    let batches = vec![IngestBatchRequest { records: vec![wrong(); 10_000], ..IngestBatchRequest::default() }; 21];
    let large = tried(&product, &token, Measure::Available, batches, true).await.unwrap_err();
    assert_eq!(large.code(), Code::ResourceExhausted, "{large:?}");
    assert!(large.message().contains("more than 200,000 records"), "{large:?}");
    // The writer is free again.
    store(&product, vec![batch("", [state("S-1", "2025-03-01", "Active", 12)])]).await;
}
