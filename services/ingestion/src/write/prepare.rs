//! Checking a batch, which may be done while those before it are stored.

use std::{str::FromStr, sync::Arc};

use chrono_tz::Tz;
use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{ActivityColumns, IngestBatchRequest, Record, record};

use super::{
    Ledger,
    erased::{ErasedBelonging, sift},
    new_partner::get_or_create_partner,
    plan::{CheckedRecord, names},
};
use crate::{
    error::Error,
    ids::{BatchNames, SurrogateIds},
    records::{self, CheckContext, CheckedActivity, Violation, erased::ErasedMarks, quarantine::Rejected},
    tables::{batch, partner::StoredPartner},
};

/// A batch whose records are checked.
pub(super) struct CheckedBatch {
    pub items: Vec<CheckedRecord>,
    pub activity: CheckedActivity,
    pub rejected: Vec<Rejected>,
    pub names: BatchNames,
    /// What it was compared with.
    pub erased: Arc<ErasedMarks>,
    /// Subscriptions that turned out to belong to a customer who was erased.
    pub learned: Vec<ErasedBelonging>,
    /// How many records the batch had.
    pub records: usize,
    /// Receive time, nanoseconds since 1970.
    pub now: i64,
    /// Nothing of it is to be stored.
    pub dry_run: bool,
}

impl CheckedBatch {
    /// The last receive time of the batch.
    pub(super) fn last_received(&self) -> i64 {
        self.now + i64::try_from(self.items.len() + self.rejected.len()).unwrap_or(0)
    }

    /// Dates the receipt of the records back to an earlier time, in the same order.
    pub(super) fn received(&mut self, first: i64) {
        for item in &mut self.items {
            item.received += first - self.now;
        }
    }
}

/// A batch that can be stored.
pub(crate) struct PreparedBatch {
    pub(super) partner: StoredPartner,
    pub(super) batch_id: String,
    pub(super) digest: Option<Vec<u8>>,
    pub(super) checked: CheckedBatch,
    /// What it names, where that was looked up ahead.
    pub(super) ids: Option<SurrogateIds>,
}

/// A request that is ready to be done.
pub(crate) enum PreparedRequest {
    /// A batch to be stored.
    Batch(Box<PreparedBatch>),
    /// A batch of which is only asked whether it is well formed; it is checked when its turn comes.
    Validation {
        /// The id of the caller's partner.
        partner: String,
        request: Box<IngestBatchRequest>,
    },
}

impl PreparedRequest {
    /// Whether it may be stored beside others of its kind, in any order: activity merges alike in any.
    pub(crate) fn commutes(&self) -> bool {
        matches!(self, Self::Batch(batch) if batch.checked.items.is_empty())
    }

    /// Whether batches after it must be checked after it is stored: it may change the partner's time zone and so its day.
    pub(crate) fn moves_the_clock(&self) -> bool {
        match self {
            Self::Batch(batch) => batch.checked.items.iter().any(CheckedRecord::is_of_partner),
            Self::Validation { .. } => false,
        }
    }
}

/// Checks a batch. A batch that cannot be taken at all fails here, and its id stays free.
pub(crate) async fn prepare(
    ledger: &Ledger,
    partner: &str,
    request: IngestBatchRequest,
) -> Result<PreparedRequest, Error> {
    check_limits(ledger, &request)?;
    if request.validate_only {
        return Ok(PreparedRequest::Validation { partner: partner.to_owned(), request: Box::new(request) });
    }
    ledger.receipts.compare(&ledger.database).await?;
    let partner = get_or_create_partner(ledger, partner).await?;
    let batch_id = request.batch_id.clone();
    let digest = (!batch_id.is_empty()).then(|| batch::digest(&request));
    let checked = check(ledger, &partner, request.records, request.activity, false).await?;
    Ok(PreparedRequest::Batch(Box::new(PreparedBatch { partner, batch_id, digest, checked, ids: None })))
}

pub(super) fn check_limits(ledger: &Ledger, request: &IngestBatchRequest) -> Result<(), Error> {
    let limits = &ledger.limits;
    let mut violations = Vec::new();
    let mut at_most = |field: &str, count: usize, limit: usize, what: &str| {
        if count > limit {
            let reason = format!("must have at most {limit} {what}, not {count}");
            violations.push(Violation { field: field.to_owned(), reason });
        }
    };
    at_most("batch_id", request.batch_id.chars().count(), 128, "characters");
    at_most("records", request.records.len(), limits.records_per_batch, "records");
    if let Some(activity) = &request.activity {
        at_most("activity.customer", activity.customer.len(), limits.activity_per_batch, "facts");
        at_most("activity.customers", activity.customers.len(), limits.activity_per_batch, "entries");
        at_most("activity.users", activity.users.len(), limits.activity_per_batch, "entries");
        at_most("activity.services", activity.services.len(), limits.services_per_batch, "entries");
    }
    if request.batch_id.chars().any(char::is_control) {
        let reason = "must not contain control characters".to_owned();
        violations.push(Violation { field: "batch_id".to_owned(), reason });
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}

/// Checks records and facts, and compares them with what is erased.
pub(super) async fn check(
    ledger: &Ledger,
    partner: &StoredPartner,
    batch: Vec<Record>,
    activity: Option<ActivityColumns>,
    hashed: bool,
) -> Result<CheckedBatch, Error> {
    let mut checked = parse(ledger, partner, batch, activity, hashed)?;
    sift(ledger, partner, &mut checked).await?;
    Ok(checked)
}

/// Checks records and facts by themselves.
pub(super) fn parse(
    ledger: &Ledger,
    partner: &StoredPartner,
    batch: Vec<Record>,
    activity: Option<ActivityColumns>,
    hashed: bool,
) -> Result<CheckedBatch, Error> {
    let users = ledger.user_key.of_partner(&partner.id);
    let context = CheckContext {
        today: today(ledger, partner, &batch),
        latest_recorded: ledger.receipts.latest_recorded(),
        users: &users,
        users_are_hashed: hashed,
    };
    let now = ledger.receipts.receive(partner, batch.len())?;
    let count = batch.len();
    let (mut items, mut rejected) = (Vec::with_capacity(count), Vec::new());
    for ((position, record), received) in batch.into_iter().enumerate().zip(now..) {
        match records::record(record.clone(), &context) {
            Ok(record) => items.push(CheckedRecord { record, received, index: position }),
            Err(violations) => rejected.push(Rejected::record(position, record, &violations, &users, hashed)),
        }
    }
    let activity = match activity {
        Some(columns) => records::columns(columns, &context).map_err(Error::Invalid)?,
        None => CheckedActivity::default(),
    };
    rejected.extend(activity.wrong.iter().map(|fact| Rejected::activity(count, fact)));
    let names = names(&items, &activity);
    let erased = Arc::new(ErasedMarks::new(users.of_marks(), Vec::new()));
    Ok(CheckedBatch {
        items,
        activity,
        rejected,
        names,
        erased,
        learned: Vec::new(),
        records: count,
        now,
        dry_run: false,
    })
}

/// Today in the partner's time zone; one that comes with a batch holds for the batch.
fn today(ledger: &Ledger, partner: &StoredPartner, records: &[Record]) -> Day {
    let zone = records.iter().rev().find_map(|record| match &record.kind {
        Some(record::Kind::Partner(settings)) => Some(settings.time_zone.as_deref().unwrap_or("UTC")),
        _ => None,
    });
    match zone.map(|zone| Tz::from_str(zone.trim())) {
        Some(Ok(zone)) => Day::of_instant(ledger.now(), zone),
        _ => partner.today(ledger.now()),
    }
}
