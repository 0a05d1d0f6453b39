//! Runs worlds through both implementations.

use super::compare::{Outcome, compare};
use super::in_memory;
use super::product::Product;
use super::question::{Question, Values, questions};
use super::random::Random;
use super::world::{self, World};
use insights_metrics::cube::Cube;
use naive::{Ledger, answer, explain};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What takes records and answers questions: the product, or its heart alone.
pub trait Subject: Sync {
    /// Takes a partner's records in.
    fn import(&self, partner: &str, lines: &str);
    /// Answers.
    fn ask(&self, partner: &str, question: &Question) -> Result<Vec<Value>, String>;
}

impl Subject for Product {
    fn import(&self, partner: &str, lines: &str) {
        self.import(partner, lines);
    }

    fn ask(&self, partner: &str, question: &Question) -> Result<Vec<Value>, String> {
        self.ask(partner, &question.caller, question.command, &question.args)
    }
}

/// The heart of the product, without what lies around it.
#[derive(Default)]
pub struct Heart(Mutex<BTreeMap<String, (Ledger, Option<Arc<Cube>>)>>);

impl Subject for Heart {
    fn import(&self, partner: &str, lines: &str) {
        let mut partners = self.0.lock().expect("no test panicked");
        let (ledger, cube) = partners.entry(partner.to_owned()).or_insert_with(|| (empty_ledger(), None));
        ledger.receive(lines);
        *cube = None;
    }

    fn ask(&self, partner: &str, question: &Question) -> Result<Vec<Value>, String> {
        let cube = {
            let mut partners = self.0.lock().expect("no test panicked");
            let (ledger, cube) = partners.get_mut(partner).expect("records came before questions");
            cube.get_or_insert_with(|| Arc::new(in_memory::cube(ledger))).clone()
        };
        in_memory::ask(&cube, question)
    }
}

fn empty_ledger() -> Ledger {
    Ledger::new(world::NOW.parse().expect("a time"))
}

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
pub fn worlds(product: &dyn Subject, seeds: impl Iterator<Item = u64>, extra: usize, totals: &Totals) {
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
    let mut ledger = empty_ledger();
    for file in &world.files {
        ledger.receive(file);
    }
    naive::World::of(&ledger)
}

fn one_world(product: &dyn Subject, seed: u64, extra: usize, totals: &Totals) {
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

fn one_question(product: &dyn Subject, world: &World, expected: &naive::World, question: &Question, totals: &Totals) {
    totals.questions.fetch_add(1, Ordering::Relaxed);
    let outcome = ask_both(product, &world.partner, expected, question);
    totals.cells.fetch_add(outcome.cells, Ordering::Relaxed);
    if outcome.differences.is_empty() {
        return;
    }
    report(world, question, &outcome.differences, totals);
    let first = totals.differences.lock().is_ok_and(|all| all.len() <= 3);
    if first && std::env::var_os("INSIGHTS_SHRINK").is_some() {
        shrink(product, world, question, totals);
    }
}

fn ask_both(product: &dyn Subject, partner: &str, expected: &naive::World, question: &Question) -> Outcome {
    let query = question.query();
    let theirs = product.ask(partner, question);
    let ours = if question.command == "explain" { explain(expected, &query) } else { answer(expected, &query) };
    match (theirs, ours) {
        (Ok(theirs), Ok(ours)) => compare(&theirs, &ours, &query.by),
        (Err(theirs), Err(_)) if theirs.contains("INVALID_ARGUMENT") => Outcome::default(),
        (theirs, ours) => {
            let difference = format!("product: {}\n    naive: {}", short(&theirs), short(&ours));
            Outcome { cells: 0, differences: vec![difference] }
        }
    }
}

/// Leaves out lines as long as the answers still differ, each time as a new partner.
fn shrink(product: &dyn Subject, world: &World, question: &Question, totals: &Totals) {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (file, text) in world.files.iter().enumerate() {
        lines.extend(text.lines().map(|line| (file, line.to_owned())));
    }
    let mut tried = 0;
    let mut differ = |lines: &[(usize, String)]| {
        tried += 1;
        let file = |n: usize| lines.iter().filter(move |(file, _)| *file == n).map(|(_, line)| line.as_str());
        let files = (0..world.files.len()).map(|n| file(n).collect::<Vec<_>>().join("\n")).filter(|f| !f.is_empty());
        let partner = format!("shrink-{}-{tried}", world.seed);
        let small = World { seed: world.seed, partner, files: files.collect(), months: world.months.clone() };
        small.files.iter().for_each(|file| product.import(&small.partner, file));
        ask_both(product, &small.partner, &naive_world(&small), question).differences
    };
    let mut size = lines.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < lines.len() {
            let mut fewer = lines.clone();
            fewer.drain(at..(at + size).min(lines.len()));
            if !fewer.is_empty() && !differ(&fewer).is_empty() {
                lines = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    let differences = differ(&lines);
    let lines: Vec<String> = lines.iter().map(|(file, line)| format!("    {file}: {line}")).collect();
    let text = format!("the least that differs:\n{}\n  {}", lines.join("\n"), differences.join("\n  "));
    if let Ok(mut all) = totals.differences.lock()
        && let Some(last) = all.iter_mut().rev().find(|one| one.starts_with(&format!("seed {} ", world.seed)))
    {
        last.push_str(&format!("\n  {text}"));
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
