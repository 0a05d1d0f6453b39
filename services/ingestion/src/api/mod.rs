//! The gRPC services.

mod erasure;
mod feed;
mod ingestion;
mod preview;
mod stream;

use insights_service::FieldViolation;
use tonic::Status;

pub(crate) use erasure::ErasureApi;
pub(crate) use feed::FeedApi;
pub(crate) use ingestion::IngestionApi;

use crate::{error::Error, records::Violation};

impl From<Error> for insights_service::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(violations) => {
                let violation = |violation: Violation| FieldViolation::new(violation.field, violation.reason);
                Self::Invalid(violations.into_iter().map(violation).collect())
            }
            Error::BatchReused(id) => Self::conflict(format!(
                "batch id `{id}` was used with another body; the same id stands for the same records"
            )),
            Error::NoPartner => Self::not_found("the partner"),
            Error::TooMuch(why) => Self::exhausted(format!("The import is too large to be tried: {why}.")),
            Error::SubscriptionMoved | Error::CustomerShared => {
                Self::unavailable("Others change the same subscriptions just now.")
            }
            Error::Clock(fault) => Self::unavailable(format!(
                "Nothing is stored, because {fault}. Set the clock right; what a clock that was ahead has dated, `insights \
                 correct-times` corrects."
            )),
            Error::ErasedMeanwhile => Self::unavailable("A customer or a user is being erased just now."),
            Error::Database(error @ insights_database::Error::Unavailable(_)) => {
                tracing::warn!(%error, "database unavailable");
                Self::unavailable("The database cannot be reached just now.")
            }
            Error::Database(error @ insights_database::Error::Contended(_)) => {
                tracing::warn!(%error, "gave up against other writers");
                Self::unavailable("Others write the same data just now.")
            }
            error @ (Error::Database(_) | Error::Key(_) | Error::Damaged(_) | Error::Internal(_)) => {
                Self::internal(error)
            }
        }
    }
}

/// The status of an error.
fn status(error: Error) -> Status {
    insights_service::Error::from(error).into()
}
