//! The audit: who sent what. A call is recorded before it is answered, in the same database as the facts; one that cannot be recorded is
//! not answered, so that its sender repeats it.

use std::sync::Arc;

use insights_access::{Denial, DenialObserver, Principal, Viewer};
use insights_database::Database;
use insights_proto::ingestion::v1 as proto;
use insights_service::{
    Clock, FieldViolation, RefusedCalls, RefusedSum, code_from_name, code_name, fail_point, fitting,
};
use prost_types::Timestamp;
use tonic::{Code, Status};

use crate::{
    config::AuditRetention,
    error::Error,
    tables::audit::{self, AuditFilter, AuditRow},
};

/// Longest texts that are kept, in bytes.
const SUBJECT_BYTES: usize = 512;
const LOCATIONS_BYTES: usize = 4 * 1024;
/// Longest text of a filter, in bytes.
const FILTER_BYTES: usize = 512;
const SERVICE: &str = "/insights.ingestion.v1.IngestionService/";

/// Position after a page: the time of its last entry in microseconds, and that entry's id.
pub(crate) type CallPosition = (i64, i64);

/// The audit of this service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct CallAudit {
    database: Database,
    clock: Clock,
    refused: Arc<RefusedCalls>,
    keep_days: u32,
}

/// A call under way. Dropped without an answer, as when its caller is gone, it is recorded as cancelled: what it sent may be stored.
pub(crate) struct CallUnderWay {
    audit: CallAudit,
    caller: Arc<Principal>,
    /// The method, such as `IngestBatch`.
    method: &'static str,
    /// What was asked and how many records were sent; none once it is recorded.
    asked: Option<(String, usize)>,
}

impl CallUnderWay {
    /// Records the answer, with how many records it has where none were sent, and hands it on.
    pub(crate) async fn answer<T>(
        mut self,
        answer: Result<T, Status>,
        records: impl Fn(&T) -> usize,
    ) -> Result<T, Status> {
        let outcome = answer.as_ref().map_or_else(Status::code, |_| Code::Ok);
        let (asked, sent) = self.asked.clone().unwrap_or_default();
        let shown = answer.as_ref().map_or(0, records);
        let recorded = self.audit.keep_call(&self.caller, self.method, (asked, sent + shown, outcome)).await;
        self.asked = None;
        let answer = answer?;
        recorded.map_err(|error| {
            tracing::error!(%error, method = self.method, "cannot audit a call");
            Status::from(insights_service::Error::unavailable("The call cannot be audited now, so it is not answered."))
        })?;
        Ok(answer)
    }
}

impl Drop for CallUnderWay {
    fn drop(&mut self) {
        let (Some((asked, records)), Ok(runtime)) = (self.asked.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (audit, caller, method) = (self.audit.clone(), Arc::clone(&self.caller), self.method);
        runtime.spawn(async move {
            if let Err(error) = audit.keep_call(&caller, method, (asked, records, Code::Cancelled)).await {
                tracing::error!(%error, method, "cannot audit a call that was cut off");
            }
        });
    }
}

impl CallAudit {
    pub(crate) fn new(database: Database, clock: Clock, retention: AuditRetention) -> Self {
        let refused = Arc::new(RefusedCalls::new(retention.refused_per_minute));
        Self { database, clock, refused, keep_days: retention.keep_days }
    }

    /// Begins a call with a batch.
    pub(crate) fn begin_batch(
        &self,
        caller: &Arc<Principal>,
        method: &'static str,
        batch: &proto::IngestBatchRequest,
    ) -> CallUnderWay {
        // The id's length is a limit of the batch, which is not checked yet.
        let id = &batch.batch_id[..batch.batch_id.floor_char_boundary(FILTER_BYTES)];
        let asked = serde_json::json!({ "batchId": id, "validateOnly": batch.validate_only }).to_string();
        let records = batch.records.len() + batch.activity.as_ref().map_or(0, |activity| activity.day.len());
        self.under_way(caller, method, asked, records)
    }

    /// Begins any other call.
    pub(crate) fn begin(&self, caller: &Arc<Principal>, method: &'static str) -> CallUnderWay {
        self.under_way(caller, method, "{}".to_owned(), 0)
    }

    fn under_way(&self, caller: &Arc<Principal>, method: &'static str, asked: String, records: usize) -> CallUnderWay {
        CallUnderWay { audit: self.clone(), caller: Arc::clone(caller), method, asked: Some((asked, records)) }
    }

    async fn keep_call(
        &self,
        caller: &Principal,
        method: &str,
        (asked, records, outcome): (String, usize, Code),
    ) -> Result<(), Error> {
        let records = i64::try_from(records).unwrap_or(i64::MAX);
        self.keep(caller.subject(), caller, format!("{SERVICE}{method}"), (asked, records, outcome)).await
    }

    async fn keep(
        &self,
        subject: &str,
        viewer: &Viewer,
        rpc: String,
        (asked, records, outcome): (String, i64, Code),
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let refused = outcome != Code::Ok && fail_point::guard_holds("audit.refused_calls");
        if refused && !self.refused.is_kept(subject, viewer, &rpc, outcome, now) {
            return Ok(());
        }
        let row = AuditRow { rpc, asked, records, ..self.row(subject, viewer, outcome) };
        audit::insert(self.database.writer(), row).await
    }

