//! Reads and writes of many rows in one statement.
//!
//! PostgreSQL gets whole columns as arrays through `UNNEST`, so one prepared statement serves any number of rows; SQLite
//! gets rows of `VALUES` in portions ([`mod@sqlite`]). Rows to read are found through `CROSS JOIN LATERAL (… OFFSET 0)`: a plain
//! join with `UNNEST` makes a generic plan scan the whole table. Columns of bulk tables are never null (a default stands for
//! nothing). Every statement takes `fixed` columns, the same for all rows, so that it names one partner and cell.
//!
//! The functions whose names end in `_sql` say what PostgreSQL is given, so that a test can ask it how it would answer.

mod sqlite;

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};

use crate::Result;
pub use crate::column::Column;

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
    let shape = insert(table, fixed, &rows, conflict);
    run(connection, fixed, rows, shape).await
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
    if length(&keys) == 0 {
        return Ok(Vec::new());
    }
    if connection.get_database_backend() == DbBackend::Sqlite {
        return sqlite::lookup(connection, table, fixed, keys, (select, condition)).await;
    }
    let sql = lookup_sql(table, fixed, &keys, select, condition);
    Ok(connection.query_all_raw(statement(connection, sql, arrays(fixed, keys))).await?)
}

/// What PostgreSQL is given by [`lookup_where`].
#[must_use]
pub fn lookup_sql(table: &str, fixed: Fixed<'_>, keys: &Columns, select: &str, condition: &str) -> String {
    let mut sql = format!("SELECT k.n - 1 AS {KEY_POSITION}, f.* FROM ");
    unnest(&mut sql, fixed, keys, " WITH ORDINALITY", &["n"]);
    let _ = write!(sql, " CROSS JOIN LATERAL (SELECT {select} FROM {table} AS t WHERE true");
    matching(&mut sql, fixed, keys);
    let _ = write!(sql, " {condition} OFFSET 0) AS f");
    sql
}

/// `UNNEST($3::int8[]) AS k(customer_no)`, after the fixed columns' parameters.
fn unnest(sql: &mut String, fixed: Fixed<'_>, rows: &Columns, ordinality: &str, more: &[&str]) {
    sql.push_str("UNNEST(");
    for (position, (_, column)) in rows.iter().enumerate() {
        let comma = if position == 0 { "" } else { ", " };
        let _ = write!(sql, "{comma}${}::{}", fixed.len() + position + 1, column.array_type());
    }
    let _ = write!(sql, "){ordinality} AS k(");
    join(sql, rows.iter().map(|(name, _)| *name).chain(more.iter().copied()));
    sql.push(')');
}

/// The conditions on the fixed columns and the keys. Columns whose name begins with `_` have none.
fn matching(sql: &mut String, fixed: Fixed<'_>, keys: &Columns) {
    for (position, (name, _)) in fixed.iter().enumerate() {
        let _ = write!(sql, " AND t.{name} = ${}", position + 1);
    }
    for (name, _) in keys.iter().filter(|(name, _)| !name.starts_with('_')) {
        let _ = write!(sql, " AND t.{name} = k.{name}");
    }
}

/// The values of a statement: the fixed ones, then whole columns.
fn arrays(fixed: Fixed<'_>, columns: Columns) -> Vec<Value> {
    let fixed = fixed.iter().map(|(_, value)| value.clone());
    fixed.chain(columns.into_iter().map(|(_, column)| column.into_array())).collect()
}

/// The two statements that write, apart from where their rows come from.
enum Shape {
    Insert { head: String, tail: String },
    Delete { table: String },
}

async fn run<C: ConnectionTrait>(connection: &C, fixed: Fixed<'_>, rows: Columns, shape: Shape) -> Result<u64> {
    if length(&rows) == 0 {
        return Ok(0);
    }
    if connection.get_database_backend() == DbBackend::Sqlite {
        return sqlite::write(connection, fixed, rows, &shape).await;
    }
    let sql = shape.sql(fixed, &rows);
    Ok(connection.execute_raw(statement(connection, sql, arrays(fixed, rows))).await?.rows_affected())
}

