//! What batches promise: their ids, rehearsals, limits and answers.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;

use chrono::TimeDelta;
use insights_access::{Clock, Policy, Role};
use insights_ingestion::{Config, IngestLimits, Ingestion};
use insights_proto::ingestion::v1::{
    Attribution, ClockFault, IngestBatchRequest, IngestStreamRequest, ListRejectionsRequest, ListWaitingRequest,
    PreviewListsRequest, ReplayRejectionsRequest, record::Kind,
};
use insights_service::fail_point;
use support::{Engine, PARTNER, Place, Service, make::*};
use tonic::Code;

on_both!(
    a_batch_id_stands_for_its_body,
    an_interrupted_batch_takes_nothing_back,
    a_validation_says_nothing_about_what_is_stored,
    lists_are_previewed_for_who_sends_them,
    a_bound_caller_changes_no_facts,
    limits_hold_at_the_limit,
    batches_on_a_stream_are_answered_in_order,
    records_on_a_stream_keep_their_place_among_activity,
    freshness_says_what_is_there,
    a_clock_that_steps_back_dates_nothing,
    without_the_guard_a_clock_that_was_ahead_makes_corrections_vain,
    replicas_whose_clocks_differ_a_little_keep_the_order,
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
    assert_eq!((again.accepted, again.duplicates, again.superseded), (0, 1, 1));
    let world = service.world().await;
    assert!(world.says("C-1", "country: Some(\"FR\")"), "the correction stands");
    assert!(world.says("C-2", "country: Some(\"DE\")"));
}

async fn a_validation_says_nothing_about_what_is_stored(engine: Engine) {
    let service = Service::start(engine).await;
    let validation = IngestBatchRequest {
        batch_id: "r".into(),
        records: vec![
            customer("C-1", "DE"),
            customer("C-1", "DE"),
            subscription("S-1", "C-1", "K-1"),
            customer("", ""),
            retract("activity", "C-1", "", "2024-01-01", "2024-01-02"),
        ],
        activity: Some(activity(&[("C-1", "u", "Teams", "2024-01-01"), ("C-1", "u", "Teams", "2024-06-21")])),
        validate_only: true,
    };
    let mut answers = Vec::new();
    let mut validate = async || {
        let mut answer = service.send(validation.clone()).await.unwrap();
        assert!(answer.receive_time.take().is_some());
        answers.push(answer);
    };
    validate().await;
    let partners = service.feed().list_partners(service.as_service(Default::default())).await.unwrap();
    assert!(partners.into_inner().partners.is_empty(), "not even the partner is stored");
    service.take(vec![customer("C-9", "")]).await;
    validate().await;
    let real = service.send(IngestBatchRequest { validate_only: false, ..validation.clone() }).await.unwrap();
    assert_eq!((real.accepted, real.duplicates, real.rejected, real.waiting), (3, 2, 2, 1));
    // What it would have said is stored now, or something else is.
    let (world, waiting) = (service.world().await, service.waiting().await);
    validate().await;
    service.take(vec![customer("C-1", "FR")]).await;
    validate().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let told = &answers[0];
    assert_eq!((told.accepted, told.duplicates, told.superseded, told.rejected), (5, 0, 0, 2));
    assert_eq!((told.waiting, told.version), (0, 0));
    assert_eq!(told.rejections.iter().map(|it| it.index).collect::<Vec<_>>(), [3, 6]);
    assert!(world.says("C-1", "country: Some(\"DE\")") && !waiting.is_empty());
}

async fn lists_are_previewed_for_who_sends_them(engine: Engine) {
    let service = Service::start(engine).await;
    let list = |day: &str, ids: &[&str]| whole_list("subscriptions", "C-1", day, ids);
    service.take(vec![customer("C-1", ""), list("2024-03-31", &["S-1", "S-2", "S-3"])]).await;
    let world = service.world().await;
    let preview = async |role: Role, records: Vec<insights_proto::ingestion::v1::Record>| {
        let request = service.request(PARTNER, role, PreviewListsRequest { records });
        service.ingestion().preview_lists(request).await.map(|answer| answer.into_inner().effects)
    };
    for (role, ids) in [(Role::AdminAgent, &["S-2", "S-3"][..]), (Role::DataSource, &[])] {
        let effects = preview(role, vec![list("2024-04-30", &["S-1"])]).await.unwrap();
        assert_eq!(effects.len(), 1);
        assert_eq!((effects[0].named_before, effects[0].left_out), (3, 2));
        assert_eq!(effects[0].ids, ids, "{role:?}");
    }
    assert_eq!(service.world().await, world, "nothing is stored");
    // Any other record would say what is stored of it.
    let refused = preview(Role::GlobalAdmin, vec![list("2024-04-30", &[]), customer("C-1", "")]).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("records[1]: must be whole_list"), "{}", refused.message());
    assert_eq!(preview(Role::ReportViewer, vec![]).await.unwrap_err().code(), Code::PermissionDenied);
}

