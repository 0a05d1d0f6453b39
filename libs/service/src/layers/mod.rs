//! The layers of a server, one file each.

pub(crate) mod deadline;
pub(crate) mod intake;
pub(crate) mod limit;
pub(crate) mod media;
pub(crate) mod observe;
pub(crate) mod places;
pub(crate) mod quota;
pub(crate) mod token_end;
pub(crate) mod unread;
pub(crate) mod used;
pub(crate) mod web;

use axum::{body::Body, response::Response};
use http_body_util::BodyExt;

/// Keeps something until the response's body is gone, not only until it began.
pub(crate) fn hold<T: Send + 'static>(response: Response, held: T) -> Response {
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _ = &held;
            frame
        }))
    })
}
