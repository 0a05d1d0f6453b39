//! What is refused and why, and what is kept of it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use insights_access::Role;
use insights_ingestion::Ingestion;
use insights_proto::ingestion::v1::{
    ActivityColumns, Customer, IngestBatchRequest, IngestStreamRequest, ListAuditEntriesRequest, ListRejectionsRequest,
    Precedence, PreviewListsRequest, QuarantinedRecord, Record, ReplayRejectionsRequest, ReportedSeats, Revenue, Sku,
    Subscription, SubscriptionState, WholeList, ingestion_service_client::IngestionServiceClient, record::Kind,
};
use insights_service::fail_point;
use prost_types::Timestamp;
use support::{Engine, PARTNER, Place, Service, make::*};
use tonic::Code;

on_both!(
    good_records_of_a_bad_batch_are_stored,
    what_is_refused_is_kept_and_replayed,
    kept_records_show_what_the_caller_may_see,
    activity_that_cannot_be_is_refused_fact_by_fact,
    what_was_recorded_in_the_future_is_refused,
    calls_are_audited,
    a_call_that_cannot_be_audited_is_not_answered,
    who_is_refused_again_and_again_fills_nothing,
    a_rejected_record_is_kept_as_far_as_it_goes,
    the_quarantine_has_room_for_so_much,
    rejected_records_go_when_they_are_old,
);

/// Records with the field at fault and a word of the reason.
fn wrong() -> Vec<(Record, &'static str, &'static str)> {
    let state_with = |change: fn(&mut SubscriptionState)| {
        let mut state = SubscriptionState {
            subscription_id: "S-1".into(),
            effective: "2024-01-01".into(),
            status: "Active".into(),
            seats: Some(1),
            ..Default::default()
        };
        change(&mut state);
        record(Kind::SubscriptionState(state))
    };
    let revenue_with = |change: fn(&mut Revenue)| {
        let mut revenue = Revenue {
            subscription_id: Some("S-1".into()),
            month: "2024-01".into(),
            amount: "1".into(),
            currency: "EUR".into(),
            ..Default::default()
        };
        change(&mut revenue);
        record(Kind::Revenue(revenue))
    };
    let subscription_with = |change: fn(&mut Subscription)| {
        let mut subscription = Subscription {
            subscription_id: "S-1".into(),
            customer_id: "C-1".into(),
            sku_id: "K-1".into(),
            ..Default::default()
        };
        change(&mut subscription);
        record(Kind::Subscription(subscription))
    };
    vec![
        (Record::default(), "kind", "missing"),
        (state_with(|state| state.seats = None), "subscription_state.seats", "required"),
        (state_with(|state| state.seats = Some(-1)), "subscription_state.seats", "0 to 4,294,967,295"),
        (state_with(|state| state.seats = Some(4_294_967_296)), "subscription_state.seats", "4,294,967,295"),
        (
            state_with(|state| state.effective = "2024-06-21".into()),
            "subscription_state.effective",
            "today, 2024-06-20",
        ),
        (state_with(|state| state.effective = "2024-02-30".into()), "subscription_state.effective", "YYYY-MM-DD"),
        (state_with(|state| state.effective = " 2024-02-01".into()), "subscription_state.effective", "YYYY-MM-DD"),
        (state_with(|state| state.effective = "0000-01-01".into()), "subscription_state.effective", "1900"),
        (state_with(|state| state.status = " ".into()), "subscription_state.status", "required"),
        (state_with(|state| state.sku_id = Some(" ".into())), "subscription_state.sku_id", "blank"),
        (state_with(|state| state.subscription_id = "\t".into()), "subscription_state.subscription_id", "required"),
        (assignment("S-1", "", "2024-01-01", ""), "assignment.user_id", "required"),
        (assignment("S-1", "(Unknown)", "2024-01-01", ""), "assignment.user_id", "several"),
        (assignment("S-1", "u", "2024-06-21", ""), "assignment.from", "today"),
        (assignment("S-1", "u", "0001-01-01", ""), "assignment.from", "YYYY-MM-DD"),
        (assignment("S-1", "u", "2024-01-02", "2024-01-02"), "assignment.to", "after `from`"),
        (assignment("S-1", "u", "2024-01-02", "10000-01-02"), "assignment.to", "YYYY-MM-DD"),
        (licensed("C-1", "u", " ", "2024-01-01"), "licensed.service", "required"),
        (revenue_with(|revenue| revenue.amount = "NaN".into()), "revenue.amount", "decimal"),
        (revenue_with(|revenue| revenue.amount = "0.1234567".into()), "revenue.amount", "6 decimals"),
        (revenue_with(|revenue| revenue.currency = "EURO".into()), "revenue.currency", "ISO 4217"),
        (revenue_with(|revenue| revenue.month = "2024-13".into()), "revenue.month", "YYYY-MM"),
        (revenue_with(|revenue| revenue.subscription_id = None), "revenue.subscription_id", "customer_id and sku_id"),
        (revenue_with(|revenue| revenue.seller = Some("me".into())), "revenue.seller", "`own`, `other` or `direct`"),
        (subscription_with(|it| it.seller = Some("nobody".into())), "subscription.seller", "`own`"),
        (subscription_with(|it| it.end = Some("soon".into())), "subscription.end", "YYYY-MM-DD"),
        (
            record(Kind::Customer(Customer {
                customer_id: "C".into(),
                country: Some("Germany".into()),
                ..Default::default()
            })),
            "customer.country",
            "alpha-2",
        ),
        (customer(" ", ""), "customer.customer_id", "required"),
        (customer("a\0b", ""), "customer.customer_id", "control"),
        (customer(&"x".repeat(201), ""), "customer.customer_id", "200 characters"),
        (record(Kind::Sku(Sku { sku_id: "K".into(), ..Default::default() })), "sku.name", "required"),
        (
            record(Kind::ReportedSeats(ReportedSeats {
                customer_id: Some("C-1".into()),
                month: "2024-01".into(),
                available: Some(1),
                ..Default::default()
            })),
            "reported_seats.sku_id",
            "required",
        ),
        (partner("P", "Mars/Olympus"), "partner.time_zone", "IANA"),
        (retract("customer", "C-1", "", "2024-01-01", "2024-01-02"), "retract.what", "must be one of"),
        (retract("activity", "C-1", "", "2024-01-02", "2024-01-01"), "retract.to", "before `from`"),
        (retract("revenue", "C-1", "Teams", "2024-01-01", "2024-01-02"), "retract.service", "only for"),
        (complete_through("yesterday"), "complete_through.day", "YYYY-MM-DD"),
    ]
}

