//! The name of a type is used once in the workspace, so that it needs no path to be understood.

use std::collections::BTreeMap;

use crate::only_known;
use crate::source::shipped;
use crate::types::declared;

/// Names that several crates use, because each is said with its crate, or because a macro asks for it.
const SHARED: [&str; 6] = [
    // `insights_metrics::Config`: the settings of that service.
    "Config",
    // `insights_database::Error`: why that crate's functions fail.
    "Error",
    // `insights_metrics::OpenError`: why that service does not start.
    "OpenError",
    // `insights_metrics::Migrator`: the migrations of that service.
    "Migrator",
    // The derive macros of entities want these names.
    "Model",
    "Relation",
];

#[test]
fn the_name_of_a_type_is_used_once() {
    let mut places: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    // A migration keeps the types that it was written with, under the names they had.
    for source in shipped().filter(|source| !source.path.contains("/migrations")) {
        for it in declared(source) {
            places.entry(it.name).or_default().push(&source.path);
        }
    }
    let twice = places.into_iter().filter(|(name, places)| places.len() > 1 && !SHARED.contains(&name.as_str()));
    let found = twice.map(|(name, places)| (name, places.join(", "))).collect();
    only_known("a name means several types", &found, "");
}
