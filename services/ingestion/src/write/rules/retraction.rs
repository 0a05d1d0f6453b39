//! Facts taken back.

use std::collections::BTreeMap;

use super::activity_retraction;
use crate::{
    error::Error,
    ids::CustomerAt,
    records::fact::{Kind, Retracted, Retraction},
    tables::{
        fact::{self, FactRow},
        history,
    },
    write::transaction::Work,
};

/// A retraction with numbers in the place of names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlacedRetraction<'a> {
    pub retraction: &'a Retraction,
    pub received: i64,
    /// Absent when nothing was ever said of the customer.
    pub customer: Option<CustomerAt>,
    /// `Some(None)` when nothing was ever said of the service.
    pub service: Option<Option<i32>>,
}

/// Takes back what was received before.
pub(crate) async fn apply(work: &mut Work<'_>, placed: PlacedRetraction<'_>) -> Result<(), Error> {
    let removed = match (placed.customer, placed.service) {
        (None, _) | (_, Some(None)) => false,
        (Some(customer), service) => {
            let service = service.flatten();
            match placed.retraction.what {
                Retracted::Activity => {
                    let Retraction { from, to, .. } = placed.retraction;
                    activity_retraction::retract(work, customer, service, *from, *to).await?
                }
                Retracted::Facts(kind) => facts_of(work, customer, kind, service, &placed).await?,
            }
        }
    };
    if removed {
        work.tally.accepted += 1;
    } else {
        work.tally.duplicates += 1;
    }
    Ok(())
}

async fn facts_of(
    work: &mut Work<'_>,
    customer: CustomerAt,
    kind: Kind,
    service: Option<i32>,
    placed: &PlacedRetraction<'_>,
) -> Result<bool, Error> {
    let days = [placed.retraction.from.epoch_days(), placed.retraction.to.epoch_days()];
    let mut rows = fact::read_days(work.transaction, work.partner, customer, [kind, kind.with()], days).await?;
    rows.retain(|row| service.is_none_or(|service| row.key.starts_with(&service.to_be_bytes())));
    if rows.is_empty() {
        return Ok(false);
    }
    fact::delete(work.transaction, work.partner, customer.cell, &rows).await?;
    for row in rows.iter().filter(|row| row.waits_for.is_empty()) {
        work.note(customer, row.day);
    }
    if kind.keeps_history() {
        let rows: BTreeMap<Vec<u8>, FactRow> = rows.into_iter().map(|row| (row.key.clone(), row)).collect();
        let rows = rows.into_values().map(|row| (row, placed.received)).collect();
        history::keep(work.transaction, work.partner, customer.cell, rows).await?;
    }
    Ok(true)
}
