//! Starts what tests need: a throw-away PostgreSQL, a whole product in one process, tokens.

mod postgres;

pub use postgres::{Postgres, TempDatabase, sql};
