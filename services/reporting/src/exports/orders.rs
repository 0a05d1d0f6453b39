//! Operations on a caller's exports: create, preview, get, list, cancel, delete.

use std::convert::Infallible;

use insights_access::Principal;
use insights_database::Error as DatabaseError;
use insights_proto::metrics::v1::StreamQueryRequest;
use insights_proto::reporting::v1::{
    CreateExportRequest, Export, ExportFormat, ExportOrder, ExportState, ListExportsRequest, ListExportsResponse,
    PreviewExportResponse, PreviewRow,
};
use insights_service::{Error, FieldViolation, PageToken, fitting, page_size};
use prost::Message;
use prost_types::Timestamp;
use tonic::Status;

use super::Exports;
use super::file_writer::{StreamHeader, begin};
use super::formats::{ending, text_of};
use super::rows::RowBatch;
use super::spec::ExportSpec;
use super::store::ExportJob;
use crate::field_paths::rename_order;

/// Rows of a preview.
const PREVIEW: usize = 15;
/// Default and largest number of exports of a page.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 200;
/// Longest request id and file name, in characters.
const REQUEST_ID: usize = 128;
const NAME: usize = 100;

/// Position in the list: the time of the order in microseconds, and the export's id.
type ExportKey = (i64, String);

impl Exports {
    /// Stores an order, or returns the export of an earlier request with the same id.
    pub async fn create(&self, caller: &Principal, request: CreateExportRequest) -> Result<Export, Status> {
        let spec = ExportSpec::of(&request.order.clone().unwrap_or_default());
        let redacted = spec.authorise(&self.policy, caller)?;
        let order = checked(request.order, &request.request_id)?;
        if let Some(job) = self.same_request(caller, &request.request_id, &order).await? {
            return Ok(export(&job));
        }
        if self.table.count(caller.partner(), caller.subject()).await.map_err(unavailable)? >= self.config.per_owner {
            let most = self.config.per_owner;
            let text =
                format!("At most {most} exports are kept of one caller; delete some, or wait until they expire.");
            return Err(Error::exhausted(text).into());
        }
        // Metrics validates the query now, so that a faulty order fails here and not in the background.
        let first = self.first_rows(spec.request(caller, request.min_version), 0).await?.0;
        let now = self.table.now();
        let id = format!("{:032x}", rand::random::<u128>());
        let job = ExportJob {
            partner: caller.partner().to_owned(),
            owner: caller.subject().to_owned(),
            request_id: Some(request.request_id.clone()).filter(|id| !id.is_empty()),
            min_version: request.min_version.max(first.freshness.version),
            roles: caller.roles_text(),
            locations: caller.locations_text(),
            state: ExportState::Waiting.into(),
            attempt: 0,
            worker: String::new(),
            lease_until_micros: 0,
            created_micros: now.timestamp_micros(),
            ended_micros: 0,
            expires_micros: (now + self.config.keep()).timestamp_micros(),
            row_count: 0,
            customers: 0,
            total_customers: 0,
            byte_count: 0,
            sha256: String::new(),
            version: 0,
            complete_through: String::new(),
            redacted,
            file_name: file_name(&order, &id),
            file_path: String::new(),
            failure: String::new(),
            manifest: String::new(),
            order_body: order.encode_to_vec(),
            export_id: id,
        };
        match self.table.insert(job.clone()).await {
            Ok(()) => {}
            // The same request arrived twice concurrently.
            Err(DatabaseError::Duplicate(_)) => {
                let same = self.same_request(caller, &request.request_id, &order).await?;
                return same.map(|job| export(&job)).ok_or_else(|| Error::unavailable("Try again.").into());
            }
            Err(error) => return Err(unavailable(error)),
        }
        self.wake.notify_one();
        Ok(export(&job))
    }

    async fn same_request(
        &self,
        caller: &Principal,
        request_id: &str,
        order: &ExportOrder,
    ) -> Result<Option<ExportJob>, Status> {
        if request_id.is_empty() {
            return Ok(None);
        }
        let found = self.table.find_request(caller.partner(), caller.subject(), request_id).await;
        match found.map_err(unavailable)? {
            Some(job) if job.order_body != order.encode_to_vec() => {
                Err(Error::conflict("The request_id was used for another order.").into())
            }
            found => Ok(found),
        }
    }

