//! A server: routes of any number of services behind one stack of layers, on a port or in memory.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
};
use insights_access::{AccessLayer, is_rpc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    Code,
    service::Routes,
    transport::{Channel, Server},
};
use tonic_health::pb::health_server::HealthServer;
use tower::ServiceBuilder;

use crate::{
    NamedRoutes, Readiness, ServerConfig, connections,
    decoding::Budget,
    fail_point,
    health::HealthApi,
    in_process,
    layers::{
        deadline::{Deadlines, deadline},
        intake::{Intake, intake},
        limit::{Pools, limit},
        media::media,
        observe::observe,
        quota::{Quotas, quota},
        token_end::token_end,
        unread::{Answers, unread},
        used::used,
        web::WebLayer,
    },
    settings::Validate,
    status::plain,
    tls::TlsConfig,
};

/// What all servers of a process share: limits, access layer and shutdown.
#[derive(Clone)]
pub struct Chassis {
    config: ServerConfig,
    access: AccessLayer,
    shutdown: CancellationToken,
    tls: TlsConfig,
    readiness: Readiness,
}

/// Why a server could not be or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration has faults.
    #[error("{0}")]
    Config(crate::Faults),
    /// The reflection service could not be made of the descriptor set.
    #[error("the descriptor set cannot be served")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The server failed.
    #[error("the server failed")]
    Transport(#[from] tonic::transport::Error),
    /// The certificates cannot be used.
    #[error("TLS: {0}")]
    Tls(std::io::Error),
}

impl Chassis {
    /// A chassis with these limits, this access layer, stopping when `shutdown` is cancelled.
    pub fn new(config: ServerConfig, access: AccessLayer, shutdown: CancellationToken) -> Result<Self, ServeError> {
        let faults: Vec<_> =
            config.faults().into_iter().map(|(setting, what)| crate::Fault { setting, what }).collect();
        if !faults.is_empty() {
            return Err(ServeError::Config(crate::Faults(faults)));
        }
        Ok(Self { config, access, shutdown, tls: TlsConfig::default(), readiness: Readiness::default() })
    }

    /// Speaks TLS on ports, where the configuration names a certificate.
    #[must_use]
    pub fn with_tls(self, tls: TlsConfig) -> Self {
        Self { tls, ..self }
    }

    /// Tells whoever asks for its health what this says; without it, it serves until shutdown.
    #[must_use]
    pub fn with_readiness(self, readiness: Readiness) -> Self {
        Self { readiness, ..self }
    }

    /// The same limits and access for servers that stop when something else is cancelled.
    #[must_use]
    pub fn until(self, shutdown: CancellationToken) -> Self {
        Self { shutdown, ..self }
    }

    /// Serves these services on a channel in memory, behind the same layers as a port. Must be called within a tokio runtime. The
    /// server ends with the last clone of the channel; after shutdown it outlives the calls on ports, which may need it.
    pub fn in_process(&self, services: Vec<NamedRoutes>) -> Channel {
        let (channel, connections) = in_process::pair();
        // No age: there is one process to talk to, and nothing to spread.
        let routes = services.into_iter().map(|services| services.routes).collect();
        let stack = self.stack(routes, Router::new(), self.shutdown.clone(), None, Arc::default());
        let router = self.builder(0).add_routes(stack.into());
        let (shutdown, last) = (self.shutdown.clone(), self.delay() + self.drain());
        tokio::spawn(async move {
            tokio::select! {
                ended = router.serve_with_incoming(connections) => if let Err(error) = ended {
                    tracing::error!(%error, "an in-process server failed");
                },
                () = after(&shutdown, last) => {}
            }
        });
        channel
    }

