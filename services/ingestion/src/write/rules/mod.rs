//! The rules by which each kind of fact changes what is stored.

pub(crate) mod activity;
pub(crate) mod activity_retraction;
pub(crate) mod coverage;
pub(crate) mod customer_lists;
pub(crate) mod fact_rows;
pub(crate) mod facts;
mod identity;
mod list_effects;
mod lower_bound;
pub(crate) mod retraction;
mod shard_dictionary;
mod subscriptions;
mod user_ids;
