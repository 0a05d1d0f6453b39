//! What documents point at exists: relative links with their headings, and paths into the tree that stand in code.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::source::{files, root};

/// Folders at the root; a path in code that begins with one is a promise.
const ROOTS: [&str; 5] = ["deploy/", "libs/", "proto/", "services/", "tests/"];

/// What stands in `text` between `open` and the next `close`, on one line.
fn between<'a>(text: &'a str, open: &'a str, close: char) -> impl Iterator<Item = &'a str> {
    text.lines().flat_map(move |line| line.split(open).skip(1).filter_map(move |rest| Some(rest.split_once(close)?.0)))
}

/// What stands between single backticks: every second part of a line.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// The anchors of a document's headings, as web views of repositories make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

/// `path` without `..` and `.`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => assert!(plain.pop(), "{} leads out of the repository", path.display()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Why a link in the document `from` leads nowhere.
fn fault(from: &str, link: &str) -> Option<String> {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let folder = Path::new(from).parent().unwrap();
    let target = if path.is_empty() { PathBuf::from(from) } else { plain(&folder.join(path)) };
    if !root().join(&target).exists() {
        return Some(format!("{from}: {link}"));
    }
    if anchor.is_empty() || target.extension().is_none_or(|extension| extension != "md") {
        return None;
    }
    let text = std::fs::read_to_string(root().join(&target)).unwrap();
    (!anchors(&text).contains(anchor)).then(|| format!("{from}: {link}: no such heading"))
}

#[test]
fn links_lead_somewhere() {
    let mut dead = Vec::new();
    let mut links = 0;
    for document in files(&["md"]) {
        let text = std::fs::read_to_string(root().join(&document)).unwrap();
        for link in between(&text, "](", ')').filter(|link| !link.contains("://")) {
            links += 1;
            dead.extend(fault(&document, link));
        }
    }
    assert!(links > 15, "only {links} links");
    assert_eq!(dead, Vec::<String>::new());
}

#[test]
fn paths_in_documents_exist() {
    let mut dead = Vec::new();
    for document in files(&["md"]).into_iter().filter(|document| document != "CHANGELOG.md") {
        let text = std::fs::read_to_string(root().join(&document)).unwrap();
        let paths = codes(&text).filter(|code| ROOTS.iter().any(|root| code.starts_with(root)));
        // A pattern, a placeholder in capitals or a command is no path.
        let pattern = |c: char| c.is_uppercase() || "*<>{}[]… ".contains(c);
        for path in paths.filter(|path| !path.contains(pattern)) {
            // Documents lie in the folder `docs` of a crate and may speak from the crate's folder.
            let home = Path::new(&document).parent().unwrap().parent().unwrap_or(Path::new(""));
            if !root().join(path).exists() && !root().join(home).join(path).exists() {
                dead.push(format!("{document}: {path}"));
            }
        }
    }
    assert_eq!(dead, Vec::<String>::new());
}

#[test]
fn a_dead_link_is_found() {
    assert_eq!(fault("README.md", "ARCHITECTURE.md"), None);
    assert_eq!(fault("README.md", "ARCHITECTURE.md#where-things-are"), None);
    assert_eq!(fault("deploy/operators-guide.md", "../README.md#use-it"), None);
    assert!(fault("README.md", "no-such-file.md").is_some());
    assert!(fault("README.md", "ARCHITECTURE.md#no-such-heading").is_some());
    assert_eq!(
        anchors("# Where things are\n## `verify`, again: C3").into_iter().collect::<Vec<_>>(),
        ["verify-again-c3", "where-things-are"]
    );
    assert_eq!(codes("a `b` c `d`").collect::<Vec<_>>(), ["b", "d"]);
}
