//! Reads and writes of many rows in one statement.
//!
//! PostgreSQL gets whole columns as arrays through `UNNEST`, so one prepared statement serves any number of rows; SQLite
//! gets rows of `VALUES` in portions. Rows to read are found through `CROSS JOIN LATERAL (… OFFSET 0)`: a plain join with
//! `UNNEST` makes a generic plan scan the whole table. Columns of bulk tables are never null (a default stands for
//! nothing). Every statement takes `fixed` columns, the same for all rows, so that it names one partner and cell.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};

use crate::Result;
pub use crate::column::Column;

/// Rows of `VALUES` in one SQLite statement; more brings nothing, and the number of parameters is limited.
const SQLITE_ROWS: usize = 200;

/// Columns with their names. All have the same length.
pub type Columns = Vec<(&'static str, Column)>;

/// Columns that have one value for all rows of a statement, such as the partner and the cell.
pub type Fixed<'a> = &'a [(&'static str, Value)];

/// What to do with a row whose key exists.
#[derive(Clone, Copy, Debug)]
pub enum Conflict<'a> {
    /// Fail with [`crate::Error::Duplicate`].
    Fail,
    /// Keep the existing row.
    Keep {
        /// The columns of the key.
        key: &'a [&'a str],
    },
    /// Overwrite some columns of it.
    Replace {
        /// The columns of the key.
        key: &'a [&'a str],
        /// The columns to overwrite.
        set: &'a [&'a str],
        /// Only where this holds, a condition over `excluded` and the table's name.
        only_if: Option<&'a str>,
    },
}

/// Inserts rows, or updates those that exist. Rows of one call must differ in their key. Returns how many rows were
/// inserted or changed.
pub async fn upsert<C: ConnectionTrait>(
    connection: &C,
    table: &str,
    fixed: Fixed<'_>,
    rows: Columns,
    conflict: Conflict<'_>,
) -> Result<u64> {
    let mut head = format!("INSERT INTO {table} (");
    join(&mut head, fixed.iter().map(|(name, _)| *name).chain(rows.iter().map(|(name, _)| *name)));
    head.push_str(") ");
    run(connection, fixed, rows, Shape::Insert { head, tail: on_conflict(conflict) }).await
}

/// Deletes the rows with these keys. Returns how many there were.
pub async fn delete<C: ConnectionTrait>(connection: &C, table: &str, fixed: Fixed<'_>, keys: Columns) -> Result<u64> {
    run(connection, fixed, keys, Shape::Delete { table: table.to_owned() }).await
}

/// The column of results that holds the position of the key, from 0.
pub const KEY_POSITION: &str = "key_position";

/// Reads the rows with these keys. Each result begins with the position of its key ([`KEY_POSITION`], `i64`), then `select`, a list of
/// expressions over the table's columns. Keys that have no row give none; keys may be prefixes of the table's key.
pub async fn lookup<C: ConnectionTrait>(
    connection: &C,
    table: &str,
    fixed: Fixed<'_>,
    keys: Columns,
    select: &str,
) -> Result<Vec<QueryResult>> {
    lookup_where(connection, table, fixed, keys, select, "").await
}

