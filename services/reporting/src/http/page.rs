//! The web page: files built from `ui/` and embedded, with headers that let it load only its own files.

use std::collections::HashMap;

use axum::{
    Json, Router,
    body::Body,
    extract::Request,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, Method, StatusCode, header};
use insights_service::Peer;
use tower_http::compression::CompressionLayer;

use super::development::DevelopmentTokens;
use super::headers::{add_security_headers, content_policy};
use super::sign_in::SignInConfig;

mod files {
    include!(concat!(env!("OUT_DIR"), "/page.rs"));
}

/// Paths that serve `index.html`; every other address answers it too, with 404, so that the page can lead on.
const VIEWS: [&str; 11] = [
    "/",
    "/customers",
    "/customer",
    "/dynamics-usage",
    "/licence-adoption",
    "/subscriptions",
    "/downloads",
    "/data-health",
    "/glossary",
    "/audit",
    "/signed-in",
];
const INDEX: &str = "/index.html";

/// Encodings that files are embedded in, smallest first: as `accept-encoding` names them, and as their names end.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Routes of the page; with `tokens`, ready sign-ins for callers on this machine.
pub fn router(tokens: Option<DevelopmentTokens>, sign_in: &SignInConfig) -> Router {
    let mut router = Router::new();
    for (path, _) in files::FILES.iter().copied().filter(|(path, _)| served(path)) {
        router = router.route(path, get(move |headers: HeaderMap| async move { file(path, &headers) }));
    }
    for view in VIEWS {
        router = router.route(view, get(|headers: HeaderMap| async move { file(INDEX, &headers) }));
    }
    let offered = Json(sign_in.offered());
    router = router.route("/sign-in.json", get(|| async move { ([(header::CACHE_CONTROL, "no-cache")], offered) }));
    if let Some(tokens) = tokens {
        router = router.route("/dev/tokens.json", get(move |request: Request| development(tokens.clone(), request)));
    }
    // What is not embedded compressed is compressed here.
    let router = router.fallback(unknown).layer(CompressionLayer::new());
    router.layer(from_fn_with_state(content_policy(sign_in), add_security_headers))
}

/// Whether a file is served under its name; the stamp of the build and compressed forms of files are not.
fn served(path: &str) -> bool {
    !path.ends_with(".sha256") && ENCODINGS.iter().all(|(_, ending)| !path.ends_with(ending))
}

/// An address that is none of the page's: for people the page that says so, for anything else nothing.
async fn unknown(request: Request) -> Response {
    let accepted = request.headers().get(header::ACCEPT).and_then(|text| text.to_str().ok()).unwrap_or_default();
    if request.method() == Method::GET && accepted.contains("text/html") {
        return (StatusCode::NOT_FOUND, file(INDEX, request.headers())).into_response();
    }
    StatusCode::NOT_FOUND.into_response()
}

/// A file in the smallest encoding that the caller takes.
fn file(path: &'static str, headers: &HeaderMap) -> Response {
    // Asset names contain a hash of the content, so an asset never changes.
    let keep = if path.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    let mut response = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep), (header::VARY, "accept-encoding")]
        .into_response();
    let all: HashMap<&str, &'static [u8]> = files::FILES.iter().copied().collect();
    let encoded = ENCODINGS.iter().filter(|(name, _)| accepts(headers, name));
    let found = encoded.filter_map(|(name, end)| Some((*name, *all.get(format!("{path}{end}").as_str())?))).next();
    if let Some((name, _)) = found {
        response.headers_mut().insert(header::CONTENT_ENCODING, http::HeaderValue::from_static(name));
    }
    let body = found.map(|(_, body)| body).or_else(|| all.get(path).copied());
    *response.body_mut() = Body::from(body.unwrap_or_default());
    response
}

/// Whether a caller takes an encoding: it names it, and not with a weight of 0.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let named = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|text| text.to_str().ok());
    named.flat_map(|text| text.split(',')).any(|part| {
        let (name, weight) = part.split_once(';').unwrap_or((part, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|text| text.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case(encoding) && weight.is_none_or(|weight| weight > 0.0)
    })
}

/// The ready sign-ins, only for requests from this machine that no page of another origin made.
async fn development(tokens: DevelopmentTokens, request: Request) -> Response {
    if !from_here(&request) {
        return StatusCode::NOT_FOUND.into_response();
    }
    ([(header::CACHE_CONTROL, "no-store")], Json(tokens.mint())).into_response()
}

fn from_here(request: &Request) -> bool {
    let peer = request.extensions().get::<Peer>().map(Peer::address);
    let same_site = request.headers().get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none");
    peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback()) && same_site && local_host(request)
}

/// Whether the host header names this machine. A hostile name may resolve to it (DNS rebinding) but is another name.
fn local_host(request: &Request) -> bool {
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(host) = named.or_else(|| request.uri().authority().map(|authority| authority.as_str())) else {
        return false;
    };
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
