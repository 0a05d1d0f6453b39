//! No circle between files of different folders: folder A does not use folder B while B uses A, at any level of a crate.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, shipped, words};
use crate::{bare, only_known};

/// A module of a crate: its path, such as `["write", "plan"]`; the root has none.
type Module = Vec<String>;

fn module(source: &Source) -> Module {
    let inside = source.path.split_once("/src/").unwrap().1.trim_end_matches(".rs");
    let mut parts: Module = inside.split('/').map(ToOwned::to_owned).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// Paths that code names: each as its parts from `crate`, `super` or `self` on, groups of a `use` unfolded.
fn named(code: &str) -> Vec<Vec<String>> {
    let words: Vec<&str> = words(code).into_iter().map(|(_, word)| word).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let begins = matches!(words[at], "crate" | "super" | "self") && words.get(at + 1..at + 3) == Some(&[":", ":"]);
        let is_inner = at >= 2 && words[at - 2..at] == [":", ":"];
        if begins && !is_inner {
            at = tree(&words, at, &[], &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads one path of a tree of a `use`; returns where it ends.
fn tree(words: &[&str], mut at: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    loop {
        match words.get(at) {
            Some(&"{") => {
                at += 1;
                while at < words.len() && words[at] != "}" {
                    at = tree(words, at, &path, found);
                    while words.get(at).is_some_and(|word| !matches!(*word, "," | "}")) {
                        at += 1;
                    }
                    at += usize::from(words.get(at) == Some(&","));
                }
                return at + 1;
            }
            Some(&word) if word.starts_with(|c: char| c.is_alphanumeric() || c == '_') => path.push(word.to_owned()),
            _ => break,
        }
        at += 1;
        if words.get(at..at + 2) != Some(&[":", ":"]) {
            break;
        }
        at += 2;
        // `Vec::<u8>` ends the path of modules.
        if words.get(at) == Some(&"<") || words.get(at) == Some(&"*") {
            break;
        }
    }
    found.push(path);
    at
}

/// The modules of a crate, and what a module's file calls by a name of its own: `use a::B` makes `B` mean `a::B` there.
struct Tree {
    files: BTreeMap<Module, &'static Source>,
    again: BTreeMap<(Module, String), Vec<String>>,
}

impl Tree {
    fn of(sources: &[&'static Source]) -> Self {
        let files: BTreeMap<Module, &Source> = sources.iter().map(|source| (module(source), *source)).collect();
        let mut again = BTreeMap::new();
        for (module, source) in &files {
            for statement in source.code.split(';').filter_map(|code| code.rsplit_once("use ")) {
                let children: BTreeSet<&String> =
                    files.keys().filter(|it| it.starts_with(module)).filter_map(|it| it.get(module.len())).collect();
                let first = statement.1.split("::").next().unwrap().trim().to_owned();
                let code =
                    if children.contains(&first) { format!("self::{}", statement.1) } else { statement.1.to_owned() };
                for path in named(&code) {
                    let absolute = absolute(module, &path);
                    again.insert((module.clone(), path.last().unwrap().clone()), absolute);
                }
            }
        }
        Self { files, again }
    }

    /// The module that a path leads to; names that a module only hands on are followed.
    fn target(&self, from: &Module, path: &[String]) -> Module {
        let mut absolute = absolute(from, path);
        for _ in 0..4 {
            let length = (0..=absolute.len()).rev().find(|length| self.files.contains_key(&absolute[..*length]));
            let length = length.unwrap_or_default();
            let module = absolute[..length].to_vec();
            let Some(name) = absolute.get(length) else { return module };
            match self.again.get(&(module.clone(), name.clone())) {
                Some(further) if *further != absolute && module != *from => {
                    absolute = [&further[..], &absolute[length + 1..]].concat();
                }
                _ => return module,
            }
        }
        absolute
    }

    /// Which module uses which other.
    fn uses(&self) -> BTreeSet<(Module, Module)> {
        let mut found = BTreeSet::new();
        for (module, source) in &self.files {
            for path in named(&source.code) {
                found.insert((module.clone(), self.target(module, &path)));
            }
        }
        found
    }
}

/// From the root of the crate on.
fn absolute(module: &Module, path: &[String]) -> Vec<String> {
    let mut at = module.clone();
    let mut rest = path;
    while let Some(first) = rest.first() {
        match first.as_str() {
            "crate" => at.clear(),
            "super" => {
                at.pop();
            }
            "self" => {}
            _ => break,
        }
        rest = &rest[1..];
    }
    at.extend(rest.iter().cloned());
    at
}

/// Circles between the children of a module, when at least one of them is a folder.
fn circles(parent: &Module, uses: &BTreeSet<(Module, Module)>, folders: &BTreeSet<Module>) -> Vec<Vec<String>> {
    let child = |of: &Module| of.starts_with(parent).then(|| of.get(parent.len()).cloned()).flatten();
    let edges: BTreeSet<(String, String)> =
        uses.iter().filter_map(|(from, to)| Some((child(from)?, child(to)?))).filter(|(from, to)| from != to).collect();
    let reach = |from: &String| {
        let mut seen = BTreeSet::new();
        let mut open = vec![from.clone()];
        while let Some(at) = open.pop() {
            for (_, to) in edges.iter().filter(|(from, _)| *from == at) {
                if seen.insert(to.clone()) {
                    open.push(to.clone());
                }
            }
        }
        seen
    };
    let nodes: BTreeSet<&String> = edges.iter().flat_map(|(from, to)| [from, to]).collect();
    let reached: BTreeMap<&String, BTreeSet<String>> = nodes.iter().map(|node| (*node, reach(node))).collect();
    let mut found = BTreeSet::new();
    for node in nodes {
        let circle: Vec<String> = reached[node].iter().filter(|other| reached[other].contains(node)).cloned().collect();
        let is_folder = |name: &String| folders.contains(&[&parent[..], std::slice::from_ref(name)].concat());
        if circle.len() > 1 && circle.iter().any(is_folder) {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn all_circles(uses: &BTreeSet<(Module, Module)>, modules: &BTreeSet<Module>) -> Vec<(Module, Vec<String>)> {
    let folders: BTreeSet<Module> =
        modules.iter().flat_map(|it| (0..it.len()).map(|length| it[..length].to_vec())).collect();
    let of = |parent: &Module| {
        circles(parent, uses, &folders).into_iter().map(|it| (parent.clone(), it)).collect::<Vec<_>>()
    };
    folders.iter().flat_map(of).collect()
}

#[test]
fn no_folders_use_each_other() {
    let mut crates: BTreeMap<&str, Vec<&'static Source>> = BTreeMap::new();
    for source in shipped() {
        crates.entry(source.package()).or_default().push(source);
    }
    let mut found = BTreeSet::new();
    for (package, sources) in crates {
        let tree = Tree::of(&sources);
        let modules = tree.files.keys().cloned().collect();
        for (parent, circle) in all_circles(&tree.uses(), &modules) {
            let folder = [vec![package.to_owned(), "src".to_owned()], parent].concat().join("/");
            found.insert(format!("{folder}: {}", circle.join(", ")));
        }
    }
    only_known("files of different folders use each other", &bare(found), "");
}

#[test]
fn a_circle_is_found_at_any_level() {
    let module = |path: &str| path.split('/').map(ToOwned::to_owned).collect::<Module>();
    let modules: BTreeSet<Module> = ["a", "a/b", "a/c/d", "e"].map(module).into();
    let circle = |edges: &[(&str, &str)]| {
        all_circles(&edges.iter().map(|(from, to)| (module(from), module(to))).collect(), &modules)
    };
    assert_eq!(circle(&[("a/b", "a/c/d"), ("a/c/d", "a/b")]), [(module("a"), vec!["b".to_owned(), "c".to_owned()])]);
    assert_eq!(circle(&[("e", "a/b"), ("a/c/d", "e")]), [(vec![], vec!["a".to_owned(), "e".to_owned()])]);
    // A parent and its children are one thought.
    assert_eq!(circle(&[("a", "a/b"), ("a/b", "a")]), []);
    let paths = named("use crate::{a::{self, b::C}, d}; fn f() { super::g::h(); self.x(); }");
    let paths: Vec<String> = paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["crate::a::self", "crate::a::b::C", "crate::d", "super::g::h"]);
}
