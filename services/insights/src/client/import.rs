//! Imports files: reads them, sends batches, adds up what became of them, waits until the figures show it.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use insights_domain::calendar::Day;
use insights_import::{self as reader, Format, Member, ReadError, Rejection, Stopped};
use insights_proto::{
    access::v1::{WhoAmIRequest, WhoAmIResponse, access_service_client::AccessServiceClient},
    ingestion::v1::{GetFreshnessRequest, IngestBatchRequest, IngestBatchResponse, ListRejectionsRequest},
    metrics::v1::Measure,
    reporting::v1 as reporting,
};
use tokio::sync::mpsc;
use tonic::Status;

pub use super::summary::{FileSummary, Summary, SummaryCounts};
use super::{
    Caller,
    batch::{Batch, BatchLimits, Batcher},
    batch_line::BatchLine,
    figures::{FiguresAt, KeptBatches, MovedFigures, TouchedMonths, TriedFigures, earliest, shown_to},
    journal::Journal,
    lists,
    months::MonthsSent,
    retry::{RetryPolicy, is_transient},
};
use crate::failure::Failure;

/// Batches read ahead of the one being sent.
const AHEAD: usize = 2;
/// A batch is answered in this time or sent again.
pub(super) const BATCH_DEADLINE: Duration = Duration::from_secs(60);
/// How a batch is repeated before the import gives up, 16 seconds after the first attempt. Batches have ids, so a repeat changes
/// nothing.
pub(super) const BATCH_RETRIES: RetryPolicy =
    RetryPolicy { attempts: 8, first_pause: Duration::from_millis(200), longest_pause: Duration::from_secs(5) };
/// How long an import waits in all until the figures show it.
const VISIBLE_WITHIN: Duration = Duration::from_secs(30 * 60);
/// How long nothing happens before the import says what it waits for.
const SAYS_AFTER: Duration = Duration::from_secs(5);
/// Why nothing is said about figures.
const NO_ROLE: &str =
    "the figures before and after are not shown: the roles of the token see none, as admin_agent and global_admin do";
/// Where partners say who they are.
const WHO_DEADLINE: Duration = Duration::from_secs(30);

/// How to import.
#[derive(Clone, Debug)]
pub struct How {
    /// Checks and counts, stores nothing.
    pub dry_run: bool,
    /// Waits until the figures show what was imported.
    pub wait: bool,
    /// Lists may end more than a fifth of what those before them named.
    pub confirm: bool,
    /// Months of raw reports are replaced by what the files have of them.
    pub replace: bool,
}

/// A file and what to take it for.
#[derive(Clone, Debug)]
pub struct ImportFile {
    /// The file.
    pub file: PathBuf,
    /// What of it, where several are packed in it.
    pub member: Member,
    /// What it is.
    pub format: Format,
    /// What its reader must know.
    pub options: reader::ReadOptions,
}

impl ImportFile {
    /// Its name, and within it the name of what is meant.
    #[must_use]
    pub fn name(&self) -> String {
        name(&self.file, &self.member)
    }
}

/// The name of a file, and within it the name of what is meant.
#[must_use]
pub fn name(file: &Path, member: &Member) -> String {
    let within = member.name().map(|name| format!("/{name}"));
    format!("{}{}", file.display(), within.unwrap_or_default())
}

/// Imports files one after the other and adds what became of them.
pub async fn import(caller: &Caller, sources: &[ImportFile], how: &How, summary: &mut Summary) -> Result<(), Failure> {
    let Some(first) = sources.first() else { return Ok(()) };
    let files: BTreeSet<&PathBuf> = sources.iter().map(|source| &source.file).collect();
    let total: u64 = files.into_iter().filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum();
    let style = "{bar:30} {bytes}/{total_bytes} at {bytes_per_sec}, {eta} left {msg}";
    let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(total).with_style(style);
    let several = sources.len() > 1;
    bar.set_message("reading the figures before");
    let mut figures = ImportFigures::before(caller, how, first.options.today, summary).await;
    for source in sources {
        let file = source.name();
        bar.set_message(source.format.name());
        let first = summary.rejections.len();
        let before = summary.counts();
        let name = several.then_some(&file);
        let (figures, months) = (&mut figures, MonthsSent::default());
        let mut run = Run { caller, source, name, how, bar: &bar, months, summary, figures };
        let outcome = run.file().await;
        summary.rejections[first..].sort_by_key(|listed| listed.rejection.row);
        summary.files.push(FileSummary {
            format: Some(source.format.name()),
            customer: source.options.customer.clone().filter(|_| source.format.needs_customer()),
            month: source.options.month.filter(|_| source.format.takes_month()).map(|month| month.to_string()),
            counts: summary.counts() - before,
            file: file.clone(),
        });
        if let Err(failure) = outcome {
            match failure {
                Failure::Failed(text) => summary.failures.push(format!("{file}: {text}")),
                // The server is the same for all files.
                failure => return Err(failure),
            }
        }
    }
    tell_figures(caller, how, &figures, &bar, summary).await?;
    bar.finish_and_clear();
    Ok(())
}

