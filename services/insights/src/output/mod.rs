//! What commands print: JSON for programs, tables for people.

use std::io::{self, Write};

use insights_messages::{Language, Sentence};
use insights_proto::metrics::v1::{
    Dimension, DimensionValue, Explanation, Freshness, Measure, Percentage, Query, Reason, Result as QueryResult, Row,
    Value, value::Kind,
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;
use unicode_width::UnicodeWidthStr;

use crate::failure::Failure;

/// A cell of an answer.
#[derive(Clone, Debug)]
pub enum Cell {
    /// Nothing known.
    Null,
    /// A count.
    Count(i64),
    /// A percentage.
    Percent(f64),
    /// A number with its exact digits.
    Decimal(Box<RawValue>),
    /// Text.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// An object within.
    Object(Object),
}

/// A flat object: names and cells in order.
#[derive(Clone, Debug, Default)]
pub struct Object(pub Vec<(String, Cell)>);

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, cell) in &self.0 {
            map.serialize_entry(name, cell)?;
        }
        map.end()
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Count(count) => serializer.serialize_i64(*count),
            Self::Percent(value) => serializer.serialize_f64(*value),
            Self::Decimal(digits) => digits.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}

impl Cell {
    /// For people: percentages with two decimals, nothing as `–`.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Null => "–".into(),
            Self::Count(count) => Language::English.number(*count),
            Self::Percent(value) => format!("{value:.2}"),
            Self::Decimal(digits) => digits.get().to_owned(),
            Self::Text(text) => text.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::Object(object) => {
                object.0.iter().map(|(name, cell)| format!("{name} {}", cell.shown())).collect::<Vec<_>>().join(", ")
            }
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Count(_) | Self::Percent(_) | Self::Decimal(_) | Self::Null)
    }
}

/// The rows of an answer as flat objects.
#[must_use]
pub fn rows(query: &Query, result: &QueryResult) -> Vec<Object> {
    let measures: Vec<Measure> = query.measures().collect();
    result.rows.iter().map(|row| one_row(query, &measures, row, result.redacted)).collect()
}

fn one_row(query: &Query, measures: &[Measure], row: &Row, redacted: bool) -> Object {
    let mut object = Object(vec![("month".into(), Cell::Text(row.month.clone()))]);
    dimensions(query, &row.dimensions, &mut object);
    for (measure, value) in std::iter::zip(measures, &row.values) {
        figure(*measure, value, redacted, &mut object);
    }
    if !row.currency.is_empty() {
        object.0.push(("currency".into(), Cell::Text(row.currency.clone())));
    }
    object.0.push(("source".into(), Cell::Text(row.source().label().into())));
    if row.partial {
        object.0.push(("partial".into(), Cell::Flag(true)));
    }
    if row.lower_bound {
        object.0.push(("lower_bound".into(), Cell::Flag(true)));
    }
    if row.carried {
        object.0.push(("carried".into(), Cell::Flag(true)));
    }
    if redacted {
        object.0.push(("redacted".into(), Cell::Flag(true)));
    }
    object
}

fn dimensions(query: &Query, values: &[DimensionValue], object: &mut Object) {
    for (dimension, value) in std::iter::zip(query.group_by(), values) {
        let cell = match &value.value {
            None => Cell::Null,
            Some(value) if dimension == Dimension::Trial => Cell::Flag(value == "true"),
            Some(value) => Cell::Text(value.clone()),
        };
        object.0.push((dimension.short_name(), cell));
    }
}

fn figure(measure: Measure, value: &Value, redacted: bool, object: &mut Object) {
    let name = measure.short_name();
    let is_percentage = name.ends_with("_percent");
    match &value.kind {
        // Absent, never zero and never null, where the caller may not see it.
        None if redacted && measure == Measure::BilledRevenue => {}
        None if is_percentage => percentage(name, &Percentage::default(), object),
        None => object.0.push((name, Cell::Null)),
        Some(Kind::Count(count)) => object.0.push((name, Cell::Count(*count))),
        Some(Kind::Amount(amount)) => object.0.push((name, decimal(amount))),
        Some(Kind::Percentage(parts)) => percentage(name, parts, object),
    }
}

fn percentage(name: String, parts: &Percentage, object: &mut Object) {
    let count = |count: Option<i64>| count.map_or(Cell::Null, Cell::Count);
    let (numerator, denominator) = (format!("{name}_numerator"), format!("{name}_denominator"));
    object.0.push((name, parts.value.map_or(Cell::Null, Cell::Percent)));
    object.0.push((numerator, count(parts.numerator)));
    object.0.push((denominator, count(parts.denominator)));
}

