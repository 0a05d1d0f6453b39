//! What followers read: what changed, in order and without gaps, and the facts behind it.

mod absences;
mod changes;
mod facts;
mod part;
mod partner;

pub(crate) use changes::{FeedPosition, next_changes, prune};
pub(crate) use facts::{FactsQuery, FeedSelection, group, group_in};
pub(crate) use partner::{partner_facts, partner_facts_in};
