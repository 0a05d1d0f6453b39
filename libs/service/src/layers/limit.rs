//! Load shedding: beyond a number of calls in flight, further ones are refused at once instead of queueing.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tokio::sync::Semaphore;
use tonic::Code;

use insights_access::is_rpc;

use crate::{layers::hold, status::with_retry};

/// Limits of calls in flight. Pages are counted apart, because callers without a token may request them and read them slowly.
pub(crate) struct Slots {
    calls: Arc<Semaphore>,
    pages: Arc<Semaphore>,
}

impl Slots {
    pub(crate) fn new(at_once: usize) -> Arc<Self> {
        let slots = || Arc::new(Semaphore::new(at_once));
        Arc::new(Self { calls: slots(), pages: slots() })
    }
}

pub(crate) async fn limit(State(slots): State<Arc<Slots>>, request: Request, next: Next) -> Response {
    // Probes are answered however busy the process is, or the platform would end a busy process.
    if request.uri().path().starts_with("/grpc.health.v1.Health/") {
        return next.run(request).await;
    }
    let rpc = is_rpc(request.uri().path(), request.headers());
    let slots = if rpc { &slots.calls } else { &slots.pages };
    match Arc::clone(slots).try_acquire_owned() {
        Ok(slot) => hold(next.run(request).await, slot),
        Err(_) => {
            tracing::debug!(monotonic_counter.calls_shed = 1_u64, "call shed");
            let retry = Some(Duration::from_millis(200));
            with_retry(Code::ResourceExhausted, "The service is busy.", "BUSY", retry).into_http()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http, middleware::from_fn_with_state, routing::any};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn pages_that_nobody_reads_take_no_call_its_place() {
        let routes =
            Router::new().route("/", any(|| async { "a page" })).route("/a.Service/Call", any(|| async { "" }));
        let server = routes.layer(from_fn_with_state(Slots::new(2), limit));
        let ask = |path: &str, kind: &str| {
            let request = http::Request::post(path).header("content-type", kind).body(Body::empty()).unwrap();
            server.clone().oneshot(request)
        };
        // Held, and not read.
        let _pages = [ask("/", "text/html").await.unwrap(), ask("/", "text/html").await.unwrap()];
        let busy = |answer: &Response| answer.headers().get("grpc-status").is_some_and(|status| status == "8");
        assert!(busy(&ask("/", "text/html").await.unwrap()));
        let calls = [
            ask("/a.Service/Call", "application/grpc").await.unwrap(),
            ask("/a.Service/Call", "application/grpc-web").await.unwrap(),
        ];
        assert!(!calls.iter().any(busy));
        assert!(busy(&ask("/a.Service/Call", "application/grpc").await.unwrap()));
    }
}
