//! A customer: everything that is kept beside it, and its rows in the directories.

use std::collections::{BTreeMap, BTreeSet};

use insights_database::{Transaction, sea_orm::ConnectionTrait};
use insights_service::fail_point;

use super::subject::ResolvedSubject;
use crate::{
    error::Error,
    ids::CustomerAddress,
    records::fact::{EVERY_DAY, FactKind},
    tables::{activity, customer, fact, history, partner::StoredPartner, subscription, user},
    write::{
        Ledger,
        erased::marks,
        retry::{TRIES, transact},
        rules::coverage,
        transaction::{WriteTransaction, publish},
    },
};

pub(super) async fn counts<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    resolved: &ResolvedSubject,
) -> Result<Vec<(&'static str, i64)>, Error> {
    let Some(at) = resolved.customer else { return Ok(Vec::new()) };
    let mut facts: BTreeMap<&str, i64> = BTreeMap::new();
    for (kind, count) in fact::count(connection, partner, at).await? {
        *facts.entry(kind.name()).or_default() += count;
    }
    let mut counts: Vec<(&str, i64)> = facts.into_iter().collect();
    counts.push(("superseded_rows", history::count(connection, partner, at).await?));
    counts.push(("activity_chunks", activity::count(connection, partner, at).await?));
    counts.push(("users", user::count(connection, partner, at).await?));
    Ok(counts)
}

/// Erases the customer in one transaction, which makes the partner's next version.
pub(super) async fn erase(ledger: &Ledger, partner: &StoredPartner, resolved: &ResolvedSubject) -> Result<(), Error> {
    let Some(at) = resolved.customer else { return Ok(()) };
    transact!(ledger, |transaction| erase_in(ledger, transaction, partner, at))
}

async fn erase_in(
    ledger: &Ledger,
    transaction: &Transaction,
    partner: &StoredPartner,
    at: CustomerAddress,
) -> Result<(), Error> {
    let locked = customer::lock(transaction, partner, &BTreeSet::from([at]), ledger.locks.customers).await?;
    let (marks, now) = (marks(ledger, partner).await?, ledger.receipts.receive(partner, 0)?);
    let mut tx = WriteTransaction::new(transaction, partner, (&ledger.users, &marks), locked, now);
    let every_day = [i32::MIN, i32::MAX];
    let reported = [FactKind::ReportedSeats, FactKind::ReportedUsage];
    for row in fact::read_days(transaction, partner, at, reported, every_day).await? {
        coverage::note(&mut tx, &row, -1)?;
    }
    tx.note(at, EVERY_DAY);
    if tx.counts(at) {
        tx.changes.retracted_activity =
            activity::last_day_of_customers(transaction, partner, at.shard, vec![at.number]).await?;
    }
    let subscriptions = subscription::of_customer(transaction, partner, at).await?;
    fact::delete_all(transaction, partner, at).await?;
    history::delete_all(transaction, partner, at).await?;
    activity::delete_all(transaction, partner, at).await?;
    user::delete(transaction, partner, at, None).await?;
    subscription::delete(transaction, partner, subscriptions).await?;
    customer::delete(transaction, partner, at).await?;
    publish(transaction, partner, tx.changes, now).await?;
    Ok(())
}
