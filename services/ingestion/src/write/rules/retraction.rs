//! Retraction of facts.

use std::collections::BTreeMap;

use super::{activity_retraction, coverage};
use crate::{
    error::Error,
    ids::CustomerAddress,
    records::fact::{FactKind, Retracted, Retraction},
    tables::{
        fact::{self, FactRow},
        history,
    },
    write::transaction::WriteTransaction,
};

/// A retraction whose names are resolved to surrogate ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResolvedRetraction<'a> {
    pub retraction: &'a Retraction,
    pub received: i64,
    /// `None` when no record ever named the customer.
    pub customer: Option<CustomerAddress>,
    /// `Some(None)` when no record ever named the service.
    pub service: Option<Option<i32>>,
}

/// Deletes what was received before the retraction.
pub(crate) async fn apply(tx: &mut WriteTransaction<'_>, resolved: ResolvedRetraction<'_>) -> Result<(), Error> {
    let removed = match (resolved.customer, resolved.service) {
        (None, _) | (_, Some(None)) => false,
        (Some(customer), service) => {
            let service = service.flatten();
            match resolved.retraction.what {
                Retracted::Activity => {
                    let Retraction { from, to, .. } = resolved.retraction;
                    activity_retraction::retract(tx, customer, service, *from, *to).await?
                }
                Retracted::Facts(kind) => facts_of(tx, customer, kind, service, &resolved).await?,
            }
        }
    };
    if removed {
        tx.counts.accepted += 1;
    } else {
        tx.counts.duplicates += 1;
    }
    Ok(())
}

async fn facts_of(
    tx: &mut WriteTransaction<'_>,
    customer: CustomerAddress,
    kind: FactKind,
    service: Option<i32>,
    resolved: &ResolvedRetraction<'_>,
) -> Result<bool, Error> {
    let days = [resolved.retraction.from.epoch_days(), resolved.retraction.to.epoch_days()];
    let mut rows = fact::read_days(tx.transaction, tx.partner, customer, [kind, kind.with()], days).await?;
    rows.retain(|row| service.is_none_or(|service| row.key.starts_with(&service.to_be_bytes())));
    if rows.is_empty() {
        return Ok(false);
    }
    fact::delete(tx.transaction, tx.partner, customer.shard, &rows).await?;
    for row in &rows {
        coverage::note(tx, row, -1)?;
        if row.waits_for.is_empty() {
            tx.note(customer, row.day);
        }
    }
    if kind.keeps_history() {
        let rows: BTreeMap<Vec<u8>, FactRow> = rows.into_iter().map(|row| (row.key.clone(), row)).collect();
        let rows = rows.into_values().map(|row| (row, resolved.received)).collect();
        history::keep(tx.transaction, tx.partner, customer.shard, rows).await?;
    }
    Ok(true)
}
