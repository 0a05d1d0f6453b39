//! The rules of the house that no compiler checks, read from the sources as text: which way imports point, how large a type or a
//! function may be, which names and rules stand once, and that no test depends on the day it runs.
//!
//! What may break a rule stands beside it with the reason. An entry that no longer breaks its rule fails too, so that lists only
//! shrink.
#![allow(clippy::unwrap_used, reason = "tests")]

mod crates;
mod days;
mod documents;
mod functions;
mod imports;
mod names;
mod rules;
mod source;
mod types;

use std::collections::{BTreeMap, BTreeSet};

/// Compares what was found, each with where it is, with what is known and reasoned: nothing more, nothing less.
fn only_known(rule: &str, found: &BTreeMap<String, String>, known: &str) {
    let known: BTreeSet<&str> = known.lines().collect();
    let new = found.iter().filter(|(entry, _)| !known.contains(entry.as_str()));
    let new: String = new.map(|(entry, place)| format!("\n    {entry}    {place}")).collect();
    let mended = known.into_iter().filter(|entry| !found.contains_key(*entry));
    let mended: String = mended.map(|entry| format!("\n    {entry}")).collect();
    assert!(new.is_empty(), "{rule}:{new}");
    assert!(mended.is_empty(), "{rule}; these are mended, take them from the list:{mended}");
}

/// Entries that say themselves where they are.
fn bare(found: impl IntoIterator<Item = String>) -> BTreeMap<String, String> {
    found.into_iter().map(|entry| (entry, String::new())).collect()
}
