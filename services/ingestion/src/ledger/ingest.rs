//! A batch on its way: checked, numbered, cut into transactions, answered after the last commit.

use std::str::FromStr;

use chrono_tz::Tz;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use insights_database::Transaction;
use insights_domain::calendar::Day;
use insights_proto::ingestion::v1::{IngestBatchRequest, IngestBatchResponse, Record, Rejection, record};

use super::{
    Error, Ledger,
    apply::{self, Outcome, Shared},
    batches,
    numbers::{self, Numbers, Wanted},
    partner::{Changes, Partner, publish},
    plan::{Item, Todo, Unit, units, wanted},
    quarantine::{self, Rejected},
    work::Tally,
};
use crate::api::parse::{self, Activity, Context, Violation};

/// Most rejections in one answer; the quarantine holds the rest.
const MOST_REJECTIONS: usize = 1_000;

/// How often a transaction that lost against another is tried again. Each loss is somebody else's progress.
const TRIES: usize = 30;

/// A batch whose records are checked.
pub(super) struct Checked {
    pub items: Vec<Item>,
    pub activity: Activity,
    pub rejected: Vec<Rejected>,
    wanted: Wanted,
    now: i64,
}

/// What became of the good records.
#[derive(Debug, Default)]
pub(super) struct Stored {
    tally: Tally,
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
                Ok(result) => held.commit().await.map(|()| result).map_err(Error::from),
                Err(error) => {
                    held.rollback().await?;
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
        self.check_limits(&request)?;
        if request.validate_only {
            return self.rehearse(partner, request).await;
        }
        let partner = self.enter(partner).await?;
        let batch_id = request.batch_id.clone();
        let digest = (!batch_id.is_empty()).then(|| batches::digest(&request));
        // Checked first: a request that cannot be taken at all leaves its id free.
        let checked = self.check(&partner, request.records, request.activity, false)?;
        if let Some(digest) = digest
            && let Some(answer) =
                batches::reserve(self.database.writer(), &partner, &batch_id, &digest, checked.now).await?
        {
            return Ok(answer);
        }
        let stored = self.store(&partner, &checked).await?;
        self.answer(&partner, &batch_id, checked, stored).await
    }

    fn check_limits(&self, request: &IngestBatchRequest) -> Result<(), Error> {
        let limits = &self.limits;
        let mut violations = Vec::new();
        let mut at_most = |field: &str, count: usize, limit: usize, what: &str| {
            if count > limit {
                let reason = format!("must have at most {limit} {what}, not {count}");
                violations.push(Violation { field: field.to_owned(), reason });
            }
        };
        at_most("batch_id", request.batch_id.chars().count(), 128, "characters");
        at_most("records", request.records.len(), limits.records_per_batch, "records");
        if let Some(activity) = &request.activity {
            at_most("activity.customer", activity.customer.len(), limits.activity_per_batch, "facts");
            at_most("activity.customers", activity.customers.len(), limits.activity_per_batch, "entries");
            at_most("activity.users", activity.users.len(), limits.activity_per_batch, "entries");
            at_most("activity.services", activity.services.len(), limits.services_per_batch, "entries");
        }
        if request.batch_id.chars().any(char::is_control) {
            let reason = "must not contain control characters".to_owned();
            violations.push(Violation { field: "batch_id".to_owned(), reason });
        }
        if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
    }

    /// The partner's row, made on its first batch.
    async fn enter(&self, id: &str) -> Result<Partner, Error> {
        if let Some(partner) = Partner::find(self.database.reader(), id).await? {
            return Ok(partner);
        }
        let now = self.receive(0);
        transact!(self, |transaction| Partner::create(transaction, id, now))
    }

    pub(super) fn check(
        &self,
        partner: &Partner,
        records: Vec<Record>,
        activity: Option<insights_proto::ingestion::v1::ActivityColumns>,
        hashed: bool,
    ) -> Result<Checked, Error> {
        let users = self.user_key.of_partner(&partner.id);
        let context = Context { today: self.today(partner, &records), users: &users, users_are_hashed: hashed };
        let now = self.receive(records.len());
        let count = records.len();
        let (mut items, mut rejected) = (Vec::with_capacity(count), Vec::new());
        for ((position, record), received) in records.into_iter().enumerate().zip(now..) {
            match parse::record(record.clone(), &context) {
                Ok((recorded, what)) => {
                    items.push(Item { recorded: recorded.unwrap_or(received), received, what });
                }
                Err(violations) => rejected.push(Rejected::record(position, record, &violations, &users, hashed)),
            }
        }
        let activity = match activity {
            Some(columns) => parse::columns(columns, &context).map_err(Error::Invalid)?,
            None => Activity::default(),
        };
        rejected.extend(activity.wrong.iter().map(|fact| Rejected::activity(count, fact)));
        let wanted = wanted(&items, &activity);
        Ok(Checked { items, activity, rejected, wanted, now })
    }

