//! Erasures: ordered by a Global admin, carried out as jobs that survive a restart. The whole of it:
//! `services/ingestion/docs/erasure.md`.

use std::time::Duration;

use chrono::TimeDelta;
use insights_access::{Principal, Viewer};
use insights_domain::personal_text::PersonalTexts;
use insights_proto::ingestion::v1::{ErasureCount, ErasureSubject, PreviewErasureResponse as Found};
use insights_proto::reporting::v1::{EraseResponse, PreviewErasureRequest, PreviewErasureResponse};
use insights_service::{Error, FieldViolation, PageToken, fail_point, forward};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::audit::Audit;
use crate::erasure_table::{BEGUN, DONE, ErasureJob, ErasureTable};
use crate::exports::Exports;
use crate::metrics::MetricsClient;

/// How often jobs that somebody left are looked for.
const LOOK: Duration = Duration::from_secs(5);
/// How often a lease is renewed.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How long after a failure a job is tried again.
const RETRY: TimeDelta = TimeDelta::seconds(2);
/// How often a caller's job is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Erasures of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Erasures {
    table: ErasureTable,
    metrics: MetricsClient,
    exports: Exports,
    audit: Audit,
    /// Random id of this process.
    worker: String,
}

impl std::fmt::Debug for Erasures {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Erasures")
    }
}

/// Who is erased, and what tells of it.
#[derive(Debug, Serialize, Deserialize)]
struct ErasureOrder {
    customer_id: String,
    user_id: String,
    /// The roles of who ordered it, by name.
    roles: String,
    texts: Vec<String>,
    counts: Vec<(String, String, i64)>,
}

impl ErasureOrder {
    fn subject(&self) -> ErasureSubject {
        ErasureSubject { customer_id: self.customer_id.clone(), user_id: self.user_id.clone() }
    }

    /// Whether files of exports may hold rows of the erased: a user has none.
    fn has_rows(&self) -> bool {
        self.user_id.is_empty()
    }
}

fn subject(request: &PreviewErasureRequest) -> ErasureSubject {
    ErasureSubject { customer_id: request.customer_id.clone(), user_id: request.user_id.clone() }
}

impl Erasures {
    /// Erasures over metrics, exports and the audit, in whose database their table is.
    pub fn new(metrics: MetricsClient, exports: Exports, audit: Audit) -> Self {
        Self {
            table: ErasureTable::new(audit.database().clone(), audit.clock().clone()),
            metrics,
            exports,
            audit,
            worker: format!("{:016x}", rand::random::<u64>()),
        }
    }

    /// What an erasure would take away, and the confirmation. The mark of the subject comes with it.
    pub async fn preview(
        &self,
        caller: &Principal,
        request: &PreviewErasureRequest,
    ) -> Result<(PreviewErasureResponse, String), Status> {
        let found = self.find(caller, request).await?;
        let texts = PersonalTexts::new(&found.texts);
        let exports = self.exports.holding(caller.partner(), &texts, request.user_id.is_empty()).await;
        let entries = self.audit.naming(caller.partner(), &texts).await;
        let mut counts = found.counts;
        counts.extend(own_counts(exports.map_err(unavailable)?, entries.map_err(unavailable)?));
        let confirmation = self.confirmations(caller, request).write(&found.version);
        let answer = PreviewErasureResponse { counts, confirmation, version: found.version, erased: found.erased };
        Ok((answer, found.mark))
    }

    async fn find(&self, caller: &Viewer, request: &PreviewErasureRequest) -> Result<Found, Status> {
        self.metrics.preview_erasure(caller, subject(request)).await.map_err(forward)
    }

    /// Confirmations of one request of one caller; each holds the version that was seen.
    fn confirmations(&self, caller: &Principal, request: &PreviewErasureRequest) -> PageToken<i64> {
        PageToken::of(self.audit.list_token_key(), caller.subject(), caller, request)
    }

    /// Orders an erasure, or finds the one that was ordered with this confirmation, and waits for its end. The mark comes with it.
    pub async fn erase(
        &self,
        caller: &Principal,
        request: &PreviewErasureRequest,
        confirmation: &str,
        until: Instant,
    ) -> Result<(EraseResponse, String), Status> {
        let seen = self.confirmations(caller, request).read(confirmation).ok().flatten();
        let seen = seen.ok_or_else(|| {
            let text = "is not one that PreviewErasure gave for this request; ask it again";
            Error::Invalid(vec![FieldViolation::new("confirmation", text)])
        })?;
        let id = hex::encode(Sha256::digest(confirmation.as_bytes()));
        let partner = caller.partner();
        let found = self.find(caller, request).await?;
        if self.table.find(partner, &id).await.map_err(unavailable)?.is_none() {
            if found.version != seen {
                let text = "Something was imported since the confirmation was given; ask PreviewErasure again.";
                return Err(Error::aborted(text).into());
            }
            let job = self.job(caller, request, &found, id.clone());
            self.table.insert(job).await.map_err(unavailable)?;
            fail_point::hit("reporting.erasure_ordered");
        }
        if let Some(job) = self.table.find(partner, &id).await.map_err(unavailable)? {
            let erasures = self.clone();
            // It goes on whatever becomes of the caller.
            tokio::spawn(async move { erasures.carry_out(&job).await });
        }
        Ok((self.wait(partner, &id, until).await?, found.mark))
    }

