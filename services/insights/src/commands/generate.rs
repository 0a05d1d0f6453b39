//! `insights generate`.

use insights_domain::calendar::Day;
use insights_generate::{Options, Writer, generate};
use insights_service::Clock;
use serde_json::json;

use crate::{cli, failure::Failure, output};

/// A day, as flags spell it.
pub fn day(text: &str) -> Result<Day, String> {
    text.parse().map_err(|fault| format!("{fault}"))
}

/// Today in UTC, the time zone of what is generated.
pub fn today(clock: &Clock) -> Day {
    Day::of_instant(clock.now(), chrono_tz::UTC)
}

/// Writes a partner into a directory.
pub fn run(clock: &Clock, command: &cli::Generate, json: bool) -> Result<(), Failure> {
    let options = Options {
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
