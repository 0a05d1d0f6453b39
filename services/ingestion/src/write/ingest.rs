//! A batch from its request to its answer.

use insights_proto::ingestion::v1::{IngestBatchRequest, IngestBatchResponse};
use insights_service::fail_point;

use super::{
    Ledger,
    answer::response,
    everybody,
    plan::FACTS_OF_A_RECORD,
    prepare::{CheckedBatch, PreparedBatch, PreparedRequest, prepare},
    retry::{TRIES, transact},
    store::{StoredBatch, store, version_after},
    validate::validate,
};
use crate::{
    error::Error,
    tables::{
        batch::{self, BatchReservation},
        partner::StoredPartner,
        quarantine::{self, QuarantineCap},
    },
};

/// Stores the good records of a batch and quarantines the others.
pub(crate) async fn ingest(
    ledger: &Ledger,
    partner: &str,
    request: IngestBatchRequest,
) -> Result<IngestBatchResponse, Error> {
    let ready = prepare(ledger, partner, request).await?;
    finish(ledger, ready).await
}

/// Stores and answers a batch that is checked.
pub(crate) async fn finish(ledger: &Ledger, ready: PreparedRequest) -> Result<IngestBatchResponse, Error> {
    let PreparedBatch { partner, batch_id, digest, mut checked, ids } = match ready {
        PreparedRequest::Batch(prepared) => *prepared,
        PreparedRequest::Validation { partner, request } => return validate(ledger, &partner, *request).await,
    };
    let _bulk = ledger.debounce.begin(checked.activity.columns.day.len() + checked.items.len() * FACTS_OF_A_RECORD);
    if let Some(digest) = digest
        && fail_point::guard_holds("ingestion.batch_id")
    {
        match batch::reserve(ledger.database.writer(), &partner, &batch_id, &digest, checked.now).await? {
            BatchReservation::Answered(answer) => return Ok(answer),
            BatchReservation::Received(first) => checked.received(first),
        }
    }
    // Customers who are named by that alone have no ids yet.
    let ids = if everybody::expand(ledger, &partner, &mut checked).await? { None } else { ids };
    let stored = store(ledger, &partner, &checked, ids).await?;
    fail_point::hit("ingestion.before_answer");
    answer(ledger, &partner, &batch_id, checked, stored).await
}

async fn answer(
    ledger: &Ledger,
    partner: &StoredPartner,
    batch_id: &str,
    checked: CheckedBatch,
    stored: StoredBatch,
) -> Result<IngestBatchResponse, Error> {
    if !checked.rejected.is_empty() {
        let rejected = (checked.rejected.as_slice(), QuarantineCap::of(&ledger.limits));
        let now = checked.now;
        transact!(ledger, |transaction| quarantine::keep(transaction, partner, batch_id, rejected, now))?;
    }
    let version = version_after(ledger, partner, &stored).await?;
    let response = response(version, &checked.rejected, stored, checked.now);
    tracing::debug!(
        partner = partner.id,
        version,
        accepted = response.accepted,
        duplicates = response.duplicates,
        superseded = response.superseded,
        rejected = response.rejected,
        waiting = response.waiting,
        "batch stored"
    );
    if batch_id.is_empty() {
        return Ok(response);
    }
    let answer = batch::complete(ledger.database.writer(), partner, batch_id, response).await;
    fail_point::hit("ingestion.answer_kept");
    answer
}
