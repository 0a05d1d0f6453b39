//! The rollups of one partner in memory, and the answers to queries over them.
//!
//! A [`Cube`] is immutable: one version, always. [`Cube::apply`] gives the next one, sharing every chunk of customers in
//! which nothing changed. A query is compiled against the cube's dictionaries (`compile`), the chunks of the cube
//! (`data`) are scanned for it (`scan`), and the sums become an answer (`answer`); each folder uses those before it alone.

mod answer;
mod compile;
mod data;
mod scan;

pub use answer::blocks::Blocks;
pub use answer::explanation::ExplanationRow;
pub use answer::report::ReportRequest;
pub use answer::rows::{AnswerRow, Figure, FigureSource, QueryAnswer};
pub use data::cube::{Cube, CustomerUpdate, Visibility};
pub use data::subscriptions::ListedSubscription;

pub use crate::rollups::header::{CustomerHeader, PartnerHeader, SkuHeader, SubscriptionHeader, SupportMonth};

/// Dimensions one query may be split by.
pub const MAX_GROUP_BY: usize = 4;

#[cfg(test)]
mod tests;
