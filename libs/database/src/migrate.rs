//! Migrations. Each service has its own tables and its own record of applied migrations, because services may share one PostgreSQL
//! database.

use std::collections::HashSet;

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, DynIden, Statement, TransactionTrait,
    sea_query::{Alias, IntoIden},
};
use sea_orm_migration::{MigratorTrait, SchemaManager};

use crate::{Database, Engine, Error, Result};

/// Serialises replicas that start at the same moment. The number is arbitrary.
const ADVISORY_LOCK: i64 = 0x1A5C_0DE5;

impl Database {
    /// Brings the tables of `M` to this version. Replicas may call it at the same time: one applies, the others wait.
    ///
    /// # Errors
    /// [`Error::Newer`] when a newer version was here; then nothing is changed.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<()> {
        match self.engine() {
            Engine::Sqlite => {
                // All or nothing, although SQLite would allow parts; other processes that migrate wait for the writer's lock.
                let all = self.begin().await?;
                self.refuse_newer::<M>().await?;
                M::up(&all, None).await?;
                all.commit().await?;
            }
            Engine::Postgres => {
                // Held by this transaction until everything is applied by other connections of the pool.
                let lock = self.writer().begin().await?;
                // It does nothing for as long as the migrations take.
                lock.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
                lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")).await?;
                self.refuse_newer::<M>().await?;
                M::up(self.writer(), None).await?;
                lock.commit().await?;
            }
        }
        Ok(())
    }

    /// Names of migrations of `M` that are not applied yet. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Newer`] when some are applied that `M` does not have.
    pub async fn pending<M: MigratorTrait>(&self) -> Result<Vec<String>> {
        self.refuse_newer::<M>().await?;
        let pending = M::get_pending_migrations_read_only(self.reader()).await?;
        Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
    }

    async fn refuse_newer<M: MigratorTrait>(&self) -> Result<()> {
        let table = M::migration_table_name().to_string();
        if !SchemaManager::new(self.reader()).has_table(&table).await? {
            return Ok(());
        }
        let known: HashSet<String> = M::migrations().iter().map(|migration| migration.name().to_owned()).collect();
        let sql = format!("SELECT version FROM {table} ORDER BY version");
        let mut newer = Vec::new();
        for row in
            self.reader().query_all_raw(Statement::from_string(self.reader().get_database_backend(), sql)).await?
        {
            newer.extend(Some(row.try_get_by_index::<String>(0)?).filter(|name| !known.contains(name)));
        }
        if newer.is_empty() { Ok(()) } else { Err(Error::Newer { table, migrations: newer.join(", ") }) }
    }
}

/// The name of a service's record of applied migrations, such as `ingestion_migration`.
#[must_use]
pub fn migration_table(service: &str) -> DynIden {
    Alias::new(format!("{service}_migration")).into_iden()
}

/// Prepares a table whose rows are rewritten again and again: half-filled pages keep updates within their page, low
/// thresholds keep the vacuum close behind. Does nothing on SQLite.
pub async fn hot_table(manager: &SchemaManager<'_>, table: &str) -> std::result::Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sql = format!(
        "ALTER TABLE {table} SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, \
         autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_insert_scale_factor = 0.05, \
         autovacuum_analyze_scale_factor = 0.02)"
    );
    manager.get_connection().execute_unprepared(&sql).await.map(|_| ())
}
