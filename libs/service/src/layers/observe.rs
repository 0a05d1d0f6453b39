//! Counts and traces every call, and normalises its status.

use std::time::Instant;

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use http::HeaderValue;
use http_body_util::BodyExt;
use insights_access::is_rpc;
use tonic::Code;
use tracing::{Instrument, Span, field::Empty};

use crate::{channel, code_name, meters, normalise::normalise, request_id, trace_context};

/// Outermost, so that refusals of the other layers and calls that end without an answer are counted too.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let id = request_id::fresh();
    let method = method(request.uri().path()).to_owned();
    let span = span(&method, &id, &request);
    // What is no call is not counted, however it ends.
    let done = !is_rpc(request.uri().path(), request.headers());
    let mut call = Call { method, span: span.clone(), began: Instant::now(), done };
    let mut response = request_id::with_id(id.clone(), next.run(request)).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    if let Some(code) = request_id::with_id(id.clone(), async { normalise(response.headers_mut()) }).await {
        call.end(code);
        return response;
    }
    if !is_grpc(&response) {
        call.done = true;
        return response;
    }
    response.map(|body| {
        Body::new(body.map_frame(move |mut frame| {
            if let Some(trailers) = frame.trailers_mut()
                && let Some(code) = normalise(trailers)
            {
                call.end(code);
            }
            frame
        }))
    })
}

fn is_grpc(response: &Response) -> bool {
    response
        .headers()
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// What a call is counted as. Methods that anybody may invent are one: a library of metrics keeps so many series, and real ones would find
/// no place among them.
fn method(path: &str) -> &str {
    if channel::is_known(path) { path.trim_start_matches('/') } else { "unknown" }
}

/// The span of a call, in the caller's trace where the caller has one, by OpenTelemetry's conventions. Probes and pages have none.
fn span(method: &str, id: &str, request: &Request) -> Span {
    let path = request.uri().path();
    if path.starts_with("/grpc.health.v1.Health/") || !is_rpc(path, request.headers()) {
        return Span::none();
    }
    let span = tracing::info_span!(
        "call",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system = "grpc",
        rpc.method = method,
        rpc.response.status_code = Empty,
        request_id = id,
        trace_id = Empty,
    );
    trace_context::join(&span, request.headers());
    span
}

struct Call {
    method: String,
    span: Span,
    began: Instant,
    done: bool,
}

impl Call {
    fn end(&mut self, code: Code) {
        if !std::mem::replace(&mut self.done, true) {
            let (seconds, name) = (self.began.elapsed().as_secs_f64(), code_name(code));
            meters::call_ended(&self.method, name, seconds);
            self.span.record("rpc.response.status_code", name);
            self.span.record("otel.status_code", if is_fault(code) { "ERROR" } else { "OK" });
            let _of_the_call = self.span.enter();
            tracing::info!(method = self.method, code = name, seconds, "call answered");
        }
    }
}

/// Whether a code tells of a fault of ours and not of the caller's.
const fn is_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}
