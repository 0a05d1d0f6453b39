//! What was deleted is gone from the disk too.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::{Database, Engine, Error, Result};

/// How often the log of writes is looked at, and how long between.
const LOOKS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

impl Database {
    /// Writes a SQLite database anew without its free pages, and empties the log of writes: both hold what was deleted. Writers wait
    /// meanwhile. Does nothing on PostgreSQL, which uses the space of deleted rows again in its own time.
    ///
    /// # Errors
    /// [`Error::Contended`] when readers hold the log for too long; trying again helps.
    pub async fn purge(&self) -> Result<()> {
        if self.engine() != Engine::Sqlite {
            return Ok(());
        }
        // In a file rather than in memory: it is as large as the database.
        let anew = "PRAGMA temp_store = file; VACUUM; PRAGMA temp_store = memory;";
        self.writer().execute_unprepared(anew).await?;
        for _ in 0..LOOKS {
            let ask = Statement::from_string(self.writer().get_database_backend(), "PRAGMA wal_checkpoint(TRUNCATE)");
            let row = self.writer().query_one_raw(ask).await?;
            let busy: i32 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
            if busy == 0 {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(Error::Contended(DbErr::Custom("the log of writes is still read".to_owned())))
    }
}
