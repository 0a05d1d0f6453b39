//! What every server does alike: pages and calls on one port, health, reflection, sealed errors, an orderly end.
#![allow(clippy::unwrap_used, reason = "tests")]

mod connections;
mod end;
mod errors;
mod paths;
