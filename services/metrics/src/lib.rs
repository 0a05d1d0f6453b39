//! Turns facts into rollups and answers queries.
