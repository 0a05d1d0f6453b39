use axum::body::Body;
use http::{Request, StatusCode, header};
use tonic::transport::server::TcpConnectInfo;
use tower::ServiceExt;

use super::{files, router};
use crate::{DevelopmentToken, DevelopmentTokens};

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
    let peer = TcpConnectInfo { local_addr: None, remote_addr: Some(peer.parse().expect("an address")) };
    request.extensions_mut().insert(peer);
    router(Some(tokens())).oneshot(request).await.expect("an answer").status()
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
    let answer = router(None).oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_page_is_sealed() {
    for path in ["/", "/customers", "/dynamics-usage", "/licence-adoption", "/no-such-page"] {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let answer = router(None).oneshot(request).await.expect("an answer");
        let expected = if path == "/no-such-page" { StatusCode::NOT_FOUND } else { StatusCode::OK };
        assert_eq!(answer.status(), expected, "{path}");
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
    }
}

#[test]
fn the_page_is_small_and_loads_nothing_from_elsewhere() {
    let total: usize = files::FILES.iter().map(|(_, body)| body.len()).sum();
    assert!(total < 1_500_000, "{total} bytes");
    let (_, index) = files::FILES.iter().find(|(path, _)| *path == "/index.html").expect("a page");
    let index = std::str::from_utf8(index).expect("text");
    assert!(!index.contains("http"), "{index}");
    assert!(!index.contains("<style") && !index.contains("style="), "{index}");
    for script in index.split("<script").skip(1) {
        assert!(script.contains("src=\"/assets/"), "an inline script: {script}");
    }
}
