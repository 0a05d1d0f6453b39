//! Compares two answers, cell by cell.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What came of a comparison.
#[derive(Default)]
pub struct Outcome {
    /// Values compared.
    pub cells: usize,
    /// Values that differ, those of rows that only one side has included.
    pub differing: usize,
    /// What differs, in words.
    pub differences: Vec<String>,
}

type Rows = BTreeMap<String, Map<String, Value>>;

/// Compares the product's rows with those of the second implementation.
pub fn compare(product: &[Value], naive: &[Value], by: &[String]) -> Outcome {
    let mut outcome = Outcome::default();
    let (product, naive) = (rows(product, by, &mut outcome), rows(naive, by, &mut outcome));
    let keys: std::collections::BTreeSet<&String> = product.keys().chain(naive.keys()).collect();
    for key in keys {
        match (product.get(key), naive.get(key)) {
            (Some(left), Some(right)) => {
                outcome.cells += cells(right);
                let fields: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
                let differing: Vec<&String> =
                    fields.into_iter().filter(|field| !same(field, left.get(*field), right.get(*field))).collect();
                if !differing.is_empty() {
                    outcome.differing += differing.len();
                    outcome.differences.push(format!(
                        "{differing:?} differ\n    product: {}\n    naive:   {}",
                        Value::Object(left.clone()),
                        Value::Object(right.clone())
                    ));
                }
            }
            (Some(left), None) => {
                outcome.differing += cells(left);
                outcome.differences.push(format!("only the product has {}", Value::Object(left.clone())));
            }
            (None, right) => {
                let right = right.cloned().unwrap_or_default();
                outcome.differing += cells(&right);
                outcome.differences.push(format!("the product lacks {}", Value::Object(right)));
            }
        }
    }
    outcome
}

/// Rows by month, group and currency.
fn rows(list: &[Value], by: &[String], outcome: &mut Outcome) -> Rows {
    let mut rows = Rows::new();
    for row in list {
        let Value::Object(fields) = row else { continue };
        let mut key = vec![fields.get("month").cloned().unwrap_or_default()];
        key.extend(by.iter().map(|dimension| fields.get(dimension).cloned().unwrap_or(Value::Null)));
        key.push(fields.get("currency").cloned().unwrap_or(Value::Null));
        if rows.insert(Value::Array(key).to_string(), flat(fields)).is_some() {
            outcome.differences.push(format!("two rows of one cell: {row}"));
        }
    }
    rows
}

/// Makes each reason a field of its own; a reason with the count 0 may be absent.
fn flat(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut flat = Map::new();
    for (name, value) in fields {
        match value {
            Value::Object(reasons) if name == "reasons" => {
                for (reason, count) in reasons.iter().filter(|(_, count)| **count != 0) {
                    flat.insert(reason.clone(), count.clone());
                }
            }
            _ => {
                flat.insert(name.clone(), value.clone());
            }
        }
    }
    flat
}

fn cells(row: &Map<String, Value>) -> usize {
    let beside = |name: &str| name.ends_with("_numerator") || name.ends_with("_denominator");
    let about = ["month", "source", "partial", "redacted", "currency"];
    let dimensions = super::question::dimensions();
    row.keys()
        .filter(|name| !beside(name) && !about.contains(&name.as_str()) && !dimensions.contains(&name.as_str()))
        .count()
}

fn same(field: &str, left: Option<&Value>, right: Option<&Value>) -> bool {
    let null = Value::Null;
    let (left, right) = (left.unwrap_or(&null), right.unwrap_or(&null));
    if field == "billed_revenue" {
        return amount(left) == amount(right) && left.is_null() == right.is_null();
    }
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) if field.ends_with("_percent") => (left - right).abs() <= 1e-9 * right.abs().max(1.0),
        _ => left == right,
    }
}

/// An amount in millionths, whether it is written as a number or as a text.
fn amount(value: &Value) -> Option<i64> {
    let units: f64 = match value {
        Value::String(text) => text.parse().ok()?,
        value => value.as_f64()?,
    };
    Some((units * 1e6).round() as i64)
}
