//! Normalisation of error statuses: each leaves with an `ErrorInfo`, and says nothing about our side when the fault is ours.

use http::HeaderMap;
use tonic::{Code, Status};

use crate::{
    BoxError,
    code::code_name,
    status::{cut, internal, plain},
};

/// What is wrong with a body that should be base64. The library makes an internal error of it, which is told by this text.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body is not base64")]
pub(crate) struct NotBase64;

/// Replaces a status in headers or trailers that neither `status.rs` nor the access layer made, such as one of the gRPC library, and
/// cuts one that is too large for clients.
/// Returns the code found.
pub(crate) fn normalise(headers: &mut HeaderMap) -> Option<Code> {
    let status = Status::from_header_map(headers)?;
    if status.code() == Code::Ok {
        return Some(status.code());
    }
    let normal = if status.details().is_empty() { Some(normal(&status)) } else { None };
    let normal = match cut(normal.as_ref().unwrap_or(&status)).or(normal) {
        Some(normal) => normal,
        None => return Some(status.code()),
    };
    let code = normal.code();
    for name in ["grpc-status", "grpc-message", "grpc-status-details-bin"] {
        headers.remove(name);
    }
    // It fails only for texts that are no header values; ours are.
    if normal.add_header(headers).is_err() {
        headers.insert("grpc-status", http::HeaderValue::from_static("13"));
    }
    Some(code)
}

fn normal(status: &Status) -> Status {
    let text = status.message();
    match status.code() {
        Code::OutOfRange if text.contains("message length too large") => {
            plain(Code::ResourceExhausted, text, "MESSAGE_TOO_LARGE")
        }
        Code::ResourceExhausted if text.contains("size limit") => {
            plain(Code::ResourceExhausted, text, "MESSAGE_TOO_LARGE")
        }
        Code::Internal if text.contains(&NotBase64.to_string()) => {
            plain(Code::InvalidArgument, "The body cannot be read as base64.", "MESSAGE_MALFORMED")
        }
        Code::Internal if is_bad_message(text) => {
            plain(Code::InvalidArgument, "The message cannot be read.", "MESSAGE_MALFORMED")
        }
        Code::Internal | Code::Unknown | Code::DataLoss => internal(&BoxError::from(text)),
        Code::Unimplemented if text.starts_with("Content is compressed with") => {
            plain(Code::Unimplemented, &encoding(text), "ENCODING_UNSUPPORTED")
        }
        Code::Unimplemented => plain(Code::Unimplemented, "There is no such method.", "METHOD_UNKNOWN"),
        other => plain(other, text, code_name(other)),
    }
}

/// Names the encoding that the gRPC library quotes; which ones are read stands beside it, in `grpc-accept-encoding`.
fn encoding(text: &str) -> String {
    let named = text.split('`').nth(1).unwrap_or_default();
    format!("Messages in the encoding \"{named}\" are not read; send them as gzip or as they are.")
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