/// Waits until the figures show what was stored, and says what became of them; of a dry run, what would.
async fn tell_figures(
    caller: &Caller,
    how: &How,
    figures: &ImportFigures,
    bar: &ProgressBar,
    summary: &mut Summary,
) -> Result<(), Failure> {
    if how.dry_run {
        summary.version = None;
        bar.set_message("trying what it would do to the figures");
        figures.tried(caller, summary).await;
        return Ok(());
    }
    if summary.version.is_none() {
        summary.version = Some(version(caller).await?);
    }
    if !how.wait {
        return Ok(());
    }
    bar.set_message("stored; waiting until the figures show it");
    let say = |shown: &str| say_waiting(bar, &format!("the figures to show what is stored: {shown}"));
    match wait_until_visible(caller, summary.version.unwrap_or_default(), say).await {
        Ok(()) => figures.after(caller, summary).await,
        Err(failure) => {
            let stored = "what was sent is stored, but whether the figures show it could not be found out";
            summary.failures.push(format!("{stored}: {failure}"));
        }
    }
    Ok(())
}

/// The partner the caller speaks for.
pub async fn partner(caller: &Caller) -> Result<String, Failure> {
    Ok(who_am_i(caller).await?.partner)
}

async fn who_am_i(caller: &Caller) -> Result<WhoAmIResponse, Failure> {
    let mut client = AccessServiceClient::new(caller.channel());
    Ok(client.who_am_i(caller.request(WhoAmIRequest {}, WHO_DEADLINE)).await?.into_inner())
}

/// The figures before an import, and the months it names.
struct ImportFigures {
    measures: Vec<Measure>,
    today: Day,
    /// None where they are not shown.
    before: Option<FiguresAt>,
    touched: TouchedMonths,
    /// Of a dry run.
    kept: KeptBatches,
}

impl ImportFigures {
    /// Reads them. That they cannot be read stops no import.
    async fn before(caller: &Caller, how: &How, today: Day, summary: &mut Summary) -> Self {
        let (touched, kept) = (TouchedMonths::default(), KeptBatches::default());
        let mut figures = Self { measures: Vec::new(), today, before: None, touched, kept };
        if !how.dry_run && !how.wait {
            return figures;
        }
        match figures.read(caller, how.dry_run).await {
            Ok(()) if figures.measures.is_empty() => summary.notes.push(NO_ROLE.into()),
            Ok(()) => {}
            Err(failure) => {
                figures.measures.clear();
                summary.notes.push(not_shown(&failure));
            }
        }
        figures
    }

    async fn read(&mut self, caller: &Caller, dry_run: bool) -> Result<(), Failure> {
        self.measures = shown_to(&who_am_i(caller).await?);
        if !dry_run && !self.measures.is_empty() {
            let version = version(caller).await?;
            self.before = Some(FiguresAt::read(caller, &self.measures, earliest(self.today), version).await?);
        }
        Ok(())
    }

    /// Takes the months of a batch, and of a dry run the batch.
    fn take(&mut self, batch: &Batch, dry_run: bool) {
        if self.measures.is_empty() {
            return;
        }
        self.touched.take(batch);
        if dry_run {
            self.kept.keep(batch);
        }
    }

    /// Compares the figures before with those that a dry run leads to.
    async fn tried(&self, caller: &Caller, summary: &mut Summary) {
        if self.measures.is_empty() {
            return;
        }
        match self.kept.figures(caller, &self.measures, self.today).await {
            Ok(TriedFigures { before, after, waiting }) => {
                summary.waiting = waiting;
                let moved = MovedFigures::between(&before, &after, &self.touched, &summary.reasons());
                summary.figures = moved.map(|moved| MovedFigures { version_after: None, ..moved });
            }
            Err(failure) => {
                let import = "import without --dry-run to see them afterwards";
                summary.notes.push(format!("{}; {import}", not_shown(&failure)));
            }
        }
    }

