//! What crosses services: stories, access matrix, faults, contract.

pub mod differential;
pub mod examples;
pub mod product;
pub mod records;
pub mod running;

pub use insights_testkit::{keys, small, wire};
