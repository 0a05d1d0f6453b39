//! The benches run at a tiny scale, so that they cannot rot. Nothing about time is asserted.
#![allow(clippy::unwrap_used, reason = "tests")]

use insights_benches::{Options, Report, Scenario, daily_feed, freshness, queries};

fn options() -> Options {
    // DuckDB is left out: it would have to be downloaded.
    Options { rounds: 1, batch: 1_000, seconds: 1, duckdb: false, ..Options::new(Scenario::TINY, None).unwrap() }
}

fn check(report: &Report, figures: usize) {
    assert_eq!(report.figures.len(), figures, "{report}");
    assert!(report.figures.iter().all(|figure| figure.median > 0.0), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daily_feed_runs() {
    check(&daily_feed::run(&options()).await.unwrap(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn freshness_runs() {
    check(&freshness::run(&options()).await.unwrap(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_as_peers_answer_them() {
    check(&queries::run(&options()).await.unwrap(), 4);
}
