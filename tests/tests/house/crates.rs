//! Crates depend one way: domain ← access, database ← service ← services ← product ← the command line.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::root;
use crate::{bare, only_known};

/// Every crate that ships, from the bottom up: a crate uses only what stands on a lower floor.
const FLOORS: [&[&str]; 8] = [
    &["libs/domain"],
    &["proto"],
    &["libs/access", "libs/database"],
    &["libs/service", "libs/import", "libs/messages"],
    &["libs/generate"],
    &["services/ingestion", "services/metrics", "services/reporting"],
    &["libs/product"],
    &["services/insights"],
];

fn floor(package: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&package))
}

/// The folders of crates that ship, as they are in the tree.
fn packages() -> Vec<String> {
    let mut found = vec!["proto".to_owned()];
    for group in ["libs", "services"] {
        for entry in std::fs::read_dir(root().join(group)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if root().join(group).join(&name).join("Cargo.toml").exists() {
                found.push(format!("{group}/{name}"));
            }
        }
    }
    found
}

/// The workspace's own crates by name, with their folders.
fn folders() -> BTreeMap<String, String> {
    let named = |folder: String| {
        let text = manifest(&folder);
        let name = text.lines().find_map(|line| line.strip_prefix("name = ")).unwrap().trim_matches('"').to_owned();
        (name, folder)
    };
    packages().into_iter().map(named).collect()
}

fn manifest(folder: &str) -> String {
    std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap()
}

/// What a manifest names under `[dependencies]` and `[build-dependencies]`.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut wanted = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            wanted = matches!(line, "[dependencies]" | "[build-dependencies]");
        } else if wanted {
            found.extend(line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty()));
        }
    }
    found
}

#[test]
fn crates_depend_one_way() {
    let folders = folders();
    let mut found = BTreeSet::new();
    for package in folders.values() {
        let Some(own) = floor(package) else {
            found.insert(format!("{package} has no floor: give it one"));
            continue;
        };
        for used in dependencies(&manifest(package)).into_iter().filter_map(|name| folders.get(name)) {
            if floor(used).is_none_or(|used| used >= own) {
                found.insert(format!("{package} uses {used}"));
            }
        }
    }
    only_known("a crate uses one that is not below it", &bare(found), "");
}

#[test]
fn dependencies_are_read_without_those_of_tests() {
    let manifest =
        "[package]\nname = \"a\"\n[dependencies]\nb.workspace = true\nc = \"1\"\n\n[dev-dependencies]\nd = \"1\"\n";
    assert_eq!(dependencies(manifest), ["b", "c"]);
}
