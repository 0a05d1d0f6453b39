//! Activity known from dates of last activity alone is kept apart from what is known day by day.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use insights_proto::ingestion::v1::{ActivityColumns, IngestBatchRequest, LowerBoundActivity, ReplayRejectionsRequest};
use support::{Engine, Service, make::*};
use tonic::Code;

on_both!(the_days_from_the_first_to_the_last_are_kept, the_mark_survives_the_quarantine, a_mark_must_name_a_service,);

/// Facts of C-1, each with whether its day is a date of last activity.
fn last_seen(facts: &[(&str, &str, &str, bool)]) -> IngestBatchRequest {
    let mut columns = ActivityColumns { customers: vec!["C-1".to_owned()], ..ActivityColumns::default() };
    for (position, (user, service, day, last)) in (0..).zip(facts) {
        columns.users.push((*user).to_owned());
        columns.services.push((*service).to_owned());
        columns.customer.push(0);
        columns.user.push(position);
        columns.service.push(position);
        columns.day.push(support::make::day(day));
        if *last {
            columns.lower_bound.push(position);
        }
    }
    IngestBatchRequest { activity: Some(columns), ..Default::default() }
}

async fn bounds(service: &Service) -> Vec<(i32, i32)> {
    let facts = service.facts(vec![1], 0).await;
    facts[0].lower_bound.iter().map(|bound: &LowerBoundActivity| (bound.first_day, bound.last_day)).collect()
}

async fn the_days_from_the_first_to_the_last_are_kept(engine: Engine) {
    let service = Service::start(engine).await;
    // The customer comes later: what waits keeps its mark.
    service.send(last_seen(&[("u", "Teams", "2024-03-20", true), ("v", "Teams", "2024-05-01", false)])).await.unwrap();
    service.take(vec![customer("C-1", "")]).await;
    assert_eq!(bounds(&service).await, [(day("2024-03-20"), day("2024-03-20"))], "a day known as such is no bound");
    let version = async || service.partner_facts().await.version;
    let before = version().await;
    let again = last_seen(&[("u", "Teams", "2024-03-20", true)]);
    assert_eq!(service.send(again).await.unwrap().duplicates, 1);
    assert_eq!(version().await, before, "the same again changes nothing");

    // A day that is known already, now as a date of last activity: nothing new but that.
    let known = last_seen(&[("v", "Teams", "2024-05-01", true)]);
    assert_eq!(service.send(known).await.unwrap().duplicates, 1);
    assert_eq!(bounds(&service).await, [(day("2024-03-20"), day("2024-05-01"))]);
    let changes = service.changes_since(before).await;
    assert_eq!(changes.customers[0].first_month, 2024 * 12 + 2, "windows after the last day until now differ");
    let before = version().await;
    service
        .send(last_seen(&[("w", "OneDrive", "2024-04-02", true), ("u", "Teams", "2024-02-29", true)]))
        .await
        .unwrap();
    assert_eq!(service.changes_since(before).await.customers[0].first_month, 2024 * 12 + 1);
    let teams = (day("2024-02-29"), day("2024-05-01"));
    let sharepoint = (day("2024-04-02"), day("2024-04-02"));
    assert_eq!(bounds(&service).await, [teams, sharepoint]);

    service.take(vec![retract("licensed", "C-1", "", "2020-01-01", "2024-06-01")]).await;
    service.take(vec![retract("activity", "C-1", "Teams", "2024-03-01", "2024-04-30")]).await;
    assert_eq!(bounds(&service).await, [teams, sharepoint], "nothing is taken from an end");
    service.take(vec![retract("activity", "C-1", "Teams", "2024-04-20", "2024-05-31")]).await;
    assert_eq!(bounds(&service).await, [(day("2024-02-29"), day("2024-04-19")), sharepoint]);
    service.take(vec![retract("activity", "C-1", "", "2024-04-01", "2024-04-30")]).await;
    assert_eq!(bounds(&service).await, [(day("2024-02-29"), day("2024-03-31"))]);
}

async fn the_mark_survives_the_quarantine(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(vec![customer("C-1", "")]).await;
    let tomorrow = [("u", "Teams", "2024-06-21", true), ("u", "Yammer", "2024-06-21", false)];
    assert_eq!(service.send(last_seen(&tomorrow)).await.unwrap().rejected, 2);
    assert_eq!(bounds(&service).await, []);
    service.place.set_now("2024-06-21T12:00:00Z");
    let replay = service.as_source(ReplayRejectionsRequest { ids: vec![] });
    assert_eq!(service.ingestion().replay_rejections(replay).await.unwrap().into_inner().accepted, 2);
    assert_eq!(bounds(&service).await, [(day("2024-06-21"), day("2024-06-21"))]);
}

async fn a_mark_must_name_a_service(engine: Engine) {
    let service = Service::start(engine).await;
    let mut request = last_seen(&[("u", "Teams", "2024-03-20", true)]);
    request.activity.as_mut().unwrap().lower_bound.push(1);
    let refused = service.send(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("lower_bound") || format!("{refused:?}").contains("lower_bound"), "{refused:?}");
}
