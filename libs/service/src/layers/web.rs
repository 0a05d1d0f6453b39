//! gRPC-Web, for the page: translated before any layer below sees the call, so that one set of rules holds for both.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{body::Body, extract::Request, response::Response};
use http::header;
use tonic_web::GrpcWebLayer;
use tower::{Layer, Service, ServiceExt, util::BoxCloneSyncService};

/// Translates gRPC-Web calls and passes everything else as it is (the library's own layer would refuse HTTP/1 pages).
#[derive(Clone)]
pub(crate) struct WebLayer;

#[derive(Clone)]
pub(crate) struct Web<S> {
    plain: S,
    web: BoxCloneSyncService<Request, Response, Infallible>,
}

impl<S> Layer<S> for WebLayer
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    type Service = Web<S>;

    fn layer(&self, inner: S) -> Web<S> {
        let below = inner.clone().map_request(|request: http::Request<tonic::body::Body>| request.map(Body::new));
        let web = GrpcWebLayer::new().layer(below);
        let web = ServiceExt::<Request>::map_response(web, |response: http::Response<tonic::body::Body>| {
            response.map(Body::new)
        });
        Web { plain: inner, web: BoxCloneSyncService::new(web) }
    }
}

impl<S> Service<Request> for Web<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.plain.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let content_type =
            request.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes()).unwrap_or_default();
        if content_type.starts_with(b"application/grpc-web") {
            return Box::pin(self.web.clone().oneshot(request));
        }
        let clone = self.plain.clone();
        Box::pin(std::mem::replace(&mut self.plain, clone).call(request))
    }
}
