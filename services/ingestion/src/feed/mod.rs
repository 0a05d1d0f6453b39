//! What followers read: what changed, in order and without gaps, and the facts behind it.

mod changes;
mod facts;
mod history;
mod part;
mod partner;

pub(crate) use changes::{Position, next_changes, prune};
pub(crate) use facts::{Asked, Selection, group};
pub(crate) use history::changed_since;
pub(crate) use partner::partner_facts;
