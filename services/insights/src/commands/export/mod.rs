//! `insights export`.

mod args;
mod download;

use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::ProgressBar;
use insights_messages::{Language, Sentence, title};
use insights_proto::metrics::v1::Measure;
use insights_proto::reporting::v1::{
    CancelExportRequest, CreateExportRequest, DeleteExportRequest, Export, ExportFormat, ExportOrder, ExportReport,
    ExportState, GetExportRequest, ListExportsRequest, PreviewExportRequest,
};
use prost_types::Timestamp;
use serde_json::{Value, json};

pub use self::args::ExportCommand;
use self::{
    args::{CreateExportArgs, ExportOrderArgs, FileFormatName, ReportName},
    download::download,
};
use crate::{client::Caller, failure::Failure, output};

/// A call that is answered at once is, within this time.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often a file that is being written is asked about.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// Exports asked for at a time.
const PAGE: i32 = 200;

/// Orders, lists, fetches, stops and removes exports.
pub async fn run(caller: &Caller, command: ExportCommand, language: Language, json: bool) -> Result<(), Failure> {
    match command {
        ExportCommand::Create(create) => self::create(caller, create, language, json).await,
        ExportCommand::Preview(ordered) => preview(caller, &ordered, language, json).await,
        ExportCommand::List => list(caller, language, json).await,
        ExportCommand::Get(one) => show(&get(caller, &one.id).await?, language, json),
        ExportCommand::Download(wanted) => {
            let export = get(caller, &wanted.id).await?;
            fetch(caller, &export, wanted.out.as_deref(), wanted.manifest, json).await
        }
        ExportCommand::Cancel(one) => {
            let request = caller.request(CancelExportRequest { id: one.id }, DEADLINE);
            let answer = caller.reporting().cancel_export(request).await?.into_inner();
            show(&answer.export.unwrap_or_default(), language, json)
        }
        ExportCommand::Delete(one) => {
            let request = caller.request(DeleteExportRequest { id: one.id.clone() }, DEADLINE);
            caller.reporting().delete_export(request).await?;
            if json { output::print_json(&json!({"id": one.id, "deleted": true})) } else { Ok(()) }
        }
    }
}

fn order(ordered: &ExportOrderArgs) -> Result<ExportOrder, Failure> {
    let format = match ordered.format {
        FileFormatName::Csv => ExportFormat::Csv,
        FileFormatName::Tsv => ExportFormat::Tsv,
        FileFormatName::Xlsx => ExportFormat::Xlsx,
        FileFormatName::Parquet => ExportFormat::Parquet,
    };
    let mut query = ordered.shape.query(ordered.report.map(|_| Measure::Customers))?;
    if ordered.report.is_some() {
        // The report has its own.
        query.measures.clear();
    }
    let report = match ordered.report {
        None => ExportReport::Unspecified,
        Some(ReportName::Customers) => ExportReport::Customers,
        Some(ReportName::Subscriptions) => ExportReport::Subscriptions,
        Some(ReportName::OfficeUsage) => ExportReport::OfficeUsage,
        Some(ReportName::DynamicsUsage) => ExportReport::DynamicsUsage,
        Some(ReportName::LicenceUsage) => ExportReport::LicenceUsage,
    };
    Ok(ExportOrder {
        query: Some(query),
        format: format.into(),
        name: ordered.name.clone(),
        report: report.into(),
        columns: ordered.columns.clone(),
    })
}

async fn create(caller: &Caller, create: CreateExportArgs, language: Language, json: bool) -> Result<(), Failure> {
    let message = CreateExportRequest {
        request_id: create.request_id,
        order: Some(order(&create.ordered)?),
        min_version: create.ordered.shape.min_version,
    };
    let answer = caller.reporting().create_export(caller.request(message, DEADLINE)).await?.into_inner();
    let mut export = answer.export.unwrap_or_default();
    if create.wait || create.out.is_some() {
        export = wait(caller, &export.id).await?;
    }
    match (&create.out, export.state()) {
        (_, ExportState::Failed) => Err(Failure::Failed(format!("FAILED_PRECONDITION: {}", export.failure))),
        (_, ExportState::Cancelled) => Err(Failure::Failed("CANCELLED: the export was stopped".into())),
        (Some(out), _) => fetch(caller, &export, Some(out), false, json).await,
        (None, _) => show(&export, language, json),
    }
}

