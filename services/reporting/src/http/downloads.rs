//! `GET /exports/{id}?ticket=…`: downloads the file of an export, whole or a range of it.

use std::io::ErrorKind;
use std::ops::Range;

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use insights_proto::reporting::v1::{ExportOrder, ExportState};
use insights_service::fail_point;
use prost::Message;
use tonic::Code;

use super::headers::{add_security_headers, content_policy};
use super::sign_in::SignInConfig;
use crate::exports::{ExportJob, Exports, ending};

/// The route of downloads, uncompressed: a range of a file is a range of its bytes.
pub fn router(exports: Exports, sign_in: &SignInConfig) -> Router {
    let router = Router::new().route("/exports/{id}", get(download)).with_state(exports);
    router.layer(from_fn_with_state(content_policy(sign_in), add_security_headers))
}

async fn download(State(exports): State<Exports>, Path(id): Path<String>, request: Request) -> Response {
    let Some(secret) = secret(request.uri().query().unwrap_or_default()) else { return absent() };
    let (ticket, job) = match exports.redeem(secret, &id).await {
        Ok(Some((ticket, Some(job)))) if job.state == i32::from(ExportState::Done) => (ticket, job),
        Ok(Some((ticket, _))) => {
            // The download is refused either way; a failure to audit it was logged.
            let _ = exports.record_download(&ticket, &id, Code::NotFound, None).await;
            return absent();
        }
        Ok(None) => return absent(),
        Err(error) => {
            tracing::warn!(%error, "cannot look up a download ticket");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let size = u64::try_from(job.byte_count).unwrap_or_default();
    let tag = format!("\"{}\"", job.sha256);
    let range = match wanted(request.headers(), &tag, size) {
        Ok(range) => range,
        Err(Beyond) => {
            let whole = format!("bytes */{size}");
            return (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, whole)]).into_response();
        }
    };
    if exports.record_download(&ticket, &id, Code::Ok, Some(&job)).await.is_err()
        && fail_point::guard_holds("reporting.audit")
    {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let bytes = range.clone().unwrap_or(0..size);
    let mut headers = headers(&job, &tag, &bytes);
    let status = if range.is_some() {
        let part = format!("bytes {}-{}/{size}", bytes.start, bytes.end.saturating_sub(1));
        headers.extend(HeaderValue::try_from(part).map(|value| (header::CONTENT_RANGE, value)));
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    if request.method() == Method::HEAD {
        return (status, headers).into_response();
    }
    match exports.file(&job, bytes).await {
        Ok(stream) => (status, headers, Body::from_stream(stream)).into_response(),
        Err(error) => {
            tracing::error!(%error, export = job.export_id, "cannot read the file of an export");
            match error.kind() {
                ErrorKind::NotFound => absent(),
                ErrorKind::NotConnected => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        }
    }
}

/// The same answer for an unknown ticket, an expired one, another export's, and an unknown export.
fn absent() -> Response {
    (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")]).into_response()
}

fn secret(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("ticket=")).filter(|secret| !secret.is_empty())
}

/// The range begins after the end of the file.
struct Beyond;

/// The requested range; `None` for the whole file, as for any range that is not understood, and for a range of another
/// version of the file (If-Range).
fn wanted(headers: &HeaderMap, tag: &str, size: u64) -> Result<Option<Range<u64>>, Beyond> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|known| known != tag) {
        return Ok(None);
    }
    let Some(range) = text(header::RANGE).and_then(|range| range.trim().strip_prefix("bytes=")) else {
        return Ok(None);
    };
    let Some((first, last)) = range.split_once('-').filter(|_| !range.contains(',')) else { return Ok(None) };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => return Ok(None),
        (Some(first), Some(last)) => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.trim().is_empty() => first..size,
        (None, Some(last)) if first.trim().is_empty() => size.saturating_sub(last)..size,
        _ => return Ok(None),
    };
    if range.is_empty() || range.start >= size { Err(Beyond) } else { Ok(Some(range)) }
}

fn headers(job: &ExportJob, tag: &str, bytes: &Range<u64>) -> HeaderMap {
    let format = ExportOrder::decode(job.order_body.as_slice()).unwrap_or_default().format();
    let length = (bytes.end - bytes.start).to_string();
    let values = [
        (header::CONTENT_TYPE, ending(format).1.to_owned()),
        (header::CONTENT_LENGTH, length),
        (header::CONTENT_DISPOSITION, disposition(&job.file_name)),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, tag.to_owned()),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    values.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?))).collect()
}

/// Content-Disposition (RFC 6266) with an ASCII name, and the exact name in the encoding of RFC 8187.
fn disposition(name: &str) -> String {
    use std::fmt::Write;
    let plain: String = name
        .chars()
        .map(
            |letter| {
                if letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '-' | '_' | '.') { letter } else { '_' }
            },
        )
        .collect();
    let mut exact = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            exact.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(exact, "%{byte:02X}");
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_says() {
        let of = |range: &str| {
            let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::try_from(range).expect("a header"))]);
            wanted(&headers, "\"t\"", 100).map_err(|_| ())
        };
        assert_eq!(of("bytes=0-9"), Ok(Some(0..10)));
        assert_eq!(of("bytes=90-"), Ok(Some(90..100)));
        assert_eq!(of("bytes=-5"), Ok(Some(95..100)));
        assert_eq!(of("bytes=-500"), Ok(Some(0..100)));
        assert_eq!(of("bytes=50-500"), Ok(Some(50..100)));
        for beyond in ["bytes=100-", "bytes=-0"] {
            assert_eq!(of(beyond), Err(()), "{beyond}");
        }
        for whole in ["bytes=0-1,5-6", "bytes=9-0", "bytes=x-", "lines=0-1", "bytes=", "bytes=-"] {
            assert_eq!(of(whole), Ok(None), "{whole}");
        }
        let other = HeaderMap::from_iter([
            (header::RANGE, HeaderValue::from_static("bytes=0-9")),
            (header::IF_RANGE, HeaderValue::from_static("\"another\"")),
        ]);
        assert!(matches!(wanted(&other, "\"t\"", 100), Ok(None)));
    }

    #[test]
    fn names_cannot_leave_their_header() {
        for name in ["a\r\nSet-Cookie: x=1.csv", "\"; x=\"y", "../../x", "Março.csv"] {
            let value = disposition(name);
            assert!(HeaderValue::try_from(&value).is_ok(), "{value}");
            assert_eq!(value.matches('"').count(), 2, "{value}");
            assert!(!value.contains('/') && !value.contains('\n'), "{value}");
        }
        assert!(disposition("Março.csv").ends_with("filename*=UTF-8''Mar%C3%A7o.csv"));
    }
}
