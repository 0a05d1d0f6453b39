//! What is served by plain HTTP: the web page and the files of exports.

mod development;
mod downloads;
mod headers;
mod page;

use axum::Router;

use crate::exports::Exports;

pub use development::{DevelopmentToken, DevelopmentTokens};

/// The routes of the page and of downloads; with `tokens`, ready sign-ins for callers on this machine.
pub fn router(tokens: Option<DevelopmentTokens>, exports: Exports) -> Router {
    page::router(tokens).merge(downloads::router(exports))
}