async fn good_records_of_a_bad_batch_are_stored(engine: Engine) {
    let service = Service::start(engine).await;
    let mut records = Vec::new();
    for (number, (wrong, _, _)) in wrong().into_iter().enumerate() {
        records.push(customer(&format!("G-{number}"), ""));
        records.push(wrong);
    }
    let count = i64::try_from(wrong().len()).unwrap();
    let answer = service.send(batch(records)).await.unwrap();
    assert_eq!((answer.accepted, answer.rejected), (count, count));
    for (rejection, (number, (_, field, reason))) in answer.rejections.iter().zip(wrong().into_iter().enumerate()) {
        assert_eq!(rejection.index, i64::try_from(number * 2 + 1).unwrap());
        assert_eq!(rejection.field, field, "{rejection:?}");
        assert!(rejection.reason.contains(reason), "{rejection:?} should speak of {reason}");
    }
    // Everything that is wrong with one record is said at once.
    let bad = SubscriptionState { subscription_id: "S".into(), effective: "x".into(), ..Default::default() };
    let answer = service.send(batch(vec![record(Kind::SubscriptionState(bad))])).await.unwrap();
    let reason = &answer.rejections[0].reason;
    assert!(reason.contains("subscription_state.status") && reason.contains("subscription_state.seats"), "{reason}");
}

