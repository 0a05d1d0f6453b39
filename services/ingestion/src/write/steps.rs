//! One transaction of a batch: a unit of shards, or the partner's own records.

use std::collections::HashMap;

use insights_database::{
    Transaction,
    bulk::{self, Column, Lock, statement},
    sea_orm::{ConnectionTrait, Value},
};
use insights_proto::ingestion::v1 as proto;
use prost::Message;

use super::{
    plan::{BatchStep, CheckedRecord, PlannedTransaction},
    rules::{
        activity,
        fact_rows::{self, Arrival},
        facts,
        retraction::{self, ResolvedRetraction},
    },
    transaction::{RecordCounts, ResolvedFact, ResolvedOwner, UserCache, WriteTransaction, key, publish},
};
use crate::{
    error::Error,
    ids::{AllocatedUser, OF_PARTNER, SurrogateIds},
    records::{
        CheckedActivity, RecordContent,
        fact::{FactKind, FactOwner},
    },
    tables::{
        customer::{self, CustomerRow, LockedCustomers},
        fact,
        partner::{NO_DAY, PartnerRow},
    },
};

/// What a transaction did, to be made known once it is committed.
#[derive(Debug, Default)]
pub(crate) struct TransactionOutcome {
    pub counts: RecordCounts,
    /// The partner's new version, if anything changed.
    pub version: Option<i64>,
    pub numbered: Vec<AllocatedUser>,
}

/// What all transactions of a batch share.
#[derive(Clone, Copy)]
pub(crate) struct BatchContext<'a> {
    pub partner: &'a PartnerRow,
    pub users: &'a UserCache,
    pub activity: &'a CheckedActivity,
    pub numbers: &'a SurrogateIds,
    /// Receive time of the batch, nanoseconds since 1970.
    pub now: i64,
    /// How customers are held; only a test holds them less.
    pub lock: Lock,
}

/// Does one unit.
pub(crate) async fn planned(
    transaction: &Transaction,
    shared: BatchContext<'_>,
    planned: &PlannedTransaction<'_>,
) -> Result<TransactionOutcome, Error> {
    let locked = customer::hold(transaction, shared.partner, &planned.customers, shared.lock).await?;
    let mut tx = WriteTransaction::new(transaction, shared.partner, shared.users, locked, shared.now);
    tx.read_subscriptions(planned.subscriptions.clone()).await?;
    steps(&mut tx, &planned.steps).await?;
    fact_rows::release(&mut tx, &planned.remaining.arrivals).await?;
    for (shard, facts) in &planned.remaining.activity {
        activity::apply(&mut tx, *shard, shared.activity, facts, shared.numbers).await?;
    }
    finish(tx).await
}

async fn steps(tx: &mut WriteTransaction<'_>, steps: &[BatchStep<'_>]) -> Result<(), Error> {
    let mut run: Vec<ResolvedFact<'_>> = Vec::new();
    for step in steps {
        match step {
            BatchStep::Fact(resolved) => run.push(resolved.clone()),
            BatchStep::Retract(retraction) => {
                facts::apply(tx, &run).await?;
                run.clear();
                retraction::apply(tx, *retraction).await?;
            }
        }
    }
    facts::apply(tx, &run).await
}

async fn finish(tx: WriteTransaction<'_>) -> Result<TransactionOutcome, Error> {
    customer::store(tx.transaction, tx.partner, &tx.locked).await?;
    let version = publish(tx.transaction, tx.partner, tx.changes, tx.now).await?;
    if version.is_none() && tx.counts.accepted > 0 {
        // Only facts that wait: no follower needs to hear of them, yet something came.
        let sql = "UPDATE ingestion_partner SET last_ingest = $2 WHERE partner_no = $1 AND last_ingest < $2";
        let values: Vec<Value> = vec![tx.partner.number.into(), tx.now.into()];
        tx.transaction.execute_raw(statement(tx.transaction, sql, values)).await?;
    }
    Ok(TransactionOutcome { counts: tx.counts, version, numbered: tx.numbered })
}

