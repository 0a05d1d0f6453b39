//! `IngestionService`.

use std::{pin::Pin, sync::Arc};

use chrono::DateTime;
use futures::{Stream, StreamExt};
use insights_access::{Principal, Redactor, Role, RoleSet, principal};
use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{self as proto, ListEffect, ingestion_service_server::IngestionService};
use insights_service::{FieldViolation, PageToken, fitting, page_size};
use prost::Name;
use prost_types::Timestamp;
use tonic::{Request, Response, Status, Streaming};

use super::{status, stream};
use crate::{
    audit::{self, CallAudit, CallPosition},
    error::{ClockError, Error},
    records::{Violation, quarantine::ACTIVITY},
    tables::{
        partner::{NO_DAY, StoredPartner},
        quarantine::{self, Quarantined},
        waiting,
    },
    write::{self, Ledger},
};

/// Serves `IngestionService` for the partner of the caller's token.
pub(crate) struct IngestionApi {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) audit: CallAudit,
}

/// Entries of a page, unless asked for otherwise, and at most.
const PAGE: usize = 100;
const LARGEST_PAGE: usize = 1_000;
/// Longest record that is shown, in bytes: a page must fit into an answer, and nobody reads a longer one.
const LONGEST_JSON: usize = 1024 * 1024;

#[tonic::async_trait]
impl IngestionService for IngestionApi {
    type IngestStreamStream = Pin<Box<dyn Stream<Item = Result<proto::IngestStreamResponse, Status>> + Send>>;

    async fn ingest_batch(
        &self,
        request: Request<proto::IngestBatchRequest>,
    ) -> Result<Response<proto::IngestBatchResponse>, Status> {
        let caller = principal(&request)?;
        let call = self.audit.begin_batch(&caller, "IngestBatch", request.get_ref());
        let answer = write::ingest(&self.ledger, caller.partner(), request.into_inner()).await.map_err(status);
        call.answer(answer, |_| 0).await.map(Response::new)
    }

    async fn ingest_stream(
        &self,
        request: Request<Streaming<proto::IngestStreamRequest>>,
    ) -> Result<Response<Self::IngestStreamStream>, Status> {
        let caller = principal(&request)?;
        let answers = stream::answers(Arc::clone(&self.ledger), self.audit.clone(), caller, request.into_inner());
        Ok(Response::new(answers.boxed()))
    }

    async fn preview_lists(
        &self,
        request: Request<proto::PreviewListsRequest>,
    ) -> Result<Response<proto::PreviewListsResponse>, Status> {
        let caller = principal(&request)?;
        let call = self.audit.begin(&caller, "PreviewLists");
        let effects = write::preview_lists(&self.ledger, caller.partner(), request.into_inner().records).await;
        let answer = effects.map(|effects| lists_shown(effects, &caller)).map_err(status);
        call.answer(answer, |answer| answer.effects.len()).await.map(Response::new)
    }

    async fn list_rejections(
        &self,
        request: Request<proto::ListRejectionsRequest>,
    ) -> Result<Response<proto::ListRejectionsResponse>, Status> {
        let caller = principal(&request)?;
        let call = self.audit.begin(&caller, "ListRejections");
        let answer = self.rejections(&caller, request.get_ref()).await.map_err(status);
        call.answer(answer, |answer| answer.rejections.len()).await.map(Response::new)
    }

    async fn replay_rejections(
        &self,
        request: Request<proto::ReplayRejectionsRequest>,
    ) -> Result<Response<proto::ReplayRejectionsResponse>, Status> {
        let caller = principal(&request)?;
        let call = self.audit.begin(&caller, "ReplayRejections");
        let answer = self.replay(&caller, &request.into_inner().ids).await.map_err(status);
        let tried = |answer: &proto::ReplayRejectionsResponse| answer.accepted + answer.rejected;
        call.answer(answer, |answer| usize::try_from(tried(answer)).unwrap_or_default()).await.map(Response::new)
    }

    async fn list_waiting(
        &self,
        request: Request<proto::ListWaitingRequest>,
    ) -> Result<Response<proto::ListWaitingResponse>, Status> {
        let caller = principal(&request)?;
        let call = self.audit.begin(&caller, "ListWaiting");
        let answer = self.waiting(&caller, request.get_ref()).await.map_err(status);
        call.answer(answer, |answer| answer.references.len()).await.map(Response::new)
    }