impl Shape {
    /// What PostgreSQL is given.
    fn sql(&self, fixed: Fixed<'_>, rows: &Columns) -> String {
        match self {
            Self::Insert { head, tail } => {
                let mut sql = format!("{head}SELECT ");
                for (position, (_, value)) in fixed.iter().enumerate() {
                    let _ = write!(sql, "${}::{}, ", position + 1, scalar_type(value));
                }
                sql.push_str("k.* FROM ");
                unnest(&mut sql, fixed, rows, "", &[]);
                sql.push_str(tail);
                sql
            }
            Self::Delete { table } => {
                // The sub-select drives: rows are found by key through LATERAL, as in lookups.
                let mut sql = format!("DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT f.ctid FROM ");
                unnest(&mut sql, fixed, rows, "", &[]);
                let _ = write!(sql, " CROSS JOIN LATERAL (SELECT t.ctid FROM {table} AS t WHERE true");
                matching(&mut sql, fixed, rows);
                sql.push_str(" OFFSET 0) AS f))");
                sql
            }
        }
    }
}

/// What PostgreSQL is given by [`upsert`].
#[must_use]
pub fn upsert_sql(table: &str, fixed: Fixed<'_>, rows: &Columns, conflict: Conflict<'_>) -> String {
    insert(table, fixed, rows, conflict).sql(fixed, rows)
}

/// What PostgreSQL is given by [`delete`].
#[must_use]
pub fn delete_sql(table: &str, fixed: Fixed<'_>, keys: &Columns) -> String {
    Shape::Delete { table: table.to_owned() }.sql(fixed, keys)
}

fn insert(table: &str, fixed: Fixed<'_>, rows: &Columns, conflict: Conflict<'_>) -> Shape {
    let mut head = format!("INSERT INTO {table} (");
    join(&mut head, fixed.iter().map(|(name, _)| *name).chain(rows.iter().map(|(name, _)| *name)));
    head.push_str(") ");
    Shape::Insert { head, tail: on_conflict(conflict) }
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

/// Reads rows by one key column and holds them, in the order of the keys, which callers sort: so all who lock do so in the same
/// order. Each result begins with a number without meaning, so that columns count as in [`lookup`].
pub async fn lock<C: ConnectionTrait>(
    connection: &C,
    table: &str,
    fixed: Fixed<'_>,
    key: (&'static str, Column),
    select: &str,
    lock: Lock,
) -> Result<Vec<QueryResult>> {
    let keys = vec![key];
    if connection.get_database_backend() == DbBackend::Sqlite {
        return lookup(connection, table, fixed, keys, select).await;
    }
    if length(&keys) == 0 {
        return Ok(Vec::new());
    }
    let sql = lock_sql(table, fixed, &keys, select, lock);
    Ok(connection.query_all_raw(statement(connection, sql, arrays(fixed, keys))).await?)
}

/// What PostgreSQL is given by [`lock`]. The keys drive, one after the other: `= ANY (…) ORDER BY` may be answered by an index whose
/// order fits and whose rows are then filtered, all of them.
#[must_use]
pub fn lock_sql(table: &str, fixed: Fixed<'_>, keys: &Columns, select: &str, lock: Lock) -> String {
    let mut sql = String::from("SELECT 0::int8, f.* FROM ");
    unnest(&mut sql, fixed, keys, "", &[]);
    let _ = write!(sql, " CROSS JOIN LATERAL (SELECT {select} FROM {table} AS t WHERE true");
    matching(&mut sql, fixed, keys);
    sql.push_str(match lock {
        Lock::None => " OFFSET 0) AS f",
        Lock::Share => " OFFSET 0 FOR SHARE OF t) AS f",
        Lock::Update => " OFFSET 0 FOR UPDATE OF t) AS f",
    });
    sql
}
