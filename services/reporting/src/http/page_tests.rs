use axum::body::Body;
use http::{Request, StatusCode, header};
use insights_service::Peer;
use tower::ServiceExt;

use super::{files, router};
use crate::{DevelopmentToken, DevelopmentTokens, SignInConfig};

fn tokens() -> DevelopmentTokens {
    DevelopmentTokens::new(|| {
        vec![DevelopmentToken { role: "report_viewer".into(), name: "Report viewer".into(), token: "T".into() }]
    })
}

async fn status(path: &str, peer: &str, host: &str, site: Option<&str>) -> StatusCode {
    let mut request = Request::get(path).header(header::HOST, host);
    if let Some(site) = site {
        request = request.header("sec-fetch-site", site);
    }
    let mut request = request.body(Body::empty()).expect("a request");
    request.extensions_mut().insert(Peer::at(peer.parse().expect("an address")));
    router(Some(tokens()), &SignInConfig::default()).oneshot(request).await.expect("an answer").status()
}

#[tokio::test]
async fn ready_sign_ins_are_for_this_machine_only() {
    const PATH: &str = "/dev/tokens.json";
    assert_eq!(status(PATH, "127.0.0.1:5000", "localhost:8080", None).await, StatusCode::OK);
    assert_eq!(status(PATH, "[::1]:5000", "[::1]:8080", Some("same-origin")).await, StatusCode::OK);
    assert_eq!(status(PATH, "192.0.2.7:5000", "localhost:8080", None).await, StatusCode::NOT_FOUND);
    assert_eq!(status(PATH, "127.0.0.1:5000", "rebound.example:8080", None).await, StatusCode::NOT_FOUND);
    assert_eq!(status(PATH, "127.0.0.1:5000", "localhost:8080", Some("cross-site")).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_a_demo_there_are_no_ready_sign_ins() {
    let request = Request::get("/dev/tokens.json").body(Body::empty()).expect("a request");
    let answer = router(None, &SignInConfig::default()).oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_page_is_sealed() {
    for path in ["/", "/customers", "/glossary", "/customers/", "/no-such-page"] {
        let request =
            Request::get(path).header(header::ACCEPT, "text/html,*/*").body(Body::empty()).expect("a request");
        let answer = router(None, &SignInConfig::default()).oneshot(request).await.expect("an answer");
        let known = !path.ends_with("-page") && (path == "/" || !path.ends_with('/'));
        let expected = if known { StatusCode::OK } else { StatusCode::NOT_FOUND };
        // An unknown address says so on a page that leads on.
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
        assert_eq!(answer.status(), expected, "{path}");
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
    }
}

#[tokio::test]
async fn programs_get_no_page_where_there_is_none() {
    let request =
        Request::get("/no-such-file.js").header(header::ACCEPT, "*/*").body(Body::empty()).expect("a request");
    let answer = router(None, &SignInConfig::default()).oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(answer.headers().get(header::CONTENT_TYPE).is_none());
}

#[tokio::test]
async fn scripts_come_in_the_smallest_encoding_that_the_browser_takes() {
    let scripts = files::FILES.iter().filter(|(path, _)| path.ends_with(".js")).map(|(path, _)| *path);
    for path in scripts {
        let mut sizes = Vec::new();
        for (accepted, encoding) in [
            ("gzip, deflate, br", Some("br")),
            ("gzip", Some("gzip")),
            ("br;q=0, gzip;q=0.5", Some("gzip")),
            ("identity", None),
        ] {
            let request = Request::get(path).header(header::ACCEPT_ENCODING, accepted);
            let request = request.body(Body::empty()).expect("a request");
            let answer = router(None, &SignInConfig::default()).oneshot(request).await.expect("an answer");
            let told = answer.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().expect("text"));
            assert_eq!(told, encoding, "{path} for {accepted}");
            let body = axum::body::to_bytes(answer.into_body(), 4 << 20).await.expect("a body");
            sizes.push(body.len());
        }
        assert!(sizes[0] <= sizes[1] && sizes[1] < sizes[3], "{path}: {sizes:?}");
    }
}

#[tokio::test]
async fn the_page_may_call_its_identity_provider_and_nobody_else() {
    let sign_in = SignInConfig {
        issuer: "https://login.example.com/tenant".into(),
        client_id: "page".into(),
        origins: vec!["https://tokens.example.com".into()],
        ..SignInConfig::default()
    };
    let request = Request::get("/sign-in.json").body(Body::empty()).expect("a request");
    let answer = router(None, &sign_in).oneshot(request).await.expect("an answer");
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
    assert!(policy.contains("connect-src 'self' https://login.example.com https://tokens.example.com;"), "{policy}");
    let body = axum::body::to_bytes(answer.into_body(), 4096).await.expect("a body");
    let told: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!((&told["client_id"], &told["token"]), (&"page".into(), &"access".into()));
}

#[test]
fn the_page_is_small_and_loads_nothing_from_elsewhere() {
    let total: usize = files::FILES.iter().filter(|(path, _)| super::served(path)).map(|(_, body)| body.len()).sum();
    assert!(total < 1_800_000, "{total} bytes");
    let (_, index) = files::FILES.iter().find(|(path, _)| *path == "/index.html").expect("a page");
    let index = std::str::from_utf8(index).expect("text");
    assert!(!index.contains("http"), "{index}");
    assert!(!index.contains("<style") && !index.contains("style="), "{index}");
    for script in index.split("<script").skip(1) {
        assert!(script.contains("src=\"/assets/"), "an inline script: {script}");
    }
}
