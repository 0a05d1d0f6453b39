//! What leaves as an error leaves in order: with an `ErrorInfo` always, and with nothing of ours when the fault is ours.

use http::HeaderMap;
use tonic::{Code, Status};

use crate::{
    BoxError,
    status::{internal, plain},
};

/// Replaces the status in the headers or trailers where it was not made by `status.rs` or the access layer, such as those of
/// the gRPC library. Returns the code found.
pub(crate) fn seal(headers: &mut HeaderMap) -> Option<Code> {
    let status = Status::from_header_map(headers)?;
    if status.code() == Code::Ok || !status.details().is_empty() {
        return Some(status.code());
    }
    let sealed = orderly(&status);
    let code = sealed.code();
    for name in ["grpc-status", "grpc-message", "grpc-status-details-bin"] {
        headers.remove(name);
    }
    // It fails only for texts that are no header values; ours are.
    if sealed.add_header(headers).is_err() {
        headers.insert("grpc-status", http::HeaderValue::from_static("13"));
    }
    Some(code)
}

fn orderly(status: &Status) -> Status {
    let text = status.message();
    match status.code() {
        Code::OutOfRange if text.contains("message length too large") => {
            plain(Code::ResourceExhausted, text, "MESSAGE_TOO_LARGE")
        }
        Code::ResourceExhausted if text.contains("size limit") => {
            plain(Code::ResourceExhausted, text, "MESSAGE_TOO_LARGE")
        }
        Code::Internal if is_bad_message(text) => {
            plain(Code::InvalidArgument, "The message cannot be read.", "MESSAGE_MALFORMED")
        }
        Code::Internal | Code::Unknown | Code::DataLoss => internal(&BoxError::from(text)),
        Code::Unimplemented => plain(Code::Unimplemented, "There is no such method.", "METHOD_UNKNOWN"),
        other => plain(other, text, &reason(other)),
    }
}

/// The gRPC library calls what a caller sent wrong an internal error.
fn is_bad_message(text: &str) -> bool {
    [
        "failed to decode Protobuf",
        "Unexpected EOF decoding",
        "Missing request message",
        "protocol error: received message",
        "Error decompressing",
    ]
    .iter()
    .any(|start| text.starts_with(start))
}

fn reason(code: Code) -> String {
    let mut reason = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !reason.is_empty() {
            reason.push('_');
        }
        reason.push(letter.to_ascii_uppercase());
    }
    reason
}
