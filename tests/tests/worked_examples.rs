//! The nine worked examples of the definitions: records in through the command line, figures and reasons out, on both
//! engines and by the second implementation.

use insights_tests::differential::product::Product;
use insights_tests::differential::question::Caller;
use insights_tests::examples::{Asks, NOW, all};
use naive::{Facts, Ledger, Query, answer, explain};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;

impl Asks for Binary {
    fn import(&self, partner: &str, lines: &str) {
        let summary = self.0.import(partner, lines);
        assert_eq!(summary["rejected"], 0, "{summary}");
    }

    fn ask(&self, partner: &str, command: &str, args: &[String]) -> Vec<Value> {
        self.0.ask(partner, &Caller::admin(), command, args).expect("an answer")
    }
}

struct Binary(Product);

#[derive(Default)]
struct Naive(Mutex<BTreeMap<String, Ledger>>);

impl Asks for Naive {
    fn import(&self, partner: &str, lines: &str) {
        let mut ledgers = self.0.lock().expect("no example panicked");
        let ledger = ledgers.entry(partner.into()).or_insert_with(|| Ledger::new(NOW.parse().expect("a time")));
        ledger.receive(lines);
        assert_eq!(ledger.rejected, vec![]);
    }

    fn ask(&self, partner: &str, command: &str, args: &[String]) -> Vec<Value> {
        let facts = Facts::of(&self.0.lock().expect("no example panicked")[partner]);
        let query = Query::parse(args).expect("a question");
        if command == "explain" { explain(&facts, &query) } else { answer(&facts, &query) }.expect("an answer")
    }
}

#[test]
fn naive_gives_the_worked_examples() {
    all(&Naive::default());
}

#[test]
fn sqlite_gives_the_worked_examples() {
    all(&Binary(Product::start(false, NOW)));
}

#[test]
fn postgres_gives_the_worked_examples() {
    all(&Binary(Product::start(true, NOW)));
}