/// The access table without the rule that what concerns the whole partner is not for callers bound to locations.
fn bound_callers_may_write() -> Policy {
    use prost_reflect::{DescriptorPool, DynamicMessage, Value};
    let pool = DescriptorPool::decode(insights_proto::DESCRIPTOR_SET).unwrap();
    let policy = pool.get_extension_by_name("insights.access.v1.policy").unwrap();
    let files = pool.get_message_by_name("google.protobuf.FileDescriptorSet").unwrap();
    let mut set = DynamicMessage::decode(files, insights_proto::DESCRIPTOR_SET).unwrap();
    fn each(message: &mut DynamicMessage, field: &str, mut change: impl FnMut(&mut DynamicMessage)) {
        for value in message.get_field_by_name_mut(field).and_then(Value::as_list_mut).into_iter().flatten() {
            change(value.as_message_mut().unwrap());
        }
    }
    each(&mut set, "file", |file| {
        each(file, "service", |service| {
            each(service, "method", |method| {
                let options = method.get_field_by_name_mut("options").and_then(Value::as_message_mut);
                if let Some(options) = options.filter(|options| options.has_extension(&policy)) {
                    let policy = options.get_extension_mut(&policy).as_message_mut().unwrap();
                    policy.set_field_by_name("whole_partner", Value::Bool(false));
                }
            });
        });
    });
    Policy::read(&prost::Message::encode_to_vec(&set)).unwrap()
}