    /// Compares them with the figures after.
    async fn after(&self, caller: &Caller, summary: &mut Summary) {
        let Some(before) = &self.before else { return };
        let version = summary.version.unwrap_or_default();
        match FiguresAt::read(caller, &self.measures, earliest(self.today), version).await {
            Ok(after) => {
                let reasons = summary.reasons();
                summary.figures = MovedFigures::between(before, &after, &self.touched, &reasons);
            }
            Err(failure) => summary.notes.push(not_shown(&failure)),
        }
    }
}

fn not_shown(failure: &Failure) -> String {
    format!("the figures before and after are not shown: {failure}")
}

/// The import of one file.
struct Run<'a> {
    caller: &'a Caller,
    source: &'a ImportFile,
    name: Option<&'a String>,
    how: &'a How,
    bar: &'a ProgressBar,
    months: MonthsSent,
    summary: &'a mut Summary,
    figures: &'a mut ImportFigures,
}

impl Run<'_> {
    async fn file(&mut self) -> Result<(), Failure> {
        let unreadable = |error: std::io::Error| Failure::because("cannot be read", &error);
        let ImportFile { file, member, format, options } = self.source;
        let within = member.name().unwrap_or_default();
        let (address, confirm) = (&self.caller.address, self.how.confirm);
        let what = format!("{address} {format:?} {options:?} {within} {confirm} {}", env!("CARGO_PKG_VERSION"));
        let replace = self.how.replace && format.is_report() && !self.how.dry_run;
        if replace {
            self.months.begin(self.caller).await?;
        }
        let rejected = self.summary.rejected;
        // Rows that were sent before a break would count as those of an earlier file.
        let journal =
            if self.how.dry_run || replace { None } else { Some(Journal::begin(&what, file).map_err(unreadable)?) };
        if journal.as_ref().is_some_and(|journal| journal.resumed) {
            self.summary.notes.push(format!("{}: went on with an import that had broken off", self.source.name()));
        }
        let read = Arc::new(AtomicU64::new(0));
        let mut input = Counted { inner: File::open(file).map_err(unreadable)?, read: Arc::clone(&read) };
        let (sender, mut batches) = mpsc::channel::<Batch>(AHEAD);
        let (member, format, options) = (member.clone(), *format, options.clone());
        let reader = tokio::task::spawn_blocking(move || {
            let give = |batch| sender.blocking_send(batch).map_err(|_| Stopped);
            let mut sink = Batcher::new(BatchLimits::default(), give);
            let read =
                reader::with_member(&mut input, &member, |input| reader::read(format, input, &options, &mut sink))?;
            // What was read before a fault is good all the same.
            sink.finish()?;
            read
        });
        // What is packed is read from several places, and perhaps twice.
        let (before, total) = (self.bar.position(), self.bar.length().unwrap_or(u64::MAX));
        let position = || total.min(before + read.load(Ordering::Relaxed));
        let nothing_good = self.send_all(&mut batches, journal.as_ref(), &position).await?;
        match reader.await {
            Ok(Ok(notes)) => self.summary.take_notes(notes, &self.source.name()),
            Ok(Err(ReadError::Stopped)) => return Ok(()),
            Ok(Err(error)) => return Err(Failure::Failed(error.to_string())),
            Err(error) => return Err(Failure::because("the reader failed", &error)),
        }
        self.bar.set_position(position());
        self.end_months(rejected == self.summary.rejected).await?;
        if let Some(journal) = journal {
            journal.end();
        }
        if nothing_good {
            return Err(Failure::Failed(
                "nothing was accepted: all its rows were rejected, so it completes nothing".into(),
            ));
        }
        Ok(())
    }

    /// Sends batches as they come, and adds what became of them; says whether nothing was good and something bad. What says that
    /// something is complete is sent only where that is not so.
    async fn send_all(
        &mut self,
        batches: &mut mpsc::Receiver<Batch>,
        journal: Option<&Journal>,
        read: impl Fn() -> u64,
    ) -> Result<bool, Failure> {
        let mut line = BatchLine::new(self.caller, BATCH_RETRIES, BATCH_DEADLINE);
        let (mut position, mut ended, mut waited) = (0, false, Duration::ZERO);
        let (mut good, mut bad, mut held) = (0, 0, None);
        // Tables of what completes something have no other rows.
        let completes_alone = matches!(self.source.format, Format::Csv | Format::Parquet);
        let is_fact = |batch: &Batch| !batch.completes || completes_alone;
        while !ended || held.is_some() || !line.is_empty() {
            if let Some(mut batch) = held.take_if(|_| line.is_empty()) {
                if lists::has_lists(&batch) {
                    let file = self.source.name();
                    lists::withhold(self.caller, &mut batch, self.how, &file, self.summary).await?;
                }
                if (good > 0 || bad == 0) && !batch.is_empty() {
                    let request = self.request(&mut batch, journal, position);
                    line.send(batch, request).await?;
                    position += 1;
                }
                continue;
            }
            tokio::select! {
                batch = batches.recv(), if !ended && held.is_none() && line.has_room() => match batch {
                    Some(batch) if !is_fact(&batch) || lists::has_lists(&batch) => held = Some(batch),
                    Some(mut batch) if !batch.is_empty() => {
                        let request = self.request(&mut batch, journal, position);
                        line.send(batch, request).await?;
                        position += 1;
                    }
                    Some(_) => {}
                    None => ended = true,
                },
                answer = line.answer(), if !line.is_empty() => match answer {
                    Ok((batch, batch_id, answer)) => {
                        if is_fact(&batch) && !batch.stubs {
                            (good, bad) = (good + answer.accepted + answer.duplicates + answer.superseded, bad + answer.rejected);
                        }
                        let name = self.name.map(String::as_str);
                        take(self.caller, &batch, &batch_id, (answer, self.how.dry_run), name, self.summary).await?;
                        self.bar.set_position(read());
                        waited = Duration::ZERO;
                    }
                    Err(status) => line.begin_again(status).await?,
                },
                () = tokio::time::sleep(SAYS_AFTER), if !line.is_empty() => {
                    waited += SAYS_AFTER;
                    let what = format!("the server to store what was sent, for {} s", waited.as_secs());
                    say_waiting(self.bar, &what);
                }
            }
        }
        Ok(good == 0 && bad > 0)
    }

    /// Says what became of the months of a report. `whole`: none of its rows was rejected.
    async fn end_months(&mut self, whole: bool) -> Result<(), Failure> {
        if !self.source.format.is_report() || self.how.dry_run {
            return Ok(());
        }
        let months = std::mem::take(&mut self.months);
        months.end(self.caller, &self.source.name(), whole, self.summary).await
    }

    /// The request of the batch at `position`.
    fn request(&mut self, batch: &mut Batch, journal: Option<&Journal>, position: u64) -> IngestBatchRequest {
        self.months.count(batch);
        self.figures.take(batch, self.how.dry_run);
        let batch_id = journal.map(|journal| journal.batch_id(position)).unwrap_or_default();
        request_of(batch, batch_id, self.how.dry_run)
    }
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
    let message = request_of(&mut batch, batch_id.clone(), validate_only);
    let answer = ingest(caller, &message, BATCH_RETRIES).await?;
    take(caller, &batch, &batch_id, (answer, validate_only), name, summary).await
}

