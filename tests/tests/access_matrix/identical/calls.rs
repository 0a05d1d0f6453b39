//! Every call that is answered at once.

use insights_proto::ingestion::v1 as ingestion;
use insights_proto::metrics::v1::{Dimension, DimensionValue, Filter, Measure, Query, Scope, Top};
use insights_proto::reporting::v1 as wire;
use insights_tests::records;
use insights_tests::wire::frame;
use prost::Message;

use super::callers::Caller;
use super::seeded_product::{self, INGEST, SeededProduct};
use super::told::Told;

const REPORTING: &str = "/insights.reporting.v1.ReportingService";
const INGESTION: &str = "/insights.ingestion.v1.IngestionService";

/// A question: path, what it is called, message.
pub type Question = (String, String, Vec<u8>);

/// Asks everything as one caller; the page tokens that were given out, which the audit shows in what was asked.
pub async fn everything(seeded: &SeededProduct, caller: &Caller, token: &str, told: &mut Vec<Told>) -> Vec<String> {
    for (path, what, body) in questions(seeded.version) {
        told.push(ask(seeded, caller, token, &path, &what, &body, &[]).await.0);
    }
    pages(seeded, caller, token, told).await
}

/// Asks one thing; what was told, and the message of the answer.
pub async fn ask(
    seeded: &SeededProduct,
    caller: &Caller,
    token: &str,
    path: &str,
    what: &str,
    body: &[u8],
    random: &[String],
) -> (Told, Vec<u8>) {
    seeded.tick();
    let bearer = format!("Bearer {token}");
    let answer = seeded.product.wire.call(path, &[("authorization", &bearer)], &frame(body)).await.unwrap();
    let message = answer.body.get(5..).unwrap_or_default().to_vec();
    (Told::of(caller, path, what, &answer, random), message)
}

/// Lists that come in pages, one entry at a time.
async fn pages(seeded: &SeededProduct, caller: &Caller, token: &str, told: &mut Vec<Told>) -> Vec<String> {
    let mut given = Vec::new();
    let (rejections, waiting) = (format!("{INGESTION}/ListRejections"), format!("{INGESTION}/ListWaiting"));
    let mut page_token = String::new();
    for page in 0..6 {
        let request =
            ingestion::ListRejectionsRequest { page_size: 1, page_token: page_token.clone(), ..Default::default() };
        let what = format!("page {page}");
        let (one, body) = ask(seeded, caller, token, &rejections, &what, &request.encode_to_vec(), &[]).await;
        page_token = ingestion::ListRejectionsResponse::decode(&*body).unwrap_or_default().next_page_token;
        given.push(page_token.clone());
        told.push(one.with_page_token(&page_token, &[]));
    }
    for all in [true, false] {
        let mut page_token = String::new();
        for page in 0..5 {
            let request = wire::ListSubscriptionPerformanceRequest {
                all,
                page_size: 2,
                page_token: page_token.clone(),
                ..Default::default()
            };
            let (path, what) = (format!("{REPORTING}/ListSubscriptionPerformance"), format!("page {page} {all}"));
            let (one, body) = ask(seeded, caller, token, &path, &what, &request.encode_to_vec(), &[]).await;
            page_token = wire::ListSubscriptionPerformanceResponse::decode(&*body).unwrap_or_default().next_page_token;
            given.push(page_token.clone());
            told.push(one.with_page_token(&page_token, &[]));
        }
    }
    let mut page_token = String::new();
    for page in 0..4 {
        let request = wire::ListAdviceRequest { page_size: 1, page_token: page_token.clone(), ..Default::default() };
        let (path, what) = (format!("{REPORTING}/ListAdvice"), format!("page {page}"));
        let (one, body) = ask(seeded, caller, token, &path, &what, &request.encode_to_vec(), &[]).await;
        page_token = wire::ListAdviceResponse::decode(&*body).unwrap_or_default().next_page_token;
        given.push(page_token.clone());
        told.push(one.with_page_token(&page_token, &[]));
    }
    let mut page_token = String::new();
    for page in 0..3 {
        let request = ingestion::ListWaitingRequest { page_size: 1, page_token: page_token.clone() };
        let what = format!("page {page}");
        let (one, body) = ask(seeded, caller, token, &waiting, &what, &request.encode_to_vec(), &[]).await;
        page_token = ingestion::ListWaitingResponse::decode(&*body).unwrap_or_default().next_page_token;
        given.push(page_token.clone());
        told.push(one.with_page_token(&page_token, &[]));
    }
    given.retain(|token| !token.is_empty());
    given
}

