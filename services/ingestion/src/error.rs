//! The errors of this service.

use crate::records::Violation;

/// An error, by what can be done about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The request itself is wrong.
    #[error("the request is wrong")]
    Invalid(Vec<Violation>),
    /// The batch id was used with another body.
    #[error("batch id {0:?} was used with another body")]
    BatchReused(String),
    /// Another writer gave a subscription to another customer after this transaction was planned. A race: planning again helps.
    #[error("a subscription moved to another customer after the transaction was planned")]
    SubscriptionMoved,
    /// A transaction that shares its customers with other writers has to change one. A race: planning again takes them alone.
    #[error("a customer that the transaction shares with others has to be changed")]
    CustomerShared,
    /// Something was erased after the batch was compared with what is erased. A race: comparing again helps.
    #[error("something was erased after the batch was checked")]
    ErasedMeanwhile,
    /// More than is tried without being stored.
    #[error("too much to be tried: {0}")]
    TooMuch(&'static str),
    /// The partner is not known.
    #[error("no such partner")]
    NoPartner,
    /// The clock is wrong, so that what comes cannot be dated.
    #[error("{0}")]
    Clock(ClockError),
    /// The key of the users.
    #[error("user key: {0}")]
    Key(String),
    /// A stored row is missing or cannot be read. Trying again does not help.
    #[error("damaged data: {0}")]
    Damaged(String),
    /// An invariant of this service does not hold: a fault in the code. Trying again does not help.
    #[error("broken invariant: {0}")]
    Internal(&'static str),
    /// The database.
    #[error(transparent)]
    Database(#[from] insights_database::Error),
}

/// What is wrong with the server's clock, and by how many nanoseconds it is ahead; negative: behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClockError {
    /// It stands before the latest receive time of the partner.
    #[error("the server's clock is {} s behind the time at which the partner's newest records were received", -(.ahead / NANOS))]
    BehindReceipts { ahead: i64 },
    /// It is not the database's.
    #[error("the server's clock is {} s ahead of the database's (negative: behind)", .ahead / NANOS)]
    ApartFromDatabase { ahead: i64 },
}

const NANOS: i64 = 1_000_000_000;

impl ClockError {
    /// By how many seconds it is ahead; negative: behind.
    pub(crate) fn seconds_ahead(self) -> i64 {
        let (Self::BehindReceipts { ahead } | Self::ApartFromDatabase { ahead }) = self;
        ahead / NANOS
    }
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

    /// Whether another writer did something that the transaction was planned without, so that it may succeed when it is planned again.
    /// Where it took things for new, another writer may have written about them first.
    pub(crate) fn is_overtaken(&self, with_new: bool) -> bool {
        match self {
            Self::SubscriptionMoved | Self::CustomerShared => true,
            Self::Database(insights_database::Error::Duplicate(_)) => with_new,
            _ => false,
        }
    }

    /// Whether the transaction lost a race and may succeed when it is tried again at once.
    pub(crate) fn is_race(&self) -> bool {
        match self {
            Self::SubscriptionMoved | Self::CustomerShared | Self::ErasedMeanwhile => true,
            Self::Database(error) => error.is_contended(),
            Self::Invalid(_)
            | Self::BatchReused(_)
            | Self::NoPartner
            | Self::Clock(_)
            | Self::Key(_)
            | Self::Damaged(_)
            | Self::Internal(_)
            | Self::TooMuch(_) => false,
        }
    }
}
