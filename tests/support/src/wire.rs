//! Calls as they travel: HTTP/2 requests made by hand, so that a test may send what no client would.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tonic::{Code, Status};

/// Sends requests to one server over HTTP/2.
#[derive(Clone)]
pub struct Wire {
    client: Client<HttpConnector, Full<Bytes>>,
    server: SocketAddr,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub http: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The gRPC status, from trailers or headers; `None` when the answer is no gRPC.
    pub status: Option<Status>,
}

impl Answer {
    /// The gRPC code; UNKNOWN when the answer is no gRPC.
    #[must_use]
    pub fn code(&self) -> Code {
        self.status.as_ref().map_or(Code::Unknown, Status::code)
    }
}

/// An empty message, framed.
pub const EMPTY: &[u8] = &[0, 0, 0, 0, 0];

/// A message, framed, not compressed.
#[must_use]
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut framed = vec![0];
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(message);
    framed
}

impl Wire {
    /// To the server at this address.
    #[must_use]
    pub fn to(server: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).http2_only(true).build(connector);
        Self { client, server }
    }

    /// Calls a method with a framed body and these headers.
    ///
    /// # Errors
    /// When no HTTP answer comes.
    pub async fn call(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, Box<dyn std::error::Error>> {
        let mut request = Request::post(format!("http://{}{path}", self.server)).header("te", "trailers");
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/grpc");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.client.request(request.body(Full::new(Bytes::copy_from_slice(body)))?).await?;
        let (parts, body) = response.into_parts();
        let collected = body.collect().await?;
        let status =
            Status::from_header_map(&parts.headers).or_else(|| collected.trailers().and_then(Status::from_header_map));
        Ok(Answer { http: parts.status, headers: parts.headers, body: collected.to_bytes(), status })
    }

    /// Calls a method with an empty message and this token.
    ///
    /// # Errors
    /// When no HTTP answer comes.
    pub async fn with_token(&self, path: &str, token: &str) -> Result<Answer, Box<dyn std::error::Error>> {
        self.call(path, &[("authorization", &format!("Bearer {token}"))], EMPTY).await
    }
}
