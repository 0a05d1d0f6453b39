//! Our own records as CSV or TSV, one kind a file; row by row.

use std::io::{self, BufRead, Read as _};

use serde_json::{Map, Value};

use crate::own::columns::RecordColumns;
use crate::own::{self, FieldFault};
use crate::reader::{Notes, ReadError, ReadOptions, Rejection, Sink};
use crate::text::lines::{Lines, Split};
use crate::text::order::{OrderedFile, holds_open_dates};

/// A comment line longer than this is none.
const MAX_COMMENT: u64 = 64 << 10;

/// Reads a table of records. Days are `YYYY-MM-DD`; a table that begins with others, as spreadsheets write them, is gone through
/// first to find out what comes first in them.
pub(crate) fn read(input: &mut dyn BufRead, options: &ReadOptions, sink: &mut dyn Sink) -> Result<Notes, ReadError> {
    if !holds_open_dates(input.fill_buf()?) {
        return rows(input, options, sink);
    }
    let OrderedFile { mut input, order } = OrderedFile::read(input, "value", options.dates)?;
    let notes = rows(&mut input, &ReadOptions { dates: order, ..options.clone() }, sink)?;
    Ok(OrderedFile::noted(order, notes))
}

/// Lines before the header that begin with `#` say nothing.
fn rows(input: &mut dyn BufRead, options: &ReadOptions, sink: &mut dyn Sink) -> Result<Notes, ReadError> {
    let (comments, begun) = skip_comments(input)?;
    let mut input = (&begun[..]).chain(input);
    let mut lines = Lines::new(&mut input)?;
    let header = match lines.next_record()? {
        None => return Err(ReadError::Refused("the file is empty: its first line must name the columns".into())),
        Some(Split::Bad(_, reason)) => {
            return Err(ReadError::Refused(format!("the first line must name the columns, but {reason}")));
        }
        Some(Split::Fields(_, header)) => header,
    };
    let columns = RecordColumns::find(&header, options)?;
    let mut notes = Notes { unknown_columns: columns.unknown.clone(), ..Notes::default() };
    while let Some(split) = lines.next_record()? {
        let (Split::Bad(line, _) | Split::Fields(line, _)) = split;
        let row = line + comments;
        let parsed = match split {
            Split::Bad(_, reason) => Err(("row".to_owned(), reason.to_owned())),
            Split::Fields(_, cells) => {
                parse(&columns, &cells).and_then(|map| own::parse(columns.kind, map, row, &mut notes))
            }
        };
        match parsed {
            Ok(parsed) => parsed.give(row, sink)?,
            Err((field, reason)) => sink.rejected(Rejection { row, field, reason })?,
        }
    }
    Ok(notes)
}

fn parse(columns: &RecordColumns, cells: &[String]) -> Result<Map<String, Value>, FieldFault> {
    let width = columns.fields.len();
    // Empty cells beyond the header do no harm: some programs end every line with a delimiter.
    if cells.len() < width || cells[width..].iter().any(|cell| !cell.is_empty()) {
        return Err(("row".into(), format!("has {} fields where the header has {width}", cells.len())));
    }
    if let Some(cell) = columns.kind_column.and_then(|at| cells.get(at)) {
        columns.judge_kind(cell)?;
    }
    let mut map = Map::with_capacity(width);
    for (field, cell) in std::iter::zip(&columns.fields, cells) {
        if let Some(field) = field {
            columns.add_cell(&mut map, *field, cell);
        }
    }
    Ok(map)
}

/// How many comment lines there are, and the beginning of the line after them, already read.
fn skip_comments(input: &mut dyn BufRead) -> io::Result<(u64, Vec<u8>)> {
    let mut comments = 0;
    loop {
        let mut line = Vec::new();
        (&mut *input).take(MAX_COMMENT).read_until(b'\n', &mut line)?;
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        if !text.starts_with(b"#") || !text.ends_with(b"\n") {
            return Ok((comments, line));
        }
        comments += 1;
    }
}
