//! Runs partners through both implementations.

use super::compare::{Outcome, compare};
use super::in_memory;
use super::product::Product;
use super::question::{Question, Values, looking_back, questions};
use super::random::Random;
use super::random_partner::{self, RandomPartner};
use chrono::{DateTime, Utc};
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
    /// Time goes on.
    fn goes_on(&mut self, now: &str);
    /// Whether it can be asked about reported rows as they stood earlier.
    fn looks_back(&self) -> bool;
}

impl Subject for Product {
    fn import(&self, partner: &str, lines: &str) {
        self.import(partner, lines);
    }

    fn ask(&self, partner: &str, question: &Question) -> Result<Vec<Value>, String> {
        self.ask(partner, &question.caller, question.command, &question.args)
    }

    fn goes_on(&mut self, now: &str) {
        if self.now() != now {
            self.restart(now);
        }
    }

    fn looks_back(&self) -> bool {
        true
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

    fn goes_on(&mut self, _now: &str) {}

    /// The past is kept in what lies around the heart.
    fn looks_back(&self) -> bool {
        false
    }
}

fn empty_ledger() -> Ledger {
    Ledger::new(time(random_partner::RECEIPTS[0]))
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// Totals over partners.
#[derive(Default)]
pub struct Totals {
    /// Values compared.
    pub cells: AtomicUsize,
    /// Questions asked.
    pub questions: AtomicUsize,
    /// Values compared in questions about earlier times, which `cells` counts as well.
    pub cells_as_of: AtomicUsize,
    /// By time looked back to: values that differ from those at the time before.
    pub moved: Mutex<BTreeMap<&'static str, usize>>,
    /// Pairs of records of a key recorded at the same time with other content, and how many the first one received won.
    pub ties: (AtomicUsize, AtomicUsize),
    /// What differs, with how to see it again.
    pub differences: Mutex<Vec<String>>,
}

/// Compares the partners of some seeds, `extra` random questions each beside the fixed ones.
pub fn partners(product: &mut dyn Subject, seeds: impl Iterator<Item = u64>, extra: usize, totals: &Totals) {
    let partners: Vec<RandomPartner> = seeds.map(random_partner::make).collect();
    for (receipt, now) in random_partner::RECEIPTS.into_iter().enumerate() {
        product.goes_on(now);
        let product = &*product;
        of_each(&partners, |partner| partner.received(receipt).for_each(|file| product.import(&partner.name, file)));
    }
    let product = &*product;
    of_each(&partners, |partner| one_partner(product, partner, extra, totals));
}

/// Does something with every partner, as many at a time as there are processors.
fn of_each(partners: &[RandomPartner], doing: impl Fn(&RandomPartner) + Sync) {
    let partners = Mutex::new(partners.iter());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let next = partners.lock().map(|mut partners| partners.next());
                    let Ok(Some(partner)) = next else { break };
                    doing(partner);
                }
            });
        }
    });
}

/// What the second implementation stores of a partner's files.
pub fn naive_ledger(partner: &RandomPartner) -> Ledger {
    let mut ledger = empty_ledger();
    for (receipt, now) in random_partner::RECEIPTS.into_iter().enumerate() {
        ledger.at(time(now));
        partner.received(receipt).for_each(|file| ledger.receive(file));
    }
    ledger
}

/// What the second implementation makes of a partner's files.
pub fn naive_facts(partner: &RandomPartner) -> naive::Facts {
    naive::Facts::of(&naive_ledger(partner))
}

fn one_partner(product: &dyn Subject, partner: &RandomPartner, extra: usize, totals: &Totals) {
    let ledger = naive_ledger(partner);
    totals.ties.0.fetch_add(ledger.ties, Ordering::Relaxed);
    totals.ties.1.fetch_add(ledger.ties_won_by_the_first, Ordering::Relaxed);
    let expected = naive::Facts::of(&ledger);
    let mut random = Random::new(partner.seed ^ 0xABCD);
    for question in questions(&mut random, &Values(&expected), &partner.months, extra) {
        one_question(product, partner, &expected, &question, totals);
    }
    if product.looks_back() {
        look_back(product, partner, &ledger, totals);
    }
}

