//! Calls between services: spread over all replicas, moved to another one when one is gone, never repeated where twice is not
//! as once.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use insights_access::{AccessLayer, Clock, Issuer, Policy, Role, TokenRequest, Verifier};
use insights_proto::access::v1::{WhoAmIRequest, access_service_client::AccessServiceClient};
use insights_service::{ChannelConfig, Chassis, MessageLimits, Resolve, ServerConfig, ServiceChannel};
use insights_testkit::{Network, Proxy, until};
use insights_tests::small::Small;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Code, Request, Status};

use crate::caller::{PATIENCE, quick, said, suspicious};

/// One replica of a small service, behind a proxy.
struct Replica {
    small: Small,
    proxy: Proxy,
    _stop: DropGuard,
}

impl Replica {
    /// Calls it answered.
    fn answered(&self) -> usize {
        self.small.left.load(Ordering::SeqCst)
    }
}

/// Replicas that believe one issuer, and a token of it.
struct Replicas {
    replicas: Vec<Replica>,
    issuer: Issuer,
    token: String,
    _folder: TempDir,
}

impl std::ops::Index<usize> for Replicas {
    type Output = Replica;

    fn index(&self, number: usize) -> &Replica {
        &self.replicas[number]
    }
}

impl Replicas {
    async fn start(count: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let issuer = Issuer::open(folder.path()).expect("an issuer");
        let request = TokenRequest { roles: vec![Role::ReportViewer], partner: "p".into(), ..TokenRequest::default() };
        let token = issuer.mint(&request).expect("a token");
        let mut all = Self { replicas: Vec::new(), issuer, token, _folder: folder };
        for _ in 0..count {
            all.add(ServerConfig::default()).await;
        }
        all
    }

    async fn add(&mut self, config: ServerConfig) {
        insights_service::install_crypto();
        let verifier = Verifier::new(self.issuer.access_config(), Clock::system()).expect("a verifier");
        let access = AccessLayer::new(Arc::new(verifier), Arc::new(Policy::product().expect("a policy")));
        let (small, stop) = (Small::default(), CancellationToken::new());
        let chassis = Chassis::new(config, access, stop.clone()).expect("a chassis");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let proxy = Proxy::to(listener.local_addr().expect("an address")).await;
        tokio::spawn(chassis.serve(listener, vec![small.routes(&MessageLimits::default())], Router::new()));
        self.replicas.push(Replica { small, proxy, _stop: stop.drop_guard() });
    }

    fn list(&self) -> String {
        self.replicas.iter().map(|replica| replica.proxy.url()).collect::<Vec<_>>().join(",")
    }

    fn link(&self, config: &ChannelConfig) -> ServiceChannel {
        ServiceChannel::open(&self.list(), config).expect("a link")
    }

