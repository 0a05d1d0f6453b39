//! The audit records who read what, and only entitled roles may read it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod counted;
mod erased;
mod kept;
mod listed;
mod reads;
mod refused;