async fn a_bound_caller_changes_no_facts(engine: Engine) {
    let place = Place::new(engine);
    let service = Service::open(Arc::clone(&place), place.config()).await;
    let attributed = |location: &str| {
        let Some(Kind::Subscription(mut it)) = subscription("S-2", "C-2", "K-1").kind else { unreachable!() };
        it.attributions = vec![Attribution { location_id: Some(location.into()), r#type: Some("CSP".into()) }];
        record(Kind::Subscription(it))
    };
    let mut records = vec![sku("K-1", &["Teams"]), location("L-1", "One"), location("L-2", "Two")];
    records.extend([customer("C-2", ""), attributed("L-2"), state("S-2", "2024-01-01", "Active", 20)]);
    service.take(records).await;
    let world = service.world().await;
    // Whoever is of L-1 takes a subscription of L-2 over, and takes back what is known of it.
    let theft = batch(vec![attributed("L-1"), retract("revenue", "C-2", "", "2024-01-01", "2024-05-31")]);
    let roles = [Role::GlobalAdmin, Role::AdminAgent, Role::DataSource];
    for role in roles {
        let code = async |answer: Result<(), tonic::Status>| answer.unwrap_err().code();
        let mut client = service.ingestion();
        let sent = client.ingest_batch(service.bound(role, &["L-1"], theft.clone())).await.map(drop);
        assert_eq!(code(sent).await, Code::PermissionDenied, "{role:?}");
        let stream = tokio_stream::iter([IngestStreamRequest { batch: Some(theft.clone()) }]);
        let sent = client.ingest_stream(service.bound(role, &["L-1"], stream)).await.map(drop);
        assert_eq!(code(sent).await, Code::PermissionDenied, "{role:?}");
        let checked = IngestBatchRequest { validate_only: true, ..theft.clone() };
        let sent = client.ingest_batch(service.bound(role, &[], checked.clone())).await.map(drop);
        assert!(sent.is_ok(), "bound to none");
        let sent = client.ingest_batch(service.bound(role, &["L-1"], checked)).await.map(drop);
        assert_eq!(code(sent).await, Code::PermissionDenied, "{role:?}");
        let replay = service.bound(role, &["L-1"], ReplayRejectionsRequest::default());
        assert_eq!(code(client.replay_rejections(replay).await.map(drop)).await, Code::PermissionDenied);
        let lists = service.bound(role, &["L-1"], PreviewListsRequest::default());
        assert_eq!(code(client.preview_lists(lists).await.map(drop)).await, Code::PermissionDenied);
    }
    assert_eq!(service.world().await, world);
    drop(service);

    // Without the rule, L-2 loses its subscription.
    let config = place.config();
    let service = Service::open_under(place, config, bound_callers_may_write()).await;
    let sent = service.ingestion().ingest_batch(service.bound(Role::AdminAgent, &["L-1"], theft)).await.unwrap();
    assert_eq!(sent.into_inner().accepted, 1);
    assert_ne!(service.world().await, world, "another location's figures changed");
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

/// What the server says of its clock: the fault, and by how many seconds it is ahead.
async fn clock_of(service: &Service) -> (ClockFault, i64) {
    let answer = service.ingestion().get_freshness(service.as_source(Default::default())).await.unwrap().into_inner();
    (answer.clock_fault(), answer.clock_ahead_seconds)
}

async fn a_clock_that_steps_back_dates_nothing(engine: Engine) {
    let place = Place::new(engine);
    let service = Service::open(Arc::clone(&place), place.config()).await;
    service.take(vec![customer("C-1", "DE")]).await;
    place.set_now("2024-06-30T12:00:00Z");
    service.take(vec![customer("C-1", "FR"), customer("C-1", "IT"), customer("C-2", "")]).await;
    assert_eq!(clock_of(&service).await, (ClockFault::Unspecified, 0));
    place.set_now("2024-06-20T12:00:00Z");
    assert_eq!(clock_of(&service).await, (ClockFault::BehindReceipts, -864_000));
    let correction = batch(vec![customer("C-1", "ES")]);
    let refused = service.send(correction.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(
        refused.message().contains("864000 s behind") && refused.message().contains("correct-times"),
        "{refused:?}"
    );
    let activity = service.send(activity_batch(&[("C-1", "u", "Teams", "2024-06-01")])).await.unwrap_err();
    assert_eq!(activity.code(), Code::Unavailable);
    assert!(service.world().await.says("C-1", "country: Some(\"IT\")"));
    // Another partner has nothing from then.
    let other = service.request("other", Role::DataSource, correction.clone());
    assert_eq!(service.ingestion().ingest_batch(other).await.unwrap().into_inner().accepted, 1);
    drop(service);

    let leeway = std::time::Duration::from_secs(300);
    let before = insights_testkit::number(&place.database, "SELECT min(epoch) FROM ingestion_partner").await;
    let corrected = Ingestion::correct_times(place.database.url(), &place.clock(), leeway).await.unwrap();
    assert!(corrected > 0);
    assert_eq!(Ingestion::correct_times(place.database.url(), &place.clock(), leeway).await.unwrap(), 0);
    let after = insights_testkit::number(&place.database, "SELECT min(epoch) FROM ingestion_partner").await;
    assert!(after > before, "followers rebuild");
    place.set_now("2024-06-20T12:00:01Z");
    let service = Service::open(Arc::clone(&place), place.config()).await;
    assert_eq!(clock_of(&service).await, (ClockFault::Unspecified, 0));
    assert!(service.world().await.says("C-1", "country: Some(\"IT\")"), "the last one stands");
    let answer = service.send(correction).await.unwrap();
    assert_eq!((answer.accepted, answer.superseded), (1, 0));
    assert!(service.world().await.says("C-1", "country: Some(\"ES\")"));
}

async fn without_the_guard_a_clock_that_was_ahead_makes_corrections_vain(engine: Engine) {
    let _off = fail_point::arm("", "without:ingestion.clock");
    let place = Place::new(engine);
    place.set_now("2024-06-30T12:00:00Z");
    let service = Service::open(Arc::clone(&place), place.config()).await;
    service.take(vec![customer("C-1", "DE")]).await;
    drop(service);
    place.set_now("2024-06-20T12:00:00Z");
    let service = Service::open(Arc::clone(&place), place.config()).await;
    let answer = service.take(vec![customer("C-1", "FR")]).await;
    assert_eq!((answer.accepted, answer.duplicates, answer.superseded), (0, 0, 1), "now it is said at least");
    assert!(service.world().await.says("C-1", "country: Some(\"DE\")"));
}

async fn replicas_whose_clocks_differ_a_little_keep_the_order(engine: Engine) {
    let place = Place::new(engine);
    place.set_now("2024-06-20T12:04:00Z");
    let ahead = Service::open(Arc::clone(&place), place.config()).await;
    ahead.take(vec![customer("C-1", "DE"), customer("C-2", "DE")]).await;
    drop(ahead);
    place.set_now("2024-06-20T12:00:00Z");
    let behind = Service::open(Arc::clone(&place), place.config()).await;
    let answer = behind.take(vec![customer("C-1", "FR")]).await;
    assert_eq!((answer.accepted, answer.superseded), (1, 0), "the later one counts");
    assert!(behind.world().await.says("C-1", "country: Some(\"FR\")"));
    assert_eq!(clock_of(&behind).await, (ClockFault::Unspecified, 0));
}

#[tokio::test]
async fn a_clock_that_is_not_the_databases_dates_nothing() {
    let place = Place::new(Engine::Postgres);
    let config = || Config { compare_clocks: true, ..place.config() };
    let service = Service::open(Arc::clone(&place), config()).await;
    let refused = service.send(batch(vec![customer("C-1", "")])).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("ahead of the database's"), "{refused:?}");
    drop(service);
    let now = Clock::system().now();
    place.set_now(&(now + TimeDelta::hours(1)).to_rfc3339());
    let service = Service::open(Arc::clone(&place), config()).await;
    assert_eq!(service.send(batch(vec![customer("C-1", "")])).await.unwrap_err().code(), Code::Unavailable);
    drop(service);
    // What the tests take for the time is not the database's, unless it is said to be compared.
    let service = Service::open(Arc::clone(&place), place.config()).await;
    service.take(vec![customer("C-1", "")]).await;
    drop(service);
    let right = Place::new(Engine::Postgres);
    right.set_now(&now.to_rfc3339());
    let config = Config { compare_clocks: true, ..right.config() };
    let service = Service::open(Arc::clone(&right), config).await;
    service.take(vec![customer("C-1", "")]).await;
    assert_eq!(clock_of(&service).await, (ClockFault::Unspecified, 0));
}