    async fn list_audit_entries(
        &self,
        request: Request<proto::ListAuditEntriesRequest>,
    ) -> Result<Response<proto::ListAuditEntriesResponse>, Status> {
        let caller = principal(&request)?;
        let call = self.audit.begin(&caller, "ListAuditEntries");
        let answer = self.audit_entries(&caller, request.get_ref()).await.map_err(status);
        call.answer(answer, |answer| answer.entries.len()).await.map(Response::new)
    }

    async fn get_freshness(
        &self,
        request: Request<proto::GetFreshnessRequest>,
    ) -> Result<Response<proto::GetFreshnessResponse>, Status> {
        let caller = principal(&request)?;
        let answer = self.freshness(&caller).await.map_err(status)?;
        Ok(Response::new(answer))
    }
}

impl IngestionApi {
    async fn replay(&self, caller: &Principal, ids: &[i64]) -> Result<proto::ReplayRejectionsResponse, Error> {
        let most = self.ledger.limits.records_per_batch;
        if ids.len() > most {
            return Err(Error::invalid("ids", format!("must have at most {most} entries")));
        }
        let (accepted, rejected, version) = write::replay(&self.ledger, caller.partner(), ids).await?;
        Ok(proto::ReplayRejectionsResponse { accepted, rejected, version })
    }

    async fn audit_entries(
        &self,
        caller: &Principal,
        request: &proto::ListAuditEntriesRequest,
    ) -> Result<proto::ListAuditEntriesResponse, Error> {
        let tokens: PageToken<CallPosition> =
            PageToken::of(&self.ledger.page_tokens, caller.subject(), caller, request);
        let size = page_size(request.page_size, PAGE, LARGEST_PAGE).map_err(invalid)?;
        let before = tokens.read(&request.page_token).map_err(invalid)?;
        let filter = audit::filter(request, before).map_err(all_invalid)?;
        let (entries, after) = self.audit.list(caller.partner(), &filter, size).await?;
        let next_page_token = after.map(|after| tokens.write(&after)).unwrap_or_default();
        Ok(proto::ListAuditEntriesResponse { entries, next_page_token })
    }

    async fn rejections(
        &self,
        caller: &Principal,
        request: &proto::ListRejectionsRequest,
    ) -> Result<proto::ListRejectionsResponse, Error> {
        let tokens: PageToken<i64> = PageToken::of(&self.ledger.page_tokens, caller.subject(), caller, request);
        let size = page_size(request.page_size, PAGE, LARGEST_PAGE).map_err(invalid)?;
        let below = tokens.read(&request.page_token).map_err(invalid)?.unwrap_or(i64::MAX);
        let reader = self.ledger.database.reader();
        let Some(partner) = StoredPartner::find(reader, caller.partner()).await? else {
            return Ok(proto::ListRejectionsResponse::default());
        };
        let most = u32::try_from(size + 1).unwrap_or(u32::MAX);
        let mut found = quarantine::list(reader, &partner, &request.batch_id, below, most).await?;
        let more = found.len() > size;
        found.truncate(size);
        let mut rejections: Vec<_> = found.into_iter().map(|kept| shown(kept, caller)).collect();
        let fitting = fitting(&rejections);
        let more = more || fitting < rejections.len();
        rejections.truncate(fitting);
        let next_page_token = rejections.last().filter(|_| more).map(|last| tokens.write(&last.id)).unwrap_or_default();
        Ok(proto::ListRejectionsResponse { rejections, next_page_token, dropped: partner.dropped })
    }

    async fn waiting(
        &self,
        caller: &Principal,
        request: &proto::ListWaitingRequest,
    ) -> Result<proto::ListWaitingResponse, Error> {
        let tokens: PageToken<String> = PageToken::of(&self.ledger.page_tokens, caller.subject(), caller, request);
        let size = page_size(request.page_size, PAGE, LARGEST_PAGE).map_err(invalid)?;
        let after = tokens.read(&request.page_token).map_err(invalid)?.unwrap_or_default();
        let reader = self.ledger.database.reader();
        let Some(partner) = StoredPartner::find(reader, caller.partner()).await? else {
            return Ok(proto::ListWaitingResponse::default());
        };
        let mut missing = waiting::list(reader, &partner, &after, size + 1).await?;
        let more = missing.len() > size;
        missing.truncate(size);
        let next_page_token = missing.last().filter(|_| more).map(|last| tokens.write(&last.0)).unwrap_or_default();
        let reference = |(name, waiting): (String, i64)| {
            let (kind, id) = name.split_once('/').unwrap_or((&name, ""));
            proto::MissingReference { kind: kind.to_owned(), id: id.to_owned(), waiting }
        };
        Ok(proto::ListWaitingResponse { references: missing.into_iter().map(reference).collect(), next_page_token })
    }

