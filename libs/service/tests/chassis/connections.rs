//! Connections on which nothing happens, answers that nobody takes, and streams that outlive their token.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use insights_access::{Clock, Issuer, Role, TokenRequest};
use insights_service::{ConnectionLimits, ServerConfig, ShareLimits, fail_point};
use insights_testkit::{
    PATIENCE,
    small::{PATH, Small, SmallServer},
    until,
    wire::EMPTY,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::{Code, Status};

fn config(connections: ConnectionLimits) -> ServerConfig {
    ServerConfig { connections, ..ServerConfig::default() }
}

/// Whether the other side closes the connection.
async fn is_closed(connection: &mut TcpStream) -> bool {
    let mut read = [0; 1024];
    loop {
        match tokio::time::timeout(PATIENCE, connection.read(&mut read)).await {
            Ok(Ok(0) | Err(_)) => return true,
            Ok(Ok(_)) => {}
            Err(_) => return false,
        }
    }
}

async fn connections(server: &SmallServer, count: usize, first: &[u8]) -> Vec<TcpStream> {
    let mut all = Vec::new();
    for _ in 0..count {
        let mut connection = TcpStream::connect(server.address).await.unwrap();
        connection.write_all(first).await.unwrap();
        all.push(connection);
    }
    all
}

#[tokio::test]
async fn connections_that_say_nothing_are_closed() {
    let limits = ConnectionLimits { first_bytes_seconds: 1, ..ConnectionLimits::default() };
    let server = SmallServer::start(&Small::default(), config(limits)).await;
    let token = server.token("p");
    assert_eq!(server.wire.with_token(PATH, &token).await.unwrap().code(), Code::Ok);
    for first in [&b""[..], b"PRI * HTTP/2.0\r\n"] {
        for connection in &mut connections(&server, 20, first).await {
            assert!(is_closed(connection).await, "{first:?}");
        }
    }
    assert_eq!(server.wire.with_token(PATH, &token).await.unwrap().code(), Code::Ok);
    let _armed = fail_point::arm("", "without:service.idle");
    let mut silent = connections(&server, 1, b"").await;
    let waited = tokio::time::timeout(Duration::from_secs(3), is_closed(&mut silent[0])).await;
    assert!(waited.is_err(), "without the guard it stays");
}

#[tokio::test]
async fn connections_that_are_not_used_are_closed() {
    let limits = ConnectionLimits { idle_seconds: 1, ..ConnectionLimits::default() };
    let small = Small::gated();
    let server = SmallServer::start(&small, config(limits)).await;
    // A whole preface and the settings that follow it.
    let mut unused = connections(&server, 1, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let (wire, token) = (server.wire.clone(), server.token("p"));
    let call = tokio::spawn(async move { wire.with_token(PATH, &token).await.unwrap() });
    small.wait_running(1).await;
    assert!(is_closed(&mut unused[0]).await);
    small.gate.add_permits(1);
    assert_eq!(call.await.unwrap().code(), Code::Ok, "a connection with a call is used, however long it takes");
}

#[tokio::test]
async fn one_who_connects_without_end_keeps_nobody_out() {
    let limits = ConnectionLimits { total: 30, per_peer: 20, new_per_peer: 10, ..ConnectionLimits::default() };
    let server = SmallServer::start(&Small::default(), config(limits)).await;
    let mut silent = connections(&server, 100, b"").await;
    let token = server.token("p");
    assert_eq!(server.wire.with_token(PATH, &token).await.unwrap().code(), Code::Ok, "the oldest silent one made room");
    for connection in &mut silent[..80] {
        assert!(is_closed(connection).await);
    }
}

/// A client of one connection that takes so many bytes of an answer before it asks for more.
fn client(window: u32) -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new())
        .http2_only(true)
        .http2_initial_stream_window_size(window)
        .build(HttpConnector::new())
}

