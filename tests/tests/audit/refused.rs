//! What cannot be audited is not given: every way to a figure is shut while the audit cannot be written. With that guard
//! left out, the figures leave and nobody knows.

use insights_access::Role;
use insights_proto::ingestion::v1::{IngestBatchRequest, IngestBatchResponse, Record};
use insights_proto::reporting::v1 as wire;
use insights_testkit::{free_address, until};
use insights_tests::running::{Kind, PARTNER, Place, place::Setting};
use insights_tests::wire::{Wire, frame};
use prost::Message;
use tonic::Code;

use crate::reads::{order, path, reads, records, send};

/// The answers of everything that shows figures once the audit's table is gone: (method, code, bytes of answer).
async fn answers(fail_points: &str) -> Vec<(String, Code, usize)> {
    let place = Place::sqlite();
    let setting = Setting { fail_points: fail_points.to_owned(), ..Setting::default() };
    let process = place.start(Kind::Everything, free_address(), &setting);
    let wire = Wire::to(process.address());
    let token = place.token("ada", Role::GlobalAdmin, &[]);
    let records = records().into_iter().map(|kind| Record { kind: Some(kind), ..Record::default() }).collect();
    let batch = IngestBatchRequest { records, ..IngestBatchRequest::default() };
    let ingest = "/insights.ingestion.v1.IngestionService/IngestBatch";
    let stored = send(&wire, ingest, &token, &batch.encode_to_vec()).await;
    let version = IngestBatchResponse::decode(&stored.body[5..]).unwrap().version;
    assert!(version > 0, "{stored:?}");

    let create = wire::CreateExportRequest { order: Some(order()), min_version: version, ..Default::default() };
    let created = send(&wire, &path("CreateExport"), &token, &create.encode_to_vec()).await;
    let id = wire::CreateExportResponse::decode(&created.body[5..]).unwrap().export.unwrap().id;
    let done = async || {
        let get = wire::GetExportRequest { id: id.clone() }.encode_to_vec();
        let answer = send(&wire, &path("GetExport"), &token, &get).await;
        wire::GetExportResponse::decode(&answer.body[5..]).unwrap().export.unwrap().state() == wire::ExportState::Done
    };
    until("the export is done", done).await;
    let ticket = wire::CreateDownloadTicketRequest { id: id.clone() }.encode_to_vec();
    let ticket = send(&wire, &path("CreateDownloadTicket"), &token, &ticket).await;
    let ticket = wire::CreateDownloadTicketResponse::decode(&ticket.body[5..]).unwrap().path;

    place.execute("reporting", "ALTER TABLE audit_record RENAME TO audit_record_gone").await;
    let url = format!("http://{}{ticket}", process.address());
    let by_ticket = reqwest::get(url).await.unwrap();
    let code = if by_ticket.status().is_success() { Code::Ok } else { Code::Unavailable };
    let mut answers = vec![("by ticket".to_owned(), code, by_ticket.bytes().await.unwrap().len())];
    for (method, body) in reads(version, &id) {
        let headers = [("authorization", format!("Bearer {token}")), ("grpc-timeout", "60S".to_owned())];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = wire.call(&path(method), &headers, &frame(&body)).await.unwrap();
        answers.push((method.to_owned(), answer.code(), answer.body.len()));
    }
    let kept = place.number("reporting", "SELECT COUNT(*) FROM audit_record_gone").await;
    assert_eq!(kept, 2, "the order and the ticket from before, of {PARTNER}");
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn no_figure_leaves_while_the_audit_cannot_be_written() {
    for (method, code, bytes) in answers("").await {
        assert_eq!((code, bytes), (Code::Unavailable, 0), "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_guard_figures_leave_and_nobody_knows() {
    for (method, code, bytes) in answers("without:reporting.audit").await {
        // The listing of the audit and the count of what an erasure would take read the table that is gone.
        if !["ListAuditEntries", "PreviewErasure"].contains(&method.as_str()) {
            assert_eq!(code, Code::Ok, "{method}");
            assert!(bytes > 0, "{method}");
        }
    }
}
