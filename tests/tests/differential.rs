//! The product against the second, slow implementation, on both engines, cell by cell.
//!
//! `INSIGHTS_LONG=1` runs many more partners; `INSIGHTS_SEED=N` runs one; `INSIGHTS_SHRINK=1` looks for the least records that differ.

use insights_tests::differential::product::Product;
use insights_tests::differential::random_partner::{LOOKS, RECEIPTS};
use insights_tests::differential::run::{Heart, Subject, Totals, partners};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

fn compare(name: &str, product: &mut dyn Subject, seeds: Range<u64>, extra: usize) {
    let one: Option<u64> = std::env::var("INSIGHTS_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = one.map_or(seeds, |seed| seed..seed + 1);
    let totals = Totals::default();
    partners(product, seeds, extra, &totals);
    let differences = totals.differences.lock().expect("no worker panicked");
    for difference in differences.iter().take(20) {
        println!("{difference}\n");
    }
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let (cells, questions) = (count(&totals.cells), count(&totals.questions));
    let (ties, kept) = (count(&totals.ties.0), count(&totals.ties.1));
    println!("{name}: questions={questions} ties={ties} won_by_the_first={kept}");
    let moved = totals.moved.lock().expect("no worker panicked");
    if product.looks_back() {
        let moved: Vec<String> = moved.iter().map(|(time, values)| format!("{time} {values}")).collect();
        let cells = count(&totals.cells_as_of);
        println!("{name}: as_of_cells={cells}, differing from the time before: {}", moved.join(", "));
    }
    println!("cells={cells} differences={}", differences.len());
    assert!(differences.is_empty(), "{} of {questions} answers differ", differences.len());
    if one.is_some() {
        return;
    }
    assert!(cells >= 100_000, "only {cells} cells were compared");
    assert!(kept >= 20 && ties - kept >= 20, "hardly any tie was decided: {kept} of {ties}");
    if product.looks_back() {
        assert!(moved.len() == LOOKS.len() - 1 && moved.values().all(|values| *values >= 50), "{moved:?}");
    }
}

/// How many partners, and how many random questions about each.
fn size() -> (u64, usize) {
    if std::env::var_os("INSIGHTS_LONG").is_some() { (300, 60) } else { (24, 20) }
}

#[test]
fn rollup_and_cube_agree_with_the_definitions() {
    let (count, extra) = size();
    compare("heart", &mut Heart::default(), 0..count * 2, extra);
}

#[test]
fn sqlite_agrees_with_the_definitions() {
    let (count, extra) = size();
    compare("sqlite", &mut Product::start(false, RECEIPTS[0]), 0..count, extra);
}

#[test]
fn postgres_agrees_with_the_definitions() {
    let (count, extra) = size();
    // Partners of its own.
    compare("postgres", &mut Product::start(true, RECEIPTS[0]), 1_000..1_000 + count, extra);
}
