//! The content types of calls: those that are read, in the form the layers below know, and a refusal of all others.

use axum::{
    body::Body,
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, header};
use insights_access::is_rpc;

/// A call of another content type is refused before anything else is looked at, and not as gRPC: its sender would take the
/// HTTP status 200 of a refusal in gRPC for success. Calls are posted: whoever asks for a file at a path that looks like one is told that
/// there is none.
pub(crate) async fn media(mut request: Request, next: Next) -> Response {
    if !is_rpc(request.uri().path(), request.headers()) {
        return next.run(request).await;
    }
    if request.method() != Method::POST {
        // A file, then; a page's files have no such paths.
        return (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")]).into_response();
    }
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(known) = given.and_then(known) else { return refusal() };
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(known));
    next.run(request).await
}

/// The content type without parameters and in lower case, if it is one that is read.
fn known(given: &str) -> Option<&'static str> {
    let bare = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match bare.as_str() {
        "application/grpc" | "application/grpc+proto" => "application/grpc",
        "application/grpc-web" | "application/grpc-web+proto" => "application/grpc-web+proto",
        "application/grpc-web-text" | "application/grpc-web-text+proto" => "application/grpc-web-text+proto",
        _ => return None,
    })
}

fn refusal() -> Response {
    let text = "Calls are read as application/grpc, application/grpc-web or application/grpc-web-text, of protobuf messages.\n";
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
