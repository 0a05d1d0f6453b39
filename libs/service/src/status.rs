//! The one place that turns an [`Error`] into a gRPC status.

use std::{collections::HashMap, time::Duration};

use insights_access::DOMAIN;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{BoxError, Error, error::error_chain, request_id};

/// The one sentence in which internal errors leave.
pub const INTERNAL_TEXT: &str = "Something went wrong on our side. The request id helps us find it.";

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::NotFound { .. } => plain(Code::NotFound, &text, "NOT_FOUND"),
            Error::Conflict { .. } => plain(Code::AlreadyExists, &text, "CONFLICT"),
            Error::Invalid(violations) => {
                let mut details = info("INVALID");
                for violation in violations {
                    details.add_bad_request_violation(violation.field, violation.description);
                }
                Self::with_error_details(Code::InvalidArgument, text, details)
            }
            Error::Exhausted { retry, .. } => with_retry(Code::ResourceExhausted, &text, "EXHAUSTED", retry),
            Error::Unavailable { retry, .. } => with_retry(Code::Unavailable, &text, "UNAVAILABLE", Some(retry)),
            Error::OutOfRange { .. } => plain(Code::OutOfRange, &text, "OUT_OF_RANGE"),
            Error::Aborted { .. } => plain(Code::Aborted, &text, "ABORTED"),
            Error::DeadlineExceeded { .. } => plain(Code::DeadlineExceeded, &text, "DEADLINE_EXCEEDED"),
            Error::Internal(cause) => internal(&cause),
        }
    }
}

/// What another service answered, as this one's answer: what concerns the caller passes as it is, with its details; what
/// concerns us becomes an internal error, and a refusal of our own token too, for the caller can do nothing about it.
#[must_use]
pub fn forward(status: Status) -> Status {
    // Made on this side: the other was not reached, or is gone in the middle of the call, and said nothing itself.
    if std::error::Error::source(&status).is_some() {
        tracing::warn!(%status, "another service went away");
        return Error::unavailable("A part of the service is away.").into();
    }
    match status.code() {
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Unavailable => {
            let details = status.details().to_vec();
            let forwarded = Status::with_details(status.code(), status.message(), details.into());
            if forwarded.details().is_empty() && forwarded.code() == Code::Unavailable {
                return Error::unavailable("A part of the service is away.").into();
            }
            forwarded
        }
        Code::Ok | Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss | Code::Unauthenticated => {
            // What the other side already logged under its id is logged here once more with ours.
            internal(&BoxError::from(status))
        }
    }
}

pub(crate) fn plain(code: Code, text: &str, reason: &str) -> Status {
    Status::with_error_details(code, text, info(reason))
}

pub(crate) fn with_retry(code: Code, text: &str, reason: &str, retry: Option<Duration>) -> Status {
    let mut details = info(reason);
    if retry.is_some() {
        details.set_retry_info(retry);
    }
    Status::with_error_details(code, text, details)
}

pub(crate) fn internal(cause: &BoxError) -> Status {
    let id = request_id();
    tracing::error!(request_id = %id, cause = error_chain(&**cause), "internal error");
    let mut details = ErrorDetails::new();
    details.set_error_info("INTERNAL", DOMAIN, HashMap::from([("request_id".to_owned(), id)]));
    Status::with_error_details(Code::Internal, INTERNAL_TEXT, details)
}

fn info(reason: &str) -> ErrorDetails {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, HashMap::new());
    details
}
