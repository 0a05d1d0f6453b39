//! Streams end with the token they were opened with.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use insights_access::{AccessLayer, Principal, is_reflection, unauthenticated};
use tonic::Status;

use crate::{deadline::EndingBody, fail_point, status::token_ended};

pub(crate) async fn token_end(State(access): State<Arc<AccessLayer>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let streaming = access.policy().method(path).map_or_else(|| is_reflection(path), |method| method.streaming);
    let left = access.time_left(request.extensions()).filter(|_| fail_point::guard_holds("service.token_end"));
    let Some(left) = left.filter(|_| streaming) else { return next.run(request).await };
    let person = request.extensions().get::<Arc<Principal>>().is_some();
    let mut over = Box::pin(async move {
        tokio::time::sleep(left).await;
        ended(person)
    });
    let response = tokio::select! {
        response = next.run(request) => response,
        status = &mut over => return status.into_http(),
    };
    response.map(|body| EndingBody::at_once(body, over))
}

/// A person signs in again. A service has a new token by now and only needs to open the stream again.
fn ended(person: bool) -> Status {
    if person {
        return unauthenticated();
    }
    token_ended()
}
