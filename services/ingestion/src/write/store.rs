//! Storing a checked batch: surrogate ids, then its transactions, each tried again when it loses a race.

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use insights_database::Transaction;
use insights_proto::ingestion::v1::ListEffect;
use insights_service::fail_point;

use super::{
    Ledger,
    plan::{CheckedRecord, PlannedTransaction, RemainingSteps, transactions},
    prepare::{CheckedBatch, PreparedRequest},
    retry::{TRIES, transact},
    steps::{self, BatchContext, TransactionOutcome},
    surrogate_ids::{self, Cached, FoundIds},
    transaction::{PendingChanges, RecordCounts, publish},
};
use crate::{error::Error, ids::SurrogateIds, tables::partner::StoredPartner};

/// The outcome of the good records of a batch.
#[derive(Debug, Default)]
pub(super) struct StoredBatch {
    pub counts: RecordCounts,
    pub version: Option<i64>,
    /// What lists leave out, where that was asked for.
    pub effects: Vec<ListEffect>,
}

impl StoredBatch {
    fn add(&mut self, outcome: &TransactionOutcome) {
        self.counts += outcome.counts;
        self.version = self.version.max(outcome.version);
        self.effects.extend_from_slice(&outcome.effects);
    }
}

/// Looks up what a batch names while those before it are stored, and allocates ids to what has none: in a transaction of its own, as it
/// would be later. Ids that nothing refers to in the end do no harm.
pub(crate) async fn look_up_ahead(ledger: &Ledger, ready: &mut PreparedRequest) -> Result<(), Error> {
    if let PreparedRequest::Batch(batch) = ready
        && !ledger.stores_in_one_transaction()
    {
        batch.ids = match ids_by_shard(ledger, &batch.partner, &batch.checked, Cached::All).await {
            // It is compared with what was erased when its turn comes.
            Err(Error::ErasedMeanwhile) => None,
            ids => Some(ids?),
        };
    }
    Ok(())
}

/// Stores the good records of a batch, with the ids of what it names where they were looked up. All is committed when this returns.
pub(super) async fn store(
    ledger: &Ledger,
    partner: &StoredPartner,
    checked: &CheckedBatch,
    ids: Option<SurrogateIds>,
) -> Result<StoredBatch, Error> {
    match ids {
        _ if ledger.stores_in_one_transaction() => store_together(ledger, partner, checked).await,
        Some(ids) => store_by_shard(ledger, partner, checked, ids).await,
        None => {
            let ids = ids_by_shard(ledger, partner, checked, Cached::All).await?;
            store_by_shard(ledger, partner, checked, ids).await
        }
    }
}

async fn store_together(
    ledger: &Ledger,
    partner: &StoredPartner,
    checked: &CheckedBatch,
) -> Result<StoredBatch, Error> {
    let (stored, ids, outcomes) = transact!(ledger, |transaction| store_in(ledger, transaction, partner, checked))?;
    ledger.ids.remember(partner, &ids);
    after_commit(ledger, partner, &outcomes);
    Ok(stored)
}

/// Stores all of a batch in one transaction, which the caller commits or rolls back.
pub(super) async fn store_in(
    ledger: &Ledger,
    transaction: &Transaction,
    partner: &StoredPartner,
    checked: &CheckedBatch,
) -> Result<(StoredBatch, SurrogateIds, Vec<TransactionOutcome>), Error> {
    let ids = surrogate_ids_of(ledger, transaction, partner, checked, Cached::Unchanging).await?;
    let shared = context(ledger, partner, checked, &ids);
    let mut stored = StoredBatch::default();
    let mut outcomes = vec![steps::of_partner(transaction, shared, &checked.items).await?];
    let arrivals = steps::waiting_for_skus(transaction, partner, &checked.items).await?;
    let mut remaining = RemainingSteps::new(&checked.items, &checked.activity, &ids, arrivals);
    // Other batches may follow in this transaction, and it cannot be planned again.
    remaining.alone = true;
    for planned in transactions(&checked.items, &checked.activity, &ids, remaining, usize::MAX) {
        outcomes.push(steps::run(transaction, shared, &planned).await?);
    }
    for outcome in &outcomes {
        stored.add(outcome);
    }
    Ok((stored, ids, outcomes))
}

