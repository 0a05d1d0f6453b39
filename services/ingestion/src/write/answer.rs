//! The answer to a batch.

use insights_proto::ingestion::v1::{IngestBatchResponse, Rejection};
use insights_service::fitting;

use super::transaction::RecordCounts;
use crate::records::quarantine::Rejected;

/// Most rejections in one answer; the quarantine holds the rest.
const MOST_REJECTIONS: usize = 1_000;

pub(super) fn response(version: i64, rejected: &[Rejected], counts: RecordCounts) -> IngestBatchResponse {
    let rejection = |rejected: &Rejected| Rejection {
        index: rejected.index,
        field: rejected.field.clone(),
        reason: rejected.reason.clone(),
    };
    let mut rejections: Vec<Rejection> = rejected.iter().take(MOST_REJECTIONS).map(rejection).collect();
    rejections.truncate(fitting(&rejections));
    IngestBatchResponse {
        version,
        accepted: counts.accepted,
        duplicates: counts.duplicates,
        rejected: i64::try_from(rejected.len()).unwrap_or(i64::MAX),
        waiting: counts.waiting,
        rejections,
    }
}
