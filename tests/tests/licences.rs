//! What the product is built of: licences, sources and banned crates, as `deny.toml` says. `cargo deny` checks the same where it is
//! installed; this needs nothing but cargo, so it always runs.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rules() -> toml::Table {
    std::fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap()
}

/// A package that is built on this machine.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    licence: String,
    /// Where it comes from, unless that is crates.io.
    source: Option<String>,
}

/// Every package that is built on this machine; the lock file lists more, for features that are off.
fn packages() -> BTreeSet<Package> {
    let arguments = ["tree", "--workspace", "--locked", "--offline", "--prefix", "none", "--format", "{p}|{l}|"];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.is_empty()).map(package).collect()
}

/// Reads `name v1.2.3 (proc-macro) (source)|licence|`.
fn package(line: &str) -> Package {
    let [head, licence, ..] = line.split('|').collect::<Vec<_>>()[..] else { panic!("not a package: {line}") };
    let mut words = head.split_whitespace();
    let name = words.next().unwrap().to_owned();
    let notes = words.skip(1).filter(|word| *word != "(proc-macro)").collect::<Vec<_>>().join(" ");
    let source = Some(notes).filter(|notes| !notes.is_empty());
    Package { name, licence: licence.to_owned(), source }
}

/// Whether an SPDX expression can be satisfied with the licences allowed: `OR` leaves the choice, `AND` does not. What it
/// cannot read it does not allow.
fn allows(allowed: &BTreeSet<String>, expression: &str) -> bool {
    // `MIT/Apache-2.0` is how it was written before SPDX expressions.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    any(allowed, &words, &mut at) == Some(true) && at == words.len()
}

fn any(allowed: &BTreeSet<String>, words: &[&str], at: &mut usize) -> Option<bool> {
    let mut holds = all(allowed, words, at)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        holds |= all(allowed, words, at)?;
    }
    Some(holds)
}

fn all(allowed: &BTreeSet<String>, words: &[&str], at: &mut usize) -> Option<bool> {
    let mut holds = one(allowed, words, at)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        holds &= one(allowed, words, at)?;
    }
    Some(holds)
}

fn one(allowed: &BTreeSet<String>, words: &[&str], at: &mut usize) -> Option<bool> {
    let word = *words.get(*at)?;
    *at += 1;
    if word == "(" {
        let holds = any(allowed, words, at)?;
        *at += 1;
        return (words.get(*at - 1) == Some(&")")).then_some(holds);
    }
    if words.get(*at) == Some(&"WITH") {
        let exception = words.get(*at + 1)?;
        *at += 2;
        return Some(allowed.contains(&format!("{word} WITH {exception}")));
    }
    Some(allowed.contains(word))
}

#[test]
fn everything_built_may_be_used() {
    let rules = rules();
    let allowed = rules["licenses"]["allow"].as_array().unwrap();
    let allowed: BTreeSet<String> = allowed.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    let banned = rules["bans"]["deny"].as_array().unwrap();
    let banned: BTreeSet<&str> = banned.iter().map(|entry| entry["crate"].as_str().unwrap()).collect();
    let mut faults = Vec::new();
    let packages = packages();
    let own = format!("({}", root().display());
    for package in &packages {
        let Package { name, licence, source } = package;
        if !allows(&allowed, licence) {
            faults.push(format!("{name}: licence \"{licence}\""));
        }
        if banned.contains(name.as_str()) {
            faults.push(format!("{name} is banned"));
        }
        if source.as_ref().is_some_and(|source| !source.starts_with(&own)) {
            faults.push(format!("{name} comes from {source:?}"));
        }
    }
    assert!(packages.len() > 300, "only {} packages", packages.len());
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn a_line_of_the_tree_is_read() {
    let read = |line: &str| {
        let package = package(line);
        (package.name, package.licence, package.source)
    };
    assert_eq!(read("serde v1.0.228|MIT OR Apache-2.0| (*)"), ("serde".into(), "MIT OR Apache-2.0".into(), None));
    assert_eq!(read("serde_derive v1.0.228 (proc-macro)|MIT|"), ("serde_derive".into(), "MIT".into(), None));
    let source = Some("(https://example.com/fork#1234)".into());
    assert_eq!(read("fork v1.0.0 (https://example.com/fork#1234)||"), ("fork".into(), String::new(), source));
}

#[test]
fn an_expression_allows_what_its_words_say() {
    let allowed: BTreeSet<String> =
        ["MIT", "ISC", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
    for expression in [
        "MIT",
        "GPL-3.0 OR MIT",
        "MIT/Apache-2.0",
        "ISC AND (MIT OR GPL-2.0)",
        "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        "(Apache-2.0 OR MIT) AND ISC",
    ] {
        assert!(allows(&allowed, expression), "{expression}");
    }
    for expression in
        ["GPL-3.0", "", "MIT AND GPL-2.0", "MIT WITH strange-exception", "(MIT", "MIT )", "MIT MIT", "AND", "OR MIT"]
    {
        assert!(!allows(&allowed, expression), "{expression}");
    }
}
