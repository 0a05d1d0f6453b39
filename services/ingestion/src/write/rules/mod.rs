//! What each kind of fact does to what is stored.

pub(crate) mod activity;
mod activity_retraction;
pub(crate) mod fact_rows;
pub(crate) mod facts;
mod lower_bound;
pub(crate) mod retraction;
mod shard_dictionary;
mod subscriptions;
mod user_ids;
