//! A figure by one dimension, with its trend.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use insights_proto::metrics::v1::{
    Basis, Dimension, DimensionValue, Explanation, Measure, Result as QueryResult, Value, value::Kind,
};
use insights_proto::reporting::v1::{Breakdown, Group, GroupPoint, Reasons};

use super::span::Span;
use super::table::Table;

/// What to break down.
pub struct Parts<'a> {
    /// The months.
    pub span: Span,
    /// By what.
    pub dimension: Dimension,
    /// What was asked.
    pub measures: &'a [Measure],
    /// The answer.
    pub result: &'a QueryResult,
    /// Explanations of its percentages in the last month, by basis.
    pub why: &'a [(Basis, &'a [Explanation])],
    /// Names by id; empty where values speak for themselves.
    pub names: &'a HashMap<String, String>,
}

/// Composes a breakdown: one group per value seen in the range, largest first in the last month.
pub fn compose(parts: &Parts<'_>) -> Breakdown {
    let table = Table::new(parts.measures, parts.result);
    let mut keys: BTreeMap<Option<&str>, &DimensionValue> = BTreeMap::new();
    for key in parts.result.rows.iter().filter_map(|row| row.dimensions.first()) {
        keys.insert(key.value.as_deref(), key);
    }
    let mut groups: Vec<Group> = keys.into_values().map(|key| group(parts, &table, key)).collect();
    // The keys came sorted, and the sort is stable.
    groups.sort_by(|a, b| size(b).partial_cmp(&size(a)).unwrap_or(Ordering::Equal));
    Breakdown {
        dimension: parts.dimension as i32,
        measures: parts.measures.iter().map(|measure| *measure as i32).collect(),
        basis: Basis::Users as i32,
        groups,
        overlapping: parts.result.overlapping,
    }
}

fn group(parts: &Parts<'_>, table: &Table<'_>, key: &DimensionValue) -> Group {
    let values = |month| -> Vec<Value> {
        parts.measures.iter().map(|measure| table.value(Some(key), month, *measure)).collect()
    };
    let point = |month: insights_domain::calendar::Month| GroupPoint {
        month: month.to_string(),
        values: values(month),
        partial: table.row(Some(key), month).is_some_and(|row| row.partial),
    };
    Group {
        name: key.value.as_ref().and_then(|id| parts.names.get(id)).cloned().unwrap_or_default(),
        values: values(parts.span.to),
        trend: parts.span.months().map(point).collect(),
        reasons: parts.why.iter().filter_map(|(basis, list)| reasons(*basis, list, key)).collect(),
        key: Some(key.clone()),
    }
}

fn reasons(basis: Basis, list: &[Explanation], key: &DimensionValue) -> Option<Reasons> {
    let found = list.iter().find(|explanation| explanation.dimensions.first() == Some(key))?;
    Some(Reasons { basis: basis as i32, explanation: Some(found.clone()) })
}

#[expect(clippy::cast_precision_loss, reason = "only orders groups")]
fn size(group: &Group) -> f64 {
    match group.values.first().and_then(|value| value.kind.as_ref()) {
        Some(Kind::Count(count)) => *count as f64,
        Some(Kind::Percentage(percentage)) => percentage.value.unwrap_or(-1.0),
        _ => -1.0,
    }
}
