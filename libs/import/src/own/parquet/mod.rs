//! Our own records as Parquet, one kind a file; row group by row group, a batch of rows at a time.
//!
//! A row is counted from 1: Parquet has no lines.

mod cells;

use std::{
    fs::File,
    io::{self, BufRead, Read as _, Seek as _, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
};

use arrow_array::RecordBatch;
use bytes::Bytes;
use parquet::{
    arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
    file::reader::ChunkReader,
};
use serde_json::{Map, Value};

use crate::own::columns::RecordColumns;
use crate::own::{self, FieldFault};
use crate::reader::{Notes, ReadError, ReadOptions, Rejection, Sink};

/// Rows held in memory at a time.
const ROWS: usize = 4096;
/// A file up to this size is read in memory; a bigger one is laid down first, for Parquet is read from its end.
const IN_MEMORY: u64 = 16 << 20;
const MAGIC: &[u8] = b"PAR1";

/// Reads a table of records.
pub(crate) fn read(input: &mut dyn BufRead, options: &ReadOptions, sink: &mut dyn Sink) -> Result<Notes, ReadError> {
    let mut begun = Vec::new();
    (&mut *input).take(IN_MEMORY).read_to_end(&mut begun)?;
    if !begun.starts_with(MAGIC) {
        return Err(ReadError::Refused("this is not a Parquet file: it does not begin with PAR1".into()));
    }
    if (begun.len() as u64) < IN_MEMORY {
        return rows(Bytes::from(begun), options, sink);
    }
    rows(lay_down(&begun, input)?, options, sink)
}

/// A file of its own that nobody else sees and that goes with this process.
fn lay_down(begun: &[u8], rest: &mut dyn BufRead) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(begun)?;
    io::copy(rest, &mut file)?;
    file.rewind()?;
    Ok(file)
}

fn rows<T: ChunkReader + 'static>(file: T, options: &ReadOptions, sink: &mut dyn Sink) -> Result<Notes, ReadError> {
    let options_of_parquet = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = guarded(|| ParquetRecordBatchReaderBuilder::try_new_with_options(file, options_of_parquet))
        .map_err(|fault| broken(&fault))?;
    let schema = builder.schema().clone();
    let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let columns = RecordColumns::find(&names, options)?;
    for (field, column) in std::iter::zip(&columns.fields, schema.fields()) {
        if let Some(field) = field
            && !cells::readable(field.shape, column.data_type())
        {
            let (name, kind) = (column.name(), column.data_type());
            return Err(ReadError::Refused(format!(
                "the column {name} is of type {kind}, which {} cannot be",
                field.name
            )));
        }
    }
    let mut reader: ParquetRecordBatchReader =
        guarded(|| builder.with_batch_size(ROWS).build()).map_err(|fault| broken(&fault))?;
    let mut notes = Notes { unknown_columns: columns.unknown.clone(), ..Notes::default() };
    let mut row = 0;
    while let Some(batch) = guarded(|| reader.next().transpose())
        .map_err(|fault| ReadError::Refused(format!("the file is damaged after row {row}: {fault}")))?
    {
        for at in 0..batch.num_rows() {
            row += 1;
            match parse(&columns, &batch, at).and_then(|map| own::parse(columns.kind, map, row, &mut notes)) {
                Ok(parsed) => parsed.give(row, sink)?,
                Err((field, reason)) => sink.rejected(Rejection { row, field, reason })?,
            }
        }
    }
    Ok(notes)
}

fn broken(fault: &str) -> ReadError {
    ReadError::Refused(format!("this is not a Parquet file that can be read: {fault}"))
}

/// The library gives up some damaged files with a panic. That must cost the file alone; what was being read is not touched
/// again.
fn guarded<T, E: std::fmt::Display>(read: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("its parts contradict each other".into()),
    }
}

fn parse(columns: &RecordColumns, batch: &RecordBatch, row: usize) -> Result<Map<String, Value>, FieldFault> {
    let kind = columns.kind_column.and_then(|at| cells::text(batch.column(at), row));
    kind.map_or(Ok(()), |kind| columns.judge_kind(&kind))?;
    let mut map = Map::with_capacity(columns.fields.len());
    for (field, array) in std::iter::zip(&columns.fields, batch.columns()) {
        if let Some(field) = field
            && let Some(value) = cells::value(field.shape, array, row)
        {
            map.insert(field.name.to_owned(), value);
        }
    }
    Ok(map)
}
