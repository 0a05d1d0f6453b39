//! Notes which connections are used.

use axum::{extract::Request, middleware::Next, response::Response};

use crate::{connections::Peer, layers::hold};

/// A connection with a call under way is used until the call's answer is gone.
pub(crate) async fn used(request: Request, next: Next) -> Response {
    let call = request.extensions().get::<Peer>().and_then(Peer::begin_call);
    match call {
        Some(call) => hold(next.run(request).await, call),
        None => next.run(request).await,
    }
}
