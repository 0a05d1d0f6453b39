//! Times that lie in the future, of every table: a server whose clock was ahead gave them, or a version that took whatever a source said.

use insights_database::{
    Transaction,
    sea_orm::{self, ConnectionTrait, FromQueryResult},
};

use super::query;
use crate::error::Error;

/// Columns of times in nanoseconds since 1970. Those of one table are changed one after the other.
const TIMES: [(&str, &str); 11] = [
    ("ingestion_fact", "recorded_at"),
    ("ingestion_fact", "received_at"),
    ("ingestion_history", "recorded_at"),
    ("ingestion_history", "received_at"),
    ("ingestion_history", "superseded_at"),
    ("ingestion_coverage", "since"),
    ("ingestion_coverage", "until"),
    ("ingestion_partner", "last_ingest"),
    ("ingestion_batch", "received_at"),
    ("ingestion_quarantine", "received_at"),
    ("ingestion_feed", "committed_at"),
];

/// Stands for no time in `ingestion_coverage.until`.
const OPEN: i64 = i64::MAX;

#[derive(FromQueryResult)]
struct TimeCount {
    times: i64,
}

/// Brings every time after `limit` back to right after `now`, in the order they had, so that what is recorded from then on counts over
/// all of them. Returns how many different times there were.
pub(crate) async fn bring_back(transaction: &Transaction, now: i64, limit: i64) -> Result<i64, Error> {
    let table = "CREATE TABLE ingestion_time_ahead (old_time BIGINT NOT NULL PRIMARY KEY, new_time BIGINT NOT NULL)";
    transaction.execute_unprepared(table).await?;
    let of_one = |(table, column): (&str, &str)| {
        format!("SELECT {column} AS old_time FROM {table} WHERE {column} > $2 AND {column} < $3")
    };
    let all = TIMES.map(of_one).join(" UNION ");
    let sql = format!(
        "INSERT INTO ingestion_time_ahead (old_time, new_time) \
         SELECT old_time, $1 + row_number() OVER (ORDER BY old_time) FROM ({all}) found"
    );
    query::run(transaction, &sql, vec![now.into(), limit.into(), OPEN.into()]).await?;
    for (table, column) in TIMES {
        let sql = format!(
            "UPDATE {table} SET {column} = ahead.new_time FROM ingestion_time_ahead ahead \
             WHERE {table}.{column} = ahead.old_time"
        );
        query::run(transaction, &sql, vec![]).await?;
    }
    let count = query::row(transaction, "SELECT count(*) AS times FROM ingestion_time_ahead", vec![]).await?;
    transaction.execute_unprepared("DROP TABLE ingestion_time_ahead").await?;
    Ok(count.map_or(0, |count: TimeCount| count.times))
}
