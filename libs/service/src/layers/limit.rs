//! Sheds load: beyond so many calls at once, the next is refused at once instead of waiting with all the others.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tokio::sync::Semaphore;
use tonic::Code;

use crate::{layers::hold, status::with_retry};

pub(crate) async fn limit(State(slots): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    // Probes are answered however busy the process is, or the platform would end a busy process.
    if request.uri().path().starts_with("/grpc.health.v1.Health/") {
        return next.run(request).await;
    }
    match slots.try_acquire_owned() {
        Ok(slot) => hold(next.run(request).await, slot),
        Err(_) => {
            tracing::debug!(monotonic_counter.calls_shed = 1_u64, "call shed");
            let retry = Some(Duration::from_millis(200));
            with_retry(Code::ResourceExhausted, "The service is busy.", "BUSY", retry).into_http()
        }
    }
}
