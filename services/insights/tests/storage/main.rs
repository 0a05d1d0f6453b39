//! What is stored: versions of tables, backups.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod backup;
mod installation;
mod private;
mod schema;
