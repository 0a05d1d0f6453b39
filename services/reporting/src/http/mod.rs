//! What is served by plain HTTP: the web page and the files of exports.

mod development;
mod downloads;
mod headers;
mod page;
mod sign_in;

use axum::Router;

use crate::exports::Exports;

pub use development::{DevelopmentToken, DevelopmentTokens};
pub use sign_in::{SignInConfig, TokenKind};

/// The routes of the page and of downloads; with `tokens`, ready sign-ins for callers on this machine.
pub fn router(tokens: Option<DevelopmentTokens>, sign_in: &SignInConfig, exports: Exports) -> Router {
    page::router(tokens, sign_in).merge(downloads::router(exports, sign_in))
}
