//! Two products that differ only in revenue, only in personal data, or only in what is attributed to other locations look the
//! same to roles that may not see it: every answer, order, error, page token, exported file and log line is equal byte by byte.

mod callers;
mod calls;
mod elsewhere;
mod exported;
mod logs;
mod seeded_product;
mod told;

use std::collections::BTreeSet;

use callers::{CALLERS, Sees};
use logs::Logs;
use seeded_product::{SeededProduct, Variant};
use told::{Told, differences};

use crate::table::{Group, METHODS};

/// Everything every caller is told of a seeded, and what was logged meanwhile.
async fn everything(variant: Variant, logs: &Logs) -> (Vec<Told>, BTreeSet<String>) {
    logs.clear();
    let seeded = SeededProduct::start(variant).await;
    let mut told = Vec::new();
    for caller in &CALLERS {
        let token = seeded.token(caller);
        let page_tokens = calls::everything(&seeded, caller, &token, &mut told).await;
        exported::everything(&seeded, caller, &token, page_tokens, &mut told).await;
    }
    (told, logs.lines())
}

/// What those who do not see the class are told differently, and what those who do.
fn split(one: &[Told], other: &[Told], sees: impl Fn(&Sees) -> bool) -> (Vec<String>, usize) {
    let (mut hidden, mut seen) = (Vec::new(), 0);
    for (caller, difference) in differences(one, other) {
        if sees(&caller.sees) { seen += 1 } else { hidden.push(difference) }
    }
    (hidden, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn products_that_differ_in_a_class_are_the_same_without_it() {
    let logs = Logs::capture();
    let long = std::env::var_os("INSIGHTS_LONG").is_some();
    let rounds: u64 = if long { 20 } else { 1 };
    for round in 0..rounds {
        let base = Variant { revenue: 2 * round, personal: 2 * round, elsewhere: 2 * round };
        let (told, logged) = everything(base, &logs).await;
        every_method_is_called(&told);
        println!("round {round}: {} answers to {} callers, {} lines of log", told.len(), CALLERS.len(), logged.len());

        // That the products below differ in nothing else says as much, but this says it first.
        if round == 0 && long {
            let (again, logged_again) = everything(base, &logs).await;
            let all: Vec<String> = differences(&told, &again).into_iter().map(|(_, what)| what).collect();
            assert!(all.is_empty(), "the same seeded twice: {}", some(&all));
            assert_eq!(logs::differences(&logged, &logged_again), Vec::<String>::new(), "the same seeded twice");
        }
        let personal = Variant { personal: base.personal + 1, ..base };
        let elsewhere = Variant { elsewhere: base.elsewhere + 1, ..base };
        let revenue = Variant { revenue: base.revenue + 1, ..base };
        hidden_from(&told, &logged, revenue, &logs, "revenue", |sees| sees.revenue).await;
        hidden_from(&told, &logged, personal, &logs, "personal data", |sees| sees.personal).await;
        hidden_from(&told, &logged, elsewhere, &logs, "another location", |sees| sees.elsewhere).await;
    }
}

/// Who sees a class is told of another variant differently, everybody else the same.
async fn hidden_from(
    told: &[Told],
    logged: &BTreeSet<String>,
    variant: Variant,
    logs: &Logs,
    what: &str,
    sees: impl Fn(&Sees) -> bool,
) {
    let (others, logged_others) = everything(variant, logs).await;
    let (hidden, seen) = split(told, &others, sees);
    println!("{what}: {seen} answers differ for who sees it, {} for others", hidden.len());
    assert!(seen > 0, "who sees {what} sees that it differs");
    assert!(hidden.is_empty(), "{what} shows: {}", some(&hidden));
    assert_eq!(logs::differences(logged, &logged_others), Vec::<String>::new(), "{what} is logged");
}

/// The first differences.
fn some(differences: &[String]) -> String {
    format!("{} answers\n{}", differences.len(), differences.iter().take(20).cloned().collect::<Vec<_>>().join("\n"))
}

/// Fails for a method that is not called here, so that a new method must be added.
fn every_method_is_called(told: &[Told]) {
    let called: BTreeSet<&str> = told.iter().map(|told| told.path.as_str()).collect();
    let people = METHODS.iter().filter(|(_, group)| *group != Group::Services).map(|(path, _)| *path);
    let missing: Vec<&str> = people.filter(|path| !called.contains(path) && !NOT_CALLED.contains(path)).collect();
    assert!(missing.is_empty(), "nobody calls {missing:?} here");
}

/// A stream of what `IngestBatch` takes and answers; and what is for who sees everything, with confirmations that are sealed by the
/// product that gave them.
const NOT_CALLED: [&str; 4] = [
    "/insights.ingestion.v1.IngestionService/IngestStream",
    "/insights.reporting.v1.ReportingService/PreviewErasure",
    "/insights.reporting.v1.ReportingService/Erase",
    "/insights.reporting.v1.ReportingService/AllowErased",
];
