//! A batch of which is only asked whether its records are well formed.

use insights_proto::ingestion::v1::{IngestBatchRequest, IngestBatchResponse};

use super::{Ledger, answer::response, prepare::parse, store::StoredBatch, transaction::RecordCounts};
use crate::{error::Error, tables::partner::StoredPartner};

/// Checks a batch and looks at nothing that is stored but the partner's time zone, which says what day it is: whoever may send records
/// need not see them, and would find out by guessing.
pub(super) async fn validate(
    ledger: &Ledger,
    id: &str,
    request: IngestBatchRequest,
) -> Result<IngestBatchResponse, Error> {
    let partner = StoredPartner::find(ledger.database.reader(), id).await?;
    let partner = partner.unwrap_or_else(|| StoredPartner::unknown(id));
    let checked = parse(ledger, &partner, request.records, request.activity, false)?;
    let accepted = i64::try_from(checked.items.len() + checked.activity.columns.day.len()).unwrap_or(i64::MAX);
    let counts = RecordCounts { accepted, ..RecordCounts::default() };
    Ok(response(0, &checked.rejected, StoredBatch { counts, ..StoredBatch::default() }, checked.now))
}
