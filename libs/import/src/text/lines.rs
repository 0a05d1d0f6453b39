//! Splits delimited text into records that know the line they begin on.
//!
//! Real exports hold quoted newlines, lone quotes inside fields and, once in a while, a quote that is never closed. The
//! last must not swallow the rest of the file: such a row is given up and reading resumes on the line after it.

use std::{
    collections::VecDeque,
    io::{self, BufRead as _, Read as _},
};

/// A quoted field longer than this many lines is taken for a quote that was never closed.
const MAX_LINES_PER_RECORD: usize = 200;
/// A row longer than this is none of a report's, and must not fill the memory.
const MAX_BYTES_PER_RECORD: usize = 1 << 20;
const TOO_LONG: &str = "the row is longer than 1 MiB (1048576 bytes)";
const NEVER_CLOSED: &str = "a quote is opened and never closed";
const NOT_UTF_8: &str = "the text is not UTF-8: save the file again as UTF-8, in Excel as \"CSV UTF-8\"";
const NULS: &str = "it holds zero bytes, the mark of a damaged file";
/// A table below pairs has more columns than this, so that no table of two is taken for them.
const MOST_BESIDE_PAIRS: usize = 4;
/// How far below a title the header may stand.
const BELOW_TITLE: usize = 12;

/// One record of delimited text, or why it is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Split {
    /// The fields of the record that begins on line `.0`.
    Fields(u64, Vec<String>),
    /// The record that begins on line `.0` cannot be read.
    Bad(u64, &'static str),
}

/// Reads records one by one.
pub(crate) struct Lines<'a> {
    input: &'a mut dyn io::BufRead,
    /// Lines read ahead and given back, first the next one.
    returned: VecDeque<DelimitedLine>,
    /// Number of the line read last, from 1.
    line: u64,
    delimiter: u8,
    /// Each line is one quoted cell that holds the true line, as a spreadsheet saves a table that it did not take apart.
    wrapped: bool,
}

impl<'a> Lines<'a> {
    /// Begins before the first line that says something: blank lines, titles, comments and hints of programs (`#TYPE …`,
    /// `sep=;`) above the header are passed over. The delimiter is the one that is hinted at, or found on that line.
    pub(crate) fn new(input: &'a mut dyn io::BufRead) -> io::Result<Self> {
        let mut lines = Self { input, returned: VecDeque::new(), line: 0, delimiter: b',', wrapped: false };
        let mut hinted = None;
        while let Some(mut first) = lines.next_line()? {
            if lines.line == 1 && first.bytes.starts_with(b"\xef\xbb\xbf") {
                first.bytes.drain(..3);
            }
            let text = first.bytes.trim_ascii();
            if (first.whole && cells(text) == 0) || is_comment(text) {
                continue;
            }
            if let Some(delimiter) = hint(text) {
                hinted = Some(delimiter);
                continue;
            }
            let hinted = hinted.filter(|hinted| text.contains(hinted));
            lines.delimiter = hinted.unwrap_or_else(|| delimiter(text));
            if first.whole && lines.is_title(cells(text))? {
                continue;
            }
            lines.wrapped = is_wrapped(text, lines.delimiter);
            if lines.wrapped {
                lines.delimiter = delimiter(&text.iter().copied().filter(|byte| *byte != b'"').collect::<Vec<_>>());
            }
            lines.give_back(first);
            break;
        }
        Ok(lines)
    }

    /// Whether the line read last stands above a header: a title has one cell, what is said of a report in pairs has two.
    fn is_title(&mut self, cells_of_line: usize) -> io::Result<bool> {
        let most = match cells_of_line {
            1 => 2,
            2 => MOST_BESIDE_PAIRS,
            _ => return Ok(false),
        };
        let mut below = Vec::new();
        let mut found = false;
        while below.len() < BELOW_TITLE && !found {
            let Some(line) = self.next_line()? else { break };
            found = line.whole && cells(&line.bytes) > most;
            below.push(line);
        }
        below.into_iter().rev().for_each(|line| self.give_back(line));
        Ok(found)
    }

