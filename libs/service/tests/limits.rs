//! Every limit of a server, at the limit and one beyond.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    io::Write,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use insights_service::{MessageLimits, ServerConfig};
use insights_testkit::{PATIENCE, until};
use insights_testkit::{
    small::{PATH, Small, SmallServer},
    wire::{Answer, EMPTY, Wire, frame},
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// A message of exactly so many bytes: one unknown field, which any message may carry.
fn message(bytes: usize) -> Vec<u8> {
    let tag = prost::encoding::encode_varint;
    for content in (0..=bytes).rev() {
        let mut message = Vec::new();
        tag(1000 << 3 | 2, &mut message);
        tag(content as u64, &mut message);
        message.resize(message.len() + content, b'x');
        if message.len() == bytes {
            return message;
        }
    }
    panic!("no message of {bytes} bytes");
}

fn reason(answer: &Answer) -> String {
    answer.status.as_ref().unwrap().get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

fn small_messages() -> ServerConfig {
    let messages = MessageLimits { request_bytes: 5000, response_bytes: 3000, ..MessageLimits::default() };
    ServerConfig { messages, ..ServerConfig::default() }
}

#[tokio::test]
async fn request_size() {
    let server = SmallServer::start(&Small::default(), small_messages()).await;
    let token = server.token("p");
    let bearer = format!("Bearer {token}");
    let send = async |body: &[u8]| server.wire.call(PATH, &[("authorization", &bearer)], body).await.unwrap();
    let at = send(&frame(&message(5000))).await;
    assert_eq!(at.code(), Code::Ok, "{at:?}");
    let over = send(&frame(&message(5001))).await;
    assert_eq!((over.code(), reason(&over).as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));
    // A length that is only claimed costs nothing and is refused.
    let claimed = send(&[0, 0xff, 0xff, 0xff, 0xff]).await;
    assert_eq!(claimed.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn decompressed_size() {
    let server = SmallServer::start(&Small::default(), small_messages()).await;
    let bearer = format!("Bearer {}", server.token("p"));
    let send = async |bytes: usize| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&message(bytes)).unwrap();
        let mut body = frame(&encoder.finish().unwrap());
        assert!(body.len() < bytes / 10, "what travels is small");
        body[0] = 1;
        server.wire.call(PATH, &[("authorization", &bearer), ("grpc-encoding", "gzip")], &body).await.unwrap()
    };
    let at = send(5000).await;
    assert_eq!(at.code(), Code::Ok, "{at:?}");
    let over = send(5001).await;
    assert_eq!((over.code(), reason(&over).as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"), "{over:?}");
    assert_eq!(send(30_000_000).await.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn response_size() {
    let small = Small::default();
    let server = SmallServer::start(&small, small_messages()).await;
    let token = server.token("p");
    for (bytes, code) in [(3000, Code::Ok), (3001, Code::ResourceExhausted)] {
        // The field's tag and length take three bytes.
        *small.answer.lock().unwrap() = Some(Ok("x".repeat(bytes - 3)));
        let answer = server.wire.with_token(PATH, &token).await.unwrap();
        assert_eq!(answer.code(), code, "{bytes}: {answer:?}");
        if code == Code::Ok {
            assert_eq!(answer.body.len(), bytes + 5);
        }
    }
}

#[tokio::test]
async fn header_size() {
    let config = ServerConfig { max_header_bytes: 8192, ..ServerConfig::default() };
    let server = SmallServer::start(&Small::default(), config).await;
    let bearer = format!("Bearer {}", server.token("p"));
    // HTTP/2 counts each field with its name and 32 bytes.
    let send = async |bytes: usize| {
        server.wire.call(PATH, &[("authorization", &bearer), ("x", &"x".repeat(bytes))], EMPTY).await
    };
    assert_eq!(send(5000).await.unwrap().code(), Code::Ok);
    for bytes in [8192, 1_000_000] {
        assert!(send(bytes).await.map_or(true, |answer| answer.code() != Code::Ok), "{bytes}");
    }
    assert_eq!(send(10).await.unwrap().code(), Code::Ok, "the server lives on");
}

#[tokio::test]
async fn streams_per_connection() {
    let small = Small::gated();
    let config = ServerConfig { streams_per_connection: 3, ..ServerConfig::default() };
    let server = SmallServer::start(&small, config).await;
    let token = server.token("p");
    // The first call tells the client the server's settings.
    small.gate.add_permits(1);
    server.wire.with_token(PATH, &token).await.unwrap();
    let calls: Vec<_> = (0..4).map(|_| tokio::spawn(call(server.wire.clone(), token.clone()))).collect();
    small.wait_running(3).await;
    // Another connection has its own three; while much comes in there, the fourth waits on the first.
    let another = Wire::to(server.address);
    for _ in 0..20 {
        another.call("/grpc.health.v1.Health/Check", &[], EMPTY).await.unwrap();
    }
    assert_eq!(small.running.load(Ordering::SeqCst), 3, "the fourth waits on its connection");
    let other = tokio::spawn(call(another, token.clone()));
    small.wait_running(4).await;
    small.gate.add_permits(5);
    for call in calls.into_iter().chain([other]) {
        assert_eq!(call.await.unwrap().code(), Code::Ok);
    }
}

async fn call(wire: Wire, token: String) -> Answer {
    wire.with_token(PATH, &token).await.unwrap()
}

#[tokio::test]
async fn calls_in_flight() {
    let small = Small::gated();
    let config = ServerConfig { in_flight: 4, ..ServerConfig::default() };
    let server = SmallServer::start(&small, config).await;
    let calls: Vec<_> =
        (0..4).map(|number| tokio::spawn(call(server.wire.clone(), server.token(&format!("p{number}"))))).collect();
    small.wait_running(4).await;
    let shed = call(server.wire.clone(), server.token("p9")).await;
    assert_eq!((shed.code(), reason(&shed).as_str()), (Code::ResourceExhausted, "BUSY"));
    assert!(shed.status.unwrap().get_error_details().retry_info().is_some());
    let probe = server.wire.call("/grpc.health.v1.Health/Check", &[], EMPTY).await.unwrap();
    assert_eq!(probe.code(), Code::Ok, "a busy process is alive");
    small.gate.add_permits(4);
    for call in calls {
        assert_eq!(call.await.unwrap().code(), Code::Ok);
    }
    small.gate.close();
    assert_eq!(call(server.wire.clone(), server.token("p9")).await.code(), Code::Ok, "the slots came back");
}

#[tokio::test]
async fn a_partners_share() {
    let small = Small::gated();
    let config = ServerConfig { in_flight_per_partner: 2, ..ServerConfig::default() };
    let server = SmallServer::start(&small, config).await;
    let storm: Vec<_> = (0..2).map(|_| tokio::spawn(call(server.wire.clone(), server.token("storm")))).collect();
    small.wait_running(2).await;
    let over = call(server.wire.clone(), server.token("storm")).await;
    assert_eq!((over.code(), reason(&over).as_str()), (Code::ResourceExhausted, "QUOTA_EXCEEDED"));
    let calm = tokio::spawn(call(server.wire.clone(), server.token("calm")));
    small.wait_running(3).await;
    small.gate.add_permits(3);
    for call in storm.into_iter().chain([calm]) {
        assert_eq!(call.await.unwrap().code(), Code::Ok);
    }
    small.gate.close();
    assert_eq!(call(server.wire.clone(), server.token("storm")).await.code(), Code::Ok, "the share came back");
}

#[tokio::test]
async fn a_partners_rate() {
    let config = ServerConfig { calls_per_second_per_partner: 1, ..ServerConfig::default() };
    let server = SmallServer::start(&Small::default(), config).await;
    let (storm, calm) = (server.token("storm"), server.token("calm"));
    let (began, mut passed) = (Instant::now(), 0);
    let refused = loop {
        let answer = server.wire.with_token(PATH, &storm).await.unwrap();
        if answer.code() != Code::Ok {
            break answer;
        }
        // A slow machine makes few calls a second.
        passed += 1;
        assert!(passed <= 1 + began.elapsed().as_secs(), "{passed} calls in {:?}", began.elapsed());
    };
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "QUOTA_EXCEEDED"));
    assert_eq!(server.wire.with_token(PATH, &calm).await.unwrap().code(), Code::Ok, "another partner's is its own");
    let details = refused.status.as_ref().unwrap().get_error_details();
    tokio::time::sleep(details.retry_info().unwrap().retry_delay.unwrap()).await;
    assert_eq!(server.wire.with_token(PATH, &storm).await.unwrap().code(), Code::Ok, "when it says so");
}

#[tokio::test]
async fn deadlines_cancel_the_handler() {
    // Of caller and server the one with less patience counts.
    for (timeout, deadline_seconds) in [(Some("150m"), 600), (Some("1H"), 1), (Some("nonsense"), 1), (None, 1)] {
        let small = Small::gated();
        let config = ServerConfig { deadline_seconds, ..ServerConfig::default() };
        let server = SmallServer::start(&small, config).await;
        let bearer = format!("Bearer {}", server.token("p"));
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(timeout.map(|timeout| ("grpc-timeout", timeout)));
        let began = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, server.wire.call(PATH, &headers, EMPTY)).await.unwrap().unwrap();
        let took = began.elapsed();
        assert_eq!(
            (answer.code(), reason(&answer).as_str()),
            (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
            "{timeout:?}"
        );
        let least = Duration::from_millis(if timeout == Some("150m") { 120 } else { 1000 });
        assert!(took >= least - Duration::from_millis(10), "{timeout:?}: {took:?}");
        until("the handler is left", async || small.left.load(Ordering::SeqCst) == 1).await;
    }
}

#[tokio::test]
async fn faulty_limits_are_all_reported() {
    let text = "in_flight = 0\nmax_header_bytes = 1\nstreams = 7\ndeadline_seconds = \"soon\"\n[messages]\nrequest_bytes = 3\nfoo = 1\n";
    let faults = insights_service::load::<ServerConfig>(text).unwrap_err();
    let mut settings: Vec<_> = faults.0.iter().map(|fault| fault.setting.as_str()).collect();
    settings.sort_unstable();
    let expected =
        ["deadline_seconds", "in_flight", "max_header_bytes", "messages.foo", "messages.request_bytes", "streams"];
    assert_eq!(settings, expected, "{faults}");
    let read = insights_service::load::<ServerConfig>("in_flight = 7\n[messages]\nrequest_bytes = 4096\n").unwrap();
    assert_eq!((read.in_flight, read.messages.request_bytes, read.streams_per_connection), (7, 4096, 256));
}

#[tokio::test]
async fn a_handlers_own_status_is_kept() {
    let small = Small::default();
    let server = SmallServer::start(&small, ServerConfig::default()).await;
    let token = server.token("p");
    let violation = insights_service::Error::invalid("query.from_month", "is no month");
    *small.answer.lock().unwrap() = Some(Err(Status::from(violation)));
    let answer = server.wire.with_token(PATH, &token).await.unwrap();
    assert_eq!(answer.code(), Code::InvalidArgument);
    let details = answer.status.unwrap().get_error_details();
    assert_eq!(details.bad_request().unwrap().field_violations[0].field, "query.from_month");
    assert_eq!(details.error_info().unwrap().domain, "insights");
}
