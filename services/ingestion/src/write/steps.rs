//! One transaction of a batch: the steps of its shards, or the partner's own records.

use std::collections::HashMap;

use insights_database::{Transaction, bulk::Lock, sea_orm::ConnectionTrait};
use insights_proto::ingestion::v1::{self as proto, ListEffect};
use prost::Message;

use super::{
    plan::{BatchStep, CheckedRecord, PlannedTransaction},
    rules::{
        activity, customer_lists,
        fact_rows::{self, Arrival},
        facts,
        retraction::{self, ResolvedRetraction},
    },
    transaction::{RecordCounts, ResolvedFact, ResolvedOwner, UserCache, WriteTransaction, key, publish},
};
use crate::{
    config::WriteLocks,
    error::Error,
    ids::{AllocatedUser, OF_PARTNER, SurrogateIds},
    records::{
        CheckedActivity, RecordContent,
        erased::ErasedMarks,
        fact::{FactKind, FactOwner},
    },
    tables::{
        catalogue,
        customer::{self, CustomerRow, LockedCustomers},
        fact,
        partner::{self, NO_DAY, StoredPartner},
    },
};

/// What a transaction did; caches and callers learn it after the commit.
#[derive(Debug, Default)]
pub(crate) struct TransactionOutcome {
    pub counts: RecordCounts,
    /// The partner's new version, if anything changed.
    pub version: Option<i64>,
    pub numbered: Vec<AllocatedUser>,
    pub effects: Vec<ListEffect>,
}

/// The input that all transactions of a batch share.
#[derive(Clone, Copy)]
pub(crate) struct BatchContext<'a> {
    pub partner: &'a StoredPartner,
    pub users: &'a UserCache,
    pub erased: &'a ErasedMarks,
    pub activity: &'a CheckedActivity,
    pub ids: &'a SurrogateIds,
    /// Receive time of the batch, nanoseconds since 1970.
    pub now: i64,
    pub locks: WriteLocks,
    /// Nothing is stored, and what lists leave out is asked for.
    pub dry_run: bool,
}

/// Runs a planned transaction.
pub(crate) async fn run(
    transaction: &Transaction,
    shared: BatchContext<'_>,
    planned: &PlannedTransaction<'_>,
) -> Result<TransactionOutcome, Error> {
    let WriteLocks { customers, subscriptions } = shared.locks;
    let (customers, subscriptions) = match customers {
        Lock::Update if !planned.alone => (Lock::Share, subscriptions),
        customers => (customers, Lock::None),
    };
    let locked = customer::lock(transaction, shared.partner, &planned.customers, customers).await?;
    let mut tx = WriteTransaction::new(transaction, shared.partner, (shared.users, shared.erased), locked, shared.now);
    tx.effects = shared.dry_run.then(Vec::new);
    tx.read_subscriptions(planned.subscriptions.clone(), subscriptions).await?;
    steps(&mut tx, &planned.steps).await?;
    fact_rows::release(&mut tx, &planned.remaining.arrivals).await?;
    for (shard, facts) in &planned.remaining.activity {
        activity::apply(&mut tx, *shard, shared.activity, facts, shared.ids).await?;
    }
    finish(tx).await
}

async fn steps(tx: &mut WriteTransaction<'_>, steps: &[BatchStep<'_>]) -> Result<(), Error> {
    let mut run: Vec<ResolvedFact<'_>> = Vec::new();
    let mut retracted = false;
    for step in steps {
        match step {
            // What is new was perhaps stored before a retraction.
            BatchStep::Fact(resolved) => {
                run.push(ResolvedFact { is_new: resolved.is_new && !retracted, ..resolved.clone() });
            }
            BatchStep::Retract(retraction) => {
                facts::apply(tx, &run).await?;
                run.clear();
                retraction::apply(tx, *retraction).await?;
                retracted = true;
            }
        }
    }
    facts::apply(tx, &run).await
}

async fn finish(tx: WriteTransaction<'_>) -> Result<TransactionOutcome, Error> {
    customer::update(tx.transaction, tx.partner, &tx.locked).await?;
    let version = publish(tx.transaction, tx.partner, tx.changes, tx.now).await?;
    if version.is_none() && tx.counts.accepted > 0 {
        // All that was accepted waits: followers need no notice, but the time of ingestion changed.
        tx.partner.lock_unerased(tx.transaction).await?;
        partner::set_last_ingest(tx.transaction, tx.partner, tx.now).await?;
    }
    let effects = tx.effects.unwrap_or_default();
    Ok(TransactionOutcome { counts: tx.counts, version, numbered: tx.numbered, effects })
}

