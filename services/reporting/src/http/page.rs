//! The web page: files built from `ui/` and embedded, with headers that let it load only its own files.

use axum::{
    Json, Router,
    body::Body,
    extract::Request,
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use tonic::transport::server::TcpConnectInfo;
use tower_http::compression::CompressionLayer;

use super::development::DevelopmentTokens;
use super::headers::add_security_headers;

mod files {
    include!(concat!(env!("OUT_DIR"), "/page.rs"));
}

/// Paths that serve `index.html`.
const VIEWS: [&str; 4] = ["/", "/customers", "/dynamics-usage", "/licence-adoption"];

/// Routes of the page; with `tokens`, ready sign-ins for callers on this machine.
pub fn router(tokens: Option<DevelopmentTokens>) -> Router {
    let mut router = Router::new();
    for (path, body) in files::FILES.iter().copied() {
        if served(path) {
            router = router.route(path, get(move || async move { file(path, body) }));
        }
    }
    if let Some((_, index)) = files::FILES.iter().copied().find(|(path, _)| *path == "/index.html") {
        for view in VIEWS {
            router = router.route(view, get(move || async move { file("/index.html", index) }));
        }
    }
    if let Some(tokens) = tokens {
        router = router.route("/dev/tokens.json", get(move |request: Request| development(tokens.clone(), request)));
    }
    router.layer(CompressionLayer::new()).layer(from_fn(add_security_headers))
}

/// Whether a file is served; the stamp of the build is not.
fn served(path: &str) -> bool {
    !path.ends_with(".sha256")
}

fn file(path: &str, body: &'static [u8]) -> Response {
    // Asset names contain a hash of the content, so an asset never changes.
    let keep = if path.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep)], Body::from(body)).into_response()
}

/// The ready sign-ins, only for requests from this machine that no page of another origin made.
async fn development(tokens: DevelopmentTokens, request: Request) -> Response {
    if !from_here(&request) {
        return StatusCode::NOT_FOUND.into_response();
    }
    ([(header::CACHE_CONTROL, "no-store")], Json(tokens.mint())).into_response()
}

fn from_here(request: &Request) -> bool {
    let peer = request.extensions().get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
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
