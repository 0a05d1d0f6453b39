//! A server with one small method behind the product's own chassis, for what concerns every service alike.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::until;
use axum::Router;
use insights_access::{AccessLayer, Clock, Issuer, Policy, Role, TokenRequest, Verifier, principal};
use insights_proto::access::v1::{
    WhoAmIRequest, WhoAmIResponse,
    access_service_server::{AccessService, AccessServiceServer},
};
use insights_service::{Chassis, MessageLimits, NamedRoutes, ServeError, ServerConfig, sized};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, transport::Channel};

use crate::wire::Wire;

/// The path of the one method.
pub const PATH: &str = "/insights.access.v1.AccessService/WhoAmI";

/// What the method does; the test's hand in it.
#[derive(Clone)]
pub struct Small {
    /// Calls in the handler now.
    pub running: Arc<AtomicUsize>,
    /// Calls that left the handler, also by being dropped.
    pub left: Arc<AtomicUsize>,
    /// Each call takes a permit before it answers; closed: no waiting.
    pub gate: Arc<Semaphore>,
    /// What it answers instead of the caller.
    pub answer: Arc<Mutex<Option<Result<String, Status>>>>,
}

impl Default for Small {
    fn default() -> Self {
        let gate = Arc::new(Semaphore::new(0));
        gate.close();
        Self { running: Arc::default(), left: Arc::default(), gate, answer: Arc::default() }
    }
}

struct Inside(Small);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.left.fetch_add(1, Ordering::SeqCst);
    }
}

#[tonic::async_trait]
impl AccessService for Small {
    async fn who_am_i(&self, request: Request<WhoAmIRequest>) -> Result<Response<WhoAmIResponse>, Status> {
        self.running.fetch_add(1, Ordering::SeqCst);
        let _inside = Inside(self.clone());
        let caller = principal(&request)?;
        if let Ok(permit) = self.gate.acquire().await {
            permit.forget();
        }
        let said = self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let subject = said.unwrap_or_else(|| Ok(caller.subject().to_owned()))?;
        Ok(Response::new(WhoAmIResponse { subject, ..WhoAmIResponse::default() }))
    }
}

impl Small {
    /// A service whose calls wait for permits.
    #[must_use]
    pub fn gated() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)), ..Self::default() }
    }

    /// As routes with these sizes.
    #[must_use]
    pub fn routes(&self, limits: &MessageLimits) -> NamedRoutes {
        NamedRoutes::new(sized!(AccessServiceServer::new(self.clone()), limits))
    }

    /// Waits until so many calls are in the handler.
    pub async fn wait_running(&self, count: usize) {
        until("calls in the handler", async || self.running.load(Ordering::SeqCst) == count).await;
    }
}

/// A running server.
pub struct SmallServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// Calls to it.
    pub wire: Wire,
    /// Its tokens.
    pub issuer: Arc<Issuer>,
    /// Ends it.
    pub shutdown: CancellationToken,
    /// Ends when it ended.
    pub ended: JoinHandle<Result<(), ServeError>>,
    /// The same service in memory.
    pub in_process: Channel,
    _folder: TempDir,
}

impl SmallServer {
    /// Starts the service with these limits.
    pub async fn start(small: &Small, config: ServerConfig) -> Self {
        Self::start_under(small, config, Policy::product().expect("a policy")).await
    }

    /// The same under another policy than the product's.
    pub async fn start_under(small: &Small, config: ServerConfig, policy: Policy) -> Self {
        insights_service::install_crypto();
        let folder = tempfile::tempdir().expect("a folder");
        let issuer = Arc::new(Issuer::open(folder.path()).expect("an issuer"));
        let verifier = Verifier::new(issuer.access_config(), Clock::system()).expect("a verifier");
        let access = AccessLayer::new(Arc::new(verifier), Arc::new(policy));
        let shutdown = CancellationToken::new();
        let chassis = Chassis::new(config.clone(), access, shutdown.clone()).expect("a chassis");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let in_process = chassis.in_process(vec![small.routes(&config.messages)]);
        let pages = Router::new()
            .route("/", axum::routing::get(|| async { "the page" }))
            .fallback(|| async { (http::StatusCode::NOT_FOUND, "no such page") });
        let ended = tokio::spawn(chassis.serve(listener, vec![small.routes(&config.messages)], pages));
        Self { address, wire: Wire::to(address), issuer, shutdown, ended, in_process, _folder: folder }
    }

    /// A token of a report viewer of the partner.
    #[must_use]
    pub fn token(&self, partner: &str) -> String {
        let request =
            TokenRequest { roles: vec![Role::ReportViewer], partner: partner.into(), ..TokenRequest::default() };
        self.issuer.mint(&request).expect("a token")
    }
}
