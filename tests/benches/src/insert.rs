//! PostgreSQL's own `INSERT … SELECT FROM unnest … ON CONFLICT`: as fast as it takes rows that may be there.

use std::time::{Duration, Instant};

use insights_proto::ingestion::v1::Record;
use prost::Message as _;
use sqlx::{Connection, Executor, PgConnection};

use crate::Failure;

/// A plain table of the shape that facts are kept in, and its connections.
pub struct Insert {
    connections: Vec<PgConnection>,
    /// Counts what was inserted, so that every row is new.
    runs: i32,
}

/// The rows of a transaction, as columns.
struct Rows {
    numbers: Vec<i64>,
    keys: Vec<Vec<u8>>,
    bodies: Vec<Vec<u8>>,
}

const INSERT: &str = "INSERT INTO facts (partner, cell, customer, kind, key, recorded, received, day, waits, body) \
    SELECT $1, n % 16, n, 7, k.key, n, n, 20000, '', k.body FROM unnest($2::int8[], $3::bytea[], $4::bytea[]) AS k(n, key, body) \
    ON CONFLICT (partner, cell, customer, kind, key) DO UPDATE SET recorded = excluded.recorded, received = excluded.received, \
    day = excluded.day, waits = excluded.waits, body = excluded.body";

impl Insert {
    /// A plain table in the database and two connections to it.
    pub async fn open(url: &str) -> Result<Self, Failure> {
        let mut connections = vec![PgConnection::connect(url).await?, PgConnection::connect(url).await?];
        let sql = "CREATE TABLE facts (partner integer NOT NULL, cell integer NOT NULL, customer bigint NOT NULL, \
                   kind integer NOT NULL, key bytea NOT NULL, recorded bigint NOT NULL, received bigint NOT NULL, \
                   day integer NOT NULL, waits text NOT NULL, body bytea NOT NULL, \
                   PRIMARY KEY (partner, cell, customer, kind, key))";
        connections[0].execute(sql).await?;
        Ok(Self { connections, runs: 0 })
    }

    /// Inserts a row for each record, `size` a transaction, over `writers` connections at once. Fails unless all are there then.
    pub async fn run(&mut self, records: &[Record], size: usize, writers: usize) -> Result<Duration, Failure> {
        self.runs += 1;
        let run = self.runs;
        let numbered: Vec<(i64, &Record)> = (1..).zip(records).collect();
        let mut lists: Vec<Vec<Rows>> = (0..writers).map(|_| Vec::new()).collect();
        for (turn, chunk) in numbered.chunks(size).enumerate() {
            lists[turn % writers].push(Rows {
                numbers: chunk.iter().map(|(number, _)| *number).collect(),
                keys: chunk.iter().map(|(number, _)| number.to_be_bytes().to_vec()).collect(),
                bodies: chunk.iter().map(|(_, record)| record.encode_to_vec()).collect(),
            });
        }
        let start = Instant::now();
        let work = self.connections.iter_mut().zip(lists).map(|(connection, list)| async move {
            for rows in list {
                let query = sqlx::query(INSERT).bind(run).bind(rows.numbers).bind(rows.keys).bind(rows.bodies);
                query.execute(&mut *connection).await?;
            }
            Ok::<_, sqlx::Error>(())
        });
        futures::future::try_join_all(work).await?;
        let taken = start.elapsed();
        let count = sqlx::query_scalar("SELECT count(*) FROM facts WHERE partner = $1").bind(run);
        let rows: i64 = count.fetch_one(&mut self.connections[0]).await?;
        if rows != records.len() as i64 {
            return Err(format!("INSERT stored {rows} of {} rows", records.len()).into());
        }
        Ok(taken)
    }
}
