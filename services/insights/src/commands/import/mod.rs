//! `insights import`.

mod args;
mod figures;
mod place;
mod plan;
pub mod template;

use insights_import::Unrecognised;
use insights_messages::Language;
use insights_service::Clock;

pub use self::args::ImportArgs;
use self::plan::{ImportPlan, Said};
use crate::{
    client::{
        Caller,
        import::{FileSummary, How, Summary, SummaryCounts, import, partner},
    },
    commands::generate::today,
    failure::Failure,
    output,
};

/// Imports files.
pub async fn run(
    caller: &Caller,
    clock: &Clock,
    command: &ImportArgs,
    language: Language,
    json: bool,
) -> Result<(), Failure> {
    let mut said = Said { command, today: today(clock), own_tenant: command.own_tenant.clone() };
    // What is wrong with the command line is said before the server is asked anything.
    let mut plan = said.plan()?;
    let how =
        How { dry_run: command.dry_run, wait: !command.no_wait, confirm: command.confirm, replace: command.replace };
    if said.own_tenant.is_none() && plan.sources.iter().any(|source| source.format.needs_customer()) {
        said.own_tenant = Some(partner(caller).await?);
        plan = said.plan()?;
    }
    let mut summary = Summary::default();
    announce(&plan, &mut summary);
    if !plan.sources.is_empty() {
        import(caller, &plan.sources, &how, &mut summary).await?;
    }
    for note in &summary.notes {
        eprintln!("{note}");
    }
    for warning in summary.figures.iter().flat_map(|moved| figures::warnings(moved, language)) {
        eprintln!("{warning}");
    }
    if json {
        output::print_json(&summary)?;
    } else {
        print(&summary, command.dry_run)?;
        if let Some(moved) = &summary.figures {
            output::print(&figures::table(moved, language))?;
        }
    }
    if !summary.failures.is_empty() {
        return Err(Failure::Failed(summary.failures.join("\n")));
    }
    if plan.sources.is_empty() {
        return Err(Failure::Failed("nothing was imported: no file was recognised".into()));
    }
    if command.strict && summary.rejected > 0 {
        return Err(Failure::Failed(format!("{} rows were rejected", summary.rejected)));
    }
    Ok(())
}

/// Says what each file is taken for, where nobody said so.
fn announce(plan: &ImportPlan, summary: &mut Summary) {
    for source in plan.sources.iter().filter(|_| plan.found_out) {
        let customer = source.options.customer.as_ref().map(|it| format!(" of customer {it}")).unwrap_or_default();
        let month = source.options.month.map(|it| format!(", {it}")).unwrap_or_default();
        eprintln!("{}: {}{customer}{month}", source.name(), source.format.name());
    }
    for (file, Unrecognised { reason, broken }) in &plan.unrecognised {
        if *broken {
            summary.failures.push(format!("{file}: {reason}"));
        } else {
            summary.notes.push(format!("{file}: not recognised, left out: {reason}"));
        }
        summary.files.push(FileSummary { file: file.clone(), ..FileSummary::default() });
    }
    summary.failures.extend(plan.failures.iter().cloned());
}

fn print(summary: &Summary, dry_run: bool) -> Result<(), Failure> {
    for listed in &summary.rejections {
        let file = listed.file.as_ref().map(|file| format!("{file}: ")).unwrap_or_default();
        let rejection = &listed.rejection;
        eprintln!("{file}row {}: {}: {}", rejection.row, rejection.field, rejection.reason);
    }
    let mut text = String::new();
    for file in summary.files.iter().filter(|file| file.format.is_some() && summary.files.len() > 1) {
        text.push_str(&format!("{}: {}\n", file.file, counts(file.counts)));
    }
    text.push_str(&counts(summary.counts()));
    if summary.waiting > 0 {
        text.push_str(&format!(", {} of the accepted wait for what they refer to", readable(summary.waiting)));
    }
    if summary.stubs_created > 0 {
        text.push_str(&format!(
            ", {} of the accepted stand in for what is only named",
            readable(summary.stubs_created)
        ));
    }
    match summary.version {
        _ if dry_run => text.push_str("; nothing was stored"),
        Some(version) => text.push_str(&format!("; version {version}")),
        None => {}
    }
    text.push('\n');
    for (reason, count) in &summary.rejected_by_reason {
        text.push_str(&format!("  {} rejected: {reason}\n", readable(*count)));
    }
    output::print(&text)
}

fn counts(counts: SummaryCounts) -> String {
    let SummaryCounts { accepted, duplicates, superseded, rejected } = counts;
    let mut text = format!(
        "{} accepted, {} duplicates, {} rejected",
        readable(accepted),
        readable(duplicates),
        readable(rejected)
    );
    if superseded > 0 {
        text.push_str(&format!(", {} change nothing because something newer stands", readable(superseded)));
    }
    text
}

/// Counts as people read them; the summary is in English.
fn readable(count: u64) -> String {
    Language::English.number(count.cast_signed())
}
