//! Tables whose columns come in any order and under several names.

use std::{borrow::Cow, io};

use crate::reader::{Notes, ReadError, Rejection};
use crate::text::lines::{Lines, Split};
use crate::text::values::tidy;

/// A column a format knows.
pub(crate) struct TableColumn<K> {
    /// What it is to the reader.
    pub(crate) key: K,
    /// Its names, the best first; compared without case, blanks, `-` and `_`.
    pub(crate) names: &'static [&'static str],
    /// A file without it is refused.
    pub(crate) required: bool,
}

/// A table under way.
pub(crate) struct Table<'a, K: 'static> {
    lines: Lines<'a>,
    columns: &'static [TableColumn<K>],
    /// For each of `columns`, its place in the file.
    places: Vec<Option<usize>>,
    width: usize,
    /// The names of the columns, as the file spells them.
    pub(crate) header: Vec<String>,
    /// Columns nobody knows, as the file spells them.
    pub(crate) unknown: Vec<String>,
    left_out: RowsLeftOut,
}

/// Rows that are none of the report's.
#[derive(Default)]
struct RowsLeftOut {
    totals: bool,
    header: bool,
}

/// A row of a table.
pub(crate) struct Row {
    /// The line it begins on.
    pub(crate) line: u64,
    fields: Vec<String>,
}

impl<'a, K: Copy + PartialEq> Table<'a, K> {
    /// Reads the header. `ignored` are columns the format knows and does not use.
    pub(crate) fn open(
        input: &'a mut dyn io::BufRead,
        columns: &'static [TableColumn<K>],
        ignored: &[&str],
    ) -> Result<Self, ReadError> {
        let mut lines = Lines::new(input)?;
        let header = match lines.next_record()? {
            None => return Err(ReadError::Refused("the file is empty: its first line must name the columns".into())),
            Some(Split::Bad(_, reason)) => {
                return Err(ReadError::Refused(format!("the first line must name the columns, but {reason}")));
            }
            Some(Split::Fields(_, header)) => header,
        };
        let names: Vec<String> = header.iter().map(|name| normalised(name)).collect();
        let places: Vec<Option<usize>> = columns
            .iter()
            .map(|column| column.names.iter().find_map(|name| names.iter().position(|n| *n == normalised(name))))
            .collect();
        let missing: Vec<&str> = std::iter::zip(columns, &places)
            .filter(|(column, place)| column.required && place.is_none())
            .map(|(column, _)| column.names[0])
            .collect();
        if !missing.is_empty() {
            let plural = if missing.len() > 1 { "s" } else { "" };
            return Err(ReadError::Refused(format!(
                "the file lacks the required column{plural} {}",
                missing.join(", ")
            )));
        }
        let twice = |place: &&usize| names.iter().filter(|name| **name == names[**place]).count() > 1;
        if let Some(place) = places.iter().flatten().find(twice) {
            return Err(ReadError::Refused(there_twice(&header[*place])));
        }
        let known: Vec<String> =
            columns.iter().flat_map(|column| column.names).chain(ignored).map(|name| normalised(name)).collect();
        let unknown: Vec<String> = std::iter::zip(&header, &names)
            .filter(|(_, name)| !name.is_empty() && !known.contains(name))
            .map(|(spelled, _)| spelled.trim().to_owned())
            .collect();
        let left_out = RowsLeftOut::default();
        Ok(Self { lines, columns, places, width: header.len(), header, unknown, left_out })
    }

    /// The next row, or why it is none.
    pub(crate) fn next_row(&mut self) -> io::Result<Option<Result<Row, Rejection>>> {
        let reject = |row, reason: String| Err(Rejection { row, field: "row".into(), reason });
        let mut next = self.lines.next_record()?;
        while let Some(Split::Fields(_, fields)) = &next {
            if is_header(fields, &self.header) {
                self.left_out.header = true;
            } else if self.is_totals(fields) {
                self.left_out.totals = true;
            } else {
                break;
            }
            next = self.lines.next_record()?;
        }
        Ok(next.map(|split| match split {
            Split::Bad(line, reason) => reject(line, reason.to_owned()),
            Split::Fields(line, fields) if !self.fits(&fields) => {
                reject(line, format!("has {} fields where the header has {}", fields.len(), self.width))
            }
            Split::Fields(line, mut fields) => {
                for field in &mut fields {
                    if let Cow::Owned(tidied) = tidy(field) {
                        *field = tidied;
                    }
                }
                Ok(Row { line, fields })
            }
        }))
    }

