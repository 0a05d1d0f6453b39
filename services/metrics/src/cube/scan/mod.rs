//! Reads chunks for a compiled query and adds what it finds to accumulators.

pub mod accumulators;
pub mod chunk_scan;
pub mod constant_runs;
pub mod customers;
pub mod group_values;
pub mod lower_bound;
pub mod parallel;
pub mod revenue;
pub mod runs;
pub mod scratch;
pub mod seats;
pub mod users;
pub mod window;
