//! The caller of a request, for handlers.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tonic::{Request, Status};

use crate::{Principal, ServiceIdentity, denial::unauthenticated};

/// The caller named by a service, kept apart from a direct caller so that neither passes for the other.
#[derive(Clone)]
pub(crate) struct OnBehalf(pub(crate) Arc<Principal>);

/// The caller of a people's RPC. UNAUTHENTICATED where the access layer did not let a person through.
pub fn principal<T>(request: &Request<T>) -> Result<Arc<Principal>, Status> {
    request.extensions().get::<Arc<Principal>>().cloned().ok_or_else(unauthenticated)
}

/// The person for whom a service makes a services-only RPC. UNAUTHENTICATED when the service named no person.
pub fn on_behalf<T>(request: &Request<T>) -> Result<Arc<Principal>, Status> {
    request.extensions().get::<OnBehalf>().map(|caller| Arc::clone(&caller.0)).ok_or_else(unauthenticated)
}

/// The service that makes a services-only RPC.
pub fn service<T>(request: &Request<T>) -> Result<Arc<ServiceIdentity>, Status> {
    request.extensions().get::<Arc<ServiceIdentity>>().cloned().ok_or_else(unauthenticated)
}

/// The partner on whose account a call goes: the caller's, or that of the person a service acts for. For layers; handlers take
/// the caller.
#[must_use]
pub fn partner_of(extensions: &http::Extensions) -> Option<&str> {
    person_of(extensions).map(|person| person.partner())
}

/// The subject on whose account a call goes, within the partner.
#[must_use]
pub fn subject_of(extensions: &http::Extensions) -> Option<&str> {
    person_of(extensions).map(|person| person.subject())
}

fn person_of(extensions: &http::Extensions) -> Option<&Arc<Principal>> {
    let direct = extensions.get::<Arc<Principal>>();
    direct.or_else(|| extensions.get::<OnBehalf>().map(|caller| &caller.0))
}

/// When the token that a call was made with ends.
pub(crate) fn expires(extensions: &http::Extensions) -> Option<DateTime<Utc>> {
    let person = extensions.get::<Arc<Principal>>().map(|person| person.expires());
    person.or_else(|| extensions.get::<Arc<ServiceIdentity>>().map(|service| service.expires()))
}
