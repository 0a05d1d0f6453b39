//! `insights generate`.

use clap::Args;
use insights_domain::calendar::Day;
use insights_generate::{GenerateOptions, Writer, generate};
use insights_service::Clock;
use serde_json::json;

use crate::{failure::Failure, output};

/// `insights generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// How many customers.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub customers: u32,
    /// How many months, the month of --end included.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=120))]
    pub months: u32,
    /// The same seed gives the same partner.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The directory to write to; one file per kind.
    #[arg(long, value_name = "DIR")]
    pub out: std::path::PathBuf,
    /// The last day with data, YYYY-MM-DD [default: today].
    #[arg(long, value_parser = day)]
    pub end: Option<insights_domain::calendar::Day>,
}

/// A day, as flags spell it.
pub fn day(text: &str) -> Result<Day, String> {
    text.parse().map_err(|fault| format!("{fault}"))
}

/// Today in UTC, the time zone of what is generated.
pub fn today(clock: &Clock) -> Day {
    Day::of_instant(clock.now(), chrono_tz::UTC)
}

/// Writes a partner into a directory.
pub fn run(clock: &Clock, command: &GenerateArgs, json: bool) -> Result<(), Failure> {
    let options = GenerateOptions {
        customers: command.customers,
        months: command.months,
        seed: command.seed,
        end: command.end.unwrap_or_else(|| today(clock)),
    };
    let failed = |error: std::io::Error| Failure::because(&command.out.display().to_string(), &error);
    let mut writer = Writer::new(&command.out).map_err(failed)?;
    let made = generate(&options, &mut writer);
    let (records, files) = writer.finish().map_err(failed)?;
    if made.is_err() {
        return Err(Failure::Failed("the records could not be written".into()));
    }
    let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    if json {
        return output::print_json(&json!({"records": records, "files": files}));
    }
    eprintln!("{records} records up to {}; take them in with", options.end);
    output::print(&format!("insights import ndjson {}\n", files.join(" ")))
}
