//! Imports files: reads them, sends batches, adds up what became of them, waits until the figures show it.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use insights_proto::{
    ingestion::v1::{GetFreshnessRequest, IngestBatchRequest, IngestBatchResponse, ListRejectionsRequest},
    reporting::v1 as reporting,
};
use serde::Serialize;
use tokio::sync::mpsc;
use tonic::{Code, Status};

use super::{
    Caller,
    batch::{Batch, Batcher, Limits},
    journal::Journal,
};
use crate::{
    failure::Failure,
    import::{self, Format, Notes, ReadError, RecordKind, Rejection, Stopped},
};

/// Batches read ahead of the one being sent.
const AHEAD: usize = 2;
/// A batch is answered in this time or sent again.
const BATCH_DEADLINE: Duration = Duration::from_secs(60);
/// How often a batch is sent before the import gives up.
const TRIES: u32 = 8;
/// How long an import waits in all until the figures show it.
const VISIBLE_WITHIN: Duration = Duration::from_secs(30 * 60);
/// Rejections listed; all are counted.
const LISTED: usize = 100_000;

/// How to import.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// What the files are.
    pub format: Format,
    /// What the readers must know.
    pub options: import::Options,
    /// Checks and counts, stores nothing.
    pub dry_run: bool,
    /// Waits until the figures show what was imported.
    pub wait: bool,
}

/// What became of an import.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// Records that changed something.
    pub accepted: u64,
    /// Records that changed nothing.
    pub duplicates: u64,
    /// Rows and records that were refused.
    pub rejected: u64,
    /// Why, in the order of the rows.
    pub rejections: Vec<Listed>,
    /// The partner's version afterwards; none after a dry run.
    pub version: Option<i64>,
    /// Accepted records that wait for what they refer to.
    pub waiting: u64,
    /// What the user should know besides.
    #[serde(skip)]
    pub notes: Vec<String>,
    /// Why some files could not be imported to their end.
    #[serde(skip)]
    pub failures: Vec<String>,
}

/// A rejection, and the file when there are several.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// The file; absent when only one was imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Row, field, reason.
    #[serde(flatten)]
    pub rejection: Rejection,
}

impl Summary {
    fn add(&mut self, answer: &IngestBatchResponse) {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        self.accepted += count(answer.accepted);
        self.duplicates += count(answer.duplicates);
        self.rejected += count(answer.rejected);
        self.waiting += count(answer.waiting);
        self.version = self.version.max(Some(answer.version));
    }

    fn list(&mut self, file: Option<&str>, rejection: Rejection) {
        if self.rejections.len() < LISTED {
            self.rejections.push(Listed { file: file.map(str::to_owned), rejection });
        }
    }
}

