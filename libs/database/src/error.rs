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
    /// A newer version of the product migrated this database. It is left as it is: nobody knows what an older one would break.
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
                match database.code().as_deref() {
                    // Serialization failure and deadlock (PostgreSQL), busy and its extended forms (SQLite).
                    Some("40001" | "40P01" | "5" | "517" | "261") => Self::Contended(error),
                    // Admin shutdown, crash shutdown, cannot connect now, too many connections, disk full.
                    Some("57P01" | "57P02" | "57P03" | "53300" | "53100") => Self::Unavailable(error),
                    _ => Self::Failed(error),
                }
            }
            _ => Self::Failed(error),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::from(DbErr::Exec(RuntimeErr::SqlxError(error.into())))
    }
}
