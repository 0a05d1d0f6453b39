//! The Rust files of the workspace, and their code without comments and texts.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A Rust file.
pub struct Source {
    /// Its path from the root of the workspace, with `/`.
    pub path: String,
    /// As it stands in the file.
    pub text: String,
    /// The same with every comment, text and character replaced by blanks, and tests inside it too; lines stay lines.
    pub code: String,
}

impl Source {
    fn new(path: String, text: String) -> Self {
        let code = without_tests(&blanked(&text));
        Self { path, text, code }
    }

    /// The folder of the crate, such as `services/ingestion`.
    pub fn package(&self) -> &str {
        self.path.split("/src/").next().unwrap()
    }

    /// Whether it is part of what ships, not of a test.
    pub fn ships(&self) -> bool {
        let inside = self.path.split_once("/src/").map(|(_, inside)| inside);
        let is_test = |inside: &str| {
            inside.ends_with("tests.rs") || inside.split('/').any(|part| part == "tests" || part == "test_support")
        };
        !self.path.starts_with("tests/") && inside.is_some_and(|inside| !is_test(inside))
    }
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file of the workspace, by path.
pub fn all() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let read = |path: String| {
            let text = std::fs::read_to_string(root().join(&path)).unwrap();
            Source::new(path, text)
        };
        files(&["rs"]).into_iter().map(read).collect()
    })
}

/// The files that ship.
pub fn shipped() -> impl Iterator<Item = &'static Source> {
    all().iter().filter(|source| source.ships())
}

/// Files of the workspace with one of these endings, sorted; nothing that is built or installed.
pub fn files(endings: &[&str]) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![root()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                if !matches!(name.as_str(), "target" | "node_modules" | ".git" | "gen" | "dist" | "shots" | "corpus") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)) {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// Replaces comments, texts and characters by blanks.
pub fn blanked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => line_end(bytes, at),
            b'/' if bytes[at..].starts_with(b"/*") => comment_end(bytes, at),
            b'"' => text_end(bytes, at),
            b'r' | b'b' if !follows_word(bytes, at) => raw_end(bytes, at).unwrap_or(at),
            b'\'' => character_end(bytes, at).unwrap_or(at),
            _ => at,
        };
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn follows_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length)
}

fn comment_end(bytes: &[u8], at: usize) -> usize {
    let (mut depth, mut here) = (0, at);
    while here < bytes.len() {
        if bytes[here..].starts_with(b"/*") {
            (depth, here) = (depth + 1, here + 2);
        } else if bytes[here..].starts_with(b"*/") {
            (depth, here) = (depth - 1, here + 2);
            if depth == 0 {
                return here;
            }
        } else {
            here += 1;
        }
    }
    here
}

fn text_end(bytes: &[u8], at: usize) -> usize {
    let mut here = at + 1;
    while here < bytes.len() && bytes[here] != b'"' {
        here += if bytes[here] == b'\\' { 2 } else { 1 };
    }
    (here + 1).min(bytes.len())
}

/// The end of `r"…"`, `r#"…"#`, `br"…"` and `b"…"`.
fn raw_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut here = at + usize::from(bytes[at] == b'b');
    if bytes.get(here) != Some(&b'r') {
        return (bytes.get(here) == Some(&b'"')).then(|| text_end(bytes, here));
    }
    here += 1;
    let hashes = bytes[here..].iter().take_while(|byte| **byte == b'#').count();
    here += hashes;
    if bytes.get(here) != Some(&b'"') {
        return None;
    }
    let close = [&b"\""[..], &vec![b'#'; hashes]].concat();
    let length = bytes[here + 1..].windows(close.len()).position(|window| window == close)?;
    Some(here + 1 + length + close.len())
}

/// The end of a character; a lifetime is none.
fn character_end(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at + 1) == Some(&b'\\') {
        let length = bytes[at + 3..].iter().position(|byte| *byte == b'\'')?;
        return Some(at + 3 + length + 1);
    }
    let width = std::str::from_utf8(&bytes[at + 1..bytes.len().min(at + 5)])
        .or_else(|error| std::str::from_utf8(&bytes[at + 1..at + 1 + error.valid_up_to()]))
        .ok()?
        .chars()
        .next()?
        .len_utf8();
    (bytes.get(at + 1 + width) == Some(&b'\'')).then_some(at + 2 + width)
}

/// Blanks what stands behind `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(at) = out.find("#[cfg(test)]") {
        let end = item_end(&out, at + "#[cfg(test)]".len());
        let blank: String = out[at..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(at..end, &blank);
    }
    out
}

/// Where the item that begins here ends: behind its block, or behind a semicolon before any.
pub fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0;
    for (offset, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return offset + 1;
                }
            }
            b';' if depth == 0 => return offset + 1,
            _ => {}
        }
    }
    code.len()
}

/// The line of a place in a text, from 1.
pub fn line(text: &str, at: usize) -> usize {
    text[..at].bytes().filter(|byte| *byte == b'\n').count() + 1
}

/// The words of code, each with its place: names, numbers and single signs.
pub fn words(code: &str) -> Vec<(usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut letters = code.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if letter.is_whitespace() {
            continue;
        }
        let mut end = at + letter.len_utf8();
        if is_word(letter) {
            while let Some((next, c)) = letters.peek().copied().filter(|(_, c)| is_word(*c)) {
                end = next + c.len_utf8();
                letters.next();
            }
        }
        found.push((at, &code[at..end]));
    }
    found
}

#[test]
fn comments_and_texts_are_no_code() {
    let code =
        blanked("let a = \"// no { comment\"; // a } \"\nlet b = '\"'; let c: &'a str = r#\"{\"#; /* { /* } */ */ x");
    assert_eq!(code.split_whitespace().collect::<Vec<_>>().join(" "), "let a = ; let b = ; let c: &'a str = ; x");
    let tests = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() {} }\nfn c() {}";
    assert_eq!(without_tests(tests).split_whitespace().collect::<Vec<_>>().join(" "), "fn a() {} fn c() {}");
}
