//! A batch tried without storing anything.

use insights_database::Transaction;
use insights_proto::ingestion::v1::{ActivityColumns, IngestBatchRequest, IngestBatchResponse, Record};

use super::{
    Ledger,
    ingest::{TRIES, response},
};
use crate::{error::Error, tables::partner::PartnerRow};

impl Ledger {
    /// Does everything and takes it back: the answer is what a real run would give.
    pub(super) async fn dry_run(&self, id: &str, request: IngestBatchRequest) -> Result<IngestBatchResponse, Error> {
        let mut tries = 0;
        let (records, activity) = (request.records, request.activity);
        loop {
            tries += 1;
            let transaction = self.database.begin().await?;
            let result = self.dry_run_in(&transaction, id, records.clone(), activity.clone()).await;
            transaction.rollback().await?;
            match result {
                Err(error) if error.is_passing() && tries < TRIES => {}
                result => return result,
            }
        }
    }

    async fn dry_run_in(
        &self,
        transaction: &Transaction,
        id: &str,
        records: Vec<Record>,
        activity: Option<ActivityColumns>,
    ) -> Result<IngestBatchResponse, Error> {
        let partner = match PartnerRow::find(transaction, id).await? {
            Some(partner) => partner,
            None => PartnerRow::create(transaction, id, self.receive(0)).await?,
        };
        let checked = self.check(&partner, records, activity, false)?;
        let (stored, _, _) = self.do_together(transaction, &partner, &checked).await?;
        Ok(response(partner.version, &checked.rejected, stored.counts))
    }
}