    /// The next record; blank lines, and those of which all fields are empty, are skipped.
    pub(crate) fn next_record(&mut self) -> io::Result<Option<Split>> {
        loop {
            let Some(line) = self.next_line()? else { return Ok(None) };
            if line.whole && line.bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match self.record(line)? {
                Split::Fields(_, fields) if fields.len() > 1 && fields.iter().all(String::is_empty) => {}
                Split::Fields(line, fields) if self.wrapped && fields.len() == 1 => {
                    let mut within = DelimitedFields::new(self.delimiter);
                    within.take(fields[0].as_bytes());
                    return Ok(Some(within.finish().map_or(Split::Bad(line, NOT_UTF_8), |it| Split::Fields(line, it))));
                }
                split => return Ok(Some(split)),
            }
        }
    }

    fn record(&mut self, first: DelimitedLine) -> io::Result<Split> {
        let start = self.line;
        if !first.whole {
            return Ok(Split::Bad(start, TOO_LONG));
        }
        let mut bytes = first.bytes.len();
        let mut lines = vec![first];
        let mut fields = DelimitedFields::new(self.delimiter);
        fields.take(&lines[0].bytes);
        while fields.open() {
            let next = if lines.len() < MAX_LINES_PER_RECORD { self.next_line()? } else { None };
            let Some(next) = next else { return Ok(self.give_up(start, lines, NEVER_CLOSED)) };
            bytes += next.bytes.len();
            let fits = next.whole && bytes <= MAX_BYTES_PER_RECORD;
            if fits {
                fields.take(&next.bytes);
            }
            lines.push(next);
            if !fits {
                return Ok(self.give_up(start, lines, TOO_LONG));
            }
            // Text after a closing quote some lines further down means that it was another field's quote.
            if fields.trailing {
                return Ok(self.give_up(start, lines, NEVER_CLOSED));
            }
        }
        if lines.iter().any(|line| line.bytes.contains(&0)) {
            return Ok(Split::Bad(start, NULS));
        }
        Ok(match fields.finish() {
            Some(fields) => Split::Fields(start, fields),
            None => Split::Bad(start, NOT_UTF_8),
        })
    }

    /// Gives a record up; reading resumes on the line after its first.
    fn give_up(&mut self, start: u64, mut lines: Vec<DelimitedLine>, reason: &'static str) -> Split {
        lines.drain(1..).rev().for_each(|line| self.give_back(line));
        Split::Bad(start, reason)
    }

    fn next_line(&mut self) -> io::Result<Option<DelimitedLine>> {
        let line = match self.returned.pop_front() {
            Some(line) => line,
            None => {
                let mut bytes = Vec::new();
                let whole = match read_line(self.input, MAX_BYTES_PER_RECORD, &mut bytes)? {
                    Read::End => return Ok(None),
                    Read::Whole => true,
                    Read::Cut => false,
                };
                DelimitedLine { bytes, whole }
            }
        };
        self.line += 1;
        Ok(Some(line))
    }

    fn give_back(&mut self, line: DelimitedLine) {
        self.line -= 1;
        self.returned.push_front(line);
    }
}

/// A line with its end, or the beginning of one that is too long.
struct DelimitedLine {
    bytes: Vec<u8>,
    whole: bool,
}

/// What [`read_line`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// Nothing: the input has ended.
    End,
    /// A line, with its end where it has one.
    Whole,
    /// The beginning of a line that is longer than the limit. The rest is skipped.
    Cut,
}

/// Reads a line of at most `limit` bytes, its end included, into `line`.
pub(crate) fn read_line(input: &mut dyn io::BufRead, limit: usize, line: &mut Vec<u8>) -> io::Result<Read> {
    line.clear();
    (&mut *input).take(limit as u64).read_until(b'\n', line)?;
    if line.is_empty() {
        return Ok(Read::End);
    }
    if line.len() < limit || line.ends_with(b"\n") {
        return Ok(Read::Whole);
    }
    let mut more = false;
    loop {
        let rest = input.fill_buf()?;
        let end = rest.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(rest.len(), |at| at + 1);
        more |= count > 0;
        let done = end.is_some() || count == 0;
        input.consume(count);
        if done {
            return Ok(if more { Read::Cut } else { Read::Whole });
        }
    }
}

