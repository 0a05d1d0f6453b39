//! How servers and connections end.

use std::time::{Duration, Instant};

use insights_service::ServerConfig;
use insights_testkit::{PATIENCE, until};
use insights_testkit::{
    small::{PATH, Small, SmallServer},
    wire::{EMPTY, Wire},
};
use tonic::Code;

#[tokio::test]
async fn balancers_are_told_before_connections_are_refused() {
    let config = ServerConfig { drain_delay_seconds: 600, ..ServerConfig::default() };
    let server = SmallServer::start(&Small::default(), config).await;
    server.shutdown.cancel();
    until("NOT_SERVING", async || {
        let health = Wire::to(server.address).call("/grpc.health.v1.Health/Check", &[], EMPTY).await;
        health.expect("connections are still taken").body.as_ref() == [0, 0, 0, 0, 2, 8, 2]
    })
    .await;
    // Calls as well: balancers may need a while.
    assert_eq!(server.wire.with_token(PATH, &server.token("p")).await.unwrap().code(), Code::Ok);
}

#[tokio::test]
async fn calls_in_flight_end_before_the_server_does() {
    let small = Small::gated();
    let server = SmallServer::start(&small, ServerConfig { drain_seconds: 600, ..ServerConfig::default() }).await;
    let (wire, token) = (server.wire.clone(), server.token("p"));
    let call = tokio::spawn(async move { wire.with_token(PATH, &token).await.unwrap() });
    small.wait_running(1).await;
    server.shutdown.cancel();
    until("connections are refused", async || std::net::TcpStream::connect(server.address).is_err()).await;
    assert!(!server.ended.is_finished(), "a call is still running");
    small.gate.add_permits(1);
    assert_eq!(call.await.unwrap().code(), Code::Ok);
    drop(server.wire);
    tokio::time::timeout(PATIENCE, server.ended).await.expect("the server ends").unwrap().unwrap();
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_off() {
    let small = Small::gated();
    let server = SmallServer::start(&small, ServerConfig { drain_seconds: 1, ..ServerConfig::default() }).await;
    let (wire, token) = (server.wire.clone(), server.token("p"));
    let call = tokio::spawn(async move { wire.with_token(PATH, &token).await.is_err() });
    small.wait_running(1).await;
    let began = Instant::now();
    server.shutdown.cancel();
    tokio::time::timeout(PATIENCE, server.ended).await.expect("the server ends").unwrap().unwrap();
    assert!(began.elapsed() >= Duration::from_millis(900), "calls have a second: {:?}", began.elapsed());
    drop(call);
}

#[tokio::test]
async fn old_connections_are_asked_to_go_without_losing_a_call() {
    let small = Small::default();
    let server =
        SmallServer::start(&small, ServerConfig { connection_age_seconds: 1, ..ServerConfig::default() }).await;
    let began = Instant::now();
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, http_body_util::Empty<bytes::Bytes>>(executor, io).await.unwrap();
    tokio::time::timeout(PATIENCE, connection).await.expect("the connection ends").unwrap();
    assert!(began.elapsed() >= Duration::from_millis(900));
    drop(sender);
    let token = server.token("p");
    let until = Instant::now() + Duration::from_millis(2500);
    while Instant::now() < until {
        assert_eq!(server.wire.with_token(PATH, &token).await.unwrap().code(), Code::Ok);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
