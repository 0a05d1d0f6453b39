//! The services of a process by name, and whether they serve, as the protocol of gRPC health says.

use std::{collections::BTreeSet, convert::Infallible, pin::Pin, sync::Arc};

use futures::{Stream, StreamExt};
use tonic::{Code, Request, Response, Status, body::Body, server::NamedService, service::Routes};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server::Health,
};
use tower::Service;

use crate::{Readiness, status::plain};

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

/// Answers as long as the process does, whatever it lacks.
const LIVENESS: &str = "liveness";
/// Serving once the port is open.
const STARTUP: &str = "startup";
/// The same as the empty name, for probes that want one.
const READINESS: &str = "readiness";

/// Says whether a process can do its work. Its services begin and end together, so they have one state; the empty name stands for all.
/// Probes have names of their own: that it lives does not depend on others.
#[derive(Clone, Debug)]
pub(crate) struct HealthApi {
    names: Arc<BTreeSet<&'static str>>,
    readiness: Readiness,
}

impl HealthApi {
    pub(crate) fn new(names: impl IntoIterator<Item = &'static str>, readiness: Readiness) -> Self {
        let ours = ["", LIVENESS, STARTUP, READINESS];
        Self { names: Arc::new(names.into_iter().chain(ours).collect()), readiness }
    }

    fn serves(&self, name: &str) -> bool {
        match name {
            LIVENESS => true,
            STARTUP => self.readiness.is_open(),
            _ => self.readiness.is_ready(),
        }
    }
}

type HealthStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

#[tonic::async_trait]
impl Health for HealthApi {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let name = request.get_ref().service.as_str();
        if !self.names.contains(name) {
            return Err(plain(Code::NotFound, "There is no such service here.", "SERVICE_UNKNOWN"));
        }
        Ok(Response::new(said(status(self.serves(name)))))
    }

    type WatchStream = HealthStream;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthStream>, Status> {
        let name = request.get_ref().service.as_str();
        // A stream that stays open, because a client takes its end for a server without health and asks again at once.
        let once = |status| futures::stream::once(async move { Ok(said(status)) }).chain(futures::stream::pending());
        Ok(Response::new(match name {
            LIVENESS | STARTUP => once(status(self.serves(name))).boxed(),
            name if self.names.contains(name) => self.readiness.watch().ready().map(|is| Ok(said(status(is)))).boxed(),
            _ => once(ServingStatus::ServiceUnknown).boxed(),
        }))
    }
}

const fn status(serving: bool) -> ServingStatus {
    if serving { ServingStatus::Serving } else { ServingStatus::NotServing }
}

const fn said(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status as i32 }
}
