//! The ways to download a file, which are open to its owner alone.

use insights_access::{Role, TokenRequest};
use insights_proto::metrics::v1::{Dimension, Measure};
use insights_proto::reporting::v1::{
    CancelExportRequest, CreateDownloadTicketRequest, DeleteExportRequest, ExportFormat, ExportOrder,
    ListExportsRequest,
};
use insights_tests::product::{How, Person};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_RANGE, ETAG, RANGE};
use tonic::Code;

use crate::hostile_names::{FilledProduct, PARTNER, done, download, get, order, query, sha256};

fn revenue() -> ExportOrder {
    order(query(&[Measure::Available, Measure::BilledRevenue], &[Dimension::Subscription]), ExportFormat::Csv)
}

pub async fn ticket(person: &mut Person, id: &str) -> Result<String, tonic::Status> {
    let request = person.request(CreateDownloadTicketRequest { id: id.to_owned() });
    Ok(person.client.create_download_ticket(request).await?.into_inner().path)
}

/// What every way to an export answers.
async fn ways(person: &mut Person, id: &str) -> Vec<Code> {
    let id = || id.to_owned();
    let code = |result: Result<(), tonic::Status>| result.map_or_else(|status| status.code(), |()| Code::Ok);
    let mut codes = vec![code(get(person, &id()).await.map(|_| ()))];
    codes.push(code(download(person, &id(), 0).await.map(|_| ())));
    codes.push(code(ticket(person, &id()).await.map(|_| ())));
    let request = person.request(CancelExportRequest { id: id() });
    codes.push(code(person.client.cancel_export(request).await.map(|_| ())));
    let request = person.request(DeleteExportRequest { id: id() });
    codes.push(code(person.client.delete_export(request).await.map(|_| ())));
    codes
}

async fn an_export_is_its_owners_alone(postgres: bool) {
    let filled = FilledProduct::start(postgres, How::default()).await;
    let mut owner = filled.person(&[Role::GlobalAdmin], &[]).await;
    let export = done(&mut owner, revenue(), filled.version).await;
    let token = |subject: &str, partner: &str| {
        let request = TokenRequest {
            subject: subject.into(),
            roles: vec![Role::GlobalAdmin],
            partner: partner.into(),
            ..TokenRequest::default()
        };
        filled.product.issuer.mint(&request).unwrap()
    };
    for (subject, partner) in [("eve", PARTNER), ("ada", "fabrikam")] {
        let mut other = filled.product.person(&token(subject, partner)).await;
        assert_eq!(ways(&mut other, &export.id).await, [Code::NotFound; 5], "{subject} of {partner}");
    }
    assert_eq!(ways(&mut owner, &"0".repeat(32)).await, [Code::NotFound; 5]);
    assert_eq!(ways(&mut owner, "' OR '1'='1").await, [Code::NotFound; 5]);
    assert_eq!(get(&mut owner, &export.id).await.unwrap(), export);
}

async fn who_lost_a_right_since_gets_no_file(postgres: bool) {
    let filled = FilledProduct::start(postgres, How::default()).await;
    let mut before = filled.person(&[Role::ExecutiveReportViewer], &[]).await;
    let export = done(&mut before, revenue(), filled.version).await;
    for (roles, locations) in [
        (vec![Role::ReportViewer], vec![]),
        (vec![Role::ExecutiveReportViewer], vec!["L1"]),
        (vec![Role::UserManagementAdmin], vec![]),
    ] {
        let mut now = filled.person(&roles, &locations).await;
        assert_eq!(download(&mut now, &export.id, 0).await.unwrap_err().code(), Code::PermissionDenied, "{roles:?}");
        assert_eq!(ticket(&mut now, &export.id).await.unwrap_err().code(), Code::PermissionDenied);
        // How many rows there are of every location is nothing for who sees one.
        match locations.is_empty() {
            true => assert_eq!(get(&mut now, &export.id).await.unwrap().id, export.id),
            false => assert_eq!(get(&mut now, &export.id).await.unwrap_err().code(), Code::PermissionDenied),
        }
        let list = now.request(ListExportsRequest::default());
        let listed = now.client.list_exports(list).await.unwrap().into_inner().exports.len();
        assert_eq!(listed, usize::from(locations.is_empty()));
    }
    let mut more = filled.person(&[Role::GlobalAdmin], &[]).await;
    download(&mut more, &export.id, 0).await.unwrap();
    let records = filled.product.reporting.audit().newest(PARTNER, 100).await.unwrap();
    let of = |rpc: &str, outcome: &str| {
        records.iter().filter(|record| record.rpc.ends_with(rpc) && record.outcome == outcome).count()
    };
    assert_eq!((of("/CreateExport", "Ok"), of("/DownloadExport", "Ok")), (1, 1));
    assert_eq!((of("/DownloadExport", "PermissionDenied"), of("/CreateDownloadTicket", "PermissionDenied")), (3, 3));
    let given =
        records.iter().find(|record| record.rpc.ends_with("/DownloadExport") && record.outcome == "Ok").unwrap();
    assert_eq!((given.row_count, given.redacted), (export.rows, false));
}