/// Does the partner's own records: settings, locations, catalogue, `complete_through`. Returns what arrived with them is
/// to be looked for with [`waiting_for_skus`] once this is committed.
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
    let mut skus: Vec<i32> = skus_of(&items, shared.numbers);
    // SKUs before the partner, as everybody holds them.
    skus.sort_unstable();
    skus.dedup();
    let key_column = ("sku_no", Column::Int(skus.clone()));
    bulk::lock(transaction, "ingestion_sku", &partner.fixed(), key_column, "sku_no", Lock::Update).await?;
    PartnerRow::hold(transaction, partner.number).await?;
    let steps_of_batch: Vec<BatchStep<'_>> = items.iter().map(|item| resolve(item, shared.numbers)).collect();
    let state = CustomerRow {
        at: OF_PARTNER,
        id: String::new(),
        known: true,
        users: 0,
        first_activity: Default::default(),
        lower_bound: Default::default(),
        changed: false,
    };
    let locked: LockedCustomers = HashMap::from([(OF_PARTNER, state)]);
    let mut tx = WriteTransaction::new(transaction, partner, shared.users, locked, shared.now);
    steps(&mut tx, &steps_of_batch).await?;
    if !tx.changes.customers.is_empty() {
        update_partner(&mut tx, &skus).await?;
    }
    finish(tx).await
}

fn skus_of(items: &[&CheckedRecord], numbers: &SurrogateIds) -> Vec<i32> {
    let ids = items.iter().filter_map(|item| match &item.what {
        RecordContent::Fact(fact) if fact.kind == FactKind::Sku => fact.sku.as_ref(),
        _ => None,
    });
    ids.filter_map(|id| numbers.skus.get(id).copied()).collect()
}

fn resolve<'a>(item: &'a CheckedRecord, numbers: &SurrogateIds) -> BatchStep<'a> {
    match &item.what {
        RecordContent::Fact(fact) => BatchStep::Fact(ResolvedFact {
            fact,
            recorded: item.recorded(),
            received: item.received,
            owner: ResolvedOwner::Customer(OF_PARTNER),
            key: key(fact, 0, numbers),
        }),
        RecordContent::Retract(retraction) => BatchStep::Retract(ResolvedRetraction {
            retraction,
            received: item.received,
            customer: Some(OF_PARTNER),
            service: None,
        }),
    }
}

/// Brings the partner's row and the SKUs' up to the facts.
async fn update_partner(tx: &mut WriteTransaction<'_>, skus: &[i32]) -> Result<(), Error> {
    let connection = tx.transaction;
    let number = tx.partner.number;
    let (complete_through, _) = fact::of_partner(connection, tx.partner, FactKind::CompleteThrough).await?;
    let (_, settings) = fact::of_partner(connection, tx.partner, FactKind::Partner).await?;
    let settings = proto::Partner::decode(settings.unwrap_or_default().as_slice())?;
    let sql = "UPDATE ingestion_partner SET complete_through = $2, time_zone = $3 WHERE partner_no = $1";
    let zone = settings.time_zone.unwrap_or_else(|| "UTC".to_owned());
    let values = vec![number.into(), complete_through.unwrap_or(NO_DAY).into(), zone.into()];
    connection.execute_raw(statement(connection, sql, values)).await?;
    for sku in skus {
        let sql = "UPDATE ingestion_sku SET known = $3 WHERE partner_no = $1 AND sku_no = $2 AND NOT known";
        connection.execute_raw(statement(connection, sql, vec![number.into(), (*sku).into(), true.into()])).await?;
    }
    Ok(())
}

/// Facts that wait for SKUs of this batch, which are there now.
pub(crate) async fn waiting_for_skus<C: ConnectionTrait>(
    connection: &C,
    partner: &PartnerRow,
    items: &[CheckedRecord],
) -> Result<Vec<Arrival>, Error> {
    let references = items.iter().filter_map(|item| match &item.what {
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
