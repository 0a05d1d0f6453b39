//! The table of exports and their leases.
//!
//! The worker that writes an export holds a lease on its row. Every update names the worker and the attempt, so that a worker
//! whose lease expired changes nothing when it resumes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use insights_access::Viewer;
use insights_database::{Database, Error};
use insights_proto::reporting::v1::ExportState;
use insights_service::{Clock, fail_point};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Value,
};

use super::config::ExportsConfig;
use super::entity::{job, ticket};

pub use super::entity::job::Model as ExportJob;
pub use super::entity::ticket::Model as DownloadTicket;

impl ExportJob {
    /// The owner's roles and locations at the time of the order.
    pub fn viewer(&self) -> Viewer {
        Viewer::stored(&self.partner, &self.roles, self.locations.as_deref())
    }
}

/// Waiting exports that a worker reads to claim one.
const CANDIDATES: u64 = 16;

/// The tables of exports and tickets.
#[derive(Clone)]
pub struct ExportTable {
    database: Database,
    clock: Clock,
}

/// Progress of a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExportProgress {
    /// Rows written.
    pub rows: i64,
    /// Customers read.
    pub customers: i64,
    /// Customers in all.
    pub total_customers: i64,
}

/// A complete file.
#[derive(Clone, Debug)]
pub struct FinishedFile {
    /// Final progress.
    pub progress: ExportProgress,
    /// Its size.
    pub bytes: u64,
    /// Its checksum.
    pub sha256: String,
    /// The version of the figures.
    pub version: i64,
    /// Last day of the data.
    pub complete_through: String,
    /// Whether something was left out because of the owner's roles.
    pub redacted: bool,
    /// The manifest.
    pub manifest: String,
}

/// States of exports that have not ended.
fn open_states() -> [i32; 2] {
    [ExportState::Waiting.into(), ExportState::Running.into()]
}

