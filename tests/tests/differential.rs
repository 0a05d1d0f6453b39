//! The product against the second, slow implementation, on both engines, cell by cell.
//!
//! `INSIGHTS_LONG=1` runs many more worlds; `INSIGHTS_SEED=N` runs one.

use insights_tests::differential::product::Product;
use insights_tests::differential::run::{Totals, worlds};
use insights_tests::differential::world::NOW;
use std::sync::atomic::Ordering;

fn compare(engine: &str, postgres: bool) {
    let long = std::env::var_os("INSIGHTS_LONG").is_some();
    let one: Option<u64> = std::env::var("INSIGHTS_SEED").ok().and_then(|seed| seed.parse().ok());
    let (count, extra) = if long { (300, 60) } else { (24, 20) };
    // Each engine sees worlds of its own; in the long form both see all.
    let first = if postgres && !long { 1_000 } else { 0 };
    let seeds = one.map_or(first..first + count, |seed| seed..seed + 1);
    let product = Product::start(postgres, NOW);
    let totals = Totals::default();
    worlds(&product, seeds, extra, &totals);
    let differences = totals.differences.lock().unwrap();
    for difference in differences.iter().take(20) {
        println!("{difference}\n");
    }
    let (cells, questions) = (totals.cells.load(Ordering::Relaxed), totals.questions.load(Ordering::Relaxed));
    println!("{engine}: questions={questions}");
    println!("cells={cells} differences={}", differences.len());
    assert!(differences.is_empty(), "{} of {questions} answers differ", differences.len());
    assert!(one.is_some() || cells >= 100_000, "only {cells} cells were compared");
}

#[test]
fn sqlite_agrees_with_the_definitions() {
    compare("sqlite", false);
}

#[test]
fn postgres_agrees_with_the_definitions() {
    compare("postgres", true);
}
