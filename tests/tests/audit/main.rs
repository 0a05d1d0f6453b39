//! Who read what is known, and only to whom it concerns.
#![allow(clippy::unwrap_used, reason = "tests")]

mod counted;
mod kept;
mod listed;
mod reads;
mod refused;