async fn what_is_refused_is_kept_and_replayed(engine: Engine) {
    let service = Service::start(engine).await;
    let tomorrow = [state("S-1", "2024-06-21", "Active", 3), assignment("S-1", "Ann@x.example", "2024-06-21", "")];
    let never = customer("C-1", "XX");
    let request = IngestBatchRequest {
        batch_id: "b-1".into(),
        records: [&tomorrow[..], std::slice::from_ref(&never)].concat(),
        activity: Some(activity(&[("C-1", "Ann@x.example", "Teams", "2024-06-21")])),
        ..Default::default()
    };
    assert_eq!(service.send(request.clone()).await.unwrap().rejected, 4);
    // The same rejected records again are kept once.
    service.send(IngestBatchRequest { batch_id: String::new(), ..request }).await.unwrap();
    let mut kept = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = service.request(
            PARTNER,
            Role::GlobalAdmin,
            ListRejectionsRequest { page_size: 3, page_token, ..Default::default() },
        );
        let page = service.ingestion().list_rejections(request).await.unwrap().into_inner();
        assert!(page.rejections.len() <= 3);
        kept.extend(page.rejections);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(kept.len(), 4);
    let of_batch = async |batch_id: &str| {
        let request = ListRejectionsRequest { batch_id: batch_id.into(), ..Default::default() };
        let request = service.request(PARTNER, Role::GlobalAdmin, request);
        service.ingestion().list_rejections(request).await.unwrap().into_inner().rejections.len()
    };
    // They came again in a batch without an id.
    assert_eq!((of_batch("b-1").await, of_batch("").await), (0, 4));
    assert!(kept.is_sorted_by(|a, b| a.id > b.id), "newest first");
    assert_eq!(
        kept.iter().map(|kept| kept.kind.as_str()).collect::<Vec<_>>(),
        ["activity", "customer", "assignment", "subscription_state"]
    );
    assert!(kept[2].record_json.contains("\"user_id\":\"#"), "{}", kept[2].record_json);
    assert!(!format!("{kept:?}").to_lowercase().contains("ann@"), "users are hashed: {kept:?}");

    let replay = |ids: Vec<i64>| service.as_source(ReplayRejectionsRequest { ids });
    let answer = service.ingestion().replay_rejections(replay(vec![])).await.unwrap().into_inner();
    assert_eq!((answer.accepted, answer.rejected), (0, 4));
    service.place.set_now("2024-06-21T12:00:00Z");
    let ids = vec![kept[3].id, kept[1].id, 9_999];
    let answer = service.ingestion().replay_rejections(replay(ids)).await.unwrap().into_inner();
    assert_eq!((answer.accepted, answer.rejected), (1, 1));
    let answer = service.ingestion().replay_rejections(replay(vec![])).await.unwrap().into_inner();
    assert_eq!((answer.accepted, answer.rejected), (2, 1));
    service.take(vec![sku("K-1", &["Teams"]), customer("C-1", "DE"), subscription("S-1", "C-1", "K-1")]).await;
    let world = service.world().await;
    // The replayed user is the one that comes by name.
    service.take(vec![licensed("C-1", "ann@X.example", "Teams", "2024-01-01")]).await;
    let known = service.world().await;
    assert!(world.says("C-1", "active Teams 24293"), "{:#?}", world.customers);
    assert!(
        known.says("C-1", "user {\"active Teams 24293 100000000000000000000\", \"holds S-1 19895 None\", \"licensed"),
        "{known:#?}"
    );
}

async fn kept_records_show_what_the_caller_may_see(engine: Engine) {
    let service = Service::start(engine).await;
    let secret = Customer {
        customer_id: "C-1".into(),
        country: Some("XX".into()),
        domain: Some("secret.example".into()),
        ..Default::default()
    };
    let records =
        vec![revenue("S-1", "2024-13", "777.25"), record(Kind::Customer(secret)), assignment("S-1", "u", "no", "")];
    service.send(batch(records)).await.unwrap();
    for (role, all) in [(Role::GlobalAdmin, true), (Role::AdminAgent, false), (Role::DataSource, false)] {
        let request = service.request(PARTNER, role, ListRejectionsRequest::default());
        let kept = service.ingestion().list_rejections(request).await.unwrap().into_inner().rejections;
        assert_eq!(kept.len(), 3);
        let text = format!("{kept:?}");
        for word in ["777.25", "secret.example", "user_id\\\":"] {
            assert_eq!(text.contains(word), all, "{role:?} {word} {text}");
        }
    }
    let request = service.request("other", Role::GlobalAdmin, ListRejectionsRequest::default());
    assert!(service.ingestion().list_rejections(request).await.unwrap().into_inner().rejections.is_empty());
    let request = service.request(PARTNER, Role::SalesAgent, ListRejectionsRequest::default());
    assert_eq!(service.ingestion().list_rejections(request).await.unwrap_err().code(), Code::PermissionDenied);
}

