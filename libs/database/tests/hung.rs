//! Processes that hang or open a file at the same moment.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use insights_database::{Database, Options, sea_orm::ConnectionTrait};
use insights_testkit::{Network, Proxy, Server, TempDatabase, until};

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

/// An address with the hosts of several others, which differ in nothing else.
fn together(urls: &[&str]) -> String {
    let host = |url: &str| url.split_once('@').unwrap().1.split_once('/').unwrap().0.to_owned();
    let hosts: Vec<String> = urls.iter().map(|url| host(url)).collect();
    urls[0].replace(&host(urls[0]), &hosts.join(","))
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_is_used_when_one_is_away() {
    let place = TempDatabase::postgres();
    let (first, one) = Proxy::to_postgres(place.url()).await;
    let (second, two) = Proxy::to_postgres(place.url()).await;
    first.set(Network::Down);
    let database = Database::connect(&together(&[&one, &two])).await.unwrap();
    let one_works = async || ask_maybe(&database).await;
    assert!(one_works().await, "through the second");
    first.set(Network::Up);
    second.set(Network::Down);
    until("the first is used", one_works).await;
    second.set(Network::Up);
    first.set(Network::Down);
    until("the second is used again", one_works).await;
}

async fn ask_maybe(database: &Database) -> bool {
    database.ping().await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_not_taken_for_the_server_that_takes_writes() {
    let primary = Server::start(&["wal_level=replica", "max_wal_senders=4"]);
    let standby = Server::prepare(&[]);
    let (data, door) = (standby.data().display().to_string(), primary.door());
    let mut copy = vec!["-D", &data, "-R", "-X", "stream", "-c", "fast"];
    copy.extend(door.iter().map(String::as_str));
    let copied = standby.program("pg_basebackup", &copy);
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    standby.again();
    let hosts = |server: &Server| format!("127.0.0.1:{}", server.port());
    let url = format!("postgres://postgres@{},{}/postgres?sslmode=disable", hosts(&standby), hosts(&primary));
    let database = Database::connect(&url).await.unwrap();
    database.writer().execute_unprepared("CREATE TABLE t (n integer)").await.unwrap();
    assert_eq!(ask(database.reader(), "SELECT pg_is_in_recovery()::text").await, "false");
}

#[tokio::test]
async fn who_cannot_be_reached_is_named() {
    let options = Options { acquire_timeout: Duration::from_millis(300), ..Options::default() };
    let error = Database::connect_with("postgres://me@127.0.0.1:1,127.0.0.1:2/db", &options).await.unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, insights_database::Error::Unavailable(_)), "{error:?}");
    assert!(said.contains("127.0.0.1:1: ") && said.contains("127.0.0.1:2: ") && said.contains("refused"), "{said}");
}
