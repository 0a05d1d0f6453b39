//! Rules that stand once, in their home; and what stands nowhere.

use std::collections::BTreeSet;

use crate::source::{Source, files, line, root, shipped};
use crate::{bare, only_known};

/// A rule, what it looks like in code or in texts, and the only files that it may stand in.
struct Rule {
    what: &'static str,
    signs: &'static [&'static str],
    homes: &'static [&'static str],
}

const RULES: [Rule; 8] = [
    Rule {
        what: "what a GUID is and how ids are compared",
        signs: &["fn is_guid", "fn canonical_id", "fn comparable_id", "const GUID:", "[8, 4, 4, 4, 12]"],
        homes: &["libs/domain/"],
    },
    Rule {
        what: "bytes as hexadecimal digits and back: the crate hex",
        signs: &[":02x}", "from_str_radix", "fn to_hex", "fn from_hex"],
        homes: &[],
    },
    Rule {
        what: "the name of a gRPC code",
        signs: &[
            "\"FAILED_PRECONDITION\"",
            "fn code_name(status",
            "fn code_name(code: Code)",
            "\"{:?}\", status.code()",
        ],
        homes: &["libs/service/"],
    },
    Rule {
        what: "an error and its causes as a text",
        signs: &["= error.source();", "= next.source();", "= cause.source();"],
        homes: &["libs/service/"],
    },
    Rule {
        what: "short names of measures, dimensions and sources",
        signs: &["(\"MEASURE_", "(\"DIMENSION_", "(\"SOURCE_", "trim_start_matches(prefix)", "=> \"computed\""],
        homes: &["proto/"],
    },
    Rule {
        what: "what seals a page token",
        signs: &["fn page_token(", "Sha256::digest(text)"],
        homes: &["libs/service/"],
    },
    Rule { what: "thousands grouped", signs: &["fn grouped(number: i64"], homes: &["libs/messages/"] },
    Rule { what: "columns of a row by position", signs: &["try_get_by_index"], homes: &["libs/database/"] },
];

fn elsewhere(rule: &Rule, source: &Source) -> Vec<String> {
    if rule.homes.iter().any(|home| source.path.starts_with(home)) {
        return Vec::new();
    }
    // In the text, because some signs are texts; not in comments and not in tests, which the code has lost.
    let is_code = |at: usize| {
        let line = line(&source.text, at);
        source.code.lines().nth(line - 1).is_some_and(|code| !code.trim().is_empty())
    };
    let signs = rule.signs.iter().flat_map(|sign| source.text.match_indices(sign)).filter(|(at, _)| is_code(*at));
    let places: BTreeSet<String> = signs.map(|_| format!("{}: {}", rule.what, source.path)).collect();
    places.into_iter().collect()
}

#[test]
fn an_edge_rule_has_one_home() {
    let found = RULES.iter().flat_map(|rule| shipped().flat_map(|source| elsewhere(rule, source)));
    only_known("a rule stands outside its home", &bare(found), "");
}

/// Beginnings of absolute paths that exist on one machine only.
const MACHINES: [&str; 4] = ["/work/", "/root/", "/home/", "/Users/"];

#[test]
fn no_file_names_the_path_of_a_machine() {
    let endings = ["rs", "toml", "md", "yml", "yaml", "proto", "ts", "tsx", "mjs", "json", "sql", "sh", "ftl"];
    let mut found = BTreeSet::new();
    for path in files(&endings).into_iter().filter(|path| !path.starts_with("tests/tests/house/")) {
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        let named = MACHINES.iter().flat_map(|machine| text.match_indices(machine));
        // Within a longer path or a URL it is no place on a machine.
        let begins =
            named.filter(|(at, _)| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || "._-}/*".contains(c)));
        found
            .extend(begins.map(|(at, _)| format!("{path}: {}", text.lines().nth(line(&text, at) - 1).unwrap().trim())));
    }
    only_known("a file names a path that only one machine has", &bare(found), "");
}