fn page(server: &SmallServer) -> http::Request<Body> {
    http::Request::get(format!("http://{}/", server.address)).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn answers_that_nobody_takes_are_dropped_with_their_connection() {
    let connections = ConnectionLimits { unread_seconds: 1, ..ConnectionLimits::default() };
    let shares = ShareLimits { pages: 1, ..ShareLimits::default() };
    let server = SmallServer::start(&Small::default(), ServerConfig { shares, ..config(connections) }).await;
    let taker = client(0);
    let untaken = taker.request(page(&server)).await.unwrap();
    assert_eq!(untaken.status(), 200);
    let refused = client(1 << 20).request(page(&server)).await.unwrap();
    assert_eq!(refused.status(), 503, "the one place is taken");
    assert_eq!(refused.into_body().collect().await.unwrap().to_bytes(), Bytes::from("The service is busy.\n"));
    until("the place comes back", async || client(1 << 20).request(page(&server)).await.unwrap().status() == 200).await;
    let taken = tokio::time::timeout(PATIENCE, untaken.into_body().collect()).await.expect("an end");
    assert!(taken.is_err(), "the answer that was dropped is no success");
}

#[tokio::test]
async fn one_peer_and_one_connection_have_their_part_of_a_small_pool() {
    let shares = ShareLimits { pages: 16, ..ShareLimits::default() };
    let server = SmallServer::start(&Small::default(), ServerConfig { shares, ..ServerConfig::default() }).await;
    let ask = async |from: &Client<HttpConnector, Body>| from.request(page(&server)).await.unwrap();
    let (first, second, third) = (client(0), client(0), client(0));
    let mut held = vec![ask(&first).await, ask(&first).await];
    assert_eq!(ask(&first).await.status(), 503, "an eighth for a connection");
    held.extend([ask(&second).await, ask(&second).await]);
    assert_eq!(ask(&third).await.status(), 503, "a quarter for a peer");
    assert!(held.iter().all(|answer| answer.status() == 200));
    let _armed = fail_point::arm("", "without:service.pools");
    for _ in 0..12 {
        held.push(ask(&first).await);
    }
    assert!(held.iter().all(|answer| answer.status() == 200), "without the guard one takes all");
    assert_eq!(ask(&third).await.status(), 503);
}

#[tokio::test]
async fn watches_of_health_have_their_part() {
    let shares = ShareLimits { watches: 16, ..ShareLimits::default() };
    let server = SmallServer::start(&Small::default(), ServerConfig { shares, ..ServerConfig::default() }).await;
    let connection = client(1 << 20);
    let mut held = Vec::new();
    let mut refused = 0;
    for _ in 0..10 {
        let watch = http::Request::post(format!("http://{}/grpc.health.v1.Health/Watch", server.address))
            .header("content-type", "application/grpc")
            .body(Body::from(EMPTY));
        let answer = connection.request(watch.unwrap()).await.unwrap();
        refused += usize::from(Status::from_header_map(answer.headers()).is_some());
        held.push(answer);
    }
    assert_eq!(refused, 8);
    let check = server.wire.call("/grpc.health.v1.Health/Check", &[], EMPTY).await.unwrap();
    assert_eq!(check.code(), Code::Ok, "probes need no place");
}

/// A token that is good for some seconds, its leeway included.
fn ending_token(server: &SmallServer, seconds: i64) -> String {
    let data = server.issuer.jwks_path().parent().unwrap().parent().unwrap().to_owned();
    let leeway = i64::from(server.issuer.access_config().leeway_seconds);
    let earlier = chrono::TimeDelta::seconds(leeway - seconds + 1);
    let system = Clock::system();
    let issuer = Issuer::open_at(&data, Clock::new(move || system.now() - earlier)).unwrap();
    let (roles, ttl) = (vec![Role::ReportViewer], Duration::from_secs(1));
    issuer.mint(&TokenRequest { roles, partner: "p".into(), ttl, ..TokenRequest::default() }).unwrap()
}

/// A stream that describes the API, which its caller holds open.
async fn reflection(server: &SmallServer, token: &str) -> http::Response<hyper::body::Incoming> {
    let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let request = http::Request::post(format!("http://{}{path}", server.address))
        .header("content-type", "application/grpc")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>()));
    client(1 << 20).request(request.unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_stream_ends_with_the_token_it_was_opened_with() {
    let server = SmallServer::start(&Small::default(), ServerConfig::default()).await;
    let stream = reflection(&server, &ending_token(&server, 5)).await;
    let ended = tokio::time::timeout(PATIENCE, stream.into_body().collect()).await.expect("an end").unwrap();
    let status = ended.trailers().and_then(Status::from_header_map).unwrap();
    assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
    let _armed = fail_point::arm("", "without:service.token_end");
    let stream = reflection(&server, &ending_token(&server, 5)).await;
    let waited = tokio::time::timeout(Duration::from_secs(8), stream.into_body().collect()).await;
    assert!(waited.is_err(), "without the guard it goes on");
}

#[tokio::test]
async fn streams_that_describe_the_api_take_no_call_its_place() {
    let config = ServerConfig {
        in_flight: 4,
        deadline_seconds: 4,
        shares: ShareLimits { reflection: 16, ..ShareLimits::default() },
        ..ServerConfig::default()
    };
    let server = SmallServer::start(&Small::default(), config).await;
    let token = server.token("p");
    let (mut held, mut refused) = (Vec::new(), 0);
    for _ in 0..10 {
        let stream = reflection(&server, &token).await;
        refused += usize::from(Status::from_header_map(stream.headers()).is_some());
        held.push(stream);
    }
    assert_eq!(refused, 6, "a quarter for a peer");
    for _ in 0..10 {
        assert_eq!(server.wire.with_token(PATH, &token).await.unwrap().code(), Code::Ok);
    }
    let ended =
        tokio::time::timeout(PATIENCE, held.swap_remove(0).into_body().collect()).await.expect("an end").unwrap();
    assert_eq!(ended.trailers().and_then(Status::from_header_map).unwrap().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_second_message_of_a_single_call_is_refused() {
    let server = SmallServer::start(&Small::default(), ServerConfig::default()).await;
    let bearer = format!("Bearer {}", server.token("p"));
    let answer = server.wire.call(PATH, &[("authorization", &bearer)], &[EMPTY, EMPTY].concat()).await.unwrap();
    assert_eq!(answer.code(), Code::InvalidArgument, "{answer:?}");
}

#[tokio::test]
async fn what_looks_like_a_method_and_is_asked_for_as_a_file_is_not_found() {
    let server = SmallServer::start(&Small::default(), ServerConfig::default()).await;
    for path in ["/.git/config", "/a.b/c", "/nothing", "/insights.access.v1.AccessService/WhoAmI"] {
        let answer = reqwest::get(format!("http://{}{path}", server.address)).await.unwrap();
        assert_eq!(answer.status().as_u16(), 404, "{path}");
    }
}
