//! Channel to a service that runs elsewhere, in any number of replicas: calls are spread over all its addresses, and a call that one
//! replica cannot answer is tried on another if the method is idempotent.

mod config;
mod endpoints;
mod methods;

use std::{
    collections::HashSet,
    fmt,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use tonic::{Code, Status, body::Body, transport::Channel};
use tower::{Service, ServiceExt};
use tracing::{Instrument, Span, field::Empty};

pub use config::ChannelConfig;
pub use endpoints::Resolve;
pub(crate) use methods::is_known;

use self::{
    endpoints::{Endpoints, Replica, ReplicaSlot},
    methods::{Repeatable, again},
};
use crate::{
    deadline,
    error::error_chain,
    settings::Validate,
    status::{plain, with_retry},
    trace_context,
};

/// Wait before the second attempt, with a jitter of a fifth. The operator's guide recommends the same to every client. How many
/// attempts there are is configured.
pub const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// Longest wait between two attempts.
pub const LONGEST_BACKOFF: Duration = Duration::from_secs(2);
/// After this time a call is tried only on replicas that were not tried yet, so that waits do not add up along a chain of services.
pub const LAST_ATTEMPT_AFTER: Duration = Duration::from_secs(5);
/// An attempt that is cancelled without an answer after this time counts as failed.
const LONG_SILENCE: Duration = Duration::from_secs(5);
/// The retry budget. Half as many failures in a row end all retries, so that a service that comes back is not overloaded by them.
pub const MOST_FAILURES: i64 = 1000;

/// A channel to a service. Cheap to clone.
#[derive(Clone)]
pub struct ServiceChannel(Transport);

#[derive(Clone)]
enum Transport {
    /// In memory, or whatever the channel does.
    Channel(Channel),
    Replicas(Arc<Replicas>),
}

struct Replicas {
    endpoints: Arc<Endpoints>,
    attempts: u32,
    /// What is left of the retry budget.
    credit: AtomicI64,
}

/// Why a channel cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// What was given is not a list of URLs.
    #[error("\"{0}\" is not an http:// or https:// URL")]
    Url(String),
    /// The configuration has faults.
    #[error("{0}: {1}")]
    Config(String, String),
}

impl From<Channel> for ServiceChannel {
    fn from(channel: Channel) -> Self {
        Self(Transport::Channel(channel))
    }
}

impl fmt::Debug for ServiceChannel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ServiceChannel")
    }
}

impl ServiceChannel {
    /// The way to the replicas at these URLs, separated by commas; each may be a name with many addresses. Nothing is
    /// connected yet. Must be called within a tokio runtime.
    pub fn open(urls: &str, config: &ChannelConfig) -> Result<Self, ChannelError> {
        let resolve: Resolve =
            Arc::new(|host, port| Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) }));
        Self::open_resolving(urls, config, resolve)
    }

    /// The same with other means to look names up.
    pub fn open_resolving(urls: &str, config: &ChannelConfig, resolve: Resolve) -> Result<Self, ChannelError> {
        if let Some((setting, fault)) = config.faults().into_iter().next() {
            return Err(ChannelError::Config(setting, fault));
        }
        let parse = |url: &str| {
            let uri: Option<Uri> = url.trim().parse().ok();
            uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
                .ok_or_else(|| ChannelError::Url(url.to_owned()))
        };
        let urls: Vec<Uri> = urls.split(',').map(parse).collect::<Result<_, _>>()?;
        if urls.iter().any(|uri| uri.scheme_str() == Some("https")) {
            config.tls("localhost").map_err(|error| ChannelError::Config("TLS".to_owned(), error))?;
        }
        let endpoints = Endpoints::new(urls, config.clone(), resolve);
        let replicas = Replicas { endpoints, attempts: config.attempts.max(1), credit: AtomicI64::new(MOST_FAILURES) };
        Ok(Self(Transport::Replicas(Arc::new(replicas))))
    }

    /// The same channel for callers that repeat calls themselves: each call is attempted once.
    #[must_use]
    pub fn without_retries(&self) -> Self {
        match &self.0 {
            Transport::Channel(channel) => Self(Transport::Channel(channel.clone())),
            Transport::Replicas(replicas) => {
                let endpoints = Arc::clone(&replicas.endpoints);
                let credit = AtomicI64::new(MOST_FAILURES);
                Self(Transport::Replicas(Arc::new(Replicas { endpoints, attempts: 1, credit })))
            }
        }
    }

    /// Waits until a replica answers, for as long as calls are tried; the error's source says why none does.
    pub async fn ready(&self) -> Result<(), Status> {
        let request = probe()?.map(Body::new);
        self.clone().oneshot(request).await.map(drop)
    }
}

