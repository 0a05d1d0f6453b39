//! The one place that turns an [`Error`] into a gRPC status.

use std::{collections::HashMap, time::Duration};

use insights_access::DOMAIN;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{BoxError, Error, FieldViolation, error::error_chain, fail_point, request_id};

/// Violations that a status names; of more it says how many.
const MOST_VIOLATIONS: usize = 20;
/// Characters of the path and of the description of a violation.
const LONGEST_PART: usize = 200;
/// Characters of the text of a status, of which one may take nine bytes on the way.
const LONGEST_TEXT: usize = 250;
/// Bytes of details: with a text of the longest, and a third more on the way, they fit into the 8 KiB of headers that clients take.
const MOST_DETAILS: usize = 4 * 1024;

/// The one sentence in which internal errors leave.
pub const INTERNAL_TEXT: &str = "Something went wrong on our side. The request id helps us find it.";

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::NotFound { .. } => plain(Code::NotFound, &text, "NOT_FOUND"),
            Error::Conflict { .. } => plain(Code::AlreadyExists, &text, "CONFLICT"),
            Error::Invalid(violations) => invalid(&text, violations),
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

/// Names the first violations and says how many more there are.
fn invalid(text: &str, violations: Vec<FieldViolation>) -> Status {
    let all = violations.len();
    let named = if fail_point::guard_holds("service.details") { MOST_VIOLATIONS } else { all };
    let mut details = info("INVALID");
    for violation in violations.into_iter().take(named) {
        details.add_bad_request_violation(violation.field, violation.description);
    }
    if all > named {
        let more = HashMap::from([("more_violations".to_owned(), (all - named).to_string())]);
        details.set_error_info("INVALID", DOMAIN, more);
    }
    Status::with_error_details(Code::InvalidArgument, text, details)
}

/// The status, no larger than what every client takes; `None` where it is so already.
pub(crate) fn cut(status: &Status) -> Option<Status> {
    let (long, large) = (status.message().chars().count() > LONGEST_TEXT, status.details().len() > MOST_DETAILS);
    if !fail_point::guard_holds("service.details") || !(long || large) {
        return None;
    }
    let text = shortened(status.message(), LONGEST_TEXT);
    if !large {
        return Some(Status::with_details(status.code(), text, status.details().to_vec().into()));
    }
    let mut details = status.get_error_details();
    let mut violations: Vec<_> = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    for violation in &mut violations {
        violation.field = shortened(&violation.field, LONGEST_PART);
        violation.description = shortened(&violation.description, LONGEST_PART);
    }
    let (mut left, mut room) = (0, MOST_DETAILS / 2);
    violations.retain(|violation| {
        let bytes = violation.field.len() + violation.description.len();
        let fits = room.checked_sub(bytes);
        room = fits.unwrap_or_default();
        left += usize::from(fits.is_none());
        fits.is_some()
    });
    let info = details.error_info().map(|info| (info.reason.clone(), info.metadata.clone()));
    let (reason, mut metadata) = info.unwrap_or_default();
    metadata.retain(|key, value| key.len() + value.len() <= LONGEST_PART);
    if left > 0 {
        let before = metadata.get("more_violations").and_then(|more| more.parse::<usize>().ok()).unwrap_or_default();
        metadata.insert("more_violations".to_owned(), (before + left).to_string());
    }
    let mut cut = ErrorDetails::new();
    cut.set_error_info(shortened(&reason, LONGEST_PART), DOMAIN, metadata);
    if !violations.is_empty() {
        cut.set_bad_request(violations);
    }
    if let Some(retry) = details.retry_info() {
        cut.set_retry_info(retry.retry_delay);
    }
    details = cut;
    Some(Status::with_error_details(status.code(), text, details))
}

/// The first characters of a text, with a sign that there were more.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Why a stream of a service ended whose token did.
const TOKEN_ENDED: &str = "TOKEN_ENDED";

/// The end of a service's stream with its token; with the next one it is opened again.
pub(crate) fn token_ended() -> Status {
    let retry = Some(Duration::from_millis(100));
    with_retry(Code::Unavailable, "The token of this stream has ended.", TOKEN_ENDED, retry)
}

/// Whether a stream ended only because the token of the service that opened it did.
#[must_use]
pub fn ended_with_token(status: &Status) -> bool {
    status.get_error_details().error_info().is_some_and(|info| info.reason == TOKEN_ENDED)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What the status takes of the headers of an answer.
    fn on_the_way(status: &Status) -> usize {
        let mut headers = http::HeaderMap::new();
        status.add_header(&mut headers).unwrap();
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
    }

    #[test]
    fn a_status_fits_whatever_it_is_made_of() {
        for letters in ["x", "\u{e9}", "\u{1f600}"] {
            for (count, length) in [(1, 10), (21, 100), (100, 3_000), (5_000, 10), (3, 100_000)] {
                let long = letters.repeat(length);
                let violations = vec![FieldViolation::new(long.clone(), long); count];
                let status = Status::from(Error::Invalid(violations));
                let status = cut(&status).unwrap_or(status);
                assert!(on_the_way(&status) < 8 * 1024, "{letters} {count} {length}: {}", on_the_way(&status));
                let details = status.get_error_details();
                let named = details.bad_request().map_or(0, |bad| bad.field_violations.len());
                let info = details.error_info().unwrap();
                let more: usize = info.metadata.get("more_violations").map_or(0, |more| more.parse().unwrap());
                assert!(named + more == count && named <= MOST_VIOLATIONS, "{named} and {more} of {count}");
                assert_eq!(info.reason, "INVALID");
            }
        }
    }

    #[test]
    fn a_status_of_the_usual_size_stays_as_it_is() {
        let violations = vec![FieldViolation::new("query.from_month", "is no month"); MOST_VIOLATIONS];
        assert!(cut(&Error::Invalid(violations).into()).is_none());
        let status = with_retry(Code::Unavailable, &"x".repeat(10_000), "UNAVAILABLE", Some(Duration::from_secs(3)));
        let status = cut(&status).unwrap();
        let retry = status.get_error_details().retry_info().and_then(|info| info.retry_delay);
        assert_eq!(retry, Some(Duration::from_secs(3)));
    }
}
