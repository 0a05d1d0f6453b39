//! What several families need: lists of what one customer has, and records that stand in for better ones.

pub(crate) mod by_use;
pub(crate) mod lists;
pub(crate) mod provisional;
