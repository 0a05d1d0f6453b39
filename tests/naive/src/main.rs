//! Answers a question from files of records: `naive query|explain RFC3339-NOW FILE… RFC3339-LATER FILE… -- ARGUMENTS OF INSIGHTS
//! QUERY`. A time among the files is the one from which on files are received.

use chrono::{DateTime, Utc};
use naive::{Facts, Ledger, Query, answer, explain};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let usage = "naive query|explain NOW FILE… LATER FILE… -- ARGUMENTS";
    let time = |text: &str| DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc));
    let cut = args.iter().position(|arg| arg == "--").ok_or(usage)?;
    let [what, now, files @ ..] = &args[..cut] else { return Err(usage.into()) };
    let mut ledger = Ledger::new(time(now)?);
    for file in files {
        match time(file) {
            Ok(later) => ledger.at(later),
            Err(_) => ledger.receive(&std::fs::read_to_string(file)?),
        }
    }
    for (line, fault) in &ledger.rejected {
        eprintln!("rejected: {fault}: {line}");
    }
    let query = Query::parse(&args[cut + 1..])?;
    let facts = Facts::of(&query.as_of.map_or(ledger.clone(), |time| ledger.as_of(time)));
    let rows = if what == "explain" { explain(&facts, &query)? } else { answer(&facts, &query)? };
    println!("{}", serde_json::to_string_pretty(&rows)?);
    Ok(())
}