/// Imports files one after the other.
pub async fn import(caller: &Caller, files: &[PathBuf], how: How) -> Result<Summary, Failure> {
    let total: u64 = files.iter().filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum();
    let bar = ProgressBar::new(total).with_style(
        ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut summary = Summary::default();
    for file in files {
        let name = (files.len() > 1).then(|| file.display().to_string());
        let first = summary.rejections.len();
        let outcome = one(caller, file, name.as_deref(), how, &bar, &mut summary).await;
        summary.rejections[first..].sort_by_key(|listed| listed.rejection.row);
        if let Err(failure) = outcome {
            match failure {
                Failure::Failed(text) => summary.failures.push(format!("{}: {text}", file.display())),
                // The server is the same for all files.
                failure => return Err(failure),
            }
        }
    }
    if how.dry_run {
        summary.version = None;
    } else {
        if summary.version.is_none() {
            summary.version = Some(version(caller).await?);
        }
        if how.wait {
            bar.set_message("waiting until the figures show it");
            wait_until_visible(caller, summary.version.unwrap_or_default()).await?;
        }
    }
    bar.finish_and_clear();
    Ok(summary)
}

async fn one(
    caller: &Caller,
    file: &Path,
    name: Option<&str>,
    how: How,
    bar: &ProgressBar,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| Failure::because("cannot be read", &error);
    let what = format!("{} {:?} {:?}", caller.address, how.format, how.options.kind);
    let journal = if how.dry_run { None } else { Some(Journal::begin(&what, file).map_err(unreadable)?) };
    if journal.as_ref().is_some_and(|journal| journal.resumed) {
        summary.notes.push(format!("{}: went on with an import that had broken off", file.display()));
    }
    let read = Arc::new(AtomicU64::new(0));
    let input = File::open(file).map_err(unreadable)?;
    let mut input = BufReader::with_capacity(1 << 18, Counted { inner: input, read: Arc::clone(&read) });
    let (sender, mut batches) = mpsc::channel::<Batch>(AHEAD);
    let options = import::Options { named: RecordKind::of_file_name(file), ..how.options };
    let reader = tokio::task::spawn_blocking(move || {
        let mut batcher = Batcher::new(Limits::default(), |batch| sender.blocking_send(batch).map_err(|_| Stopped));
        let read = import::read(how.format, &mut input, &options, &mut batcher);
        // What was read before a fault is good all the same.
        batcher.flush()?;
        read
    });
    let before = bar.position();
    let mut position = 0;
    while let Some(batch) = batches.recv().await {
        let batch_id = journal.as_ref().map(|journal| journal.batch_id(position)).unwrap_or_default();
        send(caller, batch, batch_id, how.dry_run, name, summary).await?;
        position += 1;
        bar.set_position(before + read.load(Ordering::Relaxed));
    }
    match reader.await {
        Ok(Ok(notes)) => take_notes(notes, file, summary),
        Ok(Err(ReadError::Stopped)) => {}
        Ok(Err(error)) => return Err(Failure::Failed(error.to_string())),
        Err(error) => return Err(Failure::because("the reader failed", &error)),
    }
    if let Some(journal) = journal {
        journal.end();
    }
    Ok(())
}

/// Sends one batch and adds what became of it.
pub async fn send(
    caller: &Caller,
    mut batch: Batch,
    batch_id: String,
    validate_only: bool,
    name: Option<&str>,
    summary: &mut Summary,
) -> Result<(), Failure> {
    if batch.is_empty() {
        return Ok(());
    }
    let message = IngestBatchRequest {
        batch_id: batch_id.clone(),
        records: std::mem::take(&mut batch.records),
        activity: Some(std::mem::take(&mut batch.activity)).filter(|columns| !columns.day.is_empty()),
        validate_only,
    };
    let answer = with_retries(|| {
        let (mut client, request) = (caller.ingestion(), caller.request(message.clone(), BATCH_DEADLINE));
        async move { client.ingest_batch(request).await.map(tonic::Response::into_inner) }
    })
    .await?;
    summary.add(&answer);
    let listed = answer.rejections.len();
    for rejection in answer.rejections {
        let (row, field, reason) = (batch.row(rejection.index), rejection.field, rejection.reason);
        summary.list(name, Rejection { row, field, reason });
    }
    if !validate_only && usize::try_from(answer.rejected).is_ok_and(|all| all > listed) {
        list_the_rest(caller, &batch, &batch_id, listed, name, summary).await?;
    }
    Ok(())
}

/// An answer lists the first thousand rejections; the quarantine has the others.
async fn list_the_rest(
    caller: &Caller,
    batch: &Batch,
    batch_id: &str,
    listed: usize,
    name: Option<&str>,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let mut rest = Vec::new();
    let mut page_token = String::new();
    loop {
        let message = ListRejectionsRequest { page_size: 1000, page_token };
        let page = caller.ingestion().list_rejections(caller.request(message, BATCH_DEADLINE)).await?.into_inner();
        let ours = page.rejections.iter().any(|record| record.batch_id == batch_id);
        rest.extend(page.rejections.into_iter().filter(|record| record.batch_id == batch_id));
        page_token = page.next_page_token;
        // Newest first: a page without any of ours lies before this batch.
        if page_token.is_empty() || !ours {
            break;
        }
    }
    rest.sort_by_key(|record| record.index);
    for record in rest.into_iter().skip(listed) {
        let (row, field, reason) = (batch.row(record.index), record.field, record.reason);
        summary.list(name, Rejection { row, field, reason });
    }
    Ok(())
}

/// Tries again what may go well the next time. Batches have ids, so a repeat changes nothing.
async fn with_retries<T, F: Future<Output = Result<T, Status>>>(mut call: impl FnMut() -> F) -> Result<T, Status> {
    let mut pause = Duration::from_millis(200);
    for _ in 1..TRIES {
        match call().await {
            Err(status) if is_passing(&status) => tokio::time::sleep(pause).await,
            outcome => return outcome,
        }
        pause = (pause * 2).min(Duration::from_secs(5));
    }
    call().await
}

fn is_passing(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded | Code::Aborted)
}

async fn version(caller: &Caller) -> Result<i64, Failure> {
    let request = caller.request(GetFreshnessRequest {}, BATCH_DEADLINE);
    Ok(caller.ingestion().get_freshness(request).await?.into_inner().version)
}

/// Waits until answers are at least as fresh as `version`.
pub async fn wait_until_visible(caller: &Caller, version: i64) -> Result<(), Failure> {
    let wait = async {
        loop {
            let message = reporting::GetFreshnessRequest { min_version: version };
            let request = caller.request(message, Duration::from_secs(30));
            match caller.reporting().get_freshness(request).await {
                Ok(_) => return Ok(()),
                Err(status) if is_passing(&status) => tokio::time::sleep(Duration::from_millis(200)).await,
                Err(status) => return Err(Failure::from(status)),
            }
        }
    };
    tokio::time::timeout(VISIBLE_WITHIN, wait).await.unwrap_or_else(|_| {
        let minutes = VISIBLE_WITHIN.as_secs() / 60;
        Err(Failure::Failed(format!(
            "DEADLINE_EXCEEDED: everything is stored (version {version}), but after {minutes} minutes the figures do not show it yet"
        )))
    })
}

fn take_notes(notes: Notes, file: &Path, summary: &mut Summary) {
    let Notes { unknown_columns, unmapped_plans, unknown_countries } = notes;
    let file = file.display();
    let mut note = |what: &str, items: Vec<String>| {
        if !items.is_empty() {
            summary.notes.push(format!("{file}: {what}: {}", items.join(", ")));
        }
    };
    note("columns nobody knows, not used", unknown_columns);
    note("service plans without a known service, each a service of its own name", unmapped_plans.into_iter().collect());
    note("countries nobody knows, left out", unknown_countries.into_iter().collect());
}

/// Counts the bytes read.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
