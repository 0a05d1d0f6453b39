//! The random partners reach what they are meant to reach.

use insights_tests::differential::question::{Values, questions};
use insights_tests::differential::random::Random;
use insights_tests::differential::random_partner::make;
use insights_tests::differential::run::naive_facts;
use serde_json::Value;
use std::collections::BTreeMap;

/// How often something was seen in answers.
#[derive(Default)]
struct Seen(BTreeMap<String, usize>);

impl Seen {
    fn count(&mut self, name: &str, value: &Value) {
        let told = match value {
            Value::Number(number) => number.as_f64().is_some_and(|n| n != 0.0),
            Value::String(_) => true,
            Value::Bool(flag) => *flag,
            _ => false,
        };
        *self.0.entry(name.to_owned()).or_default() += usize::from(told);
    }
}

#[test]
fn random_partners_show_every_figure_reason_and_source() {
    let mut seen = Seen::default();
    let mut values = 0;
    for seed in 0..24 {
        let partner = make(seed);
        let naive = naive_facts(&partner);
        for question in questions(&mut Random::new(seed), &Values(&naive), &partner.months, 10) {
            let explain = question.command == "explain";
            let query = question.query();
            let rows = if explain { naive::explain(&naive, &query) } else { naive::answer(&naive, &query) };
            for row in rows.unwrap_or_default() {
                for (name, value) in row.as_object().unwrap() {
                    values += 1;
                    match value {
                        Value::Object(reasons) => reasons.iter().for_each(|(reason, count)| seen.count(reason, count)),
                        Value::String(source) if name == "source" => seen.count(source, value),
                        _ => seen.count(name, value),
                    }
                }
            }
        }
    }
    let mut expected: Vec<&str> = [naive::query::BY_SEAT.as_slice(), &naive::query::OTHER_MEASURES].concat();
    expected.extend([
        "TRIAL",
        "NOT_IN_GOOD_STANDING",
        "FREE",
        "LICENSE_TRANSFERRED",
        "UNLICENSED_USE",
        "OVER_ASSIGNED",
    ]);
    expected.extend(["covered", "computed", "reported", "mixed", "partial", "redacted", "currency"]);
    println!("{values} values: {:?}", seen.0);
    for name in expected {
        assert!(seen.0.get(name).is_some_and(|n| *n > 5), "{name} is hardly ever seen: {:?}", seen.0.get(name));
    }
    assert!(values > 50_000, "{values} values");
}

#[test]
fn a_seed_makes_the_same_partner_again() {
    assert_eq!(make(5).files, make(5).files);
    assert_ne!(make(5).files, make(6).files);
}