/// The amount's own digits as a JSON number: a float would round them.
fn decimal(amount: &str) -> Cell {
    RawValue::from_string(amount.to_owned()).map_or_else(|_| Cell::Text(amount.to_owned()), Cell::Decimal)
}

/// Explanations as flat objects with the reasons that count anything.
#[must_use]
pub fn explanations(query: &Query, explanations: &[Explanation]) -> Vec<Object> {
    let one = |it: &Explanation| {
        let mut object = Object(vec![("month".into(), Cell::Text(it.month.clone()))]);
        dimensions(query, &it.dimensions, &mut object);
        let counts = [("numerator", it.numerator), ("denominator", it.denominator), ("covered", it.covered)];
        object.0.extend(counts.map(|(name, count)| (name.to_owned(), Cell::Count(count))));
        let reasons = it.reasons.iter().filter(|reason| reason.count > 0);
        let reasons = reasons.map(|reason| (reason_name(reason.reason()).to_owned(), Cell::Count(reason.count)));
        object.0.push(("reasons".into(), Cell::Object(Object(reasons.collect()))));
        object
    };
    explanations.iter().map(one).collect()
}

/// A reason, as the definitions spell it.
#[must_use]
pub fn reason_name(reason: Reason) -> &'static str {
    reason.as_str_name().trim_start_matches("REASON_")
}

/// Prints rows: a JSON array, or a table.
pub fn print_rows(rows: &[Object], json: bool) -> Result<(), Failure> {
    if json {
        return print_json(&rows);
    }
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.0) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let cell = |row: &Object, name: &str| row.0.iter().find(|(own, _)| own == name).map(|(_, cell)| cell.clone());
    let body: Vec<Vec<Option<Cell>>> =
        rows.iter().map(|row| columns.iter().map(|name| cell(row, name)).collect()).collect();
    let shown = |cell: &Option<Cell>| cell.as_ref().map(Cell::shown).unwrap_or_default();
    let right: Vec<bool> =
        (0..columns.len()).map(|at| body.iter().filter_map(|row| row[at].as_ref()).all(Cell::is_number)).collect();
    let body: Vec<Vec<String>> = body.iter().map(|row| row.iter().map(shown).collect()).collect();
    print(&table(&columns, &body, &right))
}

/// A table: columns as wide as needed, numbers to the right. Whatever a cell holds, it stays in its row.
#[must_use]
pub fn table(columns: &[&str], rows: &[Vec<String>], right: &[bool]) -> String {
    let header: Vec<String> = columns.iter().map(|column| line(column)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| line(cell)).collect()).collect();
    let of_column = |at: usize| std::iter::once(&header).chain(&rows).map(move |row| row[at].width());
    let widths: Vec<usize> = (0..columns.len()).map(|at| of_column(at).max().unwrap_or_default()).collect();
    let mut text = String::new();
    for row in std::iter::once(&header).chain(&rows) {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[at] - cell.width());
            let cell = if right[at] { format!("{padding}{cell}") } else { format!("{cell}{padding}") };
            line.push_str(if at == 0 { "" } else { "  " });
            line.push_str(&cell);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Prints JSON and a line's end.
pub fn print_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let mut text =
        serde_json::to_string_pretty(value).map_err(|error| Failure::because("the answer is no JSON", &error))?;
    text.push('\n');
    print(&text)
}

/// A text without what would draw on a terminal: somebody else wrote part of it.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().filter(|letter| *letter == '\n' || !draws(*letter)).collect()
}

/// A text that somebody else wrote as a part of a line: what would break the line is a blank.
#[must_use]
pub fn line(text: &str) -> String {
    let breaks = |letter: char| matches!(letter, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    text.chars().map(|letter| if breaks(letter) { ' ' } else { letter }).filter(|letter| !draws(*letter)).collect()
}

/// Moves the cursor, or what stands beside it: control characters, and those that turn the direction of a whole line.
fn draws(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Prints text to stdout. Whoever closed it wants no more, and that is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::because("stdout", &error)),
        _ => Ok(()),
    }
}

/// Says on stderr what a table cannot.
pub fn note(result: &QueryResult, freshness: Option<&Freshness>, language: Language) {
    if result.overlapping {
        eprintln!("{}", Sentence::Overlapping.say(language, &[]));
    }
    if result.redacted {
        eprintln!("{}", Sentence::Redacted.say(language, &[]));
    }
    if let Some(freshness) = freshness {
        eprintln!("{}", Sentence::CompleteThrough.say(language, &[("day", &freshness.complete_through)]));
    }
}

