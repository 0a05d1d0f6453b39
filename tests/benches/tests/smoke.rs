//! The benches run at a tiny scale, so that they cannot rot. Nothing about time is asserted, but all they look at besides: every
//! fact acknowledged and visible, answers as the peers give them, ratios that mean something.
#![allow(clippy::unwrap_used, reason = "tests")]

use insights_benches::{Options, Report, Scenario, cube, daily_feed, exports, freshness, loading, queries};

fn options() -> Options {
    // DuckDB is left out: it would have to be downloaded.
    Options { rounds: 1, batch: 1_000, seconds: 1, duckdb: false, ..Options::new(Scenario::TINY, None).unwrap() }
}

/// Every figure was measured, `ratios` of them against a peer.
fn check(report: &Report, figures: usize, ratios: usize) {
    assert_eq!(report.figures.len(), figures, "{report}");
    for figure in &report.figures {
        assert!(figure.samples > 0, "{report}");
        let values = [figure.low, figure.median, figure.high, figure.p99.unwrap_or(figure.high)];
        // Processor time is counted in hundredths of a second: so small a feed may take none.
        let least = if figure.name.contains("processor time") { 0.0 } else { f64::MIN_POSITIVE };
        assert!(values.iter().all(|value| value.is_finite() && *value >= least), "{report}");
        assert!(figure.low <= figure.median && figure.median <= figure.high, "{report}");
        assert_eq!(figure.peer.is_some(), figure.ratio.is_some(), "{report}");
    }
    let found: Vec<f64> = report.figures.iter().filter_map(|figure| figure.ratio).collect();
    assert_eq!(found.len(), ratios, "{report}");
    assert!(found.iter().all(|ratio| ratio.is_finite() && *ratio > 0.0), "{report}");
    let peers = report.figures.iter().filter_map(|figure| figure.peer);
    assert!(
        peers.clone().count() == ratios && peers.into_iter().all(|peer| peer.is_finite() && peer > 0.0),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daily_feed_loses_nothing() {
    let report = daily_feed::run(&options()).await.unwrap();
    check(&report, 11, 3);
    // A day for one writer and a day for two, each of about 2.6 facts of 900 users.
    let facts = report.checked["facts acknowledged, and as many copied"];
    assert!((3_000..7_000).contains(&facts), "{report}");
    assert_eq!(report.checked["figures that show all facts sent so far"], 2 * 6, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_becomes_visible() {
    let options = options();
    let report = freshness::run(&options).await.unwrap();
    check(&report, 4, 0);
    assert!((1_500..3_500).contains(&report.checked["facts of whole days acknowledged"]), "{report}");
    assert_eq!(report.checked["figures that show all facts sent so far"], 2 * 6, "{report}");
    let batches = i64::from(options.rate);
    assert_eq!(report.checked["small batches visible and answered at their version"], batches, "{report}");
    assert!(report.figures[1..].iter().all(|figure| figure.samples as i64 == batches), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_as_peers_answer_them() {
    let report = queries::run(&options()).await.unwrap();
    check(&report, 4, 4);
    // Each question in at least one way.
    assert!(report.checked["answers of peers equal to the product's"] >= 4, "{report}");
    assert!(report.checked["rows of such answers"] >= 40, "{report}");
    // The product is asked ten times a round.
    assert!(report.figures.iter().all(|figure| figure.samples == 10), "{report}");
}

#[test]
fn the_cube_answers_in_memory() {
    let report = cube::run(&options()).unwrap();
    assert_eq!(report.figures.len(), 7, "{report}");
    // Memory of so small a cube is not seen from outside.
    let seen = report.figures.iter().filter(|figure| !figure.name.starts_with("memory"));
    assert!(seen.clone().all(|figure| figure.samples > 0 && figure.low > 0.0), "{report}");
    // Twenty times each: 24 months, 24 months, 24 months of at least 30 SKUs, 12 months of at least 50 customers.
    assert!(report.checked["rows answered"] >= 20 * (24 + 24 + 24 * 30 + 12 * 50), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_hold_what_copy_writes() {
    let report = exports::run(&options()).await.unwrap();
    assert_eq!(report.figures.len(), 9, "{report}");
    // So small a file takes no memory, and no time that is counted.
    let seen = report.figures.iter().filter(|figure| !figure.name.contains(','));
    assert!(seen.clone().all(|figure| figure.samples > 0 && figure.low > 0.0), "{report}");
    assert!(report.figures[0].peer.is_some(), "{report}");
    // Three formats of 180 subscriptions in most of 24 months.
    assert!(report.checked["rows written"] > 3 * 180 * 12, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_and_files_are_loaded_without_loss() {
    let report = loading::run(&options()).await.unwrap();
    // Six kinds with two rates and four processors; a file with a rate and two processors on two engines.
    assert_eq!(report.figures.len(), 6 * 6 + 2 * 3, "{report}");
    // 60 customers, 180 subscriptions with as many states, revenues and reported rows, 540 assignments; by one writer and by two.
    let records = 60 + 4 * 180 + 540;
    assert_eq!(report.checked["records acknowledged, and as many rows inserted"], 2 * records, "{report}");
    assert_eq!(report.checked["figures that show what was sent"], 2 * 4, "{report}");
    assert_eq!(report.checked["rows of files imported"], 2 * 180 * 12, "{report}");
    assert_eq!(report.checked["figures that show the file"], 2 * 2, "{report}");
}