impl Service<Request<Body>> for ServiceChannel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        // Each call waits for its own replica.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let name = request.uri().path().trim_start_matches('/').to_owned();
        let span = tracing::info_span!(
            "call of a service",
            otel.name = name,
            otel.kind = "client",
            otel.status_code = Empty,
            rpc.system = "grpc",
            rpc.method = name,
        );
        trace_context::pass_on(&span, request.headers_mut());
        let called = self.begin(request);
        Box::pin(
            async move {
                let answer = called.await;
                if answer.is_err() {
                    Span::current().record("otel.status_code", "ERROR");
                }
                answer
            }
            .instrument(span),
        )
    }
}

impl ServiceChannel {
    fn begin(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, Status>> {
        match &self.0 {
            Transport::Channel(channel) => {
                let channel = channel.clone();
                Box::pin(
                    async move { channel.oneshot(request).await.map_err(|error| Status::from_error(error.into())) },
                )
            }
            Transport::Replicas(replicas) => {
                let replicas = Arc::clone(replicas);
                Box::pin(async move { replicas.call(request).await })
            }
        }
    }
}

/// What came of one attempt.
enum AttemptOutcome {
    /// An answer, good or bad, that the caller gets.
    Answer(Response<Body>),
    /// The replica answered that it cannot do it now.
    Unavailable(Response<Body>),
    /// Nobody answered; why.
    Nobody(String),
}

const HEALTH: &str = "/grpc.health.v1.Health/Check";

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

impl Replicas {
    async fn call(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let deadline = deadline::asked(request.headers()).and_then(|time| Instant::now().checked_add(time));
        let tries = self.tries(request, deadline);
        match deadline {
            None => tries.await,
            Some(deadline) => tokio::time::timeout_at(deadline.into(), tries).await.unwrap_or_else(|_| Err(too_late())),
        }
    }

    async fn tries(&self, request: Request<Body>, deadline: Option<Instant>) -> Result<Response<Body>, Status> {
        self.endpoints.looked_up().await.map_err(|error| {
            self.endpoints.want();
            away(error)
        })?;
        let again = again(request.uri().path());
        if again == Repeatable::No {
            return self.once(request).await;
        }
        let (parts, body) = request.into_parts();
        // One message, which the caller has in memory anyway.
        let body = body.collect().await?.to_bytes();
        let (mut tried, mut pause, mut attempt) = (HashSet::new(), FIRST_BACKOFF, 0);
        let late = Instant::now() + LAST_ATTEMPT_AFTER;
        loop {
            attempt += 1;
            let slot = self.endpoints.pick(&tried).ok_or_else(nobody_known)?;
            let mut parts = parts.clone();
            if let Some(deadline) = deadline {
                parts.headers.insert(GRPC_TIMEOUT, timeout(deadline));
            }
            tried.insert(slot.0.address);
            let outcome = attempt_on(slot, Request::from_parts(parts, Full::new(body.clone())), again).await;
            let last = !self.may_repeat(&outcome)
                || attempt >= self.attempts
                || (Instant::now() > late && !self.endpoints.another(&tried));
            match outcome {
                AttemptOutcome::Answer(response) => return Ok(response),
                AttemptOutcome::Unavailable(response) if last => return Ok(response),
                AttemptOutcome::Nobody(cause) if last => return Err(away(cause)),
                AttemptOutcome::Unavailable(_) | AttemptOutcome::Nobody(_) => {}
            }
            self.back_off(&mut tried, &mut pause).await;
        }
    }

    /// A call that cannot be repeated once it began, begun on a replica that just answered.
    async fn once(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let (mut tried, mut pause) = (HashSet::new(), FIRST_BACKOFF);
        for _ in 0..self.attempts {
            let slot = self.endpoints.pick(&tried).ok_or_else(nobody_known)?;
            tried.insert(slot.0.address);
            let mut channel = slot.0.channel.clone();
            let probe = attempt_on(slot, probe()?, Repeatable::Whole).await;
            if matches!(&probe, AttemptOutcome::Answer(_)) {
                return channel.ready().await.map_err(broken)?.call(request).await.map_err(broken);
            }
            self.may_repeat(&probe);
            self.back_off(&mut tried, &mut pause).await;
        }
        Err(away("no replica answers"))
    }

