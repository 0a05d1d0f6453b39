//! Runs worlds through both implementations.

use super::compare::compare;
use super::product::Product;
use super::question::{Question, Values, questions};
use super::random::Random;
use super::world::{self, World};
use naive::{Ledger, answer, explain};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Totals over worlds.
#[derive(Default)]
pub struct Totals {
    /// Values compared.
    pub cells: AtomicUsize,
    /// Questions asked.
    pub questions: AtomicUsize,
    /// What differs, with how to see it again.
    pub differences: Mutex<Vec<String>>,
}

/// Compares the worlds of some seeds, `extra` random questions each beside the fixed ones.
pub fn worlds(product: &Product, seeds: impl Iterator<Item = u64>, extra: usize, totals: &Totals) {
    let seeds = Mutex::new(seeds.collect::<Vec<_>>().into_iter());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let next = seeds.lock().map(|mut seeds| seeds.next());
                    let Ok(Some(seed)) = next else { break };
                    one_world(product, seed, extra, totals);
                }
            });
        }
    });
}

/// What the second implementation makes of a world's files.
pub fn naive_world(world: &World) -> naive::World {
    let mut ledger = Ledger::new(world::NOW.parse().expect("a time"));
    for file in &world.files {
        ledger.receive(file);
    }
    naive::World::of(&ledger)
}

fn one_world(product: &Product, seed: u64, extra: usize, totals: &Totals) {
    let world = world::make(seed);
    for file in &world.files {
        product.import(&world.partner, file);
    }
    let expected = naive_world(&world);
    let mut random = Random::new(seed ^ 0xABCD);
    for question in questions(&mut random, &Values(&expected), &world.months, extra) {
        one_question(product, &world, &expected, &question, totals);
    }
}

fn one_question(product: &Product, world: &World, expected: &naive::World, question: &Question, totals: &Totals) {
    totals.questions.fetch_add(1, Ordering::Relaxed);
    let query = question.query();
    let theirs = product.ask(&world.partner, &question.caller, question.command, &question.args);
    let ours = if question.command == "explain" { explain(expected, &query) } else { answer(expected, &query) };
    let differences = match (theirs, ours) {
        (Ok(theirs), Ok(ours)) => {
            let outcome = compare(&theirs, &ours, &query.by);
            totals.cells.fetch_add(outcome.cells, Ordering::Relaxed);
            outcome.differences
        }
        (Err(theirs), Err(_)) if theirs.contains("INVALID_ARGUMENT") => Vec::new(),
        (theirs, ours) => vec![format!("product: {}\n    naive: {}", short(&theirs), short(&ours))],
    };
    if !differences.is_empty() {
        report(world, question, &differences, totals);
    }
}

fn short<T: std::fmt::Debug>(answer: &Result<Vec<T>, String>) -> String {
    match answer {
        Ok(rows) => format!("{} rows", rows.len()),
        Err(reason) => format!("refused: {reason}"),
    }
}

fn report(world: &World, question: &Question, differences: &[String], totals: &Totals) {
    let folder = std::env::temp_dir().join(format!("insights-differential-{}", world.seed));
    let _ = std::fs::create_dir_all(&folder);
    let files = world.files.iter().enumerate().map(|(n, file)| {
        let path = folder.join(format!("{n}.ndjson"));
        let _ = std::fs::write(&path, file);
        path.display().to_string()
    });
    let files = files.collect::<Vec<_>>().join(" ");
    let args: Vec<String> = question.args.iter().map(|arg| format!("'{arg}'")).collect();
    let text = format!(
        "seed {} as {:?}: {} {}\n  again: naive {} {} {} -- {}\n  {} rows differ, the first:\n  {}",
        world.seed,
        question.caller,
        question.command,
        args.join(" "),
        world::NOW,
        question.command,
        files,
        args.join(" "),
        differences.len(),
        differences.iter().take(2).cloned().collect::<Vec<_>>().join("\n  ")
    );
    if let Ok(mut all) = totals.differences.lock() {
        all.push(text);
    }
}
