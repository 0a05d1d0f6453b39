//! What can go wrong with a database, told apart by what the caller can do about it.

use sea_orm::{DbErr, RuntimeErr};

/// The result of talking to a database.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address names no engine this crate knows, or cannot be read.
    #[error("database address: {0}")]
    Address(String),
    /// The database cannot be reached now; the same call may succeed later.
    #[error("database unavailable: {0}")]
    Unavailable(DbErr),
    /// Two transactions stood in each other's way and this one lost; running it again may succeed.
    #[error("transaction lost against another: {0}")]
    Contended(DbErr),
    /// A row with this key exists.
    #[error("duplicate key: {0}")]
    Duplicate(DbErr),
    /// A newer version of the product migrated this database. It is left unchanged, because an older version could damage it.
    #[error(
        "{table} names {migrations}, which this version does not know: a newer version of insights migrated this database. \
         Run that version, or restore a backup from before it"
    )]
    Newer {
        /// The service's record of applied migrations.
        table: String,
        /// The migrations this version does not know.
        migrations: String,
    },
    /// Anything else: a defect, or a damaged database.
    #[error(transparent)]
    Failed(DbErr),
}

impl Error {
    /// Whether running the same transaction again may succeed.
    #[must_use]
    pub fn is_contended(&self) -> bool {
        matches!(self, Self::Contended(_))
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        let cause = match &error {
            DbErr::ConnectionAcquire(_) => return Self::Unavailable(error),
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => cause.clone(),
            _ => return Self::Failed(error),
        };
        match cause.as_ref() {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::Unavailable(error)
            }
            sqlx::Error::Database(database) => {
                if database.is_unique_violation() {
                    return Self::Duplicate(error);
                }
                let postgres = database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some();
                let code = database.code().unwrap_or_default();
                if postgres && MIXED_UP.contains(&code.as_ref()) {
                    let text = format!(
                        "{database}: a pooler before PostgreSQL gives one connection's statements to another. It needs pool_mode = \
                         session, or PgBouncer 1.21 or newer with max_prepared_statements"
                    );
                    return Self::Failed(DbErr::Conn(RuntimeErr::Internal(text)));
                }
                match if postgres { of_postgres(&code) } else { of_sqlite(&code) } {
                    Some(Passing::Contended) => Self::Contended(error),
                    Some(Passing::Unavailable) => Self::Unavailable(error),
                    None => Self::Failed(error),
                }
            }
            _ => Self::Failed(error),
        }
    }
}

/// A prepared statement is there already, or is not.
const MIXED_UP: [&str; 2] = ["42P05", "26000"];

/// Transient errors of an engine.
enum Passing {
    Contended,
    Unavailable,
}

fn of_postgres(code: &str) -> Option<Passing> {
    match code {
        // Serialization failure, deadlock, a lock not to be had.
        "40001" | "40P01" | "55P03" => Some(Passing::Contended),
        // Shut down by an administrator, by a crash, not yet up; a session ended for being idle within a transaction.
        "57P01" | "57P02" | "57P03" | "25P03" | "57P05" => Some(Passing::Unavailable),
        // A server that only follows another, as after a failover; whether a statement was done is not known.
        "25006" | "40003" => Some(Passing::Unavailable),
        // Ended for taking too long; a file that cannot be read or written just now.
        "57014" | "58030" => Some(Passing::Unavailable),
        // Connections lost; no room on the disk, in memory, among connections.
        _ if code.starts_with("08") || code.starts_with("53") => Some(Passing::Unavailable),
        _ => None,
    }
}

fn of_sqlite(code: &str) -> Option<Passing> {
    // The lower byte is the kind, the rest of an extended code says more.
    match code.parse::<u32>().ok()? & 0xFF {
        // Busy, locked.
        5 | 6 => Some(Passing::Contended),
        // Errors of input and output, no room on the disk, a file that cannot be opened.
        10 | 13 | 14 => Some(Passing::Unavailable),
        _ => None,
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::from(DbErr::Exec(RuntimeErr::SqlxError(error.into())))
    }
}
