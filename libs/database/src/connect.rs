//! Connections: a writer and a reader.

use std::{fmt, path::Path, sync::Arc, time::Duration};

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel,
    SqliteTransactionMode, SqlxPostgresConnector, SqlxSqliteConnector, Statement, TransactionOptions, TransactionTrait,
};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::{
    Error, Result,
    postgres::{self, Following},
};

/// A transaction: sea-orm's own, so that entities and [`crate::bulk`] both work inside it. Rolled back when dropped.
pub type Transaction = DatabaseTransaction;

/// Which engine stores the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// One process, one file.
    Sqlite,
    /// Everything else.
    Postgres,
}

/// How to connect, as configuration. Connections are counted per service of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Most connections at once of a service in a process (SQLite: readers).
    pub connections: u32,
    /// A pooler such as PgBouncer stands before PostgreSQL: what would be set for a connection is left to the role (`insights migrate
    /// --roles` sets it).
    pub pooler: bool,
    /// How long a caller waits for a free connection, or for one at all while the server is away.
    #[serde(skip)]
    pub acquire_timeout: Duration,
    /// How long a SQLite transaction waits for another process's.
    #[serde(skip)]
    pub busy_timeout: Duration,
    /// How long a transaction may do nothing before PostgreSQL ends it: a process that hangs must not hold rows for ever.
    #[serde(skip)]
    pub idle_transaction: Duration,
}

/// A migration holds one connection and works on others.
const FEWEST_CONNECTIONS: u32 = 4;

impl Options {
    /// What is wrong with it, as (setting, what).
    #[must_use]
    pub fn faults(&self) -> Vec<(String, String)> {
        if self.connections < FEWEST_CONNECTIONS {
            return vec![("connections".to_owned(), format!("must be at least {FEWEST_CONNECTIONS}"))];
        }
        Vec::new()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 16,
            pooler: false,
            acquire_timeout: Duration::from_secs(5),
            busy_timeout: Duration::from_secs(30),
            idle_transaction: Duration::from_secs(300),
        }
    }
}

/// How many connections are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Now.
    pub used: u32,
    /// At most.
    pub most: u32,
}

