//! Our own records as CSV or TSV, one kind a file; row by row.

use std::io::BufRead;

use serde_json::{Map, Value};

use crate::own::columns::RecordColumns;
use crate::own::{self, FieldFault};
use crate::reader::{Notes, ReadError, ReadOptions, Rejection, Sink};
use crate::text::lines::{Lines, Split};
use crate::text::order::{OrderedFile, holds_open_dates};
use crate::text::table::{HEADER_AGAIN, is_header};

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

fn rows(input: &mut dyn BufRead, options: &ReadOptions, sink: &mut dyn Sink) -> Result<Notes, ReadError> {
    let mut lines = Lines::new(input)?;
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
        if matches!(&split, Split::Fields(_, cells) if is_header(cells, &header)) {
            notes.remarks.insert(HEADER_AGAIN);
            continue;
        }
        let (Split::Bad(row, _) | Split::Fields(row, _)) = split;
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
