//! Copies of SQLite databases, made while they are in use.

use std::path::Path;

use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::{Database, Engine, Error, Result};

impl Database {
    /// Writes the database as it stands at one moment to a file that does not exist yet. Others read and write meanwhile, in this
    /// process and in others. The copy is on disk when this returns.
    ///
    /// # Errors
    /// [`Error::Address`] on PostgreSQL, which has programs of its own for this.
    pub async fn copy_to(&self, path: &Path) -> Result<()> {
        if self.engine() != Engine::Sqlite {
            return Err(Error::Address("only SQLite databases are copied; PostgreSQL has pg_dump".to_owned()));
        }
        let quoted = path.display().to_string().replace('\'', "''");
        self.writer().execute_unprepared(&format!("VACUUM INTO '{quoted}'")).await?;
        std::fs::File::open(path).and_then(|file| file.sync_all()).map_err(sqlx::Error::Io)?;
        Ok(())
    }

    /// Reads a whole database file, of which nothing is changed and nothing is left beside it, and fails where it is damaged.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub async fn check_file(path: &Path) -> Result<()> {
        let database = Self::read_only(path).await?;
        let checked = database.check().await;
        database.close().await?;
        checked
    }

    /// Reads the whole database and fails where it is damaged.
    pub async fn check(&self) -> Result<()> {
        if self.engine() != Engine::Sqlite {
            return Ok(());
        }
        let ask = Statement::from_string(self.reader().get_database_backend(), "PRAGMA quick_check(1)");
        let row = self.reader().query_one_raw(ask).await?;
        let said: String = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
        if said == "ok" {
            Ok(())
        } else {
            Err(Error::Failed(DbErr::Custom(format!("the database is damaged: {said}"))))
        }
    }
}
