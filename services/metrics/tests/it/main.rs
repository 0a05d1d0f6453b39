//! The metrics service against a feed that the test holds in its hands, on SQLite and PostgreSQL.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod answers;
mod fake_feed;
mod faults;
mod following;
mod stories;
mod streams;
mod world;
