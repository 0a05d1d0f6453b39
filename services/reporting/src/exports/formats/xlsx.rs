//! XLSX: typed cells on as many sheets as needed, and a last sheet with the manifest.
//!
//! Rows are buffered in temporary files, so memory stays flat. Texts are written as strings, never as formulas.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet};

use super::{EncodeError, Encoder, Pieces};
use crate::exports::cell::CellValue;
use crate::exports::manifest::FileManifest;
use crate::exports::schema::ColumnSchema;

/// Rows a sheet can hold, its heading included.
pub const ROWS: u32 = 1_048_576;
/// Characters that a cell can hold.
const LETTERS: usize = 32_767;
/// Significant digits of a number in a sheet.
const DIGITS: usize = 15;
/// Most uncompressed bytes of a sheet, because the archive holds files below 4 GiB.
const SHEET: u64 = 4_000_000_000;
/// Most bytes of a cell beside its text, and most bytes of an escaped byte of text (`&quot;`).
const CELL: u64 = 64;
const BYTE: u64 = 6;
/// Size of the pieces that are passed on.
const PIECE: usize = 1024 * 1024;

/// A workbook.
pub struct XlsxEncoder {
    book: Workbook,
    names: Vec<String>,
    heading: Format,
    /// Most rows of a sheet.
    most: u32,
    sheets: usize,
    /// The next row of the last sheet.
    next: u32,
    /// Bytes of the last sheet, at most.
    size: u64,
}

impl XlsxEncoder {
    /// Starts a workbook whose sheets have at most `most` rows.
    pub fn new(columns: &[ColumnSchema], scratch: Option<&Path>, most: u32) -> Result<Self, EncodeError> {
        let mut book = Workbook::new();
        if let Some(folder) = scratch {
            std::fs::create_dir_all(folder)?;
            book.set_tempdir(folder)?;
        }
        let mut xlsx = Self {
            book,
            names: columns.iter().map(|column| column.name.clone()).collect(),
            heading: Format::new().set_bold(),
            most,
            sheets: 0,
            next: 0,
            size: 0,
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
        (self.next, self.size) = (1, 0);
        Ok(())
    }

    fn write_manifest(&mut self, manifest: &FileManifest) -> Result<(), EncodeError> {
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name("About")?;
        for (row, (name, value)) in (0..).zip(manifest.entries()) {
            sheet.write_string_with_format(row, 0, name, &self.heading)?;
            sheet.write_string(row, 1, fitting(&value)?)?;
        }
        Ok(())
    }
}

fn write(sheet: &mut Worksheet, row: u32, at: u16, cell: CellValue<'_>) -> Result<(), EncodeError> {
    match cell {
        CellValue::Null | CellValue::Text("") => return Ok(()),
        CellValue::Text(text) => sheet.write_string(row, at, fitting(text)?)?,
        CellValue::Count(count) if keeps(&count.to_string()) => sheet.write_number(row, at, count as f64)?,
        CellValue::Count(count) => sheet.write_string(row, at, count.to_string())?,
        CellValue::Percent(value) => sheet.write_number(row, at, value)?,
        CellValue::Amount(amount) => {
            let digits = amount.to_string();
            match digits.parse::<f64>() {
                Ok(number) if keeps(&digits) => sheet.write_number(row, at, number)?,
                _ => sheet.write_string(row, at, digits)?,
            }
        }
        CellValue::Flag(flag) => sheet.write_boolean(row, at, flag)?,
    };
    Ok(())
}

/// Most bytes of a cell in a sheet.
fn most_bytes(cell: CellValue<'_>) -> u64 {
    match cell {
        CellValue::Text(text) => CELL + BYTE * text.len() as u64,
        CellValue::Null | CellValue::Count(_) | CellValue::Percent(_) | CellValue::Amount(_) | CellValue::Flag(_) => {
            CELL
        }
    }
}

/// Whether a number fits into a cell without rounding; a longer one is written as text.
fn keeps(digits: &str) -> bool {
    digits.bytes().filter(u8::is_ascii_digit).count() <= DIGITS
}

/// Refuses a text that a cell would cut off.
fn fitting(text: &str) -> Result<&str, EncodeError> {
    if text.len() <= LETTERS || text.encode_utf16().count() <= LETTERS {
        return Ok(text);
    }
    Err(EncodeError::Unfit(format!("A text is longer than the {LETTERS} letters a workbook's cell holds; use CSV.")))
}

/// Passes the archive on in pieces while it is written; fails when the receiver is gone.
struct PieceWriter<'a> {
    piece: Vec<u8>,
    pieces: Pieces<'a>,
}

