//! The access table, proved: every method and measure, every role, through a real server with real tokens.
#![allow(clippy::unwrap_used, reason = "tests")]

mod identical;
mod marked_partners;
mod measures;
mod methods;
mod options;
mod previews;
mod redaction;
mod scope;
mod table;