fn questions(version: i64) -> Vec<Question> {
    let mut questions = Vec::new();
    let mut put = |path: String, what: String, body: Vec<u8>| questions.push((path, what, body));
    for (what, query) in queries().into_iter().take(2) {
        let preview = wire::PreviewImportRequest { query: Some(query), batch: None, done: true };
        put(format!("{REPORTING}/PreviewImport"), what.clone(), preview.encode_to_vec());
    }
    for (what, query) in queries() {
        let request = wire::QueryRequest { query: Some(query.clone()), min_version: version, max_bytes: 0 };
        put(format!("{REPORTING}/Query"), what.clone(), request.encode_to_vec());
        // Previews are made of the same rows; some will do.
        if !what.contains("top 3") && !what.contains("by Customer") {
            continue;
        }
        let format = wire::ExportFormat::Csv.into();
        let order = wire::ExportOrder { query: Some(query), format, name: "x".into(), ..Default::default() };
        let request = wire::PreviewExportRequest { order: Some(order), min_version: version };
        put(format!("{REPORTING}/PreviewExport"), what, request.encode_to_vec());
    }
    for report in (1..).map_while(|number| wire::ExportReport::try_from(number).ok()) {
        for (what, order) in previews(report) {
            let request = wire::PreviewExportRequest { order: Some(order), min_version: version };
            put(format!("{REPORTING}/PreviewExport"), format!("{report:?} {what}"), request.encode_to_vec());
        }
    }
    for measure in [Measure::UsagePercent, Measure::ActiveUsagePercent, Measure::BilledRevenue] {
        for dimension in [Dimension::Customer, Dimension::Sku, Dimension::Country] {
            let request = wire::ExplainRequest {
                query: Some(query(&[measure], &[dimension])),
                min_version: version,
                max_bytes: 0,
            };
            put(format!("{REPORTING}/Explain"), format!("{measure:?} {dimension:?}"), request.encode_to_vec());
        }
    }
    for dimension in dimensions() {
        for search in ["", "o", "d1", "user", "example"] {
            let dimension_no = dimension.into();
            let request =
                wire::ListFilterValuesRequest { dimension: dimension_no, search: search.into(), min_version: version };
            put(format!("{REPORTING}/ListFilterValues"), format!("{dimension:?} {search:?}"), request.encode_to_vec());
        }
    }
    for (what, page) in page_filters() {
        dashboards(&what, &page, version, &mut put);
    }
    others(version, &mut put);
    questions
}

fn dimensions() -> impl Iterator<Item = Dimension> {
    (1..=15).filter_map(|number| Dimension::try_from(number).ok())
}

fn query(measures: &[Measure], by: &[Dimension]) -> Query {
    Query {
        measures: measures.iter().map(|&measure| measure.into()).collect(),
        group_by: by.iter().map(|&dimension| dimension.into()).collect(),
        from_month: "2024-11".into(),
        to_month: "2025-03".into(),
        ..Query::default()
    }
}

