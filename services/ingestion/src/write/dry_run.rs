//! A batch tried without storing anything.

use insights_database::Transaction;
use insights_proto::ingestion::v1::{ActivityColumns, IngestBatchRequest, IngestBatchResponse, ListEffect, Record};

use super::{
    Ledger, answer::response, everybody, new_partner::create_partner, prepare::check, retry::TRIES, store::store_in,
};
use crate::{
    error::Error,
    records::fact::Retraction,
    tables::{coverage, partner::StoredPartner},
};

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
    let mut checked = check(ledger, &partner, records, activity, false)?;
    checked.dry_run = true;
    let (mut stored, _, _) = store_in(ledger, transaction, &partner, &checked).await?;
    for (retraction, _) in checked.items.iter().filter_map(everybody::retraction) {
        stored.effects.push(rows_of(transaction, &partner, retraction).await?);
    }
    Ok(response(partner.version, &checked.rejected, stored, checked.now))
}

/// How many rows a report has in the months of a retraction.
async fn rows_of(
    transaction: &Transaction,
    partner: &StoredPartner,
    retraction: &Retraction,
) -> Result<ListEffect, Error> {
    let days = [retraction.from.epoch_days(), retraction.to.epoch_days()];
    let report = retraction.report.clone().unwrap_or_default();
    Ok(ListEffect {
        what: "reported_seats".to_owned(),
        named_before: coverage::rows(transaction, partner, &report, days).await?,
        source: report,
        day: retraction.from.to_string(),
        ..ListEffect::default()
    })
}