/// The export once it has ended.
async fn wait(caller: &Caller, id: &str) -> Result<Export, Failure> {
    let bar = ProgressBar::new(100);
    loop {
        let export = get(caller, id).await?;
        bar.set_position(u64::try_from(export.progress_percent).unwrap_or_default());
        if !matches!(export.state(), ExportState::Waiting | ExportState::Running) {
            bar.finish_and_clear();
            return Ok(export);
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

async fn preview(caller: &Caller, ordered: &ExportOrderArgs, language: Language, json: bool) -> Result<(), Failure> {
    let message = PreviewExportRequest { order: Some(order(ordered)?), min_version: ordered.shape.min_version };
    let answer = caller.reporting().preview_export(caller.request(message, DEADLINE)).await?.into_inner();
    let rows: Vec<Vec<String>> = answer.rows.into_iter().map(|row| row.cells).collect();
    if json {
        let columns = answer.columns;
        return output::print_json(
            &json!({"columns": columns, "rows": rows, "more": answer.more, "redacted": answer.redacted}),
        );
    }
    let names: Vec<&str> = answer.columns.iter().map(String::as_str).collect();
    output::print(&output::table(&names, &rows, &vec![false; names.len()]))?;
    if answer.more {
        eprintln!("{}", Sentence::MoreRows.say(language, &[]));
    }
    if answer.redacted {
        eprintln!("{}", Sentence::Redacted.say(language, &[]));
    }
    Ok(())
}

async fn list(caller: &Caller, language: Language, json: bool) -> Result<(), Failure> {
    let (mut exports, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = caller.request(ListExportsRequest { page_size: PAGE, page_token }, DEADLINE);
        let page = caller.reporting().list_exports(request).await?.into_inner();
        exports.extend(page.exports);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if json {
        return output::print_json(&exports.iter().map(object).collect::<Vec<_>>());
    }
    let row = |export: &Export| {
        vec![
            export.id.clone(),
            title(language, export.state().as_str_name()).to_lowercase(),
            format!("{} %", export.progress_percent),
            language.number(export.rows),
            language.number(export.bytes),
            export.file_name.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = exports.iter().map(row).collect();
    let right = [false, false, true, true, true, false];
    let columns =
        ["id", "state", "progress_percent", "rows", "bytes", "file_name"].map(|name| label(name).say(language, &[]));
    output::print(&output::table(&columns.each_ref().map(String::as_str), &rows, &right))
}

async fn get(caller: &Caller, id: &str) -> Result<Export, Failure> {
    let request = caller.request(GetExportRequest { id: id.to_owned() }, DEADLINE);
    Ok(caller.reporting().get_export(request).await?.into_inner().export.unwrap_or_default())
}

async fn fetch(
    caller: &Caller,
    export: &Export,
    out: Option<&Path>,
    manifest: bool,
    json: bool,
) -> Result<(), Failure> {
    let to = target(export, out)?;
    let export = download(caller, export, &to).await?;
    if manifest {
        let beside = PathBuf::from(format!("{}.manifest.json", to.display()));
        let failed = |error: std::io::Error| Failure::because(&beside.display().to_string(), &error);
        std::fs::write(&beside, &export.manifest).map_err(failed)?;
    }
    if json {
        let mut said = object(&export);
        said["path"] = Value::from(to.display().to_string());
        return output::print_json(&said);
    }
    output::print(&format!("{}\n", to.display()))
}

/// Where the file goes. The server's name for it is one name, whatever the server says.
fn target(export: &Export, out: Option<&Path>) -> Result<PathBuf, Failure> {
    let named = Path::new(&export.file_name).file_name().map(PathBuf::from);
    let named = named.ok_or_else(|| Failure::Failed("the export has no name; say where to with --out".into()))?;
    Ok(match out {
        Some(out) if out.is_dir() => out.join(named),
        Some(out) => out.to_owned(),
        None => named,
    })
}

fn state(export: &Export) -> String {
    export.state().short_name()
}

fn show(export: &Export, language: Language, json: bool) -> Result<(), Failure> {
    let object = object(export);
    if json {
        return output::print_json(&object);
    }
    let said = object.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let percent = |name: &str, text: String| if name == "progress_percent" { format!("{text} %") } else { text };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows: Vec<Vec<String>> =
        said.map(|(name, value)| vec![label(name).say(language, &[]), percent(name, text(value))]).collect();
    output::print(&output::table(&[&Sentence::Export.say(language, &[]), ""], &rows, &[false; 2]))
}

/// What a field of an export is called.
fn label(field: &str) -> Sentence {
    match field {
        "state" => Sentence::ExportStateOf,
        "progress_percent" => Sentence::ExportWritten,
        "rows" => Sentence::Rows,
        "bytes" => Sentence::ExportBytes,
        "sha256" => Sentence::ExportSha256,
        "version" => Sentence::ExportVersion,
        "complete_through" => Sentence::ExportComplete,
        "redacted" => Sentence::AuditRedacted,
        "file_name" => Sentence::ExportFile,
        "attempts" => Sentence::ExportAttempts,
        "failure" => Sentence::ExportFailure,
        "create_time" => Sentence::ExportCreated,
        "end_time" => Sentence::ExportEnded,
        "expire_time" => Sentence::ExportExpires,
        _ => Sentence::ExportId,
    }
}

fn object(export: &Export) -> Value {
    let text = |text: &str| if text.is_empty() { Value::Null } else { Value::from(text) };
    let done = export.state() == ExportState::Done;
    json!({
        "id": export.id,
        "state": state(export),
        "progress_percent": export.progress_percent,
        "rows": export.rows,
        "bytes": if done { Value::from(export.bytes) } else { Value::Null },
        "sha256": text(&export.sha256),
        "version": if done { Value::from(export.version) } else { Value::Null },
        "complete_through": text(&export.complete_through),
        "redacted": export.redacted,
        "file_name": export.file_name,
        "attempts": export.attempts,
        "failure": text(&export.failure),
        "create_time": time(export.create_time.as_ref()),
        "end_time": time(export.end_time.as_ref()),
        "expire_time": time(export.expire_time.as_ref()),
    })
}

fn time(time: Option<&Timestamp>) -> Value {
    let time = time.and_then(|time| chrono::DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).ok()?));
    time.map_or(Value::Null, |time| Value::from(time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)))
}
