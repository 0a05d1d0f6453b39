//! Services call each other with tokens of an issuer outside, which end soon and are renewed where the platform keeps them.

use std::time::Duration;

use insights_testkit::{Cluster, Plan, Shape, TempDatabase, until};
use tonic::Code;

use crate::caller::{Caller, PATIENCE, said};

/// How long a token lives that is to end in a test.
const LIFE: Duration = Duration::from_secs(3);
/// How long one lives that is not.
const LONG: Duration = Duration::from_secs(3600);

/// One of each, with tokens that live so long.
async fn cluster(life: Duration) -> Cluster {
    let plan = Plan::new(TempDatabase::postgres());
    for service in ["metrics", "reporting"] {
        plan.provider.write_service(service, life, &plan.token_file(service));
    }
    let shape = Shape { ingestion: 1, metrics: 1, reporting: 1 };
    plan.start(shape, |_, _, spec| spec.set("access.leeway_seconds", 0)).await
}

fn renew(cluster: &Cluster, life: Duration) {
    for service in ["metrics", "reporting"] {
        cluster.provider.write_service(service, life, &cluster.token_file(service));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_read_again_when_they_are_renewed() {
    let cluster = cluster(LIFE).await;
    let caller = Caller::of(&cluster);
    renew(&cluster, LONG);
    let version = caller.ingest_customers(0..3).await;
    caller.visible(version).await;
    // The first tokens of the services expire without an error.
    tokio::time::sleep(LIFE).await;
    caller.freshness(version, PATIENCE).await.expect("an answer");
    // Nor that the issuer signs with another key, which is fetched when a token of it is first seen.
    let asked = cluster.provider.asked();
    cluster.provider.rotate();
    renew(&cluster, LONG);
    caller.freshness(version, PATIENCE).await.expect("an answer");
    let version = caller.ingest_customers(3..5).await;
    caller.visible(version).await;
    // Whether anything newer is to come only ingestion knows: it is asked with the new token too.
    let status = caller.freshness(version + 1000, PATIENCE).await.expect_err("beyond the head");
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    assert!(cluster.provider.asked() >= asked + 2, "metrics and ingestion saw the new tokens");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_not_renewed_end_and_new_ones_bring_everything_back() {
    let cluster = cluster(LONG).await;
    let caller = Caller::of(&cluster);
    let version = caller.ingest_customers(0..3).await;
    caller.visible(version).await;
    renew(&cluster, LIFE);
    tokio::time::sleep(LIFE).await;
    // A fault of the installation: the caller is told no more than that, and where to look.
    let status = caller.freshness(0, PATIENCE).await.expect_err("the service's own token is over");
    assert_eq!(said(&status), (Code::Internal, "INTERNAL".into(), None), "{status:?}");
    // The caller cannot be impersonated either.
    let stranger = caller.clone().with_token(cluster.provider.service("reporting", LONG));
    let status = stranger.freshness(0, PATIENCE).await.expect_err("a service is nobody's caller");
    assert_eq!(status.code(), Code::PermissionDenied);
    renew(&cluster, LONG);
    until("answers come back", async || caller.freshness(version, PATIENCE).await.is_ok()).await;
}
