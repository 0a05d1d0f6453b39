//! Rollups as they are stored: three tables, bodies with a format version, and how far they are.

pub mod body;
mod entities;
mod header_body;
mod migrations;
pub mod model;
mod store;
mod write;

pub use header_body::{read_customer, read_partner, write_customer, write_partner};
pub use migrations::Migrator;
pub use store::{MonthRows, PartnerRow, Store, StoreError};
pub use write::{Application, Position};

/// A customer within its partner: its cell and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerKey {
    /// The cell.
    pub cell: i32,
    /// The number.
    pub customer: i64,
}
