//! Turns facts into rollups and answers queries.

pub mod config;
pub mod cube;
pub mod query;
