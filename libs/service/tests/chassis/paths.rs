//! Which path gets what.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use insights_proto::access::v1::{WhoAmIRequest, access_service_client::AccessServiceClient};
use insights_service::ServerConfig;
use insights_testkit::{
    small::{PATH, Small, SmallServer},
    wire::{EMPTY, frame},
};
use prost::Message;
use tonic::{Code, Request, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_types::StatusExt;

const WEB_TEXT: &str = "application/grpc-web-text+proto";
const NAME: &str = "insights.access.v1.AccessService";

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
}

#[tokio::test]
async fn another_content_type_is_refused_by_http() {
    let server = SmallServer::start(&Small::default(), ServerConfig::default()).await;
    let bearer = format!("Bearer {}", server.token("p"));
    // A path that looks like a method's is none of the page's either, whatever the content type.
    for path in [PATH, "/insights.no.v1.Service/Do", "/grpc.health.v1.Health/Check"] {
        for kind in [
            "application/json",
            "application/grpc+json",
            "application/grpc+thrift",
            "application/grpc-web+json",
            "application/grpc-web-text+json",
            "application/grpcs",
            "application/x-protobuf",
            "text/plain",
            "text/html",
            "",
        ] {
            let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
            let answer = server.wire.call(path, &headers, EMPTY).await.unwrap();
            assert_eq!((answer.http.as_u16(), answer.status.is_none()), (415, true), "{path} {kind}: {answer:?}");
            assert!(String::from_utf8_lossy(&answer.body).contains("application/grpc-web-text"), "{answer:?}");
        }
    }
    for kind in ["application/grpc", "application/grpc+proto", "Application/gRPC; charset=utf-8"] {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        assert_eq!(server.wire.call(PATH, &headers, EMPTY).await.unwrap().code(), Code::Ok, "{kind}");
    }
    let page = reqwest::Client::new().post(format!("http://{}/", server.address)).send().await.unwrap();
    assert_eq!(page.status().as_u16(), 405, "what is no call is the page's");
}

#[tokio::test]
async fn an_encoding_that_is_not_read_is_named_with_those_that_are() {
    let server = SmallServer::start(&Small::default(), ServerConfig::default()).await;
    let bearer = format!("Bearer {}", server.token("p"));
    for encoding in ["zstd", "deflate", "snappy"] {
        let headers = [("authorization", bearer.as_str()), ("grpc-encoding", encoding)];
        let answer = server.wire.call(PATH, &headers, &[1, 0, 0, 0, 1, 0]).await.unwrap();
        assert_eq!(answer.code(), Code::Unimplemented, "{answer:?}");
        let accepted = answer.headers["grpc-accept-encoding"].to_str().unwrap();
        assert!(accepted.split(',').any(|one| one.trim() == "gzip"), "{accepted}");
        let status = answer.status.unwrap();
        assert!(status.message().contains(&format!("\"{encoding}\"")), "{status:?}");
        assert_eq!(status.get_error_details().error_info().unwrap().reason, "ENCODING_UNSUPPORTED");
    }
    let headers = [("authorization", bearer.as_str()), ("grpc-encoding", "identity")];
    assert_eq!(server.wire.call(PATH, &headers, EMPTY).await.unwrap().code(), Code::Ok);
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
async fn grpc_web_text_is_read_in_parts() {
    let server = SmallServer::start(&Small::default(), ServerConfig::default()).await;
    let client = reqwest::Client::new();
    let send = async |body: &'static str| {
        let request = client.post(format!("http://{}{PATH}", server.address)).bearer_auth(server.token("p"));
        let request = request.header("content-type", "application/grpc-web-text").header("accept", WEB_TEXT);
        let answer = request.body(body).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, WEB_TEXT));
        let status = Status::from_header_map(answer.headers());
        let body = answer.text().await.unwrap();
        // Each part of an answer is padded by itself as well.
        let parts = body.split_inclusive('=').filter(|part| *part != "=");
        let bytes = parts.map(|part| STANDARD_NO_PAD.decode(part.trim_end_matches('=')).unwrap());
        (status, String::from_utf8_lossy(&bytes.collect::<Vec<_>>().concat()).into_owned())
    };
    // The same empty message whole, in two parts, and in one part a byte.
    for body in ["AAAAAAA=", "AAA=AAAA", "AA==AA==AA==AA==AA=="] {
        let (status, answer) = send(body).await;
        assert!(status.is_none() && answer.contains("grpc-status:0"), "{body}: {status:?} {answer}");
        assert!(answer.contains("report_viewer"), "{answer}");
    }
    for wrong in ["AAAAAAA", "AAAA*AA=", "AA=AAAAA"] {
        let status = send(wrong).await.0.unwrap();
        assert_eq!(status.code(), Code::InvalidArgument, "{wrong}: {status:?}");
        assert_eq!(status.get_error_details().error_info().unwrap().reason, "MESSAGE_MALFORMED");
    }
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

/// A request for the health of a service.
fn health_of(service: &str) -> Vec<u8> {
    frame(&tonic_health::pb::HealthCheckRequest { service: service.to_owned() }.encode_to_vec())
}

#[tokio::test]
async fn health_goes_by_the_name_of_a_service() {
    let server = SmallServer::start(&Small::default(), ServerConfig::default()).await;
    for name in ["", NAME] {
        let health = server.wire.call("/grpc.health.v1.Health/Check", &[], &health_of(name)).await.unwrap();
        assert_eq!(health.body.as_ref(), [0, 0, 0, 0, 2, 8, 1], "{name}: {health:?}");
    }
    for name in ["insights.access.v1.accessservice", "insights.access.v1.AccessService/WhoAmI", "x"] {
        let health = server.wire.call("/grpc.health.v1.Health/Check", &[], &health_of(name)).await.unwrap();
        assert_eq!(health.code(), Code::NotFound, "{name}: {health:?}");
    }
}

#[tokio::test]
async fn watching_tells_of_the_end_and_of_unknown_services() {
    let config = ServerConfig { drain_delay_seconds: 600, ..ServerConfig::default() };
    let server = SmallServer::start(&Small::default(), config).await;
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    let mut client = tonic_health::pb::health_client::HealthClient::new(endpoint.connect().await.unwrap());
    let mut watch = async |service: &str| {
        let request = tonic_health::pb::HealthCheckRequest { service: service.to_owned() };
        client.watch(request).await.unwrap().into_inner()
    };
    let mut known = watch(NAME).await;
    assert_eq!(known.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let mut unknown = watch("insights.no.v1.Service").await;
    assert_eq!(unknown.message().await.unwrap().unwrap().status(), ServingStatus::ServiceUnknown);
    let more = tokio::time::timeout(Duration::from_millis(200), unknown.message()).await;
    assert!(more.is_err(), "the stream stays open: {more:?}");
    server.shutdown.cancel();
    let health = async || server.wire.call("/grpc.health.v1.Health/Check", &[], &health_of(NAME)).await.unwrap();
    insights_testkit::until("NOT_SERVING", async || health().await.body.as_ref() == [0, 0, 0, 0, 2, 8, 2]).await;
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
