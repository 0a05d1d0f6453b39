//! How a handler learns who calls.

use std::sync::Arc;

use tonic::{Request, Status};

use crate::{Principal, ServiceIdentity, denial::unauthenticated};

/// The caller named by a service, kept apart from a direct caller so that neither passes for the other.
#[derive(Clone)]
pub(crate) struct OnBehalf(pub(crate) Arc<Principal>);

/// The caller of a people's RPC. UNAUTHENTICATED where the access layer did not let a person through.
#[allow(clippy::result_large_err, reason = "Status is what handlers return")]
pub fn principal<T>(request: &Request<T>) -> Result<Arc<Principal>, Status> {
    request.extensions().get::<Arc<Principal>>().cloned().ok_or_else(unauthenticated)
}

/// The person for whom a service makes a services-only RPC. UNAUTHENTICATED when the service named nobody.
#[allow(clippy::result_large_err, reason = "Status is what handlers return")]
pub fn on_behalf<T>(request: &Request<T>) -> Result<Arc<Principal>, Status> {
    request.extensions().get::<OnBehalf>().map(|caller| Arc::clone(&caller.0)).ok_or_else(unauthenticated)
}

/// The service that makes a services-only RPC.
#[allow(clippy::result_large_err, reason = "Status is what handlers return")]
pub fn service<T>(request: &Request<T>) -> Result<Arc<ServiceIdentity>, Status> {
    request.extensions().get::<Arc<ServiceIdentity>>().cloned().ok_or_else(unauthenticated)
}
