//! What batches promise: their ids, rehearsals, limits and answers.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;

use insights_access::Role;
use insights_ingestion::IngestLimits;
use insights_proto::ingestion::v1::{
    IngestBatchRequest, IngestStreamRequest, ListRejectionsRequest, ListWaitingRequest, ReplayRejectionsRequest,
};
use support::{Engine, Place, Service, make::*};
use tonic::Code;

on_both!(
    a_batch_id_stands_for_its_body,
    an_interrupted_batch_takes_nothing_back,
    rehearsals_store_nothing,
    limits_hold_at_the_limit,
    batches_on_a_stream_are_answered_in_order,
    records_on_a_stream_keep_their_place_among_activity,
    freshness_says_what_is_there,
);

async fn a_batch_id_stands_for_its_body(engine: Engine) {
    let service = Service::start(engine).await;
    let request = IngestBatchRequest {
        batch_id: "night-1".into(),
        records: vec![customer("C-1", "DE"), customer("", "")],
        activity: Some(activity(&[("C-1", "u", "Teams", "2024-01-01")])),
        ..Default::default()
    };
    let first = service.send(request.clone()).await.unwrap();
    assert_eq!((first.accepted, first.rejected), (2, 1));
    service.take(vec![customer("C-1", "FR")]).await;
    assert_eq!(service.send(request.clone()).await.unwrap(), first, "the same answer, and nothing is stored again");
    assert!(service.world().await.says("C-1", "country: Some(\"FR\")"));
    let other = IngestBatchRequest { records: vec![customer("C-7", "DE")], ..request.clone() };
    let error = service.send(other).await.unwrap_err();
    assert_eq!(error.code(), Code::AlreadyExists);
    assert!(!service.world().await.customers.contains_key("C-7"));
    // Another partner's ids are its own.
    let elsewhere = service.request("other", Role::DataSource, request);
    assert_eq!(service.ingestion().ingest_batch(elsewhere).await.unwrap().into_inner().accepted, 2);
    for (id, fits) in [("x".repeat(128), true), ("x".repeat(129), false)] {
        let request = IngestBatchRequest { batch_id: id, ..Default::default() };
        assert_eq!(service.send(request).await.is_ok(), fits);
    }
}

/// A batch was stored but not answered; another sender corrects it; its sender repeats it.
async fn an_interrupted_batch_takes_nothing_back(engine: Engine) {
    let place = Place::new(engine);
    let service = Service::open(Arc::clone(&place), place.config()).await;
    let night = IngestBatchRequest {
        batch_id: "night-1".into(),
        records: vec![customer("C-1", "DE"), customer("C-2", "DE")],
        ..Default::default()
    };
    service.send(night.clone()).await.unwrap();
    insights_testkit::sql(&place.database, "UPDATE ingestion_batch SET done = false");
    service.take(vec![customer("C-1", "FR")]).await;
    let again = service.send(night).await.unwrap();
    assert_eq!((again.accepted, again.duplicates), (0, 2));
    let world = service.world().await;
    assert!(world.says("C-1", "country: Some(\"FR\")"), "the correction stands");
    assert!(world.says("C-2", "country: Some(\"DE\")"));
}

async fn rehearsals_store_nothing(engine: Engine) {
    let service = Service::start(engine).await;
    let rehearsal = IngestBatchRequest {
        batch_id: "r".into(),
        records: vec![
            customer("C-1", "DE"),
            customer("C-1", "DE"),
            subscription("S-1", "C-1", "K-1"),
            customer("", ""),
            retract("activity", "C-1", "", "2024-01-01", "2024-01-02"),
        ],
        activity: Some(activity(&[("C-1", "u", "Teams", "2024-01-01"), ("C-1", "u", "Teams", "2024-01-01")])),
        validate_only: true,
    };
    let answer = service.send(rehearsal.clone()).await.unwrap();
    assert_eq!((answer.accepted, answer.duplicates, answer.rejected, answer.waiting), (3, 3, 1, 1));
    assert!(
        service
            .feed()
            .list_partners(service.as_service(Default::default()))
            .await
            .unwrap()
            .into_inner()
            .partners
            .is_empty()
    );
    service.take(vec![customer("C-9", "")]).await;
    let world = service.world().await;
    assert_eq!(service.send(rehearsal.clone()).await.unwrap().accepted, 3);
    assert_eq!(service.world().await, world);
    assert_eq!(service.waiting().await, []);
    let real = service.send(IngestBatchRequest { validate_only: false, ..rehearsal }).await.unwrap();
    assert_eq!((real.accepted, real.duplicates, real.rejected, real.waiting), (3, 3, 1, 1));
}

