//! What is logged, as a set of lines without what is of the moment.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::{EnvFilter, Layer, fmt::MakeWriter, layer::SubscriberExt};

/// The log of this process.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

/// Fields that hold times and made-up ids, and how many records a sender sent.
const OF_THE_MOMENT: [&str; 8] =
    ["request_id=", "seconds=", "export=", "time.busy=", "time.idle=", "attempt=", "accepted=", "folder="];

impl Logs {
    /// Captures what the product logs from now on, in all detail.
    pub fn capture() -> Self {
        let logs = Self::default();
        // The database driver warns of slow statements and long waits, which tell of the machine, never a value.
        let filter: EnvFilter = "info,insights=trace,sqlx=error".parse().unwrap();
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).without_time().with_writer(logs.clone());
        // Another test of this process may have been first.
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines.with_filter(filter)))
            .unwrap();
        logs
    }

    /// Forgets what was logged.
    pub fn clear(&self) {
        self.bytes().clear();
    }

    fn bytes(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The different lines logged.
    pub fn lines(&self) -> BTreeSet<String> {
        let text = String::from_utf8_lossy(&self.bytes()).into_owned();
        text.lines().filter(|line| !is_statement(line)).map(plain).collect()
    }
}

/// Whether a line says that a statement ran, or by which indexes: by its name, table and shard, never with a value. Which statements run
/// depends on how records fall into batches and shards, and on what is looked at from time to time.
fn is_statement(line: &str) -> bool {
    ["statement", "answered by"].iter().any(|what| line.contains(&format!("insights_ingestion::tables::query: {what}")))
}

/// A line without what is of the moment.
fn plain(line: &str) -> String {
    let words =
        line.split([' ', '{', '}', ':']).filter(|word| !OF_THE_MOMENT.iter().any(|name| word.starts_with(name)));
    words.collect::<Vec<_>>().join(" ")
}

/// Lines that stand in one log only.
pub fn differences(one: &BTreeSet<String>, other: &BTreeSet<String>) -> Vec<String> {
    one.symmetric_difference(other).cloned().collect()
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
