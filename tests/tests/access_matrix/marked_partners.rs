//! Partners that share every id, and differ in every number and name.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use insights_access::Role;
use insights_proto::{
    ingestion::v1::{Partner, record::Kind},
    metrics::v1::{Dimension, Measure, Query, Row, value},
    reporting::v1::{
        ExportFormat, ExportOrder, ExportReport, GetCustomersDashboardRequest, GetDynamicsUsageDashboardRequest,
        GetLicenceAdoptionDashboardRequest, ListAdviceRequest, ListFilterValuesRequest,
        ListSubscriptionPerformanceRequest, ListSubscriptionPerformanceResponse, PreviewExportRequest, QueryRequest,
        QueryResponse,
    },
};
use insights_tests::{
    product::Product,
    records::{self, text},
    wire::Answer,
};
use prost::Message;

pub const QUERY: &str = "/insights.reporting.v1.ReportingService/Query";
pub const ADOPTION: &str = "/insights.reporting.v1.ReportingService/GetLicenceAdoptionDashboard";
pub const MONTH: &str = "2025-03";
/// Bytes of the seal in a page token.
const SEAL: usize = 16;

/// A customer with one subscription from January to March 2025.
pub struct Sold {
    pub customer: &'static str,
    pub seats: i64,
    pub location: Option<&'static str>,
    /// March's revenue.
    pub amount: &'static str,
}

/// The records of a partner whose every name carries the marker.
pub fn marked(marker: &str, sold: &[Sold]) -> Vec<Kind> {
    let mut all = vec![
        Kind::Partner(Partner { name: text(marker), ..Partner::default() }),
        records::sku("SKU-1", &format!("{marker} Dynamics"), &format!("Dynamics 365 {marker}"), &["Dynamics"]),
    ];
    all.extend(["L1", "L2"].map(|id| records::location(id, &format!("{marker} office {id}"))));
    for one in sold {
        let id = one.customer;
        let subscription = format!("S-{id}");
        all.push(records::customer(id, |it| {
            it.name = Some(format!("{marker} {id}"));
            it.country = text("BR");
            it.domain = Some(format!("{id}.{marker}.example").to_lowercase());
        }));
        let attributions = one.location.map(|at| records::attribution(at, "CSP")).into_iter().collect();
        all.push(records::subscription(&subscription, id, "SKU-1", |it| it.attributions = attributions));
        all.push(records::state(&subscription, "2025-01-01", "Active", one.seats));
        all.push(records::revenue(&subscription, MONTH, one.amount, "USD"));
    }
    all.push(records::complete_through("2025-03-31"));
    all
}

pub fn query(measures: &[Measure], by: &[Dimension]) -> Query {
    Query {
        measures: measures.iter().map(|&measure| measure.into()).collect(),
        group_by: by.iter().map(|&dimension| dimension.into()).collect(),
        from_month: MONTH.into(),
        to_month: MONTH.into(),
        ..Query::default()
    }
}

/// Asks a question that must be answered.
pub async fn ask(product: &Product, token: &str, query: Query, version: i64) -> Vec<Row> {
    let request = QueryRequest { query: Some(query), min_version: version, max_bytes: 0 };
    let (answer, response) = product.ask::<QueryResponse>(QUERY, token, &request).await;
    assert_eq!(answer.code(), tonic::Code::Ok, "{answer:?}");
    response.result.unwrap_or_default().rows
}

/// The one count of the one row; 0 without a row.
pub async fn count(product: &Product, token: &str, measure: Measure, version: i64) -> i64 {
    let rows = ask(product, token, query(&[measure], &[]), version).await;
    let value = rows.first().and_then(|row| row.values.first()).and_then(|value| value.kind.clone());
    match value {
        Some(value::Kind::Count(count)) => count,
        None => 0,
        other => panic!("no count: {other:?}"),
    }
}

