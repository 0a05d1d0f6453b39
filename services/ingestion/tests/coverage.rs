//! Reports cover the months that they have rows of, and a row is about a part of a subscription.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;

use insights_proto::ingestion::v1::{GetPartnerFactsRequest, Record, ReportedSeats, record::Kind};
use support::{Engine, PARTNER, Place, Service, make::*};

on_both!(
    a_month_is_covered_while_a_row_of_it_stands,
    reports_cover_months_of_their_own,
    coverage_is_told_as_of_a_time,
    superseded_rows_are_kept_for_so_long,
    parts_of_a_subscription_stand_side_by_side,
);

/// What reports cover, as `report` or `report (by SKU)` and months.
async fn coverage(service: &Service, as_of: Option<prost_types::Timestamp>) -> Vec<String> {
    let request = service.as_service(GetPartnerFactsRequest { partner: PARTNER.to_owned(), as_of });
    let facts = service.feed().get_partner_facts(request).await.unwrap().into_inner();
    let month = |index: &i32| format!("{}-{:02}", index / 12, index % 12 + 1);
    let told = |it: insights_proto::ingestion::v1::ReportCoverage| {
        let by_sku = if it.by_sku { " (by SKU)" } else { "" };
        format!("{}{by_sku} {}", it.report, it.months.iter().map(month).collect::<Vec<_>>().join(" "))
    };
    facts.coverage.into_iter().map(told).collect()
}

/// A row of a report.
fn row_of(report: &str, row: Record) -> Record {
    let Some(Kind::ReportedSeats(seats)) = row.kind else { panic!("no reported seats") };
    record(Kind::ReportedSeats(ReportedSeats { report: Some(report.to_owned()), ..seats }))
}

/// A row about a part of a subscription.
fn part(subscription: &str, sku: &str, month: &str, available: i64) -> Record {
    let Some(Kind::ReportedSeats(seats)) = reported_seats(subscription, month, available).kind else { panic!() };
    record(Kind::ReportedSeats(ReportedSeats { sku_id: Some(sku.to_owned()), ..seats }))
}

async fn a_month_is_covered_while_a_row_of_it_stands(engine: Engine) {
    let service = Service::start(engine).await;
    // Rows that wait cover their months as well.
    service.take(vec![reported_seats("S-1", "2024-01", 5), reported_seats("S-1", "2024-03", 5)]).await;
    assert_eq!(coverage(&service, None).await, [" 2024-01 2024-03"]);
    service.take(vec![sku("K-1", &[]), customer("C-1", ""), customer("C-2", "")]).await;
    service.take(vec![subscription("S-1", "C-1", "K-1"), subscription("S-2", "C-2", "K-1")]).await;
    service.take(vec![reported_seats("S-1", "2024-03", 6), reported_seats("S-2", "2024-03", 1)]).await;
    assert_eq!(coverage(&service, None).await, [" 2024-01 2024-03"]);
    // A subscription that moves takes nothing away.
    service.take(vec![subscription("S-1", "C-2", "K-1")]).await;
    assert_eq!(coverage(&service, None).await, [" 2024-01 2024-03"]);
    let version = service.partner_facts().await.version;
    service.take(vec![retract("reported_seats", "C-2", "", "2024-01-01", "2024-01-31")]).await;
    assert_eq!(coverage(&service, None).await, [" 2024-03"]);
    assert!(service.partner_facts().await.version > version);
    service.take(vec![retract("reported_seats", "C-2", "", "2024-01-01", "2024-12-31")]).await;
    assert_eq!(coverage(&service, None).await, [] as [String; 0]);
    service.take(vec![reported_seats("S-2", "2024-02", 1)]).await;
    assert_eq!(coverage(&service, None).await, [" 2024-02"]);
}

async fn reports_cover_months_of_their_own(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(vec![sku("K-1", &[]), customer("C-1", ""), subscription("S-1", "C-1", "K-1")]).await;
    service
        .take(vec![
            row_of("seats", reported_seats("S-1", "2024-01", 5)),
            row_of("seats", reported_seats("S-1", "2024-02", 5)),
            row_of("usage", reported_seats("S-1", "2024-03", 5)),
            reported_seats_by_sku("C-1", "K-1", "2024-04", 5),
        ])
        .await;
    assert_eq!(coverage(&service, None).await, [" (by SKU) 2024-04", "seats 2024-01 2024-02", "usage 2024-03"]);
    // The row of another report takes the place of one.
    service.take(vec![row_of("usage", reported_seats("S-1", "2024-02", 5))]).await;
    assert_eq!(coverage(&service, None).await, [" (by SKU) 2024-04", "seats 2024-01", "usage 2024-02 2024-03"]);
    let Some(Kind::ReportedSeats(seats)) = reported_seats_by_sku("C-1", "K-1", "2024-05", 5).kind else { panic!() };
    service.take(vec![record(Kind::ReportedSeats(ReportedSeats { of_customer: true, ..seats }))]).await;
    assert_eq!(coverage(&service, None).await, [" (by SKU) 2024-04", "seats 2024-01", "usage 2024-02 2024-03"]);
}