#[cfg(test)]
mod tests {
    use insights_proto::metrics::v1::ReasonCount;

    use insights_proto::metrics::v1::Source;

    use super::*;

    fn value(kind: Kind) -> Value {
        Value { kind: Some(kind) }
    }

    fn query() -> Query {
        Query {
            measures: [Measure::Customers, Measure::UsagePercent, Measure::BilledRevenue].map(i32::from).to_vec(),
            group_by: [Dimension::Country, Dimension::Trial].map(i32::from).to_vec(),
            ..Query::default()
        }
    }

    #[test]
    fn nothing_that_others_wrote_draws_on_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc\u{7}\u{9b}d\te\u{202e}f"), "a[2Jb\ncdef");
        assert_eq!(line("a\u{1b}[2Jb\nc\u{7}\u{9b}d\te\u{2028}f"), "a[2Jb cd e f");
    }

    #[test]
    fn rows_are_flat_and_exact() {
        let percentage = Percentage { value: Some(150.0), numerator: Some(30), denominator: Some(20) };
        let row = Row {
            month: "2026-01".into(),
            dimensions: vec![DimensionValue { value: None }, DimensionValue { value: Some("false".into()) }],
            values: vec![
                value(Kind::Count(12)),
                value(Kind::Percentage(percentage)),
                value(Kind::Amount("9007199254740993.10".into())),
            ],
            currency: "USD".into(),
            source: Source::Mixed.into(),
            partial: true,
            lower_bound: true,
            carried: true,
        };
        let result = QueryResult { rows: vec![row], ..QueryResult::default() };
        let text = serde_json::to_string(&rows(&query(), &result)).unwrap();
        assert_eq!(
            text,
            r#"[{"month":"2026-01","country":null,"trial":false,"customers":12,"usage_percent":150.0,"usage_percent_numerator":30,"usage_percent_denominator":20,"billed_revenue":9007199254740993.10,"currency":"USD","source":"mixed","partial":true,"lower_bound":true,"carried":true}]"#
        );
    }

    #[test]
    fn what_may_not_be_seen_is_absent_and_what_is_unknown_is_null() {
        let row = Row {
            month: "2026-01".into(),
            dimensions: vec![DimensionValue { value: Some("BR".into()) }, DimensionValue { value: None }],
            values: vec![value(Kind::Count(0)), Value::default(), Value::default()],
            source: Source::Computed.into(),
            ..Row::default()
        };
        let open = QueryResult { rows: vec![row.clone()], ..QueryResult::default() };
        let sealed = QueryResult { rows: vec![row], redacted: true, ..QueryResult::default() };
        let text = |result: &QueryResult| serde_json::to_string(&rows(&query(), result)).unwrap();
        assert!(text(&open).contains(r#""usage_percent":null,"usage_percent_numerator":null,"usage_percent_denominator":null,"billed_revenue":null,"#));
        assert!(!text(&open).contains("redacted"));
        assert!(!text(&sealed).contains("billed_revenue") && text(&sealed).contains(r#""redacted":true"#));
    }

    #[test]
    fn explanations_list_the_reasons_that_count() {
        let explanation = Explanation {
            month: "2026-01".into(),
            numerator: 16,
            denominator: 10,
            covered: 8,
            reasons: vec![
                ReasonCount { reason: Reason::Trial.into(), count: 0 },
                ReasonCount { reason: Reason::NotInGoodStanding.into(), count: 8 },
            ],
            ..Explanation::default()
        };
        let text = serde_json::to_string(&explanations(&Query::default(), &[explanation])).unwrap();
        assert_eq!(
            text,
            r#"[{"month":"2026-01","numerator":16,"denominator":10,"covered":8,"reasons":{"NOT_IN_GOOD_STANDING":8}}]"#
        );
    }

    #[test]
    fn tables_line_up() {
        let rows = vec![vec!["São Paulo".into(), "1,200".into()], vec!["–".into(), "3".into()]];
        assert_eq!(
            table(&["place", "n"], &rows, &[false, true]),
            "place          n\nSão Paulo  1,200\n–              3\n"
        );
        let odd = vec![vec!["a\nb\tc\r".into(), "1".into()], vec!["株式会社".into(), "2".into()]];
        assert_eq!(
            table(&["x\ny", "n"], &odd, &[false, true]),
            "x y       n\na b c     1\n株式会社  2\n",
            "rows stay rows, and wide letters take two columns"
        );
    }
}
