//! Why a command failed, in words and as an exit code.

use std::fmt;

use insights_product::StartError;
use insights_service::{code_name, error_chain};
use tonic::Status;
use tonic_types::StatusExt;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// It was called wrongly; exit code 2.
    Usage(String),
    /// It could not be done; exit code 1.
    Failed(String),
    /// The server refused or failed; exit code 1.
    Rpc(Box<Status>),
}

impl Failure {
    /// It could not be done, for this reason.
    pub fn because(what: &str, error: &dyn fmt::Display) -> Self {
        Self::Failed(format!("{what}: {error}"))
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) | Self::Rpc(_) => 1,
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Rpc(Box::new(status))
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Setting(text) => Self::Usage(text),
            error => Self::Failed(error_chain(&error)),
        }
    }
}

impl From<Box<dyn std::error::Error + Send + Sync>> for Failure {
    fn from(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self::Failed(error_chain(&*error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => out.write_str(text),
            Self::Rpc(status) => {
                write!(out, "{}: {}", code_name(status.code()), status.message())?;
                let details = status.get_error_details();
                for violation in details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default() {
                    write!(out, "\n  {}: {}", violation.field, violation.description)?;
                }
                if let Some(id) = details.error_info().and_then(|info| info.metadata.get("request_id")) {
                    write!(out, "\n  request id {id}")?;
                }
                if status.code() == tonic::Code::Unimplemented {
                    out.write_str(
                        "\n  this server serves another part of the API: --server must lead to all services",
                    )?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn refusals_name_the_code_and_the_fields() {
        let mut details = ErrorDetails::new();
        details.add_bad_request_violation("query.from_month", "is not a month");
        let status = Status::with_error_details(Code::InvalidArgument, "The query is not valid.", details);
        let text = Failure::from(status).to_string();
        assert_eq!(text, "INVALID_ARGUMENT: The query is not valid.\n  query.from_month: is not a month");
        assert!(Failure::from(Status::permission_denied("no")).to_string().starts_with("PERMISSION_DENIED: "));
    }
}
