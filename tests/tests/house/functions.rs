//! No function is longer than one can read at once.

use crate::source::{all, blanked, line, words};
use crate::{bare, only_known};

/// The most lines of a function, from `fn` to its closing brace.
const MOST: usize = 70;

/// Tables of tests, longer than that: a line a case, a text a file, an arm a kind of record.
const TABLES: &str = "libs/import/tests/golden.rs: written
services/ingestion/tests/intake.rs: wrong
services/insights/tests/folder.rs: folder";

/// Functions with their lines.
fn functions(code: &str) -> Vec<(String, usize)> {
    let words = words(code);
    let mut found = Vec::new();
    for (index, (start, _)) in words.iter().enumerate().filter(|(_, (_, word))| *word == "fn") {
        let Some((_, name)) = words.get(index + 1) else { continue };
        // A function type has no name; a declaration has no block.
        if *name == "(" {
            continue;
        }
        let (mut depth, mut inner) = (0, 0);
        for (at, word) in &words[index + 2..] {
            match *word {
                "(" | "[" => inner += 1,
                ")" | "]" => inner -= 1,
                ";" if depth == 0 && inner == 0 => break,
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    if depth == 0 {
                        found.push(((*name).to_owned(), line(code, *at) - line(code, *start) + 1));
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn no_function_is_longer_than_seventy_lines() {
    let long = |path: &str, text: &str| {
        let long = functions(&blanked(text)).into_iter().filter(|(_, lines)| *lines > MOST);
        long.map(|(name, _)| format!("{path}: {name}")).collect::<Vec<_>>()
    };
    let found = all().iter().flat_map(|source| long(&source.path, &source.text));
    only_known("a function is too long", &bare(found), TABLES);
}

#[test]
fn lines_of_a_function_are_counted_with_its_braces() {
    let code = "fn a(f: fn(u8)) -> [u8; 2] {\n    {}\n}\ntrait T {\n    fn b();\n}\n";
    assert_eq!(functions(code), [("a".to_owned(), 3)]);
}
