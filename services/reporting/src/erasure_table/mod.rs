//! The table of erasures. Who works on one holds a lease on its row; every step may be done twice.

mod entity;

use chrono::TimeDelta;
use insights_database::{Database, Error};
use insights_service::Clock;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, Value,
};

pub use entity::Model as ErasureJob;

/// It looks for what tells of the erased.
pub const BEGUN: i32 = 0;
/// All is deleted and nothing tells of it any more; what was deleted is still to leave the disk.
pub const CLEARED: i32 = 1;
/// It is done.
pub const DONE: i32 = 2;

/// How long a worker has a job to itself, unless it renews the lease.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How long a job that is done is remembered: a repeated request is answered from it.
const REMEMBERED: TimeDelta = TimeDelta::days(30);

/// No replica of metrics is behind another for so long.
const BEHIND: TimeDelta = TimeDelta::hours(1);

/// The table.
#[derive(Clone)]
pub struct ErasureTable {
    database: Database,
    clock: Clock,
}

impl ErasureTable {
    /// The table in this database.
    pub fn new(database: Database, clock: Clock) -> Self {
        Self { database, clock }
    }

    fn micros(&self, from_now: TimeDelta) -> i64 {
        (self.clock.now() + from_now).timestamp_micros()
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// A job.
    pub async fn find(&self, partner: &str, id: &str) -> Result<Option<ErasureJob>, Error> {
        let found = entity::Entity::find_by_id((partner.to_owned(), id.to_owned()));
        Ok(found.one(self.database.reader()).await?)
    }

    /// The first version of a partner's figures without all that was erased; 0: nothing was, or so long ago that no replica is behind it.
    pub async fn version_without(&self, partner: &str) -> Result<i64, Error> {
        let lately = entity::Column::EndedMicros.gt(self.micros(-BEHIND));
        let versions = entity::Entity::find()
            .select_only()
            .column(entity::Column::Version)
            .filter(entity::Column::Partner.eq(partner))
            .filter(Condition::any().add(entity::Column::EndedMicros.eq(0)).add(lately))
            .into_tuple::<i64>();
        Ok(versions.all(self.database.reader()).await?.into_iter().max().unwrap_or_default())
    }

    /// Stores a job, unless it is there.
    pub async fn insert(&self, job: ErasureJob) -> Result<(), Error> {
        entity::Entity::insert(job.into_active_model().reset_all())
            .on_conflict_do_nothing_on([entity::Column::Partner, entity::Column::ErasureId])
            .exec_without_returning(self.database.writer())
            .await?;
        Ok(())
    }

    /// Jobs that nobody works on.
    pub async fn waiting(&self) -> Result<Vec<ErasureJob>, Error> {
        let found = entity::Entity::find()
            .filter(entity::Column::State.ne(DONE))
            .filter(entity::Column::LeaseUntilMicros.lte(self.micros(TimeDelta::zero())));
        Ok(found.limit(16).all(self.database.reader()).await?)
    }

    /// Takes a job that nobody works on; none: somebody does, or it is done.
    pub async fn claim(&self, job: &ErasureJob, worker: &str) -> Result<Option<ErasureJob>, Error> {
        let free = entity::Column::LeaseUntilMicros.lte(self.micros(TimeDelta::zero()));
        let free = Condition::all().add(free).add(entity::Column::State.ne(DONE));
        let changes = [
            (entity::Column::Worker, Value::from(worker)),
            (entity::Column::LeaseUntilMicros, self.micros(LEASE).into()),
        ];
        if self.update(job, free, changes).await? { self.find(&job.partner, &job.erasure_id).await } else { Ok(None) }
    }

    /// Renews the lease; `false` when it is lost.
    pub async fn renew(&self, job: &ErasureJob) -> Result<bool, Error> {
        let until = (entity::Column::LeaseUntilMicros, Value::from(self.micros(LEASE)));
        self.update(job, held(job), [until]).await
    }

    /// Gives a job back, to be taken again after a while.
    pub async fn give_back(&self, job: &ErasureJob, after: TimeDelta) -> Result<bool, Error> {
        let until = (entity::Column::LeaseUntilMicros, Value::from(self.micros(after)));
        self.update(job, held(job), [until]).await
    }

    /// Notes that all is deleted, and forgets what was looked for.
    pub async fn clear(&self, job: &ErasureJob, version: i64, counts: String) -> Result<bool, Error> {
        let changes = [
            (entity::Column::State, Value::from(CLEARED)),
            (entity::Column::Body, "".into()),
            (entity::Column::Version, version.into()),
            (entity::Column::Counts, counts.into()),
        ];
        self.update(job, held(job), changes).await
    }

    /// Notes that a job is done.
    pub async fn finish(&self, job: &ErasureJob) -> Result<bool, Error> {
        let now = self.micros(TimeDelta::zero());
        let changes = [(entity::Column::State, Value::from(DONE)), (entity::Column::EndedMicros, now.into())];
        self.update(job, held(job), changes).await
    }

    /// Forgets jobs that were done long ago.
    pub async fn sweep(&self) -> Result<(), Error> {
        entity::Entity::delete_many()
            .filter(entity::Column::State.eq(DONE))
            .filter(entity::Column::EndedMicros.lt(self.micros(-REMEMBERED)))
            .exec(self.database.writer())
            .await?;
        Ok(())
    }

    async fn update(
        &self,
        job: &ErasureJob,
        when: Condition,
        changes: impl IntoIterator<Item = (entity::Column, Value)>,
    ) -> Result<bool, Error> {
        let mut update = entity::Entity::update_many()
            .filter(entity::Column::Partner.eq(&job.partner))
            .filter(entity::Column::ErasureId.eq(&job.erasure_id))
            .filter(when);
        for (column, value) in changes {
            update = update.col_expr(column, Expr::value(value));
        }
        Ok(update.exec(self.database.writer()).await?.rows_affected > 0)
    }
}

/// The condition that a worker still holds the lease.
fn held(job: &ErasureJob) -> Condition {
    Condition::all().add(entity::Column::Worker.eq(&job.worker)).add(entity::Column::State.ne(DONE))
}
