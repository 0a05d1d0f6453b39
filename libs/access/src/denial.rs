//! Statuses of denied calls. Their texts are constant, because they must not say what was wrong with a token or whether a resource
//! exists.

use std::{collections::HashMap, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of every `ErrorInfo` of this product.
pub const DOMAIN: &str = "insights";

/// The one text of UNAUTHENTICATED.
pub const UNAUTHENTICATED_TEXT: &str = "The call carries no valid token.";

const FORBIDDEN_TEXT: &str = "The caller's roles do not allow this call.";

fn with_reason(code: Code, text: &str, reason: &str, retry: Option<Duration>) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, HashMap::new());
    if retry.is_some() {
        details.set_retry_info(retry);
    }
    Status::with_error_details(code, text, details)
}

/// No token, or not a valid one.
#[must_use]
pub fn unauthenticated() -> Status {
    with_reason(Code::Unauthenticated, UNAUTHENTICATED_TEXT, "TOKEN_INVALID", None)
}

/// A valid token without a role that allows the call.
#[must_use]
pub fn forbidden() -> Status {
    with_reason(Code::PermissionDenied, FORBIDDEN_TEXT, "ROLE_MISSING", None)
}

/// No keys to verify a token with: the issuer has not answered for too long.
#[must_use]
pub fn keys_unavailable() -> Status {
    let text = "Tokens cannot be verified now.";
    with_reason(Code::Unavailable, text, "KEYS_UNAVAILABLE", Some(Duration::from_secs(5)))
}

/// A service has no token of its own to call another with: its file is gone or holds none.
pub(crate) fn no_own_token() -> Status {
    let text = "This service has no token of its own now.";
    with_reason(Code::Unavailable, text, "OWN_TOKEN_UNAVAILABLE", Some(Duration::from_secs(5)))
}

/// The path is no method of this server.
pub(crate) fn unknown_method() -> Status {
    with_reason(Code::Unimplemented, "There is no such method.", "METHOD_UNKNOWN", None)
}
