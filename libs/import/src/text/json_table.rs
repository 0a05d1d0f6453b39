//! A list of flat JSON objects as the table it is: names of members become names of columns.
//!
//! Which columns there are is known at the end of the list only, so the list is read twice; what is long lies in an unnamed
//! temporary file meanwhile.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read as _, Seek as _, Write as _},
};

use serde_json::Value;

use crate::reader::{ReadError, Stopped};
use crate::text::element::Element;
use crate::text::json::{self, Pages};
use crate::text::lines::write_record;

/// Bytes kept in memory; more goes to a file.
const IN_MEMORY: u64 = 8 << 20;
/// More members than this are none of a report's.
const COLUMNS: usize = 1_000;

/// A list as a table of delimited text.
pub(crate) struct JsonTable {
    /// The header, and a line for each element.
    pub(crate) text: Box<dyn BufRead>,
    /// What the list says besides.
    pub(crate) pages: Pages,
    /// How many elements there are.
    pub(crate) rows: u64,
}

/// Makes a table of a list.
pub(crate) fn table(input: &mut dyn BufRead) -> Result<JsonTable, ReadError> {
    let mut list = laid_down(input)?;
    let mut columns: Vec<String> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut rows = 0;
    let mut overflow = false;
    let pages = json::each(&mut list, "value", &mut |element| {
        rows = element.row;
        for name in names(&element) {
            if !places.contains_key(name) {
                places.insert(name.to_owned(), columns.len());
                columns.push(name.to_owned());
            }
        }
        overflow = columns.len() > COLUMNS;
        if overflow { Err(Stopped) } else { Ok(()) }
    });
    if overflow {
        return Err(ReadError::Refused(format!(
            "its elements have more than {COLUMNS} members, as those of no report do"
        )));
    }
    let pages = pages?;
    list.rewind()?;
    let mut text = Laid { memory: Vec::new(), file: None };
    text.add(columns.iter().map(|name| spaced(name)))?;
    let mut fault = Ok(());
    json::each(&mut list, "value", &mut |element| {
        let mut cells = vec![String::new(); columns.len()];
        for name in names(&element) {
            let value = element.members().and_then(|members| members.get(name));
            if let (Some(place), Some(value)) = (places.get(name), value) {
                cells[*place] = cell(value);
            }
        }
        fault = text.add(cells);
        if fault.is_ok() { Ok(()) } else { Err(Stopped) }
    })
    .or_else(|error| if matches!(error, ReadError::Stopped) { Ok(Pages::default()) } else { Err(error) })?;
    fault?;
    Ok(JsonTable { text: text.reader()?, pages, rows })
}

/// The columns of an element, as a table of it would name them.
pub(crate) fn header(element: &Element) -> Vec<String> {
    names(element).map(spaced).collect()
}

/// Names with an `@` belong to the service, not to the report.
fn names(element: &Element) -> impl Iterator<Item = &str> {
    let members = element.members().into_iter().flat_map(|members| members.keys());
    members.map(String::as_str).filter(|name| !name.contains('@'))
}

/// `hasExchangeLicense` as the report of it names the column: `Has Exchange License`.
fn spaced(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    let mut before_is_small = false;
    for letter in name.chars() {
        if letter.is_uppercase() && before_is_small {
            text.push(' ');
        }
        before_is_small = letter.is_lowercase() || letter.is_ascii_digit();
        if text.is_empty() { text.extend(letter.to_uppercase()) } else { text.push(letter) }
    }
    text
}

/// A value as a cell of the report: lists are joined with `+`.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string(),
        Value::Array(elements) => elements.iter().map(cell).collect::<Vec<_>>().join("+"),
        Value::Object(members) => members.get("value").map_or_else(|| value.to_string(), cell),
    }
}

/// Lines in memory, or else in a file.
struct Laid {
    memory: Vec<u8>,
    file: Option<File>,
}

impl Laid {
    fn add(&mut self, cells: impl IntoIterator<Item = String>) -> io::Result<()> {
        let cells: Vec<String> = cells.into_iter().collect();
        write_record(cells.iter().map(String::as_str), &mut self.memory);
        if (self.memory.len() as u64) < IN_MEMORY {
            return Ok(());
        }
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile()?);
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.memory)?;
            self.memory.clear();
        }
        Ok(())
    }

    fn reader(self) -> io::Result<Box<dyn BufRead>> {
        let memory = Cursor::new(self.memory);
        Ok(match self.file {
            None => Box::new(memory),
            Some(mut file) => {
                file.rewind()?;
                Box::new(BufReader::new(file).chain(memory))
            }
        })
    }
}

/// The input as something that can be read again.
fn laid_down(input: &mut dyn BufRead) -> io::Result<Again> {
    let mut start = Vec::new();
    (&mut *input).take(IN_MEMORY).read_to_end(&mut start)?;
    if (start.len() as u64) < IN_MEMORY {
        return Ok(Again::Memory(Cursor::new(start)));
    }
    let mut file = tempfile::tempfile()?;
    file.write_all(&start)?;
    io::copy(input, &mut file)?;
    file.rewind()?;
    Ok(Again::File(BufReader::new(file)))
}

enum Again {
    Memory(Cursor<Vec<u8>>),
    File(BufReader<File>),
}

impl Again {
    fn rewind(&mut self) -> io::Result<()> {
        match self {
            Self::Memory(memory) => memory.rewind(),
            Self::File(file) => file.rewind(),
        }
    }
}

impl io::Read for Again {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(memory) => memory.read(buffer),
            Self::File(file) => file.read(buffer),
        }
    }
}

impl BufRead for Again {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Memory(memory) => memory.fill_buf(),
            Self::File(file) => file.fill_buf(),
        }
    }

    fn consume(&mut self, count: usize) {
        match self {
            Self::Memory(memory) => memory.consume(count),
            Self::File(file) => file.consume(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, u64, bool) {
        let JsonTable { mut text, pages, rows } = table(&mut text.as_bytes()).unwrap();
        let mut lines = String::new();
        text.read_to_string(&mut lines).unwrap();
        (lines, rows, pages.cut_short)
    }

    #[test]
    fn members_become_columns_in_the_order_they_come() {
        let found = read(
            r#"{"@odata.context": "x", "value": [{"reportRefreshDate": "2024-05-01", "isDeleted": false, "products": ["A", "B"]},
            {"isDeleted": true, "hasOneDriveLicense": null, "n": 3, "@odata.type": "y"}], "@odata.nextLink": "z"}"#,
        );
        let lines =
            "Report Refresh Date,Is Deleted,Products,Has One Drive License,N\n2024-05-01,False,A+B,,\n,True,,,3\n";
        assert_eq!(found, (lines.to_owned(), 2, true));
    }

    #[test]
    fn what_does_not_fit_into_the_memory_is_read_all_the_same() {
        let name = "x".repeat(1_000);
        let elements: Vec<String> = (0..20_000).map(|n| format!("{{\"id\": {n}, \"name\": \"{name}\"}}")).collect();
        let (lines, rows, _) = read(&format!("[{}]", elements.join(",")));
        assert_eq!((rows, lines.lines().count()), (20_000, 20_001));
        assert!(lines.ends_with(&format!("19999,{name}\n")));
    }
}