    /// Says which rows were left out.
    pub(crate) fn noted(&self, notes: &mut Notes) {
        notes.remarks.extend(self.left_out.totals.then_some(TOTALS));
        notes.remarks.extend(self.left_out.header.then_some(HEADER_AGAIN));
    }

    /// Whether a row adds up others, as spreadsheets write below them: a word for a sum, and most cells empty.
    fn is_totals(&self, fields: &[String]) -> bool {
        let mut filled = fields.iter().filter(|field| !field.trim().is_empty());
        let sum = filled.next().is_some_and(|first| SUMS.contains(&normalised(first).as_str()));
        sum && self.width > 2 && filled.count() < self.width / 2
    }

    /// Empty fields beyond the header do no harm: some programs end every line with a delimiter.
    fn fits(&self, fields: &[String]) -> bool {
        fields.len() >= self.width && fields[self.width..].iter().all(String::is_empty)
    }

    /// Whether the file has the column.
    pub(crate) fn has(&self, key: K) -> bool {
        std::iter::zip(self.columns, &self.places).any(|(column, place)| column.key == key && place.is_some())
    }

    /// The field as it stands in the file; empty when the file lacks the column.
    pub(crate) fn raw<'r>(&self, row: &'r Row, key: K) -> &'r str {
        std::iter::zip(self.columns, &self.places)
            .find(|(column, _)| column.key == key)
            .and_then(|(_, place)| row.fields.get((*place)?))
            .map_or("", String::as_str)
    }

    /// Where the column stands in the file, if it is there.
    pub(crate) fn place(&self, key: K) -> Option<usize> {
        std::iter::zip(self.columns, &self.places).find_map(|(column, place)| (*place).filter(|_| column.key == key))
    }

    /// The field in the column at a place, without blanks around it; none when it is empty.
    pub(crate) fn text_at(row: &Row, place: usize) -> Option<&str> {
        Some(plain(row.fields.get(place)?.trim())).filter(|text| !text.is_empty())
    }

    /// The field as it stands in the column at a place.
    pub(crate) fn raw_at(row: &Row, place: usize) -> &str {
        row.fields.get(place).map_or("", String::as_str)
    }

    /// The field without blanks around it; none when it is empty.
    pub(crate) fn text<'r>(&self, row: &'r Row, key: K) -> Option<&'r str> {
        Some(plain(self.raw(row, key).trim())).filter(|text| !text.is_empty())
    }

    /// The best name of the column, for messages.
    pub(crate) fn name(&self, key: K) -> &'static str {
        self.columns.iter().find(|column| column.key == key).map_or("row", |column| column.names[0])
    }
}

/// Whether a row names the columns once more, as where files were put one after the other.
pub(crate) fn is_header(fields: &[String], header: &[String]) -> bool {
    let same = |(field, name): (&String, &String)| letters(field).eq(letters(name));
    fields.len() == header.len() && fields.len() > 1 && std::iter::zip(fields, header).all(same)
}

/// Why a table with two columns of one name is refused.
pub(crate) fn there_twice(column: &str) -> String {
    format!("the column {} is there twice: leave one of them out", column.trim())
}

/// What is said of a file with a row of totals.
const TOTALS: &str = "a row of totals is none of the report's, and was left out";
/// What is said of several files in one.
pub(crate) const HEADER_AGAIN: &str =
    "the names of the columns are there again, as where files are put one after the other: the line was left out";

/// Words that begin a row of totals, normalised.
const SUMS: [&str; 11] = [
    "total",
    "totals",
    "grandtotal",
    "overalltotal",
    "subtotal",
    "sum",
    "summe",
    "gesamt",
    "gesamtergebnis",
    "totalgeral",
    "totalgeneral",
];

/// Signs that make a spreadsheet take a text for a formula.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A text without the apostrophe that our own exports put before what a spreadsheet would take for a formula.
fn plain(text: &str) -> &str {
    let formula = text.trim_start_matches('\'').starts_with(FORMULA);
    text.strip_prefix('\'').filter(|_| formula).unwrap_or(text)
}

/// A column's name without case, blanks, `-` and `_`.
pub(crate) fn normalised(name: &str) -> String {
    letters(name).collect()
}

fn letters(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn the_apostrophe_before_a_formula_is_none_of_the_text() {
        for (cell, text) in [("'=1+1", "=1+1"), ("''-2", "'-2"), ("'t Hooft", "'t Hooft"), ("'", "'"), ("-2", "-2")] {
            assert_eq!(plain(cell), text);
        }
    }
}