async fn activity_that_cannot_be_is_refused_fact_by_fact(engine: Engine) {
    let service = Service::start(engine).await;
    service.take(vec![customer("C-1", "")]).await;
    let facts = [
        ("C-1", "u", "Teams", day("2024-06-20")),
        ("C-1", "u", "Teams", day("2024-06-21")),
        (" ", "u", "Teams", day("2024-06-20")),
        ("C-1", " ", "Teams", day("2024-06-20")),
        ("C-1", "u", "", day("2024-06-20")),
        ("C-1", "u", "Teams", i32::MIN),
        ("C-1", "u", "Teams", day("2024-06-19")),
    ];
    let request = IngestBatchRequest {
        records: vec![customer("C-2", "")],
        activity: Some(activity_on(&facts)),
        ..Default::default()
    };
    let answer = service.send(request).await.unwrap();
    assert_eq!((answer.accepted, answer.rejected), (3, 5));
    let said: Vec<_> = answer.rejections.iter().map(|it| (it.index, it.field.as_str())).collect();
    assert_eq!(
        said,
        [
            (2, "activity.day"),
            (3, "activity.customer_id"),
            (4, "activity.user_id"),
            (5, "activity.service"),
            (6, "activity.day")
        ]
    );
    for (columns, field) in [
        (ActivityColumns { customer: vec![0], ..Default::default() }, "activity.customer[0]"),
        (ActivityColumns { customers: vec!["C".into()], customer: vec![0], ..Default::default() }, "activity.user"),
        (ActivityColumns { day: vec![1], ..Default::default() }, "activity.day"),
    ] {
        let error =
            service.send(IngestBatchRequest { activity: Some(columns), ..Default::default() }).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.message().contains(field), "{error:?}");
    }
}

async fn what_was_recorded_in_the_future_is_refused(engine: Engine) {
    let place = Place::new(engine);
    let service = Service::open(Arc::clone(&place), place.config()).await;
    let at = |time: &str, country: &str| {
        let time = time.parse::<DateTime<Utc>>().unwrap();
        let recorded_at = Some(Timestamp { seconds: time.timestamp(), nanos: 0 });
        Record { recorded_at, ..customer("C-1", country) }
    };
    for (time, good) in
        [("2024-06-20T12:05:00Z", true), ("2024-06-20T12:05:01Z", false), ("2100-01-01T00:00:00Z", false)]
    {
        let answer = service.send(batch(vec![at(time, "DE")])).await.unwrap();
        assert_eq!((answer.accepted, answer.rejected), if good { (1, 0) } else { (0, 1) }, "{time}");
        let wrong: Vec<_> = answer.rejections.iter().map(|it| (it.field.as_str(), it.reason.as_str())).collect();
        assert!(good || wrong == [("recorded_at", "must not lie in the future")], "{wrong:?}");
    }
    // Where today has begun already, so has a list of today.
    let tomorrow = || at("2024-06-21T00:00:00Z", "FR");
    assert_eq!(service.send(batch(vec![tomorrow()])).await.unwrap().rejected, 1);
    assert_eq!(service.send(batch(vec![partner("P", "Pacific/Kiritimati"), tomorrow()])).await.unwrap().rejected, 0);
    // What is kept counts when its time has come.
    place.set_now("2024-06-22T00:00:00Z");
    let replay = service.as_source(ReplayRejectionsRequest::default());
    let answer = service.ingestion().replay_rejections(replay).await.unwrap().into_inner();
    assert_eq!((answer.accepted, answer.rejected), (2, 1), "all but that of 2100");
    drop(service);

    // Without the rule nobody corrects it for 76 years; then it is corrected by hand.
    let mut config = place.config();
    config.limits.clock_leeway_seconds = u32::MAX;
    let service = Service::open(Arc::clone(&place), config).await;
    assert_eq!(service.take(vec![at("2100-01-01T00:00:00Z", "IT")]).await.accepted, 1);
    let answer = service.take(vec![customer("C-1", "ES")]).await;
    assert_eq!((answer.accepted, answer.superseded), (0, 1));
    drop(service);
    let leeway = std::time::Duration::from_secs(300);
    assert_eq!(Ingestion::correct_times(place.database.url(), &place.clock(), leeway).await.unwrap(), 1);
    place.set_now("2024-06-22T00:00:01Z");
    let service = Service::open(Arc::clone(&place), place.config()).await;
    assert!(service.world().await.says("C-1", "country: Some(\"IT\")"));
    assert_eq!(service.take(vec![customer("C-1", "ES")]).await.accepted, 1);
    // What a report of the running month only names is recorded at the month's end, and no later.
    for (time, rejected) in [("2024-06-30T00:00:00Z", 0), ("2024-07-01T00:00:00Z", 1)] {
        let Record { recorded_at, .. } = at(time, "DE");
        let named = Record { recorded_at, precedence: Precedence::Named.into(), ..customer("C-9", "DE") };
        assert_eq!(service.send(batch(vec![named])).await.unwrap().rejected, rejected, "{time}");
    }
}