    /// Another replica may be asked at once; one that was asked before needs time.
    async fn back_off(&self, tried: &mut HashSet<SocketAddr>, pause: &mut Duration) {
        if !self.endpoints.another(tried) {
            self.endpoints.want();
            tried.clear();
            tokio::time::sleep(spread(*pause)).await;
            *pause = (*pause * 2).min(LONGEST_BACKOFF);
        }
    }

    /// Counts what failed and what did not; says whether a second try is allowed.
    fn may_repeat(&self, outcome: &AttemptOutcome) -> bool {
        let change = if matches!(outcome, AttemptOutcome::Answer(_)) { 1 } else { -1 };
        let next = |credit: i64| Some((credit + change).clamp(0, MOST_FAILURES));
        let before = self.credit.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_default();
        before + change > MOST_FAILURES / 2
    }
}

/// An attempt that has no answer yet. When it is given up after so long, its replica rests as one that failed: callers with
/// deadlines would otherwise find the same silence again and again.
struct Silence {
    replica: Arc<Replica>,
    since: Instant,
    over: bool,
}

impl Drop for Silence {
    fn drop(&mut self) {
        if !self.over && self.since.elapsed() >= LONG_SILENCE {
            self.replica.failed();
        }
    }
}

/// Asks one replica.
async fn attempt_on(slot: ReplicaSlot, request: Request<Full<Bytes>>, again: Repeatable) -> AttemptOutcome {
    let replica = Arc::clone(&slot.0);
    let mut silence = Silence { replica: Arc::clone(&replica), since: Instant::now(), over: false };
    let nobody = |error: &dyn std::error::Error| {
        tracing::debug!(monotonic_counter.link_failures = 1_u64, %error, address = %replica.address, "a replica did not answer");
        replica.failed();
        AttemptOutcome::Nobody(error_chain(error))
    };
    let answered = replica.channel.clone().oneshot(request.map(Body::new)).await;
    silence.over = true;
    let response = match answered {
        Ok(response) => response,
        Err(error) => return nobody(&error),
    };
    let (parts, body) = response.into_parts();
    if again == Repeatable::Begin {
        let unavailable = is_unavailable(&parts.headers);
        // Counted as running until its stream ends.
        let body = Body::new(body.map_frame(move |frame| {
            let _ = &slot;
            frame
        }));
        return outcome(&replica, unavailable, Response::from_parts(parts, body));
    }
    // Whole: an answer that breaks off can be asked for again.
    match body.collect().await {
        Ok(body) => {
            let unavailable = is_unavailable(&parts.headers) || body.trailers().is_some_and(is_unavailable);
            outcome(&replica, unavailable, Response::from_parts(parts, Body::new(body)))
        }
        Err(error) => nobody(&error),
    }
}

fn outcome(replica: &Replica, unavailable: bool, response: Response<Body>) -> AttemptOutcome {
    replica.well();
    if unavailable { AttemptOutcome::Unavailable(response) } else { AttemptOutcome::Answer(response) }
}

fn is_unavailable(headers: &HeaderMap) -> bool {
    headers.get("grpc-status").is_some_and(|code| code.as_bytes() == b"14")
}

/// A health check.
fn probe() -> Result<Request<Full<Bytes>>, Status> {
    Request::builder()
        .method("POST")
        .uri(HEALTH)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        // One empty message.
        .body(Full::new(Bytes::from_static(&[0; 5])))
        .map_err(|error| Status::internal(error.to_string()))
}

fn spread(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.8..1.2))
}

fn timeout(deadline: Instant) -> HeaderValue {
    let left = deadline.saturating_duration_since(Instant::now()).as_millis().clamp(1, 99_999_999);
    // Digits and a letter are a header's value.
    HeaderValue::from_str(&format!("{left}m")).unwrap_or_else(|_| HeaderValue::from_static("1m"))
}

/// The status that callers get. Its cause stays on this side.
fn away(cause: impl Into<String>) -> Status {
    let retry = Some(Duration::from_secs(1));
    let mut status = with_retry(Code::Unavailable, "A part of the service is away.", "UNAVAILABLE", retry);
    status.set_source(Arc::new(std::io::Error::other(cause.into())));
    status
}

fn nobody_known() -> Status {
    away("no address is known")
}

fn broken(error: tonic::transport::Error) -> Status {
    away(error_chain(&error))
}

fn too_late() -> Status {
    plain(Code::DeadlineExceeded, "The call took longer than its deadline allows.", "DEADLINE_EXCEEDED")
}
