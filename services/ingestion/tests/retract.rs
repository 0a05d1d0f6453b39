//! What was sent is taken back, or erased.
#![allow(clippy::unwrap_used, reason = "tests")]

mod erased;
mod support;

use insights_proto::ingestion::v1::IngestBatchRequest;
use support::{Engine, Service, make::*};

on_both!(
    facts_are_taken_back_by_kind_and_day,
    activity_is_taken_back,
    positions_in_a_batch_are_respected,
    the_day_falls_back
);

async fn facts_are_taken_back_by_kind_and_day(engine: Engine) {
    let service = Service::start(engine).await;
    let records = vec![
        sku("K-1", &["Teams"]),
        customer("C-1", ""),
        customer("C-2", ""),
        subscription("S-1", "C-1", "K-1"),
        subscription("S-2", "C-2", "K-1"),
        state("S-1", "2024-01-01", "Active", 1),
        state("S-1", "2024-02-01", "Active", 2),
        state("S-1", "2024-02-29", "Active", 3),
        state("S-2", "2024-02-01", "Active", 4),
        assignment("S-1", "u", "2024-02-01", ""),
        licensed("C-1", "u", "Teams", "2024-02-01"),
        licensed("C-1", "u", "Yammer", "2024-02-01"),
        revenue("S-1", "2024-02", "5"),
        revenue_by_sku("C-1", "K-1", "2024-02", "6"),
        support_cases("C-1", "2024-02", 7),
        reported_seats("S-1", "2024-02", 8),
        reported_usage("C-1", "Teams", "2024-02", 9),
        reported_usage("C-1", "Yammer", "2024-02", 10),
    ];
    service.take(records.clone()).await;
    let before = service.partner_facts().await.version;
    let take_back = |what: &str, service: &str, from: &str, to: &str| retract(what, "C-1", service, from, to);
    for (what, scope, gone, stays) in [
        ("subscription_state", "", vec!["Active 2", "Active 3"], vec!["Active 1"]),
        ("assignment", "", vec!["holds S-1"], vec![]),
        ("licensed", "Yammer", vec!["licensed Yammer"], vec!["licensed Teams"]),
        ("revenue", "", vec!["\"5.00\"", "\"6.00\""], vec![]),
        ("support_cases", "", vec!["total: Some(7)"], vec![]),
        ("reported_seats", "", vec!["available: Some(8)"], vec![]),
        ("reported_usage", "Teams", vec!["monthly_active_users: Some(9)"], vec!["monthly_active_users: Some(10)"]),
    ] {
        let world = service.world().await;
        assert!(gone.iter().all(|words| world.says("C-1", words)), "{what} {:#?}", world.customer("C-1"));
        // The first of the month is the day of monthly rows.
        service.take(vec![take_back(what, scope, "2024-02-01", "2024-02-29")]).await;
        let world = service.world().await;
        assert!(gone.iter().all(|words| !world.says("C-1", words)), "{what} {:#?}", world.customer("C-1"));
        assert!(stays.iter().all(|words| world.says("C-1", words)), "{what} {:#?}", world.customer("C-1"));
    }
    assert!(service.world().await.says("C-2", "Active 4"), "another customer's facts stay");
    let changes = service.changes_since(before).await;
    assert!(changes.customers.iter().all(|change| change.first_month == 2024 * 12 + 1), "{changes:?}");
    assert_eq!(service.take(vec![take_back("revenue", "", "2024-01-01", "2024-05-31")]).await.duplicates, 1);
    let nobody = retract("revenue", "C-404", "", "2024-01-01", "2024-05-31");
    assert_eq!(service.take(vec![nobody]).await.duplicates, 1);
    // Whatever its recorded_at: what came before is gone, what comes after stays.
    service.take(vec![at(1, revenue("S-1", "2024-02", "5"))]).await;
    assert!(service.world().await.says("C-1", "\"5.00\""));
}

