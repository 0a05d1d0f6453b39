//! The only place that knows SQLite from PostgreSQL.
//!
//! [`Database`] is a writer and a reader side by side: on SQLite one writing connection (transactions begin IMMEDIATE,
//! WAL, synchronous FULL) and a pool of readers, on PostgreSQL one pool for both. Small reads and writes go through
//! sea-orm on [`Database::reader`] or a [`Transaction`]; bulk reads and writes through [`bulk`], whose statements take a
//! whole column at a time. [`Database::migrate`] brings a service's own tables to this version.

mod backup;
pub mod bulk;
mod column;
mod connect;
mod error;
mod migrate;
mod postgres;
mod purge;
mod secret;

pub use connect::{Connections, Database, Engine, Options, Transaction};
pub use error::{Error, Result};
pub use migrate::{hot_table, migration_table};
pub use {sea_orm, sea_orm_migration};
