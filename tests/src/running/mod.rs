//! Installations of the real binary, in processes that tests start, halt and kill, with writers and readers who note what they were
//! promised.

pub mod check;
pub mod facts;
pub mod figures;
pub mod ledger;
pub mod place;
pub mod reader;
pub mod writer;

pub use place::{Kind, Place};

/// The partner that everybody writes for and asks about.
pub const PARTNER: &str = "acme";

/// Whether the long form of a test is wanted.
#[must_use]
pub fn long() -> bool {
    std::env::var_os("INSIGHTS_LONG").is_some()
}
