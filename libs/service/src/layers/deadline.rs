//! Ends a call when its time is over. Dropping the handler cancels what it waits for, down to the database.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use insights_access::{Policy, is_reflection, is_rpc};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::{
    deadline::{Deadline, EndingBody, asked},
    status::{plain, with_retry},
};

pub(crate) struct Deadlines {
    pub(crate) policy: Arc<Policy>,
    pub(crate) unary: Duration,
    pub(crate) drain: Duration,
    /// The port closes: before that, a replica that was told to end is as good as any other.
    pub(crate) closing: CancellationToken,
}

/// tonic cuts calls off by the same header, without our details: ours comes a fifth of the time earlier, and no more than this.
const HEAD_START: Duration = Duration::from_millis(50);

/// A watch of health is begun anew after this time: an old connection that was asked to go waits for it.
const WATCH: Duration = Duration::from_secs(3600);

pub(crate) async fn deadline(State(limits): State<Arc<Deadlines>>, mut request: Request, next: Next) -> Response {
    if !is_rpc(request.uri().path(), request.headers()) {
        return next.run(request).await;
    }
    let method = limits.policy.method(request.uri().path());
    let streaming = method.is_none_or(|method| method.streaming);
    let read_only = method.is_none_or(|method| method.read_only);
    let asked = asked(request.headers()).map(|asked| asked.saturating_sub(HEAD_START.min(asked / 5)));
    let most = match request.uri().path() {
        "/grpc.health.v1.Health/Watch" => Some(WATCH),
        path if is_reflection(path) => Some(limits.unary),
        _ => (!streaming).then_some(limits.unary),
    };
    let allowed = asked.into_iter().chain(most).min();
    let until = allowed.and_then(|allowed| Instant::now().checked_add(allowed));
    if let Some(until) = until {
        request.extensions_mut().insert(Deadline(until));
    }
    let over = sleep_until(until);
    let response = tokio::select! {
        response = next.run(request) => response,
        () = over => return too_late().into_http(),
    };
    if !streaming {
        return response;
    }
    let limits = Arc::clone(&limits);
    response.map(|body| {
        EndingBody::wrap(body, async move {
            tokio::select! {
                () = sleep_until(until) => too_late(),
                status = stopped(&limits, read_only) => status,
            }
        })
    })
}

/// Streams have no end of their own. When the port closes those that only read end at once, so that their readers go to another
/// replica; those that write may finish until the time to drain is over.
async fn stopped(limits: &Deadlines, read_only: bool) -> Status {
    limits.closing.cancelled().await;
    if !read_only {
        tokio::time::sleep(limits.drain).await;
    }
    with_retry(Code::Unavailable, "This replica is shutting down.", "SHUTTING_DOWN", Some(Duration::from_millis(100)))
}

async fn sleep_until(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until.into()).await,
        None => std::future::pending().await,
    }
}

fn too_late() -> Status {
    plain(Code::DeadlineExceeded, "The call took longer than its deadline allows.", "DEADLINE_EXCEEDED")
}
