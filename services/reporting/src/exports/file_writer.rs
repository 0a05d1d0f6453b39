//! Writes one file: rows from metrics, through an encoder, into the store. Three steps side by side, with a few pieces
//! between them, so that memory does not grow with the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use insights_proto::metrics::v1::{Freshness, StreamQueryResponse};
use insights_proto::reporting::v1::ExportOrder;
use insights_service::{BoxError, fail_point};
use prost::Message;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

use super::Exports;
use super::cell::CellValue;
use super::files::FilePiece;
use super::formats::{EncodeError, Encoder, encoder};
use super::manifest::{FileManifest, RowsDigest, order_json, time};
use super::rows::RowBatch;
use super::schema::ColumnSchema;
use super::spec::ExportSpec;
use super::store::{ExportJob, ExportProgress, FinishedFile};

/// Messages and pieces that may wait between two steps.
const BETWEEN: usize = 2;

/// Why a file was not written.
#[derive(Debug)]
pub enum WriteError {
    /// It never will be, for this reason, said to its owner.
    Permanent(String),
    /// Trying again may help.
    Transient(String),
}

/// How far a file is, seen while it is written.
#[derive(Debug, Default)]
pub struct ProgressCounters {
    rows: AtomicI64,
    customers: AtomicI64,
    total_customers: AtomicI64,
}

impl ProgressCounters {
    /// As it is now.
    pub fn progress(&self) -> ExportProgress {
        ExportProgress {
            rows: self.rows.load(Ordering::Relaxed),
            customers: self.customers.load(Ordering::Relaxed),
            total_customers: self.total_customers.load(Ordering::Relaxed),
        }
    }
}

/// What is said of a file from its first message on.
pub struct StreamHeader {
    /// How fresh the whole is.
    pub freshness: Freshness,
    /// Something is left out because of the viewer's rights.
    pub redacted: bool,
    /// Groups may sum to more than the whole.
    pub overlapping: bool,
}

/// The first message of an answer.
#[allow(clippy::result_large_err, reason = "Status is what streams end with")]
pub async fn begin(stream: &mut Streaming<StreamQueryResponse>) -> Result<StreamHeader, Status> {
    let first = stream.message().await?.unwrap_or_default();
    let freshness = first.freshness.ok_or_else(|| Status::unavailable("the answer broke off"))?;
    Ok(StreamHeader { freshness, redacted: first.redacted, overlapping: first.overlapping })
}

/// What the encoding step gets.
enum EncoderInput {
    Rows(Box<RowBatch>),
    End,
}

/// What the encoding step made.
struct EncodedFile {
    about: FileManifest,
    bytes: u64,
    sha256: String,
}

/// Writes the file of an order.
pub async fn write(
    exports: &Exports,
    job: &ExportJob,
    seen: &Arc<ProgressCounters>,
) -> Result<FinishedFile, WriteError> {
    let order = ExportOrder::decode(job.order_body.as_slice()).map_err(never)?;
    let viewer = job.viewer();
    let spec = ExportSpec::of(&order);
    let hides = spec.authorise(&exports.policy, &viewer).map_err(from_status)?;
    let request = spec.request(&viewer, job.min_version);
    let mut stream = exports.metrics.stream_query(request).await.map_err(from_status)?;
    let first = begin(&mut stream).await.map_err(from_status)?;
    let redacted = hides || first.redacted;
    let columns = spec.columns(&viewer);
    let about = FileManifest {
        file_name: job.file_name.clone(),
        order: order_json(&spec.spelled_out(&order)),
        written: time(exports.table.now()),
        columns: columns.iter().map(|column| column.name.clone()).collect(),
        version: first.freshness.version,
        epoch: first.freshness.epoch,
        complete_through: first.freshness.complete_through.clone(),
        overlapping: first.overlapping,
        locations: job.locations.clone(),
        redacted,
        ..FileManifest::default()
    };
    let scratch = Some(exports.config.scratch_folder.clone()).filter(|folder| !folder.as_os_str().is_empty());
    // Whatever ends this, however early, ends the steps that go on by themselves: nobody takes their pieces any more.
    let given_up = CancellationToken::new();
    let _guard = given_up.clone().drop_guard();
    let (steps, waiting_steps) = mpsc::channel(BETWEEN);
    let (pieces, waiting_pieces) = mpsc::channel(BETWEEN);
    let encoding = {
        let format = order.format();
        let making = move || encoder(format, &columns, scratch.as_deref()).map(|encoder| (encoder, columns));
        tokio::task::spawn_blocking(move || encode(making, waiting_steps, &pieces, about))
    };
    let (files, path) = (exports.files.clone(), job.file_path.clone());
    // A task of its own: an upload that is given up must still be taken back.
    let keeping = tokio::spawn(async move { files.put(&path, waiting_pieces, given_up).await });
    let read = read(&mut stream, steps, seen).await;
    let encoded = encoding.await.map_err(for_now)?;
    let kept = keeping.await.map_err(for_now)?;
    // The first step that failed says why; those after it only saw it end.
    read?;
    let encoded = match encoded {
        Ok(encoded) => encoded,
        Err(EncodeError::Unfit(why)) => return Err(WriteError::Permanent(why)),
        Err(error) => return Err(kept.err().map_or_else(|| for_now(error), for_now)),
    };
    kept.map_err(for_now)?;
    Ok(FinishedFile {
        progress: seen.progress(),
        manifest: encoded.about.document(encoded.bytes, &encoded.sha256),
        bytes: encoded.bytes,
        sha256: encoded.sha256,
        version: encoded.about.version,
        complete_through: encoded.about.complete_through,
        redacted,
    })
}

