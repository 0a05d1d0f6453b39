//! A batch from its request to its answer.

use insights_proto::ingestion::v1::{IngestBatchRequest, IngestBatchResponse};
use insights_service::fail_point;

use super::{
    Ledger,
    answer::response,
    erase,
    erased::sift,
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
    let PreparedBatch { mut partner, batch_id, digest, mut checked, ids } = match ready {
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
    fail_point::hit("ingestion.checked");
    if !checked.learned.is_empty() {
        erase::learn(ledger, &partner, &checked.learned).await?;
        partner = sift_again(ledger, &partner, &mut checked).await?;
    }
    // Customers who are named by that alone have no ids yet.
    let mut ids = if everybody::expand(ledger, &partner, &mut checked).await? { None } else { ids };
    let mut tries = 0;
    let stored = loop {
        tries += 1;
        match store(ledger, &partner, &checked, ids.take()).await {
            Err(Error::ErasedMeanwhile) if tries < TRIES => {
                partner = sift_again(ledger, &partner, &mut checked).await?
            }
            stored => break stored?,
        }
    };
    fail_point::hit("ingestion.before_answer");
    answer(ledger, partner, &batch_id, checked, stored).await
}

/// Compares a batch with what is erased by now. What of it was stored before counts as there already.
async fn sift_again(
    ledger: &Ledger,
    partner: &StoredPartner,
    checked: &mut CheckedBatch,
) -> Result<StoredPartner, Error> {
    let partner = StoredPartner::find(ledger.database.reader(), &partner.id).await?.ok_or(Error::NoPartner)?;
    sift(ledger, &partner, checked).await?;
    Ok(partner)
}

async fn answer(
    ledger: &Ledger,
    mut partner: StoredPartner,
    batch_id: &str,
    mut checked: CheckedBatch,
    stored: StoredBatch,
) -> Result<IngestBatchResponse, Error> {
    while let Err(error) = keep_rejected(ledger, &partner, batch_id, &checked).await {
        match error {
            Error::ErasedMeanwhile => partner = sift_again(ledger, &partner, &mut checked).await?,
            error => return Err(error),
        }
    }
    let partner = &partner;
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

async fn keep_rejected(
    ledger: &Ledger,
    partner: &StoredPartner,
    batch_id: &str,
    checked: &CheckedBatch,
) -> Result<(), Error> {
    if checked.rejected.is_empty() {
        return Ok(());
    }
    let (rejected, now) = ((checked.rejected.as_slice(), QuarantineCap::of(&ledger.limits)), checked.now);
    transact!(ledger, |transaction| quarantine::keep(transaction, partner, batch_id, rejected, now))
}