/// Reads as [`lookup`], with a further condition over the table's columns such as `AND key >= k.low`, where `k` holds
/// the key columns. Key columns whose name begins with `_` are parameters of that condition only.
pub async fn lookup_where<C: ConnectionTrait>(
    connection: &C,
    table: &str,
    fixed: Fixed<'_>,
    keys: Columns,
    select: &str,
    condition: &str,
) -> Result<Vec<QueryResult>> {
    let count = length(&keys);
    if count == 0 {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
    let mut matching = String::new();
    for (position, (name, _)) in fixed.iter().enumerate() {
        let _ = write!(matching, " AND t.{name} = ${}", position + 1);
    }
    // Columns of the keys get names of their own on SQLite, where those of both tables are visible to `select`.
    let own = if connection.get_database_backend() == DbBackend::Sqlite { "k_" } else { "" };
    for name in names.iter().filter(|name| !name.starts_with('_')) {
        let _ = write!(matching, " AND t.{name} = k.{own}{name}");
    }
    let mut found = Vec::new();
    match connection.get_database_backend() {
        DbBackend::Sqlite => {
            let mut keys = keys;
            for start in (0..count).step_by(SQLITE_ROWS) {
                let end = (start + SQLITE_ROWS).min(count);
                let mut values: Vec<Value> = fixed.iter().map(|(_, value)| value.clone()).collect();
                let mut sql = String::from("WITH k(n");
                for name in &names {
                    let _ = write!(sql, ", {}{name}", if name.starts_with('_') { "" } else { own });
                }
                sql.push_str(") AS (VALUES ");
                for row in start..end {
                    // A parameter too: all full portions are one prepared statement.
                    values.push(Value::BigInt(Some(row as i64)));
                    let _ = write!(sql, "{}(${}", if row == start { "" } else { "," }, values.len());
                    for (_, column) in &mut keys {
                        values.push(column.take(row));
                        let _ = write!(sql, ", ${}", values.len());
                    }
                    sql.push(')');
                }
                let _ = write!(
                    sql,
                    ") SELECT k.n AS {KEY_POSITION}, {select} FROM k CROSS JOIN {table} AS t WHERE true{matching} {condition}"
                );
                found.extend(connection.query_all_raw(statement(connection, sql, values)).await?);
            }
        }
        _ => {
            let mut values: Vec<Value> = fixed.iter().map(|(_, value)| value.clone()).collect();
            let mut sql = format!("SELECT k.n - 1 AS {KEY_POSITION}, f.* FROM UNNEST(");
            for (position, (_, column)) in keys.into_iter().enumerate() {
                let comma = if position == 0 { "" } else { ", " };
                let _ = write!(sql, "{comma}${}::{}", values.len() + 1, column.array_type());
                values.push(column.into_array());
            }
            sql.push_str(") WITH ORDINALITY AS k(");
            join(&mut sql, names.iter().copied().chain(["n"]));
            let _ = write!(
                sql,
                ") CROSS JOIN LATERAL (SELECT {select} FROM {table} AS t WHERE true{matching} {condition} OFFSET 0) AS f"
            );
            found = connection.query_all_raw(statement(connection, sql, values)).await?;
        }
    }
    Ok(found)
}

/// The two statements that write, apart from where their rows come from.
enum Shape {
    Insert { head: String, tail: String },
    Delete { table: String },
}

async fn run<C: ConnectionTrait>(connection: &C, fixed: Fixed<'_>, rows: Columns, shape: Shape) -> Result<u64> {
    let count = length(&rows);
    if count == 0 {
        return Ok(0);
    }
    match connection.get_database_backend() {
        DbBackend::Sqlite => run_sqlite(connection, fixed, rows, &shape, count).await,
        _ => run_postgres(connection, fixed, rows, &shape).await,
    }
}

async fn run_postgres<C: ConnectionTrait>(
    connection: &C,
    fixed: Fixed<'_>,
    rows: Columns,
    shape: &Shape,
) -> Result<u64> {
    let mut values: Vec<Value> = fixed.iter().map(|(_, value)| value.clone()).collect();
    let names: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
    let mut source = String::from("UNNEST(");
    for (position, (_, column)) in rows.into_iter().enumerate() {
        let comma = if position == 0 { "" } else { ", " };
        let _ = write!(source, "{comma}${}::{}", values.len() + 1, column.array_type());
        values.push(column.into_array());
    }
    source.push_str(") AS k(");
    join(&mut source, names.iter().copied());
    source.push(')');
    let sql = match shape {
        Shape::Insert { head, tail } => {
            let mut sql = format!("{head}SELECT ");
            for (position, (_, value)) in fixed.iter().enumerate() {
                let _ = write!(sql, "${}::{}, ", position + 1, scalar_type(value));
            }
            let _ = write!(sql, "k.* FROM {source}{tail}");
            sql
        }
        Shape::Delete { table } => {
            // The sub-select drives: rows are found by key through LATERAL, as in lookups.
            let mut sql = format!(
                "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM {source} CROSS JOIN LATERAL (SELECT t.ctid FROM {table} AS t WHERE true"
            );
            for (position, (name, _)) in fixed.iter().enumerate() {
                let _ = write!(sql, " AND t.{name} = ${}", position + 1);
            }
            for name in names {
                let _ = write!(sql, " AND t.{name} = k.{name}");
            }
            sql.push_str(" OFFSET 0) AS f))");
            sql
        }
    };
    Ok(connection.execute_raw(statement(connection, sql, values)).await?.rows_affected())
}

async fn run_sqlite<C: ConnectionTrait>(
    connection: &C,
    fixed: Fixed<'_>,
    mut rows: Columns,
    shape: &Shape,
    count: usize,
) -> Result<u64> {
    let names: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
    let mut changed = 0;
    for start in (0..count).step_by(SQLITE_ROWS) {
        let end = (start + SQLITE_ROWS).min(count);
        let mut values: Vec<Value> = fixed.iter().map(|(_, value)| value.clone()).collect();
        let mut tuples = String::new();
        for row in start..end {
            tuples.push_str(if row == start { "(" } else { ", (" });
            if matches!(shape, Shape::Insert { .. }) {
                for position in 0..fixed.len() {
                    let _ = write!(tuples, "${}, ", position + 1);
                }
            }
            for (position, (_, column)) in rows.iter_mut().enumerate() {
                values.push(column.take(row));
                let comma = if position == 0 { "" } else { ", " };
                let _ = write!(tuples, "{comma}${}", values.len());
            }
            tuples.push(')');
        }
        let sql = match shape {
            Shape::Insert { head, tail } => format!("{head}VALUES {tuples}{tail}"),
            Shape::Delete { table } => {
                let mut sql = format!("DELETE FROM {table} WHERE true");
                for (position, (name, _)) in fixed.iter().enumerate() {
                    let _ = write!(sql, " AND {name} = ${}", position + 1);
                }
                sql.push_str(" AND (");
                join(&mut sql, names.iter().copied());
                let _ = write!(sql, ") IN (VALUES {tuples})");
                sql
            }
        };
        changed += connection.execute_raw(statement(connection, sql, values)).await?.rows_affected();
    }
    Ok(changed)
}

fn on_conflict(conflict: Conflict<'_>) -> String {
    let mut sql = String::new();
    match conflict {
        Conflict::Fail => {}
        Conflict::Keep { key } => {
            sql.push_str(" ON CONFLICT (");
            join(&mut sql, key.iter().copied());
            sql.push_str(") DO NOTHING");
        }
        Conflict::Replace { key, set, only_if } => {
            sql.push_str(" ON CONFLICT (");
            join(&mut sql, key.iter().copied());
            sql.push_str(") DO UPDATE SET ");
            for (position, name) in set.iter().enumerate() {
                let comma = if position == 0 { "" } else { ", " };
                let _ = write!(sql, "{comma}{name} = excluded.{name}");
            }
            if let Some(condition) = only_if {
                let _ = write!(sql, " WHERE {condition}");
            }
        }
    }
    sql
}

fn scalar_type(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::Int(_) => "int4",
        Value::BigInt(_) => "int8",
        Value::Bytes(_) => "bytea",
        _ => "text",
    }
}

