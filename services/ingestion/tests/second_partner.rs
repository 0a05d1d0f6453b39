//! The load of a partner costs what it brings, whatever PostgreSQL's statistics know of the partner.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;

use insights_access::Role;
use insights_database::{
    Database,
    sea_orm::{ConnectionTrait, DbBackend, Statement},
};
use insights_proto::ingestion::v1::{IngestBatchRequest, Record};
use support::{Engine, Place, Service, make::*};

const BATCH: usize = 500;

/// What a source sends of so many subscriptions, three to a customer.
fn facts(subscriptions: usize) -> Vec<Record> {
    let mut records = vec![sku("K-1", &["Teams"])];
    for number in 0..subscriptions {
        let (id, owner) = (format!("S-{number}"), format!("C-{}", number / 3));
        records.extend((number % 3 == 0).then(|| customer(&owner, "DE")));
        records.push(subscription(&id, &owner, "K-1"));
        records.push(state(&id, "2024-01-01", "Active", 5));
        records.push(assignment(&id, &format!("u-{number}"), "2024-01-01", "2024-03-01"));
        records.push(reported_seats(&id, "2024-01", 5));
    }
    records
}

/// Sends them for a partner.
async fn load(service: &Service, partner: &str, subscriptions: usize) {
    let records = facts(subscriptions);
    let count = records.len();
    let mut accepted = 0;
    for chunk in records.chunks(BATCH) {
        let batch = IngestBatchRequest { records: chunk.to_vec(), ..Default::default() };
        let request = service.request(partner, Role::DataSource, batch);
        accepted += service.ingestion().ingest_batch(request).await.unwrap().into_inner().accepted;
    }
    assert_eq!(accepted, i64::try_from(count).unwrap());
}

/// Rows and entries of indexes that all statements so far have read.
async fn read(database: &Database) -> i64 {
    // What a connection has counted is known when it ends.
    let ended = "SELECT count(pg_terminate_backend(pid, 5000)) AS number FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let read = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int8 + (SELECT sum(idx_tup_read)::int8 \
                FROM pg_stat_user_indexes WHERE relname LIKE 'ingestion%') AS number \
                FROM pg_stat_user_tables WHERE relname LIKE 'ingestion%'";
    let mut number = 0;
    for sql in [ended, read] {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = database.reader().query_one_raw(statement).await.unwrap().unwrap();
        number = row.try_get("", "number").unwrap();
    }
    number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn later_partners_load_in_the_time_of_the_first() {
    let place = Place::new(Engine::Postgres);
    let service = Service::open(Arc::clone(&place), place.config()).await;
    let database = Database::connect(place.database.url()).await.unwrap();
    let off = "DO $$ DECLARE name text; BEGIN FOR name IN SELECT tablename FROM pg_tables WHERE tablename LIKE 'ingestion%' \
               LOOP EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off)', name); END LOOP; END $$";
    database.writer().execute_unprepared(off).await.unwrap();
    let mut counts = vec![read(&database).await];
    for (partner, subscriptions) in [("first", 600), ("second", 600), ("third", 1_200)] {
        load(&service, partner, subscriptions).await;
        counts.push(read(&database).await);
        database.writer().execute_unprepared("ANALYZE").await.unwrap();
    }
    let read: Vec<i64> = counts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let [first, second, third] = read[..] else { panic!("{read:?}") };
    assert!(second <= first * 11 / 10, "a second partner of the same size: {read:?}");
    assert!(third <= second * 22 / 10, "a third of twice the size: {read:?}");
}
