//! Makes a query ready for the columns: every filter, group and switch becomes a table over codes, once.

pub mod attribute_groups;
pub mod attribution_keys;
pub mod codes;
pub mod compiled_query;
pub mod dimensions;
pub mod keys;
pub mod predicate;
pub mod product_keys;
pub mod projection;
