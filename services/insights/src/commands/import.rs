//! `insights import`.

use std::path::{Path, PathBuf};

use insights_domain::calendar::Month;
use insights_service::Clock;

use crate::{
    cli,
    client::{
        Caller,
        import::{How, Summary, import},
    },
    commands::generate::today,
    failure::Failure,
    generate::KINDS,
    import::{Format, Options},
    output,
};

/// A month, as flags spell it.
pub fn month(text: &str) -> Result<Month, String> {
    text.parse().map_err(|fault| format!("{fault}"))
}

/// Imports files.
pub async fn run(caller: &Caller, clock: &Clock, command: &cli::Import, json: bool) -> Result<(), Failure> {
    let Some(format) = command.format else {
        return Err(Failure::Usage("name the format of the files".into()));
    };
    if command.kind.is_some() && !matches!(format, Format::Csv | Format::Parquet) {
        let format = name(format);
        return Err(Failure::Usage(format!("the files of {format} say themselves what is in them: leave --kind out")));
    }
    if command.customer.is_some() || command.month.is_some() {
        let format = name(format);
        return Err(Failure::Usage(format!(
            "the files of {format} name customers and months themselves: leave --customer and --month out"
        )));
    }
    let files = files(format, &command.files)?;
    let how = How {
        format,
        options: Options { kind: command.kind, ..Options::on(today(clock)) },
        dry_run: command.dry_run,
        wait: !command.no_wait,
    };
    let summary = import(caller, &files, how).await?;
    for note in &summary.notes {
        eprintln!("{note}");
    }
    if json {
        output::print_json(&summary)?;
    } else {
        print(&summary, command.dry_run)?;
    }
    if !summary.failures.is_empty() {
        return Err(Failure::Failed(summary.failures.join("\n")));
    }
    if command.strict && summary.rejected > 0 {
        return Err(Failure::Failed(format!("{} rows were rejected", summary.rejected)));
    }
    Ok(())
}

fn name(format: Format) -> String {
    use clap::ValueEnum as _;
    format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// A directory stands for its files of records, in an order in which little has to wait.
fn files(format: Format, given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in given {
        let unreadable =
            |error: std::io::Error| Failure::because(&format!("{} cannot be read", path.display()), &error);
        if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            files.push(path.clone());
            continue;
        }
        if format != Format::Ndjson {
            return Err(Failure::Usage(format!("{} is a directory: name the files in it", path.display())));
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if file.extension().is_some_and(|extension| extension == "ndjson") {
                found.push(file);
            }
        }
        found.sort_by_key(|file| (rank(file), file.clone()));
        files.extend(found);
    }
    Ok(files)
}

fn rank(file: &Path) -> usize {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    KINDS.iter().position(|kind| *kind == stem).unwrap_or(KINDS.len())
}

fn print(summary: &Summary, dry_run: bool) -> Result<(), Failure> {
    for listed in &summary.rejections {
        let file = listed.file.as_ref().map(|file| format!("{file}: ")).unwrap_or_default();
        let rejection = &listed.rejection;
        eprintln!("{file}row {}: {}: {}", rejection.row, rejection.field, rejection.reason);
    }
    let count = |number: u64| output::grouped(number.cast_signed());
    let mut text = format!(
        "{} accepted, {} duplicates, {} rejected",
        count(summary.accepted),
        count(summary.duplicates),
        count(summary.rejected)
    );
    if summary.waiting > 0 {
        text.push_str(&format!(", {} of the accepted wait for what they refer to", count(summary.waiting)));
    }
    match summary.version {
        _ if dry_run => text.push_str("; nothing was stored"),
        Some(version) => text.push_str(&format!("; version {version}")),
        None => {}
    }
    output::print(&format!("{text}\n"))
}
