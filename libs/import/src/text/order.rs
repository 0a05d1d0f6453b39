//! Which of day and month comes first in the dates of a file. The whole file decides, before its first row is taken: what tells
//! may stand in its last.
//!
//! The file is laid down meanwhile, in memory while it is small, else in an unnamed temporary file. It is gone through a second
//! time only where it holds a date that leaves its order open.

use std::io::{self, BufRead, BufReader, Seek as _, SeekFrom, Write as _};

use tempfile::SpooledTempFile;

use crate::reader::{DateOrder, Notes, ReadError, Stopped};
use crate::text::dates::DateProof;
use crate::text::element::Element;
use crate::text::json;
use crate::text::lines::{Lines, Split, read_line};
use crate::text::table::normalised;

/// A file up to this size stays in memory.
const IN_MEMORY: usize = 8 << 20;
/// A comment longer than this is cut.
const LONGEST_COMMENT: usize = 64 << 10;
/// Bytes read at a time.
const BLOCK: usize = 256 << 10;

const DAY_FIRST: &str = "dates such as 3/4/2026 are read with the day first: 3 April";
const MONTH_FIRST: &str = "dates such as 3/4/2026 are read with the month first: 4 March";

/// A file that was gone through, at its beginning again, and the order of its dates.
pub(crate) struct OrderedFile {
    pub(crate) input: BufReader<SpooledTempFile>,
    pub(crate) order: Option<DateOrder>,
}

impl OrderedFile {
    /// Goes through a file. `list` is the member that holds its list, where it is JSON; `said` the order that the caller names.
    pub(crate) fn read(
        input: &mut dyn BufRead,
        list: &'static str,
        said: Option<DateOrder>,
    ) -> Result<Self, ReadError> {
        let mut file = SpooledTempFile::new(IN_MEMORY);
        let mut scan = OpenDateScan::default();
        loop {
            let bytes = input.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            scan.look(bytes);
            file.write_all(bytes)?;
            let count = bytes.len();
            input.consume(count);
        }
        let mut file = BufReader::with_capacity(BLOCK, file);
        file.seek(SeekFrom::Start(0))?;
        let mut order = None;
        if scan.found {
            order = proof(&mut file, list)?.order(said).map_err(ReadError::Refused)?;
            file.seek(SeekFrom::Start(0))?;
        }
        Ok(Self { input: file, order })
    }

    /// Says in which order the dates are read, where the file has any that leave it open.
    pub(crate) fn noted(order: Option<DateOrder>, mut notes: Notes) -> Notes {
        notes.remarks.extend(order.map(|order| match order {
            DateOrder::DayFirst => DAY_FIRST,
            DateOrder::MonthFirst => MONTH_FIRST,
        }));
        notes
    }
}

/// What the dates of a table or a list tell. What is wrong with the file otherwise is for its reader to say.
fn proof(input: &mut dyn BufRead, list: &'static str) -> io::Result<DateProof> {
    // Lines before the header say nothing.
    while input.fill_buf()?.starts_with(b"#") {
        read_line(input, LONGEST_COMMENT, &mut Vec::new())?;
    }
    let start = input.fill_buf()?;
    let first = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).iter().find(|byte| !byte.is_ascii_whitespace());
    if !matches!(first, Some(b'{' | b'[')) {
        return of_table(&mut Lines::new(input)?);
    }
    let mut proof = DateProof::default();
    let take = &mut |element: Element| {
        element.each_date(&mut |text| proof.look(element.row, text, false));
        Ok::<(), Stopped>(())
    };
    match json::each(input, list, take) {
        Err(ReadError::Io(error)) => Err(error),
        _ => Ok(proof),
    }
}

/// What the dates of a table tell; the next record is its header.
fn of_table(lines: &mut Lines<'_>) -> io::Result<DateProof> {
    let mut proof = DateProof::default();
    let Some(Split::Fields(_, header)) = lines.next_record()? else { return Ok(proof) };
    let names: Vec<String> = header.iter().map(|name| normalised(name)).collect();
    let dates: Vec<usize> = (0..names.len()).filter(|at| holds_dates(&names[*at])).collect();
    while let Some(record) = lines.next_record()? {
        let Split::Fields(line, fields) = record else { continue };
        for (at, text) in dates.iter().filter_map(|at| Some((*at, fields.get(*at)?))) {
            proof.look(line, text, names[at] == "month");
        }
    }
    Ok(proof)
}

