//! Whether the replicas of reporting keep their files in one place. A directory that another replica does not see makes half of all
//! downloads fail, so the second replica refuses to start.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use insights_database::{Engine, bulk::statement, sea_orm::ConnectionTrait};
use tokio_util::sync::CancellationToken;

use super::Exports;
use super::files::{FileStore, FileStoreError};

/// The name of the file that tells a directory from others.
const MARK: &str = ".replicas";
/// How often a replica says that it uses its directory.
const SAID: Duration = Duration::from_secs(5);
/// Who said so no longer ago than this is there.
const THERE_MICROS: i64 = 20_000_000;

impl Exports {
    /// Says which directory this replica uses and refuses another one than that of the replicas that are there.
    ///
    /// # Errors
    /// When another replica uses another directory, or the directory or the database cannot be had.
    pub async fn join_replicas(&self) -> Result<(), FileStoreError> {
        let Some(folder) = self.own_folder() else { return Ok(()) };
        let said = |error| FileStoreError::File(folder.display().to_string(), error);
        let mark = mark(folder).map_err(said)?;
        self.say(&mark).await?;
        let database = self.audit.database();
        let sql = "SELECT count(*) AS others FROM export_folder WHERE mark <> $1 AND seen_micros > $2";
        let since = self.table.now().timestamp_micros() - THERE_MICROS;
        let ask = statement(database.reader(), sql, vec![mark.clone().into(), since.into()]);
        let row = database.reader().query_one_raw(ask).await.map_err(insights_database::Error::from)?;
        let others: i64 = row.map_or(Ok(0), |row| row.try_get("", "others")).map_err(insights_database::Error::from)?;
        if others == 0 {
            return Ok(());
        }
        // The replica that was there first stays the one that may start again.
        self.leave(&mark).await?;
        Err(FileStoreError::OfAnother(folder.display().to_string()))
    }

    /// Goes on saying so until shutdown.
    pub(super) async fn stay_among_replicas(&self, shutdown: CancellationToken) {
        let Some(mark) = self.own_folder().and_then(|folder| mark(folder).ok()) else { return };
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(SAID) => {}
            }
            if let Err(error) = self.say(&mark).await {
                tracing::warn!(%error, "cannot say which directory of exports this replica uses; will retry");
            }
        }
        // Another replica with the same directory says so again.
        if let Err(error) = self.leave(&mark).await {
            tracing::debug!(%error, "could not say that this replica is gone");
        }
    }

    /// The directory, where there may be replicas that do not see it.
    fn own_folder(&self) -> Option<&Path> {
        let replicated = self.audit.database().engine() == Engine::Postgres;
        let folder = matches!(self.files, FileStore::FolderStore(_)).then_some(self.config.folder.as_path());
        folder.filter(|_| replicated)
    }

    async fn say(&self, mark: &str) -> Result<(), insights_database::Error> {
        let sql = "INSERT INTO export_folder (mark, seen_micros) VALUES ($1, $2) \
                   ON CONFLICT (mark) DO UPDATE SET seen_micros = excluded.seen_micros";
        let now = self.table.now().timestamp_micros();
        let writer = self.audit.database().writer();
        writer.execute_raw(statement(writer, sql, vec![mark.into(), now.into()])).await?;
        Ok(())
    }

    async fn leave(&self, mark: &str) -> Result<(), insights_database::Error> {
        let writer = self.audit.database().writer();
        let sql = "DELETE FROM export_folder WHERE mark = $1";
        writer.execute_raw(statement(writer, sql, vec![mark.into()])).await?;
        Ok(())
    }
}

/// What tells a directory from others; made when absent.
fn mark(folder: &Path) -> io::Result<String> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(MARK);
    let fresh = format!("{:032x}", rand::random::<u128>());
    // Whole or not at all, so that a replica that comes at the same moment reads no half of it.
    let own = folder.join(format!("{MARK}-{fresh}"));
    if !path.exists() {
        std::fs::write(&own, &fresh)?;
        let linked = std::fs::hard_link(&own, &path);
        std::fs::remove_file(&own)?;
        match linked {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    std::fs::read_to_string(&path)
}
