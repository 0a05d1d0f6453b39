//! What a cube holds: customers in chunks, their attributes and figures as columns. Nothing here knows of queries.

pub mod builder;
pub mod chunk;
pub mod columns;
pub mod counts;
pub mod cube;
pub mod dictionary;
pub mod months;
pub mod pre_aggregates;
pub mod subscriptions;