async fn a_broken_download_goes_on_where_it_broke_off(postgres: bool) {
    let filled = FilledProduct::start(postgres, How::default()).await;
    let mut owner = filled.person(&[Role::ExecutiveReportViewer], &[]).await;
    let export = done(&mut owner, revenue(), filled.version).await;
    let (whole, _) = download(&mut owner, &export.id, 0).await.unwrap();
    assert_eq!(sha256(&whole), export.sha256);
    for broke_off in [1, 1_000, export.bytes - 1, export.bytes] {
        let (rest, last) = download(&mut owner, &export.id, broke_off).await.unwrap();
        let kept = usize::try_from(broke_off).unwrap();
        assert_eq!(sha256(&[&whole[..kept], &rest].concat()), last.sha256, "from {broke_off}");
    }
    let beyond = download(&mut owner, &export.id, export.bytes + 1).await.unwrap_err();
    assert_eq!(beyond.code(), Code::OutOfRange);
    assert_eq!(download(&mut owner, &export.id, -1).await.unwrap_err().code(), Code::InvalidArgument);
}

async fn a_ticket_downloads_one_file_by_http(postgres: bool) {
    let filled = FilledProduct::start(postgres, How::default()).await;
    let mut owner = filled.person(&[Role::ExecutiveReportViewer], &[]).await;
    let hostile = ExportOrder { name: "../a\r\nSet-Cookie: x=1\"; ó".into(), ..revenue() };
    let export = done(&mut owner, hostile, filled.version).await;
    let other = done(&mut owner, revenue(), filled.version).await;
    let (whole, _) = download(&mut owner, &export.id, 0).await.unwrap();
    let path = ticket(&mut owner, &export.id).await.unwrap();
    let url = |path: &str| format!("http://{}{path}", filled.product.address);
    let client = reqwest::Client::new();

    let answer = client.get(url(&path)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let said = answer.headers()[CONTENT_DISPOSITION].to_str().unwrap().to_owned();
    assert!(said.starts_with("attachment; filename=\"_a__Set-Cookie_ x_1__ _.csv\""), "{said}");
    assert!(answer.headers().get("set-cookie").is_none() && answer.headers().contains_key("content-security-policy"));
    let tag = answer.headers()[ETAG].clone();
    assert_eq!(answer.bytes().await.unwrap(), whole);

    let part = client.get(url(&path)).header(RANGE, "bytes=10-19").header("if-range", tag).send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()[CONTENT_RANGE], format!("bytes 10-19/{}", whole.len()));
    assert_eq!(part.bytes().await.unwrap(), whole[10..20]);
    let beyond = client.get(url(&path)).header(RANGE, format!("bytes={}-", whole.len())).send().await.unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let head = client.head(url(&path)).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], whole.len().to_string());

    let secret = path.split("ticket=").nth(1).unwrap();
    for wrong in [
        format!("/exports/{}?ticket={secret}", other.id),
        format!("/exports/{}?ticket={}", export.id, "0".repeat(64)),
        format!("/exports/{}?ticket=", export.id),
        format!("/exports/{}", export.id),
        format!("/exports/..%2f{}?ticket={secret}", export.id),
    ] {
        assert_eq!(client.get(url(&wrong)).send().await.unwrap().status(), StatusCode::NOT_FOUND, "{wrong}");
    }
    let records = filled.product.reporting.audit().newest(PARTNER, 100).await.unwrap();
    assert!(records.iter().any(|record| record.rpc == "GET /exports/{id}" && record.subject == "ada"));
}

crate::on_each_engine!(
    an_export_is_its_owners_alone,
    who_lost_a_right_since_gets_no_file,
    a_broken_download_goes_on_where_it_broke_off,
    a_ticket_downloads_one_file_by_http,
);
