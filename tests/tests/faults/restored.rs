//! Facts that are not what they were: brought back from an older backup, or with a feed that does not reach back far enough.

use std::{sync::Arc, time::Duration};

use insights_ingestion::Ingestion;
use insights_service::Clock;
use insights_testkit::{Server, until};
use insights_tests::running::{Kind, figures::verify, place::Setting, reader::witnesses};
use rand::{SeedableRng, rngs::StdRng};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::site::Site;

impl Site {
    /// Sends batches, each until it is acknowledged.
    pub async fn send_all(&self, numbers: std::ops::RangeInclusive<u64>) {
        for number in numbers {
            self.writers[0].send(number, &format!("one-by-one-{number}"), &mut StdRng::seed_from_u64(number)).await;
        }
    }

    /// Waits until the figures show so many witnesses.
    pub async fn shows(&self, expected: i64) {
        until(&format!("{expected} witnesses"), async || {
            self.reader.call(0, 0).await.is_ok_and(|answer| witnesses(&answer) == expected)
        })
        .await;
    }

    /// From here on only these batches are promised.
    pub fn only(&self, numbers: std::ops::RangeInclusive<u64>) {
        let mut ledger = self.ledger.lock();
        ledger.sent = numbers.clone().collect();
        ledger.acknowledged = numbers.collect();
        ledger.version = 0;
    }

    pub fn start_ingestion(&mut self, setting: &Setting) {
        self.ingestion = self.place.start(Kind::Ingestion, self.ingestion.address(), setting);
    }

    pub fn start_metrics(&mut self) {
        let to = Setting { ingestion: Some(self.ingestion.address()), ..Setting::default() };
        self.metrics = self.place.start(Kind::Metrics, self.metrics.address(), &to);
    }
}

/// Copies the tables of the facts.
fn dump(server: &Server) -> String {
    let file = server.folder().join("facts.dump").display().to_string();
    let door = server.door();
    let door: Vec<&str> = door.iter().map(String::as_str).collect();
    let output = server.program("pg_dump", &[&door[..], &["-Fc", "-t", "ingestion_*", "-f", &file, "site"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    file
}

/// Brings the tables of the facts back to what they were.
fn bring_back(server: &Server, file: &str) {
    let door = server.door();
    let door: Vec<&str> = door.iter().map(String::as_str).collect();
    let output =
        server.program("pg_restore", &[&door[..], &["--clean", "--if-exists", "-d", "site", "-1", file]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Facts go back while the figures stay where they were.
async fn back(fail_points: &str) -> (Server, Site) {
    let server = Server::start(&[]);
    let mut site = Site::start(&server.database("site"), 1_000).await;
    site.send_all(1..=12).await;
    let file = dump(&server);
    site.send_all(13..=24).await;
    site.shows(25).await;
    site.ingestion.kill();
    site.metrics.kill();
    bring_back(&server, &file);
    site.only(0..=12);
    site.start_ingestion(&Setting { fail_points: fail_points.into(), ..Setting::default() });
    (server, site)
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_of_an_older_backup_are_noticed() {
    let (_server, mut site) = back("").await;
    site.start_metrics();
    site.shows(13).await;
    let beyond = site.reader.call(0, 1_000_000).await.unwrap_err();
    assert_eq!(beyond.code(), Code::OutOfRange, "{beyond:?}");
    let traffic = site.traffic();
    site.progress(10).await;
    site.check("facts of an older backup", traffic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_went_on_from_an_older_backup_are_noticed() {
    // The followers come back when the versions have passed their own by far.
    let (_server, mut site) = back("").await;
    site.send_all(101..=130).await;
    site.start_metrics();
    site.shows(43).await;
    let traffic = site.traffic();
    site.progress(10).await;
    site.check("facts that went on from an older backup", traffic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_stamp_they_would_not_be() {
    let (_server, mut site) = back("without:ingestion.stamp").await;
    site.send_all(101..=130).await;
    site.start_metrics();
    let last = site.ledger.lock().version;
    site.reader.call(0, last).await.unwrap();
    let (_, differences) = verify(&site.place, site.reporting.address());
    assert!(differences > 0, "figures of facts that are not there any more, and others that are missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_behind_the_floor_of_the_feed_rebuilds() {
    let server = Server::start(&[]);
    let url = server.database("site");
    let mut site = Site::start(&url, 1_000).await;
    site.send_all(1..=5).await;
    site.shows(6).await;
    site.metrics.kill();
    site.send_all(6..=20).await;
    // Another replica of ingestion, which remembers nothing.
    let mut config = insights_ingestion::Config::new(url, site.place.beside("data").join("user.key"));
    config.feed_kept = Duration::ZERO;
    config.maintenance = Duration::from_millis(20);
    let forgetful = Arc::new(Ingestion::open(config, Clock::system()).await.unwrap());
    let stop = CancellationToken::new();
    let forgetting = tokio::spawn({
        let (forgetful, stop) = (Arc::clone(&forgetful), stop.clone());
        async move { forgetful.run(stop).await.unwrap() }
    });
    until("changes are forgotten", async || {
        let floor = site.place.number("ingestion", "SELECT floor FROM ingestion_partner").await;
        floor > site.place.number("metrics", "SELECT version FROM rollup_partner").await
    })
    .await;
    stop.cancel();
    forgetting.await.unwrap();
    site.start_metrics();
    site.shows(21).await;
    let traffic = site.traffic();
    site.progress(10).await;
    site.check("a follower behind the floor", traffic).await;
    let revisions = site_revisions(&server);
    assert!(revisions > 1, "everything was rolled up anew");
}

/// The revision at which everything was rebuilt for the last time.
fn site_revisions(server: &Server) -> i64 {
    server.sql("site", "SELECT rebuilt_revision FROM rollup_partner").parse().unwrap()
}
