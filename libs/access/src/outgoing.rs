//! What a service sends along when it calls another.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use tonic::{Request, Status, metadata::MetadataValue};

use crate::{Clock, Issuer, Principal, denial::no_own_token};

/// The metadata key under which a service names the person it acts for: that person's token.
pub const CALLER_HEADER: &str = "x-insights-caller";

/// Where a service has its own token from.
#[derive(Clone)]
pub struct ServiceTokens(Arc<TokenSource>);

enum TokenSource {
    /// Minted by the local development issuer, anew when half of its time is over.
    Local { issuer: Arc<Issuer>, name: String, clock: Clock, minted: Mutex<Option<(Arc<str>, DateTime<Utc>)>> },
    /// Written by the platform, such as a projected service account token of Kubernetes; read for every call because the
    /// platform renews it.
    File(PathBuf),
}

const LOCAL_TTL: TimeDelta = TimeDelta::minutes(10);

impl ServiceTokens {
    /// Tokens for the named service from the local development issuer.
    #[must_use]
    pub fn local(issuer: Arc<Issuer>, name: &str, clock: Clock) -> Self {
        Self(Arc::new(TokenSource::Local { issuer, name: name.to_owned(), clock, minted: Mutex::new(None) }))
    }

    /// The token the platform keeps in a file.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        Self(Arc::new(TokenSource::File(path.to_owned())))
    }

    /// A token that is valid now.
    pub fn token(&self) -> Result<Arc<str>, Status> {
        let failed = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "no token of our own");
            no_own_token()
        };
        match &*self.0 {
            TokenSource::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(Arc::from(text.trim())),
                Err(error) => Err(failed(&error)),
            },
            TokenSource::Local { issuer, name, clock, minted } => {
                let now = clock.now();
                let mut minted = minted.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((token, since)) = minted.as_ref()
                    && now - *since < LOCAL_TTL / 2
                    && now >= *since
                {
                    return Ok(Arc::clone(token));
                }
                let token: Arc<str> =
                    issuer.mint_service_at(name, now, LOCAL_TTL).map_err(|error| failed(&error))?.into();
                *minted = Some((Arc::clone(&token), now));
                Ok(token)
            }
        }
    }
}

/// Makes requests to other services.
#[derive(Clone)]
pub struct Outgoing {
    tokens: ServiceTokens,
}

impl Outgoing {
    /// Requests signed with these tokens.
    #[must_use]
    pub fn new(tokens: ServiceTokens) -> Self {
        Self { tokens }
    }

    /// A request on the caller's behalf: our token, and theirs beside it.
    pub fn for_caller<T>(&self, caller: &Principal, message: T) -> Result<Request<T>, Status> {
        let mut request = self.as_service(message)?;
        request.metadata_mut().insert(CALLER_HEADER, secret(&caller.token)?);
        Ok(request)
    }

    /// A request of our own.
    pub fn as_service<T>(&self, message: T) -> Result<Request<T>, Status> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", secret(&format!("Bearer {}", self.tokens.token()?))?);
        Ok(request)
    }
}

fn secret(text: &str) -> Result<MetadataValue<tonic::metadata::Ascii>, Status> {
    let mut value = MetadataValue::try_from(text).map_err(|_| no_own_token())?;
    // Keeps it out of logs and out of HTTP/2's header table.
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use tonic::Code;
    use tonic_types::StatusExt;

    use super::*;

    #[test]
    fn a_token_of_our_own_that_is_gone_is_not_taken_for_an_issuer_that_is_away() {
        let outgoing = Outgoing::new(ServiceTokens::file(Path::new("/nowhere/token")));
        let status = outgoing.as_service(()).unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status.get_details_error_info().unwrap().reason, "OWN_TOKEN_UNAVAILABLE");
    }
}
