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
}

impl<'a> Lines<'a> {
    /// Begins before the first line. The delimiter is found on that line: a tab, a semicolon or a comma.
    pub(crate) fn new(input: &'a mut dyn io::BufRead) -> io::Result<Self> {
        let mut lines = Self { input, returned: VecDeque::new(), line: 0, delimiter: b',' };
        if let Some(mut first) = lines.next_line()? {
            if first.bytes.starts_with(b"\xef\xbb\xbf") {
                first.bytes.drain(..3);
            }
            lines.delimiter = delimiter(&first.bytes);
            lines.give_back(first);
        }
        Ok(lines)
    }

    /// The next record; blank lines are skipped.
    pub(crate) fn next_record(&mut self) -> io::Result<Option<Split>> {
        loop {
            let Some(line) = self.next_line()? else { return Ok(None) };
            if line.whole && line.bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return self.record(line).map(Some);
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
        Ok(match fields.finish() {
            Some(fields) => Split::Fields(start, fields),
            None => Split::Bad(start, "the text is not UTF-8"),
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

fn delimiter(header: &[u8]) -> u8 {
    let count = |byte: u8| header.iter().filter(|&&b| b == byte).count();
    if count(b'\t') > 0 {
        b'\t'
    } else if count(b';') > count(b',') {
        b';'
    } else {
        b','
    }
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
                (SplitState::Start, b'"') => SplitState::Quoted,
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
    fn tabs_and_semicolons_are_found() {
        assert_eq!(split("a\tb, c\n"), [fields(1, &["a", "b, c"])]);
        assert_eq!(split("a;b;c,d\n"), [fields(1, &["a", "b", "c,d"])]);
    }

    #[test]
    fn text_that_is_not_utf_8_costs_its_own_row_only() {
        let mut input: &[u8] = b"a\n\xff\nb\n";
        let mut lines = Lines::new(&mut input).unwrap();
        let found: Vec<_> = std::iter::from_fn(|| lines.next_record().unwrap()).collect();
        assert_eq!(found, [fields(1, &["a"]), Split::Bad(2, "the text is not UTF-8"), fields(3, &["b"])]);
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
