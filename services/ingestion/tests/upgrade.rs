//! Databases of earlier versions.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{fmt::Write as _, sync::Arc};

use insights_proto::ingestion::v1::{IngestBatchRequest, Precedence, Record};
use support::{Engine, Place, Service, make::*};

on_both!(
    chunks_of_one_service_become_chunks_of_all,
    records_dated_back_become_provisional_ones,
    indexes_and_rows_of_the_feed_give_what_they_gave,
);

const USERS: usize = 300;

/// A statement that writes a chunk as the first version did: one service of up to 256 users.
fn chunk(engine: Engine, service: &str, bucket: i32, body: &[u8]) -> String {
    let hex = body.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let body = match engine {
        Engine::Sqlite => format!("x'{hex}'"),
        Engine::Postgres => format!("decode('{hex}', 'hex')"),
    };
    format!(
        "INSERT INTO ingestion_activity SELECT c.partner_no, c.cell, c.customer_no, s.service_no, {}, {bucket}, {body} \
         FROM ingestion_customer c, ingestion_service s WHERE c.customer_id = 'C-1' AND s.name = '{service}'",
        2024 * 12 + 4
    )
}

async fn chunks_of_one_service_become_chunks_of_all(engine: Engine) {
    let place = Place::new(engine);
    let service = Service::open(Arc::clone(&place), place.config()).await;
    let users: Vec<String> = (0..USERS).map(|number| format!("u-{number:03}")).collect();
    let mut facts: Vec<_> = users.iter().map(|user| ("C-1", user.as_str(), "Exchange", "2024-05-03")).collect();
    facts.extend([("C-1", "u-003", "Teams", "2024-05-01"), ("C-1", "u-290", "Teams", "2024-05-31")]);
    service.take(vec![customer("C-1", "")]).await;
    service.send(activity_batch(&facts)).await.unwrap();
    let expected = service.facts(Vec::new(), 0).await;
    assert_eq!(expected[0].activity.iter().map(|activity| activity.user.len()).sum::<usize>(), USERS + 2);
    drop(service);

    let dense = |count: usize| [vec![1, 0], [4_u8, 0, 0, 0].repeat(count)].concat();
    insights_testkit::sql(&place.database, "DROP TABLE ingestion_activity");
    for statement in [
        "CREATE TABLE ingestion_activity (partner_no integer NOT NULL, cell integer NOT NULL, customer_no bigint NOT NULL, \
         service_no integer NOT NULL, month integer NOT NULL, bucket integer NOT NULL, body BYTES NOT NULL, \
         PRIMARY KEY (partner_no, cell, customer_no, service_no, month, bucket))",
        &chunk(engine, "Exchange", 0, &dense(256)),
        &chunk(engine, "Exchange", 1, &dense(USERS - 256)),
        &chunk(engine, "Teams", 0, &[1, 1, 3, 1, 0, 0, 0]),
        &chunk(engine, "Teams", 1, &[1, 1, 34, 0, 0, 0, 0x40]),
        "DELETE FROM ingestion_migration WHERE version = 'm0002_chunks_of_all_services'",
    ] {
        let bytes = if engine == Engine::Sqlite { "blob" } else { "bytea" };
        insights_testkit::sql(&place.database, &statement.replace("BYTES", bytes));
    }

    let service = Service::open(Arc::clone(&place), place.config()).await;
    assert_eq!(service.facts(Vec::new(), 0).await, expected);
    let again = service.send(activity_batch(&facts)).await.unwrap();
    assert_eq!((again.accepted, again.duplicates), (0, USERS as i64 + 2));
}

/// Seconds from 2024 back to the first days of the years to which importers dated their provisional records back.
const DATED_BACK: [(&str, i64, Precedence); 5] = [
    ("C-1950", -2_335_219_200, Precedence::Named),
    ("C-1955", -2_177_452_800, Precedence::Listed),
    ("C-1960", -2_019_686_400, Precedence::FirstSight),
    ("C-1970", -1_704_067_200, Precedence::Described),
    ("C-1980", -1_388_534_400, Precedence::Known),
];

