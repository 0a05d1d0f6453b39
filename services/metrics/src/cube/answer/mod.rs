//! Turns accumulators into what callers read: rows, blocks, explanations and report rows.

pub mod blocks;
pub mod explanation;
pub mod pages;
pub mod ranking;
pub mod report;
pub mod rows;
