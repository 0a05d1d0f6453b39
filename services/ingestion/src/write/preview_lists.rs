//! What lists would end, found out without storing anything.

use insights_database::Transaction;
use insights_proto::ingestion::v1::{ListEffect, Record, record::Kind};

use super::{Ledger, everybody, new_partner::create_partner, prepare::check, retry::TRIES, store::store_in};
use crate::{
    error::Error,
    records::{Violation, fact::Retraction, kind_name},
    tables::{coverage, partner::StoredPartner},
};

/// Stores lists and rolls the transaction back: the effects are those of a real run. Lists that are not well formed have none.
pub(crate) async fn preview_lists(ledger: &Ledger, id: &str, records: Vec<Record>) -> Result<Vec<ListEffect>, Error> {
    parse(ledger, &records)?;
    let mut tries = 0;
    loop {
        tries += 1;
        let transaction = ledger.database.begin().await?;
        let result = effects_in(&transaction, ledger, id, records.clone()).await;
        transaction.rollback().await?;
        match result {
            Err(error) if error.is_race() && tries < TRIES => {}
            result => return result,
        }
    }
}

/// Any other record would tell more than what lists end.
fn parse(ledger: &Ledger, records: &[Record]) -> Result<(), Error> {
    let most = ledger.limits.records_per_batch;
    if records.len() > most {
        return Err(Error::invalid("records", format!("must have at most {most} records, not {}", records.len())));
    }
    let is_list =
        |record: &Record| matches!(record.kind, Some(Kind::WholeList(_) | Kind::LicenceList(_) | Kind::Retract(_)));
    let wrong = (0..).zip(records).find(|(_, record)| !is_list(record));
    wrong.map_or(Ok(()), |(at, record): (usize, &Record)| {
        let reason = format!("must be whole_list, licence_list or retract, not `{}`", kind_name(record));
        Err(Error::Invalid(vec![Violation { field: format!("records[{at}]"), reason }]))
    })
}

async fn effects_in(
    transaction: &Transaction,
    ledger: &Ledger,
    id: &str,
    records: Vec<Record>,
) -> Result<Vec<ListEffect>, Error> {
    let partner = match StoredPartner::find(transaction, id).await? {
        Some(partner) => partner,
        None => create_partner(transaction, id, ledger.nanoseconds()).await?,
    };
    let mut checked = check(ledger, &partner, records, None, false).await?;
    checked.dry_run = true;
    let (stored, _, _) = store_in(ledger, transaction, &partner, &checked).await?;
    let mut effects = stored.effects;
    for (retraction, _) in checked.items.iter().filter_map(everybody::retraction) {
        effects.push(rows_of(transaction, &partner, retraction).await?);
    }
    Ok(effects)
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