/// The request of a batch, which keeps its rows.
fn request_of(batch: &mut Batch, batch_id: String, validate_only: bool) -> IngestBatchRequest {
    IngestBatchRequest {
        batch_id,
        records: std::mem::take(&mut batch.records),
        activity: Some(std::mem::take(&mut batch.activity)).filter(|columns| !columns.day.is_empty()),
        validate_only,
    }
}

/// Adds what became of a batch.
async fn take(
    caller: &Caller,
    batch: &Batch,
    batch_id: &str,
    (answer, validate_only): (IngestBatchResponse, bool),
    name: Option<&str>,
    summary: &mut Summary,
) -> Result<(), Failure> {
    summary.add(&answer, batch.stubs);
    let count = answer.rejections.len();
    let listed = answer.rejections.iter().map(|rejection| rejection.index).max().unwrap_or(-1);
    for rejection in answer.rejections {
        let (row, field, reason) = (batch.row(rejection.index), rejection.field, rejection.reason);
        summary.list(name, Rejection { row, field, reason });
    }
    if !validate_only && usize::try_from(answer.rejected).is_ok_and(|all| all > count) {
        list_the_rest(caller, batch, batch_id, listed, name, summary).await?;
    }
    Ok(())
}

/// Says what is waited for, without tearing the bar.
fn say_waiting(bar: &ProgressBar, what: &str) {
    bar.suspend(|| eprintln!("waiting for {what}"));
}

