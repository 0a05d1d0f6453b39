//! PostgreSQL with the months in a plain table, indexed for the questions.

use std::time::{Duration, Instant};

use bytes::{BufMut, BytesMut};
use sqlx::{Connection, Executor, PgConnection, Row as _};

use crate::{Failure, portfolio::Row, questions::Answer};

/// Rows sent at once.
const ROWS: usize = 100_000;

/// A PostgreSQL with the rows.
pub struct Peer(PgConnection);

impl Peer {
    /// Loads the rows into an indexed table and lets PostgreSQL learn about them.
    pub async fn load(url: &str, rows: impl Iterator<Item = Row>) -> Result<Self, Failure> {
        let mut connection = PgConnection::connect(url).await?;
        connection
            .execute(
                "CREATE TABLE months (month integer NOT NULL, customer integer NOT NULL, subscription integer NOT NULL,
                    sku integer NOT NULL, country integer NOT NULL, segment integer NOT NULL, active boolean NOT NULL,
                    available integer NOT NULL)",
            )
            .await?;
        let mut copy = connection.copy_in_raw("COPY months FROM STDIN (FORMAT binary)").await?;
        let mut buffer = BytesMut::new();
        buffer.put_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
        for (number, row) in rows.enumerate() {
            buffer.put_i16(8);
            for value in [row.month, row.customer, row.subscription, row.sku, row.country, row.segment] {
                buffer.put_i32(4);
                buffer.put_i32(value);
            }
            buffer.put_i32(1);
            buffer.put_u8(row.active.into());
            buffer.put_i32(4);
            buffer.put_i32(row.available);
            if number % ROWS == ROWS - 1 {
                copy.send(buffer.split().as_ref()).await?;
            }
        }
        buffer.put_i16(-1);
        copy.send(buffer.as_ref()).await?;
        copy.finish().await?;
        for statement in [
            "CREATE INDEX ON months (customer, month) INCLUDE (active, available)",
            "CREATE INDEX ON months (sku, month) INCLUDE (available)",
            "CREATE INDEX ON months (country, segment, month) INCLUDE (customer, active)",
            "CREATE INDEX ON months (month, customer) INCLUDE (available)",
            "VACUUM ANALYZE months",
            "SET work_mem = '256MB'",
        ] {
            connection.execute(statement).await?;
        }
        Ok(Self(connection))
    }

    /// Asks and says how long the answer took.
    pub async fn ask(&mut self, sql: &str) -> Result<(Duration, Answer), Failure> {
        let start = Instant::now();
        let rows = self.0.fetch_all(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await?;
        let taken = start.elapsed();
        let mut answer = Answer::new();
        for row in rows {
            let cell = |place: usize| {
                row.try_get_unchecked::<i64, _>(place)
                    .or_else(|_| row.try_get_unchecked::<i32, _>(place).map(i64::from))
            };
            answer.push((0..row.len()).map(cell).collect::<Result<_, _>>()?);
        }
        Ok((taken, answer))
    }
}