/// The audit's entries, newest first, as method, subject's role, records, outcome and how many calls.
async fn audit(service: &Service, filter: ListAuditEntriesRequest) -> Vec<(String, String, i64, String, i64)> {
    let request = service.request(PARTNER, Role::GlobalAdmin, filter);
    let entries = service.ingestion().list_audit_entries(request).await.unwrap().into_inner().entries;
    assert!(entries.iter().all(|entry| entry.partner == PARTNER && entry.time.is_some()));
    let told = entries.into_iter().map(|entry| {
        let method = entry.rpc.rsplit('/').next().unwrap().to_owned();
        (method, entry.roles.join(" "), entry.records, entry.outcome, entry.calls)
    });
    told.collect()
}

/// Makes every call once or twice.
async fn every_call(service: &Service) {
    let mut client = service.ingestion();
    let night = IngestBatchRequest {
        batch_id: "night-1".into(),
        records: vec![customer("C-1", ""), customer("", "")],
        activity: Some(activity(&[("C-1", "u", "Teams", "2024-01-01")])),
        ..Default::default()
    };
    service.send(night.clone()).await.unwrap();
    service.send(IngestBatchRequest { validate_only: true, batch_id: String::new(), ..night.clone() }).await.unwrap();
    let wrong = IngestBatchRequest { batch_id: "x".repeat(1_000_000), ..night.clone() };
    assert_eq!(service.send(wrong).await.unwrap_err().code(), Code::InvalidArgument);
    let batches = [1, 2].map(|count| IngestStreamRequest { batch: Some(batch(vec![customer("C-2", ""); count])) });
    let mut stream = client.ingest_stream(service.as_source(tokio_stream::iter(batches))).await.unwrap().into_inner();
    while stream.message().await.unwrap().is_some() {}
    client.preview_lists(service.as_source(PreviewListsRequest::default())).await.unwrap();
    client.list_rejections(service.as_source(ListRejectionsRequest::default())).await.unwrap();
    client.list_waiting(service.as_source(Default::default())).await.unwrap();
    client.replay_rejections(service.as_source(ReplayRejectionsRequest::default())).await.unwrap();
    client.get_freshness(service.as_source(Default::default())).await.unwrap();
    let viewer = service.request(PARTNER, Role::ReportViewer, night.clone());
    assert_eq!(client.ingest_batch(viewer).await.unwrap_err().code(), Code::PermissionDenied);
    let bound = service.bound(Role::AdminAgent, &["L-1", "L-2"], night);
    assert_eq!(client.ingest_batch(bound).await.unwrap_err().code(), Code::PermissionDenied);
    let elsewhere = service.request("other", Role::DataSource, batch(vec![customer("C-1", "")]));
    client.ingest_batch(elsewhere).await.unwrap();
}

