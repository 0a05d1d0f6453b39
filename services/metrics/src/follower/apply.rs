//! One application of changes: facts in, rollups and position out, in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use insights_domain::calendar::{Day, Month};
use insights_domain::facts::Catalogue;
use insights_domain::rollup::history_floor;
use insights_proto::ingestion::v1::{StreamFactsRequest, StreamFactsResponse};
use insights_service::{Clock, fail_point};
use tokio::task::{JoinHandle, spawn_blocking};
use tonic::{Status, Streaming};

use super::facts::{FactsError, GatheredCustomer, Gatherer, PartnerNumbers, partner_model};
use super::group::{RolledUpGroup, write_group};
use super::pending::{ChangesToApply, Pending};
use super::touched::{PartnerChanges, carried_since};
use crate::feed::{Feed, PATIENCE};
use crate::rollups::model::PartnerModel;
use crate::rollups::month_encoding::BodyError;
use crate::rollups::{Application, Applied, CellCustomer, RollupError, RollupPartner, RollupPosition, Store};

/// Why changes could not be applied; trying again may help.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The feed did not answer.
    #[error("the feed answered {0}")]
    Feed(Box<Status>),
    /// The feed's facts contradict its contract.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// The rollups cannot be read or written.
    #[error(transparent)]
    Store(#[from] RollupError),
    /// The stream of facts ended in the middle of a customer.
    #[error("the feed stopped in the middle of a customer")]
    CutOff,
    /// A task of this service panicked or was cancelled.
    #[error("rolling up stopped: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// A fault put there by a test.
    #[error("stopped {0:?}")]
    Injected(Step),
}

impl From<Status> for ApplyError {
    fn from(status: Status) -> Self {
        Self::Feed(Box::new(status))
    }
}

impl From<BodyError> for ApplyError {
    fn from(error: BodyError) -> Self {
        Self::Store(error.into())
    }
}

/// A step of an application, after which a test may stop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The position is taken, nothing else is written.
    PositionTaken,
    /// Rollups are written, nothing is committed.
    RollupsWritten,
    /// All is committed, and the cubes are not told yet.
    Committed,
}

/// What became of an application.
#[derive(Debug)]
pub enum ApplyOutcome {
    /// There was nothing to do.
    Nothing,
    /// It is committed.
    Applied(Applied),
    /// Another replica moved the position first.
    Lost,
    /// The changes do not follow on what is stored: ask the feed from there.
    Gap,
}

/// Applies changes of any partner.
#[derive(Clone)]
pub struct Applier {
    /// The rollups.
    pub store: Store,
    /// The feed.
    pub feed: Feed,
    /// What day it is.
    pub clock: Clock,
    /// Customers rolled up at a time.
    pub customers_per_group: usize,
    /// The database it writes to, which is the scope of its fail points.
    pub database_url: String,
}

/// What has to be rolled up again.
pub struct ApplicationPlan {
    /// What is known then.
    pub to: RollupPosition,
    /// All customers from this month on.
    pub everybody: Option<Month>,
    /// These from a month of their own on.
    pub customers: BTreeMap<i64, Month>,
    /// Those whom the feed names: who has no facts any more was erased.
    pub named: BTreeSet<i64>,
}

impl Applier {
    /// Applies what is pending, and what the clock or another replica's failure left to do.
    pub async fn apply(&self, partner: &str, pending: &Pending) -> Result<ApplyOutcome, ApplyError> {
        let row = self.store.enter_partner(partner).await?;
        let changes = pending
            .changes
            .as_ref()
            .filter(|changes| changes.rebuild || changes.epoch != row.epoch || changes.last_version > row.version);
        if let Some(changes) = changes
            && !follows(changes, &row)
        {
            return Ok(ApplyOutcome::Gap);
        }
        if changes.is_none() && row.complete_through == Some(row.model.complete_through_at(self.clock.now())) {
            return Ok(ApplyOutcome::Nothing);
        }
        if changes.is_none() && row.version == 0 {
            return Ok(ApplyOutcome::Nothing);
        }
        let facts = self.feed.partner_facts(partner, None).await?;
        if changes.map_or(row.epoch, |changes| changes.epoch) != facts.epoch {
            return Ok(ApplyOutcome::Gap);
        }
        let plan = self.plan(&row, changes, partner_model(&facts)?).await?;
        fail_point::hit("metrics.planned");
        let Some(application) = Application::begin(&self.store, &row, &plan.to).await? else {
            return Ok(ApplyOutcome::Lost);
        };
        self.stop(Step::PositionTaken)?;
        let customers = self.roll_up(partner, &application, &plan).await?;
        self.stop(Step::RollupsWritten)?;
        let revision = application.revision();
        application.commit().await?;
        self.stop(Step::Committed)?;
        Ok(ApplyOutcome::Applied(Applied { revision, customers }))
    }

