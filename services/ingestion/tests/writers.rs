//! Writers of the same customers at the same time, on PostgreSQL, through two replicas; and writers that are cut off.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use insights_database::{
    Database,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
};
use insights_proto::ingestion::v1::{
    IngestBatchRequest, PartnerPosition, Record, StreamChangesRequest, SubscriptionState,
};
use insights_service::fail_point;
use prost::Message as _;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use support::{Engine, PARTNER, Place, Service, make::*};

on_both!(who_is_cut_off_begins_again, what_a_crash_left_waiting_is_freed);

const CUSTOMERS: usize = 12;
const USERS: usize = 30;
const WRITERS: usize = 4;

/// Writes so that no two writers send the same fact but all touch the same chunks, and returns how many of the bits are
/// there in the end, out of how many that were acknowledged.
async fn race(fail_points: &str) -> (usize, usize) {
    let place = Place::new(Engine::Postgres);
    let settings = place.config();
    let _armed = fail_point::arm(&settings.database_url, fail_points);
    let replicas = [
        Arc::new(Service::open(Arc::clone(&place), settings.clone()).await),
        Arc::new(Service::open(place, settings).await),
    ];
    let customers: Vec<String> = (0..CUSTOMERS).map(|number| format!("C-{number}")).collect();
    replicas[0].take(customers.iter().map(|id| customer(id, "")).collect()).await;
    // Everybody has a number before the race: it is about the chunks alone.
    let users: Vec<String> = (0..USERS).map(|number| format!("u-{number}")).collect();
    let pairs = customers.iter().flat_map(|customer| users.iter().map(move |user| (customer.as_str(), user.as_str())));
    let first: Vec<_> = pairs.map(|(customer, user)| (customer, user, "Exchange", "2024-01-01")).collect();
    replicas[0].send(activity_batch(&first)).await.unwrap();
    let follower = Arc::clone(&replicas[0]);
    let following = tokio::spawn(async move { follow(&follower).await });
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let (service, customers) = (Arc::clone(&replicas[writer % 2]), customers.clone());
        writers.push(tokio::spawn(async move { write(&service, writer, &customers).await }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    replicas[0].take(vec![customer("the-end", "")]).await;
    following.await.unwrap();
    let mut bits = BTreeSet::new();
    for facts in replicas[1].facts(Vec::new(), 0).await {
        for activity in facts.activity.iter().filter(|activity| activity.month == 2024 * 12 + 4) {
            for (user, days) in activity.user.iter().zip(&activity.days) {
                bits.extend(
                    (0..31)
                        .filter(|day| days >> day & 1 == 1)
                        .map(|day| (facts.customer, activity.service, *user, day)),
                );
            }
        }
    }
    (bits.len(), WRITERS * CUSTOMERS * USERS * 7)
}

async fn write(service: &Service, writer: usize, customers: &[String]) {
    let mut random = StdRng::seed_from_u64(writer as u64);
    let users: Vec<String> = (0..USERS).map(|number| format!("u-{number}")).collect();
    let mut facts = Vec::new();
    for customer in customers {
        for user in &users {
            // Each writer has days of its own in the same month.
            facts.extend((0..7).map(|day| {
                (customer.as_str(), user.as_str(), "Teams", 19_844 + i32::try_from(writer * 7 + day).unwrap())
            }));
        }
    }
    facts.shuffle(&mut random);
    for chunk in facts.chunks(250) {
        let columns = activity_on(chunk);
        let request =
            insights_proto::ingestion::v1::IngestBatchRequest { activity: Some(columns), ..Default::default() };
        let answer = service.send(request).await.unwrap();
        assert_eq!((answer.accepted, answer.duplicates), (i64::try_from(chunk.len()).unwrap(), 0));
    }
}

/// Follows until the last customer comes, and expects every version once and in order.
async fn follow(service: &Service) {
    let position = PartnerPosition { partner: PARTNER.to_owned(), epoch: 0, version: 0, stamp: 0 };
    let request = service.as_service(StreamChangesRequest { positions: vec![position] });
    let mut stream = service.feed().stream_changes(request).await.unwrap().into_inner();
    let mut next = 1;
    while let Some(changes) = stream.message().await.unwrap() {
        assert!(!changes.rebuild);
        assert_eq!(changes.first_version, next, "no version is skipped");
        next = changes.last_version + 1;
        if changes.customers.iter().any(|change| change.customer == i64::try_from(CUSTOMERS).unwrap() + 1) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_writers_lose_no_bit_and_skip_no_version() {
    for _ in 0..3 {
        let (there, acknowledged) = race("").await;
        assert_eq!(there, acknowledged);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_lock_on_customers_bits_are_lost() {
    for _ in 0..10 {
        let (there, acknowledged) = race("without:ingestion.customer_lock").await;
        if there < acknowledged {
            return;
        }
    }
    panic!("no writer was ever in another's way: this test shows nothing");
}

const SUBSCRIPTIONS: usize = 4;

/// Writers send states of the same subscriptions at once, each state recorded at another time. Returns whether the last ones count.
async fn correct(fail_points: &str) -> bool {
    let place = Place::new(Engine::Postgres);
    let settings = place.config();
    let _armed = fail_point::arm(&settings.database_url, fail_points);
    let service = Arc::new(Service::open(place, settings).await);
    let subscriptions = (0..SUBSCRIPTIONS).map(|number| subscription(&format!("S-{number}"), "C-1", "K-1"));
    service.take([sku("K-1", &["Teams"]), customer("C-1", "DE")].into_iter().chain(subscriptions).collect()).await;
    let states = |time: i64| {
        (0..40_usize).map(move |number| {
            let (id, day) =
                (format!("S-{}", number % SUBSCRIPTIONS), format!("2024-01-{:02}", number / SUBSCRIPTIONS + 1));
            at(time, state(&id, &day, "Active", time))
        })
    };
    let last = 6 * WRITERS as i64;
    let mut writers = Vec::new();
    for writer in 1..=WRITERS {
        let service = Arc::clone(&service);
        let times = (writer as i64..=last).step_by(WRITERS);
        let batches: Vec<Vec<Record>> = times.map(|time| states(time).collect()).collect();
        writers.push(tokio::spawn(async move {
            for records in batches {
                if service.send(IngestBatchRequest { records, ..Default::default() }).await.is_err() {
                    return false;
                }
            }
            true
        }));
    }
    let mut right = true;
    for writer in writers {
        right &= writer.await.unwrap();
    }
    let facts = service.facts(Vec::new(), 0).await;
    right && facts[0].states.len() == 40 && facts[0].states.iter().all(|state| i64::from(state.seats) == last)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_correction_counts_whoever_writes_beside() {
    for _ in 0..3 {
        assert!(correct("").await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_lock_on_subscriptions_corrections_are_lost() {
    for _ in 0..10 {
        if !correct("without:ingestion.subscription_lock").await {
            return;
        }
    }
    panic!("no writer was ever in another's way: this test shows nothing");
}

/// How many statements of others wait for a lock.
async fn waiting_for_locks(database: &Database) -> i64 {
    let sql = "SELECT count(*) AS number FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let row = database.reader().query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
    row.unwrap().try_get("", "number").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_of_subscriptions_wait_for_no_other_writer_of_their_customer() {
    let service = Arc::new(Service::start(Engine::Postgres).await);
    let known = vec![sku("K-1", &["Teams"]), customer("C-1", "DE"), subscription("S-1", "C-1", "K-1")];
    service.take(known.clone()).await;
    let database = Database::connect(service.place.database.url()).await.unwrap();
    let other = database.begin().await.unwrap();
    other.execute_unprepared("SELECT customer_no FROM ingestion_customer FOR SHARE").await.unwrap();
    let facts = vec![
        state("S-1", "2024-01-01", "Active", 5),
        revenue("S-1", "2024-01", "1.5"),
        reported_seats("S-1", "2024-01", 5),
        state("S-2", "2024-01-01", "Active", 7),
        subscription("S-1", "C-1", "K-2"),
    ];
    assert_eq!(service.take(facts).await.accepted, 5);
    // What changes the customer waits.
    let moved = vec![assignment("S-1", "u-1", "2024-01-01", ""), subscription("S-2", "C-1", "K-1")];
    let alone = tokio::spawn({
        let service = Arc::clone(&service);
        async move { service.take(moved).await.accepted }
    });
    insights_testkit::until("the writer waits", async || waiting_for_locks(&database).await > 0).await;
    assert!(!alone.is_finished());
    other.rollback().await.unwrap();
    assert_eq!(alone.await.unwrap(), 2);
    assert!(service.world().await.says("C-1", "state S-2"), "what waited for the subscription is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_a_subscription_for_new_and_is_overtaken_looks_again() {
    let service = Arc::new(Service::start(Engine::Postgres).await);
    service.take(vec![sku("K-1", &["Teams"]), customer("C-1", "DE")]).await;
    let database = Database::connect(service.place.database.url()).await.unwrap();
    let other = database.begin().await.unwrap();
    other.execute_unprepared("SELECT customer_no FROM ingestion_customer FOR UPDATE").await.unwrap();
    let new = vec![subscription("S-1", "C-1", "K-1"), state("S-1", "2024-01-05", "Active", 5)];
    let writer = tokio::spawn({
        let service = Arc::clone(&service);
        async move { service.take(new).await }
    });
    insights_testkit::until("the writer waits", async || waiting_for_locks(&database).await > 0).await;
    // As another writer would have stored it meanwhile, recorded later.
    let body = SubscriptionState { status: "Suspended".into(), seats: Some(9), ..Default::default() }.encode_to_vec();
    let body: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
    let sql = format!(
        "INSERT INTO ingestion_fact (partner_no, cell, customer_no, kind, key, recorded_at, received_at, day, user_no, body, waits_for) \
         SELECT partner_no, cell, customer_no, 6, int4send(subscription_no) || int4send({day}), {later}, 0, {day}, -1, \
         decode('{body}', 'hex'), '' FROM ingestion_subscription",
        day = day("2024-01-05"),
        later = i64::MAX,
    );
    other.execute_unprepared(&sql).await.unwrap();
    other.commit().await.unwrap();
    let answer = writer.await.unwrap();
    assert_eq!((answer.accepted, answer.superseded), (1, 1));
    assert!(service.world().await.says("C-1", "Suspended 9"));
}

/// Corrections of everything, subscriptions that change their customers among them, with times: any order gives one state.
fn corrections() -> Vec<Record> {
    let mut records: Vec<Record> = (0..3).map(|number| at(0, sku(&format!("K-{number}"), &["Teams"]))).collect();
    for customer_no in 0..8 {
        records.push(at(0, customer(&format!("C-{customer_no}"), "DE")));
    }
    for subscription_no in 0..10 {
        let id = format!("S-{subscription_no}");
        for time in 0..6 {
            let owner = format!("C-{}", (subscription_no * 3 + time * 5) % 8);
            records.push(at(time, subscription(&id, &owner, &format!("K-{}", time % 3))));
            records.push(at(time, state(&id, &format!("2024-0{}-01", time % 3 + 1), "Active", time)));
            records.push(at(
                time,
                assignment(&id, &format!("u-{}", time % 2), "2024-01-01", &format!("2024-03-0{}", time + 1)),
            ));
            records.push(at(time, reported_seats(&id, "2024-01", time)));
        }
    }
    records
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_of_moving_subscriptions_agree() {
    let expected = {
        let service = Service::start(Engine::Sqlite).await;
        service.take(corrections()).await;
        service.world().await
    };
    let place = Place::new(Engine::Postgres);
    let (packed, mut a_cell_each) = (place.config(), place.config());
    a_cell_each.limits.records_per_transaction = 1;
    let replicas =
        [Arc::new(Service::open(Arc::clone(&place), packed).await), Arc::new(Service::open(place, a_cell_each).await)];
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let service = Arc::clone(&replicas[writer % 2]);
        writers.push(tokio::spawn(async move {
            let mut records = corrections();
            records.shuffle(&mut StdRng::seed_from_u64(writer as u64));
            for chunk in records.chunks(9) {
                service.take(chunk.to_vec()).await;
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(replicas[0].waiting().await, []);
    assert_eq!(replicas[1].world().await, expected);
}

/// Calls are given up at any moment, as by a sender that dies; what was acknowledged is there, and repeating completes it.
async fn who_is_cut_off_begins_again(engine: Engine) {
    let expected = {
        let service = Service::start(engine).await;
        service.take(corrections()).await;
        service.send(some_days(0..40)).await.unwrap();
        service.world().await
    };
    let service = Service::start(engine).await;
    let mut random = StdRng::seed_from_u64(5);
    let mut records = corrections();
    records.shuffle(&mut random);
    for chunk in records.chunks(60) {
        let patience = Duration::from_micros(random.random_range(0..20_000));
        let _ = tokio::time::timeout(patience, service.take(chunk.to_vec())).await;
    }
    let mut acknowledged = 0;
    for user in 0..40 {
        let patience = Duration::from_micros(random.random_range(0..20_000));
        if tokio::time::timeout(patience, service.send(some_days(user..user + 1))).await.is_ok() {
            acknowledged += 3;
        }
    }
    let again = service.send(some_days(0..40)).await.unwrap();
    assert!(again.duplicates >= acknowledged, "what was acknowledged is there");
    service.take(records).await;
    assert_eq!(service.world().await, expected);
}

fn some_days(users: std::ops::Range<usize>) -> insights_proto::ingestion::v1::IngestBatchRequest {
    let users: Vec<(String, String)> = users.map(|user| (format!("C-{}", user % 8), format!("a-{user}"))).collect();
    let days = ["2024-01-01", "2024-02-01", "2024-02-02"];
    let facts =
        users.iter().flat_map(|(customer, user)| days.map(|day| (customer.as_str(), user.as_str(), "Teams", day)));
    activity_batch(&facts.collect::<Vec<_>>())
}

async fn what_a_crash_left_waiting_is_freed(engine: Engine) {
    let place = Place::new(engine);
    let service = Service::open(Arc::clone(&place), place.config()).await;
    service
        .take(vec![customer("C-1", ""), subscription("S-1", "C-1", "K-1"), state("S-1", "2024-01-01", "Active", 1)])
        .await;
    assert_eq!(service.waiting().await.len(), 1);
    drop(service);
    // As if the SKU's own transaction had been the last before the crash.
    insights_testkit::sql(&place.database, "UPDATE ingestion_sku SET known = true");
    let service = Service::open(Arc::clone(&place), place.config()).await;
    insights_testkit::until("nothing waits", async || service.waiting().await.is_empty()).await;
    assert!(service.world().await.says("C-1", "state S-1"));
}
