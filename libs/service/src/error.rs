//! What can go wrong, as a closed set.

use std::time::Duration;

/// A cause that is logged and never sent.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What a service answers when it does not answer. `status.rs` alone turns these into gRPC. Messages are for the caller: they
/// name what was asked, and nothing of ours.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The thing does not exist, or is another partner's.
    #[error("{what} does not exist")]
    NotFound {
        /// What, such as `customer C-1`.
        what: String,
    },
    /// What is asked contradicts what is stored, such as a batch id used with another body.
    #[error("{message}")]
    Conflict {
        /// What contradicts what.
        message: String,
    },
    /// The request is wrong, in these fields.
    #[error("the request is not valid: {}", summary(.0))]
    Invalid(Vec<FieldViolation>),
    /// A limit is reached.
    #[error("{message}")]
    Exhausted {
        /// Which limit.
        message: String,
        /// When to try again; `None` where trying again does not help.
        retry: Option<Duration>,
    },
    /// Something this service needs is away.
    #[error("{message}")]
    Unavailable {
        /// What cannot be done now.
        message: String,
        /// When to try again.
        retry: Duration,
    },
    /// What is asked for lies beyond what there is, such as a version that was never given out.
    #[error("{message}")]
    OutOfRange {
        /// What lies beyond what.
        message: String,
    },
    /// What the caller was in the middle of is gone; start over.
    #[error("{message}")]
    Aborted {
        /// What is gone.
        message: String,
    },
    /// It could not be done in the time given.
    #[error("{message}")]
    DeadlineExceeded {
        /// What was not reached.
        message: String,
    },
    /// A fault of ours. The cause is logged once and not sent.
    #[error("{0}")]
    Internal(#[source] BoxError),
}

/// A field of the request that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {description}")]
pub struct FieldViolation {
    /// The path of the field in the request, such as `query.filters[2].values[0]`.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

impl FieldViolation {
    /// A violation.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into() }
    }
}

fn summary(violations: &[FieldViolation]) -> String {
    let first: Vec<_> = violations.iter().take(3).map(ToString::to_string).collect();
    let more = if violations.len() > 3 { format!("; and {} more", violations.len() - 3) } else { String::new() };
    first.join("; ") + &more
}

impl Error {
    /// The thing does not exist.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    /// What is asked contradicts what is stored.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict { message: message.into() }
    }

    /// One field is wrong.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, description)])
    }

    /// A limit is reached for good.
    pub fn exhausted(message: impl Into<String>) -> Self {
        Self::Exhausted { message: message.into(), retry: None }
    }

    /// Something needed is away; worth trying again in a second.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable { message: message.into(), retry: Duration::from_secs(1) }
    }

    /// Beyond what there is.
    pub fn out_of_range(message: impl Into<String>) -> Self {
        Self::OutOfRange { message: message.into() }
    }

    /// Start over.
    pub fn aborted(message: impl Into<String>) -> Self {
        Self::Aborted { message: message.into() }
    }

    /// Not in the time given.
    pub fn deadline_exceeded(message: impl Into<String>) -> Self {
        Self::DeadlineExceeded { message: message.into() }
    }

    /// A fault of ours.
    pub fn internal(cause: impl Into<BoxError>) -> Self {
        Self::Internal(cause.into())
    }
}

/// An error and its causes in one line. A cause whose text stands in the one before is left out.
#[must_use]
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause.source();
    }
    text
}
