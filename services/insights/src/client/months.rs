//! Months that a report says anew. A later file replaces the rows it has; rows that came before and are not in it stay, and are
//! told, or are taken out where the file is said to be whole.

use std::collections::BTreeMap;

use insights_domain::calendar::Month;
use insights_proto::ingestion::v1::{IngestBatchRequest, Record, ReportedSeats, Retract, record::Kind};
use prost_types::Timestamp;

use super::{
    Caller,
    batch::Batch,
    import::{BATCH_RETRIES, Summary, ingest},
    lists,
};
use crate::failure::Failure;

/// The rows of a report that a file has.
#[derive(Debug, Default)]
pub(super) struct MonthsSent {
    /// Rows by report and month; of reported usage without a report.
    rows: BTreeMap<(&'static str, String, String), i64>,
    /// Rows recorded before this time are of earlier files.
    began: Option<Timestamp>,
}

impl MonthsSent {
    /// Before anything of a file is sent that replaces its months. The clock of the server decides what came before.
    pub(super) async fn begin(&mut self, caller: &Caller) -> Result<(), Failure> {
        let message = IngestBatchRequest { validate_only: true, ..IngestBatchRequest::default() };
        self.began = Some(ingest(caller, &message, BATCH_RETRIES).await?.receive_time.unwrap_or_default());
        Ok(())
    }

    /// Counts the rows of a batch.
    pub(super) fn count(&mut self, batch: &Batch) {
        for record in &batch.records {
            let key = match &record.kind {
                Some(Kind::ReportedSeats(ReportedSeats { report, month, of_customer: false, .. })) => {
                    ("reported_seats", report.clone().unwrap_or_default(), month.clone())
                }
                Some(Kind::ReportedUsage(row)) => ("reported_usage", String::new(), row.month.clone()),
                _ => continue,
            };
            *self.rows.entry(key).or_default() += 1;
        }
    }

    /// After everything of a file is sent: says how many rows came before and are not in it, and takes them out where the file
    /// says the months anew. `whole`: none of its rows was rejected.
    pub(super) async fn end(
        self,
        caller: &Caller,
        file: &str,
        whole: bool,
        summary: &mut Summary,
    ) -> Result<(), Failure> {
        let retracts: Vec<Record> = self.rows.keys().filter_map(|key| self.retract(key)).collect();
        if retracts.is_empty() {
            return Ok(());
        }
        let replace = self.began.is_some() && whole;
        let known = lists::effects(caller, retracts.clone()).await?;
        for effect in known.iter().filter(|effect| effect.what == "reported_seats") {
            let month = effect.day.get(..7).unwrap_or_default().to_owned();
            let sent = self.rows.get(&("reported_seats", effect.source.clone(), month.clone())).copied();
            let more = effect.named_before - sent.unwrap_or_default();
            if more > 0 {
                let what = if replace { "are taken out" } else { "still count, --replace takes them out" };
                summary
                    .notes
                    .push(format!("{file}: rows of {month} that came before and are not in it: {more}; they {what}"));
            }
        }
        if self.began.is_some() && !whole {
            summary
                .notes
                .push(format!("{file}: rows were rejected, so nothing is replaced but the rows that are in the file"));
        }
        if replace {
            let message = IngestBatchRequest { records: retracts, ..IngestBatchRequest::default() };
            let answer = ingest(caller, &message, BATCH_RETRIES).await?;
            summary.version = summary.version.max(Some(answer.version));
        }
        Ok(())
    }

    /// Takes back what earlier files say of a month.
    fn retract(&self, (what, report, month): &(&'static str, String, String)) -> Option<Record> {
        let month: Month = month.parse().ok()?;
        let retract = Retract {
            what: (*what).to_owned(),
            from_day: month.first_day().to_string(),
            to_day: month.last_day().to_string(),
            report: (*what == "reported_seats").then(|| report.clone()),
            recorded_before: Some(self.began.unwrap_or_default()),
            ..Retract::default()
        };
        Some(Record { kind: Some(Kind::Retract(retract)), ..Record::default() })
    }
}