// House: five things are done with a database (connect, migrate, back up, purge, keep a secret), each in a file of its own.
/// A database of one service. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    engine: Engine,
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    /// Ends with the last clone.
    _following: Option<Arc<Following>>,
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Database").field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl Database {
    /// Connects to `sqlite:PATH` (the file and its folder are created when absent) or `postgres://…`, where several hosts may stand with
    /// commas: that which takes writes is used.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_with(url, &Options::default()).await
    }

    /// Connects with other limits than the default ones.
    pub async fn connect_with(url: &str, options: &Options) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return sqlite(path.strip_prefix("//").unwrap_or(path), options).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let (pool, following) = postgres::open(url, options).await?;
            let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
            return Ok(Self {
                engine: Engine::Postgres,
                writer: connection.clone(),
                reader: connection,
                _following: following.map(Arc::new),
            });
        }
        Err(Error::Address("must begin with `sqlite:` or `postgres://`".to_owned()))
    }

    /// Opens a SQLite file that is there for reading only.
    pub(crate) async fn read_only(path: &Path) -> Result<Self> {
        let connect = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(connect).await?;
        let reader = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
        Ok(Self { engine: Engine::Sqlite, writer: reader.clone(), reader, _following: None })
    }

    /// The engine behind.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// For reads outside any transaction.
    #[must_use]
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// For single writes outside any transaction.
    #[must_use]
    pub fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Begins a transaction that writes: IMMEDIATE on SQLite, so that it never fails half-way for another writer; READ
    /// COMMITTED on PostgreSQL, where writers lock rows themselves.
    pub async fn begin(&self) -> Result<Transaction> {
        let options = TransactionOptions {
            sqlite_transaction_mode: (self.engine == Engine::Sqlite).then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        begin(&self.writer, options).await
    }

    /// Begins a transaction that only reads and sees one state of the database throughout.
    pub async fn snapshot(&self) -> Result<Transaction> {
        let options = match self.engine {
            Engine::Sqlite => TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
                ..TransactionOptions::default()
            },
            Engine::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            },
        };
        begin(&self.reader, options).await
    }

    /// Asks the database whether it answers.
    pub async fn ping(&self) -> Result<()> {
        self.reader.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// What the database's own clock says, in nanoseconds since 1970; `None` where it is the clock of this machine (SQLite).
    pub async fn clock(&self) -> Result<Option<i64>> {
        if self.engine == Engine::Sqlite {
            return Ok(None);
        }
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        let row = self.reader.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        let micros: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(micros.map(|micros| micros.saturating_mul(1_000)))
    }

    /// Connections in use, and the most there may be.
    #[must_use]
    pub fn connections(&self) -> Connections {
        let (open, idle, most) = match self.engine {
            Engine::Sqlite => {
                let pool = self.reader.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
            Engine::Postgres => {
                let pool = self.writer.get_postgres_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
        };
        Connections { used: open.saturating_sub(u32::try_from(idle).unwrap_or(u32::MAX)), most }
    }

    /// Closes every connection, waiting for those in use.
    pub async fn close(self) -> Result<()> {
        self.reader.close().await?;
        self.writer.close().await?;
        Ok(())
    }
}

/// Begins in a task of its own, which is never given up half-way. A driver that is given up between asking to begin and hearing that
/// it has begun (sqlx 0.9, PostgreSQL) hands the connection on inside a transaction that nobody ends: whoever writes on it next would be
/// told that it is written, and it would not be committed.
async fn begin(connection: &DatabaseConnection, options: TransactionOptions) -> Result<Transaction> {
    let connection = connection.clone();
    let begun = tokio::spawn(async move { connection.begin_with_options(options).await });
    begun.await.map_err(|error| Error::from(sqlx::Error::Io(std::io::Error::other(error))))?.map_err(Error::from)
}

async fn sqlite(path: &str, options: &Options) -> Result<Database> {
    if path.is_empty() || path.starts_with(":memory:") {
        return Err(Error::Address(
            "SQLite needs the path of a file, as in `sqlite:/var/lib/insights/x.db`".to_owned(),
        ));
    }
    if let Some(folder) = Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(sqlx::Error::Io)?;
    }
    restrict(path)?;
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(options.busy_timeout)
        .statement_cache_capacity(200)
        .pragma("cache_size", "-65536")
        .pragma("temp_store", "memory");
    let pool = |most: u32| {
        SqlitePoolOptions::new()
            .max_connections(most)
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
    };
    let writer = first(|| pool(1).connect_with(connect.clone()), options.busy_timeout).await?;
    let reader = pool(options.connections).connect_with(connect.pragma("query_only", "on")).await?;
    Ok(Database {
        engine: Engine::Sqlite,
        writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
        reader: SqlxSqliteConnector::from_sqlx_sqlite_pool(reader),
        _following: None,
    })
}

/// Makes the file, and what SQLite keeps beside it, one that only its owner may read, whatever was there before. What SQLite makes later
/// it makes with the file's own mode.
fn restrict(path: &str) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        // A place where no file can be made is told by SQLite itself.
        let _ = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
        for path in [path.to_owned(), format!("{path}-wal"), format!("{path}-shm")] {
            let Ok(found) = std::fs::metadata(&path) else { continue };
            if found.permissions().mode() & 0o077 != 0 {
                std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).map_err(|error| {
                    Error::Address(format!("{path} may be read by others ({error}): chmod 600 {path}"))
                })?;
            }
        }
    }
    Ok(())
}

/// Opens the file. Processes that make it at the same moment are in each other's way while it becomes one with a log of writes
/// ahead, and SQLite does not wait then.
async fn first<T, F>(open: impl Fn() -> F, patience: Duration) -> Result<T>
where
    F: Future<Output = std::result::Result<T, sqlx::Error>>,
{
    const PAUSE: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match open().await.map_err(Error::from) {
            Err(error) if error.is_contended() && waited < patience => {
                tokio::time::sleep(PAUSE).await;
                waited += PAUSE;
            }
            other => return other,
        }
    }
}
