//! What followers are told: every change, in order, without gaps.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use insights_proto::ingestion::v1::{
    GetPartnerFactsRequest, IngestBatchRequest, PartnerPosition, StreamChangesRequest, StreamFactsRequest,
};
use insights_testkit::sql;
use support::{Engine, PARTNER, Place, Service, make::*};
use tonic::Code;

on_both!(
    changes_name_customers_and_months,
    followers_are_woken_by_commits,
    other_replicas_commits_are_found,
    who_is_behind_or_of_another_epoch_rebuilds,
    facts_come_in_parts,
    only_services_may_follow,
);

fn month(text: &str) -> i32 {
    text.parse::<insights_domain::calendar::Month>().unwrap().index()
}

async fn changes_name_customers_and_months(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(vec![sku("K-1", &["Teams"]), customer("C-1", ""), subscription("S-1", "C-1", "K-1")]).await;
    let mut version = service.partner_facts().await.version;
    let mut expect = async |records, activity, months: &[i32]| {
        service.send(IngestBatchRequest { records, activity, ..Default::default() }).await.unwrap();
        let changes = service.changes_since(version).await;
        assert_eq!((changes.first_version, changes.rebuild), (version + 1, false));
        let named: Vec<i32> = changes.customers.iter().map(|change| change.first_month).collect();
        assert_eq!(named, months);
        version = changes.last_version;
    };
    let (march, may) = (month("2024-03"), month("2024-05"));
    let facts = Some(activity(&[("C-1", "u", "Teams", "2024-05-09"), ("C-1", "u", "Teams", "2024-03-09")]));
    expect(vec![], facts.clone(), &[march]).await;
    expect(vec![state("S-1", "2024-05-09", "Active", 1)], facts, &[may]).await;
    expect(vec![revenue("S-1", "2024-05", "1"), state("S-1", "2024-03-31", "Active", 1)], None, &[march]).await;
    expect(vec![customer("C-1", "DE")], None, &[0]).await;
    expect(vec![complete_through("2024-06-01")], None, &[]).await;
    let early = Some(activity(&[("C-1", "u", "Teams", "2024-06-09")]));
    expect(vec![], early, &[month("2024-06")]).await;
    expect(vec![sku("K-1", &["Teams", "Exchange"])], None, &[]).await;
    expect(vec![customer("C-2", ""), customer("C-1", "FR")], None, &[0, 0]).await;
}

async fn followers_are_woken_by_commits(engine: Engine) {
    let place = Place::new(engine);
    let mut config = place.config();
    config.feed_poll = Duration::from_secs(3_600);
    let service = Service::open(place, config).await;
    let mut stream =
        service.feed().stream_changes(service.as_service(StreamChangesRequest::default())).await.unwrap().into_inner();
    for number in 0..3 {
        service.take(vec![customer(&format!("C-{number}"), "")]).await;
        let changes = stream.message().await.unwrap().unwrap();
        assert_eq!((changes.partner.as_str(), changes.customers.len()), (PARTNER, 1));
    }
}

async fn other_replicas_commits_are_found(engine: Engine) {
    let place = Place::new(engine);
    let mut config = place.config();
    config.feed_poll = Duration::from_millis(20);
    let (one, other) = (Service::open(place.clone(), config.clone()).await, Service::open(place, config).await);
    let mut stream =
        one.feed().stream_changes(one.as_service(StreamChangesRequest::default())).await.unwrap().into_inner();
    other.take(vec![customer("C-1", "")]).await;
    assert_eq!(stream.message().await.unwrap().unwrap().customers.len(), 1);
}

async fn who_is_behind_or_of_another_epoch_rebuilds(engine: Engine) {
    let service = Service::start(engine).await;
    for number in 0..4 {
        service.take(vec![customer(&format!("C-{number}"), "")]).await;
    }
    let facts = service.partner_facts().await;
    let next = async |epoch: i64, version: i64| {
        let position = PartnerPosition { partner: PARTNER.to_owned(), epoch, version, stamp: 0 };
        let request = service.as_service(StreamChangesRequest { positions: vec![position] });
        let mut stream = service.feed().stream_changes(request).await.unwrap().into_inner();
        let changes = stream.message().await.unwrap().unwrap();
        (changes.rebuild, changes.first_version, changes.last_version)
    };
    assert_eq!(next(facts.epoch, 2).await, (false, 3, 4));
    assert_eq!(next(facts.epoch - 1, 4).await, (true, 1, 4));
    assert_eq!(next(facts.epoch, 9).await, (true, 1, 4), "a version never given out");
    sql(&service.place.database, "UPDATE ingestion_partner SET floor = 2");
    sql(&service.place.database, "DELETE FROM ingestion_feed WHERE version <= 2");
    assert_eq!(next(facts.epoch, 2).await, (false, 3, 4));
    assert_eq!(next(facts.epoch, 1).await, (true, 1, 4));
    assert_eq!(next(0, 0).await, (true, 1, 4));
}

