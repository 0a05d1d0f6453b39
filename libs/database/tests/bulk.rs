//! Bulk reads and writes do the same on both engines.
#![allow(clippy::unwrap_used, reason = "tests")]

use insights_database::{
    Database,
    bulk::{self, Column, Conflict},
    sea_orm::{ConnectionTrait, Value},
};
use insights_testkit::{Postgres, TempDatabase};

async fn behaves(database: Database) {
    let create = "CREATE TABLE thing (partner_no integer NOT NULL, name text NOT NULL, size bigint NOT NULL, body BLOB NOT NULL, PRIMARY KEY (partner_no, name))";
    let create = match database.engine() {
        insights_database::Engine::Sqlite => create.to_owned(),
        insights_database::Engine::Postgres => create.replace("BLOB", "bytea"),
    };
    database.writer().execute_unprepared(&create).await.unwrap();
    let fixed = [("partner_no", Value::Int(Some(7)))];
    let rows = |from: i64, to: i64, add: i64| {
        vec![
            ("name", Column::Text((from..to).map(|n| format!("n{n}")).collect())),
            ("size", Column::BigInt((from..to).map(|n| n + add).collect())),
            ("body", Column::Bytes((from..to).map(|n| n.to_be_bytes().to_vec()).collect())),
        ]
    };
    let replace = Conflict::Replace {
        key: &["partner_no", "name"],
        set: &["size", "body"],
        only_if: Some("excluded.size > thing.size"),
    };
    let transaction = database.begin().await.unwrap();
    assert_eq!(bulk::upsert(&transaction, "thing", &fixed, rows(0, 1000, 0), replace).await.unwrap(), 1000);
    assert_eq!(bulk::upsert(&transaction, "thing", &fixed, rows(990, 1010, 0), replace).await.unwrap(), 10);
    assert_eq!(bulk::upsert(&transaction, "thing", &fixed, rows(0, 10, 5), replace).await.unwrap(), 10);
    let keep = Conflict::Keep { key: &["partner_no", "name"] };
    assert_eq!(bulk::upsert(&transaction, "thing", &fixed, rows(1000, 1020, 9), keep).await.unwrap(), 10);
    transaction.commit().await.unwrap();

    let keys = vec![("name", Column::Text((0..2000).rev().map(|n| format!("n{n}")).collect()))];
    let found = bulk::lookup(database.reader(), "thing", &fixed, keys, "size, body").await.unwrap();
    assert_eq!(found.len(), 1020);
    for row in &found {
        let position: i64 = row.try_get_by_index(0).unwrap();
        let number = 1999 - position;
        let size: i64 = row.try_get_by_index(1).unwrap();
        let body: Vec<u8> = row.try_get_by_index(2).unwrap();
        let add = if number < 10 {
            5
        } else if number >= 1010 {
            9
        } else {
            0
        };
        assert_eq!((size, body), (number + add, number.to_be_bytes().to_vec()));
    }
    let keys = vec![("_low", Column::BigInt(vec![3, 1018]))];
    let found = bulk::lookup_where(
        database.reader(),
        "thing",
        &fixed,
        keys,
        "size",
        "AND t.size >= k._low AND t.size < k._low + 10",
    )
    .await
    .unwrap();
    assert_eq!(found.len(), 11 + 9, "rows of both ranges");
    let keys = vec![("name", Column::Text((0..500).map(|n| format!("n{n}")).collect()))];
    assert_eq!(bulk::delete(database.writer(), "thing", &fixed, keys).await.unwrap(), 500);
    let other = [("partner_no", Value::Int(Some(8)))];
    let keys = vec![("name", Column::Text((0..1000).map(|n| format!("n{n}")).collect()))];
    assert_eq!(bulk::delete(database.writer(), "thing", &other, keys).await.unwrap(), 0);
}

#[tokio::test]
async fn sqlite_bulk() {
    let file = TempDatabase::sqlite();
    behaves(Database::connect(file.url()).await.unwrap()).await;
}

#[tokio::test]
async fn postgres_bulk() {
    let file = Postgres::start().database();
    behaves(Database::connect(file.url()).await.unwrap()).await;
}