async fn limits_hold_at_the_limit(engine: Engine) {
    let place = Place::new(engine);
    let mut config = place.config();
    config.limits =
        IngestLimits { records_per_batch: 3, activity_per_batch: 4, services_per_batch: 2, ..IngestLimits::default() };
    let service = Service::open(place, config).await;
    let records = |count: usize| batch((0..count).map(|number| customer(&format!("C-{number}"), "")).collect());
    let facts = |count: usize, services: usize| {
        let names: Vec<String> = (0..services).map(|number| format!("V-{number}")).collect();
        let facts: Vec<_> = (0..count).map(|at| ("C-1", "u", names[at % services].as_str(), "2024-01-01")).collect();
        activity_batch(&facts)
    };
    for (fits, beyond, field) in [
        (records(3), records(4), "records"),
        (facts(4, 1), facts(5, 1), "activity.customer"),
        (facts(4, 2), facts(4, 3), "activity.services"),
    ] {
        assert!(service.send(fits).await.is_ok());
        let error = service.send(beyond).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.message().contains(&format!("{field}: must have at most")), "{}", error.message());
    }
    for (page_size, fits) in [(1_000, true), (1_001, true), (-1, false)] {
        let listing = service.as_source(ListRejectionsRequest { page_size, ..Default::default() });
        assert_eq!(service.ingestion().list_rejections(listing).await.is_ok(), fits);
        let listing = service.as_source(ListWaitingRequest { page_size, ..Default::default() });
        assert_eq!(service.ingestion().list_waiting(listing).await.is_ok(), fits);
    }
    let replay = service.as_source(ReplayRejectionsRequest { ids: vec![1, 2, 3, 4] });
    assert_eq!(service.ingestion().replay_rejections(replay).await.unwrap_err().code(), Code::InvalidArgument);
}

async fn batches_on_a_stream_are_answered_in_order(engine: Engine) {
    let service = Service::start(engine).await;
    let batches = (0..5).map(|number| IngestStreamRequest {
        batch: Some(batch((0..=number).map(|place| customer(&format!("C-{number}-{place}"), "")).collect())),
    });
    let ending = [IngestStreamRequest { batch: None }];
    let request = service.as_source(tokio_stream::iter(batches.chain(ending).collect::<Vec<_>>()));
    let mut answers = service.ingestion().ingest_stream(request).await.unwrap().into_inner();
    let mut version = 0;
    for number in 0..5 {
        let answer = answers.message().await.unwrap().unwrap().result.unwrap();
        assert_eq!(answer.accepted, number + 1);
        assert!(answer.version > version);
        version = answer.version;
    }
    assert_eq!(answers.message().await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(service.world().await.customers.len(), 15);
}

async fn records_on_a_stream_keep_their_place_among_activity(engine: Engine) {
    let service = Service::start(engine).await;
    let users: Vec<String> = (0..100).map(|number| format!("u-{number}")).collect();
    let day_of_all =
        |day: &str| activity_batch(&users.iter().map(|user| ("C-1", user.as_str(), "Teams", day)).collect::<Vec<_>>());
    let days = ["2024-05-01", "2024-05-02", "2024-05-03"];
    let mut batches = vec![batch(vec![customer("C-1", "")])];
    batches.extend(days.map(day_of_all));
    // What is taken back came before, and comes again after.
    batches.push(batch(vec![retract("activity", "C-1", "", "2024-05-01", "2024-05-02")]));
    batches.extend(days.map(day_of_all));
    // The partner's clock is ahead of UTC, so its today has come only after its own record.
    service.place.set_now("2024-06-20T23:00:00Z");
    batches.extend([day_of_all("2024-06-21"), batch(vec![partner("P", "Asia/Tokyo")]), day_of_all("2024-06-21")]);
    let batches = batches.into_iter().map(|batch| IngestStreamRequest { batch: Some(batch) });
    let request = service.as_source(tokio_stream::iter(batches.collect::<Vec<_>>()));
    let mut stream = service.ingestion().ingest_stream(request).await.unwrap().into_inner();
    let mut answers = Vec::new();
    let mut version = 0;
    while let Some(answer) = stream.message().await.unwrap() {
        let answer = answer.result.unwrap();
        assert!(answer.version >= version);
        version = answer.version;
        answers.push((answer.accepted, answer.duplicates, answer.rejected));
    }
    let (new, old, wrong) = ((100, 0, 0), (0, 100, 0), (0, 0, 100));
    assert_eq!(answers, [(1, 0, 0), new, new, new, (1, 0, 0), new, new, old, wrong, (1, 0, 0), new]);
    assert_eq!(service.partner_facts().await.version, version);
}

async fn freshness_says_what_is_there(engine: Engine) {
    let service = Service::start(engine).await;
    let freshness = async || {
        let request = service.as_source(Default::default());
        service.ingestion().get_freshness(request).await.unwrap().into_inner()
    };
    let nothing = freshness().await;
    assert_eq!((nothing.version, nothing.complete_through.as_str(), nothing.last_ingest_time), (0, "2024-06-20", None));
    service.take(vec![customer("C-1", ""), subscription("S-1", "C-1", "K-1")]).await;
    assert_eq!(freshness().await.complete_through, "2024-06-20");
    service
        .send(activity_batch(&[("C-1", "u", "Teams", "2024-03-04"), ("C-2", "u", "Teams", "2024-05-04")]))
        .await
        .unwrap();
    let active = freshness().await;
    assert_eq!((active.complete_through.as_str(), active.waiting, active.rejected), ("2024-03-04", Some(2), Some(0)));
    service.take(vec![complete_through("2024-05-31"), complete_through("2024-04-30")]).await;
    assert_eq!(freshness().await.complete_through, "2024-05-31");
    // A day that has not come counts as today, and stays there.
    service.take(vec![complete_through("2024-12-31")]).await;
    service.place.set_now("2024-06-25T00:00:00Z");
    let answer = freshness().await;
    assert_eq!(answer.complete_through, "2024-06-20");
    assert!(answer.last_ingest_time.is_some() && answer.epoch > 0 && answer.version > active.version);
}
