//! How large a type is: its fields, and the files that its methods stand in. Cut over many files a large type is still one.

use std::collections::{BTreeMap, BTreeSet};

use crate::only_known;
use crate::source::{Source, item_end, shipped, words};

/// The most fields of a type.
const MOST_FIELDS: usize = 12;
/// The most files that `impl` blocks of a type lie in.
const MOST_FILES: usize = 2;
/// What the comment above a larger type begins with; why follows.
const REASON: &str = "// House:";

/// A type that a file declares.
pub struct Declared {
    /// Its name.
    pub name: String,
    /// Where in the file.
    at: usize,
    /// Named fields, or those of a tuple; none of an enum.
    fields: usize,
}

/// The types that stand directly in a file, or in a module of it: associated types of traits do not.
pub fn declared(source: &Source) -> Vec<Declared> {
    let code = &source.code;
    let words = words(code);
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut modules = 0;
    for (index, (at, word)) in words.iter().enumerate() {
        match *word {
            "{" => {
                let is_module = index >= 2 && words[index - 2].1 == "mod";
                if depth == modules && is_module {
                    modules += 1;
                }
                depth += 1;
            }
            "}" => {
                depth = depth.saturating_sub(1);
                modules = modules.min(depth);
            }
            "struct" | "enum" | "trait" | "union" | "type" if depth == modules => {
                let Some((_, name)) = words.get(index + 1) else { continue };
                let fields = if *word == "struct" { fields(&code[*at..item_end(code, *at)]) } else { 0 };
                found.push(Declared { name: (*name).to_owned(), at: *at, fields });
            }
            _ => {}
        }
    }
    found
}

/// Commas at the first depth of a declaration's block say how many fields it has.
fn fields(declaration: &str) -> usize {
    let mut depth = 0;
    let (mut fields, mut pending) = (0, false);
    let mut before = ' ';
    for letter in declaration.chars() {
        match letter {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            ',' if depth == 1 && pending => (fields, pending) = (fields + 1, false),
            ':' if depth == 1 => pending = true,
            _ => {}
        }
        before = letter;
    }
    fields + usize::from(pending)
}

/// The names that `impl` blocks of a file are for.
fn implemented(code: &str) -> BTreeSet<String> {
    let words = words(code);
    let mut found = BTreeSet::new();
    for (index, _) in words.iter().enumerate().filter(|(_, (_, word))| *word == "impl") {
        // At the beginning of an item; elsewhere it is a type.
        if index > 0 && !matches!(words[index - 1].1, "}" | ";" | "]" | "{" | "unsafe") {
            continue;
        }
        let head: Vec<&str> =
            words[index + 1..].iter().map(|(_, word)| *word).take_while(|word| *word != "{").collect();
        if let Some(name) = target(&head) {
            found.insert(name.to_owned());
        }
    }
    found
}

/// `<T: A> B<T> for c::D<T> where …` is for D.
fn target<'a>(head: &[&'a str]) -> Option<&'a str> {
    let mut depth = 0_i32;
    let mut name = None;
    let mut done = false;
    for (at, word) in head.iter().enumerate() {
        match *word {
            "<" => {
                depth += 1;
                done = name.is_some();
            }
            ">" if at > 0 && head[at - 1] != "-" => depth -= 1,
            "for" if depth == 0 => (name, done) = (None, false),
            "where" if depth == 0 => break,
            word if depth == 0 && !done && word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                name = Some(word);
            }
            _ => {}
        }
    }
    name.filter(|name| !matches!(*name, "dyn" | "mut"))
}

/// Whether the lines above a declaration, among its attributes and comments, say why it is so.
fn has_reason(source: &Source, at: usize) -> bool {
    let line = crate::source::line(&source.text, at) - 1;
    let lines: Vec<&str> = source.text.lines().collect();
    let above = lines[..line].iter().rev().map(|line| line.trim());
    let belongs = |line: &&str| line.starts_with("//") || line.starts_with("#[") || line.ends_with(")]");
    above.take_while(belongs).any(|line| line.strip_prefix(REASON).is_some_and(|why| why.trim().len() > 10))
}

/// The files that ship, by crate.
fn crates() -> BTreeMap<&'static str, Vec<&'static Source>> {
    let mut found: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in shipped() {
        found.entry(source.package()).or_default().push(source);
    }
    found
}

/// How much of two paths is the same from the beginning.
fn nearness(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count()
}

#[test]
fn no_type_has_more_than_twelve_fields() {
    let large = |source: &Source| {
        let types = declared(source);
        let large = types.iter().filter(|it| it.fields > MOST_FIELDS && !has_reason(source, it.at));
        large.map(|it| (it.name.clone(), source.path.clone())).collect::<Vec<_>>()
    };
    let found = shipped().flat_map(large).collect();
    only_known("a type has more than 12 fields and no line `// House:` that says why", &found, "");
}

#[test]
fn no_type_is_implemented_in_more_than_two_files() {
    let mut found = BTreeMap::new();
    for sources in crates().values() {
        let mut declarations: BTreeMap<String, Vec<(&Source, usize)>> = BTreeMap::new();
        for source in sources {
            for it in declared(source) {
                declarations.entry(it.name).or_default().push((source, it.at));
            }
        }
        // A name that stands several times in a crate: a block belongs to the declaration that is nearest.
        let mut files: BTreeMap<(&str, usize), (&Source, String, BTreeSet<&str>)> = BTreeMap::new();
        for source in sources {
            for name in implemented(&source.code) {
                let Some(candidates) = declarations.get(&name) else { continue };
                let (of, at) = candidates.iter().max_by_key(|(of, _)| nearness(&of.path, &source.path)).unwrap();
                let entry = files.entry((&of.path, *at)).or_insert_with(|| (of, name, BTreeSet::new()));
                entry.2.insert(&source.path);
            }
        }
        let spread = files.into_iter().filter(|(_, (_, _, files))| files.len() > MOST_FILES);
        let unreasoned = spread.filter(|((_, at), (source, _, _))| !has_reason(source, *at));
        let listed = |files: BTreeSet<&str>| files.into_iter().collect::<Vec<_>>().join(", ");
        found.extend(unreasoned.map(|(_, (_, name, files))| (name, listed(files))));
    }
    only_known("a type is implemented in more than 2 files and no line `// House:` says why", &found, "");
}

#[test]
fn fields_and_targets_are_read_from_the_code() {
    assert_eq!(fields("struct A<T: Into<u8>> { pub a: BTreeMap<u8, (u8, u8)>, b: fn(u8, u8) -> u8 }"), 2);
    assert_eq!(fields("struct A;"), 0);
    let code =
        "impl<T: From<u8>> A<T> {}\nimpl b::C for d::E<'_> where u8: X {}\nfn f() -> impl G {}\nimpl H for &mut I {}";
    assert_eq!(implemented(code).into_iter().collect::<Vec<_>>(), ["A", "E", "I"]);
}
