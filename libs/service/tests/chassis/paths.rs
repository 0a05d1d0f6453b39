//! Which path gets what.

use insights_proto::access::v1::{WhoAmIRequest, access_service_client::AccessServiceClient};
use insights_service::ServerConfig;
use insights_testkit::{
    small::{PATH, Small, SmallServer},
    wire::EMPTY,
};
use tonic::{Code, Request};

#[tokio::test]
async fn an_unknown_method_is_never_a_page() {
    let server = SmallServer::start(&Small::default(), ServerConfig::default()).await;
    let token = server.token("p");
    for path in [
        "/",
        "/x",
        "/insights.access.v1.AccessService/Nothing",
        "/insights.access.v1.AccessService/WhoAmI/",
        "//insights.access.v1.AccessService/WhoAmI",
        "/insights.access.v1.AccessService/whoami",
        "/insights.access.v1.AccessService/WhoAm%49",
        "/insights.access.v1.AccessService/WhoAmI/../WhoAmI",
        "/insights.nothing.v1.Service/Method",
        "/grpc.health.v1.Health/Nothing",
    ] {
        for headers in
            [vec![], vec![("authorization", format!("Bearer {token}"))], vec![("authorization", "Bearer x".into())]]
        {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = server.wire.call(path, &headers, EMPTY).await.unwrap();
            assert_eq!(answer.code(), Code::Unimplemented, "{path}: {answer:?}");
            assert!(answer.body.is_empty());
        }
    }
    // A path that looks like a method's is none of the page's either, whatever the content type.
    let answer = server.wire.call(PATH, &[("content-type", "text/html")], b"").await.unwrap();
    assert_eq!(answer.code(), Code::Unauthenticated);
    let answer = server.wire.call("/insights.no.v1.Service/Do", &[("content-type", "text/html")], b"").await.unwrap();
    assert_eq!(answer.code(), Code::Unimplemented);
}

#[tokio::test]
async fn pages_over_http_1_and_2() {
    let server = SmallServer::start(&Small::default(), ServerConfig::default()).await;
    let page = reqwest::get(format!("http://{}/", server.address)).await.unwrap();
    assert_eq!((page.status().as_u16(), page.text().await.unwrap().as_str()), (200, "the page"));
    let missing = reqwest::get(format!("http://{}/customers/C-1", server.address)).await.unwrap();
    assert_eq!(missing.status().as_u16(), 404);
}

#[tokio::test]
async fn grpc_web_passes_the_same_layers() {
    let server = SmallServer::start(&Small::default(), ServerConfig::default()).await;
    let client = reqwest::Client::new();
    let send = async |token: Option<String>| {
        let mut request = client.post(format!("http://{}{PATH}", server.address)).body(EMPTY);
        request = request.header("content-type", "application/grpc-web+proto").header("x-grpc-web", "1");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    };
    let refused = send(None).await;
    assert_eq!(refused.headers()["grpc-status"], "16");
    let answered = send(Some(server.token("p"))).await;
    assert_eq!(answered.headers()["content-type"], "application/grpc-web+proto");
    let body = answered.bytes().await.unwrap();
    assert!(String::from_utf8_lossy(&body).contains("grpc-status:0"), "{body:?}");
    assert!(String::from_utf8_lossy(&body).contains("report_viewer"));
}

#[tokio::test]
async fn in_memory_passes_the_same_layers() {
    let server = SmallServer::start(&Small::default(), ServerConfig::default()).await;
    let mut client = AccessServiceClient::new(server.in_process.clone());
    assert_eq!(client.who_am_i(WhoAmIRequest {}).await.unwrap_err().code(), Code::Unauthenticated);
    let mut request = Request::new(WhoAmIRequest {});
    request.metadata_mut().insert("authorization", format!("Bearer {}", server.token("p")).parse().unwrap());
    assert_eq!(client.who_am_i(request).await.unwrap().into_inner().subject, "report_viewer");
}

#[tokio::test]
async fn health_is_for_all_and_reflection_for_callers() {
    let server = SmallServer::start(&Small::default(), ServerConfig::default()).await;
    let health = server.wire.call("/grpc.health.v1.Health/Check", &[], EMPTY).await.unwrap();
    assert_eq!(health.code(), Code::Ok);
    assert_eq!(health.body.as_ref(), [0, 0, 0, 0, 2, 8, 1], "SERVING");
    let bearer = format!("Bearer {}", server.token("p"));
    // Half of the clients there are still ask for the version before.
    for version in ["v1", "v1alpha"] {
        let reflection = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        // list_services: field 7.
        let list = [0, 0, 0, 0, 2, 0x3a, 0];
        assert_eq!(server.wire.call(&reflection, &[], &list).await.unwrap().code(), Code::Unauthenticated);
        let answer = server.wire.call(&reflection, &[("authorization", &bearer)], &list).await.unwrap();
        assert_eq!(answer.code(), Code::Ok);
        assert!(String::from_utf8_lossy(&answer.body).contains("insights.reporting.v1.ReportingService"));
    }
}
