//! What is watched of exports: how many wait, and for how long.

use std::time::Duration;

use insights_database::{bulk::statement, sea_orm::ConnectionTrait};
use insights_proto::reporting::v1::ExportState;
use insights_service::{WatchedLevel, connections};
use tokio_util::sync::CancellationToken;

use super::Exports;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_secs(15);

impl Exports {
    /// Looks from time to time, until `stop`.
    pub(super) async fn keep_looking(&self, stop: CancellationToken) {
        let waiting =
            WatchedLevel::new("insights.exports.waiting", "{export}", "Orders of files that nobody writes yet");
        let running = WatchedLevel::new("insights.exports.running", "{export}", "Files that are being written");
        let oldest =
            WatchedLevel::new("insights.exports.oldest", "s", "How long the oldest order without a file has waited");
        loop {
            match self.under_way().await {
                Ok([waits, runs, age]) => {
                    waiting.set(waits as f64, &[]);
                    running.set(runs as f64, &[]);
                    oldest.set(age as f64 / 1e6, &[]);
                }
                Err(error) => tracing::debug!(%error, "cannot count exports"),
            }
            let pool = self.audit.database().connections();
            connections("reporting", pool.used, pool.most);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    /// How many wait, how many are written, and the age of the oldest of them in microseconds.
    async fn under_way(&self) -> Result<[i64; 3], insights_database::Error> {
        let reader = self.audit.database().reader();
        let sql = "SELECT state, count(*) AS orders, min(created_micros) AS oldest FROM export_job WHERE state IN ($1, $2) GROUP BY state";
        let states = [i32::from(ExportState::Waiting), i32::from(ExportState::Running)];
        let ask = statement(reader, sql, vec![states[0].into(), states[1].into()]);
        let (mut counts, mut age) = ([0; 2], 0);
        for row in reader.query_all_raw(ask).await? {
            let state: i32 = row.try_get("", "state")?;
            let (count, created): (i64, i64) = (row.try_get("", "orders")?, row.try_get("", "oldest")?);
            counts[usize::from(state != states[0])] = count;
            age = age.max(self.table.now().timestamp_micros() - created);
        }
        Ok([counts[0], counts[1], age])
    }
}
