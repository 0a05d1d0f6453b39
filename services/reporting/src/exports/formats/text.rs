//! CSV and TSV: RFC 4180, UTF-8, lines ending in CR LF.

use super::{EncodeError, Encoder, Pieces};
use crate::exports::cell::CellValue;
use crate::exports::manifest::FileManifest;
use crate::exports::schema::ColumnSchema;

/// Characters at the beginning of a text that make a spreadsheet read it as a formula; the full-width ones count where East
/// Asian input is read as ASCII.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A file of lines.
pub struct TextEncoder {
    out: Vec<u8>,
    field: Vec<u8>,
    between: u8,
}

impl TextEncoder {
    /// Starts the file with a header row.
    pub fn new(columns: &[ColumnSchema], between: u8) -> Self {
        let mut text = Self { out: Vec::new(), field: Vec::new(), between };
        let names: Vec<CellValue<'_>> = columns.iter().map(|column| CellValue::Text(&column.name)).collect();
        text.line(&names);
        text
    }

    fn line(&mut self, cells: &[CellValue<'_>]) {
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                self.out.push(self.between);
            }
            match cell {
                CellValue::Text(text) => {
                    self.field.clear();
                    if neutral(text) {
                        self.field.push(b'\'');
                    }
                    self.field.extend_from_slice(text.as_bytes());
                    quoted(&self.field, self.between, &mut self.out);
                }
                other => other.write(&mut self.out),
            }
        }
        self.out.extend_from_slice(b"\r\n");
    }
}

/// Whether a text gets an apostrophe in front so that it is no formula. A text that already begins with apostrophes gets
/// another one, so that removing one restores it.
fn neutral(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA)
}

/// A cell as in a text file, without quotes.
pub fn text_of(cell: CellValue<'_>) -> String {
    let mut out = Vec::new();
    if matches!(cell, CellValue::Text(text) if neutral(text)) {
        out.push(b'\'');
    }
    cell.write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Writes a field, quoted as RFC 4180 demands and where leading or trailing blanks might be lost.
fn quoted(field: &[u8], between: u8, out: &mut Vec<u8>) {
    let special = |byte: &u8| *byte == between || matches!(byte, b'"' | b'\r' | b'\n');
    let blank = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    if !field.iter().any(special) && !blank(field.first()) && !blank(field.last()) {
        out.extend_from_slice(field);
        return;
    }
    out.push(b'"');
    for byte in field {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

impl Encoder for TextEncoder {
    fn row(&mut self, cells: &[CellValue<'_>]) -> Result<(), EncodeError> {
        self.line(cells);
        Ok(())
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Nothing follows the rows, because it would be read as a row.
    fn finish(mut self: Box<Self>, _: &FileManifest, pieces: Pieces<'_>) -> Result<(), EncodeError> {
        pieces(self.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cells: &[CellValue<'_>], between: u8) -> String {
        let mut text = TextEncoder::new(&[], between);
        text.take();
        text.line(cells);
        String::from_utf8(text.take()).expect("UTF-8")
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let cells = [
            CellValue::Text("a,b"),
            CellValue::Text("say \"x\""),
            CellValue::Text("two\r\nlines"),
            CellValue::Text(" blank"),
        ];
        assert_eq!(line(&cells, b','), "\"a,b\",\"say \"\"x\"\"\",\"two\r\nlines\",\" blank\"\r\n");
        assert_eq!(line(&[CellValue::Text("a,b"), CellValue::Text("c\td")], b'\t'), "a,b\t\"c\td\"\r\n");
        assert_eq!(
            line(&[CellValue::Null, CellValue::Text(""), CellValue::Count(-3), CellValue::Percent(12.5)], b','),
            ",,-3,12.5\r\n"
        );
    }

    #[test]
    fn texts_that_would_be_formulas_are_made_harmless_and_numbers_stay() {
        for text in ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1"] {
            let written = line(&[CellValue::Text(text), CellValue::Count(1)], b',');
            assert!(written.trim_start_matches('"').starts_with('\''), "{written:?}");
            assert_eq!(text_of(CellValue::Text(text)), format!("'{text}"));
        }
        assert_eq!(
            line(&[CellValue::Amount("-12.50".parse().expect("an amount")), CellValue::Count(-7)], b','),
            "-12.50,-7\r\n"
        );
        assert_eq!(line(&[CellValue::Text("a=b"), CellValue::Text("'x")], b','), "a=b,'x\r\n");
    }
}
