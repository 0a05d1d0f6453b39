//! Backups of PostgreSQL by its own programs, as the operator's guide describes them.

use std::{fs, sync::Arc};

use insights_testkit::{Server, found, until};
use insights_tests::running::{Kind, place::Setting, reader::witnesses};

use super::site::Site;

fn run(server: &Server, program: &str, arguments: &[&str]) {
    let door = server.door();
    let door: Vec<&str> = door.iter().map(String::as_str).collect();
    let output = server.program(program, &[&door[..], arguments].concat());
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Site {
    /// Stops everything and starts it on another database.
    fn moves_to(&mut self, url: &str) {
        for process in [&mut self.reporting, &mut self.metrics, &mut self.ingestion] {
            process.kill();
        }
        Arc::get_mut(&mut self.place).expect("nobody else has the place").move_to(url);
        self.start_ingestion(&Setting::default());
        self.start_metrics();
        let to_metrics = Setting { metrics: Some(self.metrics.address()), ..Setting::default() };
        self.reporting = self.place.start(Kind::Reporting, self.reporting.address(), &to_metrics);
    }

    async fn counts(&self) -> i64 {
        let version = self.place.number("ingestion", "SELECT version FROM ingestion_partner").await;
        let answer = found("the figures", async || self.reader.call(0, version).await.ok()).await;
        witnesses(&answer)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_taken_while_serving_holds_all_that_was_acknowledged() {
    let server = Server::start(&[]);
    let mut site = Site::start(&server.database("site"), 200).await;
    let traffic = site.traffic();
    site.progress(15).await;
    let file = server.folder().join("site.dump").display().to_string();
    let before = site.ledger.lock().acknowledged.len();
    run(&server, "pg_dump", &["-Fc", "-f", &file, "site"]);
    let after = site.ledger.lock().sent.len();
    site.progress(10).await;
    traffic.stop().await;

    let url = server.database("again");
    run(&server, "pg_restore", &["-d", "again", &file]);
    site.moves_to(&url);
    let found = usize::try_from(site.counts().await).unwrap();
    assert!((before..=after).contains(&found), "{found} of {before} to {after}");
    // Senders send everything again.
    let all: Vec<u64> = site.ledger.lock().acknowledged.iter().copied().collect();
    site.ledger.lock().version = 0;
    for number in all {
        site.send_all(number..=number).await;
    }
    // What the audit of the old database knew of later readers is not in the dump.
    site.ledger.lock().answers.clear();
    let traffic = site.traffic();
    site.progress(5).await;
    site.check("a dump restored", traffic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_in_time_comes_back() {
    let archive_settings = |server: &Server| {
        let archive = server.beside("archive").display().to_string();
        format!("archive_command=cp %p {archive}/%f")
    };
    let mut server = Server::prepare(&["archive_mode=on"]);
    let command = archive_settings(&server);
    server.add(&command);
    server.make(&[]);
    server.again();
    let mut site = Site::start(&server.database("site"), 1_000).await;
    site.send_all(1..=8).await;
    // The base backup, while records come in.
    let base = server.beside("base").display().to_string();
    let traffic = site.traffic();
    site.progress(3).await;
    run(&server, "pg_basebackup", &["-D", &base, "-X", "none", "-c", "fast", "--no-sync"]);
    site.progress(10).await;
    traffic.stop().await;
    // The point, and what is to be undone.
    let kept = site.ledger.lock().clone();
    site.counts().await;
    server.sql("postgres", "SELECT pg_create_restore_point('before the mishap')");
    site.send_all(500..=520).await;
    assert_eq!(usize::try_from(site.counts().await).unwrap(), kept.acknowledged.len() + 21);
    server.sql("postgres", "SELECT pg_switch_wal()");
    archived(&server).await;
    server.stop();

    let archive = server.beside("archive").display().to_string();
    let restored = Server::prepare(&[
        &format!("restore_command=cp {archive}/%f %p"),
        "recovery_target_name=before the mishap",
        "recovery_target_action=promote",
    ]);
    let copied = restored.program("cp", &["-a", &base, &restored.data().display().to_string()]);
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    assert!(restored.program("chmod", &["0700", &restored.data().display().to_string()]).status.success());
    fs::write(restored.data().join("recovery.signal"), "").unwrap();
    restored.again();
    until_promoted(&restored).await;
    site.moves_to(&restored.url("site"));
    *site.ledger.lock() = insights_tests::running::ledger::Inner { answers: Default::default(), version: 0, ..kept };
    assert_eq!(usize::try_from(site.counts().await).unwrap(), site.ledger.lock().acknowledged.len());
    let traffic = site.traffic();
    site.progress(10).await;
    site.check("a point in time", traffic).await;
}

/// Waits until the archive has all that was written so far.
async fn archived(server: &Server) {
    let behind = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'";
    until("the archive has everything", async || server.sql("postgres", behind) == "0").await;
}

async fn until_promoted(server: &Server) {
    until("the recovery ends", async || server.sql("postgres", "SELECT pg_is_in_recovery()") == "f").await;
}
