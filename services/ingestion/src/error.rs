//! Why the ledger did not do what was asked.

use crate::records::Violation;

/// A fault, told apart by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The request itself is wrong.
    #[error("the request is wrong")]
    Invalid(Vec<Violation>),
    /// The batch id was used with another body.
    #[error("batch id {0:?} was used with another body")]
    BatchReused(String),
    /// Another writer moved a subscription between looking and locking; planning again helps.
    #[error("a subscription moved meanwhile")]
    Moved,
    /// The partner is not known.
    #[error("no such partner")]
    NoPartner,
    /// The key of the users.
    #[error("user key: {0}")]
    Key(String),
    /// Something stored cannot be read.
    #[error("stored data: {0}")]
    Damaged(String),
    /// The database.
    #[error(transparent)]
    Database(#[from] insights_database::Error),
}

impl From<insights_database::sea_orm::DbErr> for Error {
    fn from(error: insights_database::sea_orm::DbErr) -> Self {
        Self::Database(error.into())
    }
}

impl From<prost::DecodeError> for Error {
    fn from(error: prost::DecodeError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl Error {
    pub(crate) fn invalid(field: &str, reason: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation { field: field.to_owned(), reason: reason.into() }])
    }

    /// Whether doing the same again may succeed at once.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Moved => true,
            Self::Database(error) => error.is_contended(),
            _ => false,
        }
    }
}
