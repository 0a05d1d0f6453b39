//! Measures the product through its door: a real `insights serve` on a real PostgreSQL, called over gRPC with a token, against
//! what people would use instead, in the same run, alternating. P1 to P10 and P14 are budgets; `tests/benches/README.md` defines them.

mod check;
mod copy;
pub mod cube;
pub mod daily_feed;
mod dice;
mod duckdb;
pub mod exports;
mod feed;
mod feed_partner;
pub mod freshness;
mod insert;
mod load;
pub mod loading;
mod portfolio;
mod postgres;
mod processor;
mod product;
pub mod queries;
mod questions;
mod report;
mod scenario;
mod seats_file;

use std::path::PathBuf;

pub use report::{Figure, Report};
pub use scenario::Scenario;

/// What can go wrong in a bench: all of it ends the bench.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What every bench takes.
#[derive(Clone, Debug)]
pub struct Options {
    /// How large.
    pub scenario: Scenario,
    /// How often product and peers are measured in turn.
    pub rounds: usize,
    /// The product's program.
    pub insights: PathBuf,
    /// Facts of activity in a batch, and rows in a transaction of COPY.
    pub batch: usize,
    /// How long the steady feed of small batches lasts, in seconds.
    pub seconds: u64,
    /// Small batches a second.
    pub rate: u32,
    /// Whether DuckDB is among the peers.
    pub duckdb: bool,
    /// The Python that has DuckDB, or that makes an environment with it.
    pub python: PathBuf,
}

impl Options {
    /// Full measurements of a scenario with this program, or the one beside this.
    pub fn new(scenario: Scenario, insights: Option<PathBuf>) -> Result<Self, Failure> {
        Ok(Self {
            scenario,
            rounds: 5,
            insights: insights.map_or_else(product::beside_this_program, Ok)?,
            batch: 100_000,
            seconds: 60,
            rate: 10,
            duckdb: true,
            python: PathBuf::from("python3"),
        })
    }
}

/// Says on stderr what happens, so that results alone stand on stdout.
fn say(what: &str) {
    eprintln!("{what}");
}
