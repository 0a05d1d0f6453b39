//! A server that believes one issuer, whose keys and clock the test holds.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use axum::{Router, http::StatusCode, routing::get};
use chrono::DateTime;
use insights_access::{AccessConfig, AccessLayer, Clock, Policy, Trust, Verifier};
use insights_service::{Chassis, ServerConfig};
use insights_testkit::{
    keys::Key,
    wire::{Answer, Wire},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Code;

pub const NOW: i64 = 1_800_000_000;
pub const WHO_AM_I: &str = "/insights.access.v1.AccessService/WhoAmI";
pub const BATCH_QUERY: &str = "/insights.metrics.v1.MetricsService/BatchQuery";

/// The issuer as the server sees it: a JWKS that can change, fail, and count.
#[derive(Clone, Default)]
pub struct Issuer {
    pub jwks: Arc<Mutex<String>>,
    pub down: Arc<Mutex<bool>>,
    pub asked: Arc<AtomicU64>,
    /// Its answers wait while a test holds this.
    pub held: Arc<tokio::sync::Mutex<()>>,
    /// It answers only who shows this token.
    pub wanted: Arc<Mutex<Option<String>>>,
}

impl Issuer {
    pub fn publish(&self, keys: &[&Key]) {
        let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        *self.jwks.lock().unwrap() = json!({ "keys": keys }).to_string();
    }

    async fn serve(&self) -> String {
        let issuer = self.clone();
        let answer = move |headers: axum::http::HeaderMap| {
            let issuer = issuer.clone();
            async move {
                issuer.asked.fetch_add(1, Ordering::SeqCst);
                drop(issuer.held.lock().await);
                let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
                let wanted = issuer.wanted.lock().unwrap().clone().map(|token| format!("Bearer {token}"));
                if wanted.is_some() && wanted.as_deref() != shown {
                    return Err(StatusCode::FORBIDDEN);
                }
                if *issuer.down.lock().unwrap() {
                    return Err(StatusCode::SERVICE_UNAVAILABLE);
                }
                Ok(issuer.jwks.lock().unwrap().clone())
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/jwks", get(answer))).await });
        format!("http://{address}/jwks")
    }
}

pub struct Server {
    pub issuer: Issuer,
    pub wire: Wire,
    pub verifier: Arc<Verifier>,
    clock: Arc<AtomicI64>,
    _stop: DropGuard,
}

impl Server {
    pub async fn start(keys: &[&Key]) -> Self {
        Self::start_with(keys, |_| {}).await
    }

    pub async fn start_with(keys: &[&Key], change: impl FnOnce(&mut AccessConfig)) -> Self {
        insights_service::install_crypto();
        let issuer = Issuer::default();
        issuer.publish(keys);
        let trust = Trust { issuer: "https://issuer.test".into(), keys: issuer.serve().await, ..Trust::default() };
        let mut config = AccessConfig::default();
        config.services = Trust {
            audience: config.services.audience,
            token_types: config.services.token_types,
            subjects: vec!["reporting".into()],
            ..trust.clone()
        };
        config.people = trust;
        change(&mut config);
        let clock = Arc::new(AtomicI64::new(NOW));
        let reads = Arc::clone(&clock);
        let now = Clock::new(move || DateTime::from_timestamp(reads.load(Ordering::SeqCst), 0).unwrap());
        let verifier = Arc::new(Verifier::new(config, now).unwrap());
        let access = AccessLayer::new(Arc::clone(&verifier), Arc::new(Policy::product().unwrap()));
        let shutdown = CancellationToken::new();
        let chassis = Chassis::new(ServerConfig::default(), access, shutdown.clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Wire::to(listener.local_addr().unwrap());
        // No routes: what is let through is answered UNIMPLEMENTED.
        tokio::spawn(chassis.serve(listener, Vec::new(), Router::new()));
        Self { issuer, wire, verifier, clock, _stop: shutdown.drop_guard() }
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn fetches(&self) -> u64 {
        self.issuer.asked.load(Ordering::SeqCst)
    }

    pub async fn call(&self, token: &str) -> Answer {
        self.wire.with_token(WHO_AM_I, token).await.unwrap()
    }

    #[track_caller]
    pub fn assert_let_through(answer: &Answer, what: &str) {
        assert_eq!(answer.code(), Code::Unimplemented, "{what} should pass: {answer:?}");
    }

    #[track_caller]
    pub fn assert_refused(answer: &Answer, what: &str) {
        assert_eq!(answer.code(), Code::Unauthenticated, "{what} must be refused: {answer:?}");
        let status = answer.status.as_ref().unwrap();
        assert_eq!(status.message(), insights_access::UNAUTHENTICATED_TEXT, "{what}: one constant text");
        let details = tonic_types::StatusExt::get_error_details(status);
        let info = details.error_info().unwrap();
        assert_eq!((info.domain.as_str(), info.reason.as_str()), ("insights", "TOKEN_INVALID"), "{what}");
    }

    pub async fn passes(&self, what: &str, token: &str) {
        Self::assert_let_through(&self.call(token).await, what);
    }

    pub async fn refuses(&self, what: &str, token: &str) {
        Self::assert_refused(&self.call(token).await, what);
    }
}

/// Claims that are good at NOW.
pub fn good() -> Value {
    json!({
        "iss": "https://issuer.test",
        "aud": "insights",
        "sub": "ada",
        "iat": NOW - 10,
        "nbf": NOW - 10,
        "exp": NOW + 600,
        "partner": "contoso",
        "roles": ["report_viewer"],
    })
}

/// Good claims with some replaced; null removes.
pub fn with(changes: Value) -> Value {
    let mut claims = good();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}