/// Queries with and without revenue, good and bad.
fn queries() -> Vec<(String, Query)> {
    use Measure as M;
    let sets: [&[Measure]; 6] = [
        &[M::BilledRevenue],
        &[M::Available, M::BilledRevenue, M::Active],
        &[M::Customers, M::Churned, M::BilledRevenue],
        &[M::ActiveUsers, M::TotalUsers, M::UsagePercent, M::BilledRevenue],
        &[M::Customers, M::ActiveCustomers, M::New, M::Existing, M::Returning, M::Subscriptions],
        &[M::Available, M::Assigned, M::ActiveUsagePercent, M::NewSeats, M::DeploymentOpportunity],
    ];
    let mut queries = Vec::new();
    for set in sets {
        queries.push((format!("{set:?}"), query(set, &[])));
        for dimension in dimensions() {
            queries.push((format!("{set:?} by {dimension:?}"), query(set, &[dimension])));
        }
        let by = [Dimension::Country, Dimension::Location];
        queries.push((format!("{set:?} by {by:?}"), query(set, &by)));
        for by in [Dimension::Customer, Dimension::Subscription, Dimension::Country] {
            for (measure, count) in [(M::BilledRevenue, 1), (M::BilledRevenue, 3)] {
                let top = Some(Top { measure: measure.into(), count });
                let query = Query { top, ..query(set, &[by]) };
                queries.push((format!("{set:?} top {count} of {by:?} by {measure:?}"), query));
            }
        }
        let standing =
            Filter { dimension: Dimension::Standing.into(), values: vec![value("PENDING"), value("ACTIVE")] };
        let by = query(set, &[Dimension::Subscription]);
        queries.push((format!("{set:?} filtered"), Query { filters: vec![standing], ..by.clone() }));
        queries.push((format!("{set:?} own"), Query { scope: Scope::Own.into(), include_free: true, ..by.clone() }));
        // Months in which there is nothing but revenue.
        let (from_month, to_month) = ("2023-04".into(), "2023-06".into());
        queries.push((format!("{set:?} long ago"), Query { from_month, to_month, ..by.clone() }));
        queries.push((format!("{set:?} backwards"), Query { to_month: "2020-01".into(), ..by }));
    }
    queries
}

/// Reports: of everything, of a location, of each currency alone, and of months in which there is nothing but revenue.
fn previews(report: wire::ExportReport) -> Vec<(String, wire::ExportOrder)> {
    let order = |query: Query| wire::ExportOrder {
        query: Some(query),
        format: wire::ExportFormat::Csv.into(),
        name: "x".into(),
        report: report.into(),
        columns: Vec::new(),
    };
    let (from_month, to_month) = ("2025-03".to_owned(), "2025-03".to_owned());
    let month = Query { from_month, to_month, ..Query::default() };
    let there = Filter { dimension: Dimension::Location.into(), values: vec![value("L2")] };
    let (from_month, to_month) = ("2023-04".into(), "2023-06".into());
    let columns = vec!["BilledRevenueUSD".to_owned(), "TenantDomainName".to_owned()];
    vec![
        ("everything".into(), order(month.clone())),
        ("of L2".into(), order(Query { filters: vec![there], ..month.clone() })),
        ("own".into(), order(Query { scope: Scope::Own.into(), ..month.clone() })),
        ("long ago".into(), order(Query { from_month, to_month, ..month.clone() })),
        ("what is hidden alone".into(), wire::ExportOrder { columns, ..order(month) }),
    ]
}

fn value(text: &str) -> DimensionValue {
    DimensionValue { value: Some(text.to_owned()) }
}

fn page_filters() -> Vec<(String, wire::PageFilters)> {
    let filter = |dimension: Dimension, of: &str| wire::PageFilters {
        filters: vec![Filter { dimension: dimension.into(), values: vec![value(of)] }],
        ..wire::PageFilters::default()
    };
    let range = |from: &str, to: &str| wire::PageFilters {
        from_month: from.into(),
        to_month: to.into(),
        ..wire::PageFilters::default()
    };
    vec![
        ("everything".into(), wire::PageFilters::default()),
        ("of L2".into(), filter(Dimension::Location, "L2")),
        ("of a product".into(), filter(Dimension::Product, "Office 365")),
        ("long ago".into(), range("2023-04", "2023-06")),
        ("three months".into(), range("2025-01", "2025-03")),
        ("to come".into(), range("2025-05", "2026-02")),
    ]
}

