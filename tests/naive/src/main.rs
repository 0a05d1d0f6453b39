//! Answers a question from files of records: `naive RFC3339-NOW query|explain FILE… -- ARGUMENTS OF INSIGHTS QUERY`.

use naive::{Ledger, Query, World, answer, explain};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let usage = "naive NOW query|explain FILE… -- ARGUMENTS";
    let cut = args.iter().position(|arg| arg == "--").ok_or(usage)?;
    let [now, what, files @ ..] = &args[..cut] else { return Err(usage.into()) };
    let mut ledger = Ledger::new(chrono::DateTime::parse_from_rfc3339(now)?.with_timezone(&chrono::Utc));
    for file in files {
        ledger.receive(&std::fs::read_to_string(file)?);
    }
    for (line, fault) in &ledger.rejected {
        eprintln!("rejected: {fault}: {line}");
    }
    let (world, query) = (World::of(&ledger), Query::parse(&args[cut + 1..])?);
    let rows = if what == "explain" { explain(&world, &query)? } else { answer(&world, &query)? };
    println!("{}", serde_json::to_string_pretty(&rows)?);
    Ok(())
}
