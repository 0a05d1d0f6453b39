//! What followers read: what changed, in order and without gaps, and the facts behind it.

mod changes;
mod facts;
mod history;
mod part;
mod partner;

pub(crate) use changes::{FeedPosition, next_changes, prune};
pub(crate) use facts::{CustomerSelection, FactsQuery, group};
pub(crate) use history::changed_since;
pub(crate) use partner::partner_facts;