/// A tab, a semicolon, a comma or a bar, whichever parts the names of a header; what is quoted does not count.
fn delimiter(header: &[u8]) -> u8 {
    let count = |byte: u8| unquoted(header).filter(|&b| b == byte).count();
    match [b'\t', b';', b',', b'|'].map(count) {
        [tabs, ..] if tabs > 0 => b'\t',
        [_, semicolons, commas, _] if semicolons > commas => b';',
        [_, _, 0, bars] if bars > 0 => b'|',
        _ => b',',
    }
}

fn unquoted(line: &[u8]) -> impl Iterator<Item = u8> {
    let mut quoted = false;
    line.iter().copied().filter(move |byte| {
        quoted ^= *byte == b'"';
        !quoted && *byte != b'"'
    })
}

/// How many cells of a line hold something.
fn cells(line: &[u8]) -> usize {
    let mut fields = DelimitedFields::new(delimiter(line));
    fields.take(line);
    fields.done.push(fields.field);
    fields.done.iter().filter(|field| !field.trim_ascii().is_empty()).count()
}

/// Whether a header is one quoted cell with several names in it.
fn is_wrapped(header: &[u8], by: u8) -> bool {
    let mut fields = DelimitedFields::new(by);
    fields.take(header);
    let quoted = header.starts_with(b"\"") && fields.done.is_empty() && !fields.open();
    quoted
        && [b'\t', b';', b','].iter().any(|delimiter| fields.field.iter().filter(|byte| *byte == delimiter).count() > 1)
}

/// Whether a line above the header is a comment; a header may begin with a column that is named `#`.
pub(crate) fn is_comment(line: &[u8]) -> bool {
    line.starts_with(b"#") && !matches!(line.get(1), Some(b',' | b';' | b'\t' | b'|' | b'"'))
}

/// The delimiter that a line such as `sep=;` hints at.
fn hint(line: &[u8]) -> Option<u8> {
    let bare: Vec<u8> = line.iter().copied().filter(|byte| *byte != b'"').collect();
    let (name, rest) = bare.split_at_checked(4)?;
    let (delimiter, rest) = rest.split_first().unwrap_or((&b'\t', &[]));
    let is_hint = name.eq_ignore_ascii_case(b"sep=") && !delimiter.is_ascii_alphanumeric() && delimiter.is_ascii();
    // A program that does not know the hint fills its line with delimiters.
    (is_hint && rest.iter().all(|byte| matches!(byte, b',' | b';' | b'\t' | b'|' | b' '))).then_some(*delimiter)
}

/// Adds a line of these fields, parted by commas. Each is one line of text, so that rows keep their numbers.
pub(crate) fn write_record<'f>(fields: impl IntoIterator<Item = &'f str>, text: &mut Vec<u8>) {
    for (at, field) in fields.into_iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        if field.contains([',', ';', '\t', '|', '"', '\n', '\r']) {
            text.push(b'"');
            text.extend_from_slice(field.replace('"', "\"\"").replace(['\n', '\r'], " ").as_bytes());
            text.push(b'"');
        } else {
            text.extend_from_slice(field.as_bytes());
        }
    }
    text.push(b'\n');
}

/// The fields of one record, taken line by line.
struct DelimitedFields {
    delimiter: u8,
    done: Vec<Vec<u8>>,
    field: Vec<u8>,
    state: SplitState,
    /// There is text between a closing quote and the end of its field.
    trailing: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SplitState {
    /// Before the first byte of a field.
    Start,
    /// In a field without quotes; a quote here is a letter like any other.
    Plain,
    /// Between quotes.
    Quoted,
    /// After a quote that closes the field, or is the first half of a doubled one.
    Closing,
}

impl DelimitedFields {
    fn new(delimiter: u8) -> Self {
        Self { delimiter, done: Vec::new(), field: Vec::new(), state: SplitState::Start, trailing: false }
    }

    fn open(&self) -> bool {
        self.state == SplitState::Quoted
    }

