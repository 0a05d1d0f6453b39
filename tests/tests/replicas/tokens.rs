//! Services call each other with tokens of an issuer outside, which end soon and are renewed where the platform keeps them.

use std::time::Duration;

use insights_testkit::{Cluster, Plan, Shape, TempDatabase};
use tonic::Code;

use crate::world::{Caller, PATIENCE, said, until};

/// How long the services' tokens live here.
const LIFE: Duration = Duration::from_secs(3);

async fn cluster() -> Cluster {
    let plan = Plan::new(TempDatabase::postgres());
    for service in ["metrics", "reporting"] {
        plan.provider.write_service(service, LIFE, &plan.token_file(service));
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
    let cluster = cluster().await;
    let caller = Caller::of(&cluster);
    renew(&cluster, LIFE);
    let version = caller.ingest_customers(0..3).await;
    caller.visible(version).await;
    // Three lives of a token, over a rotation of the issuer's keys.
    let start = std::time::Instant::now();
    let mut rotated = false;
    while start.elapsed() < 3 * LIFE {
        renew(&cluster, LIFE);
        if !rotated && start.elapsed() > LIFE {
            cluster.provider.rotate();
            rotated = true;
            // A token of the new key is good at the first call after the shortest interval between two fetches of keys.
            tokio::time::sleep(Duration::from_millis(1100)).await;
            renew(&cluster, LIFE);
        }
        caller.freshness(version, PATIENCE).await.expect("an answer");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // Ingestion is asked as well: what is ingested now becomes visible.
    let version = caller.ingest_customers(3..5).await;
    renew(&cluster, LIFE);
    caller.visible(version).await;
    assert!(cluster.provider.asked() >= 2, "keys were fetched over HTTP");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_not_renewed_end_and_new_ones_bring_everything_back() {
    let cluster = cluster().await;
    let caller = Caller::of(&cluster);
    renew(&cluster, LIFE);
    let version = caller.ingest_customers(0..3).await;
    caller.visible(version).await;
    tokio::time::sleep(LIFE).await;
    // A fault of the installation: the caller is told no more than that, and where to look.
    let status = caller.freshness(0, PATIENCE).await.expect_err("the service's own token is over");
    assert_eq!(said(&status), (Code::Internal, "INTERNAL".into(), None), "{status:?}");
    // Nobody passes for the caller either.
    let stranger = caller.clone().with_token(cluster.provider.service("reporting", PATIENCE));
    let status = stranger.freshness(0, PATIENCE).await.expect_err("a service is nobody's caller");
    assert_eq!(status.code(), Code::PermissionDenied);
    renew(&cluster, PATIENCE);
    until("answers come back", || async { caller.freshness(version, PATIENCE).await.is_ok() }).await;
}
