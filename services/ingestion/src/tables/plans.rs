//! How PostgreSQL answers the listed statements: each by the index that the list names, whatever its statistics say.

use insights_database::{
    Database, Transaction,
    bulk::{self, Column, Columns, Lock},
    sea_orm::{self, ConnectionTrait, DbBackend, FromQueryResult, Statement},
};
use insights_testkit::TempDatabase;

use super::{
    migrations::Migrator,
    query::{DeleteByKey, Index, LockByKey, Reach, ReadByKey, Sql, StatementScope, WriteRows},
    statements::{LARGE_TABLES, all},
};

/// A statement as the list has it.
pub(super) struct ListedStatement {
    pub name: &'static str,
    pub table: &'static str,
    pub reach: Reach,
    /// Columns of the key or written; empty where the statement is written out.
    pub columns: &'static [&'static str],
    /// Empty where it is not written out.
    pub sql: &'static str,
    /// What PostgreSQL is given.
    postgres: String,
    /// The indexes that answer it.
    indexes: Vec<String>,
    /// Columns that the condition of its index must have.
    found_by: Vec<&'static str>,
}

fn scope(statement: (&'static str, &'static str, Reach, Index)) -> Vec<(&'static str, sea_orm::Value)> {
    let (name, table, reach, index) = statement;
    let scope = match reach {
        Reach::Shard => StatementScope::Shard { partner: 1, shard: 16 },
        Reach::Partner(_) => StatementScope::Partner(1),
    };
    scope.columns(name, table, reach, index).unwrap()
}

