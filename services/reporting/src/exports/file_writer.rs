//! Writes one file: rows from metrics, through an encoder, into the store. The three steps run concurrently over bounded
//! channels, so memory does not grow with the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use insights_proto::metrics::v1::{Freshness, StreamQueryResponse};
use insights_proto::reporting::v1::ExportOrder;
use insights_service::{BoxError, error_chain, fail_point};
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

/// Capacity of the channels between the steps.
const BETWEEN: usize = 2;

/// Why a file could not be written.
#[derive(Debug)]
pub enum WriteError {
    /// Every further attempt would fail; the text is shown to the owner.
    Permanent(String),
    /// Another attempt may succeed.
    Transient(String),
}

/// Progress of a file while it is written.
#[derive(Debug, Default)]
pub struct ProgressCounters {
    rows: AtomicI64,
    customers: AtomicI64,
    total_customers: AtomicI64,
}

impl ProgressCounters {
    /// The current progress.
    pub fn snapshot(&self) -> ExportProgress {
        ExportProgress {
            rows: self.rows.load(Ordering::Relaxed),
            customers: self.customers.load(Ordering::Relaxed),
            total_customers: self.total_customers.load(Ordering::Relaxed),
        }
    }
}

/// The first message of an answer of metrics.
pub struct StreamHeader {
    /// Version and end of the data.
    pub freshness: Freshness,
    /// Whether something is left out because of the viewer's roles.
    pub redacted: bool,
    /// Groups may sum to more than the whole.
    pub overlapping: bool,
}

/// The first message of an answer.
#[allow(clippy::result_large_err, reason = "Status is what streams end with")]
pub async fn begin(stream: &mut Streaming<StreamQueryResponse>) -> Result<StreamHeader, Status> {
    let first = stream.message().await?.unwrap_or_default();
    let freshness = first.freshness.ok_or_else(|| Status::unavailable("the answer of metrics ended early"))?;
    Ok(StreamHeader { freshness, redacted: first.redacted, overlapping: first.overlapping })
}

/// Input of the encoding step.
enum EncoderInput {
    Rows(Box<RowBatch>),
    End,
}

/// Result of the encoding step.
struct EncodedFile {
    manifest: FileManifest,
    bytes: u64,
    sha256: String,
}

/// Writes the file of an order.
pub async fn write(
    exports: &Exports,
    job: &ExportJob,
    progress: &Arc<ProgressCounters>,
) -> Result<FinishedFile, WriteError> {
    let order = ExportOrder::decode(job.order_body.as_slice()).map_err(permanent)?;
    let viewer = job.viewer();
    let spec = ExportSpec::of(&order);
    let hides = spec.authorise(&exports.policy, &viewer).map_err(from_status)?;
    let request = spec.request(&viewer, job.min_version);
    let mut stream = exports.metrics.stream_query(request).await.map_err(from_status)?;
    let first = begin(&mut stream).await.map_err(from_status)?;
    let redacted = hides || first.redacted;
    let columns = spec.columns(&viewer);
    let manifest = FileManifest {
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
    // The guard cancels the upload when this function ends early for any reason.
    let given_up = CancellationToken::new();
    let _guard = given_up.clone().drop_guard();
    let (inputs, waiting_inputs) = mpsc::channel(BETWEEN);
    let (pieces, waiting_pieces) = mpsc::channel(BETWEEN);
    let encoding = {
        let format = order.format();
        let making = move || encoder(format, &columns, scratch.as_deref()).map(|encoder| (encoder, columns));
        tokio::task::spawn_blocking(move || encode(making, waiting_inputs, &pieces, manifest))
    };
    let (files, path) = (exports.files.clone(), job.file_path.clone());
    // A task of its own, because a cancelled upload must still be discarded.
    let keeping = tokio::spawn(async move { files.put(&path, waiting_pieces, given_up).await });
    let read = read(&mut stream, inputs, progress).await;
    let encoded = encoding.await.map_err(transient)?;
    let kept = keeping.await.map_err(transient)?;
    // The first step that failed has the cause; later steps only saw its channel close.
    read?;
    let encoded = match encoded {
        Ok(encoded) => encoded,
        Err(EncodeError::Unfit(why)) => return Err(WriteError::Permanent(why)),
        Err(error) => return Err(kept.err().map_or_else(|| transient(error), transient)),
    };
    kept.map_err(transient)?;
    Ok(FinishedFile {
        progress: progress.snapshot(),
        manifest: encoded.manifest.document(encoded.bytes, &encoded.sha256),
        bytes: encoded.bytes,
        sha256: encoded.sha256,
        version: encoded.manifest.version,
        complete_through: encoded.manifest.complete_through,
        redacted,
    })
}

/// Passes rows on until the answer is complete.
async fn read(
    stream: &mut Streaming<StreamQueryResponse>,
    inputs: mpsc::Sender<EncoderInput>,
    progress: &ProgressCounters,
) -> Result<(), WriteError> {
    while let Some(part) = stream.message().await.map_err(from_status)? {
        let (customers, total_customers, done) = (part.customers, part.total_customers, part.done);
        let batch = RowBatch::from(part);
        let rows = i64::try_from(batch.row_count()).unwrap_or_default();
        if rows > 0 && inputs.send(EncoderInput::Rows(Box::new(batch))).await.is_err() {
            // The next step failed and reports the cause.
            return Ok(());
        }
        progress.rows.fetch_add(rows, Ordering::Relaxed);
        progress.customers.store(customers, Ordering::Relaxed);
        progress.total_customers.store(total_customers, Ordering::Relaxed);
        if done {
            // As above.
            let _ = inputs.send(EncoderInput::End).await;
            return Ok(());
        }
    }
    Err(WriteError::Transient("the answer of metrics ended early".to_owned()))
}

/// Encodes rows on a blocking thread until the end of the input.
fn encode(
    making: impl FnOnce() -> Result<(Box<dyn Encoder>, Vec<ColumnSchema>), EncodeError>,
    mut inputs: mpsc::Receiver<EncoderInput>,
    pieces: &mpsc::Sender<FilePiece>,
    mut manifest: FileManifest,
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
        match inputs.blocking_recv() {
            None => return Err(broken()),
            Some(EncoderInput::End) => break,
            Some(EncoderInput::Rows(batch)) => {
                batch.each(|row| {
                    let cells: Vec<CellValue<'_>> = columns.iter().map(|column| column.cell(row)).collect();
                    digest.row(&cells);
                    encoder.row(&cells)
                })?;
                manifest.rows += batch.row_count() as u64;
                hand_on(encoder.take())?;
                fail_point::hit("reporting.export_rows");
            }
        }
    }
    manifest.rows_sha256 = digest.finish();
    encoder.finish(&manifest, &mut hand_on)?;
    pieces.blocking_send(FilePiece::End).map_err(|_| broken())?;
    Ok(EncodedFile { manifest, bytes, sha256: hex::encode(file.finalize()) })
}

fn broken() -> EncodeError {
    EncodeError::Io(std::io::Error::from(std::io::ErrorKind::BrokenPipe))
}

fn permanent(error: impl std::fmt::Display) -> WriteError {
    WriteError::Permanent(error.to_string())
}

fn transient(error: impl Into<BoxError>) -> WriteError {
    WriteError::Transient(error_chain(error.into().as_ref()))
}

/// Errors about the order itself are permanent, all others transient.
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