/// Asks the same as of several times.
fn look_back(product: &dyn Subject, partner: &RandomPartner, ledger: &Ledger, totals: &Totals) {
    let now = naive::Facts::of(ledger);
    let mut random = Random::new(partner.seed ^ 0x1234);
    let questions = looking_back(&mut random, &Values(&now), &partner.months, 5);
    let mut before: Vec<Option<Vec<Value>>> = vec![None; questions.len()];
    for look in random_partner::LOOKS {
        let then = naive::Facts::of(&ledger.as_of(time(look)));
        for (question, before) in questions.iter().zip(&mut before) {
            let asked = question.as_of(look);
            let cells = one_question(product, partner, &then, &asked, totals);
            totals.cells_as_of.fetch_add(cells, Ordering::Relaxed);
            let rows = ours(&then, &asked).unwrap_or_default();
            if let Some(before) = before.replace(rows.clone())
                && let Ok(mut moved) = totals.moved.lock()
            {
                *moved.entry(look).or_default() += compare(&before, &rows, &asked.query().by).differing;
            }
        }
    }
}

fn ours(partner: &naive::Facts, question: &Question) -> Result<Vec<Value>, String> {
    let query = question.query();
    if question.command == "explain" { explain(partner, &query) } else { answer(partner, &query) }
}

/// Returns how many values were compared.
fn one_question(
    product: &dyn Subject,
    partner: &RandomPartner,
    expected: &naive::Facts,
    question: &Question,
    totals: &Totals,
) -> usize {
    totals.questions.fetch_add(1, Ordering::Relaxed);
    let outcome = ask_both(product, &partner.name, expected, question);
    totals.cells.fetch_add(outcome.cells, Ordering::Relaxed);
    if outcome.differences.is_empty() {
        return outcome.cells;
    }
    report(partner, question, &outcome.differences, totals);
    let first = totals.differences.lock().is_ok_and(|all| all.len() <= 3);
    // All of a partner that is being made smaller is received at once: it has no past.
    let shrinks = first && question.query().as_of.is_none();
    if shrinks && std::env::var_os("INSIGHTS_SHRINK").is_some() {
        shrink(product, partner, question, totals);
    }
    outcome.cells
}

fn ask_both(product: &dyn Subject, partner: &str, expected: &naive::Facts, question: &Question) -> Outcome {
    match (product.ask(partner, question), ours(expected, question)) {
        (Ok(theirs), Ok(ours)) => compare(&theirs, &ours, &question.query().by),
        (Err(theirs), Err(_)) if theirs.contains("INVALID_ARGUMENT") => Outcome::default(),
        (theirs, ours) => {
            let difference = format!("product: {}\n    naive: {}", short(&theirs), short(&ours));
            Outcome { differences: vec![difference], ..Outcome::default() }
        }
    }
}

/// Leaves out lines as long as the answers still differ, each time as a new partner.
fn shrink(product: &dyn Subject, partner: &RandomPartner, question: &Question, totals: &Totals) {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (file, text) in partner.files.iter().enumerate() {
        lines.extend(text.lines().map(|line| (file, line.to_owned())));
    }
    let mut tried = 0;
    let mut differ = |lines: &[(usize, String)]| {
        tried += 1;
        let file = |n: usize| lines.iter().filter(move |(file, _)| *file == n).map(|(_, line)| line.as_str());
        let files = (0..partner.files.len()).map(|n| file(n).collect::<Vec<_>>().join("\n")).filter(|f| !f.is_empty());
        let name = format!("shrink-{}-{tried}", partner.seed);
        let small = RandomPartner { seed: partner.seed, name, files: files.collect(), months: partner.months.clone() };
        small.files.iter().for_each(|file| product.import(&small.name, file));
        ask_both(product, &small.name, &naive_facts(&small), question).differences
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
        && let Some(last) = all.iter_mut().rev().find(|one| one.starts_with(&format!("seed {} ", partner.seed)))
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

fn report(partner: &RandomPartner, question: &Question, differences: &[String], totals: &Totals) {
    let folder = std::env::temp_dir().join(format!("insights-differential-{}", partner.seed));
    let _ = std::fs::create_dir_all(&folder);
    let mut files = Vec::new();
    for (receipt, now) in random_partner::RECEIPTS.into_iter().enumerate() {
        files.push(now.to_owned());
        for file in partner.received(receipt) {
            let path = folder.join(format!("{}.ndjson", files.len()));
            let _ = std::fs::write(&path, file);
            files.push(path.display().to_string());
        }
    }
    let files = files.join(" ");
    let args: Vec<String> = question.args.iter().map(|arg| format!("'{arg}'")).collect();
    let text = format!(
        "seed {} as {:?}: {} {}\n  again: naive {} {} -- {}\n  {} rows differ, the first:\n  {}",
        partner.seed,
        question.caller,
        question.command,
        args.join(" "),
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