/// Columns of these names; of parameters, by the column they are compared with.
fn columns(names: &[&'static str]) -> Columns {
    let column = |name: &str| match name {
        "id" | "position" => Column::BigInt(vec![]),
        name if name.ends_with("customer_no") || name.ends_with("_at") || name == "_time" => Column::BigInt(vec![]),
        "key" | "_low" | "_high" | "hash" | "body" | "digest" | "first_activity" | "lower_bound" | "others" => {
            Column::Bytes(vec![])
        }
        "customer_id" | "subscription_id" | "waits_for" | "field" | "reason" | "record_json" => Column::Text(vec![]),
        "known" => Column::Bool(vec![]),
        _ => Column::Int(vec![]),
    };
    names.iter().map(|name| (*name, column(name))).collect()
}

fn named(index: Index, table: &str) -> Vec<String> {
    match index {
        Index::PrimaryKey => vec![format!("{table}_pkey")],
        Index::Second(name) | Index::Third(name) => vec![name.to_owned()],
    }
}

impl From<ReadByKey> for ListedStatement {
    fn from(ReadByKey { name, table, reach, index, key, select, condition }: ReadByKey) -> Self {
        let scope = scope((name, table, reach, index));
        Self {
            name,
            table,
            reach,
            columns: key,
            sql: "",
            postgres: bulk::lookup_sql(table, &scope, &columns(key), select, condition),
            indexes: named(index, table),
            found_by: key.iter().copied().filter(|name| !name.starts_with('_')).chain(["partner_no"]).collect(),
        }
    }
}

impl From<LockByKey> for ListedStatement {
    fn from(LockByKey { name, table, reach, index, key, select }: LockByKey) -> Self {
        let scope = scope((name, table, reach, index));
        Self {
            name,
            table,
            reach,
            columns: key,
            sql: "",
            postgres: bulk::lock_sql(table, &scope, &columns(key), select, Lock::Update),
            indexes: named(index, table),
            found_by: scope.iter().map(|(name, _)| name.split(' ').next().unwrap()).chain([key[0]]).collect(),
        }
    }
}

impl From<WriteRows> for ListedStatement {
    fn from(WriteRows { name, table, reach, columns: written, conflict }: WriteRows) -> Self {
        let scope = scope((name, table, reach, Index::PrimaryKey));
        let postgres = bulk::upsert_sql(table, &scope, &columns(written), conflict);
        Self { name, table, reach, columns: written, sql: "", postgres, indexes: vec![], found_by: vec![] }
    }
}

impl From<DeleteByKey> for ListedStatement {
    fn from(DeleteByKey { name, table, reach, key }: DeleteByKey) -> Self {
        let scope = scope((name, table, reach, Index::PrimaryKey));
        let postgres = bulk::delete_sql(table, &scope, &columns(key));
        let indexes = named(Index::PrimaryKey, table);
        let found_by = key.iter().copied().chain(["partner_no"]).collect();
        Self { name, table, reach, columns: key, sql: "", postgres, indexes, found_by }
    }
}

impl From<Sql> for ListedStatement {
    fn from(Sql { name, table, reach, indexes, sql }: Sql) -> Self {
        let postgres = sql.replace("{bytes}", "COLLATE \"C\"");
        let indexes = indexes.iter().map(|index| (*index).to_owned()).collect();
        Self { name, table, reach, columns: &[], sql, postgres, indexes, found_by: vec!["partner_no"] }
    }
}

#[derive(FromQueryResult)]
struct Types {
    types: String,
}

#[derive(FromQueryResult)]
struct Line {
    #[sea_orm(from_alias = "QUERY PLAN")]
    line: String,
}

async fn ask<T: FromQueryResult>(transaction: &Transaction, sql: String) -> Vec<T> {
    let rows = transaction.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
    rows.iter().map(|row| T::from_query_result(row, "").unwrap()).collect()
}

/// How PostgreSQL would answer a statement for a partner.
async fn plan(transaction: &Transaction, statement: &ListedStatement, partner: i32) -> String {
    let run = async |sql: String| transaction.execute_unprepared(&sql).await.unwrap();
    run(format!("PREPARE listed AS {}", statement.postgres)).await;
    let sql = "SELECT parameter_types::text AS types FROM pg_prepared_statements WHERE name = 'listed'";
    let types = ask::<Types>(transaction, sql.to_owned()).await.remove(0).types;
    let value = |(position, kind): (usize, &str)| match (position, kind.trim_matches('"')) {
        (0, _) => partner.to_string(),
        (1, "integer") if statement.reach == Reach::Shard => (partner * 16).to_string(),
        (_, "integer" | "bigint") => "7".to_owned(),
        (_, "text") => "'C-7'".to_owned(),
        (_, "bytea") => "'\\x07'".to_owned(),
        (_, kind @ ("boolean[]" | "text[]" | "bytea[]" | "integer[]" | "bigint[]")) => format!("'{{}}'::{kind}"),
        (_, kind) => panic!("{}: a parameter of type {kind}", statement.name),
    };
    let values: Vec<String> = types.trim_matches(['{', '}']).split(',').enumerate().map(value).collect();
    let lines: Vec<Line> = ask(transaction, format!("EXPLAIN (COSTS off) EXECUTE listed({})", values.join(", "))).await;
    run("DEALLOCATE listed".to_owned()).await;
    lines.into_iter().map(|line| line.line + "\n").collect()
}

/// What is wrong with the way a statement is answered.
fn fault(statement: &ListedStatement, plan: &str) -> Option<String> {
    let lines: Vec<&str> = plan.lines().map(|line| line.trim().trim_start_matches("->").trim()).collect();
    let mut conditions = String::new();
    for (at, line) in lines.iter().enumerate() {
        let of_large = LARGE_TABLES.iter().any(|table| line.contains(&format!(" on {table}")));
        let index = line.split_once(" using ").and_then(|(_, rest)| rest.split(' ').next());
        let index = index.or_else(|| line.strip_prefix("Bitmap Index Scan on "));
        let passes = ["Insert on", "Delete on", "Tid Scan on", "Bitmap Heap Scan on"];
        match index {
            // A primary key keeps its name where its table was made anew, but for a number.
            Some(index) if of_large && !statement.indexes.iter().any(|fits| fits == index.trim_end_matches('1')) => {
                return Some(format!("is answered by {index}"));
            }
            Some(_) => conditions.push_str(lines.get(at + 1).copied().unwrap_or_default()),
            None if of_large && !passes.iter().any(|pass| line.starts_with(pass)) => return Some((*line).to_owned()),
            None => {}
        }
    }
    let missing = statement.found_by.iter().find(|column| !conditions.contains(*column));
    missing.map(|column| format!("is not found by {column}"))
}

/// Rows of a partner in every large table.
async fn fill(database: &Database, partner: i32, rows: i32) {
    for sql in [
        "INSERT INTO ingestion_customer (partner_no, cell, customer_no, customer_id, known, users, first_activity) \
         SELECT {p}, {p} * 16 + n % 16, n, 'C-' || n, n % 50 > 0, 0, '' FROM generate_series(1, {n}) n",
        "INSERT INTO ingestion_subscription SELECT {p}, 'S-' || n, n, {p} * 16 + n % 16, n, true FROM generate_series(1, {n}) n",
        "INSERT INTO ingestion_user SELECT {p}, {p} * 16 + n % 16, n, int4send(n), 0 FROM generate_series(1, {n}) n",
        "INSERT INTO ingestion_fact (partner_no, cell, customer_no, kind, key, recorded_at, received_at, day, user_no, body, \
         waits_for) SELECT {p}, {p} * 16 + n % 16, n, 4 + n % 9, int4send(n), n, n, n, -1, '', \
         CASE WHEN n % 20 = 0 THEN 'sku/K-' || n ELSE '' END FROM generate_series(1, {n}) n",
        "INSERT INTO ingestion_history SELECT {p}, {p} * 16 + n % 16, n, 11, int4send(n), n, n + 1, n, n, '' \
         FROM generate_series(1, {n}) n",
        "INSERT INTO ingestion_activity SELECT {p}, {p} * 16 + n % 16, n, 24000 + n % 12, 0, '' FROM generate_series(1, {n}) n",
        "INSERT INTO ingestion_feed SELECT {p}, n / 10, n, 0, n, '' FROM generate_series(1, {n}) n",
        "INSERT INTO ingestion_quarantine SELECT {p}, n, int4send(n), '', n, '', '', '', n, '' FROM generate_series(1, {n}) n",
    ] {
        let sql = sql.replace("{p}", &partner.to_string()).replace("{n}", &rows.to_string());
        database.writer().execute_unprepared(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

/// What is wrong with the plans of all statements for a partner, planned for these parameters and for any.
async fn faults(database: &Database, partner: i32) -> Vec<String> {
    let transaction = database.begin().await.unwrap();
    let mut faults = Vec::new();
    for mode in ["force_custom_plan", "force_generic_plan"] {
        transaction.execute_unprepared(&format!("SET LOCAL plan_cache_mode = {mode}")).await.unwrap();
        for statement in all() {
            let plan = plan(&transaction, &statement, partner).await;
            let fault = fault(&statement, &plan);
            faults.extend(fault.map(|fault| format!("{mode}: {} {fault}\n{plan}", statement.name)));
        }
    }
    faults
}

#[tokio::test]
async fn every_statement_is_answered_by_its_index_whatever_the_statistics_say() {
    let file = TempDatabase::postgres();
    let database = Database::connect(file.url()).await.unwrap();
    database.migrate::<Migrator>().await.unwrap();
    for table in LARGE_TABLES {
        let sql = format!("ALTER TABLE {table} SET (autovacuum_enabled = off)");
        database.writer().execute_unprepared(&sql).await.unwrap();
    }
    let analyze = async || database.writer().execute_unprepared("ANALYZE").await.unwrap();
    let mut found = vec![("nothing is known", faults(&database, 1).await)];
    analyze().await;
    found.push(("the tables were empty", faults(&database, 1).await));
    fill(&database, 1, 1).await;
    analyze().await;
    found.push(("the tables had one row", faults(&database, 1).await));
    for partner in 2..=4 {
        fill(&database, partner, 5_000).await;
        found.push(("a partner came since", faults(&database, partner).await));
        analyze().await;
        found.push(("everything is known", faults(&database, partner).await));
        found.push(("of the next partner nothing is known", faults(&database, partner + 1).await));
    }
    let found: Vec<String> = found
        .into_iter()
        .flat_map(|(when, faults)| faults.into_iter().map(move |it| format!("{when}: {it}")))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