    async fn call(&self, link: &ServiceChannel) -> Result<(), Status> {
        let mut request = Request::new(WhoAmIRequest {});
        request.set_timeout(PATIENCE);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse().expect("a header"));
        AccessServiceClient::new(link.clone()).who_am_i(request).await.map(drop)
    }

    async fn calls(&self, link: &ServiceChannel, count: usize) {
        for _ in 0..count {
            self.call(link).await.expect("an answer");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_gets_its_share_and_a_dead_one_is_left_out() {
    let replicas = Replicas::start(2).await;
    let link = replicas.link(&quick());
    replicas.calls(&link, 40).await;
    // A call is counted when it has left, which may be after its answer is here.
    until("every call is counted", || async { replicas[0].answered() + replicas[1].answered() == 40 }).await;
    let shares = [replicas[0].answered(), replicas[1].answered()];
    assert!(shares.iter().all(|share| *share >= 15), "{shares:?}");
    // One replica dies without an error for callers.
    replicas[0].proxy.set(Network::Down);
    replicas.calls(&link, 40).await;
    until("every call is counted", || async { replicas[1].answered() - shares[1] == 40 }).await;
    // It comes back and gets its share again.
    replicas[0].proxy.set(Network::Up);
    until("the replica is asked again", || async {
        replicas.calls(&link, 1).await;
        replicas[0].answered() > shares[0]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_second_try_a_dying_replica_would_be_noticed() {
    let replicas = Replicas::start(2).await;
    let link = replicas.link(&ChannelConfig { attempts: 1, ..quick() });
    replicas.calls(&link, 10).await;
    replicas[0].proxy.set(Network::Down);
    let mut failed = Vec::new();
    for _ in 0..40 {
        failed.extend(replicas.call(&link).await.err());
    }
    assert!(!failed.is_empty(), "calls fail on the dead replica");
    let retry = Some(Duration::from_secs(1));
    assert!(failed.iter().all(|status| said(status) == (Code::Unavailable, "UNAVAILABLE".into(), retry)), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_falls_silent_is_left_behind() {
    let replicas = Replicas::start(2).await;
    let link = replicas.link(&suspicious());
    replicas.calls(&link, 10).await;
    // Its connections are dead without a reset: only a ping shows it.
    replicas[0].proxy.set(Network::Silent);
    replicas.calls(&link, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_asking_silent_connections_calls_would_hang() {
    let replicas = Replicas::start(2).await;
    let link = replicas.link(&ChannelConfig { keepalive_seconds: 0, ..quick() });
    replicas.calls(&link, 10).await;
    replicas[0].proxy.set(Network::Silent);
    let mut hung = 0;
    for _ in 0..3 {
        let answer = tokio::time::timeout(Duration::from_secs(3), replicas.call(&link)).await;
        hung += usize::from(answer.is_err());
    }
    assert!(hung > 0, "somebody waits for the silent replica");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_a_name_come_and_go() {
    let replicas = Replicas::start(3).await;
    let addresses = |numbers: &[usize]| -> Vec<SocketAddr> {
        numbers.iter().map(|&number| replicas[number].proxy.address()).collect()
    };
    let known = Arc::new(Mutex::new(addresses(&[0])));
    let asked = Arc::clone(&known);
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    let resolve: Resolve = Arc::new(move |host, _| {
        assert_eq!(host, "metrics.test");
        counted.fetch_add(1, Ordering::SeqCst);
        let addresses = asked.lock().expect("the addresses").clone();
        Box::pin(async move { Ok(addresses) })
    });
    let link = ServiceChannel::open_resolving("http://metrics.test:8080", &quick(), resolve).expect("a link");
    replicas.calls(&link, 10).await;
    assert_eq!((replicas[0].answered(), replicas[1].answered()), (10, 0));
    // Two more replicas start.
    *known.lock().expect("the addresses") = addresses(&[0, 1, 2]);
    until("the new replicas get calls", || async {
        replicas.calls(&link, 1).await;
        replicas[1].answered() > 0 && replicas[2].answered() > 0
    })
    .await;
    // The first one goes.
    *known.lock().expect("the addresses") = addresses(&[1, 2]);
    until("the first replica's connection ends", || async {
        replicas.calls(&link, 1).await;
        replicas[0].proxy.open() == 0
    })
    .await;
    // The name cannot be looked up for a while: what was known stays.
    let before = replicas[1].answered() + replicas[2].answered();
    known.lock().expect("the addresses").clear();
    let looked = looks.load(Ordering::SeqCst);
    // The one that follows has seen what came of the one before.
    until("names are looked up", async || looks.load(Ordering::SeqCst) >= looked + 3).await;
    replicas.calls(&link, 10).await;
    assert_eq!(replicas[1].answered() + replicas[2].answered(), before + 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_this_machine_are_looked_up() {
    let replicas = Replicas::start(1).await;
    let url = format!("http://localhost:{}", replicas[0].proxy.address().port());
    replicas.call(&ServiceChannel::open(&url, &quick()).expect("a link")).await.expect("an answer");
    let nowhere = ServiceChannel::open("http://no-such-name.invalid:1", &quick()).expect("a link");
    let status = replicas.call(&nowhere).await.expect_err("nobody");
    assert_eq!(status.code(), Code::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_end_when_they_are_old_and_no_call_does() {
    let mut replicas = Replicas::start(0).await;
    replicas.add(ServerConfig { connection_age_seconds: 1, ..ServerConfig::default() }).await;
    replicas.add(ServerConfig { connection_age_seconds: 0, ..ServerConfig::default() }).await;
    // A call may meet the end of its connection; then it is tried again on the next one.
    let config = ChannelConfig { keepalive_seconds: 0, ..quick() };
    let links = [0, 1].map(|number| ServiceChannel::open(&replicas[number].proxy.url(), &config).expect("a link"));
    until("the third connection", async || {
        for link in &links {
            replicas.calls(link, 1).await;
        }
        replicas[0].proxy.begun() >= 3
    })
    .await;
    assert_eq!(replicas[1].proxy.begun(), 1, "without an age a connection stays for good");
}

/// The guide recommends to everybody what our own links do.
#[test]
fn the_recommended_policy_is_ours() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/grpc-service-config.json");
    let text = std::fs::read_to_string(path).expect("the recommended configuration");
    let config: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let policy = &config["methodConfig"][0]["retryPolicy"];
    let seconds = |time: Duration| format!("{}s", time.as_secs_f64());
    assert_eq!(policy["maxAttempts"], ChannelConfig::default().attempts);
    assert_eq!(policy["initialBackoff"], seconds(insights_service::FIRST_BACKOFF));
    assert_eq!(policy["maxBackoff"], seconds(insights_service::LONGEST_BACKOFF));
    assert_eq!(policy["backoffMultiplier"], 2);
    assert_eq!(policy["retryableStatusCodes"], serde_json::json!(["UNAVAILABLE"]));
    assert_eq!(config["retryThrottling"]["maxTokens"], insights_service::MOST_FAILURES);
    // Named is what may be asked twice by its own words, and nothing else.
    let named = config["methodConfig"][0]["name"].as_array().expect("names").iter();
    let named: BTreeSet<String> = named
        .map(|name| {
            format!("{}/{}", name["service"].as_str().expect("a service"), name["method"].as_str().expect("a method"))
        })
        .collect();
    let pool = prost_reflect::DescriptorPool::decode(insights_proto::DESCRIPTOR_SET).expect("the API");
    let services = ["reporting.v1.ReportingService", "access.v1.AccessService", "ingestion.v1.IngestionService"];
    let methods = services.iter().flat_map(|name| {
        let service = pool.get_service_by_name(&format!("insights.{name}")).expect("a service");
        service.methods().collect::<Vec<_>>()
    });
    let repeatable = |method: &prost_reflect::MethodDescriptor| {
        method.method_descriptor_proto().options.as_ref().is_some_and(|options| options.idempotency_level.is_some())
    };
    let repeatable =
        methods.filter(repeatable).map(|method| format!("{}/{}", method.parent_service().full_name(), method.name()));
    assert_eq!(named, repeatable.collect());
}
