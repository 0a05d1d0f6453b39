//! All figures of an installation against those of the naive implementation.

use std::net::SocketAddr;

use insights_access::Role;
use naive::{answer, explain};
use serde_json::Value;

use super::{
    Place,
    facts::{Batch, MONTHS},
    ledger::Inner,
};
use crate::differential::{
    compare::compare,
    question::{Question, Values, questions},
    random::Random,
};

/// What was compared, and what differs.
#[derive(Debug, Default)]
pub struct Compared {
    /// Values.
    pub cells: usize,
    /// What differs, in words.
    pub differences: Vec<String>,
}

/// The naive implementation over everything that was acknowledged.
#[must_use]
pub fn naive_facts(ledger: &Inner) -> naive::Facts {
    let mut all = naive::Ledger::new("2026-01-01T12:00:00Z".parse().expect("a time"));
    for number in &ledger.acknowledged {
        all.receive(&Batch::make(*number).lines());
    }
    naive::Facts::of(&all)
}

/// Asks a server through the command line and compares.
#[must_use]
pub fn compare_all(place: &Place, server: SocketAddr, facts: &naive::Facts, seed: u64, extra: usize) -> Compared {
    let months = (MONTHS.0.to_owned(), MONTHS.1.to_owned());
    let mut compared = Compared::default();
    for question in questions(&mut Random::new(seed), &Values(facts), &months, extra) {
        let query = question.query();
        let expected = if question.command == "explain" { explain(facts, &query) } else { answer(facts, &query) };
        match (ask(place, server, &question), expected) {
            (Ok(theirs), Ok(ours)) => {
                let outcome = compare(&theirs, &ours, &query.by);
                compared.cells += outcome.cells;
                let said = outcome.differences.into_iter().take(2);
                compared.differences.extend(said.map(|what| format!("{}: {what}", question.args.join(" "))));
            }
            (Err(theirs), Err(_)) if theirs.contains("INVALID_ARGUMENT") => {}
            (theirs, ours) => {
                let (theirs, ours) = (theirs.map(|rows| rows.len()), ours.map(|rows| rows.len()));
                compared.differences.push(format!("{}: {theirs:?} and not {ours:?}", question.args.join(" ")));
            }
        }
    }
    compared
}

fn ask(place: &Place, server: SocketAddr, question: &Question) -> Result<Vec<Value>, String> {
    let args: Vec<&str> = std::iter::once(question.command).chain(question.args.iter().map(String::as_str)).collect();
    let caller = &question.caller;
    let role = match caller.role {
        "report_viewer" => Role::ReportViewer,
        "executive_report_viewer" => Role::ExecutiveReportViewer,
        "admin_agent" => Role::AdminAgent,
        _ => Role::GlobalAdmin,
    };
    run(place, server, &place.token("asker", role, &caller.locations), &args)
        .and_then(|text| serde_json::from_str(&text).map_err(|error| format!("{error}: {text}")))
}

/// What `insights verify` says: how many figures were compared, and how many differ.
#[must_use]
pub fn verify(place: &Place, server: SocketAddr) -> (u64, u64) {
    let token = place.token("asker", Role::GlobalAdmin, &[]);
    let said = match run(place, server, &token, &["verify"]) {
        Ok(said) | Err(said) => said,
    };
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("verify: {said}"));
    (said["compared"].as_u64().unwrap_or_default(), said["differences"].as_u64().unwrap_or(u64::MAX))
}

/// Runs a client command; what it wrote, on either of its ends.
fn run(place: &Place, server: SocketAddr, token: &str, args: &[&str]) -> Result<String, String> {
    let file = place.beside("asker.jwt");
    insights_testkit::write_secret(&file, token).expect("the token is written");
    let url = format!("http://{server}");
    let file = file.display().to_string();
    let output = place.run(&[args, &["--json", "--server", &url, "--token-file", &file]].concat(), &[]);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    match output.status.success() {
        true => Ok(text(output.stdout)),
        false if !output.stdout.is_empty() => Err(text(output.stdout)),
        false => Err(text(output.stderr)),
    }
}
