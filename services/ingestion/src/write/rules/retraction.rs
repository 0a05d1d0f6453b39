//! Retraction of facts.

use std::collections::{BTreeMap, HashSet};

use insights_proto::ingestion::v1::ReportedSeats;
use prost::Message;

use super::{activity_retraction, coverage, customer_lists};
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
                Retracted::Facts(kind) => facts_of(tx, customer, [kind, kind.with()], service, &resolved).await?,
                Retracted::Lists => {
                    let of_one = [FactKind::SubscriptionList, FactKind::SkuList];
                    let lists = facts_of(tx, customer, of_one, None, &resolved).await?;
                    facts_of(tx, customer, [FactKind::CustomerList; 2], None, &resolved).await? || lists
                }
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

/// The rows of a report, and the revenue of what they are about.
async fn of_report(
    tx: &WriteTransaction<'_>,
    customer: CustomerAddress,
    mut rows: Vec<FactRow>,
    report: &str,
    resolved: &ResolvedRetraction<'_>,
) -> Result<Vec<FactRow>, Error> {
    let mut of_report = Vec::new();
    for row in rows.drain(..).filter(|row| row.kind == FactKind::ReportedSeats) {
        if ReportedSeats::decode(row.body.as_slice())?.report.unwrap_or_default() == report {
            of_report.push(row);
        }
    }
    let Retraction { from, to, before, .. } = resolved.retraction;
    let days = [from.epoch_days(), to.epoch_days()];
    let about: HashSet<Vec<u8>> = of_report.iter().filter_map(about).collect();
    let mut revenue = fact::read_days(tx.transaction, tx.partner, customer, [FactKind::Revenue; 2], days).await?;
    let earlier = |row: &FactRow| before.is_none_or(|before| row.recorded < before);
    revenue.retain(|row| earlier(row) && self::about(row).is_some_and(|subject| about.contains(&subject)));
    of_report.extend(revenue);
    Ok(of_report)
}

/// What a row is about: the number its key begins with (the subscription's, or 0 and the SKU's) and its month.
fn about(row: &FactRow) -> Option<Vec<u8>> {
    let number = row.key.first_chunk::<4>()?;
    let length = if *number == [0; 4] { 12 } else { 8 };
    row.key.get(..length).map(<[u8]>::to_vec)
}

async fn facts_of(
    tx: &mut WriteTransaction<'_>,
    customer: CustomerAddress,
    kinds: [FactKind; 2],
    service: Option<i32>,
    resolved: &ResolvedRetraction<'_>,
) -> Result<bool, Error> {
    let days = [resolved.retraction.from.epoch_days(), resolved.retraction.to.epoch_days()];
    let mut rows = fact::read_days(tx.transaction, tx.partner, customer, kinds, days).await?;
    rows.retain(|row| service.is_none_or(|service| row.key.starts_with(&service.to_be_bytes())));
    if let Some(before) = resolved.retraction.before {
        rows.retain(|row| row.recorded < before && row.kind == kinds[0]);
    }
    if let Some(report) = &resolved.retraction.report {
        rows = of_report(tx, customer, rows, report, resolved).await?;
    }
    if rows.is_empty() {
        return Ok(false);
    }
    fact::delete(tx.transaction, tx.partner, customer.shard, &rows).await?;
    for row in &rows {
        coverage::note(tx, row, -1)?;
        if row.waits_for.is_empty() {
            tx.note(customer, row.day);
            tx.lists.extend(customer_lists::list_of(row));
        }
    }
    let kept = rows.into_iter().filter(|row| row.kind.keeps_history());
    let kept: BTreeMap<(FactKind, Vec<u8>), FactRow> = kept.map(|row| ((row.kind, row.key.clone()), row)).collect();
    let kept = kept.into_values().map(|row| (row, resolved.received)).collect();
    history::keep(tx.transaction, tx.partner, customer.shard, kept).await?;
    Ok(true)
}
