//! The layer every call passes before anything decodes it. Default deny.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, Request, Response, header};
use tonic::Status;
use tower::{Layer, Service};

use crate::{
    CALLER_HEADER, Demand, Identity, Policy, Principal, Refusal, Verifier,
    denial::{forbidden, keys_unavailable, unauthenticated, unknown_method},
    request::{OnBehalf, expires},
};

/// Wraps a service so that only calls the policy allows reach it. What is no RPC (pages, assets) passes: see [`is_rpc`].
#[derive(Clone)]
pub struct AccessLayer {
    guard: Arc<Guard>,
}

/// A call that was not let through.
#[derive(Clone, Debug)]
pub struct Denial {
    /// The path called.
    pub rpc: String,
    /// Who called, where that was established.
    pub caller: Option<Arc<Principal>>,
    /// Why a token was refused; `None`: the token is good and the roles do not suffice.
    pub refusal: Option<Refusal>,
}

/// Called with every denial; the call is answered when the future has ended. The audit is one.
pub type DenialObserver = Arc<dyn Fn(Denial) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

struct Guard {
    verifier: Arc<Verifier>,
    policy: Arc<Policy>,
    observer: Option<DenialObserver>,
}

impl AccessLayer {
    /// A layer with this verifier of tokens and this policy.
    #[must_use]
    pub fn new(verifier: Arc<Verifier>, policy: Arc<Policy>) -> Self {
        Self { guard: Arc::new(Guard { verifier, policy, observer: None }) }
    }

    /// The layer with an observer of denials.
    #[must_use]
    pub fn observed_by(self, observer: DenialObserver) -> Self {
        let guard = &self.guard;
        let (verifier, policy) = (Arc::clone(&guard.verifier), Arc::clone(&guard.policy));
        Self { guard: Arc::new(Guard { verifier, policy, observer: Some(observer) }) }
    }

    /// The policy applied.
    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.guard.policy
    }

    /// How long the token that a call was made with is still good; `None` where there is none.
    #[must_use]
    pub fn time_left(&self, extensions: &http::Extensions) -> Option<Duration> {
        expires(extensions).map(|end| self.guard.verifier.time_left(end))
    }

    /// The verifier asked.
    #[must_use]
    pub fn verifier(&self) -> &Arc<Verifier> {
        &self.guard.verifier
    }
}

impl<S> Layer<S> for AccessLayer {
    type Service = Access<S>;

    fn layer(&self, inner: S) -> Access<S> {
        Access { inner, guard: Arc::clone(&self.guard) }
    }
}

/// The service [`AccessLayer`] makes.
#[derive(Clone)]
pub struct Access<S> {
    inner: S,
    guard: Arc<Guard>,
}

impl<S, B, R> Service<Request<B>> for Access<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let guard = Arc::clone(&self.guard);
        Box::pin(async move {
            if !is_rpc(request.uri().path(), request.headers()) {
                return inner.call(request).await;
            }
            let (mut parts, body) = request.into_parts();
            match guard.admit(&mut parts).await {
                Ok(()) => {
                    request = Request::from_parts(parts, body);
                    inner.call(request).await
                }
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}

/// Whether a request is a call: by content type, or because its path is `/dotted.Service/Method`, so that nothing served by
/// a page's router can stand where a method would.
#[must_use]
pub fn is_rpc(path: &str, headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
    let mut segments = path.trim_start_matches('/').split('/');
    let dotted = segments.next().is_some_and(|service| service.contains('.')) && segments.next().is_some();
    content_type.to_ascii_lowercase().starts_with(b"application/grpc") || dotted
}

/// Whether a method is for everybody: probes of the platform carry no token, and the answer says only whether the process serves.
#[must_use]
pub fn is_open(path: &str) -> bool {
    matches!(path, "/grpc.health.v1.Health/Check" | "/grpc.health.v1.Health/Watch" | "/grpc.health.v1.Health/List")
}

/// Whether a method describes the API, to whoever has a token.
#[must_use]
pub fn is_reflection(path: &str) -> bool {
    matches!(
        path,
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
            | "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    )
}

impl Guard {
    async fn admit(&self, parts: &mut http::request::Parts) -> Result<(), Status> {
        let path = parts.uri.path().to_owned();
        if is_open(&path) {
            return Ok(());
        }
        let (demand, whole_partner) = match self.policy.method(&path) {
            Some(method) => (Some(method.demand), method.whole_partner),
            None if is_reflection(&path) => (None, false),
            None => return Err(unknown_method()),
        };
        let identity = match bearer(&parts.headers) {
            Ok(token) => self.verifier.identify(token).await,
            Err(refusal) => Err(refusal),
        };
        let identity = match identity {
            Ok(identity) => identity,
            Err(refusal) => return Err(self.refuse(&path, None, Some(refusal)).await),
        };
        match (demand, identity) {
            // Whoever has a token; on whose account it goes is known all the same.
            (None, Identity::Person(person)) => drop(parts.extensions.insert(person)),
            (None, Identity::Service(service)) => drop(parts.extensions.insert(service)),
            (Some(Demand::Roles(roles) | Demand::ByMeasure(roles)), Identity::Person(person)) => {
                if !roles.intersects(person.roles()) || whole_partner && person.locations().is_some() {
                    return Err(self.refuse(&path, Some(person), None).await);
                }
                parts.extensions.insert(person);
            }
            (Some(Demand::Services), Identity::Service(service)) => {
                if let Some(caller) = self.named_caller(&path, &parts.headers).await? {
                    parts.extensions.insert(OnBehalf(caller));
                }
                parts.extensions.insert(service);
            }
            (Some(_), Identity::Person(person)) => return Err(self.refuse(&path, Some(person), None).await),
            (Some(_), Identity::Service(_)) => return Err(self.refuse(&path, None, None).await),
        }
        Ok(())
    }

    /// The person a service says it acts for. What the service believed is not enough: the token is verified again.
    async fn named_caller(&self, path: &str, headers: &HeaderMap) -> Result<Option<Arc<Principal>>, Status> {
        let mut values = headers.get_all(CALLER_HEADER).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let verified = match (value.to_str(), values.next()) {
            (Ok(token), None) => self.verifier.person(token).await,
            _ => Err(Refusal::Missing),
        };
        match verified {
            Ok(caller) => Ok(Some(caller)),
            Err(refusal) => Err(self.refuse(path, None, Some(refusal)).await),
        }
    }

    async fn refuse(&self, rpc: &str, caller: Option<Arc<Principal>>, refusal: Option<Refusal>) -> Status {
        let status = match refusal {
            None => forbidden(),
            Some(Refusal::KeysUnavailable) => keys_unavailable(),
            Some(_) => unauthenticated(),
        };
        let subject = caller.as_ref().map(|caller| caller.subject().to_owned());
        let reason = refusal.map_or_else(|| "role missing".to_owned(), |refusal| refusal.to_string());
        // Counted apart from what is logged, because fields of a counted event become labels, which must not name a person.
        tracing::debug!(monotonic_counter.access_denied = 1_u64, rpc, reason, code = ?status.code(), "denial counted");
        tracing::info!(rpc, reason, subject, code = ?status.code(), "call denied");
        if let Some(observer) = &self.observer {
            observer(Denial { rpc: rpc.to_owned(), caller, refusal }).await;
        }
        status
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Refusal::Missing) };
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Refusal::Missing)?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).ok_or(Refusal::Missing)
}
