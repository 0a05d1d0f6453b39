//! How servers and connections end.

use std::time::{Duration, Instant};

use insights_service::ServerConfig;
use insights_testkit::until;
use insights_tests::{
    small::{PATH, Small, SmallServer},
    wire::{EMPTY, Wire},
};
use tonic::Code;

#[tokio::test]
async fn calls_in_flight_end_before_the_server_does() {
    let small = Small::gated();
    let server = SmallServer::start(&small, ServerConfig { drain_delay_seconds: 1, ..ServerConfig::default() }).await;
    let (wire, token) = (server.wire.clone(), server.token("p"));
    let call = tokio::spawn(async move { wire.with_token(PATH, &token).await.unwrap() });
    small.wait_running(1).await;
    server.shutdown.cancel();
    // Balancers are told first, and for a second connections are still taken.
    let mut told = false;
    for _ in 0..100 {
        let Ok(health) = Wire::to(server.address).call("/grpc.health.v1.Health/Check", &[], EMPTY).await else { break };
        told = health.body.as_ref() == [0, 0, 0, 0, 2, 8, 2];
        if told {
            break;
        }
    }
    assert!(told, "NOT_SERVING before connections are refused");
    until("connections are refused", async || std::net::TcpStream::connect(server.address).is_err()).await;
    assert!(!server.ended.is_finished(), "a call is still running");
    small.gate.add_permits(1);
    assert_eq!(call.await.unwrap().code(), Code::Ok);
    drop(server.wire);
    tokio::time::timeout(Duration::from_secs(5), server.ended).await.unwrap().unwrap().unwrap();
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
    server.ended.await.unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
    drop(call);
}

#[tokio::test]
async fn old_connections_are_asked_to_go_without_losing_a_call() {
    let small = Small::default();
    let server =
        SmallServer::start(&small, ServerConfig { connection_age_seconds: 1, ..ServerConfig::default() }).await;
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, http_body_util::Empty<bytes::Bytes>>(executor, io).await.unwrap();
    let began = Instant::now();
    tokio::time::timeout(Duration::from_secs(5), connection).await.unwrap().unwrap();
    assert!(began.elapsed() >= Duration::from_millis(900));
    drop(sender);
    let token = server.token("p");
    let until = Instant::now() + Duration::from_millis(2500);
    while Instant::now() < until {
        assert_eq!(server.wire.with_token(PATH, &token).await.unwrap().code(), Code::Ok);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
