//! A partner with something to read, and every way to read it.

use insights_access::{Role, TokenRequest};
use insights_proto::ingestion::v1::record::Kind;
use insights_proto::metrics::v1::{Dimension, Measure, Query};
use insights_proto::reporting::v1 as wire;
use insights_testkit::until;
use insights_tests::product::Product;
use insights_tests::records::{location, smallest};
use insights_tests::wire::Answer;
use prost::Message;

pub const PARTNER: &str = "contoso";
pub const SERVICE: &str = "/insights.reporting.v1.ReportingService";

pub fn path(method: &str) -> String {
    format!("{SERVICE}/{method}")
}

/// One customer with ten seats, and a location.
pub fn records() -> Vec<Kind> {
    let mut records = smallest(10);
    records.push(location("L1", "Office"));
    records
}

pub fn query(measures: &[Measure], by: &[Dimension]) -> Query {
    Query {
        measures: measures.iter().map(|&measure| measure.into()).collect(),
        group_by: by.iter().map(|&dimension| dimension.into()).collect(),
        from_month: "2025-01".into(),
        to_month: "2025-03".into(),
        ..Query::default()
    }
}

pub fn order() -> wire::ExportOrder {
    wire::ExportOrder {
        query: Some(query(&[Measure::Available], &[Dimension::Customer])),
        format: wire::ExportFormat::Csv.into(),
        ..wire::ExportOrder::default()
    }
}

/// Every method that shows or promises figures, with a request that is answered; of an export that is there.
pub fn reads(version: i64, export: &str) -> Vec<(&'static str, Vec<u8>)> {
    let (min_version, id) = (version, export.to_owned());
    let asked = Some(query(&[Measure::Available], &[Dimension::Customer]));
    let explained = Some(query(&[Measure::ActiveUsagePercent], &[]));
    vec![
        ("Query", wire::QueryRequest { query: asked.clone(), min_version, max_bytes: 0 }.encode_to_vec()),
        ("PreviewImport", wire::PreviewImportRequest { query: asked.clone(), batch: None, done: true }.encode_to_vec()),
        ("Explain", wire::ExplainRequest { query: explained, min_version, max_bytes: 0 }.encode_to_vec()),
        (
            "GetCustomersDashboard",
            wire::GetCustomersDashboardRequest { min_version, ..Default::default() }.encode_to_vec(),
        ),
        (
            "GetDynamicsUsageDashboard",
            wire::GetDynamicsUsageDashboardRequest { min_version, ..Default::default() }.encode_to_vec(),
        ),
        (
            "GetLicenceAdoptionDashboard",
            wire::GetLicenceAdoptionDashboardRequest { min_version, ..Default::default() }.encode_to_vec(),
        ),
        (
            "ListSubscriptionPerformance",
            wire::ListSubscriptionPerformanceRequest { min_version, ..Default::default() }.encode_to_vec(),
        ),
        ("ListAdvice", wire::ListAdviceRequest { min_version, ..Default::default() }.encode_to_vec()),
        (
            "ListFilterValues",
            wire::ListFilterValuesRequest { dimension: Dimension::Customer.into(), ..Default::default() }
                .encode_to_vec(),
        ),
        (
            "CreateExport",
            wire::CreateExportRequest { order: Some(order()), min_version, ..Default::default() }.encode_to_vec(),
        ),
        ("PreviewExport", wire::PreviewExportRequest { order: Some(order()), min_version }.encode_to_vec()),
        ("CreateDownloadTicket", wire::CreateDownloadTicketRequest { id: id.clone() }.encode_to_vec()),
        ("DownloadExport", wire::DownloadExportRequest { id: id.clone(), offset: 0 }.encode_to_vec()),
        ("Verify", wire::VerifyRequest {}.encode_to_vec()),
        (
            "PreviewErasure",
            wire::PreviewErasureRequest { customer_id: "C-404".into(), ..Default::default() }.encode_to_vec(),
        ),
        ("AllowErased", wire::AllowErasedRequest { customer_id: "C-404".into(), ..Default::default() }.encode_to_vec()),
        ("ListAuditEntries", wire::ListAuditEntriesRequest::default().encode_to_vec()),
        // Last: the others need it.
        ("CancelExport", wire::CancelExportRequest { id: id.clone() }.encode_to_vec()),
        ("DeleteExport", wire::DeleteExportRequest { id }.encode_to_vec()),
    ]
}

/// Methods that show no figures and are asked again and again, or show nothing of a partner at all.
pub const NOT_AUDITED: [&str; 5] = ["GetFreshness", "GetExport", "ListExports", "ListGlossaryTerms", "GetWords"];

/// Wants a confirmation, so that it is called in a test of its own.
pub const CONFIRMED: &str = "Erase";

/// A token with this subject.
pub fn token_of(product: &Product, subject: &str, partner: &str, roles: &[Role], locations: &[&str]) -> String {
    let request = TokenRequest {
        subject: subject.into(),
        roles: roles.to_vec(),
        partner: partner.into(),
        locations: locations.iter().map(|&location| location.to_owned()).collect(),
        ..TokenRequest::default()
    };
    product.issuer.mint(&request).unwrap()
}

/// An export that is there.
pub async fn export(product: &Product, token: &str, version: i64) -> String {
    let mut person = product.person(token).await;
    let request = wire::CreateExportRequest { order: Some(order()), min_version: version, ..Default::default() };
    let request = person.request(request);
    let id = person.client.create_export(request).await.unwrap().into_inner().export.unwrap().id;
    until("the export is done", async || {
        let request = person.request(wire::GetExportRequest { id: id.clone() });
        let export = person.client.get_export(request).await.unwrap().into_inner().export.unwrap();
        export.state() == wire::ExportState::Done
    })
    .await;
    id
}

/// Sends a request that is bytes already.
pub async fn send(wire: &insights_tests::wire::Wire, path: &str, token: &str, body: &[u8]) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("grpc-timeout", "60S")];
    wire.call(path, &headers, &insights_tests::wire::frame(body)).await.unwrap()
}

pub async fn list(
    product: &Product,
    token: &str,
    request: &wire::ListAuditEntriesRequest,
) -> (Answer, wire::ListAuditEntriesResponse) {
    product.ask(&path("ListAuditEntries"), token, request).await
}