/// Everything a person can ask that shows something, with every role there is: (what, answer).
pub async fn everything(
    product: &Product,
    partner: &str,
    roles: &[Role],
    locations: &[&str],
    version: i64,
) -> Vec<(String, Answer)> {
    let token = product.token(partner, roles, locations);
    let mut answers = Vec::new();
    let all = [Measure::Customers, Measure::Available, Measure::BilledRevenue];
    let dimensions = (1..=15).filter_map(|number| Dimension::try_from(number).ok());
    for dimension in dimensions {
        let asked = QueryRequest { query: Some(query(&all, &[dimension])), min_version: version, max_bytes: 0 };
        answers.push((format!("query by {dimension:?}"), send(product, QUERY, &token, &asked).await));
        let list = "/insights.reporting.v1.ReportingService/ListFilterValues";
        let asked = ListFilterValuesRequest { dimension: dimension.into(), min_version: version, ..Default::default() };
        answers.push((format!("values of {dimension:?}"), send(product, list, &token, &asked).await));
    }
    let path = |method: &str| format!("/insights.reporting.v1.ReportingService/{method}");
    for dimension in [Dimension::Customer, Dimension::Country] {
        let order = ExportOrder {
            query: Some(query(&all, &[dimension])),
            format: ExportFormat::Csv.into(),
            ..ExportOrder::default()
        };
        let asked = PreviewExportRequest { order: Some(order), min_version: version };
        answers.push((format!("export by {dimension:?}"), send(product, &path("PreviewExport"), &token, &asked).await));
    }
    for report in (1..).map_while(|number| ExportReport::try_from(number).ok()) {
        let order = ExportOrder {
            query: Some(query(&[], &[])),
            format: ExportFormat::Csv.into(),
            report: report.into(),
            ..ExportOrder::default()
        };
        let asked = PreviewExportRequest { order: Some(order), min_version: version };
        answers.push((format!("{report:?} report"), send(product, &path("PreviewExport"), &token, &asked).await));
    }
    let asked = GetCustomersDashboardRequest { min_version: version, ..Default::default() };
    answers.push(("customers".into(), send(product, &path("GetCustomersDashboard"), &token, &asked).await));
    let asked = GetDynamicsUsageDashboardRequest { min_version: version, ..Default::default() };
    answers.push(("usage".into(), send(product, &path("GetDynamicsUsageDashboard"), &token, &asked).await));
    let asked = GetLicenceAdoptionDashboardRequest { min_version: version, ..Default::default() };
    answers.push(("adoption".into(), send(product, ADOPTION, &token, &asked).await));
    for (all, customer_search) in [(false, ""), (true, ""), (false, "mark C")] {
        let asked = ListSubscriptionPerformanceRequest {
            all,
            customer_search: customer_search.into(),
            page_size: 2,
            min_version: version,
            ..Default::default()
        };
        let what = format!("performance {all} {customer_search:?}");
        let answer = send(product, &path("ListSubscriptionPerformance"), &token, &asked).await;
        answers.push((what, without_seal(answer)));
    }
    let asked = ListAdviceRequest { min_version: version, ..Default::default() };
    answers.push(("advice".into(), send(product, &path("ListAdvice"), &token, &asked).await));
    for customer in ["C-1", "C-2", "C-3", "C-4"] {
        let asked = adoption_of(customer, version);
        answers.push((format!("adoption of {customer}"), send(product, ADOPTION, &token, &asked).await));
    }
    for method in ["ListRejections", "ListWaiting", "GetFreshness"] {
        let path = format!("/insights.ingestion.v1.IngestionService/{method}");
        answers.push((method.into(), product.wire.with_token(&path, &token).await.unwrap()));
    }
    let freshness = "/insights.reporting.v1.ReportingService/GetFreshness";
    answers.push(("freshness".into(), product.wire.with_token(freshness, &token).await.unwrap()));
    answers
}

/// The answer with the seal of its page token blanked: each installation seals with a key of its own. The position stays.
fn without_seal(mut answer: Answer) -> Answer {
    let message = answer.body.get(5..).unwrap_or_default();
    let token = ListSubscriptionPerformanceResponse::decode(message).unwrap_or_default().next_page_token;
    let mut bytes = URL_SAFE_NO_PAD.decode(&token).expect("a page token");
    bytes.iter_mut().take(SEAL).for_each(|byte| *byte = 0);
    let blank = URL_SAFE_NO_PAD.encode(bytes);
    let at = answer.body.windows(token.len().max(1)).position(|window| window == token.as_bytes());
    if let Some(at) = at {
        let mut body = answer.body.to_vec();
        body[at..at + blank.len()].copy_from_slice(blank.as_bytes());
        answer.body = body.into();
    }
    answer
}

pub fn adoption_of(customer: &str, version: i64) -> GetLicenceAdoptionDashboardRequest {
    GetLicenceAdoptionDashboardRequest { customer_id: customer.into(), min_version: version, ..Default::default() }
}

pub async fn send(product: &Product, path: &str, token: &str, request: &impl Message) -> Answer {
    product.ask::<()>(path, token, request).await.0
}

/// Whether the text stands anywhere in what was sent back: body, headers, status.
pub fn shows(answer: &Answer, text: &str) -> bool {
    let sent = format!("{:?} {:?} {}", answer.headers, answer.status, String::from_utf8_lossy(&answer.body));
    sent.to_lowercase().contains(&text.to_lowercase())
}
