//! Exports. Calls that return or order figures are audited.

use std::pin::Pin;

use futures::stream::{self, Stream, StreamExt};
use insights_proto::reporting::v1 as wire;
use insights_service::{Error, FieldViolation};
use tonic::{Request, Response, Status};

use super::call::{Audited, AuditedCall};
use super::{HandlerResult, ReportingApi};
use crate::exports::{ExportJob, export};

/// The stream of a download.
pub type DownloadStream = Pin<Box<dyn Stream<Item = Result<wire::DownloadExportResponse, Status>> + Send>>;

/// Bytes of a file in one message.
const PIECE: usize = 256 * 1024;

/// Orders an export.
pub async fn create(
    api: &ReportingApi,
    request: Request<wire::CreateExportRequest>,
) -> HandlerResult<wire::CreateExportResponse> {
    let call = AuditedCall::begin(api, "CreateExport", &request)?;
    let answer = api.exports.create(&call.caller, request.into_inner()).await;
    call.answer(answer.map(|export| wire::CreateExportResponse { export: Some(export) })).await
}

/// Shows the first rows.
pub async fn preview(
    api: &ReportingApi,
    request: Request<wire::PreviewExportRequest>,
) -> HandlerResult<wire::PreviewExportResponse> {
    let call = AuditedCall::begin(api, "PreviewExport", &request)?;
    let request = request.into_inner();
    let answer = api.exports.preview(&call.caller, request.order, request.min_version).await;
    call.answer(answer).await
}

/// Returns the state of an export.
pub async fn get(
    api: &ReportingApi,
    request: Request<wire::GetExportRequest>,
) -> HandlerResult<wire::GetExportResponse> {
    let call = AuditedCall::begin(api, "GetExport", &request)?;
    // It returns no figures and is polled, so it is not audited.
    let job = api.exports.look_at(&call.caller, &request.into_inner().id).await?;
    Ok(Response::new(wire::GetExportResponse { export: Some(export(&job)) }))
}

/// Lists exports.
pub async fn list(
    api: &ReportingApi,
    request: Request<wire::ListExportsRequest>,
) -> HandlerResult<wire::ListExportsResponse> {
    let call = AuditedCall::begin(api, "ListExports", &request)?;
    let request = request.into_inner();
    // Not audited, as above.
    api.exports.list(&call.caller, &request).await.map(Response::new)
}

/// Cancels an export.
pub async fn cancel(
    api: &ReportingApi,
    request: Request<wire::CancelExportRequest>,
) -> HandlerResult<wire::CancelExportResponse> {
    let call = AuditedCall::begin(api, "CancelExport", &request)?;
    let answer = api.exports.cancel(&call.caller, &request.into_inner().id).await;
    call.answer(answer.map(|export| wire::CancelExportResponse { export: Some(export) })).await
}

/// Removes an export.
pub async fn delete(
    api: &ReportingApi,
    request: Request<wire::DeleteExportRequest>,
) -> HandlerResult<wire::DeleteExportResponse> {
    let call = AuditedCall::begin(api, "DeleteExport", &request)?;
    let answer = api.exports.delete(&call.caller, &request.into_inner().id).await;
    call.answer(answer.map(|()| wire::DeleteExportResponse {})).await
}

/// Creates a download ticket.
pub async fn ticket(
    api: &ReportingApi,
    request: Request<wire::CreateDownloadTicketRequest>,
) -> HandlerResult<wire::CreateDownloadTicketResponse> {
    let call = AuditedCall::begin(api, "CreateDownloadTicket", &request)?;
    let id = request.into_inner().id;
    let answer = async {
        let job = api.exports.downloadable(&call.caller, &id).await?;
        api.exports.ticket(&call.caller, &job).await
    };
    let answer = answer.await;
    call.answer(answer).await
}

/// Streams a file.
pub async fn download(
    api: &ReportingApi,
    request: Request<wire::DownloadExportRequest>,
) -> HandlerResult<DownloadStream> {
    let call = AuditedCall::begin(api, "DownloadExport", &request)?;
    let answer = open(api, &call, request.into_inner()).await;
    let answer = call.audited(answer).await?;
    Ok(answer.map(|download| download.stream))
}

struct OpenDownload {
    stream: DownloadStream,
    job: ExportJob,
}

async fn open(
    api: &ReportingApi,
    call: &AuditedCall,
    request: wire::DownloadExportRequest,
) -> Result<OpenDownload, Status> {
    let job = api.exports.downloadable(&call.caller, &request.id).await?;
    let offset = u64::try_from(request.offset);
    let offset = offset.map_err(|_| Error::Invalid(vec![FieldViolation::new("offset", "is negative")]))?;
    let size = u64::try_from(job.byte_count).unwrap_or_default();
    if offset > size {
        return Err(Error::out_of_range(format!("The file has {size} bytes; there is nothing at {offset}.")).into());
    }
    let bytes = api.exports.file(&job, offset..size).await.map_err(gone)?;
    let pieces = bytes.flat_map(|bytes| {
        let pieces = match bytes {
            Ok(bytes) => {
                let size = bytes.len();
                let places = (0..size).step_by(PIECE);
                places.map(|from| Ok(bytes.slice(from..(from + PIECE).min(size)))).collect::<Vec<_>>()
            }
            Err(error) => vec![Err(Error::internal(error))],
        };
        stream::iter(pieces)
    });
    let mut at = request.offset;
    let data = pieces.map(move |piece| {
        let data = piece.map_err(Status::from)?;
        let offset = at;
        at += i64::try_from(data.len()).unwrap_or_default();
        Ok(wire::DownloadExportResponse { data, offset, export: None })
    });
    let offset = job.byte_count;
    let last = wire::DownloadExportResponse { offset, export: Some(export(&job)), ..Default::default() };
    Ok(OpenDownload { stream: data.chain(stream::iter([Ok(last)])).boxed(), job })
}

/// The error for a file that cannot be read. It is missing after a restore of the database alone; the store may be down.
fn gone(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::not_found("The file of the export"),
        std::io::ErrorKind::NotConnected => {
            tracing::warn!(%error, "cannot reach the store of exports");
            Error::unavailable("The files of exports are not available now.")
        }
        _ => Error::internal(error),
    }
}

impl Audited for OpenDownload {
    fn rows(&self) -> usize {
        usize::try_from(self.job.row_count).unwrap_or_default()
    }

    fn redacted(&self) -> bool {
        self.job.redacted
    }
}

impl Audited for wire::CreateExportResponse {
    /// The file does not exist yet.
    fn rows(&self) -> usize {
        0
    }

    fn redacted(&self) -> bool {
        self.export.as_ref().is_some_and(|export| export.redacted)
    }
}

impl Audited for wire::PreviewExportResponse {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn redacted(&self) -> bool {
        self.redacted
    }
}

/// Answers without rows.
macro_rules! without_rows {
    ($($answer:ty),*) => {
        $(impl Audited for $answer {
            fn rows(&self) -> usize {
                0
            }
        })*
    };
}

without_rows!(wire::CancelExportResponse, wire::DeleteExportResponse, wire::CreateDownloadTicketResponse);
