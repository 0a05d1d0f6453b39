//! Many rows on SQLite: portions of `VALUES`.
//!
//! Placeholders have no numbers. The driver asks SQLite for the name of each, and SQLite searches a list of all names for it: with
//! numbers a statement of thousands costs their square. So values stand in the order of the text. A portion has a power of two of
//! rows, so that few statements are prepared, whatever the number of rows.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, QueryResult, Value};

use super::{Columns, Fixed, KEY_POSITION, Shape, join, length, statement};
use crate::Result;

/// Most rows in one statement; more brings nothing, and the number of parameters is limited.
const PORTION: usize = 128;

/// Where portions of so many rows begin, and how many rows they have.
fn portions(count: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = count - start;
        let rows = PORTION.min(if rest == 0 { 0 } else { 1 << rest.ilog2() });
        let portion = (rows > 0).then_some((start, rows));
        start += rows;
        portion
    })
}

/// Reads rows by key; `k_` is before the columns of the keys, where those of both tables are visible.
pub(super) async fn lookup<C: ConnectionTrait>(
    connection: &C,
    table: &str,
    fixed: Fixed<'_>,
    mut keys: Columns,
    (select, condition): (&str, &str),
) -> Result<Vec<QueryResult>> {
    let mut head = String::from("WITH k(n");
    let mut tail = format!(") SELECT k.n + ? AS {KEY_POSITION}, {select} FROM k CROSS JOIN {table} AS t WHERE true");
    for (name, _) in fixed {
        let _ = write!(tail, " AND t.{name} = ?");
    }
    for (name, _) in &keys {
        let own = if name.starts_with('_') { "" } else { "k_" };
        let _ = write!(head, ", {own}{name}");
        if !own.is_empty() {
            let _ = write!(tail, " AND t.{name} = k.{own}{name}");
        }
    }
    head.push_str(") AS (VALUES ");
    let mut found = Vec::new();
    for (start, rows) in portions(length(&keys)) {
        let mut sql = head.clone();
        let mut values = Vec::with_capacity(rows * keys.len() + fixed.len() + 1);
        for row in 0..rows {
            let _ = write!(sql, "{}({row}", if row == 0 { "" } else { "," });
            for (_, column) in &mut keys {
                sql.push_str(",?");
                values.push(column.take(start + row));
            }
            sql.push(')');
        }
        values.push(Value::BigInt(Some(start as i64)));
        values.extend(fixed.iter().map(|(_, value)| value.clone()));
        let _ = write!(sql, "{tail} {condition}");
        found.extend(connection.query_all_raw(statement(connection, sql, values)).await?);
    }
    Ok(found)
}

/// Writes or deletes rows.
pub(super) async fn write<C: ConnectionTrait>(
    connection: &C,
    fixed: Fixed<'_>,
    mut rows: Columns,
    shape: &Shape,
) -> Result<u64> {
    // A row that is inserted has the fixed columns too; a row that is deleted is found with them.
    let own = if matches!(shape, Shape::Insert { .. }) { fixed } else { &[] };
    let mut tuple = String::from("(");
    join(&mut tuple, (0..own.len() + rows.len()).map(|_| "?"));
    tuple.push(')');
    let mut changed = 0;
    for (start, count) in portions(length(&rows)) {
        let mut values = Vec::with_capacity(count * (own.len() + rows.len()) + fixed.len());
        if own.is_empty() {
            values.extend(fixed.iter().map(|(_, value)| value.clone()));
        }
        for row in start..start + count {
            values.extend(own.iter().map(|(_, value)| value.clone()));
            values.extend(rows.iter_mut().map(|(_, column)| column.take(row)));
        }
        let mut tuples = String::with_capacity(count * (tuple.len() + 1));
        join(&mut tuples, (0..count).map(|_| tuple.as_str()));
        let sql = match shape {
            Shape::Insert { head, tail } => format!("{head}VALUES {tuples}{tail}"),
            Shape::Delete { table } => {
                let mut sql = format!("DELETE FROM {table} WHERE true");
                for (name, _) in fixed {
                    let _ = write!(sql, " AND {name} = ?");
                }
                sql.push_str(" AND (");
                join(&mut sql, rows.iter().map(|(name, _)| *name));
                let _ = write!(sql, ") IN (VALUES {tuples})");
                sql
            }
        };
        changed += connection.execute_raw(statement(connection, sql, values)).await?.rows_affected();
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_are_few_sizes_and_leave_no_row_out() {
        let of = |count| portions(count).collect::<Vec<_>>();
        assert_eq!(of(0), []);
        assert_eq!(of(1), [(0, 1)]);
        assert_eq!(of(300), [(0, 128), (128, 128), (256, 32), (288, 8), (296, 4)]);
    }
}
