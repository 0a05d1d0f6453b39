//! No test's outcome depends on the day it runs.

use std::collections::BTreeSet;

use crate::source::{files, line, root};
use crate::{bare, only_known};

/// Sources of tests, in any language.
fn tests() -> impl Iterator<Item = (String, String)> {
    let is_test = |path: &String| {
        path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("tests.rs") || path.contains(".test.")
    };
    let here = |path: &String| path.starts_with("tests/tests/house/");
    let read = |path: String| {
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        (path, text)
    };
    files(&["rs", "mjs", "ts", "tsx", "sh"]).into_iter().filter(is_test).filter(move |path| !here(path)).map(read)
}

/// Where the program's demo or generator is started: the command as an argument of its own.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let of = |command: &'static str| text.match_indices(command).map(|(at, _)| at);
    let is_value = |at: usize| text[..at].trim_end().ends_with("\"--partner\",");
    of("\"demo\"").chain(of("\"generate\"")).filter(move |at| !is_value(*at))
}

/// What gives it a fixed end, where the help is all that is asked for none is needed.
const FIXED: [&str; 4] = ["insights_at_fixed_time", "INSIGHTS_NOW", "\"--end\"", "--help"];

/// Lines around a start within which its end must be fixed.
const NEAR: usize = 6;

fn without_a_fixed_end(path: &str, text: &str) -> BTreeSet<String> {
    let lines: Vec<&str> = text.lines().collect();
    let is_fixed = |at: usize| {
        let here = line(text, at);
        let near = &lines[here.saturating_sub(NEAR)..lines.len().min(here + NEAR)];
        near.iter().any(|near| FIXED.iter().any(|fixed| near.contains(fixed)))
    };
    starts(text).filter(|at| !is_fixed(*at)).map(|at| format!("{path}:{}", line(text, at))).collect()
}

#[test]
fn no_test_starts_the_demo_or_the_generator_without_a_fixed_end() {
    let found = tests().flat_map(|(path, text)| without_a_fixed_end(&path, &text));
    only_known("the partner made ends today, and looks otherwise tomorrow", &bare(found), "");
}

/// Reads of the machine's day. `Clock::system()` is no such read: tokens are minted and believed by it.
const TODAY: [&str; 6] =
    ["Utc::now(", "Local::now(", "SystemTime::now(", "of_instant(Clock::system", "new Date()", "Date.now()"];

fn reads_today(path: &str, text: &str) -> BTreeSet<String> {
    let reads = TODAY.iter().flat_map(|read| text.match_indices(read)).map(|(at, _)| line(text, at));
    reads.map(|line| format!("{path}: {}", text.lines().nth(line - 1).unwrap().trim())).collect()
}

#[test]
fn no_test_reads_the_day_of_the_machine() {
    let found = tests().flat_map(|(path, text)| reads_today(&path, &text));
    // The instant to ask as of, before a change: only their order counts.
    let known = "services/insights/tests/folder.rs: let before = chrono::Utc::now().to_rfc3339();\n\
                 services/insights/tests/months.rs: let before = chrono::Utc::now().to_rfc3339();";
    only_known("a test takes the machine's day", &bare(found), known);
}

#[test]
fn a_start_without_an_end_is_found() {
    let bare = "insights().args([\"--json\", \"demo\", \"--port\", \"0\"]);";
    assert_eq!(without_a_fixed_end("a.rs", bare).len(), 1);
    assert_eq!(without_a_fixed_end("a.rs", "insights(&[\"token\", \"--partner\", \"demo\"]);").len(), 0);
    assert_eq!(
        without_a_fixed_end("a.mjs", "const env = { INSIGHTS_NOW: NOW };\nspawn([\"demo\"], { env });").len(),
        0
    );
    assert_eq!(reads_today("a.rs", "let today = Utc::now();").len(), 1);
}
