//! COPY of the facts into a plain table: as fast as PostgreSQL takes rows.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sqlx::{Connection, Executor, PgConnection};

use crate::Failure;

/// The plain table and its connections.
pub struct Copy {
    connections: Vec<PgConnection>,
}

impl Copy {
    /// A plain table in the database and two connections to it.
    pub async fn open(url: &str) -> Result<Self, Failure> {
        let mut connections = vec![PgConnection::connect(url).await?, PgConnection::connect(url).await?];
        let sql = "CREATE TABLE plain (customer integer NOT NULL, used_by integer NOT NULL, service integer NOT NULL, day date NOT NULL)";
        connections[0].execute(sql).await?;
        Ok(Self { connections })
    }

    /// Copies the batches, a transaction each, over `writers` connections at once, into the emptied table. Fails unless
    /// all `facts` are in it then.
    pub async fn run(&mut self, batches: &[Bytes], writers: usize, facts: usize) -> Result<Duration, Failure> {
        self.connections[0].execute("TRUNCATE plain").await?;
        let start = Instant::now();
        let work = self.connections.iter_mut().take(writers).enumerate().map(|(writer, connection)| async move {
            for batch in batches.iter().skip(writer).step_by(writers) {
                let mut copy = connection.copy_in_raw("COPY plain FROM STDIN (FORMAT binary)").await?;
                copy.send(batch.as_ref()).await?;
                copy.finish().await?;
            }
            Ok::<_, sqlx::Error>(())
        });
        futures::future::try_join_all(work).await?;
        let taken = start.elapsed();
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM plain").fetch_one(&mut self.connections[0]).await?;
        if rows != facts as i64 {
            return Err(format!("COPY stored {rows} of {facts} facts").into());
        }
        Ok(taken)
    }
}
