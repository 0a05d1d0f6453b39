//! XLSX: typed cells, as many sheets as it takes, and a last one that says what the file is.
//!
//! Rows wait in temporary files, so that memory stays flat. Texts are written as texts: no cell is a formula.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet};

use super::{EncodeError, Encoder, Pieces};
use crate::exports::columns::{Cell, Column};
use crate::exports::manifest::About;

/// Rows a sheet can hold, its heading included.
pub const ROWS: u32 = 1_048_576;
/// Letters a cell can hold.
const LETTERS: usize = 32_767;
/// Digits a number in a sheet keeps.
const DIGITS: usize = 15;
/// Bytes handed on at a time.
const PIECE: usize = 1024 * 1024;

/// A workbook.
pub struct Xlsx {
    book: Workbook,
    names: Vec<String>,
    heading: Format,
    scratch: Option<PathBuf>,
    /// Rows a sheet may have.
    most: u32,
    sheets: usize,
    /// The next row of the last sheet.
    next: u32,
}

impl Xlsx {
    /// Begins a workbook whose sheets have at most so many rows.
    pub fn new(columns: &[Column], scratch: Option<&Path>, most: u32) -> Result<Self, EncodeError> {
        let mut book = Workbook::new();
        if let Some(folder) = scratch {
            std::fs::create_dir_all(folder)?;
            book.set_tempdir(folder)?;
        }
        let mut xlsx = Self {
            book,
            names: columns.iter().map(|column| column.name.clone()).collect(),
            heading: Format::new().set_bold(),
            scratch: scratch.map(Path::to_owned),
            most,
            sheets: 0,
            next: 0,
        };
        xlsx.begin_sheet()?;
        Ok(xlsx)
    }

    fn begin_sheet(&mut self) -> Result<(), EncodeError> {
        self.sheets += 1;
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name(format!("Rows {}", self.sheets))?;
        for (at, name) in (0..).zip(&self.names) {
            sheet.write_string_with_format(0, at, name, &self.heading)?;
        }
        self.next = 1;
        Ok(())
    }

    fn about(&mut self, about: &About) -> Result<(), EncodeError> {
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name("About")?;
        for (row, (name, value)) in (0..).zip(about.lines()) {
            sheet.write_string_with_format(row, 0, name, &self.heading)?;
            sheet.write_string(row, 1, fitting(&value)?)?;
        }
        Ok(())
    }
}

fn write(sheet: &mut Worksheet, row: u32, at: u16, cell: Cell<'_>) -> Result<(), EncodeError> {
    match cell {
        Cell::Null | Cell::Text("") => return Ok(()),
        Cell::Text(text) => sheet.write_string(row, at, fitting(text)?)?,
        Cell::Count(count) if keeps(&count.to_string()) => sheet.write_number(row, at, count as f64)?,
        Cell::Count(count) => sheet.write_string(row, at, count.to_string())?,
        Cell::Percent(value) => sheet.write_number(row, at, value)?,
        Cell::Amount(digits) => match digits.parse::<f64>() {
            Ok(number) if keeps(digits) => sheet.write_number(row, at, number)?,
            _ => sheet.write_string(row, at, digits)?,
        },
        Cell::Flag(flag) => sheet.write_boolean(row, at, flag)?,
    };
    Ok(())
}

/// Numbers in sheets have 15 digits; a longer one is written as text rather than rounded.
fn keeps(digits: &str) -> bool {
    digits.bytes().filter(u8::is_ascii_digit).count() <= DIGITS
}

/// Longer texts would be cut; that is said instead.
fn fitting(text: &str) -> Result<&str, EncodeError> {
    if text.len() <= LETTERS || text.encode_utf16().count() <= LETTERS {
        return Ok(text);
    }
    Err(EncodeError::Unfit(format!("A text is longer than the {LETTERS} letters a workbook's cell holds; use CSV.")))
}

impl Encoder for Xlsx {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), EncodeError> {
        if self.next == self.most {
            self.begin_sheet()?;
        }
        let sheet = self.book.worksheet_from_index(self.sheets - 1)?;
        for (at, cell) in (0..).zip(cells) {
            write(sheet, self.next, at, *cell)?;
        }
        self.next += 1;
        Ok(())
    }

    /// A workbook is one archive, which is put together in the end.
    fn take(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn finish(mut self: Box<Self>, about: &About, pieces: Pieces<'_>) -> Result<(), EncodeError> {
        self.about(about)?;
        // The file's own time and not the machine's: the same file twice is the same bytes.
        if let Ok(written) = ExcelDateTime::parse_from_str(&about.written) {
            self.book.set_properties(&DocProperties::new().set_creation_datetime(&written));
        }
        let mut file = match &self.scratch {
            Some(folder) => tempfile::tempfile_in(folder)?,
            None => tempfile::tempfile()?,
        };
        self.book.save_to_writer(&mut file)?;
        file.seek(SeekFrom::Start(0))?;
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            if file.by_ref().take(PIECE as u64).read_to_end(&mut piece)? == 0 {
                return Ok(());
            }
            pieces(piece)?;
        }
    }
}
