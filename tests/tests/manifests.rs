//! What the manifests of the workspace may say: no dependency that its package does not use, none that only the workspace lists, and
//! no feature `full`. Reads text alone, so it needs no tool and costs nothing.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Used by generated code, which lies in no source folder.
const GENERATED: [(&str, &str); 3] = [("proto", "prost"), ("proto", "prost-types"), ("proto", "tonic-prost")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn manifest(folder: &Path) -> toml::Table {
    std::fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap()
}

/// The folders of the members, `libs/*` spelled out.
fn members() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for member in manifest(&root())["workspace"]["members"].as_array().unwrap() {
        let member = member.as_str().unwrap();
        match member.strip_suffix("/*") {
            Some(parent) => {
                let folders = root().join(parent).read_dir().unwrap().map(|entry| entry.unwrap().path());
                found.extend(folders.filter(|folder| folder.join("Cargo.toml").is_file()));
            }
            None => found.push(root().join(member)),
        }
    }
    found
}

fn dependencies<'a>(manifest: &'a toml::Table, section: &str) -> impl Iterator<Item = &'a String> {
    manifest.get(section).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys)
}

/// The Rust sources under `path`, without lines of comment, and without the packages that lie in folders below.
fn sources(path: &Path, text: &mut String) {
    if path.is_dir() {
        for entry in path.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if !path.join("Cargo.toml").is_file() {
                sources(&path, text);
            }
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        let file = std::fs::read_to_string(path).unwrap();
        for line in file.lines().filter(|line| !line.trim_start().starts_with("//")) {
            text.push_str(line);
            text.push('\n');
        }
    }
}

/// Whether `text` names the crate as a path, a macro or an import.
fn names(text: &str, name: &str) -> bool {
    let name = name.replace('-', "_");
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(&name).any(|(at, _)| {
        let before = text[..at].strip_suffix("::").unwrap_or(&text[..at]);
        let after = &text[at + name.len()..];
        let follows = ["::", "!", ";", " as "].iter().any(|sign| after.starts_with(sign));
        !before.ends_with(part) && !text[..at].ends_with('.') && follows
    })
}

#[test]
fn every_dependency_is_used() {
    let mut unused = Vec::new();
    let mut listed: BTreeSet<String> = BTreeSet::new();
    let members = members();
    for folder in &members {
        let package = folder.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let manifest = manifest(folder);
        for (section, places) in [
            ("dependencies", &["src", "tests", "benches", "examples"][..]),
            ("dev-dependencies", &["src", "tests", "benches", "examples"]),
            ("build-dependencies", &["build.rs"]),
        ] {
            let mut text = String::new();
            for place in places.iter().map(|place| folder.join(place)).filter(|place| place.exists()) {
                sources(&place, &mut text);
            }
            for name in dependencies(&manifest, section) {
                listed.insert(name.clone());
                let generated = section == "dependencies" && GENERATED.contains(&(package.as_str(), name.as_str()));
                if !generated && !names(&text, name) {
                    unused.push(format!("{package}: {name} ({section})"));
                }
            }
        }
    }
    let workspace = manifest(&root());
    let workspace = workspace["workspace"].as_table().unwrap();
    let versions = dependencies(workspace, "dependencies").filter(|name| !listed.contains(*name));
    unused.extend(versions.map(|name| format!("workspace: {name}")));
    assert!(members.len() > 10 && listed.len() > 50, "only {} members, {} names", members.len(), listed.len());
    assert_eq!(unused, Vec::<String>::new());
}

#[test]
fn no_crate_is_taken_whole() {
    let workspace = manifest(&root());
    let full = workspace["workspace"]["dependencies"].as_table().unwrap().iter().filter(|(_, entry)| {
        let features = entry.get("features").and_then(toml::Value::as_array);
        features.is_some_and(|features| features.iter().any(|feature| feature.as_str() == Some("full")))
    });
    assert_eq!(full.map(|(name, _)| name).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn a_crate_is_found_where_it_is_named() {
    for text in
        ["use serde_json::Value;", "serde_json::json!({})", "use serde_json;", "::serde_json::Map", "serde_json!(1)"]
    {
        assert!(names(text, "serde-json"), "{text}");
    }
    for text in ["use my_serde_json::x;", "let serde_json = 1", "fn serde_jsonx::y", "value.serde_json::<u8>()", ""] {
        assert!(!names(text, "serde-json"), "{text}");
    }
}