async fn records_dated_back_become_provisional_ones(engine: Engine) {
    let place = Place::new(engine);
    let service = Service::open(Arc::clone(&place), place.config()).await;
    service.take(DATED_BACK.iter().map(|(id, seconds, _)| at(*seconds, customer(id, "AT"))).collect()).await;
    service.take(vec![at(0, customer("C-2024", "AT"))]).await;
    drop(service);
    for statement in [
        "ALTER TABLE ingestion_fact DROP COLUMN precedence",
        "DELETE FROM ingestion_migration WHERE version = 'm0004_record_precedence'",
    ] {
        insights_testkit::sql(&place.database, statement);
    }

    let service = Service::open(place.clone(), place.config()).await;
    let rising = DATED_BACK.map(|(_, _, precedence)| precedence).into_iter().chain([Precedence::Unspecified]);
    let rising: Vec<Precedence> = rising.collect();
    let ids = DATED_BACK.map(|(id, ..)| id).into_iter().chain(["C-2024"]);
    for (rank, id) in ids.enumerate() {
        let knowing = |rank: usize, country| {
            let precedence = rising[rank].into();
            Record { precedence, ..at(60, customer(id, country)) }
        };
        let below = rank.checked_sub(1).map(|below| knowing(below, "BE"));
        service.take(below.into_iter().collect()).await;
        assert!(service.world().await.says(id, "country: Some(\"AT\")"), "{id} gave way to a lesser record");
        if rank + 1 < rising.len() {
            service.take(vec![knowing(rank + 1, "CH")]).await;
            assert!(service.world().await.says(id, "country: Some(\"CH\")"), "{id} held against a greater record");
        }
    }
}

/// Records of every kind, some of which wait.
fn records() -> Vec<Record> {
    let mut records = vec![partner("Contoso", "UTC"), location("L-1", "Vienna"), sku("K-1", &["Teams", "Exchange"])];
    for number in 0..40 {
        let (id, owner) = (format!("S-{number}"), format!("C-{}", number / 2));
        records.extend((number % 2 == 0).then(|| customer(&owner, "AT")));
        records.push(subscription(&id, &owner, if number % 10 == 9 { "K-9" } else { "K-1" }));
        records.push(state(&id, "2024-01-05", "Active", number));
        records.push(assignment(&id, &format!("u-{number}"), "2024-01-01", "2024-03-01"));
        records.push(revenue(&id, "2024-01", "12.5"));
        records.push(reported_seats(&id, "2024-01", number));
    }
    records.push(state("S-404", "2024-01-05", "Active", 4));
    records.push(licensed("C-404", "u-1", "Teams", "2024-01-01"));
    records.push(complete_through("2024-05-31"));
    records
}

async fn indexes_and_rows_of_the_feed_give_what_they_gave(engine: Engine) {
    let place = Place::new(engine);
    let service = Service::open(Arc::clone(&place), place.config()).await;
    service.take(records()).await;
    service.send(activity_batch(&[("C-1", "u-3", "Teams", "2024-02-01")])).await.unwrap();
    let wrong = IngestBatchRequest { records: vec![state("", "2024-01-05", "Active", 1)], ..Default::default() };
    assert_eq!(service.send(wrong.clone()).await.unwrap().rejected, 1);
    let last = service.take((0..20).map(|number| customer(&format!("C-{number}"), "CH")).collect()).await.version;
    let (world, waiting) = (service.world().await, service.waiting().await);
    assert!(waiting.len() >= 3, "{waiting:?}");
    let changes = service.changes_since(last - 1).await;
    drop(service);
    for statement in insights_testkit::older::INGESTION {
        insights_testkit::sql(&place.database, statement);
    }

    let service = Service::open(Arc::clone(&place), place.config()).await;
    assert_eq!((service.world().await, service.waiting().await), (world, waiting));
    let told = service.changes_since(last - 1).await;
    assert_eq!((told.rebuild, told.customers), (false, changes.customers));
    place.set_now("2024-06-21T12:00:00Z");
    let count = i64::try_from(records().len()).unwrap();
    let again = service.take(records()).await;
    // The customers were corrected since.
    assert_eq!((again.accepted, again.duplicates), (20, count - 20));
    assert_eq!(service.send(wrong).await.unwrap().rejected, 1, "the same is kept once");
    // What waits is found by the new index.
    service.take(vec![sku("K-9", &["Teams"]), customer("C-404", "AT"), subscription("S-404", "C-404", "K-9")]).await;
    assert_eq!(service.waiting().await, []);
}