    /// The fail point after a step.
    fn stop(&self, step: Step) -> Result<(), ApplyError> {
        let point = match step {
            Step::PositionTaken => "metrics.position_taken",
            Step::RollupsWritten => "metrics.rollups_written",
            Step::Committed => "metrics.committed",
        };
        fail_point::hit(point);
        if fail_point::fails(point, &self.database_url) { Err(ApplyError::Injected(step)) } else { Ok(()) }
    }

    /// Who is rolled up again, from which month on, when this changes what is stored.
    pub async fn plan(
        &self,
        row: &RollupPartner,
        changes: Option<&ChangesToApply>,
        model: PartnerModel,
    ) -> Result<ApplicationPlan, ApplyError> {
        let complete_through = model.complete_through_at(self.clock.now());
        let floor = history_floor(complete_through.month());
        let rebuild = changes.is_some_and(|changes| changes.rebuild) || row.complete_through.is_none();
        let everybody = match row.complete_through {
            _ if rebuild => Some(floor),
            // History reaches back further than what was ever rolled up.
            Some(before) if floor < history_floor(before.month()) => Some(floor),
            // Its own month may end on another day now, later months may begin or end.
            Some(before) if before != complete_through => Some(before.min(complete_through).month().max(floor)),
            _ => None,
        };
        let mut customers = BTreeMap::new();
        if !rebuild {
            for (customer, month) in changes.iter().flat_map(|changes| &changes.customers) {
                customers.insert(*customer, Month::from_index(*month).unwrap_or(floor).max(floor));
            }
            let touched = partner_changes(&row.model, &model).customers(&self.store, row.number, floor).await?;
            for (customer, month) in touched {
                customers.entry(customer).and_modify(|first: &mut Month| *first = month.min(*first)).or_insert(month);
            }
        }
        if let Some(from) = everybody {
            customers.retain(|_, month| *month < from);
        }
        let version = changes.map_or(row.version, |changes| changes.last_version);
        let epoch = changes.map_or(row.epoch, |changes| changes.epoch);
        let stamp = changes.map_or(row.stamp, |changes| changes.stamp);
        Ok(ApplicationPlan {
            to: RollupPosition { epoch, version, stamp, complete_through, model, rebuild },
            everybody,
            customers,
            named: changes.iter().flat_map(|changes| changes.customers.keys().copied()).collect(),
        })
    }

    async fn roll_up(
        &self,
        partner: &str,
        application: &Application,
        plan: &ApplicationPlan,
    ) -> Result<BTreeMap<CellCustomer, i32>, ApplyError> {
        let numbers = PartnerNumbers::of(&plan.to.model);
        let catalogue = Arc::new(plan.to.model.catalogue());
        let work = RollUpWork { application, numbers: &numbers, catalogue, complete_through: plan.to.complete_through };
        let floor = history_floor(work.complete_through.month());
        let mut changed = BTreeMap::new();
        let mut gone = plan.named.clone();
        // Customers that go back equally far stand together, so that few ask for much activity.
        let mut customers: Vec<(Month, i64)> =
            plan.customers.iter().map(|(customer, month)| (*month, *customer)).collect();
        customers.sort_unstable();
        while !customers.is_empty() {
            // Customers that turn out to go back further than the activity that was asked for come again.
            let mut again = Vec::new();
            for group in customers.chunks(self.customers_per_group.max(1)) {
                let from: BTreeMap<i64, Month> = group.iter().map(|(month, customer)| (*customer, *month)).collect();
                let first = group.first().map_or(work.complete_through.month(), |(month, _)| *month);
                let stream = self.facts(partner, group.iter().map(|(_, customer)| *customer).collect(), first).await?;
                let from = |customer: &GatheredCustomer| {
                    gone.remove(&customer.key.customer);
                    let from = from.get(&customer.key.customer).copied().unwrap_or(first);
                    let since = carried_since(&customer.stored, from).max(floor);
                    if since < first {
                        again.push((since, customer.key.customer));
                    }
                    (since >= first).then_some(since)
                };
                self.take(stream, &work, from, &mut changed).await?;
            }
            again.sort_unstable();
            customers = again;
        }
        if let Some(first) = plan.everybody {
            let stream = self.facts(partner, Vec::new(), first).await?;
            let from = |customer: &GatheredCustomer| {
                gone.remove(&customer.key.customer);
                (!plan.customers.contains_key(&customer.key.customer)).then_some(first)
            };
            self.take(stream, &work, from, &mut changed).await?;
        }
        if fail_point::guard_holds("metrics.erased") {
            application.remove_customers(&gone).await?;
        }
        Ok(changed)
    }

