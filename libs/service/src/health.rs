//! The services of a process by name, and whether they serve, as the protocol of gRPC health says.

use std::{collections::BTreeSet, convert::Infallible, pin::Pin, sync::Arc};

use futures::{Stream, StreamExt};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tonic::{Code, Request, Response, Status, body::Body, server::NamedService, service::Routes};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server::Health,
};
use tower::Service;

use crate::status::plain;

/// Services behind one server, with the names by which clients and probes ask whether they serve.
#[derive(Clone, Debug, Default)]
pub struct NamedRoutes {
    pub(crate) routes: Routes,
    pub(crate) names: Vec<&'static str>,
}

impl NamedRoutes {
    /// One service.
    pub fn new<S>(service: S) -> Self
    where
        S: Service<http::Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        Self { routes: Routes::new(service), names: vec![S::NAME] }
    }

    /// These services and one more.
    #[must_use]
    pub fn with<S>(self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        let mut names = self.names;
        names.push(S::NAME);
        Self { routes: self.routes.add_service(service), names }
    }
}

/// Says whether a process serves. Its services begin and end together, so they have one state; the empty name stands for all.
#[derive(Clone, Debug)]
pub(crate) struct HealthApi {
    names: Arc<BTreeSet<&'static str>>,
    serving: watch::Receiver<bool>,
}

impl HealthApi {
    pub(crate) fn new(names: impl IntoIterator<Item = &'static str>, serving: watch::Receiver<bool>) -> Self {
        Self { names: Arc::new(names.into_iter().chain([""]).collect()), serving }
    }
}

type HealthStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

#[tonic::async_trait]
impl Health for HealthApi {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        if !self.names.contains(request.get_ref().service.as_str()) {
            return Err(plain(Code::NotFound, "There is no such service here.", "SERVICE_UNKNOWN"));
        }
        Ok(Response::new(said(status(*self.serving.borrow()))))
    }

    type WatchStream = HealthStream;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthStream>, Status> {
        if self.names.contains(request.get_ref().service.as_str()) {
            let states = WatchStream::new(self.serving.clone()).map(|serving| Ok(said(status(serving))));
            return Ok(Response::new(states.boxed()));
        }
        // The stream stays open, because a client takes its end for a server without health and asks again at once.
        let unknown = futures::stream::once(async { Ok(said(ServingStatus::ServiceUnknown)) });
        Ok(Response::new(unknown.chain(futures::stream::pending()).boxed()))
    }
}

const fn status(serving: bool) -> ServingStatus {
    if serving { ServingStatus::Serving } else { ServingStatus::NotServing }
}

const fn said(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status as i32 }
}
