//! A subscription turns out to belong to a customer who was erased: what came of it before is waiting, for nobody knew whose it was.

use std::collections::BTreeSet;

use insights_database::Transaction;
use insights_service::fail_point;

use super::key;
use crate::{
    error::Error,
    ids::{ResolvedSubscription, UNATTACHED},
    records::users::Marked,
    tables::{
        customer, erased, fact, history,
        partner::{self, StoredPartner},
        subscription,
    },
    write::{
        Ledger,
        erased::{ErasedBelonging, marks},
        retry::{TRIES, transact},
        rules::coverage,
        transaction::{WriteTransaction, publish},
    },
};

/// Marks such subscriptions and deletes what waits for them. Those that another customer has are left to that customer.
pub(in crate::write) async fn learn(
    ledger: &Ledger,
    partner: &StoredPartner,
    learned: &[ErasedBelonging],
) -> Result<(), Error> {
    let theirs = attached(ledger, partner, learned).await?;
    let learned: Vec<&ErasedBelonging> = learned.iter().filter(|it| !theirs.contains(&it.subscription)).collect();
    if learned.is_empty() {
        return Ok(());
    }
    transact!(ledger, |transaction| mark(ledger, transaction, partner, &learned))?;
    fail_point::hit("ingestion.erasure_learned");
    let reader = ledger.database.reader();
    let partner = StoredPartner::find(reader, &partner.id).await?.ok_or(Error::NoPartner)?;
    let ids = learned.iter().map(|it| it.subscription.clone()).collect();
    let mut waiting = subscription::look_up(reader, &partner, ids).await?;
    waiting.retain(|(_, at)| at.customer.number == UNATTACHED);
    for (id, at) in &waiting {
        transact!(ledger, |transaction| forget(ledger, transaction, &partner, id, *at))?;
    }
    if !waiting.is_empty() {
        ledger.database.purge().await?;
    }
    Ok(())
}

/// Those of the subscriptions that a customer has.
async fn attached(
    ledger: &Ledger,
    partner: &StoredPartner,
    learned: &[ErasedBelonging],
) -> Result<BTreeSet<String>, Error> {
    let ids = learned.iter().map(|it| it.subscription.clone()).collect();
    let stored = subscription::look_up(ledger.database.reader(), partner, ids).await?;
    Ok(stored.into_iter().filter(|(_, at)| at.customer.number > 0).map(|(id, _)| id).collect())
}

async fn mark(
    ledger: &Ledger,
    transaction: &Transaction,
    partner: &StoredPartner,
    learned: &[&ErasedBelonging],
) -> Result<(), Error> {
    let partner = StoredPartner::lock(transaction, partner.number).await?;
    let (key, now) = (key(ledger, &partner.id), ledger.receipts.receive(&partner, 0)?);
    for ErasedBelonging { customer, subscription } in learned {
        let (owner, mark) = (key.mark(Marked::Customer(customer)), key.mark(Marked::Subscription(subscription)));
        erased::insert(transaction, &partner, &owner, &[mark], now).await?;
    }
    partner::count_erasure(transaction, &partner).await
}

async fn forget(
    ledger: &Ledger,
    transaction: &Transaction,
    partner: &StoredPartner,
    id: &str,
    at: ResolvedSubscription,
) -> Result<(), Error> {
    let locked = customer::lock(transaction, partner, &BTreeSet::from([at.customer]), ledger.locks.customers).await?;
    let (marks, now) = (marks(ledger, partner).await?, ledger.receipts.receive(partner, 0)?);
    let mut tx = WriteTransaction::new(transaction, partner, (&ledger.users, &marks), locked, now);
    let (shard, own) = (at.customer.shard, [(at.customer.number, at.number)]);
    let rows = fact::read_of_subscriptions(transaction, partner, shard, &own).await?;
    for row in &rows {
        coverage::note(&mut tx, row, -1)?;
    }
    fact::delete(transaction, partner, shard, &rows).await?;
    history::take_of_subscriptions(transaction, partner, shard, &own).await?;
    subscription::delete(transaction, partner, vec![id.to_owned()]).await?;
    publish(transaction, partner, tx.changes, now).await?;
    Ok(())
}
