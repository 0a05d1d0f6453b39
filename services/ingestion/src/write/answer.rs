//! The answer to a batch.

use insights_proto::ingestion::v1::{IngestBatchResponse, Rejection};

use super::transaction::RecordCounts;
use crate::records::quarantine::Rejected;

/// Most rejections in one answer; the quarantine holds the rest.
const MOST_REJECTIONS: usize = 1_000;

pub(super) fn response(version: i64, rejected: &[Rejected], counts: RecordCounts) -> IngestBatchResponse {
    let rejections = rejected.iter().take(MOST_REJECTIONS);
    IngestBatchResponse {
        version,
        accepted: counts.accepted,
        duplicates: counts.duplicates,
        rejected: i64::try_from(rejected.len()).unwrap_or(i64::MAX),
        waiting: counts.waiting,
        rejections: rejections
            .map(|rejected| Rejection {
                index: rejected.index,
                field: rejected.field.clone(),
                reason: rejected.reason.clone(),
            })
            .collect(),
    }
}
