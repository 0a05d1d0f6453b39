//! The benches' command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use insights_benches::{Failure, Options, Scenario, cube, daily_feed, exports, freshness, loading, queries};

/// Measures the product through its door against its peers, in the same run, alternating. P1 to P10 and P14 are budgets, defined in
/// tests/benches/README.md.
#[derive(Parser)]
#[command(name = "insights-bench")]
struct Arguments {
    /// What to measure.
    bench: Bench,
    /// How large: tiny, S, M, L [default: L for `queries`, `cube` and `exports`, M for the others].
    #[arg(long)]
    scale: Option<Scenario>,
    /// How often product and peers take their turns.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=12))]
    rounds: u8,
    /// The product's program [default: `insights` beside this one].
    #[arg(long)]
    insights: Option<PathBuf>,
    /// Facts of activity in a batch, and rows in a transaction of COPY.
    #[arg(long, default_value_t = 100_000)]
    batch: usize,
    /// Length of the steady feed of `freshness` in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Batches a second of the steady feed of `freshness`.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// Leave DuckDB out.
    #[arg(long)]
    no_duckdb: bool,
    /// A Python 3 that has DuckDB, or makes an environment with it.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Print JSON instead of a table, which then goes to stderr.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bench {
    /// P1: a day's activity against COPY.
    DailyFeed,
    /// P5: from acknowledged to visible.
    Freshness,
    /// P6: questions against DuckDB and PostgreSQL.
    Queries,
    /// P8 and P9: the cube in memory.
    Cube,
    /// P10: files against COPY, and memory while they are written.
    Exports,
    /// P14: records other than activity against INSERT, and a file of seats on both engines.
    Loading,
}

/// The product's: what is measured in this process is measured as there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let usual = if matches!(arguments.bench, Bench::Queries | Bench::Cube | Bench::Exports) {
        Scenario::L
    } else {
        Scenario::M
    };
    let options = Options {
        rounds: arguments.rounds.into(),
        batch: arguments.batch,
        seconds: arguments.seconds,
        rate: arguments.rate,
        duckdb: !arguments.no_duckdb,
        python: arguments.python,
        ..Options::new(arguments.scale.unwrap_or(usual), arguments.insights)?
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        match arguments.bench {
            Bench::DailyFeed => daily_feed::run(&options).await,
            Bench::Freshness => freshness::run(&options).await,
            Bench::Queries => queries::run(&options).await,
            Bench::Cube => cube::run(&options),
            Bench::Exports => exports::run(&options).await,
            Bench::Loading => loading::run(&options).await,
        }
    })?;
    if arguments.json {
        eprint!("{report}");
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}