    /// Serves these services and pages on a port until shutdown, then drains: "not serving" first, then no new connections, then
    /// the calls in flight end or are cut off.
    pub async fn serve(
        self,
        listener: TcpListener,
        services: Vec<NamedRoutes>,
        pages: Router,
    ) -> Result<(), ServeError> {
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(insights_proto::DESCRIPTOR_SET)
        };
        let readiness = self.readiness.clone();
        let names = services.iter().flat_map(|services| services.names.iter().copied());
        let health = HealthServer::new(HealthApi::new(names, readiness.clone()));
        let mut all: Vec<Routes> = services.into_iter().map(|services| services.routes).collect();
        all.push(Routes::new(health).add_service(reflection().build_v1()?).add_service(reflection().build_v1alpha()?));
        let closing = CancellationToken::new();
        let budget = Budget::new(self.config.messages.memory_bytes);
        let answers = Arc::new(Answers::default());
        let _watch = answers.watch(Duration::from_secs(self.config.connections.unread_seconds.into()));
        let stack = self.stack(all, pages, closing.clone(), Some(budget), answers);
        let router = self.builder(self.config.connection_age_seconds).add_routes(stack.into());
        let (delay, last) = (self.delay(), self.delay() + self.drain());
        let shutdown = self.shutdown.clone();
        let stop = async move {
            shutdown.cancelled().await;
            if !fail_point::guard_holds("service.drain") {
                std::process::exit(0);
            }
            readiness.drain();
            tokio::time::sleep(delay).await;
            closing.cancel();
        };
        let incoming = connections::incoming(listener, self.tls, self.config.connections).map_err(ServeError::Tls)?;
        self.readiness.open();
        let served = router.serve_with_incoming_shutdown(incoming, stop);
        tokio::select! {
            ended = served => ended?,
            () = after(&self.shutdown, last) => tracing::warn!("calls were cut off at shutdown"),
        }
        Ok(())
    }

    fn delay(&self) -> Duration {
        Duration::from_secs(self.config.drain_delay_seconds.into())
    }

    /// A little more than calls get, so that streams told to end are heard.
    fn drain(&self) -> Duration {
        Duration::from_secs(self.config.drain_seconds.into()) + Duration::from_secs(1)
    }

    /// The routes behind the layers, top-down; `budget`: the memory for what comes in.
    fn stack(
        &self,
        routes: Vec<Routes>,
        pages: Router,
        closing: CancellationToken,
        budget: Option<Arc<Budget>>,
        answers: Arc<Answers>,
    ) -> Router {
        let mut router = Router::new();
        for routes in routes {
            // Each has a fallback of its own, and only one router's may stay.
            router = router.merge(routes.into_axum_router().reset_fallback());
        }
        let router = router.fallback_service(fallback(pages));
        let pools = Pools::new(&self.config);
        let mut quotas = self.config.clone();
        if budget.is_none() {
            // One call at the port makes several in memory; its subject's share was counted there.
            quotas.shares.per_subject = quotas.in_flight_per_partner;
        }
        let deadlines = Arc::new(Deadlines {
            policy: Arc::clone(self.access.policy()),
            unary: Duration::from_secs(self.config.deadline_seconds.into()),
            drain: Duration::from_secs(self.config.drain_seconds.into()),
            closing,
        });
        let (limits, policy) = (self.config.messages, Arc::clone(self.access.policy()));
        let messages = Arc::new(Intake { limits, policy, budget });
        router.layer(
            ServiceBuilder::new()
                // An answer that nobody takes is dropped with all that the layers below hold for it.
                .layer(from_fn_with_state(answers, unread))
                // A connection with a call under way is used, whatever becomes of the call.
                .layer(from_fn(used))
                // First, so that everything below is counted and traced, refusals included, and every status is normalised.
                .layer(from_fn(observe))
                // Then shed, so that a process under overload spends nothing more on a call than its refusal.
                .layer(from_fn_with_state(pools, limit))
                // What is no gRPC ends here, before its sender could take a refusal for success.
                .layer(from_fn(media))
                // gRPC-Web becomes gRPC here, so that the layers below see one kind of call.
                .layer(WebLayer)
                // The clock runs for all that follows, verifying the token included.
                .layer(from_fn_with_state(deadlines, deadline))
                // Who calls and whether they may, before a byte of the message is read.
                .layer(self.access.clone())
                // A stream is of its caller while the caller's token is good.
                .layer(from_fn_with_state(Arc::new(self.access.clone()), token_end))
                // Only a verified token names a partner, so its share is counted after the access layer.
                .layer(from_fn_with_state(Quotas::new(&quotas), quota))
                // Messages are read for callers who have a place, and weighed before the generated servers decode them.
                .layer(from_fn_with_state(messages, intake)),
        )
    }

    fn builder(&self, connection_age_seconds: u32) -> Server {
        let config = &self.config;
        let server = Server::builder()
            .accept_http1(true)
            .max_concurrent_streams(config.streams_per_connection)
            .http2_max_header_list_size(config.max_header_bytes)
            // A caller that opens and resets streams is cut off (rapid reset).
            .http2_max_pending_accept_reset_streams(Some(20))
            .http2_keepalive_interval(Some(Duration::from_secs(60)))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(4 * STREAM_WINDOW);
        // No grace for connection age: with one, tonic 0.14 skips asking the client to go and cuts the connection.
        match connection_age_seconds {
            0 => server,
            seconds => server.max_connection_age(Duration::from_secs(seconds.into())),
        }
    }
}

/// Bytes that a caller may send before they are read: of a call and, four times as many, of a connection. They are in memory before
/// anything weighs them.
const STREAM_WINDOW: u32 = 256 * 1024;

/// Pages for browsers, UNIMPLEMENTED for calls: a gRPC client must never be answered with a page.
fn fallback(pages: Router) -> Router {
    Router::new().fallback_service(pages).layer(from_fn(
        |request: axum::extract::Request, next: axum::middleware::Next| async move {
            if is_rpc(request.uri().path(), request.headers()) {
                return plain(Code::Unimplemented, "There is no such method.", "METHOD_UNKNOWN").into_http();
            }
            next.run(request).await
        },
    ))
}

async fn after(shutdown: &CancellationToken, time: Duration) {
    shutdown.cancelled().await;
    tokio::time::sleep(time).await;
}
