//! What is erased leaves nothing but a mark, and stays away.

use std::collections::BTreeSet;

use insights_proto::ingestion::v1::{
    AllowErasedRequest, Customer, EraseRequest, ErasureSubject, IngestBatchRequest, IngestBatchResponse,
    ListRejectionsRequest, PreviewErasureRequest, PreviewErasureResponse, Record,
    erasure_service_client::ErasureServiceClient, record::Kind,
};
use insights_service::fail_point;
use insights_testkit::{traces, until};
use tonic::{Code, transport::Channel};

use crate::support::{Engine, PARTNER, Service, make::*};

crate::on_both!(
    a_customer_leaves_no_trace,
    what_turns_out_to_be_of_the_erased_goes_too,
    a_user_leaves_no_trace,
    a_user_of_one_customer_stays_at_the_others,
    subjects_are_checked,
);

// The batch stands still on a thread of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_batch_under_way_brings_nothing_back_on_sqlite() {
    a_batch_under_way_brings_nothing_back(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_batch_under_way_brings_nothing_back_on_postgres() {
    a_batch_under_way_brings_nothing_back(Engine::Postgres).await;
}

const CUSTOMER: &str = "Erased-Customer-77";
const NAME: &str = "Vanishing Example Works";
const DOMAIN: &str = "vanishing.example";
const USER: &str = "vanishing.user@erased.example";
const SUBSCRIPTIONS: [&str; 2] = ["Erased-Subscription-1", "Erased-Subscription-2"];

fn erasure(service: &Service) -> ErasureServiceClient<Channel> {
    ErasureServiceClient::new(service.channel.clone())
}

fn subject(customer: &str, user: &str) -> Option<ErasureSubject> {
    Some(ErasureSubject { customer_id: customer.into(), user_id: user.into() })
}

async fn preview(service: &Service, customer: &str, user: &str) -> PreviewErasureResponse {
    let request = PreviewErasureRequest { partner: PARTNER.into(), subject: subject(customer, user) };
    erasure(service).preview_erasure(service.as_service(request)).await.unwrap().into_inner()
}

async fn erase(service: &Service, customer: &str, user: &str) -> i64 {
    let request = EraseRequest { partner: PARTNER.into(), subject: subject(customer, user) };
    erasure(service).erase(service.as_service(request)).await.unwrap().into_inner().version
}

async fn allow(service: &Service, customer: &str, user: &str) -> bool {
    let request = AllowErasedRequest { partner: PARTNER.into(), subject: subject(customer, user) };
    erasure(service).allow_erased(service.as_service(request)).await.unwrap().into_inner().allowed
}

fn count(found: &PreviewErasureResponse, kind: &str) -> i64 {
    found.counts.iter().find(|count| count.kind == kind).map_or(0, |count| count.count)
}

/// Where one of the values is, in all that is stored.
fn traces(service: &Service, values: &[&[u8]]) -> BTreeSet<String> {
    let url = service.place.database.url();
    match url.strip_prefix("sqlite:") {
        Some(path) => traces::in_files(std::path::Path::new(path).parent().unwrap(), values),
        None => traces::in_postgres(url, values),
    }
}

fn named() -> Record {
    record(Kind::Customer(Customer {
        customer_id: CUSTOMER.into(),
        name: Some(NAME.into()),
        domain: Some(DOMAIN.into()),
        ..Customer::default()
    }))
}

/// Every kind of record about a customer, with a user, that is good.
fn about(customer: &str, [one, other]: [&str; 2], user: &str) -> Vec<Record> {
    vec![
        subscription(one, customer, "K-1"),
        subscription(other, customer, "K-2"),
        state(one, "2024-02-01", "Active", 5),
        assignment(one, user, "2024-02-01", ""),
        licensed(customer, user, "Teams", "2024-02-01"),
        licence_list(customer, "Teams", "2024-03-01"),
        whole_list("subscriptions", customer, "2024-03-01", &[one, other]),
        whole_list("customers", customer, "2024-03-01", &[]),
        revenue(one, "2024-02", "5"),
        revenue_by_sku(customer, "K-1", "2024-02", "6"),
        support_cases(customer, "2024-02", 7),
        reported_seats(one, "2024-02", 8),
        reported_seats_by_sku(customer, "K-1", "2024-03", 8),
        reported_usage(customer, "Teams", "2024-02", 9),
    ]
}

/// Two customers with all there can be of them: superseded rows, rows that wait, rows in quarantine, answers that are kept.
async fn fill(service: &Service) {
    let mut records = vec![sku("K-1", &["Teams"]), named(), customer("C-2", "DE")];
    records.extend(about(CUSTOMER, SUBSCRIPTIONS, USER));
    records.extend(about("C-2", ["S-1", "S-2"], USER));
    records.push(reported_seats(SUBSCRIPTIONS[0], "2024-02", 9));
    let activity = [(CUSTOMER, USER, "Teams", "2024-06-01"), (CUSTOMER, "other", "Teams", "2024-05-01")];
    let activity =
        activity.into_iter().chain([("C-2", USER, "Teams", "2024-05-02"), ("C-2", "b", "Teams", "2024-05-03")]);
    let activity = Some(activity_of(activity.collect()));
    let answer = service.send(IngestBatchRequest { records, activity, ..Default::default() }).await.unwrap();
    assert_eq!((answer.rejections, answer.waiting), (vec![], 2), "what names SKU K-2 waits");
    let bad = vec![
        state(SUBSCRIPTIONS[1], "never", "Active", 1),
        licensed(CUSTOMER, USER, "", "2024-02-01"),
        customer(CUSTOMER, "nowhere"),
        state("S-1", "never", "Active", 1),
        unreadable(&format!("the customer {CUSTOMER} has no country")),
    ];
    let batch = IngestBatchRequest { batch_id: "bad".into(), records: bad, ..Default::default() };
    assert_eq!(service.send(batch).await.unwrap().rejected, 5);
}

fn activity_of(facts: Vec<(&str, &str, &str, &str)>) -> insights_proto::ingestion::v1::ActivityColumns {
    activity(&facts)
}

fn unreadable(reason: &str) -> Record {
    let (row, field, reason) = (1, "Country".into(), reason.into());
    record(Kind::Unreadable(insights_proto::ingestion::v1::Unreadable { row, field, reason }))
}

/// The hash under which a user is stored, as bytes.
async fn hash_of(service: &Service, user: &str) -> Vec<u8> {
    let texts = preview(service, "", user).await.texts;
    let hex = texts.iter().find_map(|text| text.strip_prefix('#')).unwrap().to_owned();
    (0..16).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

fn refused(answer: &IngestBatchResponse, all: i64) {
    assert_eq!((answer.rejected, answer.erased, answer.accepted), (all, all, 0), "{answer:?}");
    for rejection in &answer.rejections {
        assert!(
            rejection.reason.contains("erased") && rejection.reason.contains("insights erase --allow"),
            "{rejection:?}"
        );
    }
}

async fn a_customer_leaves_no_trace(engine: Engine) {
    let service = Service::start(engine).await;
    fill(&service).await;
    let hash = hash_of(&service, "other").await;
    let values: Vec<&[u8]> = [CUSTOMER, NAME, DOMAIN, SUBSCRIPTIONS[0], SUBSCRIPTIONS[1]]
        .map(str::as_bytes)
        .into_iter()
        .chain([hash.as_slice()])
        .collect();
    assert!(values.iter().all(|value| !traces(&service, &[value]).is_empty()), "all of it is stored");
    let found = preview(&service, CUSTOMER, "").await;
    assert!(!found.erased);
    for (kind, expected) in [
        ("customer", 1),
        ("subscription", 2),
        ("assignment", 1),
        ("whole_list", 2),
        ("superseded_rows", 1),
        ("activity_chunks", 2),
        ("users", 2),
        ("rejected_records", 4),
        ("batch_answers", 1),
    ] {
        assert_eq!(count(&found, kind), expected, "{kind} of {found:?}");
    }
    let before = service.world().await;
    let version = service.partner_facts().await.version;

    let erased = erase(&service, CUSTOMER, "").await;
    assert_eq!(traces(&service, &values), BTreeSet::new(), "nothing is left");
    assert_eq!(service.partner_facts().await.version, erased);
    let changes = service.changes_since(version).await;
    assert_eq!(changes.customers.len(), 1, "followers hear of it: {changes:?}");
    let after = service.world().await;
    assert_eq!(after.customers.keys().collect::<Vec<_>>(), ["C-2"]);
    assert_eq!(after.customer("C-2"), before.customer("C-2"), "the other one stays as it was");
    assert!(after.partner.iter().any(|fact| fact.contains(&format!("last Some({})", day("2024-05-03")))), "{after:?}");
    let left = service.ingestion().list_rejections(service.as_source(ListRejectionsRequest::default())).await.unwrap();
    assert_eq!(left.into_inner().rejections.len(), 1, "that of the other customer");
    assert!(preview(&service, CUSTOMER, "").await.erased);
    // Again: nothing is there, and nothing changes for others.
    assert_eq!(erase(&service, CUSTOMER, "").await, erased);

    it_stays_away(&service, &values).await;
    assert!(allow(&service, CUSTOMER, "").await && !allow(&service, CUSTOMER, "").await);
    let again: Vec<Record> = std::iter::once(named()).chain(about(CUSTOMER, SUBSCRIPTIONS, USER)).collect();
    let answer = service.take(again).await;
    assert_eq!((answer.erased, answer.accepted), (0, 15), "{answer:?}");
    assert!(service.world().await.says(CUSTOMER, "holds"), "with numbers of its own for its users");
}

/// What is known to belong to the customer only when its own record comes is refused from then on, and what waited for it goes.
async fn what_turns_out_to_be_of_the_erased_goes_too(engine: Engine) {
    let service = Service::start(engine).await;
    fill(&service).await;
    erase(&service, CUSTOMER, "").await;
    let late = "Late-Erased-Subscription";
    let early = vec![
        state(late, "2024-02-01", "Active", 5),
        assignment(late, USER, "2024-02-01", ""),
        reported_seats(late, "2024-04", 3),
    ];
    assert_eq!(service.take(early).await.waiting, 3);
    assert!(!traces(&service, &[late.as_bytes()]).is_empty());
    refused(&service.send(batch(vec![subscription(late, CUSTOMER, "K-1")])).await.unwrap(), 1);
    assert_eq!(service.waiting().await.len(), 1, "K-2 alone: {:?}", service.waiting().await);
    refused(&service.send(batch(vec![state(late, "2024-03-01", "Active", 5)])).await.unwrap(), 1);
    // In one batch, in any order.
    let other = "Other-Erased-Subscription";
    let both = vec![state(other, "2024-02-01", "Active", 5), subscription(other, CUSTOMER, "K-1")];
    refused(&service.send(batch(both)).await.unwrap(), 2);
    // One that another customer has stays with that customer.
    refused(&service.send(batch(vec![subscription("S-1", CUSTOMER, "K-1")])).await.unwrap(), 1);
    assert_eq!(service.take(vec![state("S-1", "2024-04-01", "Active", 6)]).await.accepted, 1);
    assert_eq!(traces(&service, &[late.as_bytes(), other.as_bytes(), CUSTOMER.as_bytes()]), BTreeSet::new());
    assert!(allow(&service, CUSTOMER, "").await);
    assert_eq!(service.take(vec![state(late, "2024-03-01", "Active", 5)]).await.waiting, 1);
}

/// Whatever names the customer or one of its subscriptions is refused, good or not, and leaves no trace.
async fn it_stays_away(service: &Service, values: &[&[u8]]) {
    for record in std::iter::once(named()).chain(about(CUSTOMER, SUBSCRIPTIONS, USER)) {
        refused(&service.send(batch(vec![record])).await.unwrap(), 1);
    }
    refused(&service.send(activity_batch(&[(CUSTOMER, "x", "Teams", "2024-06-02")])).await.unwrap(), 1);
    let bad = vec![state(SUBSCRIPTIONS[1], "never", "Active", 1), licensed(CUSTOMER, USER, "", "2024-02-01")];
    refused(&service.send(batch(bad)).await.unwrap(), 2);
    let mixed = activity(&[("C-2", "c", "Teams", "2024-06-03"), (CUSTOMER, "c", "Teams", "2024-06-03")]);
    let mixed = IngestBatchRequest { activity: Some(mixed), records: vec![customer("C-3", "")], ..Default::default() };
    let answer = service.send(mixed).await.unwrap();
    assert_eq!((answer.accepted, answer.erased, answer.rejections[0].index), (2, 1, 2), "{answer:?}");
    assert_eq!(traces(service, values), BTreeSet::new(), "what was refused is not kept");
    let kept = service.ingestion().list_rejections(service.as_source(ListRejectionsRequest::default())).await.unwrap();
    let kept = kept.into_inner().rejections;
    assert!(kept.iter().filter(|it| it.reason.contains("erased")).all(|it| it.record_json.is_empty()), "{kept:?}");
}

async fn a_user_leaves_no_trace(engine: Engine) {
    let service = Service::start(engine).await;
    fill(&service).await;
    service.take(vec![assignment("S-of-nobody", USER, "2024-02-01", "")]).await;
    let hash = hash_of(&service, USER).await;
    let values = [USER.as_bytes(), hash.as_slice()];
    assert!(!traces(&service, &values[1..]).is_empty());
    let found = preview(&service, "", USER).await;
    let counts = ["users", "assignment", "licensed", "activity", "rejected_records"].map(|kind| count(&found, kind));
    assert_eq!(counts, [2, 3, 2, 2, 1], "{found:?}");
    let version = service.partner_facts().await.version;
    erase(&service, "", USER).await;
    assert_eq!(traces(&service, &values), BTreeSet::new());
    assert_eq!(service.changes_since(version).await.customers.len(), 2);
    let world = service.world().await;
    assert!(!world.says(CUSTOMER, "holds") && !world.says("C-2", "licensed"), "{world:#?}");
    assert!(world.says("C-2", "2024-05-03") || !world.customer("C-2").is_empty(), "other users stay: {world:#?}");
    for refusal in [assignment("S-1", USER, "2024-03-01", ""), licensed("C-2", USER, "Teams", "2024-03-01")] {
        refused(&service.send(batch(vec![refusal])).await.unwrap(), 1);
    }
    refused(&service.send(activity_batch(&[("C-2", USER, "Teams", "2024-06-02")])).await.unwrap(), 1);
    assert_eq!(traces(&service, &values), BTreeSet::new());
    let hashed = format!("#{}", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    assert!(allow(&service, "", &hashed).await, "a user may be named by its hash");
    assert_eq!(service.send(activity_batch(&[("C-2", USER, "Teams", "2024-06-02")])).await.unwrap().accepted, 1);
}

async fn a_user_of_one_customer_stays_at_the_others(engine: Engine) {
    let service = Service::start(engine).await;
    fill(&service).await;
    service.take(vec![assignment("S-9", USER, "2024-02-01", "")]).await;
    erase(&service, CUSTOMER, USER).await;
    let world = service.world().await;
    assert!(!world.says(CUSTOMER, "holds") && world.says("C-2", "holds"), "{world:#?}");
    refused(&service.send(batch(vec![assignment(SUBSCRIPTIONS[0], USER, "2024-03-01", "")])).await.unwrap(), 1);
    refused(&service.send(activity_batch(&[(CUSTOMER, USER, "Teams", "2024-06-02")])).await.unwrap(), 1);
    assert_eq!(service.send(batch(vec![assignment("S-1", USER, "2024-03-01", "")])).await.unwrap().accepted, 1);
    // A subscription that turns out to be the customer's, in the same batch and later.
    let new = vec![subscription("S-8", CUSTOMER, "K-1"), assignment("S-8", USER, "2024-03-01", "")];
    assert_eq!(service.send(batch(new)).await.unwrap().erased, 1);
    service.take(vec![subscription("S-9", CUSTOMER, "K-1")]).await;
    assert!(!service.world().await.says(CUSTOMER, "holds"), "what waited for it is gone");
}

/// A batch that was checked before the erasure and is stored after it; without the guard it brings the customer back.
async fn a_batch_under_way_brings_nothing_back(engine: Engine) {
    for (guarded, known) in [(false, false), (true, false), (true, true)] {
        let service = Service::start(engine).await;
        if known {
            fill(&service).await;
        }
        let file = service.place.folder.path().join("paused");
        let guard = (!guarded).then(|| fail_point::arm("", "without:ingestion.erasures"));
        let armed = fail_point::arm("", &format!("pause:ingestion.checked:1:{}", file.display()));
        let mut records = vec![named(), customer("C-5", "")];
        records.extend(about(CUSTOMER, SUBSCRIPTIONS, USER));
        records.push(licensed(CUSTOMER, USER, "", "2024-02-01"));
        let activity = [(CUSTOMER, "new", "Teams", "2024-06-04"), ("C-5", "new", "Teams", "2024-06-04")];
        let activity = Some(activity_of(activity.into()));
        let request = service.as_source(IngestBatchRequest { records, activity, ..Default::default() });
        let mut client = service.ingestion();
        let sent = tokio::spawn(async move { client.ingest_batch(request).await.unwrap().into_inner() });
        until("the batch is under way", async || file.exists()).await;
        erase(&service, CUSTOMER, "").await;
        std::fs::remove_file(&file).unwrap();
        let answer = sent.await.unwrap();
        drop((armed, guard));
        let values = [CUSTOMER, NAME, SUBSCRIPTIONS[0]].map(str::as_bytes);
        if guarded {
            assert_eq!(traces(&service, &values), BTreeSet::new());
            assert_eq!((answer.accepted, answer.erased), (2, 17), "{answer:?}");
            assert!(service.world().await.customers.contains_key("C-5"), "what is of others is stored");
        } else {
            assert!(!traces(&service, &values).is_empty(), "the harm: it is back");
        }
    }
}

async fn subjects_are_checked(engine: Engine) {
    let service = Service::start(engine).await;
    for (customer, user) in [("", ""), ("\u{7}", ""), (&"x".repeat(201), ""), ("", "(unknown)"), ("", &"u".repeat(321))]
    {
        let request = EraseRequest { partner: PARTNER.into(), subject: subject(customer, user) };
        let status = erasure(&service).erase(service.as_service(request)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{customer} {user}");
    }
    // Whoever never was here is kept away as well.
    let version = erase(&service, "C-404", "").await;
    assert_eq!(version, 0);
    refused(&service.send(batch(vec![customer("C-404", "")])).await.unwrap(), 1);
    let denied = EraseRequest { partner: PARTNER.into(), subject: subject("C-1", "") };
    let status = erasure(&service).erase(service.as_source(denied)).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "people call reporting");
}
