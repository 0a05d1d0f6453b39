//! What leaves as an error.

use insights_service::{Error, INTERNAL_TEXT, ServerConfig, forward};
use insights_testkit::{
    small::{PATH, Small, SmallServer},
    wire::frame,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

#[tokio::test]
async fn internal_errors_leave_as_one_sentence_with_the_request_id() {
    let small = Small::default();
    let server = SmallServer::start(&small, ServerConfig::default()).await;
    let token = server.token("p");
    let secret = "SELECT * FROM fact WHERE password = 'hunter2'";
    for status in [
        Status::internal(secret),
        Status::unknown(secret),
        Status::data_loss(secret),
        Status::from(Error::internal(secret)),
        forward(Status::internal(secret)),
        forward(Status::unauthenticated(secret)),
        forward(Status::unimplemented(secret)),
    ] {
        *small.answer.lock().unwrap() = Some(Err(status.clone()));
        let answer = server.wire.with_token(PATH, &token).await.unwrap();
        assert!(!format!("{answer:?}").contains("hunter2"), "{answer:?}");
        let sent = answer.status.unwrap();
        assert_eq!((sent.code(), sent.message()), (Code::Internal, INTERNAL_TEXT), "{status:?}");
        let details = sent.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.domain.as_str(), info.reason.as_str()), ("insights", "INTERNAL"));
        assert_eq!(info.metadata["request_id"].len(), 16);
        if status.details().is_empty() {
            assert_eq!(info.metadata["request_id"], answer.headers["x-request-id"].to_str().unwrap());
        }
    }
}

#[tokio::test]
async fn a_library_s_errors_leave_in_order() {
    let small = Small::default();
    let server = SmallServer::start(&small, ServerConfig::default()).await;
    let bearer = format!("Bearer {}", server.token("p"));
    let headers = [("authorization", bearer.as_str())];
    for (what, body) in [
        ("no message", vec![]),
        ("cut short", vec![0, 0, 0, 0, 9, 1]),
        ("not protobuf", frame(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")),
        ("a flag that is none", vec![7, 0, 0, 0, 0]),
        ("compressed, says the flag alone", vec![1, 0, 0, 0, 0]),
    ] {
        let answer = server.wire.call(PATH, &headers, &body).await.unwrap();
        assert_eq!(answer.code(), Code::InvalidArgument, "{what}: {answer:?}");
        let details = answer.status.unwrap().get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "MESSAGE_MALFORMED", "{what}");
    }
    let answer = server.wire.call(PATH, &[headers[0], ("grpc-encoding", "zstd")], &frame(b"")).await.unwrap();
    assert_eq!(answer.code(), Code::Unimplemented);
    assert!(answer.status.unwrap().get_error_details().error_info().is_some());
}

#[test]
fn each_error_has_its_code_and_details() {
    let code = |error: Error| {
        let status = Status::from(error);
        assert_eq!(status.get_error_details().error_info().unwrap().domain, "insights");
        (status.code(), status.get_error_details().retry_info().is_some())
    };
    assert_eq!(code(Error::not_found("customer C-1")), (Code::NotFound, false));
    assert_eq!(code(Error::conflict("the id was used")), (Code::AlreadyExists, false));
    assert_eq!(code(Error::invalid("f", "is wrong")), (Code::InvalidArgument, false));
    assert_eq!(code(Error::exhausted("too many rows")), (Code::ResourceExhausted, false));
    assert_eq!(code(Error::unavailable("the database is away")), (Code::Unavailable, true));
    assert_eq!(code(Error::out_of_range("no such version")), (Code::OutOfRange, false));
    assert_eq!(code(Error::aborted("start over")), (Code::Aborted, false));
    assert_eq!(code(Error::deadline_exceeded("not in time")), (Code::DeadlineExceeded, false));
    assert_eq!(code(Error::internal("boom")), (Code::Internal, false));
}

#[test]
fn another_services_answer_keeps_its_details() {
    let theirs = Status::from(Error::invalid("query.measures", "is empty"));
    let ours = forward(theirs.clone());
    assert_eq!((ours.code(), ours.message(), ours.details()), (theirs.code(), theirs.message(), theirs.details()));
    assert!(forward(Status::unavailable("tcp 10.0.0.7:1 refused")).get_error_details().retry_info().is_some());
    assert!(!forward(Status::unavailable("tcp 10.0.0.7:1 refused")).message().contains("10.0.0.7"));
}
