//! Exports from order to file, by every way there is.

use insights_proto::metrics::v1::{Dimension, Measure, Query, Top};
use insights_proto::reporting::v1 as wire;
use insights_testkit::until;
use prost::Message;

use super::callers::Caller;
use super::calls::ask;
use super::seeded_product::SeededProduct;
use super::told::Told;

const REPORTING: &str = "/insights.reporting.v1.ReportingService";

fn path(method: &str) -> String {
    format!("{REPORTING}/{method}")
}

fn orders() -> Vec<(String, wire::ExportOrder)> {
    let by = |measures: &[Measure], dimension: Dimension, top: Option<Top>| Query {
        measures: measures.iter().map(|&measure| measure.into()).collect(),
        group_by: vec![dimension.into()],
        from_month: "2025-01".into(),
        to_month: "2025-03".into(),
        top,
        ..Query::default()
    };
    let seats = [Measure::Available, Measure::BilledRevenue];
    let top = Some(Top { measure: Measure::BilledRevenue.into(), count: 3 });
    let queries = [
        ("seats", by(&seats, Dimension::Subscription, None)),
        ("top", by(&seats, Dimension::Customer, top)),
        ("users", by(&[Measure::ActiveUsers, Measure::BilledRevenue], Dimension::Customer, None)),
    ];
    let order = |what: &str, query: &Query, format: wire::ExportFormat| {
        let name = format!("file of {what}");
        let query = Some(query.clone());
        let order = wire::ExportOrder { query, format: format.into(), name, ..Default::default() };
        (format!("{what} as {format:?}"), order)
    };
    let of_report = |report: wire::ExportReport| {
        let query = Query { from_month: "2025-01".into(), to_month: "2025-03".into(), ..Query::default() };
        let (what, order) = order(&format!("{report:?}"), &query, wire::ExportFormat::Csv);
        (what, wire::ExportOrder { report: report.into(), ..order })
    };
    let others = [wire::ExportFormat::Tsv, wire::ExportFormat::Xlsx, wire::ExportFormat::Parquet];
    let texts = queries.iter().map(|(what, query)| order(what, query, wire::ExportFormat::Csv));
    let others = others.map(|format| order(queries[0].0, &queries[0].1, format));
    let reports = (1..).map_while(|number| wire::ExportReport::try_from(number).ok()).map(of_report);
    texts.chain(others).chain(reports).collect()
}

/// Orders, looks at, fetches and removes everything.
pub async fn everything(
    seeded: &SeededProduct,
    caller: &Caller,
    token: &str,
    mut random: Vec<String>,
    told: &mut Vec<Told>,
) {
    // Ids and secrets are made up anew in every seeded; what is the same is everything else.
    let mut exports = Vec::new();
    for (what, order) in orders() {
        let request = wire::CreateExportRequest {
            order: Some(order),
            min_version: seeded.version,
            request_id: format!("request {what}"),
        };
        seeded.tick();
        let body = request.encode_to_vec();
        let (_, message) = ask(seeded, caller, token, &path("CreateExport"), &what, &body, &[]).await;
        let export = wire::CreateExportResponse::decode(&*message).unwrap_or_default().export.unwrap_or_default();
        if !export.id.is_empty() {
            random.push(export.id.clone());
            wait(seeded, token, &export.id).await;
        }
        // The same order again says how it ended.
        told.push(ask(seeded, caller, token, &path("CreateExport"), &what, &body, &random).await.0);
        exports.push((what, export.id));
    }
    let mut page_token = String::new();
    for page in 0..exports.len() + 1 {
        let request = wire::ListExportsRequest { page_size: 1, page_token: page_token.clone() };
        let what = format!("page {page}");
        let body = request.encode_to_vec();
        let (one, message) = ask(seeded, caller, token, &path("ListExports"), &what, &body, &random).await;
        page_token = wire::ListExportsResponse::decode(&*message).unwrap_or_default().next_page_token;
        told.push(one.with_page_token(&page_token, &random));
        random.extend(Some(page_token.clone()).filter(|token| !token.is_empty()));
    }
    for (what, id) in exports {
        fetch(seeded, caller, token, &what, &id, &mut random, told).await;
    }
    if caller.sees.revenue {
        // All of it: where a page ends is made up anew in every seeded.
        let body = wire::ListAuditEntriesRequest { page_size: 1_000, ..Default::default() }.encode_to_vec();
        told.push(ask(seeded, caller, token, &path("ListAuditEntries"), "all", &body, &random).await.0);
    }
}

/// Every way to one export.
async fn fetch(
    seeded: &SeededProduct,
    caller: &Caller,
    token: &str,
    what: &str,
    id: &str,
    random: &mut Vec<String>,
    told: &mut Vec<Told>,
) {
    let id = || id.to_owned();
    let get = wire::GetExportRequest { id: id() }.encode_to_vec();
    told.push(ask(seeded, caller, token, &path("GetExport"), what, &get, random).await.0);
    let download = wire::DownloadExportRequest { id: id(), offset: 0 }.encode_to_vec();
    told.push(ask(seeded, caller, token, &path("DownloadExport"), what, &download, random).await.0);
    let ticket = wire::CreateDownloadTicketRequest { id: id() }.encode_to_vec();
    let (_, message) = ask(seeded, caller, token, &path("CreateDownloadTicket"), what, &ticket, &[]).await;
    let ticket = wire::CreateDownloadTicketResponse::decode(&*message).unwrap_or_default().path;
    if let Some((_, secret)) = ticket.split_once("ticket=") {
        random.push(secret.to_owned());
        seeded.tick();
        let url = format!("http://{}{ticket}", seeded.product.address);
        let answer = reqwest::get(url).await.unwrap();
        let mut bytes = answer.status().to_string().into_bytes();
        let of_the_moment = |name: &str| ["date", "x-request-id"].contains(&name);
        for (name, value) in answer.headers().iter().filter(|(name, _)| !of_the_moment(name.as_str())) {
            bytes.extend(format!("{name}: {value:?}\n").into_bytes());
        }
        bytes.extend(answer.bytes().await.unwrap());
        told.push(Told::bytes(caller, "GET /exports", what, bytes, random));
    } else {
        told.push(Told::bytes(caller, "GET /exports", what, Vec::new(), random));
    }
    let again = wire::CreateDownloadTicketRequest { id: format!("{}0", id()) }.encode_to_vec();
    told.push(ask(seeded, caller, token, &path("CreateDownloadTicket"), what, &again, random).await.0);
    let cancel = wire::CancelExportRequest { id: id() }.encode_to_vec();
    told.push(ask(seeded, caller, token, &path("CancelExport"), what, &cancel, random).await.0);
    let delete = wire::DeleteExportRequest { id: id() }.encode_to_vec();
    told.push(ask(seeded, caller, token, &path("DeleteExport"), what, &delete, random).await.0);
}

/// Until the file is there.
async fn wait(seeded: &SeededProduct, token: &str, id: &str) {
    until("the export is done", async || {
        let request = wire::GetExportRequest { id: id.to_owned() };
        let (_, answer) = seeded.product.ask::<wire::GetExportResponse>(&path("GetExport"), token, &request).await;
        answer.export.unwrap_or_default().state() == wire::ExportState::Done
    })
    .await;
}
