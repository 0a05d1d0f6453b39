//! A checked batch on its way: numbered, cut into transactions, answered after the last commit.

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use insights_database::Transaction;
use insights_proto::ingestion::v1::{IngestBatchRequest, IngestBatchResponse, Rejection};
use insights_service::drill;

use super::{
    Ledger,
    plan::{Item, Todo, Unit, units},
    prepare::{Checked, Prepared, Ready},
    steps::{self, Outcome, Shared},
    surrogate_ids,
    transaction::{Changes, Tally, publish},
};
use crate::{
    error::Error,
    ids::Numbers,
    tables::{
        batch::{self, Reserved},
        partner::Partner,
        quarantine::{self, Rejected},
    },
};

/// Most rejections in one answer; the quarantine holds the rest.
const MOST_REJECTIONS: usize = 1_000;

/// How often a transaction that lost against another is tried again. Each loss is somebody else's progress.
pub(super) const TRIES: usize = 30;

/// What became of the good records.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub tally: Tally,
    pub version: Option<i64>,
}

impl Stored {
    fn add(&mut self, outcome: &Outcome) {
        self.tally += outcome.tally;
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
                    drill::point("ingestion.before_commit");
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
    pub(crate) async fn finish(&self, ready: Ready) -> Result<IngestBatchResponse, Error> {
        let Prepared { partner, batch_id, digest, mut checked } = match ready {
            Ready::Batch(prepared) => *prepared,
            Ready::Rehearsal { partner, request } => return self.rehearse(&partner, *request).await,
        };
        let _passing = self.rush.pass(checked.activity.columns.day.len());
        if let Some(digest) = digest
            && drill::guarded("ingestion.batch_id")
        {
            match batch::reserve(self.database.writer(), &partner, &batch_id, &digest, checked.now).await? {
                Reserved::Answered(answer) => return Ok(answer),
                Reserved::Received(first) => checked.received(first),
            }
        }
        let stored = self.store(&partner, &checked).await?;
        drill::point("ingestion.before_answer");
        self.answer(&partner, &batch_id, checked, stored).await
    }

    /// The partner's row, made on its first batch.
    pub(super) async fn enter(&self, id: &str) -> Result<Partner, Error> {
        if let Some(partner) = Partner::find(self.database.reader(), id).await? {
            return Ok(partner);
        }
        let now = self.receive(0);
        transact!(self, |transaction| Partner::create(transaction, id, now))
    }

    pub(super) fn shared<'a>(&'a self, partner: &'a Partner, checked: &'a Checked, numbers: &'a Numbers) -> Shared<'a> {
        Shared { partner, users: &self.users, activity: &checked.activity, numbers, now: checked.now, lock: self.lock }
    }

    /// Does all of a batch in one transaction and leaves the ending to the caller.
    pub(super) async fn do_together(
        &self,
        transaction: &Transaction,
        partner: &Partner,
        checked: &Checked,
    ) -> Result<(Stored, Numbers, Vec<Outcome>), Error> {
        let numbers = self.number(transaction, partner, checked).await?;
        let shared = self.shared(partner, checked, &numbers);
        let mut stored = Stored::default();
        let mut outcomes = vec![steps::of_partner(transaction, shared, &checked.items).await?];
        let arrivals = steps::waiting_for_skus(transaction, partner, &checked.items).await?;
        let todo = Todo::new(&checked.items, &checked.activity, &numbers, arrivals);
        for unit in units(&checked.items, &checked.activity, &numbers, todo, usize::MAX) {
            outcomes.push(steps::unit(transaction, shared, &unit).await?);
        }
        for outcome in &outcomes {
            stored.add(outcome);
        }
        Ok((stored, numbers, outcomes))
    }

    /// Gives numbers to everything the batch names, inside its transaction.
    async fn number(&self, transaction: &Transaction, partner: &Partner, checked: &Checked) -> Result<Numbers, Error> {
        let (numbers, complete) = surrogate_ids::find(transaction, &self.numbers, partner, &checked.wanted).await?;
        if complete {
            return Ok(numbers);
        }
        let (numbers, catalogue_grew) = surrogate_ids::give(transaction, partner, &checked.wanted).await?;
        if catalogue_grew {
            let mut changes = Changes::default();
            changes.everybody();
            publish(transaction, partner, changes, checked.now).await?;
        }
        Ok(numbers)
    }

    fn made_known(&self, partner: &Partner, numbers: &Numbers, outcomes: &[Outcome]) {
        self.numbers.remember(partner, numbers);
        for outcome in outcomes {
            self.users.remember(partner.no, &outcome.numbered);
        }
        self.tell();
    }

    /// Stores the good records of a batch. All is committed when this returns.
    pub(super) async fn store(&self, partner: &Partner, checked: &Checked) -> Result<Stored, Error> {
        if self.together() {
            self.store_together(partner, checked).await
        } else {
            self.store_by_cell(partner, checked).await
        }
    }

    async fn store_together(&self, partner: &Partner, checked: &Checked) -> Result<Stored, Error> {
        let (stored, numbers, outcomes) =
            transact!(self, |transaction| self.do_together(transaction, partner, checked))?;
        self.made_known(partner, &numbers, &outcomes);
        Ok(stored)
    }

    async fn store_by_cell(&self, partner: &Partner, checked: &Checked) -> Result<Stored, Error> {
        let mut stored = Stored::default();
        let mut numbers = self.numbers_by_cell(partner, checked).await?;
        let shared = self.shared(partner, checked, &numbers);
        if checked.items.iter().any(Item::is_of_partner) {
            let outcome = transact!(self, |transaction| steps::of_partner(transaction, shared, &checked.items))?;
            stored.add(&outcome);
        }
        let arrivals = steps::waiting_for_skus(self.database.reader(), partner, &checked.items).await?;
        let mut todo = Todo::new(&checked.items, &checked.activity, &numbers, arrivals);
        let mut tries = 0;
        while !todo.is_empty() {
            tries += 1;
            let planned = units(&checked.items, &checked.activity, &numbers, todo, self.limits.records_per_transaction);
            todo = Todo::default();
            let shared = self.shared(partner, checked, &numbers);
            let mut failure = None;
            let mut planned = planned.into_iter();
            let mut running: FuturesUnordered<BoxFuture<'_, (Todo, Result<Outcome, Error>)>> = FuturesUnordered::new();
            loop {
                while running.len() < self.limits.transactions_in_flight.max(1)
                    && let Some(unit) = planned.next()
                {
                    running.push(self.run_unit(shared, unit).boxed());
                }
                let Some((unit, result)) = running.next().await else { break };
                match result {
                    Ok(outcome) => {
                        stored.add(&outcome);
                        self.made_known(partner, &numbers, &[outcome]);
                    }
                    Err(Error::Moved) if tries < TRIES => todo.add(unit),
                    // The other cells go on: what they commit is not to be done again.
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
            drop(running);
            if let Some(error) = failure {
                return Err(error);
            }
            if !todo.is_empty() {
                numbers = self.numbers_by_cell(partner, checked).await?;
            }
        }
        self.tell();
        Ok(stored)
    }

    async fn numbers_by_cell(&self, partner: &Partner, checked: &Checked) -> Result<Numbers, Error> {
        let (numbers, complete) =
            surrogate_ids::find(self.database.reader(), &self.numbers, partner, &checked.wanted).await?;
        if complete {
            return Ok(numbers);
        }
        transact!(self, |transaction| self.number(transaction, partner, checked))
    }

    pub(super) async fn run_unit<'a>(&self, shared: Shared<'_>, unit: Unit<'a>) -> (Todo, Result<Outcome, Error>) {
        let result = self.try_unit(shared, &unit).await;
        (unit.todo, result)
    }

    async fn try_unit(&self, shared: Shared<'_>, unit: &Unit<'_>) -> Result<Outcome, Error> {
        transact!(self, |transaction| steps::unit(transaction, shared, unit))
    }

    /// The version a batch made, or the newest one when it changed nothing.
    pub(super) async fn version_after(&self, partner: &Partner, stored: &Stored) -> Result<i64, Error> {
        match stored.version {
            Some(version) => Ok(version),
            None => Ok(Partner::find(self.database.reader(), &partner.id).await?.map_or(0, |partner| partner.version)),
        }
    }

    async fn answer(
        &self,
        partner: &Partner,
        batch_id: &str,
        checked: Checked,
        stored: Stored,
    ) -> Result<IngestBatchResponse, Error> {
        if !checked.rejected.is_empty() {
            let (rejected, now) = (&checked.rejected, checked.now);
            transact!(self, |transaction| quarantine::keep(transaction, partner, batch_id, rejected, now))?;
        }
        let version = self.version_after(partner, &stored).await?;
        let response = response(version, &checked.rejected, stored.tally);
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
        drill::point("ingestion.answer_kept");
        answer
    }
}

pub(super) fn response(version: i64, rejected: &[Rejected], tally: Tally) -> IngestBatchResponse {
    let rejections = rejected.iter().take(MOST_REJECTIONS);
    IngestBatchResponse {
        version,
        accepted: tally.accepted,
        duplicates: tally.duplicates,
        rejected: i64::try_from(rejected.len()).unwrap_or(i64::MAX),
        waiting: tally.waiting,
        rejections: rejections
            .map(|rejected| Rejection {
                index: rejected.index,
                field: rejected.field.clone(),
                reason: rejected.reason.clone(),
            })
            .collect(),
    }
}
