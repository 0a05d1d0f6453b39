//! What becomes of orders: taken once, continued when their writer dies, stopped, removed when their time is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;
use insights_access::{Clock, Role};
use insights_database::Database;
use insights_database::sea_orm::ConnectionTrait;
use insights_proto::metrics::v1::{Dimension, Measure};
use insights_proto::reporting::v1::{
    CancelExportRequest, CreateExportRequest, DeleteExportRequest, Export, ExportFormat, ExportOrder, ExportState,
    ListExportsRequest,
};
use insights_reporting::ExportsConfig;
use insights_service::fail_point;
use insights_tests::product::{How, Person};
use insights_tests::records;
use tonic::Code;

use crate::hostile_names::{FilledProduct, create, done, download, ended, get, order, query, sha256};

fn seats() -> ExportOrder {
    order(query(&[Measure::Available], &[Dimension::Customer]), ExportFormat::Csv)
}

/// Orders wait until a replica writes exports.
fn waiting() -> How {
    How { writes_exports: false, ..How::default() }
}

async fn sql(filled: &FilledProduct, statement: &str) {
    let database = Database::connect(&filled.database_url).await.unwrap();
    database.writer().execute_unprepared(statement).await.unwrap();
    database.close().await.unwrap();
}

async fn what_a_dead_replica_began_another_continues(postgres: bool) {
    let exports = ExportsConfig { poll_milliseconds: 50, ..ExportsConfig::default() };
    let filled = FilledProduct::start(postgres, How { exports, ..waiting() }).await;
    let mut viewer = filled.person(&[Role::ReportViewer], &[]).await;
    let export = create(&mut viewer, seats(), filled.version).await.unwrap();
    // Another replica took the order, wrote half a file and died; its lease still runs.
    let lease = (Clock::system().now() + TimeDelta::seconds(1)).timestamp_micros();
    let running = i32::from(ExportState::Running);
    let taken = format!(
        "UPDATE export_job SET state = {running}, worker = 'dead', attempt = 1, lease_until_micros = {lease}, \
         file_path = '{}/1-dead', row_count = 7",
        export.id
    );
    sql(&filled, &taken).await;
    assert_eq!(get(&mut viewer, &export.id).await.unwrap().state(), ExportState::Running);
    filled.product.write_exports();
    let export = ended(&mut viewer, &export.id).await;
    assert_eq!((export.state(), export.attempts), (ExportState::Done, 2));
    assert!(export.end_time.unwrap().seconds >= lease / 1_000_000, "not before the lease was over");
    let (bytes, _) = download(&mut viewer, &export.id, 0).await.unwrap();
    assert_eq!(sha256(&bytes), export.sha256);
    assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), usize::try_from(export.rows).unwrap() + 1);
}

async fn what_cannot_come_to_an_end_fails_and_says_so(postgres: bool) {
    let exports = ExportsConfig { attempts: 3, ..ExportsConfig::default() };
    let filled = FilledProduct::start(postgres, How { exports, ..waiting() }).await;
    let mut viewer = filled.person(&[Role::ReportViewer], &[]).await;
    let export = create(&mut viewer, seats(), filled.version).await.unwrap();
    sql(&filled, "UPDATE export_job SET attempt = 3").await;
    filled.product.write_exports();
    let export = ended(&mut viewer, &export.id).await;
    assert_eq!(export.state(), ExportState::Failed);
    assert!(export.failure.contains("too often"), "{}", export.failure);
    assert_eq!(download(&mut viewer, &export.id, 0).await.unwrap_err().code(), Code::Aborted);
}

async fn the_same_request_is_the_same_export(postgres: bool) {
    let filled = FilledProduct::start(postgres, waiting()).await;
    let mut viewer = filled.person(&[Role::ReportViewer], &[]).await;
    let request = CreateExportRequest { request_id: "monday".into(), order: Some(seats()), min_version: 0 };
    let mut ids = Vec::new();
    for _ in 0..2 {
        let request = viewer.request(request.clone());
        ids.push(viewer.client.create_export(request).await.unwrap().into_inner().export.unwrap().id);
    }
    assert_eq!(ids[0], ids[1]);
    let other = order(query(&[Measure::Customers], &[]), ExportFormat::Csv);
    let other = viewer.request(CreateExportRequest { order: Some(other), ..request });
    assert_eq!(viewer.client.create_export(other).await.unwrap_err().code(), Code::AlreadyExists);
    // Without a name every order is another.
    let (one, two) = (create(&mut viewer, seats(), 0).await.unwrap(), create(&mut viewer, seats(), 0).await.unwrap());
    assert_ne!(one.id, two.id);
}

async fn page(person: &mut Person, size: i32, token: &str) -> (Vec<String>, String) {
    let request = person.request(ListExportsRequest { page_size: size, page_token: token.to_owned() });
    let page = person.client.list_exports(request).await.unwrap().into_inner();
    (page.exports.into_iter().map(|export| export.id).collect(), page.next_page_token)
}

