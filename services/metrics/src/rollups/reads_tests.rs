//! What is read costs what it brings, whatever PostgreSQL's statistics know of the partner.
#![allow(clippy::unwrap_used, reason = "tests")]

use insights_database::sea_orm::{ConnectionTrait, DbBackend, Statement};
use insights_database::{Database, Transaction};
use insights_testkit::TempDatabase;

use super::{CellCustomer, Migrator, Store};

const CUSTOMERS: i64 = 3_000;
const MONTHS: i64 = 3;

/// Customers of a partner, the later ones of later revisions.
async fn fill(database: &Database, partner: i32) {
    for sql in [
        "INSERT INTO rollup_customer SELECT {p}, {p} * 16 + n % 16, n, n, '' FROM generate_series(1, {n}) n",
        "INSERT INTO rollup_month SELECT {p}, {p} * 16 + n % 16, n, m, n, '' FROM generate_series(1, {n}) n, generate_series(1, {m}) m",
    ] {
        let numbers = [("{p}", i64::from(partner)), ("{n}", CUSTOMERS), ("{m}", MONTHS)];
        let sql = numbers.iter().fold(sql.to_owned(), |sql, (name, number)| sql.replace(name, &number.to_string()));
        database.writer().execute_unprepared(&sql).await.unwrap();
    }
}

/// Rows that a transaction has read so far.
async fn read(transaction: &Transaction) -> i64 {
    let sql = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int8 AS number FROM pg_stat_xact_user_tables \
               WHERE relname LIKE 'rollup%'";
    let row = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
    row.try_get("", "number").unwrap()
}

#[tokio::test]
async fn a_partner_that_statistics_do_not_know_is_read_as_quickly() {
    let file = TempDatabase::postgres();
    let database = Database::connect(file.url()).await.unwrap();
    database.migrate::<Migrator>().await.unwrap();
    for table in ["rollup_customer", "rollup_month"] {
        let off = format!("ALTER TABLE {table} SET (autovacuum_enabled = off)");
        database.writer().execute_unprepared(&off).await.unwrap();
    }
    fill(&database, 1).await;
    database.writer().execute_unprepared("ANALYZE").await.unwrap();
    fill(&database, 2).await;
    let transaction = database.begin().await.unwrap();
    let keys: Vec<CellCustomer> =
        (1..=20).map(|number| CellCustomer { cell: 32 + number % 16, customer: number.into() }).collect();
    // More often than it takes until a statement's plan is kept.
    for _ in 0..7 {
        let before = read(&transaction).await;
        let changed = Store::list_changed(&transaction, 2, CUSTOMERS - 10).await.unwrap();
        assert_eq!((changed.len(), read(&transaction).await - before), (10, 10), "what changed since");
        let before = read(&transaction).await;
        let last = CellCustomer { cell: 47, customer: CUSTOMERS - 200 };
        let page = Store::page_of_headers(&transaction, 2, Some(last), 5).await.unwrap();
        assert_eq!((page.len(), read(&transaction).await - before), (5, 5), "a page");
        let before = read(&transaction).await;
        let headers = Store::headers(&transaction, 2, &keys).await.unwrap();
        assert_eq!((headers.len(), read(&transaction).await - before), (20, 20), "headers");
        let before = read(&transaction).await;
        let months = Store::months(&transaction, 2, &keys, 2).await.unwrap();
        assert_eq!((months.len(), read(&transaction).await - before), (20, 40), "months");
    }
}