    /// Today where the partner is: a time zone that comes with a batch holds for the batch.
    fn today(&self, partner: &Partner, records: &[Record]) -> Day {
        let zone = records.iter().rev().find_map(|record| match &record.kind {
            Some(record::Kind::Partner(settings)) => Some(settings.time_zone.as_deref().unwrap_or("UTC")),
            _ => None,
        });
        match zone.map(|zone| Tz::from_str(zone.trim())) {
            Some(Ok(zone)) => Day::of_instant(self.now(), zone),
            _ => partner.today(self.now()),
        }
    }

    pub(super) fn shared<'a>(&'a self, partner: &'a Partner, checked: &'a Checked, numbers: &'a Numbers) -> Shared<'a> {
        Shared { partner, users: &self.users, activity: &checked.activity, numbers, now: checked.now, lock: self.lock }
    }

    /// Does all of a batch in one transaction and leaves the ending to the caller.
    async fn do_together(
        &self,
        transaction: &Transaction,
        partner: &Partner,
        checked: &Checked,
    ) -> Result<(Stored, Numbers, Vec<Outcome>), Error> {
        let numbers = self.number(transaction, partner, checked).await?;
        let shared = self.shared(partner, checked, &numbers);
        let mut stored = Stored::default();
        let mut outcomes = vec![apply::of_partner(transaction, shared, &checked.items).await?];
        let arrivals = apply::waiting_for_skus(transaction, partner, &checked.items).await?;
        let todo = Todo::new(&checked.items, &checked.activity, &numbers, arrivals);
        for unit in units(&checked.items, &checked.activity, &numbers, todo, usize::MAX) {
            outcomes.push(apply::unit(transaction, shared, &unit).await?);
        }
        for outcome in &outcomes {
            stored.add(outcome);
        }
        Ok((stored, numbers, outcomes))
    }

    /// Gives numbers to everything the batch names, inside its transaction.
    async fn number(&self, transaction: &Transaction, partner: &Partner, checked: &Checked) -> Result<Numbers, Error> {
        let (numbers, complete) = numbers::find(transaction, &self.numbers, partner, &checked.wanted).await?;
        if complete {
            return Ok(numbers);
        }
        let (numbers, catalogue_grew) = numbers::give(transaction, partner, &checked.wanted).await?;
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
        let outcome = transact!(self, |transaction| apply::of_partner(transaction, shared, &checked.items))?;
        stored.add(&outcome);
        let arrivals = apply::waiting_for_skus(self.database.reader(), partner, &checked.items).await?;
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
            numbers::find(self.database.reader(), &self.numbers, partner, &checked.wanted).await?;
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
        transact!(self, |transaction| apply::unit(transaction, shared, unit))
    }

    /// Does everything and takes it back: the answer is what a real run would give.
    async fn rehearse(&self, id: &str, request: IngestBatchRequest) -> Result<IngestBatchResponse, Error> {
        let mut tries = 0;
        let (records, activity) = (request.records, request.activity);
        loop {
            tries += 1;
            let transaction = self.database.begin().await?;
            let result = self.rehearse_in(&transaction, id, records.clone(), activity.clone()).await;
            transaction.rollback().await?;
            match result {
                Err(error) if error.is_passing() && tries < TRIES => {}
                result => return result,
            }
        }
    }

    async fn rehearse_in(
        &self,
        transaction: &Transaction,
        id: &str,
        records: Vec<Record>,
        activity: Option<insights_proto::ingestion::v1::ActivityColumns>,
    ) -> Result<IngestBatchResponse, Error> {
        let partner = match Partner::find(transaction, id).await? {
            Some(partner) => partner,
            None => Partner::create(transaction, id, self.receive(0)).await?,
        };
        let checked = self.check(&partner, records, activity, false)?;
        let (stored, _, _) = self.do_together(transaction, &partner, &checked).await?;
        Ok(response(partner.version, &checked.rejected, stored.tally))
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
        batches::complete(self.database.writer(), partner, batch_id, response).await
    }
}

fn response(version: i64, rejected: &[Rejected], tally: Tally) -> IngestBatchResponse {
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
