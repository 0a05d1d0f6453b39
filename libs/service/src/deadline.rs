//! Until when a call may take, and bodies that end when told.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header::HeaderName};
use http_body::Frame;
use tonic::Status;

/// Until when the call must be answered; a request's extension. Handlers that wait for something wait no longer.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(pub Instant);

impl Deadline {
    /// The time left.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The `grpc-timeout` of a request: at most eight digits and a unit. What is no timeout is as none.
pub(crate) fn asked(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

/// A body that ends with a status as soon as something happens: a deadline, a shutdown.
pub(crate) struct EndingBody {
    inner: Option<Body>,
    end: Pin<Box<dyn Future<Output = Status> + Send>>,
    /// It ends also when there is more to send; else what is there is sent first.
    at_once: bool,
}

impl EndingBody {
    pub(crate) fn wrap(inner: Body, end: impl Future<Output = Status> + Send + 'static) -> Body {
        Body::new(Self { inner: Some(inner), end: Box::pin(end), at_once: false })
    }

    /// The same for an end that a caller who goes on reading does not put off.
    pub(crate) fn at_once(inner: Body, end: impl Future<Output = Status> + Send + 'static) -> Body {
        Body::new(Self { inner: Some(inner), end: Box::pin(end), at_once: true })
    }
}

impl http_body::Body for EndingBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let Some(inner) = this.inner.as_mut() else { return Poll::Ready(None) };
        let mut end = if this.at_once { this.end.as_mut().poll(context) } else { Poll::Pending };
        if end.is_pending() {
            if let Poll::Ready(frame) = Pin::new(inner).poll_frame(context) {
                return Poll::Ready(frame);
            }
            if !this.at_once {
                end = this.end.as_mut().poll(context);
            }
        }
        let Poll::Ready(status) = end else { return Poll::Pending };
        // Dropping the body drops the handler's stream, and with it whatever it was doing.
        this.inner = None;
        let mut trailers = HeaderMap::new();
        if status.add_header(&mut trailers).is_err() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(|inner| inner.is_end_stream())
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read() {
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(GRPC_TIMEOUT, http::HeaderValue::from_static(text));
            asked(&headers)
        };
        assert_eq!(read("2S"), Some(Duration::from_secs(2)));
        assert_eq!(read("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        assert_eq!(read("100m"), Some(Duration::from_millis(100)));
        for wrong in ["", "S", "100000000S", "-1S", "1", "1x", "1 S"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
