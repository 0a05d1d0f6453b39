//! A batch tried without storing anything.

use insights_database::Transaction;
use insights_proto::ingestion::v1::{ActivityColumns, IngestBatchRequest, IngestBatchResponse, Record};

use super::{Ledger, answer::response, new_partner::create_partner, prepare::check, retry::TRIES, store::store_in};
use crate::{error::Error, tables::partner::StoredPartner};

/// Stores a batch and rolls the transaction back: the answer is that of a real run.
pub(super) async fn dry_run(
    ledger: &Ledger,
    id: &str,
    request: IngestBatchRequest,
) -> Result<IngestBatchResponse, Error> {
    let mut tries = 0;
    let (records, activity) = (request.records, request.activity);
    loop {
        tries += 1;
        let transaction = ledger.database.begin().await?;
        let result = dry_run_in(&transaction, ledger, id, records.clone(), activity.clone()).await;
        transaction.rollback().await?;
        match result {
            Err(error) if error.is_race() && tries < TRIES => {}
            result => return result,
        }
    }
}

async fn dry_run_in(
    transaction: &Transaction,
    ledger: &Ledger,
    id: &str,
    records: Vec<Record>,
    activity: Option<ActivityColumns>,
) -> Result<IngestBatchResponse, Error> {
    let partner = match StoredPartner::find(transaction, id).await? {
        Some(partner) => partner,
        None => create_partner(transaction, id, ledger.receive(0)).await?,
    };
    let checked = check(ledger, &partner, records, activity, false)?;
    let (stored, _, _) = store_in(ledger, transaction, &partner, &checked).await?;
    Ok(response(partner.version, &checked.rejected, stored.counts))
}
