//! Two of each service give the figures that one process of all gives.

use std::time::Duration;

use insights_testkit::{Cluster, Plan, Process, Shape, Spec, TempDatabase};

use crate::caller::{Caller, PATIENCE, catalogue, customer, long, questions, quick, urls};

/// The same records in one process on SQLite, sent once and in order.
async fn alone(plan: &Plan, customers: u32) -> (Process, Caller, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let token = plan.token_file("metrics");
    plan.provider.write_service("metrics", Duration::from_secs(3600), &token);
    let spec = Spec::new("alone", &[], folder.path()).set("service_token_file", token.display());
    let process = Process::start(plan.provider.believed_by(spec)).await;
    let url = process.spec.url();
    let caller = Caller::to(&plan.provider, &url, &url, &quick());
    let version = caller.ingest_customers(0..customers).await;
    caller.visible(version).await;
    (process, caller, folder)
}

/// Four writers, each with a caller of its own, whose parts overlap and are sent out of order.
async fn write(cluster: &Cluster, customers: u32) -> i64 {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4_u32 {
        let caller = Caller::of(cluster);
        writers.spawn(async move {
            let mut version = caller.ingest(catalogue()).await.expect("the catalogue").version;
            for step in 0..customers {
                // Another order for each writer; every customer is sent by two of them.
                let number = (step * 7 + writer * 11) % customers;
                if number % 2 == writer % 2 {
                    version = version.max(caller.ingest(customer(number)).await.expect("a customer").version);
                }
            }
            version
        });
    }
    writers.join_all().await.into_iter().max().expect("writers")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_each_answer_as_one_of_each() {
    // Prime to the writers' stride, so that each sends every customer of its half.
    let customers = if long() { 401 } else { 41 };
    let plan = Plan::new(TempDatabase::postgres());
    let (_alone, single, _folder) = alone(&plan, customers).await;
    let expected = single.figures(0).await;
    let cluster = plan.start(Shape { ingestion: 2, metrics: 2, reporting: 2 }, |_, _, spec| spec).await;
    // Readers ask all the while; what they see grows and is never from two versions.
    let reader = Caller::of(&cluster);
    let reading = tokio::spawn(async move {
        loop {
            for question in questions() {
                reader.query(question, 0, PATIENCE).await.expect("figures");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let version = write(&cluster, customers).await;
    reading.abort();
    assert!(reading.await.expect_err("it reads for ever").is_cancelled(), "no reader failed");
    // Each replica of reporting by itself, often enough that each asks both of metrics.
    for process in &cluster.reporting {
        let caller = Caller::to(&cluster.provider, &urls(&cluster.ingestion), &process.spec.url(), &quick());
        caller.visible(version).await;
        for _ in 0..4 {
            assert_eq!(caller.figures(version).await, expected, "{}", process.spec.name);
        }
        assert!(caller.verify().await > 0);
    }
}
