//! Sections that split figures by one dimension, with a trend for each group.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use insights_domain::calendar::Month;
use insights_proto::metrics::v1::{
    Basis, Dimension, DimensionValue, Explanation, Measure, Result as QueryResult, Value, value::Kind,
};
use insights_proto::reporting::v1::{Breakdown, Group, GroupPoint, Others, Reasons, UndefinedReason};

use super::DimensionNames;
use super::cards::{ratio, stock_change};
use super::months::MonthSpan;
use super::row_index::RowIndex;

/// One query result and what a section shows of it.
#[derive(Clone, Copy)]
pub struct BreakdownInput<'a> {
    /// Months of the page.
    pub span: MonthSpan,
    /// The dimension it is grouped by.
    pub dimension: Dimension,
    /// The measures of the query, in its order.
    pub measures: &'a [Measure],
    /// The result. Its rows may begin with the month before the range, the base of changes.
    pub result: &'a QueryResult,
    /// Explanations of its percentages in the last month, by basis.
    pub why: &'a [(Basis, &'a [Explanation])],
    /// Names of the dimension's values.
    pub names: &'a DimensionNames,
}

/// Composes a breakdown: one group per value seen in the range, largest first in the last month.
pub fn compose(parts: &BreakdownInput<'_>) -> Breakdown {
    let table = RowIndex::new(parts.measures, parts.result);
    let first = parts.span.from.to_string();
    let mut keys: BTreeMap<Option<&str>, &DimensionValue> = BTreeMap::new();
    for row in parts.result.rows.iter().filter(|row| row.month >= first) {
        if let Some(key) = row.dimensions.first() {
            keys.insert(key.value.as_deref(), key);
        }
    }
    let mut groups: Vec<Group> = keys.into_values().map(|key| group(parts, &table, key)).collect();
    sort(&mut groups, 0, false);
    if !parts.result.overlapping {
        share(&mut groups);
    }
    Breakdown {
        dimension: parts.dimension as i32,
        measures: parts.measures.iter().map(|measure| *measure as i32).collect(),
        basis: Basis::Users as i32,
        groups,
        overlapping: parts.result.overlapping,
        others: None,
        undefined_reason: UndefinedReason::Unspecified.into(),
    }
}

/// Composes a breakdown with the change of each group since the month before the range.
pub fn with_changes(parts: &BreakdownInput<'_>) -> Breakdown {
    let table = RowIndex::new(parts.measures, parts.result);
    let mut breakdown = compose(parts);
    let base = parts.span.base();
    for group in &mut breakdown.groups {
        let (now, first) = (group.values.first(), parts.measures.first());
        if let Some((now, measure)) = now.zip(first) {
            let before = parts.span.stored(base).then(|| table.value(group.key.as_ref(), base, *measure));
            group.change = Some(stock_change(now, before.as_ref(), base));
        }
    }
    breakdown
}

/// Sorts groups by one of their figures. The sort is stable, so groups of equal figures stay in the order of their keys.
pub fn sort(groups: &mut [Group], measure: usize, ascending: bool) {
    let size = |group: &Group| size(group.values.get(measure));
    groups.sort_by(|left, right| {
        let order = size(left).partial_cmp(&size(right)).unwrap_or(Ordering::Equal);
        if ascending { order } else { order.reverse() }
    });
}

/// The figures of all groups beyond the largest, from one query about them together.
pub fn others(parts: &BreakdownInput<'_>, groups: usize) -> Others {
    let table = RowIndex::new(parts.measures, parts.result);
    Others {
        groups: i32::try_from(groups).unwrap_or(i32::MAX),
        values: values_of_range(parts, &table, None),
        trend: trend(parts, &table, None),
        undefined_reason: UndefinedReason::Unspecified.into(),
    }
}

/// The figures of one group in the last month, and by month.
pub fn figures(
    parts: &BreakdownInput<'_>,
    table: &RowIndex<'_>,
    key: &DimensionValue,
) -> (Vec<Value>, Vec<GroupPoint>) {
    (values_of_range(parts, table, Some(key)), trend(parts, table, Some(key)))
}

fn group(parts: &BreakdownInput<'_>, table: &RowIndex<'_>, key: &DimensionValue) -> Group {
    Group {
        name: key.value.as_ref().map(|id| parts.names.of(parts.dimension, id)).unwrap_or_default(),
        values: values_of_range(parts, table, Some(key)),
        trend: trend(parts, table, Some(key)),
        reasons: parts.why.iter().filter_map(|(basis, list)| reasons(*basis, list, key)).collect(),
        key: Some(key.clone()),
        change: None,
        shares: Vec::new(),
    }
}

fn values_of_range(parts: &BreakdownInput<'_>, table: &RowIndex<'_>, key: Option<&DimensionValue>) -> Vec<Value> {
    let value = |measure: &Measure| match measure {
        Measure::New | Measure::Churned | Measure::Returning => {
            Value { kind: Some(Kind::Count(table.flow(&parts.span, key, parts.span.months(), *measure))) }
        }
        stock => table.value(key, parts.span.to, *stock),
    };
    parts.measures.iter().map(value).collect()
}

fn trend(parts: &BreakdownInput<'_>, table: &RowIndex<'_>, key: Option<&DimensionValue>) -> Vec<GroupPoint> {
    let point = |month: Month| GroupPoint {
        month: month.to_string(),
        values: parts.measures.iter().map(|measure| table.in_range(&parts.span, key, month, *measure)).collect(),
        partial: table.row(key, month).is_some_and(|row| row.partial),
    };
    parts.span.months().map(point).collect()
}

/// Fills in each group's shares: its counts over the sums of all groups.
fn share(groups: &mut [Group]) {
    let measures = groups.first().map_or(0, |group| group.values.len());
    let whole = |at: usize| groups.iter().filter_map(|group| count(group.values.get(at)?)).sum::<i64>();
    let wholes: Vec<i64> = (0..measures).map(whole).collect();
    for group in groups {
        let share = |(value, whole): (&Value, &i64)| Value {
            kind: count(value).map(|part| Kind::Percentage(ratio(Some(part), Some(*whole)))),
        };
        group.shares = group.values.iter().zip(&wholes).map(share).collect();
    }
}

fn reasons(basis: Basis, list: &[Explanation], key: &DimensionValue) -> Option<Reasons> {
    let found = list.iter().find(|explanation| explanation.dimensions.first() == Some(key))?;
    Some(Reasons { basis: basis as i32, explanation: Some(found.clone()) })
}

fn count(value: &Value) -> Option<i64> {
    match value.kind {
        Some(Kind::Count(count)) => Some(count),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "only orders groups")]
fn size(value: Option<&Value>) -> f64 {
    match value.and_then(|value| value.kind.as_ref()) {
        Some(Kind::Count(count)) => *count as f64,
        Some(Kind::Percentage(percentage)) => percentage.value.unwrap_or(-1.0),
        _ => -1.0,
    }
}