fn length(columns: &Columns) -> usize {
    let count = columns.first().map_or(0, |(_, column)| column.len());
    debug_assert!(columns.iter().all(|(_, column)| column.len() == count), "columns of one length");
    count
}

fn join<'a>(sql: &mut String, names: impl Iterator<Item = &'a str>) {
    for (position, name) in names.enumerate() {
        if position > 0 {
            sql.push_str(", ");
        }
        sql.push_str(name);
    }
}

/// A statement with `$1 …` placeholders, which both engines read.
pub fn statement<C: ConnectionTrait>(connection: &C, sql: impl Into<String>, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(connection.get_database_backend(), sql, values)
}

/// What is put behind a text to compare it by its bytes, as Rust does, whatever language a PostgreSQL database orders its words in.
#[must_use]
pub fn byte_order<C: ConnectionTrait>(connection: &C) -> &'static str {
    match connection.get_database_backend() {
        DbBackend::Postgres => "COLLATE \"C\"",
        _ => "",
    }
}

/// How rows are held until the transaction ends. SQLite has one writer and needs no locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Not at all.
    None,
    /// Others may read and share, not change.
    Share,
    /// Nobody else may share or change.
    Update,
}

/// Reads rows by one key column in its order and holds them, so that all who lock do so in the same order. Each result
/// begins with a number without meaning, so that columns count as in [`lookup`].
pub async fn lock<C: ConnectionTrait>(
    connection: &C,
    table: &str,
    fixed: Fixed<'_>,
    key: (&'static str, Column),
    select: &str,
    lock: Lock,
) -> Result<Vec<QueryResult>> {
    let (name, column) = key;
    if connection.get_database_backend() == DbBackend::Sqlite {
        return lookup(connection, table, fixed, vec![(name, column)], select).await;
    }
    if column.len() == 0 {
        return Ok(Vec::new());
    }
    let mut values: Vec<Value> = fixed.iter().map(|(_, value)| value.clone()).collect();
    let mut sql = format!("SELECT 0::int8, {select} FROM {table} AS t WHERE true");
    for (position, (name, _)) in fixed.iter().enumerate() {
        let _ = write!(sql, " AND t.{name} = ${}", position + 1);
    }
    let _ = write!(sql, " AND t.{name} = ANY (${}::{}) ORDER BY t.{name}", values.len() + 1, column.array_type());
    sql.push_str(match lock {
        Lock::None => "",
        Lock::Share => " FOR SHARE OF t",
        Lock::Update => " FOR UPDATE OF t",
    });
    values.push(column.into_array());
    Ok(connection.query_all_raw(statement(connection, sql, values)).await?)
}