async fn lists_page_and_are_bounded(postgres: bool) {
    let exports = ExportsConfig { per_owner: 5, ..ExportsConfig::default() };
    let filled = FilledProduct::start(postgres, How { exports, ..waiting() }).await;
    let mut viewer = filled.person(&[Role::ReportViewer], &[]).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(create(&mut viewer, seats(), 0).await.unwrap().id);
    }
    assert_eq!(create(&mut viewer, seats(), 0).await.unwrap_err().code(), Code::ResourceExhausted);
    ids.reverse();
    let (mut listed, mut token) = page(&mut viewer, 2, "").await;
    while !token.is_empty() {
        let (more, next) = page(&mut viewer, 2, &token).await;
        listed.extend(more);
        token = next;
    }
    assert_eq!(listed, ids);
    let edited = viewer.request(ListExportsRequest { page_size: 2, page_token: "1.' OR 1=1".into() });
    assert_eq!(viewer.client.list_exports(edited).await.unwrap_err().code(), Code::InvalidArgument);
}

async fn what_is_stopped_is_not_written_and_what_is_removed_is_gone(postgres: bool) {
    let filled = FilledProduct::start(postgres, waiting()).await;
    let mut viewer = filled.person(&[Role::ReportViewer], &[]).await;
    let export = create(&mut viewer, seats(), filled.version).await.unwrap();
    for _ in 0..2 {
        let request = viewer.request(CancelExportRequest { id: export.id.clone() });
        let stopped = viewer.client.cancel_export(request).await.unwrap().into_inner().export.unwrap();
        assert_eq!(stopped.state(), ExportState::Cancelled);
    }
    filled.product.write_exports();
    let other = done(&mut viewer, seats(), filled.version).await;
    assert_eq!(get(&mut viewer, &export.id).await.unwrap().state(), ExportState::Cancelled);
    assert_eq!(filled.product.export_files().len(), 1);

    let request = viewer.request(DeleteExportRequest { id: other.id.clone() });
    viewer.client.delete_export(request).await.unwrap();
    assert_eq!(filled.product.export_files(), Vec::<std::path::PathBuf>::new());
    assert_eq!(get(&mut viewer, &other.id).await.unwrap_err().code(), Code::NotFound);
    let again = viewer.request(DeleteExportRequest { id: other.id });
    assert_eq!(viewer.client.delete_export(again).await.unwrap_err().code(), Code::NotFound);
}

async fn after_its_time_an_export_is_gone(postgres: bool) {
    let ahead = Arc::new(AtomicI64::new(0));
    let hours = Arc::clone(&ahead);
    let clock = Clock::new(move || Clock::system().now() + TimeDelta::hours(hours.load(Ordering::SeqCst)));
    let filled = FilledProduct::start(postgres, How { clock, ..How::default() }).await;
    let mut viewer = filled.person(&[Role::ReportViewer], &[]).await;
    let export = done(&mut viewer, seats(), filled.version).await;
    assert_eq!(filled.product.export_files().len(), 1);

    ahead.store(14 * 24 - 1, Ordering::SeqCst);
    let mut viewer = filled.person(&[Role::ReportViewer], &[]).await;
    assert_eq!(filled.product.reporting.sweep_exports().await.unwrap(), 0);
    download(&mut viewer, &export.id, 0).await.unwrap();

    ahead.store(14 * 24 + 1, Ordering::SeqCst);
    let mut viewer = filled.person(&[Role::ReportViewer], &[]).await;
    assert_eq!(get(&mut viewer, &export.id).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(filled.product.reporting.sweep_exports().await.unwrap(), 1);
    assert_eq!(filled.product.export_files(), Vec::<std::path::PathBuf>::new());
}

/// How many of six exports of one partner are written before the one of another, which was ordered last.
async fn written_before(postgres: bool) -> usize {
    let exports = ExportsConfig { at_a_time: 1, ..ExportsConfig::default() };
    let filled = FilledProduct::start(postgres, How { exports, ..waiting() }).await;
    let version = filled.product.ingest("calm", records::smallest(5)).await;
    let mut storm = filled.person(&[Role::ReportViewer], &[]).await;
    let mut calm = filled.product.person(&filled.product.token("calm", &[Role::ReportViewer], &[])).await;
    let mut stormed = Vec::new();
    for _ in 0..6 {
        stormed.push(create(&mut storm, seats(), filled.version).await.unwrap().id);
    }
    let last = create(&mut calm, seats(), version).await.unwrap().id;
    filled.product.write_exports();
    let time = |export: Export| export.end_time.map(|time| (time.seconds, time.nanos)).unwrap();
    let last = time(ended(&mut calm, &last).await);
    let mut before = 0;
    for id in stormed {
        before += usize::from(time(ended(&mut storm, &id).await) < last);
    }
    before
}

async fn partners_take_turns(postgres: bool) {
    assert_eq!(written_before(postgres).await, 1, "the one that was first");
    let _armed = fail_point::arm("", "without:reporting.fair_exports");
    assert_eq!(written_before(postgres).await, 6, "what the turns are for");
}

crate::on_each_engine!(
    partners_take_turns,
    what_a_dead_replica_began_another_continues,
    what_cannot_come_to_an_end_fails_and_says_so,
    the_same_request_is_the_same_export,
    lists_page_and_are_bounded,
    what_is_stopped_is_not_written_and_what_is_removed_is_gone,
    after_its_time_an_export_is_gone,
);
