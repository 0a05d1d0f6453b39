//! Rollups as they are stored: three tables, bodies with a format version, and how far they are.

mod entities;
pub mod header;
mod header_encoding;
mod migrations;
pub mod model;
pub mod month_encoding;
#[cfg(test)]
mod reads_tests;
mod store;
mod write;

pub use header_encoding::{read_customer, read_partner, write_customer, write_partner};
pub use migrations::Migrator;
pub use store::{MonthRows, RollupError, RollupPartner, Store};
pub use write::{Application, Applied, RollupPosition};

/// A customer within its partner: its cell and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellCustomer {
    /// The cell.
    pub cell: i32,
    /// The number.
    pub customer: i64,
}
