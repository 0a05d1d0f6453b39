//! What happens to PostgreSQL, and what callers see of it: a code, a reason, when to come back. Nothing that was acknowledged is lost, and
//! the services recover by themselves, in the same processes.
//!
//! `INSIGHTS_LONG=1` adds the drill of a point in time and the failover.
#![allow(clippy::unwrap_used, reason = "tests")]

mod backup;
mod erasure;
mod failover;
mod migrations;
mod outages;
mod restored;
mod site;
mod slow;
