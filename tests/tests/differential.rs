//! The product against the second, slow implementation, on both engines, cell by cell.
//!
//! `INSIGHTS_LONG=1` runs many more worlds; `INSIGHTS_SEED=N` runs one; `INSIGHTS_SHRINK=1` looks for the least records that differ.

use insights_tests::differential::product::Product;
use insights_tests::differential::run::{Heart, Subject, Totals, worlds};
use insights_tests::differential::world::NOW;
use std::ops::Range;
use std::sync::atomic::Ordering;

fn compare(name: &str, product: &dyn Subject, seeds: Range<u64>, extra: usize) {
    let one: Option<u64> = std::env::var("INSIGHTS_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = one.map_or(seeds, |seed| seed..seed + 1);
    let totals = Totals::default();
    worlds(product, seeds, extra, &totals);
    let differences = totals.differences.lock().expect("no worker panicked");
    for difference in differences.iter().take(20) {
        println!("{difference}\n");
    }
    let (cells, questions) = (totals.cells.load(Ordering::Relaxed), totals.questions.load(Ordering::Relaxed));
    println!("{name}: questions={questions}");
    println!("cells={cells} differences={}", differences.len());
    assert!(differences.is_empty(), "{} of {questions} answers differ", differences.len());
    assert!(one.is_some() || cells >= 100_000, "only {cells} cells were compared");
}

/// How many worlds, and how many random questions about each.
fn size() -> (u64, usize) {
    if std::env::var_os("INSIGHTS_LONG").is_some() { (300, 60) } else { (24, 20) }
}

#[test]
fn rollup_and_cube_agree_with_the_definitions() {
    let (count, extra) = size();
    compare("heart", &Heart::default(), 0..count * 2, extra);
}

#[test]
fn sqlite_agrees_with_the_definitions() {
    let (count, extra) = size();
    compare("sqlite", &Product::start(false, NOW), 0..count, extra);
}

#[test]
fn postgres_agrees_with_the_definitions() {
    let (count, extra) = size();
    // Worlds of its own.
    compare("postgres", &Product::start(true, NOW), 1_000..1_000 + count, extra);
}