async fn coverage_is_told_as_of_a_time(engine: Engine) {
    let service = Service::start(engine).await;
    let time = |seconds: i64| Some(prost_types::Timestamp { seconds, nanos: 0 });
    service.take(vec![sku("K-1", &[]), customer("C-1", ""), subscription("S-1", "C-1", "K-1")]).await;
    service.take(vec![reported_seats("S-1", "2024-01", 5)]).await;
    let before = i64::from(day("2020-01-01")) * 86_400;
    assert_eq!(coverage(&service, time(before)).await, [] as [String; 0]);
    let later = i64::from(i32::MAX);
    assert_eq!(coverage(&service, time(later)).await, [" 2024-01"]);
    service.take(vec![retract("reported_seats", "C-1", "", "2024-01-01", "2024-01-31")]).await;
    service.take(vec![reported_seats("S-1", "2024-01", 6)]).await;
    assert_eq!(coverage(&service, time(later)).await, [" 2024-01"]);
}

async fn superseded_rows_are_kept_for_so_long(engine: Engine) {
    const ROWS: &str = "SELECT count(*) FROM ingestion_history";
    let place = Place::new(engine);
    let open = async |days: u32| {
        let mut config = place.config();
        config.limits.history_days = days;
        Service::open(Arc::clone(&place), config).await
    };
    let service = open(30).await;
    service.take(vec![sku("K-1", &[]), customer("C-1", ""), subscription("S-1", "C-1", "K-1")]).await;
    service.take(vec![reported_seats("S-1", "2024-01", 5)]).await;
    service.take(vec![reported_seats("S-1", "2024-01", 6)]).await;
    let asked = async |service: &Service, on: &str| {
        let as_of = Some(prost_types::Timestamp { seconds: i64::from(day(on)) * 86_400, nanos: 0 });
        let request = service.as_service(GetPartnerFactsRequest { partner: PARTNER.to_owned(), as_of });
        service.feed().get_partner_facts(request).await.map(drop)
    };
    assert!(asked(&service, "2024-05-22").await.is_ok());
    let refused = asked(&service, "2024-05-20").await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    assert!(refused.message().contains("as_of"), "{refused:?}");
    assert_eq!(insights_testkit::number(&place.database, ROWS).await, 1);
    drop(service);
    place.set_now("2024-07-25T12:00:00Z");
    // Kept for ever, it stays; kept for a month, it goes with the first look.
    let service = open(0).await;
    assert!(asked(&service, "2000-01-01").await.is_ok());
    service.take(vec![reported_seats("S-1", "2024-01", 7)]).await;
    drop(service);
    assert_eq!(insights_testkit::number(&place.database, ROWS).await, 2);
    let _service = open(30).await;
    insights_testkit::until("it is gone", async || insights_testkit::number(&place.database, ROWS).await == 1).await;
}

async fn parts_of_a_subscription_stand_side_by_side(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(vec![sku("K-1", &[]), customer("C-1", ""), subscription("S-1", "C-1", "K-1")]).await;
    // The SKU of a part that has not come keeps it waiting.
    let answer = service.take(vec![part("S-1", "K-2", "2024-01", 5), part("S-1", "K-1", "2024-01", 9)]).await;
    assert_eq!((answer.accepted, answer.waiting), (2, 1));
    service.take(vec![part("S-1", "K-1", "2024-01", 10)]).await;
    let seats = async || {
        let facts = service.facts(vec![1], 0).await;
        let rows = facts.iter().flat_map(|it| &it.reported_seats);
        rows.map(|row| (row.sku_id.clone().unwrap_or_default(), row.available.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(seats().await, [("K-1".to_owned(), 10)]);
    service.take(vec![sku("K-2", &[]), reported_seats("S-1", "2024-01", 1)]).await;
    let parts = [(String::new(), 1), ("K-1".to_owned(), 10), ("K-2".to_owned(), 5)];
    assert_eq!(seats().await, parts, "in the order of SKUs");
}