async fn store_by_shard(
    ledger: &Ledger,
    partner: &StoredPartner,
    checked: &CheckedBatch,
    mut ids: SurrogateIds,
) -> Result<StoredBatch, Error> {
    let mut stored = StoredBatch::default();
    let shared = context(ledger, partner, checked, &ids);
    if checked.items.iter().any(CheckedRecord::is_of_partner) {
        let outcome = transact!(ledger, |transaction| steps::of_partner(transaction, shared, &checked.items))?;
        stored.add(&outcome);
    }
    let arrivals = steps::waiting_for_skus(ledger.database.reader(), partner, &checked.items).await?;
    let mut remaining = RemainingSteps::new(&checked.items, &checked.activity, &ids, arrivals);
    let mut tries = 0;
    while !remaining.is_empty() {
        tries += 1;
        let planned =
            transactions(&checked.items, &checked.activity, &ids, remaining, ledger.limits.records_per_transaction);
        remaining = RemainingSteps::default();
        let shared = context(ledger, partner, checked, &ids);
        let mut failure = None;
        let mut planned = planned.into_iter();
        let mut running: FuturesUnordered<BoxFuture<'_, (RemainingSteps, Result<TransactionOutcome, Error>)>> =
            FuturesUnordered::new();
        loop {
            while running.len() < ledger.limits.transactions_in_flight.max(1)
                && let Some(planned) = planned.next()
            {
                running.push(run_planned(ledger, shared, planned).boxed());
            }
            let Some((planned, result)) = running.next().await else { break };
            match result {
                Ok(outcome) => {
                    stored.add(&outcome);
                    after_commit(ledger, partner, &[outcome]);
                }
                Err(error) if tries < TRIES && error.is_overtaken(ids.last_before.is_some()) => remaining.add(planned),
                // The other transactions go on: what they commit need not be stored again.
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        drop(running);
        if let Some(error) = failure {
            return Err(error);
        }
        if !remaining.is_empty() {
            remaining.alone = true;
            ids = ids_by_shard(ledger, partner, checked, Cached::Unchanging).await?;
        }
    }
    ledger.notify_followers();
    Ok(stored)
}

async fn ids_by_shard(
    ledger: &Ledger,
    partner: &StoredPartner,
    checked: &CheckedBatch,
    use_of: Cached,
) -> Result<SurrogateIds, Error> {
    let reader = ledger.database.reader();
    let found = surrogate_ids::find(reader, &ledger.ids, partner, &checked.names, use_of).await?;
    let ids = match found.complete {
        true => found.ids,
        false => transact!(ledger, |transaction| allocate(transaction, partner, checked, found.clone()))?,
    };
    ledger.ids.remember(partner, &ids);
    Ok(ids)
}

/// The ids of everything the batch names, allocated in this transaction where there is none.
async fn surrogate_ids_of(
    ledger: &Ledger,
    transaction: &Transaction,
    partner: &StoredPartner,
    checked: &CheckedBatch,
    use_of: Cached,
) -> Result<SurrogateIds, Error> {
    let found = surrogate_ids::find(transaction, &ledger.ids, partner, &checked.names, use_of).await?;
    if found.complete { Ok(found.ids) } else { allocate(transaction, partner, checked, found).await }
}

/// Allocates ids in this transaction to what has none, beside those that were found.
async fn allocate(
    transaction: &Transaction,
    partner: &StoredPartner,
    checked: &CheckedBatch,
    found: FoundIds,
) -> Result<SurrogateIds, Error> {
    let (ids, catalogue_grew) = surrogate_ids::allocate(transaction, partner, &checked.names, found).await?;
    if catalogue_grew {
        let mut changes = PendingChanges::default();
        changes.note_partner();
        publish(transaction, partner, changes, checked.now).await?;
    }
    Ok(ids)
}

pub(super) async fn run_planned<'a>(
    ledger: &Ledger,
    shared: BatchContext<'_>,
    planned: PlannedTransaction<'a>,
) -> (RemainingSteps, Result<TransactionOutcome, Error>) {
    let result = try_planned(ledger, shared, &planned).await;
    (planned.remaining, result)
}

async fn try_planned(
    ledger: &Ledger,
    shared: BatchContext<'_>,
    planned: &PlannedTransaction<'_>,
) -> Result<TransactionOutcome, Error> {
    transact!(ledger, |transaction| steps::run(transaction, shared, planned))
}

pub(super) fn context<'a>(
    ledger: &'a Ledger,
    partner: &'a StoredPartner,
    checked: &'a CheckedBatch,
    ids: &'a SurrogateIds,
) -> BatchContext<'a> {
    BatchContext {
        partner,
        users: &ledger.users,
        erased: &checked.erased,
        activity: &checked.activity,
        ids,
        now: checked.last_received(),
        locks: ledger.locks,
        dry_run: checked.dry_run,
    }
}

fn after_commit(ledger: &Ledger, partner: &StoredPartner, outcomes: &[TransactionOutcome]) {
    for outcome in outcomes {
        ledger.users.remember(partner, &outcome.numbered);
    }
    ledger.notify_followers();
}

/// The version a batch made, or the newest one when it changed nothing.
pub(super) async fn version_after(
    ledger: &Ledger,
    partner: &StoredPartner,
    stored: &StoredBatch,
) -> Result<i64, Error> {
    match stored.version {
        Some(version) => Ok(version),
        None => {
            Ok(StoredPartner::find(ledger.database.reader(), &partner.id).await?.map_or(0, |partner| partner.version))
        }
    }
}
