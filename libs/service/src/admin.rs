//! The port for the platform: probes and metrics in plaintext, apart from the port for callers. It says nothing about any partner.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;

use crate::Readiness;

/// What `/metrics` answers: the text form of Prometheus.
pub type Scrape = Arc<dyn Fn() -> String + Send + Sync>;

/// The port for the platform, bound before anything else is opened, so that probes are answered while databases are migrated.
#[derive(Debug)]
pub struct AdminPort(TcpListener);

impl AdminPort {
    /// Binds an address such as `127.0.0.1:9090`.
    pub async fn bind(address: &str) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Answers in the background as long as the process lives.
    pub fn serve(self, readiness: Readiness, scrape: Scrape) {
        tokio::spawn(async move {
            if let Err(error) = axum::serve(self.0, routes(readiness, scrape)).await {
                tracing::error!(%error, "the port for the platform failed");
            }
        });
    }
}

fn routes(readiness: Readiness, scrape: Scrape) -> Router {
    let (started, ready) = (readiness.clone(), readiness);
    Router::new()
        // Whoever answers lives. Nothing else is asked for: a database that is away is no reason to kill who waits for it.
        .route("/healthz/live", get(|| async { "live\n" }))
        .route("/healthz/startup", get(move || async move { said(started.is_open(), "open\n", "startup\n") }))
        .route(
            "/healthz/ready",
            get(move || async move {
                let lacking = ready.lacking();
                said(lacking.is_empty(), "ready\n", &lacking.iter().map(|why| format!("{why}\n")).collect::<String>())
            }),
        )
        .route(
            "/metrics",
            get(
                move || async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], scrape()) },
            ),
        )
}

fn said(well: bool, yes: &str, no: &str) -> Response {
    match well {
        true => yes.to_owned().into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, no.to_owned()).into_response(),
    }
}
