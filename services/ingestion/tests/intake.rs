//! What is refused and why, and what is kept of it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use insights_access::Role;
use insights_proto::ingestion::v1::{
    ActivityColumns, Customer, IngestBatchRequest, ListRejectionsRequest, Record, ReplayRejectionsRequest,
    ReportedSeats, Revenue, Sku, Subscription, SubscriptionState, record::Kind,
};
use support::{Engine, PARTNER, Service, make::*};
use tonic::Code;

on_both!(
    good_records_of_a_bad_batch_are_stored,
    what_is_refused_is_kept_and_replayed,
    kept_records_show_what_the_caller_may_see,
    activity_that_cannot_be_is_refused_fact_by_fact,
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
