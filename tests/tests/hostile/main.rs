//! A caller who means harm, against the whole product: what one sends neither ends the process nor shuts others out.
//!
//! Each attack is shown twice where a guard stands against it: without the guard it does harm, with it none. `INSIGHTS_LONG=1` attacks
//! longer.
#![allow(clippy::unwrap_used, reason = "tests")]

mod attack;
mod everything;
mod fields;
mod floods;
mod frames;
mod memory;
mod streams;
mod target;
