//! What crosses services: stories, access matrix, faults, contract.

pub mod differential;
pub mod examples;
pub mod keys;
pub mod product;
pub mod records;
pub mod running;
pub mod small;
pub mod wire;