    async fn freshness(&self, caller: &Principal) -> Result<proto::GetFreshnessResponse, Error> {
        let reader = self.ledger.database.reader();
        let now = self.ledger.now();
        let Some(partner) = StoredPartner::find(reader, caller.partner()).await? else {
            let today = Day::of_instant(now, chrono_tz::Tz::UTC).to_string();
            return Ok(proto::GetFreshnessResponse { complete_through: today, ..Default::default() });
        };
        self.ledger.receipts.compare(&self.ledger.database).await?;
        let fault = self.ledger.receipts.fault(&partner);
        // Rejected and waiting records belong to no location yet.
        let whole = caller.locations().is_none();
        let today = partner.today(now);
        let received = [partner.complete_through, partner.last_activity].into_iter().find(|day| *day != NO_DAY);
        let complete_through = received.and_then(Day::from_epoch_days).map_or(today, |day| day.min(today));
        Ok(proto::GetFreshnessResponse {
            version: partner.version,
            epoch: partner.epoch,
            complete_through: complete_through.to_string(),
            last_ingest_time: (partner.last_ingest != 0).then(|| timestamp(whole_milliseconds(partner.last_ingest))),
            rejected: if whole { Some(quarantine::count(reader, &partner).await?) } else { None },
            waiting: if whole { Some(waiting::count(reader, &partner).await?) } else { None },
            clock_fault: match fault {
                None => proto::ClockFault::Unspecified.into(),
                Some(ClockError::BehindReceipts { .. }) => proto::ClockFault::BehindReceipts.into(),
                Some(ClockError::ApartFromDatabase { .. }) => proto::ClockFault::ApartFromDatabase.into(),
            },
            clock_ahead_seconds: fault.map_or(0, ClockError::seconds_ahead),
            dropped: whole.then_some(partner.dropped),
        })
    }
}

/// Lists' effects as this caller may see them: a machine that only sends sees no figures, and no names beside its own.
fn lists_shown(mut effects: Vec<ListEffect>, caller: &Principal) -> proto::PreviewListsResponse {
    if caller.roles() == RoleSet::EMPTY.with(Role::DataSource) {
        effects.iter_mut().for_each(|effect| effect.ids.clear());
    }
    proto::PreviewListsResponse { effects }
}

fn all_invalid(violations: Vec<FieldViolation>) -> Error {
    let violation = |it: FieldViolation| Violation { field: it.field, reason: it.description };
    Error::Invalid(violations.into_iter().map(violation).collect())
}

fn invalid(violation: FieldViolation) -> Error {
    Error::invalid(&violation.field, violation.description)
}

/// The nanoseconds would say how many records the last batch had, of whatever class or location.
fn whole_milliseconds(nanos: i64) -> i64 {
    nanos - nanos.rem_euclid(1_000_000)
}

fn timestamp(nanos: i64) -> Timestamp {
    let time = DateTime::from_timestamp_nanos(nanos);
    Timestamp { seconds: time.timestamp(), nanos: time.timestamp_subsec_nanos().cast_signed() }
}

/// A rejected record as this caller may see it: without fields of the classes that the caller does not see.
fn shown(kept: Quarantined, caller: &Principal) -> proto::QuarantinedRecord {
    let message = if kept.kind == ACTIVITY { proto::ActivityFact::full_name() } else { proto::Record::full_name() };
    let whole = kept.json.len() <= LONGEST_JSON;
    proto::QuarantinedRecord {
        record_json: if whole { Redactor::product().redact_json(caller, &message, &kept.json) } else { String::new() },
        id: kept.id,
        batch_id: kept.batch_id,
        index: kept.index,
        kind: kept.kind,
        field: kept.field,
        reason: kept.reason,
        receive_time: Some(timestamp(kept.received)),
    }
}