/// Whether a column or member of this name, normalised, holds dates.
fn holds_dates(name: &str) -> bool {
    name.contains("date") || matches!(name, "month" | "day" | "from" | "to" | "start" | "end" | "effective")
}

/// Whether the beginning of a file holds what may be a date that leaves its order open.
pub(crate) fn holds_open_dates(start: &[u8]) -> bool {
    let mut scan = OpenDateScan::default();
    scan.look(start);
    scan.found
}

/// Looks for what may be a date that leaves its order open: one or two digits, a mark, one or two digits, the same mark, four digits.
#[derive(Default)]
struct OpenDateScan {
    digits: u8,
    /// The mark after the digits before, and how many there were.
    mark: Option<u8>,
    marks: u8,
    found: bool,
}

impl OpenDateScan {
    fn look(&mut self, bytes: &[u8]) {
        if self.found {
            return;
        }
        for &byte in bytes {
            match byte {
                b'0'..=b'9' => {
                    self.digits = self.digits.saturating_add(1);
                    if self.marks == 2 && self.digits == 4 {
                        self.found = true;
                        return;
                    }
                }
                b'/' | b'-' | b'.' if (1..=2).contains(&self.digits) => {
                    self.marks = if self.marks == 1 && self.mark == Some(byte) { 2 } else { 1 };
                    self.mark = Some(byte);
                    self.digits = 0;
                }
                // An escaped slash in JSON, and every other byte of UTF-16.
                b'\\' | 0 => {}
                _ => (self.digits, self.marks) = (0, 0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(text: &str, said: Option<DateOrder>) -> Result<Option<DateOrder>, String> {
        let read = OrderedFile::read(&mut text.as_bytes(), "value", said);
        read.map(|file| file.order).map_err(|error| error.to_string())
    }

    #[test]
    fn only_what_may_be_open_is_found() {
        for (text, found) in [
            ("x,05/03/2026,y", true),
            ("1.2.2026", true),
            ("3\\/4\\/2026", true),
            ("3\0/\x004\0/\x002\x000\x002\x006", true),
            ("1-2-2026", true),
            ("2026-05-03T00:00:00Z", false),
            ("8a3f2c1e-0b4d-4f6a-9c8e-1234567890ab", false),
            ("1/2", false),
            ("1/2-2026", false),
            ("1/2/26,1234", false),
        ] {
            assert_eq!(holds_open_dates(text.as_bytes()), found, "{text:?}");
            let mut scan = OpenDateScan::default();
            text.as_bytes().chunks(3).for_each(|bytes| scan.look(bytes));
            assert_eq!(scan.found, found, "{text:?}");
        }
    }

    #[test]
    fn a_file_is_given_back_whole_and_its_last_row_may_tell() {
        use std::io::Read as _;
        let rows = "1,05/03/2026,x\n".repeat(100_000);
        let text = format!("A,Start Date,Name\n{rows}2,23/01/2026,y\n");
        let mut file = OrderedFile::read(&mut text.as_bytes(), "value", None).unwrap();
        let mut again = String::new();
        file.input.read_to_string(&mut again).unwrap();
        assert!(again == text);
        assert_eq!(file.order, Some(DateOrder::DayFirst));
        assert!(order(&format!("A,Start Date,Name\n{rows}"), None).unwrap_err().contains("--dates dmy"));
        assert_eq!(
            order(&format!("A,Start Date,Name\n{rows}"), Some(DateOrder::DayFirst)),
            Ok(Some(DateOrder::DayFirst))
        );
        assert_eq!(order("A,Note\n1,05/03/2026\n", None), Ok(None), "no column of dates");
    }

    #[test]
    fn lists_are_gone_through_as_tables_are() {
        let list = |dates: &str| format!("{{\"value\": [{{\"a\": {{\"createdDateTime\": \"{dates}\"}}}}]}}");
        assert_eq!(order(&list("23/01/2026 00:00:00"), None), Ok(Some(DateOrder::DayFirst)));
        assert!(order(&list("3/1/2026"), None).is_err());
        assert_eq!(order(&list("2026-01-03T00:00:00Z"), None), Ok(None));
    }
}
