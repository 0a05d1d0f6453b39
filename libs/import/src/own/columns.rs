//! Our own records as tables: what kind of record a table holds, which column is which field, and what a cell says.
//!
//! Lists have a form of their own in a cell: services are joined with `+` (or with `;`, where a name has a plus in it),
//! attributions are `location:type` joined with `;`, either side of the colon may be missing.

use clap::ValueEnum as _;
use insights_domain::calendar::Day;
use serde_json::{Map, Number, Value};

use super::{FieldShape, Need, RecordField, fields};
use crate::reader::{DateOrder, ReadError, ReadOptions, RecordKind};
use crate::text::dates::{self, Dated};
use crate::text::table::normalised;

/// The columns of a table of records.
#[derive(Debug)]
pub(crate) struct RecordColumns {
    /// What each row is.
    pub(crate) kind: RecordKind,
    /// For each column of the file what it is; none: not used.
    pub(crate) fields: Vec<Option<RecordField>>,
    /// The column that repeats the kind, if there is one.
    pub(crate) kind_column: Option<usize>,
    /// Columns the kind does not have, as the file spells them.
    pub(crate) unknown: Vec<String>,
    /// Of the file's dates.
    dates: Option<DateOrder>,
}

impl RecordColumns {
    /// From the names of a file's columns; compared without case, blanks, `-` and `_`.
    pub(crate) fn find(header: &[String], options: &ReadOptions) -> Result<Self, ReadError> {
        let names: Vec<String> = header.iter().map(|name| normalised(name)).collect();
        let kind = match options.kind {
            Some(kind) => kind,
            None => kind_of(&names, options.named)?,
        };
        let lacking = lacking(kind, &names);
        if !lacking.is_empty() {
            let plural = if lacking.len() > 1 { "s" } else { "" };
            let kind = kind.name();
            return Err(ReadError::Refused(format!(
                "the file lacks the required column{plural} {} of {kind} records",
                lacking.join(", ")
            )));
        }
        let field = |name: &String| fields(kind).iter().copied().find(|field| normalised(field.name) == *name);
        let fields: Vec<Option<RecordField>> = names.iter().map(field).collect();
        if let Some(twice) = (1..names.len()).find(|at| fields[*at].is_some() && fields[..*at].contains(&fields[*at])) {
            return Err(ReadError::Refused(format!("the column {} is there twice", header[twice].trim())));
        }
        let kind_column = names.iter().position(|name| name == "kind");
        let unused = |at: &usize| fields[*at].is_none() && Some(*at) != kind_column && !names[*at].is_empty();
        let unknown = (0..names.len()).filter(unused).map(|at| header[at].trim().to_owned()).collect();
        Ok(Self { kind, fields, kind_column, unknown, dates: options.dates })
    }

    /// Adds what a cell says to a record; an empty cell says nothing.
    pub(crate) fn add_cell(&self, map: &mut Map<String, Value>, field: RecordField, cell: &str) {
        let cell = cell.trim();
        if !cell.is_empty() {
            map.insert(field.name.to_owned(), value_of(field.shape, cell, self.dates));
        }
    }

    /// What is wrong with a cell of the column that repeats the kind, if anything.
    pub(crate) fn judge_kind(&self, cell: &str) -> Result<(), (String, String)> {
        let (kind, cell) = (self.kind.name(), cell.trim());
        if cell.is_empty() || cell.eq_ignore_ascii_case(kind) {
            return Ok(());
        }
        Err(("kind".into(), format!("is \"{cell}\" in a file of {kind} records: a table holds one kind")))
    }
}

/// What a cell says. A cell that does not fit its field stays the text it is, and whoever reads the field says so.
pub(crate) fn value_of(shape: FieldShape, cell: &str, dates: Option<DateOrder>) -> Value {
    let text = || Value::String(cell.to_owned());
    match shape {
        FieldShape::Text | FieldShape::Time => text(),
        FieldShape::Day => day_at_midnight(cell, dates).map_or_else(text, |day| Value::String(day.to_string())),
        FieldShape::Month => {
            let first = || day_at_midnight(cell, dates).filter(|day| day.day_of_month() == 1);
            let month = first().map(Day::month).or_else(|| dates::month_alone(cell));
            month.map_or_else(text, |month| Value::String(month.to_string()))
        }
        // What is written with a point or an exponent is for whoever reads the field: `1.000` may be a thousand.
        FieldShape::Count => cell.parse::<i64>().map_or_else(|_| text(), |count| Value::Number(Number::from(count))),
        FieldShape::Flag => match cell.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Value::Bool(true),
            "false" | "0" | "no" => Value::Bool(false),
            _ => text(),
        },
        FieldShape::Texts => {
            let by = if cell.contains(';') { ';' } else { '+' };
            parts(cell, by).map(|part| Value::String(part.to_owned())).collect()
        }
        FieldShape::Attributions => parts(cell, ';').map(attribution).collect(),
    }
}

