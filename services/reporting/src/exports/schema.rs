//! Columns of a file, and how their cells are read from rows.

use insights_domain::amount::Amount;
use insights_domain::percentage::Percentage;
use insights_proto::metrics::v1::{
    Dimension, Measure, Query, Row, RowBlock, Source, ValueColumn, value::Kind as ValueKind,
};

use super::cell::{CellType, CellValue};
use super::report::{ReportColumn, ReportField};
use super::rows::ExportRow;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSchema {
    /// Its name.
    pub name: String,
    /// Type of its cells.
    pub kind: CellType,
    from: CellOrigin,
}

/// Where a column's cells stand in a row of the answer of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CellOrigin {
    Month,
    Dimension(usize),
    Value(usize),
    Numerator(usize),
    Denominator(usize),
    Currency,
    Source,
    Partial,
    LowerBound,
    Carried,
    Report(ReportField),
}

/// A column of a report.
pub fn of_report(known: &ReportColumn) -> ColumnSchema {
    column(known.name.to_owned(), known.kind, CellOrigin::Report(known.shown))
}

/// The columns of a query's result, with the names of the command line, without measures that the viewer may not see.
pub fn of_query(query: &Query, sees_revenue: bool) -> Vec<ColumnSchema> {
    let mut columns = vec![column("month".into(), CellType::Text, CellOrigin::Month)];
    for (at, dimension) in query.group_by().enumerate() {
        let kind = if dimension == Dimension::Trial { CellType::Flag } else { CellType::Text };
        columns.push(column(dimension.short_name(), kind, CellOrigin::Dimension(at)));
    }
    let mut money = false;
    for (at, measure) in query.measures().enumerate() {
        let name = measure.short_name();
        match measure {
            Measure::BilledRevenue if sees_revenue => {
                columns.push(column(name, CellType::Amount, CellOrigin::Value(at)));
                money = true;
            }
            Measure::BilledRevenue => {}
            Measure::ActiveUsagePercent | Measure::DeploymentPercent | Measure::UsagePercent => {
                let parts = [(format!("{name}_numerator"), CellOrigin::Numerator(at))];
                let parts = parts.into_iter().chain([(format!("{name}_denominator"), CellOrigin::Denominator(at))]);
                let parts: Vec<_> = parts.map(|(name, from)| column(name, CellType::Count, from)).collect();
                columns.push(column(name, CellType::Percent, CellOrigin::Value(at)));
                columns.extend(parts);
            }
            _ => columns.push(column(name, CellType::Count, CellOrigin::Value(at))),
        }
    }
    if money {
        columns.push(column("currency".into(), CellType::Text, CellOrigin::Currency));
    }
    columns.push(column("source".into(), CellType::Text, CellOrigin::Source));
    columns.push(column("partial".into(), CellType::Flag, CellOrigin::Partial));
    columns.push(column("lower_bound".into(), CellType::Flag, CellOrigin::LowerBound));
    columns.push(column("carried".into(), CellType::Flag, CellOrigin::Carried));
    columns
}

fn column(name: String, kind: CellType, from: CellOrigin) -> ColumnSchema {
    ColumnSchema { name, kind, from }
}

