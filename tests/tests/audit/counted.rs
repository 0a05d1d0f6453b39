//! What is recorded, and what is only counted.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use insights_access::{Clock, Policy, Role};
use insights_database::Database;
use insights_database::sea_orm::{ConnectionTrait, Statement};
use insights_proto::ingestion::v1 as ingestion;
use insights_proto::metrics::v1::{Dimension, Measure, Query};
use insights_proto::reporting::v1 as wire;
use insights_proto::reporting::v1::{CreateDownloadTicketRequest, CreateDownloadTicketResponse};
use insights_service::fail_point;
use insights_tests::product::{How, Product};
use insights_tests::wire::EMPTY;
use tonic::Code;
use tracing::field::{Field, Visit};
use tracing_subscriber::{Layer, layer::SubscriberExt};

use crate::reads::{
    CONFIRMED, NOT_AUDITED, PARTNER, SERVICE, export, list, path, query, reads, records, send, token_of,
};

/// The methods of reporting.
fn methods() -> BTreeSet<String> {
    let policy = Policy::product().unwrap();
    let own = policy.methods().filter_map(|(path, _)| path.strip_prefix(&format!("{SERVICE}/")));
    own.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_that_shows_figures_leaves_an_entry_and_the_others_none() {
    let product = Product::sqlite().await;
    let version = product.ingest(PARTNER, records()).await;
    let token = token_of(&product, "ada", PARTNER, &[Role::GlobalAdmin], &[]);
    let id = export(&product, &token, version).await;
    let ticket = CreateDownloadTicketRequest { id: id.clone() };
    let (_, ticket) = product.ask::<CreateDownloadTicketResponse>(&path("CreateDownloadTicket"), &token, &ticket).await;
    let before = async || product.reporting.audit().newest(PARTNER, 10_000).await.unwrap();

    let reads = reads(version, &id);
    let written: BTreeSet<String> =
        reads.iter().map(|(method, _)| *method).chain(NOT_AUDITED).chain([CONFIRMED]).map(str::to_owned).collect();
    assert_eq!(methods(), written, "every method is in one of the lists");

    let known = before().await.len();
    let url = format!("http://{}{}", product.address, ticket.path);
    reqwest::get(&url).await.unwrap().error_for_status().unwrap();
    assert_eq!(before().await.len(), known + 1, "a download by ticket");
    // One that was given out, for another export.
    let other = url.replace(&id, &"0".repeat(id.len()));
    assert_eq!(reqwest::get(other).await.unwrap().status(), 404);
    let refused = before().await;
    assert_eq!((refused.len(), refused[0].outcome.as_str()), (known + 2, "NotFound"), "whose ticket it was is known");
    let known = known + 1;
    reqwest::get(url.replace("ticket=", "ticket=0")).await.unwrap();
    assert_eq!(before().await.len(), known + 1, "nobody is known by a wrong ticket");

    for method in NOT_AUDITED {
        let known = before().await.len();
        send(&product.wire, &path(method), &token, &[]).await;
        assert_eq!(before().await.len(), known, "{method}");
    }
    for (method, body) in reads {
        let known = before().await.len();
        let answer = send(&product.wire, &path(method), &token, &body).await;
        assert_eq!(answer.code(), Code::Ok, "{method}: {answer:?}");
        let entries = before().await;
        assert_eq!(entries.len(), known + 1, "{method}");
        let entry = entries.iter().find(|entry| entry.rpc == path(method)).unwrap();
        assert_eq!((entry.subject.as_str(), entry.roles.as_str()), ("ada", "global_admin"), "{method}");
        assert_eq!(entry.outcome, "Ok");
        assert!(entry.asked.starts_with('{'), "{method}: {}", entry.asked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_denial_of_a_known_person_leaves_an_entry() {
    let product = Product::sqlite().await;
    let policy = Policy::product().unwrap();
    let (of_ingestion, paths): (Vec<&str>, Vec<&str>) =
        policy.methods().map(|(path, _)| path).partition(|path| path.starts_with("/insights.ingestion."));
    // Of many calls of one caller some are only counted.
    for path in paths.iter().chain(&of_ingestion) {
        let token = token_of(&product, path, PARTNER, &[], &[]);
        let answer = product.wire.with_token(path, &token).await.unwrap();
        assert_eq!(answer.code(), Code::PermissionDenied, "{path}");
    }
    let entries = product.reporting.audit().newest(PARTNER, 10_000).await.unwrap();
    assert_eq!(entries.len(), paths.len());
    for path in paths {
        let entry = entries.iter().find(|entry| entry.rpc == path).unwrap_or_else(|| panic!("{path}"));
        assert_eq!((entry.subject.as_str(), entry.outcome.as_str(), entry.calls), (path, "PermissionDenied", 1));
    }
    // Those of ingestion's methods are where its calls are.
    let admin = token_of(&product, "ada", PARTNER, &[Role::GlobalAdmin], &[]);
    let request = ingestion::ListAuditEntriesRequest { page_size: 1_000, ..Default::default() };
    let listed = "/insights.ingestion.v1.IngestionService/ListAuditEntries";
    let (_, told) = product.ask::<ingestion::ListAuditEntriesResponse>(listed, &admin, &request).await;
    let mut told: Vec<&str> = told.entries.iter().map(|entry| entry.rpc.as_str()).collect();
    let mut of_ingestion = of_ingestion;
    told.sort_unstable();
    of_ingestion.sort_unstable();
    assert_eq!(told, of_ingestion);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_calls_of_a_minute_are_summed_up() {
    const CALLS: i64 = 100;
    let now = Arc::new(Mutex::new(Clock::system().now()));
    let clock = {
        let now = Arc::clone(&now);
        Clock::new(move || *now.lock().unwrap())
    };
    let product = Product::sqlite_with(How { clock, writes_exports: false, ..How::default() }).await;
    let viewer = token_of(&product, "eve", PARTNER, &[Role::ReportViewer], &[]);
    let admin = token_of(&product, "ada", PARTNER, &[Role::GlobalAdmin], &[]);
    let wrong = query(&[Measure::Available], &[Dimension::Customer]);
    let wrong = Query { from_month: "x".repeat(65_000), ..wrong };
    let wrong = wire::QueryRequest { query: Some(wrong), ..Default::default() };
    let refused = async || {
        for _ in 0..CALLS {
            let (answer, ()) = product.ask(&path("Query"), &viewer, &wrong).await;
            assert_eq!(answer.code(), Code::InvalidArgument);
            let (answer, ()) = product.ask(&path("ListAuditEntries"), &viewer, &wrong).await;
            assert_eq!(answer.code(), Code::PermissionDenied);
        }
        product.reporting.audit().newest(PARTNER, 10_000).await.unwrap()
    };
    let kept = refused().await;
    assert_eq!(kept.len(), 20, "the first of the minute");
    let longest = kept.iter().map(|entry| entry.asked.len()).max().unwrap();
    assert!(longest < 1_000 && kept.iter().any(|entry| entry.asked.contains("(65000 bytes)")), "{longest}");
    product.reporting.audit().store_refused(false).await;
    assert_eq!(product.reporting.audit().newest(PARTNER, 10_000).await.unwrap().len(), 20, "the minute goes on");
    *now.lock().unwrap() += TimeDelta::seconds(60);
    product.reporting.audit().store_refused(false).await;
    let request = wire::ListAuditEntriesRequest { subject: "eve".into(), ..Default::default() };
    let (_, told) = list(&product, &admin, &request).await;
    assert_eq!((told.entries.len(), told.entries.iter().map(|entry| entry.calls).sum::<i64>()), (22, 2 * CALLS));
    let sums = told.entries.iter().filter(|entry| entry.calls > 1).map(|entry| (entry.outcome.as_str(), entry.calls));
    let sums: BTreeSet<(&str, i64)> = sums.collect();
    assert_eq!(sums, [("INVALID_ARGUMENT", CALLS - 10), ("PERMISSION_DENIED", CALLS - 10)].into());

    let _off = fail_point::arm("", "without:audit.refused_calls");
    assert_eq!(refused().await.len() as i64, 22 + 1 + 2 * CALLS, "one row a call");
}

/// Sums what is counted under one name, and keeps the labels.
#[derive(Clone, Default)]
struct Counter(Arc<Mutex<(u64, BTreeSet<String>)>>);

#[derive(Default)]
struct Seen {
    count: u64,
    labels: BTreeSet<String>,
}

impl Visit for Seen {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.count += if field.name() == "monotonic_counter.access_denied" { value } else { 0 };
    }

    fn record_debug(&mut self, field: &Field, _: &dyn std::fmt::Debug) {
        self.labels.insert(field.name().to_owned());
    }
}

impl<S: tracing::Subscriber> Layer<S> for Counter {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut seen = Seen::default();
        event.record(&mut seen);
        if seen.count > 0 {
            let mut all = self.0.lock().unwrap();
            all.0 += seen.count;
            all.1.extend(seen.labels);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_is_counted_and_not_kept() {
    let counter = Counter::default();
    // Of this process, which runs this test alone or leaves the others uncounted.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(counter.clone()));
    let product = Product::sqlite().await;
    let methods = methods();
    for method in &methods {
        for headers in [&[][..], &[("authorization", "Bearer nonsense")]] {
            let answer = product.wire.call(&path(method), headers, EMPTY).await.unwrap();
            assert_eq!(answer.code(), Code::Unauthenticated);
        }
    }
    let database = Database::connect(&product.sqlite_url("reporting")).await.unwrap();
    let count = Statement::from_string(database.reader().get_database_backend(), "SELECT COUNT(*) FROM audit_record");
    let rows = database.reader().query_all_raw(count).await.unwrap();
    assert_eq!(rows[0].try_get_by_index::<i64>(0).unwrap(), 0, "nothing is kept");
    let (count, labels) = counter.0.lock().unwrap().clone();
    assert_eq!(count, 2 * methods.len() as u64);
    // What is counted becomes labels: they name no person.
    assert_eq!(labels, ["code", "message", "reason", "rpc"].map(str::to_owned).into());
}
