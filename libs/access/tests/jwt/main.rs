//! Attacks on tokens, with real keys and real tokens over real HTTP/2.
#![allow(clippy::unwrap_used, reason = "tests")]

mod attacks;
mod authorities;
mod claims;
mod harm;
mod providers;
mod rotation;
mod server;
mod services;
