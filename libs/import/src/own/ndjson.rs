//! Our own records: one JSON object per line.

use std::io::BufRead;

use clap::ValueEnum as _;
use serde_json::Value;

use crate::own::{self, FieldFault, Parsed};
use crate::reader::RecordKind;
use crate::reader::{Notes, ReadError, Rejection, Sink};
use crate::text::json;
use crate::text::lines::{Read, is_comment, read_line};

/// A line longer than this is no record of ours, and must not fill the memory.
const MAX_LINE: usize = 4 << 20;

/// Reads a file of records. Blank lines and lines that begin with `#` say nothing.
pub(crate) fn read(input: &mut dyn BufRead, sink: &mut dyn Sink) -> Result<Notes, ReadError> {
    let mut line = Vec::new();
    let mut notes = Notes::default();
    let mut row = 0;
    loop {
        let whole = match read_line(input, MAX_LINE, &mut line)? {
            Read::End => return Ok(notes),
            Read::Whole => true,
            Read::Cut => false,
        };
        row += 1;
        // Files that each begin with a mark may have been put one after the other.
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        if text.starts_with(b"#") || (whole && text.iter().all(u8::is_ascii_whitespace)) {
            continue;
        }
        let too_long = || Err(("record".into(), format!("is longer than {MAX_LINE} bytes")));
        match if whole { parse(text, row, &mut notes) } else { too_long() } {
            Ok(parsed) => parsed.give(row, sink)?,
            Err((field, reason)) => sink.rejected(Rejection { row, field, reason })?,
        }
    }
}

/// Whether records are no lines but the elements of a list, or objects over several lines.
pub(crate) fn is_list(start: &[u8]) -> bool {
    let mut lines = start.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty() && !is_comment(line)).unwrap_or_default();
    let breaks_off = || serde_json::from_slice::<Value>(first).is_err_and(|error| error.is_eof());
    first.starts_with(b"[") || first.starts_with(b"{") && lines.next().is_some() && breaks_off()
}

/// Reads records that are the elements of a list, or objects over several lines. A row is the number of the element.
pub(crate) fn read_list(input: &mut dyn BufRead, sink: &mut dyn Sink) -> Result<Notes, ReadError> {
    let mut notes = Notes::default();
    json::each(input, "value", &mut |element| {
        let row = element.row;
        match parse_value(element.into_value(), row, &mut notes) {
            Ok(parsed) => parsed.give(row, sink),
            Err((field, reason)) => sink.rejected(Rejection { row, field, reason }),
        }
    })?;
    Ok(notes)
}

fn parse(line: &[u8], row: u64, notes: &mut Notes) -> Result<Parsed, FieldFault> {
    let value =
        serde_json::from_slice(line).map_err(|error| ("record".into(), format!("is not valid JSON: {error}")))?;
    parse_value(value, row, notes)
}

fn parse_value(value: Value, row: u64, notes: &mut Notes) -> Result<Parsed, FieldFault> {
    let Value::Object(mut map) = value else {
        return Err(("record".into(), "is not a JSON object".into()));
    };
    let kind = match map.remove("kind") {
        Some(Value::String(kind)) => kind,
        Some(_) => return Err(("kind".into(), "must be a string".into())),
        None => return Err(("kind".into(), format!("is missing; known kinds: {}", kinds()))),
    };
    match RecordKind::from_name(&kind) {
        Some(kind) => own::parse(kind, map, row, notes),
        None => Err(("kind".into(), format!("\"{kind}\" is unknown; known kinds: {}", kinds()))),
    }
}

fn kinds() -> String {
    RecordKind::value_variants().iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}