    /// The first rows that the file of an order would have.
    pub async fn preview(
        &self,
        caller: &Principal,
        order: Option<ExportOrder>,
        min_version: i64,
    ) -> Result<PreviewExportResponse, Status> {
        let spec = ExportSpec::of(&order.clone().unwrap_or_default());
        let hides = spec.authorise(&self.policy, caller)?;
        checked(order, "")?;
        let request = spec.request(caller, min_version);
        let (first, batches) = self.first_rows(request, PREVIEW + 1).await?;
        let columns = spec.columns(caller);
        let mut rows = Vec::new();
        for batch in &batches {
            // The closure is infallible.
            let _ = batch.each(|row| {
                if rows.len() <= PREVIEW {
                    rows.push(PreviewRow { cells: columns.iter().map(|column| text_of(column.cell(row))).collect() });
                }
                Ok::<_, Infallible>(())
            });
        }
        let more = rows.len() > PREVIEW;
        rows.truncate(PREVIEW);
        Ok(PreviewExportResponse {
            rows,
            columns: columns.into_iter().map(|column| column.name).collect(),
            more,
            redacted: hides || first.redacted,
            freshness: Some(first.freshness),
        })
    }

    /// The first rows of an export, read as its file would be.
    async fn first_rows(
        &self,
        request: StreamQueryRequest,
        most: usize,
    ) -> Result<(StreamHeader, Vec<RowBatch>), Status> {
        let mut stream = self.metrics.stream_query(request).await.map_err(rename_order)?;
        let first = begin(&mut stream).await.map_err(rename_order)?;
        let (mut batches, mut row_count) = (Vec::new(), 0);
        while row_count < most {
            let Some(part) = stream.message().await.map_err(rename_order)? else { break };
            let done = part.done;
            let batch = RowBatch::from(part);
            row_count += batch.row_count();
            batches.push(batch);
            if done {
                break;
            }
        }
        Ok((first, batches))
    }

    /// One of the caller's exports.
    pub async fn find(&self, caller: &Principal, id: &str) -> Result<ExportJob, Status> {
        let found = self.table.find(caller.partner(), caller.subject(), id).await.map_err(unavailable)?;
        found.ok_or_else(|| Error::not_found("The export").into())
    }

    /// One of the caller's exports, unless it covers locations that the caller may no longer see: even its number of rows
    /// would reveal them.
    pub async fn look_at(&self, caller: &Principal, id: &str) -> Result<ExportJob, Status> {
        let job = self.find(caller, id).await?;
        if within(&job, caller) { Ok(job) } else { Err(insights_access::forbidden()) }
    }

    /// A page of the caller's exports that [`Self::look_at`] shows.
    pub async fn list(&self, caller: &Principal, request: &ListExportsRequest) -> Result<ListExportsResponse, Status> {
        let tokens: PageToken<ExportKey> =
            PageToken::of(self.audit.list_token_key(), caller.subject(), caller, request);
        let (size, after) = match (page_size(request.page_size, PAGE, LARGEST_PAGE), tokens.read(&request.page_token)) {
            (Ok(size), Ok(after)) => (size, after),
            (size, after) => return Err(Error::Invalid(size.err().into_iter().chain(after.err()).collect()).into()),
        };
        let found = self.table.list(caller.partner(), caller.subject(), after, size as u64 + 1).await;
        let mut jobs = found.map_err(unavailable)?;
        let more = jobs.len() > size;
        jobs.truncate(size);
        let shown: Vec<(&ExportJob, Export)> =
            jobs.iter().filter(|job| within(job, caller)).map(|job| (job, export(job))).collect();
        let mut exports: Vec<Export> = shown.iter().map(|(_, export)| export.clone()).collect();
        let fitting = fitting(&exports);
        exports.truncate(fitting);
        let last = if fitting < shown.len() {
            shown.get(fitting - 1).map(|(job, _)| *job)
        } else {
            jobs.last().filter(|_| more)
        };
        let token = |job: &ExportJob| tokens.write(&(job.created_micros, job.export_id.clone()));
        Ok(ListExportsResponse { exports, next_page_token: last.map(token).unwrap_or_default() })
    }

    /// Cancels one of the caller's exports.
    pub async fn cancel(&self, caller: &Principal, id: &str) -> Result<Export, Status> {
        let job = self.find(caller, id).await?;
        self.table.cancel(&job, &self.config).await.map_err(unavailable)?;
        Ok(export(&self.find(caller, id).await?))
    }

    /// Deletes one of the caller's exports. A worker that is writing it removes its own file.
    pub async fn delete(&self, caller: &Principal, id: &str) -> Result<(), Status> {
        let job = self.find(caller, id).await?;
        self.table.cancel(&job, &self.config).await.map_err(unavailable)?;
        let job = self.find(caller, id).await?;
        self.files.remove_all(&job.export_id).await.map_err(Error::internal)?;
        self.table.remove(&job).await.map_err(unavailable)?;
        Ok(())
    }