/// An answer lists the first thousand rejections; the quarantine has the others.
async fn list_the_rest(
    caller: &Caller,
    batch: &Batch,
    batch_id: &str,
    listed: i64,
    name: Option<&str>,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let mut rest = Vec::new();
    let mut page_token = String::new();
    loop {
        let message = ListRejectionsRequest { page_size: 1000, page_token, batch_id: batch_id.to_owned() };
        let page = caller.ingestion().list_rejections(caller.request(message, BATCH_DEADLINE)).await?.into_inner();
        rest.extend(page.rejections);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    rest.sort_by_key(|record| record.index);
    // The quarantine keeps equal records once, so they are told apart by where they stand in the batch.
    for record in rest.into_iter().filter(|record| record.index > listed) {
        let (row, field, reason) = (batch.row(record.index), record.field, record.reason);
        summary.list(name, Rejection { row, field, reason });
    }
    Ok(())
}

/// Sends a batch, repeatedly if need be.
pub(super) async fn ingest(
    caller: &Caller,
    message: &IngestBatchRequest,
    retries: RetryPolicy,
) -> Result<IngestBatchResponse, Status> {
    let caller = caller.without_retries();
    let attempt = || {
        let (mut client, request) = (caller.ingestion(), caller.request(message.clone(), BATCH_DEADLINE));
        async move { client.ingest_batch(request).await.map(tonic::Response::into_inner) }
    };
    retries.run(attempt).await
}

async fn version(caller: &Caller) -> Result<i64, Failure> {
    let request = caller.request(GetFreshnessRequest {}, BATCH_DEADLINE);
    Ok(caller.ingestion().get_freshness(request).await?.into_inner().version)
}

/// Waits until answers are at least as fresh as `version`. Says how far they are when that takes long.
pub async fn wait_until_visible(caller: &Caller, version: i64, say: impl Fn(&str)) -> Result<(), Failure> {
    wait_and_say(caller, version, SAYS_AFTER, say).await
}

async fn wait_and_say(caller: &Caller, version: i64, every: Duration, say: impl Fn(&str)) -> Result<(), Failure> {
    let caller = caller.without_retries();
    let ask = async |version: i64| {
        let message = reporting::GetFreshnessRequest { min_version: version };
        caller.reporting().get_freshness(caller.request(message, SAYS_AFTER)).await.map(tonic::Response::into_inner)
    };
    let wait = async {
        let mut said = Instant::now();
        loop {
            match ask(version).await {
                Ok(_) => return Ok(()),
                Err(status) if is_transient(&status) => {}
                Err(status) => return Err(Failure::from(status)),
            }
            if said.elapsed() >= every {
                said = Instant::now();
                say(&match ask(0).await {
                    Ok(shown) => format!("version {} of {version}", shown.freshness.map_or(0, |shown| shown.version)),
                    Err(status) => format!("the server says {:?}: {}", status.code(), status.message()),
                });
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(VISIBLE_WITHIN, wait).await.unwrap_or_else(|_| {
        let minutes = VISIBLE_WITHIN.as_secs() / 60;
        Err(Failure::Failed(format!(
            "DEADLINE_EXCEEDED: everything is stored (version {version}), but after {minutes} minutes the figures do not show it yet"
        )))
    })
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

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use insights_service::{ChannelConfig, ServiceChannel};
    use tokio::net::TcpListener;
    use tonic::{
        Code, Request,
        service::{InterceptorLayer, Routes},
        transport::{Server, server::TcpIncoming},
    };

    use super::*;

    #[tokio::test]
    async fn who_waits_says_for_what() {
        let down = InterceptorLayer::new(|_: Request<()>| Err(Status::unavailable("down")));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::builder().layer(down).add_routes(Routes::default());
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));

        let caller =
            Caller::new(ServiceChannel::open(&url, &ChannelConfig::default()).unwrap(), "token", &url).unwrap();
        let (said, mut words) = mpsc::unbounded_channel();
        let waiting = wait_and_say(&caller, 7, Duration::ZERO, |words| said.send(words.to_owned()).unwrap());
        tokio::select! {
            _ = waiting => panic!("the figures never show it"),
            words = words.recv() => assert_eq!(words.unwrap(), "the server says Unavailable: down"),
        }
    }

    #[tokio::test]
    async fn a_batch_is_repeated_by_one_loop_only() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let made = Arc::new(AtomicUsize::new(0));
        let calls = Arc::clone(&made);
        let unavailable = InterceptorLayer::new(move |_: Request<()>| {
            calls.fetch_add(1, Ordering::SeqCst);
            Err(Status::unavailable("down"))
        });
        let server = Server::builder().layer(unavailable).add_routes(Routes::default());
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));

        let channel = ServiceChannel::open(&url, &ChannelConfig::default()).unwrap();
        let caller = Caller::new(channel, "token", &url).unwrap();
        let retries = RetryPolicy { attempts: 3, first_pause: Duration::ZERO, longest_pause: Duration::ZERO };
        let status = ingest(&caller, &IngestBatchRequest::default(), retries).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(made.load(Ordering::SeqCst), 3, "the channel attempts each call once");
    }
}
