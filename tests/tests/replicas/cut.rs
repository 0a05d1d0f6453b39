//! The table "what callers see when the network is cut" of the operator's guide, row by row: a code, a reason, when to try again;
//! nothing lost, and recovery by itself.

use std::time::Duration;

use insights_testkit::{Cluster, Network, Plan, Proxy, Shape, Spec, TempDatabase, until};
use tonic::Code;

use crate::caller::{Caller, PATIENCE, customer, quick, said, urls};

const UNAVAILABLE: (Code, &str, Option<Duration>) = (Code::Unavailable, "UNAVAILABLE", Some(Duration::from_secs(1)));

fn said_so(status: &tonic::Status, expected: (Code, &str, Option<Duration>)) {
    let (code, reason, retry) = said(status);
    assert_eq!((code, reason.as_str(), retry), expected, "{status:?}");
}

/// One of each, with a network between metrics and ingestion and one between reporting and metrics.
struct CutCluster {
    cluster: Cluster,
    to_ingestion: Proxy,
    to_metrics: Proxy,
    caller: Caller,
    version: i64,
}

impl CutCluster {
    /// Links ask silent connections after a second (0: never) and wait for the answer so long.
    async fn start(keepalive: u32, patience: u32) -> Self {
        let plan = Plan::new(TempDatabase::postgres());
        let tune = |spec: Spec| {
            spec.set("links.keepalive_seconds", keepalive)
                .set("links.keepalive_timeout_seconds", patience)
                .set("links.resolve_seconds", 1)
        };
        // The proxies must be there before the processes that go through them; the ports are known only after.
        let specs = ["ingestion", "metrics"].map(|service| plan.spec(service, 0));
        let to_ingestion = Proxy::to(specs[0].address()).await;
        let to_metrics = Proxy::to(specs[1].address()).await;
        let shape = Shape { ingestion: 1, metrics: 1, reporting: 1 };
        let cluster = plan
            .start(shape, |service, _, spec| match service {
                "ingestion" => tune(specs[0].clone()),
                "metrics" => tune(specs[1].clone()).set("ingestion_url", to_ingestion.url()),
                _ => tune(spec).set("metrics_url", to_metrics.url()),
            })
            .await;
        let caller = Caller::of(&cluster);
        let version = caller.ingest_customers(0..3).await;
        caller.visible(version).await;
        Self { cluster, to_ingestion, to_metrics, caller, version }
    }

    /// Sends one customer more and says the version.
    async fn ingest(&self, number: u32) -> i64 {
        self.caller.ingest(customer(number)).await.expect("ingestion goes on").version
    }

    async fn recovers(&self, version: i64) {
        self.caller.visible(version).await;
        assert!(self.caller.verify().await > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reporting_cannot_reach_metrics() {
    let cut = CutCluster::start(1, 5).await;
    let caller = &cut.caller;
    cut.to_metrics.set(Network::Down);
    // Refused: told before the caller's deadline, when both hops have been tried again.
    said_so(&caller.freshness(0, PATIENCE).await.expect_err("cut"), UNAVAILABLE);
    // What does not need metrics goes on.
    let version = cut.ingest(3).await;
    cut.to_metrics.set(Network::Up);
    until("answers come back", || async { caller.freshness(0, PATIENCE).await.is_ok() }).await;
    // Silence: noticed by asking, or by the caller's own patience where that is shorter.
    cut.to_metrics.set(Network::Silent);
    let status = caller.freshness(0, Duration::from_millis(700)).await.expect_err("silence");
    said_so(&status, (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", None));
    said_so(&caller.freshness(0, PATIENCE).await.expect_err("silence"), UNAVAILABLE);
    cut.to_metrics.set(Network::Up);
    cut.recovers(version).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_cannot_reach_ingestion() {
    let cut = CutCluster::start(1, 5).await;
    let caller = &cut.caller;
    cut.to_ingestion.set(Network::Down);
    let version = cut.ingest(3).await;
    // Figures go on as they were, and say of which version they are.
    let freshness = caller.freshness(0, PATIENCE).await.expect("figures");
    assert_eq!(freshness.version, cut.version);
    // Metrics cannot tell whether newer versions exist.
    said_so(&caller.freshness(version, PATIENCE).await.expect_err("cut"), UNAVAILABLE);
    cut.to_ingestion.set(Network::Up);
    cut.recovers(version).await;
    // The same in silence.
    cut.to_ingestion.set(Network::Silent);
    let next = cut.ingest(4).await;
    assert_eq!(caller.freshness(0, PATIENCE).await.expect("figures").version, version);
    said_so(&caller.freshness(next, PATIENCE).await.expect_err("silence"), UNAVAILABLE);
    cut.to_ingestion.set(Network::Up);
    cut.recovers(next).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_lost_silently_is_followed_again() {
    let cut = CutCluster::start(1, 1).await;
    cut.to_ingestion.forget();
    let version = cut.ingest(3).await;
    cut.recovers(version).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_asking_a_silent_feed_the_figures_would_stand_still() {
    let cut = CutCluster::start(0, 1).await;
    cut.to_ingestion.forget();
    let version = cut.ingest(3).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    // Neither does the head come, over the same connection.
    cut.caller.freshness(version, Duration::from_secs(2)).await.expect_err("nothing arrives");
    assert_eq!(cut.caller.freshness(0, PATIENCE).await.expect("figures").version, cut.version);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_on_its_way_is_given_again() {
    let cut = CutCluster::start(1, 5).await;
    let proxy = Proxy::to(cut.cluster.ingestion[0].spec.address()).await;
    let sender = Caller::to(&cut.cluster.provider, &proxy.url(), &urls(&cut.cluster.reporting), &quick());
    sender.ingest(customer(3)).await.expect("a way through the proxy");
    let before = cut.ingest(3).await;
    proxy.set(Network::AnswersLost);
    let sending = {
        let sender = sender.clone();
        // Its own tries end after some seconds, as its guide says; then it sends the batch again.
        tokio::spawn(async move {
            loop {
                match sender.ingest(customer(4)).await {
                    Ok(answer) => return answer,
                    Err(status) => said_so(&status, UNAVAILABLE),
                }
            }
        })
    };
    let head = || async {
        let request = cut.caller.request(insights_proto::ingestion::v1::GetFreshnessRequest {}, PATIENCE);
        cut.caller.ingestion().get_freshness(request).await.expect("the head").into_inner().version
    };
    // It is stored, and its sender does not know.
    until("the batch is stored", || async { head().await > before }).await;
    let stored = head().await;
    assert!(!sending.is_finished());
    proxy.set(Network::Up);
    let answer = sending.await.expect("a try is answered");
    assert_eq!((answer.version, answer.duplicates), (stored, 0), "the same answer, not another storing");
    assert_eq!(head().await, stored, "nothing twice");
    cut.recovers(stored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_cannot_reach_anybody() {
    let cut = CutCluster::start(1, 5).await;
    let proxy = Proxy::to(cut.cluster.ingestion[0].spec.address()).await;
    let sender = Caller::to(&cut.cluster.provider, &proxy.url(), &proxy.url(), &quick());
    proxy.set(Network::Down);
    said_so(&sender.ingest(customer(3)).await.expect_err("cut"), UNAVAILABLE);
    proxy.set(Network::Silent);
    said_so(&sender.ingest(customer(3)).await.expect_err("silence"), UNAVAILABLE);
    proxy.set(Network::Up);
    let version = sender.ingest(customer(3)).await.expect("a way").version;
    cut.recovers(version).await;
}
