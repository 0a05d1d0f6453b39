//! Processes that hang or open a file at the same moment.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use insights_database::{Database, Options, sea_orm::ConnectionTrait};
use insights_testkit::{Server, TempDatabase};

/// One number.
async fn ask(connection: &impl ConnectionTrait, sql: &str) -> String {
    let ask = insights_database::bulk::statement(connection, sql, vec![]);
    connection.query_one_raw(ask).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn who_hangs_lets_go_of_its_rows() {
    let place = TempDatabase::postgres();
    let options = Options { idle_transaction: Duration::from_millis(500), ..Options::default() };
    let hung = Database::connect_with(place.url(), &options).await.unwrap();
    hung.writer().execute_unprepared("CREATE TABLE t (n integer)").await.unwrap();
    hung.writer().execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
    let held = hung.begin().await.unwrap();
    held.execute_unprepared("UPDATE t SET n = 2").await.unwrap();
    let other = Database::connect(place.url()).await.unwrap();
    let update = other.writer().execute_unprepared("UPDATE t SET n = n + 10");
    tokio::time::timeout(Duration::from_secs(60), update).await.expect("the row is let go").unwrap();
    assert_eq!(ask(other.reader(), "SELECT n::text FROM t").await, "11");
    let late = insights_database::Error::from(held.execute_unprepared("UPDATE t SET n = 3").await.unwrap_err());
    assert!(matches!(late, insights_database::Error::Unavailable(_)), "{late:?}");
}

#[tokio::test]
async fn a_host_that_vanishes_is_noticed() {
    let server = Server::start(&[]);
    let database = Database::connect(&server.url("postgres")).await.unwrap();
    for (setting, expected) in [
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "4"),
        ("tcp_user_timeout", "30000"),
        ("idle_in_transaction_session_timeout", "5min"),
    ] {
        assert_eq!(ask(database.reader(), &format!("SHOW {setting}")).await, expected, "{setting}");
    }
    database.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_may_be_made_by_several_at_once() {
    for _ in 0..20 {
        let place = TempDatabase::sqlite();
        let all: Vec<_> = (0..8)
            .map(|_| {
                let url = place.url().to_owned();
                tokio::spawn(async move { Database::connect(&url).await.unwrap().close().await.unwrap() })
            })
            .collect();
        for one in all {
            one.await.unwrap();
        }
    }
}