fn dashboards(what: &str, page: &wire::PageFilters, version: i64, put: &mut impl FnMut(String, String, Vec<u8>)) {
    let (page, min_version) = (Some(page.clone()), version);
    for measure in [Measure::Unspecified, Measure::Customers, Measure::BilledRevenue] {
        let order = wire::CountryOrder { measure: measure.into(), ..Default::default() };
        let country_order = Some(order).filter(|_| measure != Measure::Unspecified);
        let request =
            wire::GetCustomersDashboardRequest { page: page.clone(), min_version, country_order, ..Default::default() };
        put(format!("{REPORTING}/GetCustomersDashboard"), format!("{what} {measure:?}"), request.encode_to_vec());
    }
    let request = wire::GetDynamicsUsageDashboardRequest { page: page.clone(), min_version, ..Default::default() };
    put(format!("{REPORTING}/GetDynamicsUsageDashboard"), what.to_owned(), request.encode_to_vec());
    for (all, search) in [(false, ""), (true, ""), (false, "Customer 1"), (true, "d1.example"), (true, "Other")] {
        let request = wire::ListSubscriptionPerformanceRequest {
            page: page.clone(),
            min_version,
            products: if all { vec!["Office 365".into()] } else { Vec::new() },
            all,
            customer_search: search.into(),
            ..Default::default()
        };
        let what = format!("{what} {all} {search:?}");
        put(format!("{REPORTING}/ListSubscriptionPerformance"), what, request.encode_to_vec());
    }
    let request = wire::ListAdviceRequest { page: page.clone(), min_version, ..Default::default() };
    put(format!("{REPORTING}/ListAdvice"), what.to_owned(), request.encode_to_vec());
    for customer in ["", "C-1", "C-4", "C-none", "d1.example"] {
        let request =
            wire::GetLicenceAdoptionDashboardRequest { page: page.clone(), min_version, customer_id: customer.into() };
        put(
            format!("{REPORTING}/GetLicenceAdoptionDashboard"),
            format!("{what} of {customer:?}"),
            request.encode_to_vec(),
        );
    }
}

fn others(version: i64, put: &mut impl FnMut(String, String, Vec<u8>)) {
    put("/insights.access.v1.AccessService/WhoAmI".into(), String::new(), Vec::new());
    for method in ["GetWords", "ListGlossaryTerms", "Verify"] {
        put(format!("{REPORTING}/{method}"), String::new(), Vec::new());
    }
    for min_version in [version, version + 1, -1] {
        let request = wire::GetFreshnessRequest { min_version };
        put(format!("{REPORTING}/GetFreshness"), min_version.to_string(), request.encode_to_vec());
    }
    put(format!("{INGESTION}/GetFreshness"), String::new(), Vec::new());
    put(
        format!("{INGESTION}/ReplayRejections"),
        "of nothing".into(),
        ingestion::ReplayRejectionsRequest { ids: vec![999_999] }.encode_to_vec(),
    );
    let check = ingestion::IngestBatchRequest {
        records: vec![ingestion::Record {
            kind: Some(ingestion::record::Kind::CompleteThrough(ingestion::CompleteThrough {
                day: "2025-03-30".into(),
            })),
            ..Default::default()
        }],
        validate_only: true,
        ..Default::default()
    };
    put(INGEST.into(), "a check".into(), check.encode_to_vec());
    // Whoever guesses what is stored is not told.
    let guess = ingestion::IngestBatchRequest { validate_only: true, ..records::batch("", seeded_product::guess()) };
    put(INGEST.into(), "a guess".into(), guess.encode_to_vec());
    let list = ingestion::WholeList {
        source: "crm".into(),
        what: "subscriptions".into(),
        customer_id: "C-1".into(),
        day: "2025-03-30".into(),
        ..Default::default()
    };
    let list = ingestion::Record { kind: Some(ingestion::record::Kind::WholeList(list)), ..Default::default() };
    let lists = ingestion::PreviewListsRequest { records: vec![list] };
    put(format!("{INGESTION}/PreviewLists"), String::new(), lists.encode_to_vec());
    put(format!("{INGESTION}/ListAuditEntries"), String::new(), Vec::new());
}