impl Write for PieceWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
            (self.pieces)(piece).map_err(|_| io::Error::from(ErrorKind::BrokenPipe))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Encoder for XlsxEncoder {
    fn row(&mut self, cells: &[CellValue<'_>]) -> Result<(), EncodeError> {
        let size: u64 = cells.iter().map(|cell| most_bytes(*cell)).sum();
        if self.next == self.most || self.size + size > SHEET {
            self.begin_sheet()?;
        }
        self.size += size;
        let sheet = self.book.worksheet_from_index(self.sheets - 1)?;
        for (at, cell) in (0..).zip(cells) {
            write(sheet, self.next, at, *cell)?;
        }
        self.next += 1;
        Ok(())
    }

    /// A workbook is one archive, which is written at the end.
    fn take(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn finish(mut self: Box<Self>, manifest: &FileManifest, pieces: Pieces<'_>) -> Result<(), EncodeError> {
        self.write_manifest(manifest)?;
        // The time of the manifest, not of the machine, so that encoding twice gives the same bytes.
        if let Ok(written) = ExcelDateTime::parse_from_str(&manifest.written) {
            self.book.set_properties(&DocProperties::new().set_creation_datetime(&written));
        }
        let mut out = PieceWriter { piece: Vec::with_capacity(PIECE), pieces };
        self.book.save_to_writer(&mut out)?;
        (out.pieces)(out.piece)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Cursor};

    use insights_proto::metrics::v1::{Measure, Query};

    use super::*;
    use crate::exports::schema::of_query;

    /// Rows of each sheet of a workbook of so many rows, by the first cell of each: headings and numbers.
    fn sheets(rows: u32, most: u32) -> Vec<(usize, String)> {
        let columns = of_query(&Query { measures: vec![Measure::Customers.into()], ..Query::default() }, false);
        let columns = &columns[1..2];
        let mut book = Box::new(XlsxEncoder::new(columns, None, most).expect("a workbook"));
        for row in 0..rows {
            book.row(&[CellValue::Count(row.into())]).expect("a row");
        }
        let mut bytes = Vec::new();
        let mut take = |piece: Vec<u8>| {
            bytes.extend_from_slice(&piece);
            Ok(())
        };
        book.finish(&FileManifest::default(), &mut take).expect("an archive");
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
        let mut sheets = Vec::new();
        for number in 1.. {
            let Ok(sheet) = archive.by_name(&format!("xl/worksheets/sheet{number}.xml")) else { break };
            let (mut count, mut last) = (0, String::new());
            for row in BufReader::new(sheet).split(b'/').map(|row| row.expect("text")) {
                // `<row r="2"><c r="A2"><v>0</v></c></row>`: what stands before the end of a value.
                let row = String::from_utf8_lossy(&row);
                count += usize::from(row.contains("<row "));
                if let Some(value) = row.strip_suffix('<').and_then(|row| row.rsplit_once("<v>")) {
                    last = value.1.to_owned();
                }
            }
            sheets.push((count, last));
        }
        sheets
    }

    #[test]
    fn what_does_not_fit_a_sheet_goes_on_in_the_next() {
        let of = |rows| sheets(rows, 5).into_iter().map(|(count, last)| format!("{count} {last}")).collect::<Vec<_>>();
        // The last sheet is the manifest, with eleven rows.
        assert_eq!(of(0), ["1 ", "11 "]);
        assert_eq!(of(4), ["5 3", "11 "]);
        assert_eq!(of(5), ["5 3", "2 4", "11 "]);
        assert_eq!(of(9), ["5 3", "5 7", "2 8", "11 "]);
    }

    #[test]
    fn the_sheet_of_the_manifest_is_called_about() {
        let mut book = Box::new(XlsxEncoder::new(&[], None, ROWS).expect("a workbook"));
        book.row(&[]).expect("a row");
        let mut bytes = Vec::new();
        let mut take = |piece: Vec<u8>| {
            bytes.extend_from_slice(&piece);
            Ok(())
        };
        book.finish(&FileManifest::default(), &mut take).expect("an archive");
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
        let workbook = std::io::read_to_string(archive.by_name("xl/workbook.xml").expect("a workbook")).expect("text");
        let names: Vec<&str> =
            workbook.split("<sheet name=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(names, ["Rows 1", "About"]);
    }

    #[test]
    fn sheets_are_as_long_as_spreadsheets_take() {
        let sheets = sheets(ROWS + 1, ROWS);
        let ends: Vec<(usize, &str)> = sheets.iter().map(|(count, last)| (*count, last.as_str())).collect();
        assert_eq!(ends, [(1_048_576, "1048574"), (3, "1048576"), (11, "")]);
    }
}
