//! Why the product cannot start.

use std::io;
use std::path::Path;

use insights_service::BoxError;

/// Why the product cannot start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is missing or wrong.
    #[error("{0}")]
    Setting(String),
    /// A file cannot be read or written.
    #[error("{path}")]
    File {
        /// Its path.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A part of the product cannot be opened, or failed.
    #[error("{part}")]
    Part {
        /// Which, such as `metrics`.
        part: &'static str,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// A service ended although nothing told it to.
    #[error("{0} ended by itself")]
    Ended(&'static str),
}

impl StartError {
    /// For `map_err`: why a part of the product cannot be opened.
    pub(crate) fn part<E: Into<BoxError>>(part: &'static str) -> impl Fn(E) -> Self {
        move |source| Self::Part { part, source: source.into() }
    }

    /// For `map_err`: why a file cannot be read or written.
    pub(crate) fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::File { path: path.display().to_string(), source }
    }
}