    fn row(&self, subject: &str, viewer: &Viewer, outcome: Code) -> AuditRow {
        AuditRow {
            partner: viewer.partner().to_owned(),
            at_micros: self.clock.now().timestamp_micros(),
            record_id: rand::random::<i64>(),
            subject: subject[..subject.floor_char_boundary(SUBJECT_BYTES)].to_owned(),
            roles: viewer.roles_text(),
            locations: viewer.short_locations_text(LOCATIONS_BYTES),
            rpc: String::new(),
            asked: String::new(),
            records: 0,
            outcome: format!("{outcome:?}"),
            calls: 1,
        }
    }

    /// Stores the counts of refused calls of minutes that are over; of all at the end of the process.
    pub(crate) async fn store_sums(&self, all: bool) {
        for RefusedSum { subject, viewer, rpc, outcome, calls } in self.refused.take(self.clock.now(), all) {
            let row = AuditRow { rpc, calls, ..self.row(&subject, &viewer, outcome) };
            if let Err(error) = audit::insert(self.database.writer(), row).await {
                tracing::error!(%error, subject, calls, "cannot audit refused calls");
            }
        }
    }

    /// Deletes what was kept long enough.
    pub(crate) async fn prune(&self) -> Result<(), Error> {
        if self.keep_days == 0 {
            return Ok(());
        }
        let before = self.clock.now() - chrono::TimeDelta::days(self.keep_days.into());
        audit::prune(self.database.writer(), before.timestamp_micros()).await
    }

    /// The observer of an access layer's denials of this service's methods. Those without a valid token name no caller.
    pub(crate) fn observer(&self) -> DenialObserver {
        let audit = self.clone();
        Arc::new(move |denial: Denial| {
            let audit = audit.clone();
            Box::pin(async move {
                let Some(caller) = &denial.caller else { return };
                let denied = (String::new(), 0, Code::PermissionDenied);
                // The call is denied either way.
                if let Err(error) = audit.keep(caller.subject(), caller, denial.rpc, denied).await {
                    tracing::error!(%error, "cannot audit a denial");
                }
            })
        })
    }

    /// A page of a partner's entries, and the position after it where there are more.
    pub(crate) async fn list(
        &self,
        partner: &str,
        filter: &AuditFilter,
        size: usize,
    ) -> Result<(Vec<proto::AuditEntry>, Option<CallPosition>), Error> {
        let rows = audit::list(self.database.reader(), partner, filter, size + 1).await?;
        let positions: Vec<CallPosition> = rows.iter().map(|row| (row.at_micros, row.record_id)).collect();
        let mut entries: Vec<proto::AuditEntry> = rows.into_iter().take(size).map(entry).collect();
        entries.truncate(fitting(&entries));
        let more = positions.len() > entries.len();
        let after = entries.len().checked_sub(1).and_then(|last| positions.get(last)).copied().filter(|_| more);
        Ok((entries, after))
    }
}

/// Parses what is asked for, and collects every fault.
pub(crate) fn filter(
    request: &proto::ListAuditEntriesRequest,
    before: Option<CallPosition>,
) -> Result<AuditFilter, Vec<FieldViolation>> {
    let mut faults = Vec::new();
    let mut fault = |field: &str, what: String| faults.push(FieldViolation::new(field, what));
    for (field, text) in [("subject", &request.subject), ("method", &request.method)] {
        if text.len() > FILTER_BYTES {
            fault(field, format!("is longer than {FILTER_BYTES} bytes"));
        }
    }
    let outcome = code_from_name(&request.outcome.trim().to_uppercase());
    if outcome.is_none() && !request.outcome.is_empty() {
        fault("outcome", "is no code of gRPC, such as PERMISSION_DENIED".to_owned());
    }
    let mut time = |field: &str, time: Option<Timestamp>, default: i64| match time.map(micros) {
        Some(None) => {
            fault(field, "is not a time".to_owned());
            default
        }
        Some(Some(micros)) => micros,
        None => default,
    };
    let (from, to) = (time("from_time", request.from_time, i64::MIN), time("to_time", request.to_time, i64::MAX));
    if to < from {
        fault("to_time", "comes before from_time".to_owned());
    }
    let method = request.method.trim().trim_start_matches(SERVICE);
    let rpc = if method.is_empty() { String::new() } else { format!("{SERVICE}{method}") };
    let outcome = outcome.map(|code| format!("{code:?}")).unwrap_or_default();
    let before = before.unwrap_or((i64::MAX, i64::MAX));
    let subject = request.subject.clone();
    if faults.is_empty() { Ok(AuditFilter { subject, rpc, outcome, from, to, before }) } else { Err(faults) }
}

fn micros(time: Timestamp) -> Option<i64> {
    let nanos = u32::try_from(time.nanos).ok()?;
    Some(chrono::DateTime::from_timestamp(time.seconds, nanos)?.timestamp_micros())
}

fn entry(row: AuditRow) -> proto::AuditEntry {
    let code = (0..=16).map(Code::from_i32).find(|code| format!("{code:?}") == row.outcome);
    proto::AuditEntry {
        time: Some(Timestamp {
            seconds: row.at_micros.div_euclid(1_000_000),
            nanos: i32::try_from(row.at_micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default(),
        }),
        subject: row.subject,
        roles: row.roles.split_whitespace().map(str::to_owned).collect(),
        rpc: row.rpc,
        asked: row.asked,
        records: row.records,
        outcome: code.map_or(row.outcome, |code| code_name(code).to_owned()),
        partner: row.partner,
        bound: row.locations.is_some(),
        locations: row.locations.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        calls: row.calls,
    }
}