impl ExportTable {
    /// The table in this database.
    pub fn new(database: Database, clock: Clock) -> Self {
        Self { database, clock }
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn now_micros(&self) -> i64 {
        self.now().timestamp_micros()
    }

    /// Stores an order.
    pub async fn insert(&self, job: ExportJob) -> Result<(), Error> {
        job::Entity::insert(job.into_active_model().reset_all()).exec_without_returning(self.database.writer()).await?;
        Ok(())
    }

    /// An owner's export.
    pub async fn find(&self, partner: &str, owner: &str, id: &str) -> Result<Option<ExportJob>, Error> {
        let found = job::Entity::find_by_id((partner.to_owned(), id.to_owned()))
            .filter(job::Column::Owner.eq(owner))
            .filter(job::Column::ExpiresMicros.gt(self.now_micros()));
        Ok(found.one(self.database.reader()).await?)
    }

    /// The export of an owner's request id.
    pub async fn find_request(&self, partner: &str, owner: &str, request_id: &str) -> Result<Option<ExportJob>, Error> {
        let found = job::Entity::find()
            .filter(job::Column::Partner.eq(partner))
            .filter(job::Column::Owner.eq(owner))
            .filter(job::Column::RequestId.eq(request_id));
        Ok(found.one(self.database.reader()).await?)
    }

    /// Number of an owner's exports.
    pub async fn count(&self, partner: &str, owner: &str) -> Result<u64, Error> {
        Ok(self.owned(partner, owner).count(self.database.reader()).await?)
    }

    fn owned(&self, partner: &str, owner: &str) -> sea_orm::Select<job::Entity> {
        job::Entity::find()
            .filter(job::Column::Partner.eq(partner))
            .filter(job::Column::Owner.eq(owner))
            .filter(job::Column::ExpiresMicros.gt(self.now_micros()))
    }

    /// An owner's exports, newest first, after the one that a page ended with.
    pub async fn list(
        &self,
        partner: &str,
        owner: &str,
        after: Option<(i64, String)>,
        limit: u64,
    ) -> Result<Vec<ExportJob>, Error> {
        let mut found = self.owned(partner, owner);
        if let Some((created, id)) = after {
            let same = Condition::all().add(job::Column::CreatedMicros.eq(created)).add(job::Column::ExportId.lt(id));
            found = found.filter(Condition::any().add(job::Column::CreatedMicros.lt(created)).add(same));
        }
        let found = found.order_by_desc(job::Column::CreatedMicros).order_by_desc(job::Column::ExportId).limit(limit);
        Ok(found.all(self.database.reader()).await?)
    }

    /// Leases an export that no worker holds, with a new path for its file. Partners take turns: who has the fewest being written is
    /// next, then who was not served lately; `served` names those who were, the last one last.
    pub async fn claim(
        &self,
        worker: &str,
        config: &ExportsConfig,
        served: &[String],
    ) -> Result<Option<ExportJob>, Error> {
        for partner in self.partners_in_turn(served).await? {
            let candidates = self.claimable().filter(job::Column::Partner.eq(partner));
            let candidates = candidates.order_by_asc(job::Column::CreatedMicros).limit(CANDIDATES);
            for job in candidates.all(self.database.reader()).await? {
                if let Some(job) = self.claim_one(worker, config, job).await? {
                    return Ok(Some(job));
                }
            }
        }
        Ok(None)
    }

    fn claimable(&self) -> sea_orm::Select<job::Entity> {
        job::Entity::find()
            .filter(job::Column::State.is_in(open_states()))
            .filter(job::Column::LeaseUntilMicros.lte(self.now_micros()))
            .filter(job::Column::ExpiresMicros.gt(self.now_micros()))
    }

    /// Partners with something to write.
    async fn partners_in_turn(&self, served: &[String]) -> Result<Vec<String>, Error> {
        let waiting = self.claimable().select_only().column(job::Column::Partner);
        let waiting = waiting.column_as(job::Column::CreatedMicros.min(), "first").group_by(job::Column::Partner);
        let mut waiting: Vec<(String, i64)> = waiting.into_tuple().all(self.database.reader()).await?;
        if waiting.len() > 1 {
            let writing = job::Entity::find()
                .filter(job::Column::State.is_in(open_states()))
                .filter(job::Column::LeaseUntilMicros.gt(self.now_micros()))
                .select_only()
                .column(job::Column::Partner)
                .column_as(job::Column::ExportId.count(), "count")
                .group_by(job::Column::Partner);
            let writing: Vec<(String, i64)> = writing.into_tuple().all(self.database.reader()).await?;
            let writing: BTreeMap<String, i64> = writing.into_iter().collect();
            let last = |partner: &String| served.iter().position(|other| other == partner).map(|place| place + 1);
            waiting.sort_by_key(|(partner, first)| {
                let fair = fail_point::guard_holds("reporting.fair_exports");
                let under_way = writing.get(partner).copied().unwrap_or_default();
                (if fair { (under_way, last(partner).unwrap_or_default()) } else { (0, 0) }, *first)
            });
        }
        Ok(waiting.into_iter().map(|(partner, _)| partner).collect())
    }

    /// Leases this export, unless another worker was quicker.
    async fn claim_one(
        &self,
        worker: &str,
        config: &ExportsConfig,
        job: ExportJob,
    ) -> Result<Option<ExportJob>, Error> {
        let attempt = job.attempt + 1;
        let until = (self.now() + config.lease()).timestamp_micros();
        let path = format!("{}/{attempt}-{:016x}", job.export_id, rand::random::<u64>());
        let changes = [
            (job::Column::State, Value::from(i32::from(ExportState::Running))),
            (job::Column::Attempt, attempt.into()),
            (job::Column::Worker, worker.into()),
            (job::Column::LeaseUntilMicros, until.into()),
            (job::Column::RowCount, 0_i64.into()),
            (job::Column::Customers, 0_i64.into()),
            (job::Column::FilePath, path.clone().into()),
        ];
        let still = job::Column::LeaseUntilMicros.eq(job.lease_until_micros);
        let still = Condition::all().add(still).add(job::Column::Attempt.eq(job.attempt));
        if self.update(&job, still.add(job::Column::State.is_in(open_states())), changes).await? {
            return Ok(Some(ExportJob { attempt, worker: worker.to_owned(), file_path: path, ..job }));
        }
        Ok(None)
    }

    /// Renews a lease and stores the progress; `false` when the lease is lost.
    pub async fn renew(
        &self,
        job: &ExportJob,
        config: &ExportsConfig,
        progress: ExportProgress,
    ) -> Result<bool, Error> {
        let until = (self.now() + config.lease()).timestamp_micros();
        let changes = [
            (job::Column::LeaseUntilMicros, Value::from(until)),
            (job::Column::RowCount, progress.rows.into()),
            (job::Column::Customers, progress.customers.into()),
            (job::Column::TotalCustomers, progress.total_customers.into()),
        ];
        self.update(job, held(job), changes).await
    }

    /// Whether the lease is still held.
    pub async fn is_held(&self, job: &ExportJob) -> Result<bool, Error> {
        let found = job::Entity::find_by_id((job.partner.clone(), job.export_id.clone())).filter(held(job));
        Ok(found.count(self.database.reader()).await? > 0)
    }

    /// Releases the lease; the export can be claimed again from this time on.
    pub async fn release(&self, job: &ExportJob, from: DateTime<Utc>) -> Result<bool, Error> {
        let changes = [
            (job::Column::State, Value::from(i32::from(ExportState::Waiting))),
            (job::Column::LeaseUntilMicros, from.timestamp_micros().into()),
        ];
        self.update(job, held(job), changes).await
    }

    /// Marks an export as done; `false` when the lease is lost, and the file is then not used.
    pub async fn finish(&self, job: &ExportJob, config: &ExportsConfig, finished: FinishedFile) -> Result<bool, Error> {
        let progress = finished.progress;
        let bytes = i64::try_from(finished.bytes).unwrap_or(i64::MAX);
        let changes = [
            (job::Column::State, Value::from(i32::from(ExportState::Done))),
            (job::Column::RowCount, progress.rows.into()),
            (job::Column::Customers, progress.total_customers.into()),
            (job::Column::TotalCustomers, progress.total_customers.into()),
            (job::Column::ByteCount, bytes.into()),
            (job::Column::Sha256, finished.sha256.into()),
            (job::Column::Version, finished.version.into()),
            (job::Column::CompleteThrough, finished.complete_through.into()),
            (job::Column::Redacted, finished.redacted.into()),
            (job::Column::Manifest, finished.manifest.into()),
        ];
        self.update(job, held(job), changes.into_iter().chain(self.ended(config))).await
    }

    /// Marks an export as failed.
    pub async fn fail(&self, job: &ExportJob, config: &ExportsConfig, why: &str) -> Result<bool, Error> {
        let changes = [
            (job::Column::State, Value::from(i32::from(ExportState::Failed))),
            (job::Column::Failure, why.to_owned().into()),
        ];
        self.update(job, held(job), changes.into_iter().chain(self.ended(config))).await
    }

    /// Cancels an export that has not ended.
    pub async fn cancel(&self, job: &ExportJob, config: &ExportsConfig) -> Result<bool, Error> {
        let open = Condition::all().add(job::Column::State.is_in(open_states()));
        let change = (job::Column::State, Value::from(i32::from(ExportState::Cancelled)));
        self.update(job, open, std::iter::once(change).chain(self.ended(config))).await
    }

    fn ended(&self, config: &ExportsConfig) -> [(job::Column, Value); 3] {
        [
            (job::Column::EndedMicros, self.now_micros().into()),
            (job::Column::ExpiresMicros, (self.now() + config.keep()).timestamp_micros().into()),
            (job::Column::LeaseUntilMicros, 0_i64.into()),
        ]
    }

    async fn update(
        &self,
        job: &ExportJob,
        when: Condition,
        changes: impl IntoIterator<Item = (job::Column, Value)>,
    ) -> Result<bool, Error> {
        // The last change of a column counts.
        let changes: BTreeMap<String, (job::Column, Value)> =
            changes.into_iter().map(|(column, value)| (format!("{column:?}"), (column, value))).collect();
        let mut update = job::Entity::update_many()
            .filter(job::Column::Partner.eq(&job.partner))
            .filter(job::Column::ExportId.eq(&job.export_id))
            .filter(when);
        for (column, value) in changes.into_values() {
            update = update.col_expr(column, Expr::value(value));
        }
        Ok(update.exec(self.database.writer()).await?.rows_affected > 0)
    }

    /// Removes an export and its tickets.
    pub async fn remove(&self, job: &ExportJob) -> Result<bool, Error> {
        ticket::Entity::delete_many()
            .filter(ticket::Column::Partner.eq(&job.partner))
            .filter(ticket::Column::ExportId.eq(&job.export_id))
            .exec(self.database.writer())
            .await?;
        let removed = job::Entity::delete_many()
            .filter(job::Column::Partner.eq(&job.partner))
            .filter(job::Column::ExportId.eq(&job.export_id))
            .exec(self.database.writer())
            .await?;
        Ok(removed.rows_affected > 0)
    }

    /// Every export of a partner.
    pub async fn of_partner(&self, partner: &str) -> Result<Vec<ExportJob>, Error> {
        Ok(job::Entity::find().filter(job::Column::Partner.eq(partner)).all(self.database.reader()).await?)
    }

    /// Has an export that has not ended written anew, with figures of this version or a later one: whoever writes it loses the lease.
    pub async fn begin_again(&self, job: &ExportJob, version: i64) -> Result<bool, Error> {
        let changes = [
            (job::Column::State, Value::from(i32::from(ExportState::Waiting))),
            (job::Column::LeaseUntilMicros, 0_i64.into()),
            (job::Column::Worker, "".into()),
            (job::Column::MinVersion, job.min_version.max(version).into()),
        ];
        self.update(job, Condition::all().add(job::Column::State.is_in(open_states())), changes).await
    }

    /// Expired exports.
    pub async fn expired(&self) -> Result<Vec<ExportJob>, Error> {
        let found = job::Entity::find().filter(job::Column::ExpiresMicros.lte(self.now_micros())).limit(1_000);
        Ok(found.all(self.database.reader()).await?)
    }

    /// Stores a ticket and removes expired ones.
    pub async fn insert_ticket(&self, ticket: DownloadTicket) -> Result<(), Error> {
        ticket::Entity::delete_many()
            .filter(ticket::Column::ExpiresMicros.lte(self.now_micros()))
            .exec(self.database.writer())
            .await?;
        ticket::Entity::insert(ticket.into_active_model().reset_all())
            .exec_without_returning(self.database.writer())
            .await?;
        Ok(())
    }

    /// A stored ticket, and its export if the ticket is valid for it.
    pub async fn redeem(&self, hash: &str, id: &str) -> Result<Option<(DownloadTicket, Option<ExportJob>)>, Error> {
        let ticket = ticket::Entity::find_by_id(hash.to_owned()).one(self.database.reader()).await?;
        let Some(ticket) = ticket else { return Ok(None) };
        let valid = ticket.export_id == id && ticket.expires_micros > self.now_micros();
        let job = if valid { self.find(&ticket.partner, &ticket.subject, id).await? } else { None };
        Ok(Some((ticket, job)))
    }
}

/// The condition that a worker still holds the lease.
fn held(job: &ExportJob) -> Condition {
    Condition::all()
        .add(job::Column::Worker.eq(&job.worker))
        .add(job::Column::Attempt.eq(job.attempt))
        .add(job::Column::State.eq(i32::from(ExportState::Running)))
}