/// Hands rows on until the answer says that it is complete.
async fn read(
    stream: &mut Streaming<StreamQueryResponse>,
    steps: mpsc::Sender<EncoderInput>,
    seen: &ProgressCounters,
) -> Result<(), WriteError> {
    while let Some(part) = stream.message().await.map_err(from_status)? {
        let (customers, total_customers, done) = (part.customers, part.total_customers, part.done);
        let block = RowBatch::from(part);
        let lines = i64::try_from(block.lines()).unwrap_or_default();
        if lines > 0 && steps.send(EncoderInput::Rows(Box::new(block))).await.is_err() {
            // The next step failed, and says why.
            return Ok(());
        }
        seen.rows.fetch_add(lines, Ordering::Relaxed);
        seen.customers.store(customers, Ordering::Relaxed);
        seen.total_customers.store(total_customers, Ordering::Relaxed);
        if done {
            // The same.
            let _ = steps.send(EncoderInput::End).await;
            return Ok(());
        }
    }
    Err(WriteError::Transient("the answer broke off before its end".to_owned()))
}

/// Encodes rows until the end; on a thread of its own.
fn encode(
    making: impl FnOnce() -> Result<(Box<dyn Encoder>, Vec<ColumnSchema>), EncodeError>,
    mut steps: mpsc::Receiver<EncoderInput>,
    pieces: &mpsc::Sender<FilePiece>,
    mut about: FileManifest,
) -> Result<EncodedFile, EncodeError> {
    let (mut encoder, columns) = making()?;
    let (mut digest, mut file, mut bytes) = (RowsDigest::default(), Sha256::new(), 0_u64);
    let mut hand_on = |piece: Vec<u8>| {
        if piece.is_empty() {
            return Ok(());
        }
        file.update(&piece);
        bytes += piece.len() as u64;
        pieces.blocking_send(FilePiece::Data(piece)).map_err(|_| broken())
    };
    loop {
        match steps.blocking_recv() {
            None => return Err(broken()),
            Some(EncoderInput::End) => break,
            Some(EncoderInput::Rows(block)) => {
                block.each(|line| {
                    let cells: Vec<CellValue<'_>> = columns.iter().map(|column| column.cell(line)).collect();
                    digest.row(&cells);
                    encoder.row(&cells)
                })?;
                about.rows += block.lines() as u64;
                hand_on(encoder.take())?;
                fail_point::hit("reporting.export_rows");
            }
        }
    }
    about.rows_sha256 = digest.finish();
    encoder.finish(&about, &mut hand_on)?;
    pieces.blocking_send(FilePiece::End).map_err(|_| broken())?;
    Ok(EncodedFile { about, bytes, sha256: hex::encode(file.finalize()) })
}

fn broken() -> EncodeError {
    EncodeError::Io(std::io::Error::from(std::io::ErrorKind::BrokenPipe))
}

fn never(error: impl std::fmt::Display) -> WriteError {
    WriteError::Permanent(error.to_string())
}

fn for_now(error: impl Into<BoxError>) -> WriteError {
    let error = error.into();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    WriteError::Transient(text)
}

/// What concerns the order itself will be so again; everything else may pass.
fn from_status(status: Status) -> WriteError {
    match status.code() {
        Code::InvalidArgument | Code::PermissionDenied | Code::ResourceExhausted | Code::OutOfRange => {
            let fields = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
            let fields: Vec<_> = fields.iter().map(|it| format!("{} {}", it.field, it.description)).collect();
            WriteError::Permanent(if fields.is_empty() { status.message().to_owned() } else { fields.join("; ") })
        }
        _ => WriteError::Transient(format!("{:?}: {}", status.code(), status.message())),
    }
}