impl ColumnSchema {
    /// The value of the column in a row.
    pub fn cell<'a>(&self, line: ExportRow<'a>) -> CellValue<'a> {
        match (line, self.from) {
            (ExportRow::Report(line), CellOrigin::Report(shown)) => line.cell(shown),
            (ExportRow::Columnar(block, at), _) => self.block_cell(block, at),
            (ExportRow::Group(row), _) => self.group_cell(row),
            (ExportRow::Report(_), _) => CellValue::Null,
        }
    }

    fn group_cell<'a>(&self, row: &'a Row) -> CellValue<'a> {
        let count = |count: Option<i64>| count.map_or(CellValue::Null, CellValue::Count);
        let value = |at: usize| row.values.get(at).and_then(|value| value.kind.as_ref());
        let percentage = |at: usize| match value(at) {
            Some(ValueKind::Percentage(percentage)) => Some(percentage),
            _ => None,
        };
        match self.from {
            CellOrigin::Month => CellValue::Text(&row.month),
            CellOrigin::Dimension(at) => {
                self.dimension(row.dimensions.get(at).and_then(|value| value.value.as_deref()))
            }
            CellOrigin::Value(at) => match value(at) {
                None => CellValue::Null,
                Some(ValueKind::Count(count)) => CellValue::Count(*count),
                Some(ValueKind::Amount(amount)) => CellValue::amount(amount),
                Some(ValueKind::Percentage(percentage)) => percentage.value.map_or(CellValue::Null, CellValue::Percent),
            },
            CellOrigin::Numerator(at) => count(percentage(at).and_then(|parts| parts.numerator)),
            CellOrigin::Denominator(at) => count(percentage(at).and_then(|parts| parts.denominator)),
            CellOrigin::Currency if row.currency.is_empty() => CellValue::Null,
            CellOrigin::Currency => CellValue::Text(&row.currency),
            CellOrigin::Source => source(row.source),
            CellOrigin::Partial => CellValue::Flag(row.partial),
            CellOrigin::LowerBound => CellValue::Flag(row.lower_bound),
            CellOrigin::Carried => CellValue::Flag(row.carried),
            CellOrigin::Report(_) => CellValue::Null,
        }
    }

    fn block_cell<'a>(&self, block: &'a RowBlock, row: usize) -> CellValue<'a> {
        let text = |position: u32| block.texts.get(position as usize).map(String::as_str);
        let named = |place: Option<&u32>| place.and_then(|place| text(place.checked_sub(1)?));
        let count = |count: Option<i64>| count.map_or(CellValue::Null, CellValue::Count);
        let column = |at: usize| block.values.get(at);
        let flag = |flags: &[bool]| flags.get(row).map_or(CellValue::Null, |flag| CellValue::Flag(*flag));
        match self.from {
            CellOrigin::Month => {
                block.months.get(row).and_then(|position| text(*position)).map_or(CellValue::Null, CellValue::Text)
            }
            CellOrigin::Dimension(at) => {
                self.dimension(named(block.dimensions.get(at).and_then(|column| column.positions.get(row))))
            }
            CellOrigin::Value(at) => column(at).map_or(CellValue::Null, |column| value(column, row)),
            CellOrigin::Numerator(at) => count(column(at).and_then(|column| numerator(column, row))),
            CellOrigin::Denominator(at) => count(column(at).and_then(|column| denominator(column, row))),
            CellOrigin::Currency => named(block.currencies.get(row)).map_or(CellValue::Null, CellValue::Text),
            CellOrigin::Source => source(block.sources.get(row).copied().unwrap_or_default()),
            CellOrigin::Partial => flag(&block.partial),
            CellOrigin::LowerBound => flag(&block.lower_bound),
            CellOrigin::Carried => flag(&block.carried),
            CellOrigin::Report(_) => CellValue::Null,
        }
    }

    fn dimension<'a>(&self, value: Option<&'a str>) -> CellValue<'a> {
        match value {
            None => CellValue::Null,
            Some(text) if self.kind == CellType::Flag => CellValue::Flag(text == "true"),
            Some(text) => CellValue::Text(text),
        }
    }
}

fn source(source: i32) -> CellValue<'static> {
    CellValue::Text(Source::try_from(source).unwrap_or_default().label())
}

/// A value of a column of figures.
fn value(column: &ValueColumn, row: usize) -> CellValue<'static> {
    if let Some(amount) = known(&column.amounts, &column.unknown, row) {
        return CellValue::Amount(Amount::from_micros(amount));
    }
    if column.denominators.is_empty() {
        return numerator(column, row).map_or(CellValue::Null, CellValue::Count);
    }
    let part = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
    let percentage =
        Percentage { numerator: part(numerator(column, row)), denominator: part(denominator(column, row)) };
    percentage.value().map_or(CellValue::Null, CellValue::Percent)
}

fn numerator(column: &ValueColumn, row: usize) -> Option<i64> {
    known(&column.counts, &column.unknown, row)
}

fn denominator(column: &ValueColumn, row: usize) -> Option<i64> {
    known(&column.denominators, &column.unknown_denominators, row)
}

fn known(values: &[i64], unknown: &[bool], row: usize) -> Option<i64> {
    values.get(row).copied().filter(|_| !unknown.get(row).is_some_and(|unknown| *unknown))
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
                "month attribution_type trial customers {percentage} billed_revenue currency source partial lower_bound carried"
            )
        );
        assert_eq!(
            names(false),
            format!("month attribution_type trial customers {percentage} source partial lower_bound carried")
        );
    }
}