    /// The facts of customers. The window of a month's first day reaches into the month before.
    pub async fn facts(
        &self,
        partner: &str,
        customers: Vec<i64>,
        first: Month,
    ) -> Result<Streaming<StreamFactsResponse>, ApplyError> {
        let first_activity_month = first.previous().index();
        let partner = partner.to_owned();
        Ok(self.feed.facts(StreamFactsRequest { partner, customers, first_activity_month, as_of: None }).await?)
    }

    /// Rolls up the customers of a stream, a group at a time, each from the month that `from` says, or not at all. While
    /// one group is written the next is rolled up and the one after that comes in.
    async fn take(
        &self,
        mut stream: Streaming<StreamFactsResponse>,
        work: &RollUpWork<'_>,
        mut from: impl FnMut(&GatheredCustomer) -> Option<Month>,
        changed: &mut BTreeMap<CellCustomer, i32>,
    ) -> Result<(), ApplyError> {
        let size = self.customers_per_group.max(1);
        let mut group: Vec<(GatheredCustomer, Month)> = Vec::with_capacity(size);
        let mut rolling: Option<JoinHandle<RolledUpGroup>> = None;
        while let Some(customer) = next_customer(&mut stream, work.numbers).await? {
            group.extend(from(&customer).map(|month| (customer, month)));
            if group.len() >= size {
                let before = rolling.replace(work.roll_up(std::mem::take(&mut group)));
                work.write(before, changed).await?;
            }
        }
        work.write(rolling, changed).await?;
        work.write(Some(work.roll_up(group)), changed).await
    }
}

/// What is the same for all groups of an application.
struct RollUpWork<'a> {
    application: &'a Application,
    numbers: &'a PartnerNumbers,
    catalogue: Arc<Catalogue>,
    complete_through: Day,
}

impl RollUpWork<'_> {
    fn roll_up(&self, customers: Vec<(GatheredCustomer, Month)>) -> JoinHandle<RolledUpGroup> {
        let (catalogue, complete_through) = (self.catalogue.clone(), self.complete_through);
        spawn_blocking(move || RolledUpGroup::roll_up(&customers, &catalogue, complete_through))
    }

    async fn write(
        &self,
        group: Option<JoinHandle<RolledUpGroup>>,
        changed: &mut BTreeMap<CellCustomer, i32>,
    ) -> Result<(), ApplyError> {
        if let Some(group) = group {
            changed.extend(write_group(self.application, group.await?).await?);
        }
        Ok(())
    }
}

/// What changed of the partner as a whole that figures of customers rest on.
fn partner_changes(before: &PartnerModel, after: &PartnerModel) -> PartnerChanges {
    let (old, new) = (before.catalogue().services, after.catalogue().services);
    let skus = old.keys().chain(new.keys()).copied().filter(|sku| old.get(sku) != new.get(sku));
    PartnerChanges { skus: skus.collect(), carried: after.coverage.changes(&before.coverage) }
}

/// Whether the changes can be applied on what is stored.
const fn follows(changes: &ChangesToApply, row: &RollupPartner) -> bool {
    let same_epoch = changes.epoch == row.epoch || row.version == 0;
    changes.rebuild || (same_epoch && changes.first_version <= row.version + 1)
}

/// Parts of customers' facts, each customer's one after the other.
pub trait FactParts {
    /// The next part; none: there are no more customers.
    fn next_part(&mut self) -> impl Future<Output = Result<Option<StreamFactsResponse>, Status>> + Send;
}

impl FactParts for Streaming<StreamFactsResponse> {
    async fn next_part(&mut self) -> Result<Option<StreamFactsResponse>, Status> {
        self.message().await
    }
}

/// Gathers the parts of the next customer of a stream.
pub async fn next_customer(
    stream: &mut impl FactParts,
    numbers: &PartnerNumbers,
) -> Result<Option<GatheredCustomer>, ApplyError> {
    let Some(mut part) = next_part(stream).await? else { return Ok(None) };
    let mut gatherer = Gatherer::new(numbers, &part);
    loop {
        let last = part.last;
        gatherer.add(part)?;
        if last {
            return Ok(Some(gatherer.finish()?));
        }
        part = next_part(stream).await?.ok_or(ApplyError::CutOff)?;
    }
}

async fn next_part(stream: &mut impl FactParts) -> Result<Option<StreamFactsResponse>, ApplyError> {
    let silent = |_| Status::deadline_exceeded("the feed is silent");
    Ok(tokio::time::timeout(PATIENCE, stream.next_part()).await.map_err(silent)??)
}
