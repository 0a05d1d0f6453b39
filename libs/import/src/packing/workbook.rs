//! The sheets of a workbook (.xlsx) as delimited text, a line a row, so that lines have the numbers of rows.

use std::{
    fmt,
    io::{self, BufRead, BufReader, Read, Seek},
    panic::{AssertUnwindSafe, catch_unwind},
};

use calamine::{Cell, DataRef, Reader as _, SheetType, Xlsx, XlsxCellReader};
use zip::ZipArchive;

use super::{of_zip, refused};
use crate::reader::ReadError;
use crate::text::encoding::Unpacked;
use crate::text::lines::write_record;

/// The texts of a workbook are kept in memory, up to this many bytes.
const TEXTS: u64 = 64 << 20;
/// So are its other parts, but for the sheets.
const OTHERS: u64 = 16 << 20;
/// A cell has 32,767 characters at most; a longer text must not fill the memory.
const LONGEST: usize = 1 << 20;
/// As many rows and columns as a sheet can have.
const ROWS: u32 = 1 << 20;
const COLUMNS: u32 = 1 << 14;
/// What stands for the result of a formula that no program has computed; an empty cell would say that there is nothing.
const NOT_COMPUTED: &str = "(a formula without a result: open the workbook and save it)";
const TOO_LARGE: &str = "the workbook is too large to be read as one: save the sheet as \"CSV UTF-8\"";

/// The names of the worksheets of a workbook whose parts are of a size that can be read.
pub(super) fn sheets<R: Read + Seek>(mut archive: ZipArchive<R>) -> Result<Vec<String>, ReadError> {
    for at in 0..archive.len() {
        let part = archive.by_index(at).map_err(|error| of_zip(&error))?;
        let name = part.name().map_err(|error| of_zip(&error))?.to_ascii_lowercase();
        if name.ends_with(".xml") || name.ends_with(".rels") {
            let size = part.compressed_size();
            judge(&name, &mut BufReader::new(Unpacked::of_size(part, size)))?;
        }
    }
    let workbook = open(archive.into_inner())?;
    let sheets = workbook.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    Ok(sheets.map(|sheet| sheet.name.clone()).collect())
}

/// Refuses a part that would fill the memory.
fn judge(name: &str, part: &mut dyn BufRead) -> Result<(), ReadError> {
    let most = match name {
        "xl/sharedstrings.xml" => TEXTS,
        name if name.starts_with("xl/worksheets/") => u64::MAX,
        _ => OTHERS,
    };
    let (mut size, mut longest, mut run) = (0, 0, 0);
    loop {
        let bytes = part.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        for byte in bytes {
            run = if *byte == b'<' { 0 } else { run + 1 };
            longest = longest.max(run);
        }
        let count = bytes.len();
        size += count as u64;
        part.consume(count);
        if size > most || longest > LONGEST {
            return Err(refused(TOO_LARGE));
        }
    }
}

/// Gives a sheet to `take`.
pub(super) fn with_sheet<R: Read + Seek>(
    file: R,
    name: &str,
    take: &mut dyn FnMut(&mut dyn BufRead),
) -> Result<(), ReadError> {
    let mut workbook = open(file)?;
    let cells = guarded(|| workbook.worksheet_cells_reader(name)).map_err(|fault| damaged(&fault))?;
    take(&mut BufReader::new(SheetText { cells, next: None, row: 0, width: 0, text: Vec::new(), at: 0, ended: false }));
    Ok(())
}

fn open<R: Read + Seek>(file: R) -> Result<Xlsx<R>, ReadError> {
    guarded(|| Xlsx::new(file)).map_err(|fault| damaged(&fault))
}

fn damaged(fault: &str) -> ReadError {
    refused(&format!("the workbook is damaged ({fault}): save it again, or save the sheet as \"CSV UTF-8\""))
}

/// The library may give up a damaged workbook with a panic. That must cost the workbook alone; what was being read is not touched
/// again.
fn guarded<T, E: fmt::Display>(read: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("its parts contradict each other".into()),
    }
}

/// A sheet as text, row by row.
struct SheetText<'a, R: Read + Seek> {
    cells: XlsxCellReader<'a, R>,
    /// The first cell of the next row.
    next: Option<Cell<DataRef<'a>>>,
    /// Rows written.
    row: u32,
    /// Cells of the longest row so far: a row ends at its last cell, a table's does not.
    width: usize,
    text: Vec<u8>,
    at: usize,
    /// The last cell was read.
    ended: bool,
}

impl<'a, R: Read + Seek> SheetText<'a, R> {
    /// The next cell that holds something.
    fn cell(&mut self) -> io::Result<Option<Cell<DataRef<'a>>>> {
        if let Some(cell) = self.next.take() {
            return Ok(Some(cell));
        }
        loop {
            // What comes after the last cell, the library reads as damage.
            if self.ended {
                return Ok(None);
            }
            let cell = guarded(|| self.cells.next_cell_with_formula_metadata())
                .map_err(|fault| io::Error::other(damaged(&fault).to_string()))?;
            self.ended = cell.is_none();
            let Some(cell) = cell else { return Ok(None) };
            let (row, column) = cell.pos;
            if row < self.row || row >= ROWS || column >= COLUMNS {
                return Err(io::Error::other(damaged("its rows are out of order").to_string()));
            }
            match cell.value {
                DataRef::Empty if cell.formula.is_some() => {
                    return Ok(Some(Cell::new(cell.pos, DataRef::String(NOT_COMPUTED.to_owned()))));
                }
                DataRef::Empty => {}
                value => return Ok(Some(Cell::new(cell.pos, value))),
            }
        }
    }

    /// Writes the next row that holds something, and the empty ones above it.
    fn line(&mut self) -> io::Result<()> {
        self.text.clear();
        self.at = 0;
        let Some(first) = self.cell()? else { return Ok(()) };
        let row = first.get_position().0;
        self.text.resize((row - self.row) as usize, b'\n');
        self.row = row;
        let mut fields: Vec<String> = Vec::new();
        let mut next = Some(first);
        while let Some(cell) = next {
            let (of, column) = cell.get_position();
            if of != row {
                self.next = Some(cell);
                break;
            }
            let column = column as usize;
            if fields.len() <= column {
                fields.resize(column + 1, String::new());
            }
            fields[column] = spelled(cell.get_value());
            next = self.cell()?;
        }
        self.width = self.width.max(fields.len());
        fields.resize(self.width, String::new());
        write_record(fields.iter().map(String::as_str), &mut self.text);
        self.row += 1;
        Ok(())
    }
}

impl<R: Read + Seek> Read for SheetText<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            self.line()?;
        }
        let count = buffer.len().min(self.text.len() - self.at);
        buffer[..count].copy_from_slice(&self.text[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// What a cell says. Whole numbers have no point, days no time.
fn spelled(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(flag) => if *flag { "True" } else { "False" }.into(),
        DataRef::DateTime(time) if time.is_duration() => time.as_f64().to_string(),
        DataRef::DateTime(time) => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            let date = format!("{year:04}-{month:02}-{day:02}");
            if (hour, minute, second) == (0, 0, 0) { date } else { format!("{date}T{hour:02}:{minute:02}:{second:02}") }
        }
        DataRef::Error(fault) => fault.to_string(),
    }
}
