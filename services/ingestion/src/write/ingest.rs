//! A checked batch on its way: numbered, cut into transactions, answered after the last commit.

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use insights_database::Transaction;
use insights_proto::ingestion::v1::{IngestBatchRequest, IngestBatchResponse, Rejection};
use insights_service::fail_point;

use super::{
    Ledger,
    plan::{CheckedRecord, PlannedTransaction, RemainingSteps, transactions},
    prepare::{CheckedBatch, PreparedBatch, PreparedRequest},
    steps::{self, BatchContext, TransactionOutcome},
    surrogate_ids,
    transaction::{PendingChanges, RecordCounts, publish},
};
use crate::{
    error::Error,
    ids::SurrogateIds,
    tables::{
        batch::{self, BatchReservation},
        partner::PartnerRow,
        quarantine::{self, Rejected},
    },
};

/// Most rejections in one answer; the quarantine holds the rest.
const MOST_REJECTIONS: usize = 1_000;

/// How often a transaction that lost against another is tried again. Each loss is somebody else's progress.
pub(super) const TRIES: usize = 30;

/// What became of the good records.
#[derive(Debug, Default)]
pub(super) struct StoredBatch {
    pub counts: RecordCounts,
    pub version: Option<i64>,
}

impl StoredBatch {
    fn add(&mut self, outcome: &TransactionOutcome) {
        self.counts += outcome.counts;
        self.version = self.version.max(outcome.version);
    }
}

/// Runs a transaction until it does not lose against another any more. A macro, for a closure that borrows its argument
/// cannot promise that its future is `Send`.
macro_rules! transact {
    ($ledger:expr, |$transaction:ident| $doing:expr) => {{
        let mut tries = 0;
        loop {
            tries += 1;
            let held = $ledger.database.begin().await?;
            let $transaction = &held;
            let result = match $doing.await {
                Ok(result) => {
                    fail_point::hit("ingestion.before_commit");
                    held.commit().await.map(|()| result).map_err(Error::from)
                }
                Err(error) => {
                    // Where the connection is gone this fails too, and says less than what went wrong before.
                    let _ = held.rollback().await;
                    Err(error)
                }
            };
            match result {
                Err(error) if matches!(error, Error::Database(_)) && error.is_passing() && tries < TRIES => {}
                result => break result,
            }
        }
    }};
}

impl Ledger {
    /// Stores the good records of a batch and quarantines the others.
    pub(crate) async fn ingest(
        &self,
        partner: &str,
        request: IngestBatchRequest,
    ) -> Result<IngestBatchResponse, Error> {
        let ready = self.prepare(partner, request).await?;
        self.finish(ready).await
    }

    /// Does what is left of a batch once it is checked.
    pub(crate) async fn finish(&self, ready: PreparedRequest) -> Result<IngestBatchResponse, Error> {
        let PreparedBatch { partner, batch_id, digest, mut checked } = match ready {
            PreparedRequest::Batch(prepared) => *prepared,
            PreparedRequest::DryRun { partner, request } => return self.dry_run(&partner, *request).await,
        };
        let _passing = self.debounce.pass(checked.activity.columns.day.len());
        if let Some(digest) = digest
            && fail_point::guard_holds("ingestion.batch_id")
        {
            match batch::reserve(self.database.writer(), &partner, &batch_id, &digest, checked.now).await? {
                BatchReservation::Answered(answer) => return Ok(answer),
                BatchReservation::Received(first) => checked.received(first),
            }
        }
        let stored = self.store(&partner, &checked).await?;
        fail_point::hit("ingestion.before_answer");
        self.answer(&partner, &batch_id, checked, stored).await
    }

    /// The partner's row, made on its first batch.
    pub(super) async fn get_or_create_partner(&self, id: &str) -> Result<PartnerRow, Error> {
        if let Some(partner) = PartnerRow::find(self.database.reader(), id).await? {
            return Ok(partner);
        }
        let now = self.receive(0);
        transact!(self, |transaction| PartnerRow::create(transaction, id, now))
    }