/// Stores the partner's own records: settings, locations, catalogue, `complete_through`. Facts that wait for its SKUs are found with
/// [`waiting_for_skus`] after the commit.
pub(crate) async fn of_partner(
    transaction: &Transaction,
    shared: BatchContext<'_>,
    items: &[CheckedRecord],
) -> Result<TransactionOutcome, Error> {
    let items: Vec<&CheckedRecord> = items.iter().filter(|item| item.is_of_partner()).collect();
    if items.is_empty() {
        return Ok(TransactionOutcome::default());
    }
    let partner = shared.partner;
    let mut skus: Vec<i32> = skus_of(&items, shared.ids);
    // SKUs before the partner, as in the order of locks.
    skus.sort_unstable();
    skus.dedup();
    let skus = catalogue::lock_skus(transaction, partner, skus, Lock::Update).await?;
    StoredPartner::lock(transaction, partner.number).await?;
    let steps_of_batch: Vec<BatchStep<'_>> = items.iter().map(|item| resolve(item, shared.ids)).collect();
    let state = CustomerRow {
        at: OF_PARTNER,
        id: String::new(),
        known: true,
        users: 0,
        first_activity: Default::default(),
        lower_bound: Default::default(),
        shared: false,
        changed: false,
    };
    let locked: LockedCustomers = HashMap::from([(OF_PARTNER, state)]);
    let mut tx = WriteTransaction::new(transaction, partner, (shared.users, shared.erased), locked, shared.now);
    tx.effects = shared.dry_run.then(Vec::new);
    steps(&mut tx, &steps_of_batch).await?;
    customer_lists::note_absent(&mut tx).await?;
    if !tx.changes.customers.is_empty() {
        update_partner(&mut tx, skus).await?;
    }
    finish(tx).await
}

fn skus_of(items: &[&CheckedRecord], ids: &SurrogateIds) -> Vec<i32> {
    let named = items.iter().filter_map(|item| match &item.record.content {
        RecordContent::Fact(fact) if fact.kind == FactKind::Sku => fact.sku.as_ref(),
        _ => None,
    });
    named.filter_map(|id| ids.skus.get(id).copied()).collect()
}

fn resolve<'a>(item: &'a CheckedRecord, ids: &SurrogateIds) -> BatchStep<'a> {
    match &item.record.content {
        RecordContent::Fact(fact) => BatchStep::Fact(ResolvedFact {
            fact,
            precedence: item.record.precedence,
            recorded: item.recorded(),
            received: item.received,
            owner: ResolvedOwner::Customer(OF_PARTNER),
            key: key(fact, 0, ids),
            is_new: false,
        }),
        RecordContent::Retract(retraction) => BatchStep::Retract(ResolvedRetraction {
            retraction,
            received: item.received,
            customer: Some(OF_PARTNER),
            service: None,
        }),
    }
}

/// Updates the rows of the partner and its SKUs from the facts.
async fn update_partner(tx: &mut WriteTransaction<'_>, skus: Vec<catalogue::SkuRow>) -> Result<(), Error> {
    let (transaction, partner) = (tx.transaction, tx.partner);
    let complete_through = fact::of_partner(transaction, partner, FactKind::CompleteThrough).await?;
    let complete_through = complete_through.map_or(NO_DAY, |fact| fact.day);
    let settings = fact::of_partner(transaction, partner, FactKind::Partner).await?;
    let settings = proto::Partner::decode(settings.map(|fact| fact.body).unwrap_or_default().as_slice())?;
    let time_zone = settings.time_zone.as_deref().unwrap_or("UTC");
    partner::set_settings(transaction, partner, complete_through, time_zone).await?;
    catalogue::set_known(transaction, partner, skus).await
}

/// Facts that wait for the SKUs of this batch.
pub(crate) async fn waiting_for_skus<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    items: &[CheckedRecord],
) -> Result<Vec<Arrival>, Error> {
    let references = items.iter().filter_map(|item| match &item.record.content {
        RecordContent::Fact(fact) if fact.kind == FactKind::Sku && matches!(fact.owner, FactOwner::Partner) => {
            fact.sku.as_ref().map(|id| format!("sku/{id}"))
        }
        _ => None,
    });
    let mut references: Vec<String> = references.collect();
    references.sort();
    references.dedup();
    fact::waiting_for(connection, partner, references).await
}
