//! A replica of metrics that is behind: its answers say so, and who needs newer ones waits or is told.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use insights_testkit::{Network, Plan, Proxy, Shape, TempDatabase};
use tonic::Code;

use crate::caller::{Caller, PATIENCE, customer, quick, said, urls};

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_behind_says_so() {
    let plan = Plan::new(TempDatabase::postgres());
    // The first replica of metrics reaches the database through a network that can fall silent; each replica of reporting asks
    // the replica of metrics of its own number.
    let (proxy, url) = Proxy::to_postgres(plan.database.url()).await;
    let metrics = Mutex::new(Vec::new());
    let shape = Shape { ingestion: 1, metrics: 2, reporting: 2 };
    let cluster = plan
        .start(shape, |service, number, spec| {
            let mut known = metrics.lock().expect("the URLs");
            match service {
                "metrics" => {
                    known.push(spec.url());
                    if number == 0 { spec.set("database_url", &url) } else { spec }
                }
                "reporting" => spec.set("metrics_url", &known[number]),
                _ => spec,
            }
        })
        .await;
    let caller = |number: usize| {
        Caller::to(&cluster.provider, &urls(&cluster.ingestion), &cluster.reporting[number].spec.url(), &quick())
    };
    let (behind, ahead) = (caller(0), caller(1));
    let first = ahead.ingest_customers(0..3).await;
    behind.visible(first).await;
    ahead.visible(first).await;

    proxy.set(Network::Silent);
    let second = ahead.ingest(customer(3)).await.expect("a customer").version;
    assert!(second > first);
    assert!(ahead.visible(second).await.version >= second);
    // Without a wish it answers at once with what it has, and says which version that is.
    let start = Instant::now();
    let freshness = behind.freshness(0, PATIENCE).await.expect("an answer");
    assert_eq!((freshness.version, freshness.complete_through.as_str()), (first, "2025-03-31"));
    assert_eq!(behind.freshness(first, PATIENCE).await.expect("an answer").version, first);
    assert!(start.elapsed() < PATIENCE / 2, "{:?}", start.elapsed());
    // With one it waits as long as the caller does, and then says what it has.
    let start = Instant::now();
    let status = behind.freshness(second, Duration::from_millis(1500)).await.expect_err("it is behind");
    assert_eq!(said(&status), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".into(), None), "{status:?}");
    assert!(start.elapsed() >= Duration::from_millis(1000), "{:?}", start.elapsed());
    // A version beyond the head of the feed is refused at once by every replica.
    for replica in [&behind, &ahead] {
        let start = Instant::now();
        let status = replica.freshness(second + 1000, PATIENCE).await.expect_err("beyond the head");
        assert_eq!(said(&status), (Code::OutOfRange, "OUT_OF_RANGE".into(), None), "{status:?}");
        assert!(start.elapsed() < PATIENCE / 2, "{:?}", start.elapsed());
    }
    // Who waits is answered when it has caught up, with the figures of the other.
    let waiting = {
        let behind = behind.clone();
        tokio::spawn(async move { behind.freshness(second, PATIENCE).await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    proxy.set(Network::Up);
    assert!(waiting.await.expect("no panic").expect("an answer").version >= second);
    assert_eq!(behind.figures(second).await, ahead.figures(second).await);
}
