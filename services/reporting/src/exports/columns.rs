//! The columns of a file, and the cells of its rows.

use insights_proto::metrics::v1::{Dimension, Measure, Query, Row, Source, value::Kind as ValueKind};

use super::lines::Line;
use super::report::{Known, Shown};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A count.
    Count,
    /// A percentage on the 0 to 100 scale.
    Percent,
    /// An amount of money, exact to six decimals.
    Amount,
    /// Yes or no.
    Flag,
}

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing is known.
    Null,
    /// Text, which anybody may have written.
    Text(&'a str),
    /// A count.
    Count(i64),
    /// A percentage.
    Percent(f64),
    /// An amount in its exact digits.
    Amount(&'a str),
    /// Yes or no.
    Flag(bool),
}

impl Cell<'_> {
    /// Appends the cell as plain text; nothing where nothing is known.
    pub fn write(self, out: &mut Vec<u8>) {
        use std::io::Write;
        // Writing to a vector does not fail.
        let _ = match self {
            Self::Null => Ok(()),
            Self::Text(text) | Self::Amount(text) => out.write_all(text.as_bytes()),
            Self::Count(count) => write!(out, "{count}"),
            Self::Percent(value) => write!(out, "{value}"),
            Self::Flag(flag) => out.write_all(if flag { b"true" } else { b"false" }),
        };
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    from: From,
}

/// Where a cell comes from in a row of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Month,
    Dimension(usize),
    Value(usize),
    Numerator(usize),
    Denominator(usize),
    Currency,
    Source,
    Partial,
    LowerBound,
    Report(Shown),
}

/// A column of a report.
pub fn of_report(known: &Known) -> Column {
    column(known.name.to_owned(), known.kind, From::Report(known.shown))
}

/// The columns of an answer to a query, under the names of the command line. What the viewer may not see has none.
pub fn of_query(query: &Query, sees_revenue: bool) -> Vec<Column> {
    let mut columns = vec![column("month".into(), Kind::Text, From::Month)];
    for (at, dimension) in query.group_by().enumerate() {
        let kind = if dimension == Dimension::Trial { Kind::Flag } else { Kind::Text };
        columns.push(column(short(dimension.as_str_name(), "DIMENSION_"), kind, From::Dimension(at)));
    }
    let mut money = false;
    for (at, measure) in query.measures().enumerate() {
        let name = short(measure.as_str_name(), "MEASURE_");
        match measure {
            Measure::BilledRevenue if sees_revenue => {
                columns.push(column(name, Kind::Amount, From::Value(at)));
                money = true;
            }
            Measure::BilledRevenue => {}
            Measure::ActiveUsagePercent | Measure::DeploymentPercent | Measure::UsagePercent => {
                let parts = [(format!("{name}_numerator"), From::Numerator(at))];
                let parts = parts.into_iter().chain([(format!("{name}_denominator"), From::Denominator(at))]);
                let parts: Vec<_> = parts.map(|(name, from)| column(name, Kind::Count, from)).collect();
                columns.push(column(name, Kind::Percent, From::Value(at)));
                columns.extend(parts);
            }
            _ => columns.push(column(name, Kind::Count, From::Value(at))),
        }
    }
    if money {
        columns.push(column("currency".into(), Kind::Text, From::Currency));
    }
    columns.push(column("source".into(), Kind::Text, From::Source));
    columns.push(column("partial".into(), Kind::Flag, From::Partial));
    columns.push(column("lower_bound".into(), Kind::Flag, From::LowerBound));
    columns
}

fn column(name: String, kind: Kind, from: From) -> Column {
    Column { name, kind, from }
}

fn short(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_ascii_lowercase()
}

impl Column {
    /// The cell of a line.
    pub fn cell<'a>(&self, line: Line<'a>) -> Cell<'a> {
        match (line, self.from) {
            (Line::Report(line), From::Report(shown)) => line.cell(shown),
            (Line::Group(row), _) => self.group_cell(row),
            (Line::Report(_), _) => Cell::Null,
        }
    }

    fn group_cell<'a>(&self, row: &'a Row) -> Cell<'a> {
        let count = |count: Option<i64>| count.map_or(Cell::Null, Cell::Count);
        let value = |at: usize| row.values.get(at).and_then(|value| value.kind.as_ref());
        let percentage = |at: usize| match value(at) {
            Some(ValueKind::Percentage(percentage)) => Some(percentage),
            _ => None,
        };
        match self.from {
            From::Month => Cell::Text(&row.month),
            From::Dimension(at) => match row.dimensions.get(at).and_then(|value| value.value.as_deref()) {
                None => Cell::Null,
                Some(text) if self.kind == Kind::Flag => Cell::Flag(text == "true"),
                Some(text) => Cell::Text(text),
            },
            From::Value(at) => match value(at) {
                None => Cell::Null,
                Some(ValueKind::Count(count)) => Cell::Count(*count),
                Some(ValueKind::Amount(amount)) => Cell::Amount(amount),
                Some(ValueKind::Percentage(percentage)) => percentage.value.map_or(Cell::Null, Cell::Percent),
            },
            From::Numerator(at) => count(percentage(at).and_then(|parts| parts.numerator)),
            From::Denominator(at) => count(percentage(at).and_then(|parts| parts.denominator)),
            From::Currency if row.currency.is_empty() => Cell::Null,
            From::Currency => Cell::Text(&row.currency),
            From::Source => Cell::Text(match row.source() {
                Source::Reported => "reported",
                Source::Mixed => "mixed",
                Source::Computed | Source::Unspecified => "computed",
            }),
            From::Partial => Cell::Flag(row.partial),
            From::LowerBound => Cell::Flag(row.lower_bound),
            From::Report(_) => Cell::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_bear_the_names_of_the_command_line_and_hide_what_may_not_be_seen() {
        let query = Query {
            measures: [Measure::Customers, Measure::UsagePercent, Measure::BilledRevenue].map(i32::from).to_vec(),
            group_by: [Dimension::AttributionType, Dimension::Trial].map(i32::from).to_vec(),
            ..Query::default()
        };
        let names = |sees| of_query(&query, sees).into_iter().map(|column| column.name).collect::<Vec<_>>().join(" ");
        let percentage = "usage_percent usage_percent_numerator usage_percent_denominator";
        assert_eq!(
            names(true),
            format!(
                "month attribution_type trial customers {percentage} billed_revenue currency source partial lower_bound"
            )
        );
        assert_eq!(
            names(false),
            format!("month attribution_type trial customers {percentage} source partial lower_bound")
        );
    }
}