async fn activity_is_taken_back(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(vec![customer("C-1", ""), customer("C-2", "")]).await;
    let facts = [
        ("C-1", "u", "Teams", "2024-01-30"),
        ("C-1", "u", "Teams", "2024-01-31"),
        ("C-1", "v", "Teams", "2024-02-01"),
        ("C-1", "v", "Teams", "2024-02-02"),
        ("C-1", "v", "Exchange", "2024-02-01"),
        ("C-2", "v", "Teams", "2024-02-01"),
    ];
    service.send(activity_batch(&facts)).await.unwrap();
    let answer = service.take(vec![retract("activity", "C-1", "Teams", "2024-01-31", "2024-02-01")]).await;
    assert_eq!(answer.accepted, 1);
    let world = service.world().await;
    assert!(world.says("C-1", &format!("active Teams 24288 1{}\"", "0".repeat(29))), "{world:#?}");
    assert!(world.says("C-1", "active Teams 24289 10\""));
    assert!(world.says("C-1", "active Exchange 24289 1\"") && world.says("C-2", "active Teams 24289 1\""));
    assert!(world.says("C-1", &format!("first Teams {}", day("2024-01-30"))));
    service.take(vec![retract("activity", "C-1", "Teams", "2024-01-01", "2024-01-31")]).await;
    assert!(service.world().await.says("C-1", &format!("first Teams {}", day("2024-02-02"))));
    service.take(vec![retract("activity", "C-1", "", "2024-02-01", "2024-02-28")]).await;
    let world = service.world().await;
    assert_eq!(world.customer("C-1").len(), 1, "nothing but the customer is left: {world:#?}");
    assert_eq!(service.send(activity_batch(&facts)).await.unwrap().accepted, 5);
}

async fn positions_in_a_batch_are_respected(engine: Engine) {
    let service = Service::start(engine).await;
    let take_back = retract("support_cases", "C-1", "", "2024-01-01", "2024-12-31");
    let records = vec![
        customer("C-1", ""),
        support_cases("C-1", "2024-01", 1),
        support_cases("C-1", "2024-02", 2),
        take_back,
        support_cases("C-1", "2024-02", 3),
        retract("activity", "C-1", "", "2024-01-01", "2024-12-31"),
    ];
    let request = IngestBatchRequest {
        records,
        activity: Some(activity(&[("C-1", "u", "Teams", "2024-02-01")])),
        ..Default::default()
    };
    let answer = service.send(request.clone()).await.unwrap();
    assert_eq!((answer.accepted, answer.duplicates), (6, 1));
    let world = service.world().await;
    assert!(!world.says("C-1", "total: Some(1)") && !world.says("C-1", "total: Some(2)"));
    assert!(world.says("C-1", "total: Some(3)"));
    assert!(world.says("C-1", "active Teams"), "activity counts as received after the records");
    service.send(request).await.unwrap();
    assert_eq!(service.world().await, world);
}

async fn the_day_falls_back(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(vec![customer("C-1", ""), customer("C-2", "")]).await;
    let facts = [("C-1", "u", "Teams", "2024-03-03"), ("C-2", "u", "Teams", "2024-03-07")];
    service.send(activity_batch(&facts)).await.unwrap();
    let through = async || {
        let facts = service.partner_facts().await;
        (facts.complete_through, facts.last_activity)
    };
    assert_eq!(through().await, (None, Some(day("2024-03-07"))));
    let before = service.partner_facts().await.version;
    service.take(vec![retract("activity", "C-2", "", "2024-03-07", "2024-03-07")]).await;
    assert_eq!(through().await, (None, Some(day("2024-03-03"))));
    assert!(service.changes_since(before).await.last_version > before, "the last day of data changed");
    service.take(vec![complete_through("2024-03-31"), complete_through("2024-04-30")]).await;
    assert_eq!(through().await.0, Some(day("2024-04-30")));
    service.take(vec![retract("complete_through", "", "", "2024-04-01", "2024-04-30")]).await;
    assert_eq!(through().await.0, Some(day("2024-03-31")));
    service.take(vec![retract("complete_through", "", "", "2024-01-01", "2024-04-30")]).await;
    assert_eq!(through().await.0, None);
}
