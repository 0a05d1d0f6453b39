//! What a dry run says of the figures is what the import then does to them, for random partners on both engines.
//! `INSIGHTS_LONG=1` tries many more partners.

use insights_tests::differential::product::Product;
use insights_tests::differential::random_partner::{NOW, make};
use serde_json::Value;

/// Tries and then imports every file of some partners; how many figures moved.
fn tried_and_done(product: &Product, seeds: std::ops::Range<u64>) -> usize {
    let mut moved = 0;
    for seed in seeds {
        let partner = make(seed);
        for (at, file) in partner.files.iter().enumerate() {
            let tried = product.import_with(&partner.name, file, &["--dry-run"]);
            let done = product.import(&partner.name, file);
            let months = |summary: &Value| summary["figures"]["months"].clone();
            let what = format!("file {at} of seed {seed}:\n{file}\n{}", tried["notes"]);
            assert_eq!(months(&tried), months(&done), "{what}");
            assert_eq!(warned(&tried), warned(&done), "{what}");
            moved += done["figures"]["months"].as_array().map_or(0, |months| months.iter().map(count).sum());
        }
    }
    moved
}

/// What is warned of, reasons aside: they have counts of batches, which a dry run tries in transactions of its own.
fn warned(summary: &Value) -> Vec<(&Value, &Value, &Value, &Value)> {
    let warnings = summary["figures"]["warnings"].as_array().into_iter().flatten();
    warnings.map(|it| (&it["month"], &it["measure"], &it["before"], &it["after"])).collect()
}

/// The figures of a month that moved.
fn count(month: &Value) -> usize {
    let figures = month.as_object().into_iter().flat_map(|month| month.values());
    figures.filter(|figure| figure.is_object() && figure["before"] != figure["after"]).count()
}

/// How many partners.
fn size() -> u64 {
    if std::env::var_os("INSIGHTS_LONG").is_some() { 150 } else { 10 }
}

#[test]
fn a_dry_run_tells_the_figures_that_the_import_gives_on_sqlite() {
    let moved = tried_and_done(&Product::start(false, NOW), 0..size());
    assert!(moved > 500, "only {moved} figures moved");
}

#[test]
fn a_dry_run_tells_the_figures_that_the_import_gives_on_postgres() {
    let moved = tried_and_done(&Product::start(true, NOW), 2_000..2_000 + size());
    assert!(moved > 500, "only {moved} figures moved");
}
