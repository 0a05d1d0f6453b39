//! PostgreSQL restarted, away, without a connection to give, and without room.

use std::time::{Duration, Instant};

use insights_testkit::{Server, SmallDisk, free_address};
use insights_tests::running::{
    Kind, Place,
    check::check,
    ledger::Ledger,
    place::{Setting, channel},
    reader::Reader,
    writer::Writer,
};
use rand::{SeedableRng, rngs::StdRng};
use sqlx::{Connection, PgConnection};

use super::site::{Site, come_back};

/// Answers come within this time: the wait for a connection, and what a busy machine adds.
const PROMPT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn restarted() {
    let server = Server::start(&[]);
    let site = Site::start(&server.database("site"), 120).await;
    let traffic = site.traffic();
    let mut slowest = Duration::ZERO;
    for _ in 0..4 {
        site.progress(10).await;
        server.stop();
        server.again();
        let started = Instant::now();
        site.progress(1).await;
        slowest = slowest.max(started.elapsed());
    }
    site.progress(10).await;
    site.check("PostgreSQL crashed 4 times", traffic).await;
    println!("    acknowledged again at most {slowest:?} after the start");
}

#[tokio::test(flavor = "multi_thread")]
async fn away() {
    let server = Server::start(&[]);
    let site = Site::start(&server.database("site"), 80).await;
    let traffic = site.traffic();
    site.progress(10).await;
    server.stop();
    site.refused().await;
    let told = site.both_are_told_to_come_back(1_001).await;
    assert!(told < PROMPT, "{told:?}");
    server.again();
    site.progress(20).await;
    site.check("PostgreSQL away", traffic).await;
    println!("    callers were told after {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_connections() {
    let server = Server::start(&["max_connections=25"]);
    let url = server.database("site");
    let site = Site::start(&url, 80).await;
    let traffic = site.traffic();
    site.progress(10).await;
    // Another client takes every connection of the database, those of the services included.
    let mut taken = vec![PgConnection::connect(&url).await.unwrap()];
    while taken.len() < 25 {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'insights'";
        sqlx::query(sql).execute(&mut taken[0]).await.unwrap();
        while let Ok(connection) = PgConnection::connect(&url).await {
            taken.push(connection);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    site.refused().await;
    let told = site.both_are_told_to_come_back(1_001).await;
    assert!(told < PROMPT, "{told:?}");
    for connection in taken {
        connection.close().await.unwrap();
    }
    site.progress(20).await;
    site.check("PostgreSQL out of connections", traffic).await;
    println!("    callers were told after {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn full() {
    let server = Server::prepare(&["max_wal_size=64MB"]);
    let Some(disk) = SmallDisk::mount(&server.beside("data"), 100) else {
        println!("skipped: only root may mount the small disk that this test fills");
        return;
    };
    disk.own();
    // The log has a disk of its own, as the operator's guide asks for: without it PostgreSQL stops altogether.
    server.make(&["--waldir", &server.beside("log-of-writes").display().to_string()]);
    server.again();
    let site = Site::start(&server.database("site"), 400).await;
    let traffic = site.traffic();
    site.progress(10).await;
    let ballast = disk.fill();
    site.refused().await;
    std::fs::remove_file(ballast).unwrap();
    site.progress(20).await;
    site.check("PostgreSQL's disk full", traffic).await;
    server.stop();
    drop(disk);
}

#[tokio::test(flavor = "multi_thread")]
async fn full_under_sqlite() {
    let place = Place::sqlite();
    let Some(disk) = SmallDisk::mount(&place.beside("data"), 40) else {
        println!("skipped: only root may mount the small disk that this test fills");
        return;
    };
    let place = place.again();
    let everything = place.start(Kind::Everything, free_address(), &Setting::default());
    let ledger = std::sync::Arc::new(Ledger::default());
    let replicas = [channel(everything.address())];
    let writer = Writer::several(&place, 1, &replicas, &ledger, 400).remove(0);
    let reader = Reader::new(&place, "reader", &replicas, &ledger);
    let mut random = StdRng::seed_from_u64(0);
    for number in 0..10 {
        writer.send(number, &format!("early-{number}"), &mut random).await;
    }
    let ballast = disk.fill();
    let refused = loop {
        let number = ledger.lock().sent.len() as u64;
        assert!(number < 300, "there is always room");
        let batch = insights_tests::running::facts::Batch::make(number);
        match writer.call(0, batch.request(&format!("late-{number}"))).await {
            Ok(_) => writer.send(number, &format!("late-{number}"), &mut random).await,
            Err(status) => break status,
        };
    };
    come_back(&refused);
    std::fs::remove_file(ballast).unwrap();
    for number in 10..40 {
        writer.send(number, &format!("late-{number}"), &mut random).await;
    }
    let checked = check(&place, &[everything.address()], &writer, &reader, 7, 2).await;
    println!("SQLite's disk full: {} batches; lost {}", checked.state.sent.len(), checked.lost);
    assert_eq!(checked.wrong, Vec::<String>::new());
    drop(everything);
    drop(disk);
}