fn parts(cell: &str, by: char) -> impl Iterator<Item = &str> {
    cell.split(by).map(str::trim).filter(|part| !part.is_empty())
}

/// Types have no colons; ids might.
fn attribution(text: &str) -> Value {
    let (location, kind) = text.rsplit_once(':').unwrap_or((text, ""));
    let mut map = Map::new();
    for (name, part) in [("location_id", location.trim()), ("type", kind.trim())] {
        if !part.is_empty() {
            map.insert(name.to_owned(), Value::String(part.to_owned()));
        }
    }
    Value::Object(map)
}

/// Programs write days as the midnight they begin with; any other time of day is no day.
fn day_at_midnight(cell: &str, order: Option<DateOrder>) -> Option<Day> {
    let time = &cell[dates::without_time(cell).len()..];
    let midnight = time.chars().all(|c| !matches!(c, '1'..='9')) || time.trim_start().starts_with("12:00:00 AM");
    match dates::date(cell, order) {
        Ok(Dated::On(day)) if midnight => Some(day),
        _ => None,
    }
}

/// The kind a table is of: the one whose required columns are there and that leaves no column unused; else the one the
/// file's name says; else the one that leaves the fewest unused. What is left open is asked for, not guessed.
fn kind_of(names: &[String], named: Option<RecordKind>) -> Result<RecordKind, ReadError> {
    let fitting: Vec<(usize, RecordKind)> = RecordKind::value_variants()
        .iter()
        .filter(|kind| fits(**kind, names))
        .map(|kind| (unused(*kind, names), *kind))
        .collect();
    let fewest = fitting.iter().map(|(unused, _)| *unused).min();
    let best: Vec<RecordKind> =
        fitting.iter().filter(|(unused, _)| Some(*unused) == fewest).map(|(_, kind)| *kind).collect();
    match (best.as_slice(), named) {
        ([kind], _) if fewest == Some(0) => Ok(*kind),
        (_, Some(named)) => Ok(named),
        ([kind], None) => Ok(*kind),
        (several, None) => {
            let names: Vec<_> = several.iter().map(|kind| kind.name()).collect();
            let which = match names.as_slice() {
                [] => "no kind of record has these columns".to_owned(),
                names => format!("the columns fit {}", names.join(", ")),
            };
            Err(ReadError::Refused(format!(
                "{which}: say which it is with --kind (insights import --template KIND shows the columns of each)"
            )))
        }
    }
}

fn fits(kind: RecordKind, names: &[String]) -> bool {
    // Nothing is required of the partner's settings, and other tables have names and currencies too.
    let used = names.len() - unused(kind, names);
    lacking(kind, names).is_empty() && (kind != RecordKind::Partner || used > 1 && used == names.len())
}

/// How many columns a kind has no use for.
fn unused(kind: RecordKind, names: &[String]) -> usize {
    let known = |name: &String| {
        name.is_empty() || name == "kind" || fields(kind).iter().any(|field| normalised(field.name) == *name)
    };
    names.iter().filter(|name| !known(name)).count()
}

/// The columns a table of a kind must have and this one has not.
fn lacking(kind: RecordKind, names: &[String]) -> Vec<String> {
    let has = |field: &&RecordField| names.iter().any(|name| *name == normalised(field.name));
    let of = |need: Need| fields(kind).iter().filter(move |field| field.need == need);
    let mut lacking: Vec<String> =
        of(Need::Required).filter(|field| !has(field)).map(|field| field.name.to_owned()).collect();
    let by_subscription = of(Need::Subscription).all(|field| has(&field));
    let by_sku = of(Need::CustomerAndSku).all(|field| has(&field));
    if !by_subscription && !by_sku {
        lacking.push("subscription_id (or customer_id and sku_id)".to_owned());
    }
    lacking
}