    pub(super) fn shared<'a>(
        &'a self,
        partner: &'a PartnerRow,
        checked: &'a CheckedBatch,
        numbers: &'a SurrogateIds,
    ) -> BatchContext<'a> {
        BatchContext {
            partner,
            users: &self.users,
            activity: &checked.activity,
            numbers,
            now: checked.now,
            lock: self.lock,
        }
    }

    /// Does all of a batch in one transaction and leaves the ending to the caller.
    pub(super) async fn do_together(
        &self,
        transaction: &Transaction,
        partner: &PartnerRow,
        checked: &CheckedBatch,
    ) -> Result<(StoredBatch, SurrogateIds, Vec<TransactionOutcome>), Error> {
        let numbers = self.number(transaction, partner, checked).await?;
        let shared = self.shared(partner, checked, &numbers);
        let mut stored = StoredBatch::default();
        let mut outcomes = vec![steps::of_partner(transaction, shared, &checked.items).await?];
        let arrivals = steps::waiting_for_skus(transaction, partner, &checked.items).await?;
        let remaining = RemainingSteps::new(&checked.items, &checked.activity, &numbers, arrivals);
        for planned in transactions(&checked.items, &checked.activity, &numbers, remaining, usize::MAX) {
            outcomes.push(steps::planned(transaction, shared, &planned).await?);
        }
        for outcome in &outcomes {
            stored.add(outcome);
        }
        Ok((stored, numbers, outcomes))
    }

    /// Gives numbers to everything the batch names, inside its transaction.
    async fn number(
        &self,
        transaction: &Transaction,
        partner: &PartnerRow,
        checked: &CheckedBatch,
    ) -> Result<SurrogateIds, Error> {
        let (numbers, complete) = surrogate_ids::find(transaction, &self.numbers, partner, &checked.wanted).await?;
        if complete {
            return Ok(numbers);
        }
        let (numbers, catalogue_grew) = surrogate_ids::give(transaction, partner, &checked.wanted).await?;
        if catalogue_grew {
            let mut changes = PendingChanges::default();
            changes.everybody();
            publish(transaction, partner, changes, checked.now).await?;
        }
        Ok(numbers)
    }

    fn made_known(&self, partner: &PartnerRow, numbers: &SurrogateIds, outcomes: &[TransactionOutcome]) {
        self.numbers.remember(partner, numbers);
        for outcome in outcomes {
            self.users.remember(partner.number, &outcome.numbered);
        }
        self.tell();
    }

    /// Stores the good records of a batch. All is committed when this returns.
    pub(super) async fn store(&self, partner: &PartnerRow, checked: &CheckedBatch) -> Result<StoredBatch, Error> {
        if self.together() {
            self.store_together(partner, checked).await
        } else {
            self.store_by_shard(partner, checked).await
        }
    }

    async fn store_together(&self, partner: &PartnerRow, checked: &CheckedBatch) -> Result<StoredBatch, Error> {
        let (stored, numbers, outcomes) =
            transact!(self, |transaction| self.do_together(transaction, partner, checked))?;
        self.made_known(partner, &numbers, &outcomes);
        Ok(stored)
    }

    async fn store_by_shard(&self, partner: &PartnerRow, checked: &CheckedBatch) -> Result<StoredBatch, Error> {
        let mut stored = StoredBatch::default();
        let mut numbers = self.ids_by_shard(partner, checked).await?;
        let shared = self.shared(partner, checked, &numbers);
        if checked.items.iter().any(CheckedRecord::is_of_partner) {
            let outcome = transact!(self, |transaction| steps::of_partner(transaction, shared, &checked.items))?;
            stored.add(&outcome);
        }
        let arrivals = steps::waiting_for_skus(self.database.reader(), partner, &checked.items).await?;
        let mut remaining = RemainingSteps::new(&checked.items, &checked.activity, &numbers, arrivals);
        let mut tries = 0;
        while !remaining.is_empty() {
            tries += 1;
            let planned = transactions(
                &checked.items,
                &checked.activity,
                &numbers,
                remaining,
                self.limits.records_per_transaction,
            );
            remaining = RemainingSteps::default();
            let shared = self.shared(partner, checked, &numbers);
            let mut failure = None;
            let mut planned = planned.into_iter();
            let mut running: FuturesUnordered<BoxFuture<'_, (RemainingSteps, Result<TransactionOutcome, Error>)>> =
                FuturesUnordered::new();
            loop {
                while running.len() < self.limits.transactions_in_flight.max(1)
                    && let Some(planned) = planned.next()
                {
                    running.push(self.run_unit(shared, planned).boxed());
                }
                let Some((planned, result)) = running.next().await else { break };
                match result {
                    Ok(outcome) => {
                        stored.add(&outcome);
                        self.made_known(partner, &numbers, &[outcome]);
                    }
                    Err(Error::Moved) if tries < TRIES => remaining.add(planned),
                    // The other shards go on: what they commit is not to be done again.
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
            drop(running);
            if let Some(error) = failure {
                return Err(error);
            }
            if !remaining.is_empty() {
                numbers = self.ids_by_shard(partner, checked).await?;
            }
        }
        self.tell();
        Ok(stored)
    }

    async fn ids_by_shard(&self, partner: &PartnerRow, checked: &CheckedBatch) -> Result<SurrogateIds, Error> {
        let (numbers, complete) =
            surrogate_ids::find(self.database.reader(), &self.numbers, partner, &checked.wanted).await?;
        if complete {
            return Ok(numbers);
        }
        transact!(self, |transaction| self.number(transaction, partner, checked))
    }

    pub(super) async fn run_unit<'a>(
        &self,
        shared: BatchContext<'_>,
        planned: PlannedTransaction<'a>,
    ) -> (RemainingSteps, Result<TransactionOutcome, Error>) {
        let result = self.try_unit(shared, &planned).await;
        (planned.remaining, result)
    }

    async fn try_unit(
        &self,
        shared: BatchContext<'_>,
        planned: &PlannedTransaction<'_>,
    ) -> Result<TransactionOutcome, Error> {
        transact!(self, |transaction| steps::planned(transaction, shared, planned))
    }

    /// The version a batch made, or the newest one when it changed nothing.
    pub(super) async fn version_after(&self, partner: &PartnerRow, stored: &StoredBatch) -> Result<i64, Error> {
        match stored.version {
            Some(version) => Ok(version),
            None => {
                Ok(PartnerRow::find(self.database.reader(), &partner.id).await?.map_or(0, |partner| partner.version))
            }
        }
    }

    async fn answer(
        &self,
        partner: &PartnerRow,
        batch_id: &str,
        checked: CheckedBatch,
        stored: StoredBatch,
    ) -> Result<IngestBatchResponse, Error> {
        if !checked.rejected.is_empty() {
            let (rejected, now) = (&checked.rejected, checked.now);
            transact!(self, |transaction| quarantine::keep(transaction, partner, batch_id, rejected, now))?;
        }
        let version = self.version_after(partner, &stored).await?;
        let response = response(version, &checked.rejected, stored.counts);
        tracing::debug!(
            partner = partner.id,
            version,
            accepted = response.accepted,
            duplicates = response.duplicates,
            rejected = response.rejected,
            waiting = response.waiting,
            "batch stored"
        );
        if batch_id.is_empty() {
            return Ok(response);
        }
        let answer = batch::complete(self.database.writer(), partner, batch_id, response).await;
        fail_point::hit("ingestion.answer_kept");
        answer
    }
}

pub(super) fn response(version: i64, rejected: &[Rejected], counts: RecordCounts) -> IngestBatchResponse {
    let rejections = rejected.iter().take(MOST_REJECTIONS);
    IngestBatchResponse {
        version,
        accepted: counts.accepted,
        duplicates: counts.duplicates,
        rejected: i64::try_from(rejected.len()).unwrap_or(i64::MAX),
        waiting: counts.waiting,
        rejections: rejections
            .map(|rejected| Rejection {
                index: rejected.index,
                field: rejected.field.clone(),
                reason: rejected.reason.clone(),
            })
            .collect(),
    }
}