async fn facts_come_in_parts(engine: Engine) {
    let service = Service::start(engine).await;
    let mut records = vec![sku("K-1", &["Teams"]), customer("C-1", "DE"), customer("C-2", "")];
    records.push(subscription("S-1", "C-1", "K-1"));
    service.take(records).await;
    let users: Vec<String> = (0..9_000).map(|number| format!("user-{number}")).collect();
    service.take(users.iter().map(|user| assignment("S-1", user, "2024-01-01", "")).collect()).await;
    let mut facts = Vec::new();
    for user in &users {
        facts.push(("C-1", user.as_str(), "Teams", day("2024-01-01")));
        for month in ["2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01", "2024-06-01"] {
            facts.push(("C-1", user.as_str(), "Exchange", day(month)));
        }
    }
    for chunk in facts.chunks(30_000) {
        let request = IngestBatchRequest { activity: Some(activity_of(chunk, &users)), ..Default::default() };
        assert_eq!(service.send(request).await.unwrap().accepted, 30_000.min(i64::try_from(chunk.len()).unwrap()));
    }
    let request =
        StreamFactsRequest { partner: PARTNER.to_owned(), customers: vec![1], first_activity_month: 0, as_of: None };
    let mut stream = service.feed().stream_facts(service.as_service(request)).await.unwrap().into_inner();
    let mut parts = Vec::new();
    while let Some(part) = stream.message().await.unwrap() {
        parts.push(part);
    }
    assert!(parts.len() > 1);
    assert!(parts.iter().all(|part| prost::Message::encoded_len(part) < 700 * 1024));
    assert!(parts.iter().all(|part| part.customer_id == "C-1" && part.last == (part == parts.last().unwrap())));
    assert!(parts[0].attributes.is_some() && parts[1].attributes.is_none());
    let seen: usize = parts.iter().flat_map(|part| &part.activity).map(|activity| activity.user.len()).sum();
    assert_eq!(seen, users.len() * 6);
    assert_eq!(parts.iter().map(|part| part.assignments.len()).sum::<usize>(), users.len());
    let since = service.facts(vec![1, 2, 404], month("2024-05")).await;
    assert_eq!(since.len(), 2, "{:?}", since.iter().map(|facts| &facts.customer_id).collect::<Vec<_>>());
    assert!(since[0].activity.iter().all(|activity| activity.month >= month("2024-05")));
    assert_eq!(since[0].first_activity.len(), 2, "first days are of all time");
    let request = GetPartnerFactsRequest { partner: "nobody".to_owned(), as_of: None };
    assert_eq!(service.feed().get_partner_facts(service.as_service(request)).await.unwrap_err().code(), Code::NotFound);
}

/// Columns over a dictionary that is known; `activity_on` looks every name up one by one.
fn activity_of(facts: &[(&str, &str, &str, i32)], users: &[String]) -> insights_proto::ingestion::v1::ActivityColumns {
    let place = |user: &str| user.trim_start_matches("user-").parse::<u32>().unwrap();
    insights_proto::ingestion::v1::ActivityColumns {
        customers: vec!["C-1".to_owned()],
        users: users.to_vec(),
        services: vec!["Teams".to_owned(), "Exchange".to_owned()],
        customer: vec![0; facts.len()],
        user: facts.iter().map(|fact| place(fact.1)).collect(),
        service: facts.iter().map(|fact| u32::from(fact.2 == "Exchange")).collect(),
        day: facts.iter().map(|fact| fact.3).collect(),
        lower_bound: Vec::new(),
    }
}

async fn only_services_may_follow(engine: Engine) {
    let service = Service::start(engine).await;
    let request = service.request(PARTNER, insights_access::Role::GlobalAdmin, Default::default());
    assert_eq!(service.feed().list_partners(request).await.unwrap_err().code(), Code::PermissionDenied);
    let request = service.request(PARTNER, insights_access::Role::GlobalAdmin, StreamChangesRequest::default());
    assert_eq!(service.feed().stream_changes(request).await.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(
        service.feed().list_partners(tonic::Request::new(Default::default())).await.unwrap_err().code(),
        Code::Unauthenticated
    );
}
