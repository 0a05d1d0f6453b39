//! Races, crashes, restored backups, damage.

use std::time::Duration;

use insights_proto::metrics::v1::Measure;
use insights_service::{ChannelConfig, Clock, ServiceChannel, fail_point};
use insights_testkit::{TempDatabase, until};
use tokio_util::sync::CancellationToken;

use crate::world::{World, catalogue, customer, month, noon, on_both_engines, query, use_seat};

fn today() -> Clock {
    Clock::fixed(noon("2026-06-20"))
}

/// Several customers come, one version each.
fn customers_come(world: &World, numbers: std::ops::RangeInclusive<i64>) -> i64 {
    let mut version = 0;
    for number in numbers {
        version = world.feed.change("contoso", &[(number, month("2026-04"))], |book| {
            catalogue(book, "2026-06-10");
            book.customers.insert(number, customer(number, "BR", "2026-04-03"));
            use_seat(book.customers.get_mut(&number).unwrap(), "2026-06-01");
        });
    }
    version
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_followers_may_race() {
    on_both_engines(|database| async {
        let world = World::new(database);
        let mut replicas = Vec::new();
        for _ in 0..3 {
            replicas.push(world.replica(today()).await);
        }
        let version = customers_come(&world, 1..=20);
        for replica in &replicas {
            let rows =
                replica.rows(query(&[Measure::Customers, Measure::Active], &[], "2026-05", "2026-06"), version).await;
            assert_eq!(rows, ["2026-05: 20 0", "2026-06: 20 20"]);
            assert_eq!(replica.verify().await.differences, 0);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_step_repeats_and_never_doubles() {
    on_both_engines(|database| async {
        let world = World::new(database);
        // Attempts crash at each of the steps, one after the other.
        let orders = "fail:metrics.position_taken:2,fail:metrics.rollups_written:3,fail:metrics.committed:2";
        let armed = fail_point::arm(world.database.url(), orders);
        let replica = world.replica_with(today(), true).await;
        let asked = query(&[Measure::Customers], &[], "2026-06", "2026-06");
        for number in 1..=5 {
            let version = customers_come(&world, number..=number);
            assert_eq!(replica.rows(asked.clone(), version).await, [format!("2026-06: {number}")]);
        }
        let version = customers_come(&world, 6..=6);
        let rows = replica
            .rows(query(&[Measure::Customers, Measure::Available, Measure::Active], &[], "2026-05", "2026-06"), version)
            .await;
        assert_eq!(rows, ["2026-05: 6 60 0", "2026-06: 6 60 6"]);
        let passed = armed.passed();
        assert!(passed[0] > 3 && passed[1] >= 3 && passed[2] >= 2, "each step was crashed at: {passed:?}");
        assert_eq!(replica.verify().await.differences, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_epoch_rebuilds() {
    on_both_engines(|database| async {
        let world = World::new(database);
        let asked = query(&[Measure::Customers], &[], "2026-06", "2026-06");
        let other = world.replica_with(today(), false).await;
        {
            let replica = world.replica(today()).await;
            let version = customers_come(&world, 1..=4);
            assert_eq!(replica.rows(asked.clone(), version).await, ["2026-06: 4"]);
            assert_eq!(other.rows(asked.clone(), version).await, ["2026-06: 4"]);
        }
        // The backup knows other customers, under numbers that meant something else.
        world.feed.restore("contoso", |book| {
            book.customers.clear();
            book.customers.insert(2, customer(7, "DE", "2026-05-03"));
            book.customers.get_mut(&2).unwrap().customer = 2;
        });
        let replica = world.replica(today()).await;
        for replica in [&replica, &other] {
            until("what the backup knows", async || replica.rows(asked.clone(), 0).await == ["2026-06: 1"]).await;
        }
        assert_eq!(replica.verify().await.differences, 0);
        assert_eq!(other.verify().await.differences, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_what_was_tampered_with() {
    on_both_engines(|database| async {
        let world = World::new(database);
        let replica = world.replica(today()).await;
        let version = customers_come(&world, 1..=3);
        replica.rows(query(&[Measure::Customers], &[], "2026-06", "2026-06"), version).await;
        assert_eq!(replica.verify().await.differences, 0);
        tamper(&world.database).await;
        let verified = replica.verify().await;
        assert_eq!(verified.differences, 1, "{:?}", verified.samples);
        assert!(
            verified.samples[0].contains("C-2") && verified.samples[0].contains("2026-05"),
            "{:?}",
            verified.samples
        );
        // A replica that loads it shows it, and that is found too.
        let other = world.replica(today()).await;
        assert_eq!(other.verify().await.differences, 2);
    })
    .await;
}

/// What an older version wrote otherwise is not taken for what this one would have written.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_rolls_everything_up_anew() {
    on_both_engines(|database| async {
        let world = World::new(database);
        let asked = query(&[Measure::Customers, Measure::Active], &[], "2026-05", "2026-05");
        {
            let replica = world.replica(today()).await;
            let version = customers_come(&world, 1..=3);
            assert_eq!(replica.rows(asked.clone(), version).await, ["2026-05: 3 0"]);
        }
        tamper(&world.database).await;
        {
            let replica = world.replica(today()).await;
            assert_eq!(replica.rows(asked.clone(), 0).await, ["2026-05: 3 1"], "a start alone changes nothing");
        }
        let undone = "DELETE FROM metrics_migration WHERE version = 'm0003_support_cases'";
        insights_testkit::sql(&world.database, undone);
        let replica = world.replica(today()).await;
        // Until all is rolled up anew, answers go on with what was there.
        let (before, after) = ("2026-05: 3 1", "2026-05: 3 0");
        until("everything is rolled up anew", async || {
            let rows = replica.rows(asked.clone(), 0).await;
            assert!(rows == [before] || rows == [after], "{rows:?}");
            rows == [after]
        })
        .await;
        assert_eq!(replica.verify().await.differences, 0);
    })
    .await;
}

/// Gives customer 2 the June figures in May.
async fn tamper(database: &TempDatabase) {
    use insights_database::sea_orm::ConnectionTrait;
    let database = insights_database::Database::connect(database.url()).await.unwrap();
    let (may, june) = (month("2026-05"), month("2026-06"));
    let sql = format!(
        "UPDATE rollup_month SET body = (SELECT body FROM rollup_month WHERE customer_no = 2 AND month = {june}) \
         WHERE customer_no = 2 AND month = {may}"
    );
    database.writer().execute_unprepared(&sql).await.unwrap();
    database.close().await.unwrap();
}

/// A host that hangs takes connections and says nothing; whoever is told to stop meanwhile stops.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_silent_feed_ends_when_told() {
    let world = World::new(TempDatabase::sqlite());
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let link =
        ServiceChannel::open(&format!("http://{}", silent.local_addr().unwrap()), &ChannelConfig::default()).unwrap();
    let (metrics, stop) = (world.metrics_of(link).await, CancellationToken::new());
    let told = stop.clone();
    let running = tokio::spawn(async move { metrics.run(told).await });
    // It has called, and nobody answers.
    let (_connection, _) = tokio::task::spawn_blocking(move || silent.accept()).await.unwrap().unwrap();
    stop.cancel();
    // Silence is noticed after fifteen seconds, and tried again.
    tokio::time::timeout(Duration::from_secs(10), running).await.expect("it ends at once").unwrap();
}
