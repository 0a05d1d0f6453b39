//! The partner that `insights generate` makes has customers with trouble to find: advice finds them, and says little of the
//! others.

use insights_testkit::insights;
use insights_tests::differential::product::Product;
use insights_tests::differential::question::Caller;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const CUSTOMERS: u32 = 160;

fn advice() -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let made = insights()
        .args(["generate", "--customers", &CUSTOMERS.to_string(), "--months", "24", "--seed", "1"])
        .args(["--end", "2025-06-15", "--out"])
        .arg(folder.path())
        .output()
        .expect("a partner");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let product = Product::start(false, "2025-07-01T12:00:00Z");
    let files = folder.path().to_string_lossy();
    let imported = product.client("acme", &Caller::admin(), &["import", "ndjson", &files]);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let agent = Caller { role: "sales_agent", locations: Vec::new() };
    let printed = product.client("acme", &agent, &["report", "advice"]);
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    serde_json::from_slice(&printed.stdout).expect("JSON")
}

#[test]
fn advice_finds_the_customers_with_trouble() {
    let answer = advice();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let text = |of: &Value| of.as_str().expect("a text").to_owned();
    for one in answer["advice"].as_array().expect("a list") {
        found.entry(text(&one["customer"])).or_default().insert(text(&one["code"]));
    }
    println!("{}", answer["counts"]);
    assert_eq!(answer["counts"].as_object().map(|counts| counts.len()), Some(7), "every rule finds something");
    // As the generator hides them: at which of every forty customers what is wrong.
    let hidden: [(u32, &[&str]); 5] = [
        (3, &["LOW_ADOPTION"]),
        (9, &["IDLE_SEATS", "LOW_ADOPTION"]),
        (15, &["STEADY_DECLINE", "LOW_ADOPTION", "IDLE_SEATS"]),
        (27, &["SEATS_NEARLY_EXHAUSTED"]),
        (33, &["HOW_TO_CASES"]),
    ];
    let id = |index: u32| format!("C-{:05}", index + 1);
    let said = |index: u32| found.get(&id(index)).cloned().unwrap_or_default();
    for (place, codes) in hidden {
        let customers: Vec<u32> = (0..CUSTOMERS).filter(|index| index % 40 == place).collect();
        let hits = customers.iter().filter(|index| codes.iter().any(|code| said(**index).contains(*code))).count();
        println!("{codes:?}: {hits} of {}", customers.len());
        // Chance makes a customer look better than it is, now and then.
        assert!(
            hits * 4 >= customers.len() * 3,
            "{codes:?} at {:?}",
            customers.iter().map(|index| (id(*index), said(*index))).collect::<Vec<_>>()
        );
    }
    let troubled = [3, 9, 15, 21, 27, 33, 38];
    let others: Vec<u32> = (0..CUSTOMERS).filter(|index| !troubled.contains(&(index % 40))).collect();
    // An offer to make is no trouble.
    let offers = ["TRIAL_ENDING", "SEATS_NEARLY_EXHAUSTED"];
    let blamed: Vec<_> = others
        .iter()
        .map(|index| (id(*index), said(*index)))
        .filter(|(_, codes)| codes.iter().any(|code| !offers.contains(&code.as_str())))
        .collect();
    println!("of {} others {}: {blamed:?}", others.len(), blamed.len());
    assert!(blamed.len() * 10 <= others.len(), "{blamed:?}");
}