    fn take(&mut self, line: &[u8]) {
        for &byte in line {
            self.state = match (self.state, byte) {
                (SplitState::Quoted, b'"') => SplitState::Closing,
                (SplitState::Start, b'"') => {
                    self.field.clear();
                    SplitState::Quoted
                }
                // Blanks before a quote are none of the field's.
                (SplitState::Start, b' ') => {
                    self.field.push(b' ');
                    SplitState::Start
                }
                (SplitState::Closing, b'"') => {
                    self.field.push(b'"');
                    SplitState::Quoted
                }
                (SplitState::Quoted, byte) => {
                    self.field.push(byte);
                    SplitState::Quoted
                }
                (_, byte) if byte == self.delimiter => {
                    self.done.push(std::mem::take(&mut self.field));
                    SplitState::Start
                }
                (state, b'\r' | b'\n') => state,
                (state, byte) => {
                    self.trailing |= state == SplitState::Closing;
                    self.field.push(byte);
                    SplitState::Plain
                }
            };
        }
    }

    fn finish(mut self) -> Option<Vec<String>> {
        self.done.push(self.field);
        self.done.into_iter().map(|field| String::from_utf8(field).ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<Split> {
        let mut input = text.as_bytes();
        let mut lines = Lines::new(&mut input).unwrap();
        std::iter::from_fn(|| lines.next_record().unwrap()).collect()
    }

    fn fields(line: u64, fields: &[&str]) -> Split {
        Split::Fields(line, fields.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn records_know_the_line_they_begin_on() {
        let found = split("\u{feff}a,b\r\n\r\n\"1\r\n2\",x\n\n3,\"say \"\"hi\"\"\"\n");
        assert_eq!(found, [fields(1, &["a", "b"]), fields(3, &["1\r\n2", "x"]), fields(6, &["3", "say \"hi\""])]);
    }

    #[test]
    fn a_quote_never_closed_costs_its_own_row_only() {
        let found = split("a,b\n1,\"open\n2,x\n3,5\" disk\n");
        assert_eq!(
            found,
            [
                fields(1, &["a", "b"]),
                Split::Bad(2, "a quote is opened and never closed"),
                fields(3, &["2", "x"]),
                fields(4, &["3", "5\" disk"]),
            ]
        );
    }

    #[test]
    fn blanks_before_a_quote_are_none_of_the_field() {
        let found = split("a, b, c\n1, \"2, 3\",  4\n , 5\" disk,\n");
        assert_eq!(
            found,
            [fields(1, &["a", " b", " c"]), fields(2, &["1", "2, 3", "  4"]), fields(3, &[" ", " 5\" disk", ""])]
        );
    }

    #[test]
    fn tabs_and_semicolons_are_found() {
        assert_eq!(split("a\tb, c\n"), [fields(1, &["a", "b, c"])]);
        assert_eq!(split("a;b;c,d\n"), [fields(1, &["a", "b", "c,d"])]);
    }

    #[test]
    fn what_stands_above_the_header_is_passed_over() {
        for (text, line) in [
            ("#TYPE System.Object\r\na;b\r\n1;2\r\n", 2),
            ("\u{feff}sep=;\r\na;b\r\n1;2\r\n", 2),
            ("\"sep=;\"\na;b\n1;2\n", 2),
            ("sep=;,,\na;b\n1;2\n", 2),
            ("\n \n;;\n# made, by hand\na;b\n1;2\n", 5),
            ("sep=,\na;b\n1;2\n", 2),
        ] {
            assert_eq!(split(text), [fields(line, &["a", "b"]), fields(line + 1, &["1", "2"])], "{text:?}");
        }
        let titled = "Seats by subscription,,\n\nMade on 1 May\na,b,c\n1,2,3\n,,\nx\n";
        assert_eq!(split(titled), [fields(4, &["a", "b", "c"]), fields(5, &["1", "2", "3"]), fields(7, &["x"])]);
        let pairs = "Report;Seats\nMade on;1 May\n\na;b;c;d;e\n1;2;3;4;5\n";
        assert_eq!(split(pairs)[0], fields(4, &["a", "b", "c", "d", "e"]));
        let two = "customer_id,name\nC-1,\"Fabrikam, Inc.\"\nC-2,a,b\n";
        assert_eq!(split(two)[0], fields(1, &["customer_id", "name"]));
        assert_eq!(split("#,a\n1,2\n"), [fields(1, &["#", "a"]), fields(2, &["1", "2"])]);
        assert_eq!(split("day\n2024-01-31\n"), [fields(1, &["day"]), fields(2, &["2024-01-31"])]);
        assert_eq!(split("sep=\t\na\tb;c\n"), [fields(2, &["a", "b;c"])]);
    }

    #[test]
    fn lines_that_are_cells_of_another_table_are_taken_apart() {
        let text = "\"a,b,\"\"c, d\"\"\"\n\"1,2,3\"\n";
        assert_eq!(split(text), [fields(1, &["a", "b", "c, d"]), fields(2, &["1", "2", "3"])]);
        assert_eq!(split("\"a, b\"\n1\n"), [fields(1, &["a, b"]), fields(2, &["1"])]);
    }

    #[test]
    fn what_is_written_is_read_on_as_many_lines() {
        let mut text = Vec::new();
        write_record(["a", "b;c", "\"d\", e", "f\ng"], &mut text);
        write_record(["", "", "", "x"], &mut text);
        let found = split(std::str::from_utf8(&text).unwrap());
        assert_eq!(found, [fields(1, &["a", "b;c", "\"d\", e", "f g"]), fields(2, &["", "", "", "x"])]);
    }

    #[test]
    fn zero_bytes_cost_their_own_row_only() {
        assert_eq!(split("a,b\n1\0,2\n3,4\n"), [fields(1, &["a", "b"]), Split::Bad(2, NULS), fields(3, &["3", "4"])]);
    }

    #[test]
    fn text_that_is_not_utf_8_costs_its_own_row_only() {
        let mut input: &[u8] = b"a\n\xff\nb\n";
        let mut lines = Lines::new(&mut input).unwrap();
        let found: Vec<_> = std::iter::from_fn(|| lines.next_record().unwrap()).collect();
        assert_eq!(found, [fields(1, &["a"]), Split::Bad(2, NOT_UTF_8), fields(3, &["b"])]);
    }

    #[test]
    fn a_row_without_an_end_costs_itself_and_no_memory() {
        let long = "x".repeat(MAX_BYTES_PER_RECORD + 1);
        let half = "y".repeat(MAX_BYTES_PER_RECORD * 2 / 3);
        let text = format!("a,b\n1,{long}\n2,x\n3,\"{half}\n{half}\"\n4,x\n{long}");
        let found = split(&text);
        let cut = found.iter().map(|split| match split {
            Split::Fields(line, fields) => (*line, fields[0].len().min(9)),
            Split::Bad(line, reason) => (*line, reason.len()),
        });
        assert_eq!(
            cut.collect::<Vec<_>>(),
            [(1, 1), (2, TOO_LONG.len()), (3, 1), (4, TOO_LONG.len()), (5, 9), (6, 1), (7, TOO_LONG.len())],
            "reading resumes on the line after"
        );
    }

    #[test]
    fn a_line_of_just_the_limit_is_whole() {
        for (text, expected) in [("abc\nd", Read::Whole), ("abcd", Read::Whole), ("abcd\ne", Read::Cut)] {
            let (mut input, mut line) = (text.as_bytes(), Vec::new());
            assert_eq!(read_line(&mut input, 4, &mut line).unwrap(), expected, "{text}");
            assert!(line.len() <= 4 && text.as_bytes().starts_with(&line));
        }
        let mut input: &[u8] = b"abcdefgh\nij\n";
        let mut line = Vec::new();
        assert_eq!(read_line(&mut input, 3, &mut line).unwrap(), Read::Cut);
        assert_eq!(read_line(&mut input, 3, &mut line).unwrap(), Read::Whole);
        assert_eq!((line.as_slice(), read_line(&mut input, 3, &mut Vec::new()).unwrap()), (&b"ij\n"[..], Read::End));
    }
}