    fn job(&self, caller: &Principal, request: &PreviewErasureRequest, found: &Found, id: String) -> ErasureJob {
        let counts = found.counts.iter().map(|it| (it.place.clone(), it.kind.clone(), it.count));
        let order = ErasureOrder {
            customer_id: request.customer_id.clone(),
            user_id: request.user_id.clone(),
            roles: caller.roles_text(),
            texts: found.texts.clone(),
            counts: counts.collect(),
        };
        ErasureJob {
            partner: caller.partner().to_owned(),
            erasure_id: id,
            state: BEGUN,
            body: serde_json::to_string(&order).unwrap_or_default(),
            counts: String::new(),
            version: 0,
            worker: String::new(),
            lease_until_micros: 0,
            ended_micros: 0,
        }
    }

    async fn wait(&self, partner: &str, id: &str, until: Instant) -> Result<EraseResponse, Status> {
        loop {
            let job = self.table.find(partner, id).await.map_err(unavailable)?;
            match job.filter(|job| job.state == DONE) {
                Some(job) => return Ok(answer(&job)),
                None if Instant::now() >= until => return Ok(EraseResponse::default()),
                None => tokio::time::sleep(GLANCE).await,
            }
        }
    }

    /// Lets records of the erased come again. The mark comes with it.
    pub async fn allow(&self, caller: &Principal, request: &PreviewErasureRequest) -> Result<(bool, String), Status> {
        let mark = self.find(caller, request).await?.mark;
        let allowed = self.metrics.allow_erased(caller, subject(request)).await.map_err(forward)?;
        Ok((allowed, mark))
    }

    /// Takes up what a crash left, until shutdown.
    pub async fn run(&self, shutdown: CancellationToken) {
        loop {
            match self.table.waiting().await {
                Ok(jobs) => {
                    for job in jobs {
                        tokio::select! {
                            () = shutdown.cancelled() => return,
                            () = self.carry_out(&job) => {}
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot look for erasures; will retry"),
            }
            if let Err(error) = self.table.sweep().await {
                tracing::warn!(%error, "cannot forget erasures that are done; will retry");
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Works on a job, unless somebody else does.
    async fn carry_out(&self, job: &ErasureJob) {
        let job = match self.table.claim(job, &self.worker_of_job()).await {
            Ok(Some(job)) => job,
            Ok(None) => return,
            Err(error) => return tracing::warn!(%error, "cannot take an erasure; will retry"),
        };
        let worked = tokio::select! {
            worked = self.work(&job) => worked,
            () = self.lose(&job) => Err("the lease was lost".to_owned()),
        };
        if let Err(why) = worked {
            tracing::warn!(why, erasure = job.erasure_id, "an erasure broke off and goes on soon");
            if let Err(error) = self.table.give_back(&job, RETRY).await {
                tracing::warn!(%error, "cannot give an erasure back; its lease will expire");
            }
        }
    }

    /// Two calls for one job in one process are two workers.
    fn worker_of_job(&self) -> String {
        format!("{}-{:016x}", self.worker, rand::random::<u64>())
    }

    /// Renews the lease until it is lost.
    async fn lose(&self, job: &ErasureJob) {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            match self.table.renew(job).await {
                Ok(true) => {}
                Ok(false) => return,
                // The lease may outlast the outage.
                Err(error) => tracing::warn!(%error, "cannot renew the lease of an erasure"),
            }
        }
    }

    async fn work(&self, job: &ErasureJob) -> Result<(), String> {
        let because = |error: insights_database::Error| error.to_string();
        if job.state == BEGUN {
            let order: ErasureOrder = serde_json::from_str(&job.body).map_err(|error| error.to_string())?;
            let viewer = Viewer::stored(&job.partner, &order.roles, None);
            let erased = self.metrics.erase(&viewer, order.subject()).await;
            let version = erased.map_err(|status| format!("metrics: {}", status.message()))?;
            fail_point::hit("reporting.erasure_of_facts");
            let texts = PersonalTexts::new(&order.texts);
            let exports = self.exports.forget(&job.partner, &texts, order.has_rows(), version).await;
            let exports = exports.map_err(|error| error.to_string())?;
            fail_point::hit("reporting.erasure_of_exports");
            let entries = self.audit.conceal(&job.partner, &texts).await.map_err(because)?;
            fail_point::hit("reporting.erasure_of_audit");
            let own = own_counts(exports, entries).map(|it| (it.place, it.kind, it.count));
            let counts: Vec<(String, String, i64)> = order.counts.into_iter().chain(own).collect();
            let counts = serde_json::to_string(&counts).unwrap_or_default();
            self.table.clear(job, version, counts).await.map_err(because)?;
        }
        fail_point::hit("reporting.erasure_cleared");
        if fail_point::guard_holds("reporting.purge") {
            self.table.database().purge().await.map_err(because)?;
        }
        self.table.finish(job).await.map_err(because)?;
        Ok(())
    }
}

/// Exports and entries of the audit, without what there is none of.
fn own_counts(exports: usize, entries: usize) -> impl Iterator<Item = ErasureCount> {
    let count = |(kind, count): (&str, usize)| ErasureCount {
        place: "reporting".to_owned(),
        kind: kind.to_owned(),
        count: i64::try_from(count).unwrap_or(i64::MAX),
    };
    [("exports", exports), ("audit_entries", entries)].into_iter().filter(|(_, count)| *count > 0).map(count)
}

fn answer(job: &ErasureJob) -> EraseResponse {
    let counts: Vec<(String, String, i64)> = serde_json::from_str(&job.counts).unwrap_or_default();
    let counts = counts.into_iter().map(|(place, kind, count)| ErasureCount { place, kind, count }).collect();
    EraseResponse { done: true, counts, version: job.version }
}

fn unavailable(error: insights_database::Error) -> Status {
    tracing::warn!(%error, "cannot access what is to be erased");
    Error::unavailable("Erasures are not available now.").into()
}
