//! A slow, obviously correct reading of the definitions; shares no crate of the workspace.
//!
//! It reads our own records in their order, keeps the ones that stand, looks at every subscription on every snapshot day and
//! answers each cell of a query on its own: a group value is one more filter. Nothing is shared between cells, nothing is
//! kept between queries. Changes are written from the definitions, never from the product's code.

pub mod answer;
pub mod calendar;
pub mod canonical;
pub mod cell;
pub mod counted;
pub mod explain;
pub mod fields;
pub mod ledger;
pub mod lists;
pub mod query;
pub mod record;
pub mod snapshot;
pub mod spelling;

pub use answer::answer;
pub use counted::Facts;
pub use explain::explain;
pub use ledger::Ledger;
pub use query::Query;