    /// One of the caller's exports that is complete and that the caller may still see in full.
    pub async fn downloadable(&self, caller: &Principal, id: &str) -> Result<ExportJob, Status> {
        let job = self.find(caller, id).await?;
        let order = ExportOrder::decode(job.order_body.as_slice()).map_err(Error::internal)?;
        ExportSpec::of(&order).still_shown_to(caller, &job.viewer(), &self.policy)?;
        if job.state != i32::from(ExportState::Done) {
            return Err(Error::aborted("The export has no file, or none yet.").into());
        }
        Ok(job)
    }
}

fn within(job: &ExportJob, caller: &Principal) -> bool {
    job.viewer().is_within(caller)
}

/// The order, if it passes the checks that do not need metrics.
fn checked(order: Option<ExportOrder>, request_id: &str) -> Result<ExportOrder, Error> {
    let order = order.ok_or_else(|| Error::invalid("order", "is required"))?;
    let mut faults = Vec::new();
    let mut fault = |field: &str, what: String| faults.push(FieldViolation::new(field, what));
    if order.query.is_none() {
        fault("order.query", "is required".to_owned());
    }
    if ExportFormat::try_from(order.format).unwrap_or_default() == ExportFormat::Unspecified {
        fault("order.format", "must be CSV, TSV, XLSX or PARQUET".to_owned());
    }
    if order.name.chars().count() > NAME {
        fault("order.name", format!("is longer than {NAME} letters"));
    }
    if request_id.chars().count() > REQUEST_ID {
        fault("request_id", format!("is longer than {REQUEST_ID} letters"));
    }
    faults.extend(ExportSpec::faults(&order));
    if faults.is_empty() { Ok(order) } else { Err(Error::Invalid(faults)) }
}

/// A file name that is safe everywhere: no path, line break, quote or second extension.
fn file_name(order: &ExportOrder, id: &str) -> String {
    let (ending, _) = ending(order.format());
    let kept = |letter: char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_' | '.');
    let name: String = order.name.chars().map(|letter| if kept(letter) { letter } else { '_' }).collect();
    let name = name.trim_matches([' ', '.']);
    let name = name.strip_suffix(&format!(".{ending}")).unwrap_or(name);
    if !name.is_empty() {
        return format!("{name}.{ending}");
    }
    let query = order.query.clone().unwrap_or_default();
    // Ids are hexadecimal: every position is between letters.
    let kind = ExportSpec::of(order).name();
    format!("{kind}-{}-{}-{}.{ending}", query.from_month, query.to_month, &id[..8.min(id.len())])
}

/// An export as a message of the API.
pub fn export(job: &ExportJob) -> Export {
    let state = ExportState::try_from(job.state).unwrap_or_default();
    let done = state == ExportState::Done;
    let time = |micros: i64| Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default(),
    };
    let percent = match job.total_customers {
        _ if done => 100,
        0 => 0,
        total => i32::try_from(job.customers.saturating_mul(100) / total).unwrap_or_default().clamp(0, 99),
    };
    Export {
        id: job.export_id.clone(),
        order: ExportOrder::decode(job.order_body.as_slice()).ok(),
        state: state.into(),
        progress_percent: percent,
        rows: job.row_count,
        bytes: job.byte_count,
        sha256: job.sha256.clone(),
        version: job.version,
        complete_through: job.complete_through.clone(),
        redacted: job.redacted,
        file_name: job.file_name.clone(),
        create_time: Some(time(job.created_micros)),
        end_time: (job.ended_micros != 0).then(|| time(job.ended_micros)),
        expire_time: Some(time(job.expires_micros)),
        failure: job.failure.clone(),
        attempts: job.attempt,
        manifest: job.manifest.clone(),
    }
}

/// The status of a failed access to the table of exports.
pub fn unavailable(error: DatabaseError) -> Status {
    tracing::warn!(%error, "cannot access the table of exports");
    Error::unavailable("Exports are not available now.").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> String {
        let order = ExportOrder { name: name.to_owned(), format: ExportFormat::Csv.into(), ..ExportOrder::default() };
        file_name(&order, "0123456789abcdef")
    }

    #[test]
    fn names_of_files_are_names_everywhere() {
        assert_eq!(named("Março 2026"), "Março 2026.csv");
        assert_eq!(named("seats.csv"), "seats.csv");
        assert_eq!(named("../../etc/passwd"), "_.._etc_passwd.csv");
        assert_eq!(named("a\r\nSet-Cookie: x=1"), "a__Set-Cookie_ x_1.csv");
        assert_eq!(named("\"; filename=\"b"), "__ filename__b.csv");
        for nothing in ["", "..", " . "] {
            assert!(named(nothing).starts_with("export-"), "{}", named(nothing));
        }
    }
}
