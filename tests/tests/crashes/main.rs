//! Real processes, killed at any moment and at chosen ones, while writers and readers go on: what was acknowledged is stored, nothing
//! counts twice, the figures are those of the naive implementation, and they agree with the facts.
//!
//! `INSIGHTS_LONG=1` kills each service 200 times instead of 10; `INSIGHTS_SEED=N` draws other moments; `INSIGHTS_TEST_LOG=1` shows what
//! the processes say.
#![allow(clippy::unwrap_used, reason = "tests")]

mod guards;
mod harness;

use harness::{Harness, Plan};
use insights_tests::running::{Kind, Place, long};

fn kills() -> usize {
    if long() { 200 } else { 10 }
}

#[test]
fn three_services_on_postgres_lose_nothing() {
    let plan = Plan {
        kinds: vec![(Kind::Ingestion, 2), (Kind::Metrics, 2), (Kind::Reporting, 2)],
        kills: kills(),
        batches: if long() { 900 } else { 250 },
        writers: 3,
    };
    Harness::start(Place::postgres(), plan).run("PostgreSQL");
}

#[test]
fn one_process_on_sqlite_loses_nothing() {
    let plan = Plan {
        kinds: vec![(Kind::Everything, 1)],
        kills: kills(),
        batches: if long() { 900 } else { 250 },
        writers: 2,
    };
    Harness::start(Place::sqlite(), plan).run("SQLite");
}
