//! What a platform such as Kubernetes sees: whether a process starts, lives and is ready, each by itself.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use insights_testkit::{Cluster, Network, Plan, Process, Proxy, Shape, TempDatabase, free_address, until};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::caller::{Caller, PATIENCE};

const ONE: Shape = Shape { ingestion: 1, metrics: 1, reporting: 1 };
const HOUR: Duration = Duration::from_secs(3600);

/// What the health of a process says under a name.
async fn health(process: &Process, name: &str) -> Result<ServingStatus, Code> {
    let channel = process.endpoint().connect().await.map_err(|_| Code::Unavailable)?;
    let request = HealthCheckRequest { service: name.to_owned() };
    HealthClient::new(channel).check(request).await.map(|said| said.into_inner().status()).map_err(|said| said.code())
}

async fn is(process: &Process, name: &str, status: ServingStatus) -> bool {
    health(process, name).await == Ok(status)
}

/// The status and the body of a plain GET.
pub fn get(address: &str, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_its_database_lives_and_is_not_ready() {
    let database = TempDatabase::postgres();
    let (proxy, url) = Proxy::to_postgres(database.url()).await;
    let plan = Plan::new(database);
    let admin = free_address().to_string();
    let spec = plan.spec("ingestion", 0).set("database_url", url).set("admin_address", &admin);
    let process = Process::start(spec).await;
    assert_eq!(get(&admin, "/healthz/ready"), Some((200, "ready\n".into())));
    assert_eq!(get(&admin, "/healthz/startup"), Some((200, "open\n".into())));
    let name = "insights.ingestion.v1.IngestionService";
    for name in ["", name, "readiness", "liveness", "startup"] {
        assert_eq!(health(&process, name).await, Ok(ServingStatus::Serving), "{name}");
    }
    proxy.set(Network::Down);
    until("it is not ready", async || is(&process, name, ServingStatus::NotServing).await).await;
    assert!(
        is(&process, "liveness", ServingStatus::Serving).await && is(&process, "startup", ServingStatus::Serving).await
    );
    let (code, why) = get(&admin, "/healthz/ready").expect("an answer");
    assert!(code == 503 && why.contains("database of ingestion"), "{code} {why}");
    assert_eq!(get(&admin, "/healthz/live"), Some((200, "live\n".into())));
    proxy.set(Network::Up);
    until("it is ready again", async || is(&process, "", ServingStatus::Serving).await).await;
    let (code, metrics) = get(&admin, "/metrics").expect("an answer");
    assert_eq!(code, 200);
    assert!(metrics.contains("target_info{") && metrics.contains("service_name=\"insights-ingestion\""), "{metrics}");
    assert_eq!(get(&admin, "/exports").map(|(code, _)| code), Some(404));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_keys_or_whose_token_is_refused_is_not_ready() {
    let plan = Plan::new(TempDatabase::postgres());
    plan.provider.write_service("stranger", HOUR, &plan.token_file("metrics"));
    plan.provider.write_service("reporting", HOUR, &plan.token_file("reporting"));
    // Of the issuer's keys a third process knows nothing.
    let mute = Process::spawn(plan.spec("ingestion", 9).set("access.people.keys", "http://127.0.0.1:1/keys"));
    let ingestion = Process::start(plan.spec("ingestion", 0)).await;
    let metrics = plan.spec("metrics", 0).set("ingestion_url", ingestion.spec.url());
    let metrics = Process::spawn(metrics);
    let reporting = plan.spec("reporting", 0).set("metrics_url", metrics.spec.url());
    let mut reporting = Process::start(reporting).await;
    for process in [&metrics, &mute] {
        until("it lives", async || is(process, "liveness", ServingStatus::Serving).await).await;
    }
    assert!(is(&metrics, "", ServingStatus::NotServing).await, "its token is a stranger's");
    assert!(is(&mute, "", ServingStatus::NotServing).await, "it has no keys");
    plan.provider.write_service("metrics", HOUR, &plan.token_file("metrics"));
    until("the new token is taken", async || is(&metrics, "", ServingStatus::Serving).await).await;
    // Reporting asks by itself whether its own is.
    plan.provider.write_service("stranger", HOUR, &plan.token_file("reporting"));
    reporting.terminate();
    assert!(reporting.wait().await.success());
    reporting.again();
    until("it lives", async || is(&reporting, "liveness", ServingStatus::Serving).await).await;
    assert!(is(&reporting, "", ServingStatus::NotServing).await);
    plan.provider.write_service("reporting", HOUR, &plan.token_file("reporting"));
    until("the new token is taken", async || is(&reporting, "", ServingStatus::Serving).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_with_folders_of_their_own_refuse_to_start() {
    let cluster = Cluster::start(ONE).await;
    let mut other = cluster.reporting[0].spec.clone().on_port(free_address().port());
    other.name = "other".into();
    let shared = Process::start(other.clone()).await;
    drop(shared);
    other.name = "alone".into();
    let alone = other.set("exports.folder", cluster.folder().join("elsewhere").display());
    let mut refused = Process::spawn(alone);
    assert!(refused.ends_within(PATIENCE).is_some(), "half of all downloads would fail");
    assert!(refused.log().contains("exports.folder: "), "{}", refused.log());
    // Who was there first is there still, and may be started again.
    let mut cluster = cluster;
    cluster.reporting[0].restart().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_no_data_directory_needs_no_right_to_make_one() {
    let plan = Plan::new(TempDatabase::postgres());
    // A file is no directory, whoever asks.
    let blocked = plan.spec("ingestion", 0).set("data_dir", "/proc/version/data");
    let process = Process::start(blocked.clone()).await;
    drop(process);
    let mut needs =
        Process::spawn(plan.spec("ingestion", 1).set("data_dir", "/proc/version/data").set("user_key_file", ""));
    assert!(needs.ends_within(PATIENCE).is_some());
    assert!(needs.log().contains("data_dir must name a directory that this user may write"), "{}", needs.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kubernetes_sets_does_not_stop_a_process() {
    let plan = Plan::new(TempDatabase::postgres());
    let spec = plan.spec("ingestion", 0).variable("INSIGHTS_PORT", "tcp://10.0.0.1:8080");
    let process = Process::start(spec).await;
    assert!(process.log().contains("enableServiceLinks"), "{}", process.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_do_not_fit_are_said_before_a_port_is_named() {
    let plan = Plan::new(TempDatabase::postgres());
    let file = plan.token_file("ingestion");
    let spec = plan.spec("ingestion", 0).set("tls.cert_file", file.display()).set("tls.key_file", file.display());
    let mut process = Process::spawn(spec);
    assert!(process.ends_within(PATIENCE).is_some());
    let log = process.log();
    assert!(log.contains("holds no certificate") && !log.contains("serving on"), "{log}");
}

/// PgBouncer before the server of a database.
struct Bouncer {
    process: std::process::Child,
    _folder: tempfile::TempDir,
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts PgBouncer in a mode; the address through it.
async fn bouncer(database: &TempDatabase, mode: &str) -> (Bouncer, String) {
    let (rest, socket) = database.url().split_once("?host=").expect("the folder of a socket");
    let name = rest.rsplit('/').next().expect("a name");
    let folder = tempfile::tempdir().expect("a folder");
    let address = free_address();
    let user = if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        "user = postgres\n"
    } else {
        ""
    };
    let settings = format!(
        "[databases]\n* = host={socket} port=5432 user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\n\
         unix_socket_dir =\nauth_type = any\npool_mode = {mode}\ndefault_pool_size = 60\n{user}",
        address.port()
    );
    let file = folder.path().join("pgbouncer.ini");
    std::fs::write(&file, settings).expect("the settings");
    for path in [folder.path(), &file] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, mode).expect("its user reads it");
    }
    let program = std::process::Command::new("/usr/sbin/pgbouncer").arg("-q").arg(&file).spawn();
    let process = program.expect("PgBouncer: install Debian's package `pgbouncer`");
    until("PgBouncer answers", async || TcpStream::connect(address).is_ok()).await;
    (Bouncer { process, _folder: folder }, format!("postgres://postgres@{address}/{name}?sslmode=disable"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_in_session_mode_and_few_connections_suffice() {
    let database = TempDatabase::postgres();
    let (_bouncer, url) = bouncer(&database, "session").await;
    let plan = Plan::new(database);
    let through = |_: &str, _: usize, spec: insights_testkit::Spec| {
        spec.set("database_url", &url).set("database.pooler", true).set("database.connections", 4)
    };
    let cluster = plan.start(ONE, through).await;
    let caller = Caller::of(&cluster);
    let version = caller.ingest_customers(0..6).await;
    caller.visible(version).await;
    assert_eq!(caller.figures(version).await.len(), 3);
    assert!(caller.verify().await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_mixes_up_statements_is_named() {
    let database = TempDatabase::postgres();
    let (_bouncer, url) = bouncer(&database, "transaction").await;
    let plan = Plan::new(database);
    let spec = plan.spec("ingestion", 0).set("database_url", &url).set("database.pooler", true);
    let mut process = Process::spawn(spec);
    assert!(process.ends_within(PATIENCE).is_some());
    assert!(process.log().contains("max_prepared_statements"), "{}", process.log());
}
