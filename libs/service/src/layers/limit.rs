//! Load shedding: beyond a number of calls in flight, further ones are refused at once instead of queueing. What needs no token, or no
//! role, has small pools of its own, so that it takes no call its place.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use insights_access::{is_reflection, is_rpc};
use tonic::Code;

use crate::{
    ServerConfig,
    connections::Peer,
    fail_point,
    layers::{
        hold,
        places::{Place, PlacePool},
    },
    status::with_retry,
};

/// The pools of places.
pub(crate) struct Pools {
    /// Calls until their token is verified; then they are counted by partner and subject.
    calls: Arc<PlacePool>,
    pages: Arc<PlacePool>,
    downloads: Arc<PlacePool>,
    watches: Arc<PlacePool>,
    reflection: Arc<PlacePool>,
}

/// Calls at once whose token is being verified.
const UNVERIFIED: usize = 1024;

/// The place of a call that is not yet known to be anybody's; an extension of the request.
#[derive(Clone)]
pub(crate) struct Unverified(#[expect(dead_code, reason = "held")] Arc<Place>);

impl Pools {
    pub(crate) fn new(config: &ServerConfig) -> Arc<Self> {
        Arc::new(Self {
            calls: PlacePool::new(UNVERIFIED),
            pages: PlacePool::new(config.shares.pages),
            downloads: PlacePool::new(config.shares.downloads),
            watches: PlacePool::new(config.shares.watches),
            reflection: PlacePool::new(config.shares.reflection),
        })
    }
}

pub(crate) async fn limit(State(pools): State<Arc<Pools>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let rpc = is_rpc(path, request.headers());
    let pool = match path {
        "/grpc.health.v1.Health/Watch" => &pools.watches,
        // Probes are answered however busy the process is, or the platform would end a busy process.
        _ if path.starts_with("/grpc.health.v1.Health/") => return next.run(request).await,
        _ if is_reflection(path) => &pools.reflection,
        _ if rpc => &pools.calls,
        _ if path.starts_with("/exports/") => &pools.downloads,
        _ => &pools.pages,
    };
    let Some(place) = pool.take(request.extensions().get::<Peer>()) else {
        tracing::debug!(monotonic_counter.calls_shed = 1_u64, "call shed");
        return busy(rpc);
    };
    if Arc::ptr_eq(pool, &pools.calls) {
        request.extensions_mut().insert(Unverified(Arc::new(place)));
        return next.run(request).await;
    }
    hold(next.run(request).await, place)
}

/// A refusal in the words of who asks: to a browser, or whatever loads a file, a status of gRPC would be a success.
fn busy(rpc: bool) -> Response {
    if rpc || !fail_point::guard_holds("service.page_status") {
        let retry = Some(Duration::from_millis(200));
        return with_retry(Code::ResourceExhausted, "The service is busy.", "BUSY", retry).into_http();
    }
    let later = [(header::RETRY_AFTER, "1"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::SERVICE_UNAVAILABLE, later, "The service is busy.\n").into_response()
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http, middleware::from_fn_with_state, routing::any};
    use tower::ServiceExt;

    use super::*;
    use crate::ShareLimits;

    #[tokio::test]
    async fn pages_that_nobody_reads_take_no_call_its_place() {
        let routes =
            Router::new().route("/", any(|| async { "a page" })).route("/a.Service/Call", any(|| async { "" }));
        let shares = ShareLimits { pages: 2, ..ShareLimits::default() };
        let pools = Pools::new(&ServerConfig { shares, ..ServerConfig::default() });
        let server = routes.layer(from_fn_with_state(pools, limit));
        let ask = |path: &str, kind: &str| {
            let request = http::Request::post(path).header("content-type", kind).body(Body::empty()).unwrap();
            server.clone().oneshot(request)
        };
        // Held, and not read.
        let _pages = [ask("/", "text/html").await.unwrap(), ask("/", "text/html").await.unwrap()];
        let refused = ask("/", "text/html").await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "and no success without a page");
        assert_eq!(refused.headers()["retry-after"], "1");
        for kind in ["application/grpc", "application/grpc-web"] {
            assert!(ask("/a.Service/Call", kind).await.unwrap().headers().get("grpc-status").is_none(), "{kind}");
        }
    }
}