async fn calls_are_audited(engine: Engine) {
    let service = Service::start(engine).await;
    every_call(&service).await;
    let mut client = service.ingestion();
    let told = audit(&service, ListAuditEntriesRequest::default()).await;
    let expected = [
        ("IngestBatch", "admin_agent", 0, "PERMISSION_DENIED"),
        ("IngestBatch", "report_viewer", 0, "PERMISSION_DENIED"),
        ("ReplayRejections", "data_source", 1, "OK"),
        ("ListWaiting", "data_source", 0, "OK"),
        ("ListRejections", "data_source", 1, "OK"),
        ("PreviewLists", "data_source", 0, "OK"),
        ("IngestStream", "data_source", 2, "OK"),
        ("IngestStream", "data_source", 1, "OK"),
        ("IngestBatch", "data_source", 3, "INVALID_ARGUMENT"),
        ("IngestBatch", "data_source", 3, "OK"),
        ("IngestBatch", "data_source", 3, "OK"),
    ];
    let found: Vec<_> = told.iter().map(|it| (it.0.as_str(), it.1.as_str(), it.2, it.3.as_str())).collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    assert!(expected.iter().all(|entry| found.contains(entry)), "{found:#?}");
    // The clock stands still, so that entries of one time are in any order; page by page each is there once.
    let mut request = ListAuditEntriesRequest { page_size: 4, method: "IngestBatch".into(), ..Default::default() };
    let mut entries = Vec::new();
    loop {
        let page =
            client.list_audit_entries(service.request(PARTNER, Role::GlobalAdmin, request.clone())).await.unwrap();
        let page = page.into_inner();
        entries.extend(page.entries);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(entries.len(), 5);
    let asked = |text: &str| entries.iter().filter(|entry| entry.asked.contains(text)).count();
    assert_eq!((asked("night-1"), asked("\"validateOnly\":true"), asked("xxx")), (1, 1, 1));
    assert!(entries.iter().all(|entry| entry.asked.len() < 1_000), "bounded");
    let bound: Vec<_> = entries.iter().filter(|entry| entry.bound).map(|entry| entry.locations.clone()).collect();
    assert_eq!(bound, [vec!["L-1".to_owned(), "L-2".to_owned()]]);
    let by = |outcome: &str| ListAuditEntriesRequest { outcome: outcome.into(), ..Default::default() };
    assert_eq!(audit(&service, by("permission_denied")).await.len(), 2);
    let refused = service.request(PARTNER, Role::GlobalAdmin, by("FINE"));
    assert_eq!(client.list_audit_entries(refused).await.unwrap_err().code(), Code::InvalidArgument);
    for role in [Role::AdminAgent, Role::DataSource, Role::ExecutiveReportViewer] {
        let request = service.request(PARTNER, role, ListAuditEntriesRequest::default());
        assert_eq!(client.list_audit_entries(request).await.unwrap_err().code(), Code::PermissionDenied);
    }
}

/// Its sender sends it again.
async fn a_call_that_cannot_be_audited_is_not_answered(engine: Engine) {
    let service = Service::start(engine).await;
    insights_testkit::sql(&service.place.database, "ALTER TABLE ingestion_audit RENAME TO gone");
    assert_eq!(service.send(batch(vec![customer("C-3", "")])).await.unwrap_err().code(), Code::Unavailable);
    insights_testkit::sql(&service.place.database, "ALTER TABLE gone RENAME TO ingestion_audit");
    assert_eq!(service.send(batch(vec![customer("C-3", "")])).await.unwrap().duplicates, 1);
}

async fn who_is_refused_again_and_again_fills_nothing(engine: Engine) {
    const CALLS: usize = 300;
    let entries = async |service: &Service| {
        let wrong = || IngestBatchRequest { batch_id: "x".repeat(129), ..Default::default() };
        let mut client = service.ingestion();
        for _ in 0..CALLS {
            assert!(client.ingest_batch(service.request(PARTNER, Role::ReportViewer, wrong())).await.is_err());
        }
        for _ in 0..CALLS {
            assert!(client.ingest_batch(service.as_source(wrong())).await.is_err());
        }
        insights_testkit::number(&service.place.database, "SELECT count(*) FROM ingestion_audit").await
    };
    let place = Place::new(engine);
    let mut config = place.config();
    config.maintenance = std::time::Duration::from_millis(50);
    let service = Service::open(Arc::clone(&place), config.clone()).await;
    assert_eq!(entries(&service).await, 40, "of each caller the first");
    place.set_now("2024-06-20T12:01:00Z");
    insights_testkit::until("the minute is stored", async || {
        insights_testkit::number(&place.database, "SELECT CAST(sum(calls) AS BIGINT) FROM ingestion_audit").await
            == 2 * CALLS as i64
    })
    .await;
    let told = audit(&service, ListAuditEntriesRequest::default()).await;
    assert_eq!(told.len(), 42);
    let sums: Vec<_> = told.iter().filter(|entry| entry.4 > 1).map(|entry| (entry.3.as_str(), entry.4)).collect();
    assert!(sums.contains(&("PERMISSION_DENIED", 280)) && sums.contains(&("INVALID_ARGUMENT", 280)), "{sums:?}");
    drop(service);

    let _off = fail_point::arm("", "without:audit.refused_calls");
    let service = Service::open(Arc::clone(&place), config).await;
    assert!(entries(&service).await >= 2 * CALLS as i64, "a row a call");
}

/// The quarantine of the partner, newest first, and how many records were dropped.
async fn kept(service: &Service, page_size: i32) -> (Vec<QuarantinedRecord>, i64) {
    let request =
        service.request(PARTNER, Role::GlobalAdmin, ListRejectionsRequest { page_size, ..Default::default() });
    // As a client takes it that was told nothing.
    let mut client = IngestionServiceClient::new(service.channel.clone());
    let answer = client.list_rejections(request).await.unwrap().into_inner();
    (answer.rejections, answer.dropped)
}

fn large(number: usize, letters: usize) -> Record {
    let name = format!("{number}{}", "é".repeat(letters));
    record(Kind::Customer(Customer {
        customer_id: format!("C-{number}"),
        name: Some(name),
        country: Some("XX".into()),
        ..Default::default()
    }))
}

async fn a_rejected_record_is_kept_as_far_as_it_goes(engine: Engine) {
    const BYTES: &str = "SELECT CAST(sum(length(record_json)) AS BIGINT) FROM ingestion_quarantine";
    let service = Service::start(engine).await;
    let records: Vec<Record> = (0..10).map(|number| large(number, 400_000)).collect();
    let ids = (0..40_000).map(|number| format!("{number}\u{7}")).collect();
    let list = WholeList { source: "crm".into(), what: "subscriptions".into(), ids, ..Default::default() };
    let mut sent = records.clone();
    sent.push(record(Kind::WholeList(list)));
    let answer = service.send(batch(sent)).await.unwrap();
    assert_eq!(answer.rejected, 11);
    assert!(answer.rejections.iter().all(|it| it.reason.len() < 3_000), "{}", answer.rejections[10].reason.len());
    let (rejections, dropped) = kept(&service, 10).await;
    assert_eq!((rejections.len(), dropped), (10, 0));
    assert!(rejections[0].reason.contains(" more") && rejections[0].reason.contains("too many to be kept"));
    assert_eq!(rejections[0].record_json, "", "the list");
    assert!(rejections[1].record_json.contains("éé…\""), "{}", &rejections[1].record_json[..200]);
    assert!(insights_testkit::number(&service.place.database, BYTES).await < 10 * 2_000);
    // What is cut is as wrong as it was.
    let replay = service.as_source(ReplayRejectionsRequest::default());
    let answer = service.ingestion().replay_rejections(replay).await.unwrap().into_inner();
    assert_eq!((answer.accepted, answer.rejected), (0, 11));
    drop(service);

    let _off = fail_point::arm("", "without:ingestion.quarantine_cut");
    let service = Service::start(engine).await;
    service.send(batch(records)).await.unwrap();
    assert!(insights_testkit::number(&service.place.database, BYTES).await > 10 * 400_000, "a record as it came");
    assert!(!kept(&service, 10).await.0.is_empty(), "and still a page that clients take");
}

async fn the_quarantine_has_room_for_so_much(engine: Engine) {
    let count = async |service: &Service| {
        insights_testkit::number(&service.place.database, "SELECT count(*) FROM ingestion_quarantine").await
    };
    let wrong = |from: usize, to: usize| batch((from..to).map(|number| large(number, 3)).collect());
    let place = Place::new(engine);
    let mut config = place.config();
    config.limits.quarantine_records = 20;
    let service = Service::open(Arc::clone(&place), config).await;
    let mut most = 0;
    for turn in 0..10 {
        service.send(wrong(turn * 7, turn * 7 + 7)).await.unwrap();
        most = most.max(count(&service).await);
    }
    assert!((18..=20).contains(&most), "{most}");
    let (rejections, dropped) = kept(&service, 100).await;
    assert_eq!(rejections.len() as i64 + dropped, 70, "nothing goes in silence");
    let newest = &rejections[0].record_json;
    assert!(newest.contains("C-69") && !rejections.iter().any(|it| it.record_json.contains("C-40")), "{newest}");
    let fresh = service.ingestion().get_freshness(service.as_source(Default::default())).await.unwrap().into_inner();
    assert_eq!((fresh.rejected, fresh.dropped), (Some(rejections.len() as i64), Some(dropped)));
    // One batch has more than there is room for.
    service.send(wrong(1_000, 1_050)).await.unwrap();
    let (rejections, _) = kept(&service, 100).await;
    assert!(rejections.len() <= 20 && rejections[0].record_json.contains("C-1049"));
    // What is replayed makes room.
    let ids = rejections.iter().map(|it| it.id).collect();
    let replay = service.as_source(ReplayRejectionsRequest { ids });
    assert_eq!(service.ingestion().replay_rejections(replay).await.unwrap().into_inner().accepted, 0);
    drop(service);

    // A MiB of large records.
    let mut config = place.config();
    config.limits.quarantine_mebibytes = 1;
    let service = Service::open(Arc::clone(&place), config).await;
    for turn in 0..8 {
        let ids: Vec<String> = (0..1_500).map(|number| format!("{turn}-{number}-{}", "x".repeat(20))).collect();
        let list = |at: usize| WholeList {
            source: format!("{turn}-{at}"),
            what: "no".into(),
            ids: ids.clone(),
            ..Default::default()
        };
        service.send(batch((0..5).map(|at| record(Kind::WholeList(list(at)))).collect())).await.unwrap();
        let bytes = "SELECT CAST(sum(size) AS BIGINT) FROM ingestion_quarantine";
        assert!(insights_testkit::number(&place.database, bytes).await <= 1 << 20);
    }
    assert!(kept(&service, 100).await.0[0].record_json.contains("7-4"));
    drop(service);

    // Without a cap everything stays.
    let service = Service::start(engine).await;
    for turn in 0..10 {
        service.send(wrong(turn * 7, turn * 7 + 7)).await.unwrap();
    }
    assert_eq!(count(&service).await, 70);
}

async fn rejected_records_go_when_they_are_old(engine: Engine) {
    let place = Place::new(engine);
    let service = Service::open(Arc::clone(&place), place.config()).await;
    service.send(batch(vec![large(1, 3)])).await.unwrap();
    place.set_now("2024-09-10T12:00:00Z");
    service.send(batch(vec![large(2, 3)])).await.unwrap();
    drop(service);
    place.set_now("2024-09-18T13:00:00Z");
    let service = Service::open(Arc::clone(&place), place.config()).await;
    insights_testkit::until("the older one is gone", async || kept(&service, 10).await.0.len() == 1).await;
    let (rejections, dropped) = kept(&service, 10).await;
    assert_eq!(dropped, 1);
    assert!(rejections[0].record_json.contains("C-2"));
}
