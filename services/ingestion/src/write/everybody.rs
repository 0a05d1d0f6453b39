//! Retractions of rows of every customer: one for each customer who has such rows.

use super::{Ledger, plan::CheckedRecord, prepare::CheckedBatch};
use crate::{
    error::Error,
    records::{
        RecordContent,
        fact::{FactKind, Retracted, Retraction},
    },
    tables::{customer, fact, partner::StoredPartner},
};

/// Puts a retraction for each customer in the place of those for all. Returns whether there were any.
pub(super) async fn expand(
    ledger: &Ledger,
    partner: &StoredPartner,
    checked: &mut CheckedBatch,
) -> Result<bool, Error> {
    let is_of_everybody = |item: &CheckedRecord| retraction(item).is_some();
    if !checked.items.iter().any(is_of_everybody) {
        return Ok(false);
    }
    let mut items = Vec::with_capacity(checked.items.len());
    for mut item in std::mem::take(&mut checked.items) {
        let Some((retraction, kind)) = retraction(&item) else {
            items.push(item);
            continue;
        };
        let retraction = retraction.clone();
        for customer in customers(ledger, partner, &retraction, kind).await? {
            checked.names.mentioned.insert(customer.clone());
            item.record.content = RecordContent::Retract(Retraction { customer, ..retraction.clone() });
            let CheckedRecord { received, index, .. } = item;
            items.push(CheckedRecord { record: item.record.clone(), received, index });
        }
    }
    checked.items = items;
    Ok(true)
}

/// The retraction and the kind of its rows, where it is one of every customer.
pub(super) fn retraction(item: &CheckedRecord) -> Option<(&Retraction, FactKind)> {
    match &item.record.content {
        RecordContent::Retract(retraction) if retraction.is_of_everybody() => match retraction.what {
            Retracted::Facts(kind) => Some((retraction, kind)),
            _ => None,
        },
        _ => None,
    }
}

/// The customers who have such rows.
async fn customers(
    ledger: &Ledger,
    partner: &StoredPartner,
    retraction: &Retraction,
    kind: FactKind,
) -> Result<Vec<String>, Error> {
    let snapshot = ledger.database.snapshot().await?;
    let days = [retraction.from.epoch_days(), retraction.to.epoch_days()];
    let before = retraction.before.unwrap_or(i64::MAX);
    let mut numbers = Vec::new();
    for shard in partner.shards() {
        numbers.extend(fact::customers_of_days(&snapshot, partner, shard, kind, days, before).await?);
    }
    let customers = customer::ids(&snapshot, partner, numbers).await?;
    snapshot.rollback().await?;
    Ok(customers)
}
