//! The answer to a batch.

use insights_proto::ingestion::v1::{IngestBatchResponse, Rejection};
use insights_service::fitting;
use prost_types::Timestamp;

use super::store::StoredBatch;
use crate::records::quarantine::Rejected;

/// Most rejections in one answer; the quarantine holds the rest.
const MOST_REJECTIONS: usize = 1_000;

pub(super) fn response(version: i64, rejected: &[Rejected], stored: StoredBatch, now: i64) -> IngestBatchResponse {
    let counts = stored.counts;
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
        rejected: count(rejected.len()),
        waiting: counts.waiting,
        rejections,
        erased: count(rejected.iter().filter(|rejected| rejected.erased).count()),
        receive_time: Some(timestamp(now)),
        superseded: counts.superseded,
    }
}

fn count(records: usize) -> i64 {
    i64::try_from(records).unwrap_or(i64::MAX)
}

/// A time in nanoseconds since 1970.
fn timestamp(nanoseconds: i64) -> Timestamp {
    let nanos = i32::try_from(nanoseconds.rem_euclid(1_000_000_000)).unwrap_or_default();
    Timestamp { seconds: nanoseconds.div_euclid(1_000_000_000), nanos }
}
