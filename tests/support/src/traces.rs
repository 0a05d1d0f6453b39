//! What is left of somebody: values that are looked for in every file of a folder and every table of a database.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::postgres::programs;

/// The files of a folder that have one of the values, without regard to case, as `VALUE in FILE`.
pub fn in_files(folder: &Path, values: &[&[u8]]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if let Ok(bytes) = fs::read(&path) {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                found.extend(values.iter().filter(|value| has(&bytes, value)).map(|value| named(value, &name)));
            }
        }
    }
    found
}

/// The same in the tables of a PostgreSQL database, as text and within bytes.
///
/// # Panics
/// When the database cannot be read.
pub fn in_postgres(url: &str, values: &[&[u8]]) -> BTreeSet<String> {
    let mut dump = Command::new(programs().join("pg_dump"));
    let dump = dump.args(["--data-only", "--inserts", "--dbname", url]).output().expect("pg_dump");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let mut found = BTreeSet::new();
    for row in dump.stdout.split(|byte| *byte == b'\n') {
        let table = String::from_utf8_lossy(&row[..row.len().min(60)]).into_owned();
        for value in values {
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            if has(row, value) || has(row, hex.as_bytes()) {
                found.insert(named(value, &table));
            }
        }
    }
    found
}

fn named(value: &[u8], place: &str) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => format!("{text} in {place}"),
        Err(_) => format!("{value:02x?} in {place}"),
    }
}

fn has(bytes: &[u8], value: &[u8]) -> bool {
    let Some((first, rest)) = value.split_first() else { return false };
    let first = [first.to_ascii_lowercase(), first.to_ascii_uppercase()];
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| first.contains(byte))
        .any(|(at, _)| bytes.get(at + 1..at + 1 + rest.len()).is_some_and(|found| found.eq_ignore_ascii_case(rest)))
}
