//! Removes expired entries in small statements, so that no writer waits long for the table.

use std::time::Duration;

use insights_database::Error;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio_util::sync::CancellationToken;

use super::{Audit, entity};

/// Interval of sweeps for expired entries.
const SWEEP: Duration = Duration::from_secs(3600);
/// How often it is looked for minutes of refused calls that are over.
const SUMS: Duration = Duration::from_secs(10);
/// Entries removed in one statement.
const AT_ONCE: u64 = 1_000;

impl Audit {
    /// Removes expired entries and stores the counts of refused calls periodically until shutdown.
    pub(crate) async fn keep_sweeping(&self, shutdown: CancellationToken) {
        let (mut sweep, mut sums) = (tokio::time::interval(SWEEP), tokio::time::interval(SUMS));
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return self.store_refused(true).await,
                _ = sums.tick() => self.store_refused(false).await,
                _ = sweep.tick() => if let Err(error) = self.sweep().await {
                    tracing::warn!(%error, "cannot remove expired audit entries; will retry");
                }
            }
        }
    }

    /// Removes expired entries and returns their number.
    ///
    /// # Errors
    /// When the database cannot be had.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let Some(keep) = self.config.keep() else { return Ok(0) };
        let floor = (self.clock.now() - keep).timestamp_micros();
        let mut removed = 0;
        let mut partner = self.next_partner("").await?;
        while let Some(name) = partner {
            removed += self.sweep_partner(&name, floor).await?;
            partner = self.next_partner(&name).await?;
        }
        Ok(removed)
    }

    /// The next partner by the table's key; listing all partners would read every entry.
    async fn next_partner(&self, after: &str) -> Result<Option<String>, Error> {
        let next = entity::Entity::find()
            .select_only()
            .column(entity::Column::Partner)
            .filter(entity::Column::Partner.gt(after))
            .order_by_asc(entity::Column::Partner)
            .limit(1);
        Ok(next.into_tuple().one(self.database.reader()).await?)
    }

    async fn sweep_partner(&self, partner: &str, floor: i64) -> Result<u64, Error> {
        let mut removed = 0;
        loop {
            let oldest = entity::Entity::find()
                .select_only()
                .column(entity::Column::AtMicros)
                .filter(entity::Column::Partner.eq(partner))
                .filter(entity::Column::AtMicros.lt(floor))
                .order_by_asc(entity::Column::AtMicros)
                .limit(AT_ONCE);
            let oldest: Vec<i64> = oldest.into_tuple().all(self.database.reader()).await?;
            let Some(last) = oldest.last() else { return Ok(removed) };
            let deleted = entity::Entity::delete_many()
                .filter(entity::Column::Partner.eq(partner))
                .filter(entity::Column::AtMicros.lte(*last))
                .exec(self.database.writer())
                .await?;
            removed += deleted.rows_affected;
        }
    }
}
