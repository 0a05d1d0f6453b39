//! Splits delimited text into records that know the line they begin on.
//!
//! Real exports hold quoted newlines, lone quotes inside fields and, once in a while, a quote that is never closed. The
//! last must not swallow the rest of the file: such a row is given up and reading resumes on the line after it.

use std::{collections::VecDeque, io};

/// A quoted field longer than this many lines is taken for a quote that was never closed.
const MAX_LINES_PER_RECORD: usize = 200;

/// One record of delimited text, or why it is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Split {
    /// The fields of the record that begins on line `.0`.
    Fields(u64, Vec<String>),
    /// The record that begins on line `.0` cannot be read.
    Bad(u64, &'static str),
}

/// Reads records one by one.
pub(super) struct Lines<'a> {
    input: &'a mut dyn io::BufRead,
    /// Lines read ahead and given back, first the next one.
    returned: VecDeque<Vec<u8>>,
    /// Number of the line read last, from 1.
    line: u64,
    delimiter: u8,
}

impl<'a> Lines<'a> {
    /// Begins before the first line. The delimiter is found on that line: a tab, a semicolon or a comma.
    pub(super) fn new(input: &'a mut dyn io::BufRead) -> io::Result<Self> {
        let mut lines = Self { input, returned: VecDeque::new(), line: 0, delimiter: b',' };
        if let Some(mut first) = lines.next_line()? {
            if first.starts_with(b"\xef\xbb\xbf") {
                first.drain(..3);
            }
            lines.delimiter = delimiter(&first);
            lines.give_back(first);
        }
        Ok(lines)
    }

    /// The next record; blank lines are skipped.
    pub(super) fn next_record(&mut self) -> io::Result<Option<Split>> {
        loop {
            let Some(line) = self.next_line()? else { return Ok(None) };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return self.record(line).map(Some);
        }
    }

    fn record(&mut self, first: Vec<u8>) -> io::Result<Split> {
        let start = self.line;
        let mut lines = vec![first];
        let mut fields = Fields::new(self.delimiter);
        fields.take(&lines[0]);
        while fields.open() {
            let next = if lines.len() < MAX_LINES_PER_RECORD { self.next_line()? } else { None };
            let ended = next.is_none();
            if let Some(next) = next {
                fields.take(&next);
                lines.push(next);
            }
            // Text after a closing quote some lines further down means that it was another field's quote.
            if ended || fields.trailing {
                lines.drain(1..).rev().for_each(|line| self.give_back(line));
                return Ok(Split::Bad(start, "a quote is opened and never closed"));
            }
        }
        Ok(match fields.finish() {
            Some(fields) => Split::Fields(start, fields),
            None => Split::Bad(start, "the text is not UTF-8"),
        })
    }

    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let line = match self.returned.pop_front() {
            Some(line) => line,
            None => {
                let mut line = Vec::new();
                if self.input.read_until(b'\n', &mut line)? == 0 {
                    return Ok(None);
                }
                line
            }
        };
        self.line += 1;
        Ok(Some(line))
    }

    fn give_back(&mut self, line: Vec<u8>) {
        self.line -= 1;
        self.returned.push_front(line);
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
struct Fields {
    delimiter: u8,
    done: Vec<Vec<u8>>,
    field: Vec<u8>,
    state: State,
    /// There is text between a closing quote and the end of its field.
    trailing: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a field.
    Start,
    /// In a field without quotes; a quote here is a letter like any other.
    Plain,
    /// Between quotes.
    Quoted,
    /// After a quote that closes the field, or is the first half of a doubled one.
    Closing,
}

impl Fields {
    fn new(delimiter: u8) -> Self {
        Self { delimiter, done: Vec::new(), field: Vec::new(), state: State::Start, trailing: false }
    }

    fn open(&self) -> bool {
        self.state == State::Quoted
    }

    fn take(&mut self, line: &[u8]) {
        for &byte in line {
            self.state = match (self.state, byte) {
                (State::Quoted, b'"') => State::Closing,
                (State::Start, b'"') => State::Quoted,
                (State::Closing, b'"') => {
                    self.field.push(b'"');
                    State::Quoted
                }
                (State::Quoted, byte) => {
                    self.field.push(byte);
                    State::Quoted
                }
                (_, byte) if byte == self.delimiter => {
                    self.done.push(std::mem::take(&mut self.field));
                    State::Start
                }
                (state, b'\r' | b'\n') => state,
                (state, byte) => {
                    self.trailing |= state == State::Closing;
                    self.field.push(byte);
                    State::Plain
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
}
