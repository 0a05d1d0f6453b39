//! gRPC-Web, for the page: translated before any layer below sees the call, so that one set of rules holds for both.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{body::Body, extract::Request, response::Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt};
use http::{HeaderValue, header};
use tonic_web::GrpcWebLayer;
use tower::{Layer, Service, ServiceExt, util::BoxCloneSyncService};

use crate::normalise::NotBase64;

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
        if content_type.starts_with(b"application/grpc-web-text") {
            return Box::pin(self.web.clone().oneshot(decoded(request)));
        }
        if content_type.starts_with(b"application/grpc-web") {
            return Box::pin(self.web.clone().oneshot(request));
        }
        let clone = self.plain.clone();
        Box::pin(std::mem::replace(&mut self.plain, clone).call(request))
    }
}

/// A request whose body is base64, as one whose body is not. A client may encode each part of a body by itself, with padding
/// at its end, which the library takes for the end of everything.
fn decoded(request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc-web+proto"));
    parts.headers.remove(header::CONTENT_LENGTH);
    let body = Body::from_stream(from_base64(body.into_data_stream()));
    Request::from_parts(parts, body)
}

/// The bytes of a stream of base64 whose parts may end anywhere.
fn from_base64<S>(text: S) -> impl Stream<Item = Result<Bytes, axum::Error>> + Send
where
    S: Stream<Item = Result<Bytes, axum::Error>> + Send + Unpin,
{
    futures::stream::try_unfold((text, BytesMut::new()), |(mut text, mut left)| async move {
        while let Some(more) = text.try_next().await? {
            left.extend_from_slice(&more);
            let whole = left.len() - left.len() % 4;
            if whole > 0 {
                let bytes = parts(&left.split_to(whole))?;
                return Ok(Some((bytes, (text, left))));
            }
        }
        if left.is_empty() { Ok(None) } else { Err(axum::Error::new(NotBase64)) }
    })
}

/// Parts one after the other, each with its own padding.
fn parts(text: &[u8]) -> Result<Bytes, axum::Error> {
    let mut bytes = BytesMut::with_capacity(text.len() / 4 * 3);
    for part in text.chunks(4).collect::<Vec<_>>().split_inclusive(|four| four.last() == Some(&b'=')) {
        let part = STANDARD.decode(part.concat()).map_err(|_| axum::Error::new(NotBase64))?;
        bytes.extend_from_slice(&part);
    }
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &[u8], size: usize) -> Option<Vec<u8>> {
        let pieces: Vec<_> = text.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let bytes: Result<Vec<Bytes>, axum::Error> = from_base64(futures::stream::iter(pieces)).try_collect().await;
        bytes.ok().map(|bytes| bytes.concat())
    }

    #[tokio::test]
    async fn base64_in_parts_is_read_however_it_is_cut() {
        for size in 1..20 {
            assert_eq!(read(b"AAAAAAA=AQ==AgMEBQ==", size).await, Some(vec![0, 0, 0, 0, 0, 1, 2, 3, 4, 5]));
            assert_eq!(read(b"", size).await, Some(Vec::new()));
            for wrong in ["A", "AAA", "A===", "=AAA", "AA=A", "AAAA AAA", "AAA-", "AAAA=", "AR=="] {
                assert_eq!(read(wrong.as_bytes(), size).await, None, "{wrong} by {size}");
            }
        }
    }
}
