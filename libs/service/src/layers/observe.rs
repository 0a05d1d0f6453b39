//! Counts and traces every call, and normalises its status.

use std::time::Instant;

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use http::HeaderValue;
use http_body_util::BodyExt;
use tonic::Code;
use tracing::Instrument;

use crate::{normalise::normalise, request_id};

/// Outermost, so that refusals of the other layers and calls that end without an answer are counted too.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let id = request_id::fresh();
    let rpc = request.uri().path().to_owned();
    let span = tracing::info_span!("call", rpc, request_id = id);
    let mut call = Call { rpc, began: Instant::now(), done: false };
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

struct Call {
    rpc: String,
    began: Instant,
    done: bool,
}

impl Call {
    fn end(&mut self, code: Code) {
        if !std::mem::replace(&mut self.done, true) {
            let seconds = self.began.elapsed().as_secs_f64();
            let (rpc, code) = (&self.rpc, format!("{code:?}"));
            tracing::debug!(
                monotonic_counter.rpc_calls = 1_u64,
                histogram.rpc_seconds = seconds,
                rpc,
                code,
                "call ended"
            );
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}
