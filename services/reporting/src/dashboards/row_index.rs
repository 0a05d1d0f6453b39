//! Index of a result's rows by month and group.

use std::collections::HashMap;

use insights_domain::calendar::Month;
use insights_proto::metrics::v1::{
    DimensionValue, Measure, Percentage, Result as QueryResult, Row, Value, value::Kind,
};

use super::months::MonthSpan;

/// Rows of a result that is grouped by at most one dimension.
pub struct RowIndex<'a> {
    measures: &'a [Measure],
    rows: HashMap<(Option<&'a DimensionValue>, &'a str), &'a Row>,
}

impl<'a> RowIndex<'a> {
    /// Indexes the result of a query for `measures`.
    pub fn new(measures: &'a [Measure], result: &'a QueryResult) -> Self {
        let rows = result.rows.iter().map(|row| ((row.dimensions.first(), row.month.as_str()), row)).collect();
        Self { measures, rows }
    }

    /// The row of a month and group.
    pub fn row(&self, key: Option<&DimensionValue>, month: Month) -> Option<&'a Row> {
        self.rows.get(&(key, month.to_string().as_str())).copied()
    }

    /// A figure; where there is no row, what an omitted row means.
    pub fn value(&self, key: Option<&DimensionValue>, month: Month, measure: Measure) -> Value {
        let position = self.measures.iter().position(|candidate| *candidate == measure);
        let row = self.row(key, month);
        match (row, position) {
            (Some(row), Some(position)) => row.values.get(position).cloned().unwrap_or_default(),
            _ => absent(measure),
        }
    }

    /// A figure of one month as part of a range: nothing for who came in the earliest month with data.
    pub fn in_range(&self, span: &MonthSpan, key: Option<&DimensionValue>, month: Month, measure: Measure) -> Value {
        match measure {
            Measure::New | Measure::Returning if !span.arrivals_known(month) => Value::default(),
            _ => self.value(key, month, measure),
        }
    }

    /// The sum of a flow over months of a range.
    pub fn flow(
        &self,
        span: &MonthSpan,
        key: Option<&DimensionValue>,
        months: impl Iterator<Item = Month>,
        measure: Measure,
    ) -> i64 {
        let count = |month| match self.in_range(span, key, month, measure).kind {
            Some(Kind::Count(count)) => count,
            _ => 0,
        };
        months.map(count).sum()
    }

    /// A count; 0 when there is none.
    pub fn count(&self, month: Month, measure: Measure) -> i64 {
        match self.value(None, month, measure).kind {
            Some(Kind::Count(count)) => count,
            _ => 0,
        }
    }
}

/// The value of a measure in a row that metrics omitted. Rows are omitted when every value is 0, null or 0 over 0; only
/// measures of users can be null, and amounts are never 0.
fn absent(measure: Measure) -> Value {
    let kind = match measure {
        Measure::ActiveUsers | Measure::TotalUsers | Measure::UsagePercent => None,
        Measure::BilledRevenue | Measure::Unspecified => None,
        Measure::ActiveUsagePercent | Measure::DeploymentPercent => {
            Some(Kind::Percentage(Percentage { value: None, numerator: Some(0), denominator: Some(0) }))
        }
        _ => Some(Kind::Count(0)),
    };
    Value { kind }
}
