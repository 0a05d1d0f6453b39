//! Recomputes everything from facts and compares with rollups and cube: incremental must equal full.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::Stream;
use insights_domain::calendar::{Day, Month};
use insights_domain::facts::Catalogue;
use insights_domain::rollup::{MonthRollup, history_floor};
use insights_proto::ingestion::v1::StreamFactsRequest;
use insights_proto::metrics::v1::VerifyResponse;
use insights_service::{Error, forward};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::Api;
use crate::cubes::Root;
use crate::follower::{ApplyError, GatheredCustomer, PartnerNumbers, next_customer, partner_model, rolled_months};
use crate::rollups::month_encoding::read_month;
use crate::rollups::{CellCustomer, MonthRows, RollupError, Store, write_customer};

/// Differences told in words.
const SAMPLES: usize = 100;
/// How often what differs is looked at again while the facts go on changing.
const ROUNDS: usize = 5;
/// How long the figures may take to reach the facts.
const PATIENCE: Duration = Duration::from_secs(60);
/// Messages the caller may be behind.
const BUFFER: usize = 16;

/// Verifies a partner, telling how far it is.
pub fn stream(api: Api, partner: String) -> impl Stream<Item = Result<VerifyResponse, Status>> + Send {
    let (sender, receiver) = mpsc::channel(BUFFER);
    tokio::spawn(async move {
        let mut verification =
            Verification { api, partner, sender: sender.clone(), progress: VerifyResponse::default() };
        let last = match verification.run().await {
            Ok(()) => Ok(VerifyResponse { done: true, ..verification.progress }),
            Err(VerifyError::CallerGone) => return,
            Err(VerifyError::Service(error)) => Err(error.into()),
            Err(VerifyError::Apply(ApplyError::Store(error))) => Err(Error::from(error).into()),
            Err(VerifyError::Apply(ApplyError::Feed(status))) => Err(forward(*status)),
            Err(VerifyError::Apply(error)) => Err(Error::internal(error).into()),
        };
        // The caller may be gone.
        let _ = sender.send(last).await;
    });
    ReceiverStream::new(receiver)
}

enum VerifyError {
    CallerGone,
    Service(Error),
    Apply(ApplyError),
}

impl From<ApplyError> for VerifyError {
    fn from(error: ApplyError) -> Self {
        Self::Apply(error)
    }
}

impl From<RollupError> for VerifyError {
    fn from(error: RollupError) -> Self {
        Self::Apply(error.into())
    }
}

impl From<Status> for VerifyError {
    fn from(status: Status) -> Self {
        Self::Apply(status.into())
    }
}

struct Verification {
    api: Api,
    partner: String,
    sender: mpsc::Sender<Result<VerifyResponse, Status>>,
    progress: VerifyResponse,
}

/// What is compared with.
struct Stand {
    root: Arc<Root>,
    catalogue: Arc<Catalogue>,
    numbers: PartnerNumbers,
    complete_through: Day,
}

/// What differs of one customer; nothing: it is as it should be.
type Differences = BTreeMap<CellCustomer, Vec<String>>;

impl Verification {
    async fn run(&mut self) -> Result<(), VerifyError> {
        let stand = self.stand().await?;
        if stand.root.partner_no == 0 {
            return Ok(());
        }
        self.progress.total_customers = i64::try_from(stand.root.cube.customer_count()).unwrap_or(i64::MAX);
        let mut seen = BTreeSet::new();
        let mut suspects = self.compare(&stand, Vec::new(), Some(&mut seen)).await?;
        for key in self.stored(&stand).await? {
            if !seen.contains(&key) {
                suspects.insert(key, vec![format!("customer {}: stored, but there are no facts", key.customer)]);
            }
        }
        let mut before = stand.root.revision;
        for _ in 0..ROUNDS {
            if suspects.is_empty() {
                break;
            }
            let stand = self.stand().await?;
            if stand.root.revision == before {
                break;
            }
            before = stand.root.revision;
            let again: Vec<i64> = suspects.keys().map(|key| key.customer).collect();
            suspects = self.compare(&stand, again, None).await?;
        }
        let differences: Vec<String> = suspects.into_values().flatten().collect();
        self.progress.differences = i64::try_from(differences.len()).unwrap_or(i64::MAX);
        self.progress.samples = differences.into_iter().take(SAMPLES).collect();
        Ok(())
    }

    /// The figures, at least as new as the facts are now, and what is needed to compute them anew.
    async fn stand(&self) -> Result<Stand, VerifyError> {
        let head = self.api.feed.head(&self.partner).await?;
        let root = self
            .api
            .cubes
            .root_at(&self.partner, head, Instant::now() + PATIENCE)
            .await
            .map_err(VerifyError::Service)?;
        let model = match head {
            0 => crate::rollups::model::PartnerModel::default(),
            _ => partner_model(&self.api.feed.partner_facts(&self.partner, None).await?).map_err(ApplyError::from)?,
        };
        let complete_through = root.cube.partner().complete_through;
        Ok(Stand {
            root,
            catalogue: Arc::new(model.catalogue()),
            numbers: PartnerNumbers::of(&model),
            complete_through,
        })
    }

    async fn stored(&self, stand: &Stand) -> Result<Vec<CellCustomer>, VerifyError> {
        let reader = self.api.store.database().reader();
        Ok(Store::list_changed(reader, stand.root.partner_no, i64::MIN).await?)
    }

    /// Compares the named customers, or all.
    async fn compare(
        &mut self,
        stand: &Stand,
        customers: Vec<i64>,
        mut seen: Option<&mut BTreeSet<CellCustomer>>,
    ) -> Result<Differences, VerifyError> {
        let floor = history_floor(stand.complete_through.month());
        let request = StreamFactsRequest {
            partner: self.partner.clone(),
            customers,
            first_activity_month: floor.previous().index(),
            as_of: None,
        };
        let mut stream = self.api.feed.facts(request).await?;
        let mut differences = Differences::new();
        let mut group = Vec::new();
        loop {
            let next = next_customer(&mut stream, &stand.numbers).await?;
            let ended = next.is_none();
            group.extend(next);
            if ended || group.len() >= self.api.customers_per_group.max(1) {
                if let Some(seen) = seen.as_deref_mut() {
                    seen.extend(group.iter().map(|customer| customer.key));
                    self.progress.customers += i64::try_from(group.len()).unwrap_or_default();
                }
                differences.extend(self.compare_group(stand, std::mem::take(&mut group), floor).await?);
                let found: usize = differences.values().map(Vec::len).sum();
                let progress =
                    VerifyResponse { differences: i64::try_from(found).unwrap_or(i64::MAX), ..self.progress.clone() };
                self.sender.send(Ok(progress)).await.map_err(|_| VerifyError::CallerGone)?;
            }
            if ended {
                return Ok(differences);
            }
        }
    }

    async fn compare_group(
        &mut self,
        stand: &Stand,
        group: Vec<GatheredCustomer>,
        floor: Month,
    ) -> Result<Differences, VerifyError> {
        let keys: Vec<CellCustomer> = group.iter().map(|customer| customer.key).collect();
        let reader = self.api.store.database().reader();
        let partner_no = stand.root.partner_no;
        let headers = Store::headers(reader, partner_no, &keys).await?;
        let months = Store::months(reader, partner_no, &keys, floor.index()).await?;
        let (catalogue, complete_through, root) = (stand.catalogue.clone(), stand.complete_through, stand.root.clone());
        let work = move || {
            let stored = Stored { headers, months };
            let mut compared = 0;
            let mut differences = Differences::new();
            for customer in &group {
                let expected = rolled_months(customer, &catalogue, complete_through, floor);
                compared += expected.len();
                let found = stored.differences(customer, &expected, &root)?;
                if !found.is_empty() {
                    differences.insert(customer.key, found);
                }
            }
            Ok::<_, RollupError>((compared, differences))
        };
        let (compared, differences) = tokio::task::spawn_blocking(work).await.map_err(ApplyError::from)??;
        self.progress.compared += i64::try_from(compared).unwrap_or_default();
        Ok(differences)
    }
}

/// What is stored of a group.
struct Stored {
    headers: BTreeMap<CellCustomer, Vec<u8>>,
    months: BTreeMap<CellCustomer, MonthRows>,
}

impl Stored {
    fn differences(
        &self,
        customer: &GatheredCustomer,
        expected: &MonthRows,
        root: &Root,
    ) -> Result<Vec<String>, RollupError> {
        let (key, id) = (customer.key, &customer.stored.header.id);
        let mut found = Vec::new();
        if !customer.facts.known {
            return Ok(found);
        }
        if self.headers.get(&key).is_none_or(|stored| *stored != write_customer(&customer.stored)) {
            found.push(format!("customer {id}: what is stored of it differs from the facts"));
        }
        let nothing = MonthRows::new();
        let stored = self.months.get(&key).unwrap_or(&nothing);
        let shown = root.cube.customer_months(key.cell, key.customer).unwrap_or_default();
        let shown: BTreeMap<i32, MonthRollup> =
            shown.into_iter().map(|(month, rollup)| (month.index(), rollup)).collect();
        let months: BTreeSet<i32> = expected.keys().chain(stored.keys()).chain(shown.keys()).copied().collect();
        for index in months {
            let month = Month::from_index(index).map(|month| month.to_string()).unwrap_or_default();
            let wanted = expected.get(&index);
            if stored.get(&index) != wanted {
                found.push(format!("customer {id}, month {month}: the stored rollup differs from the facts"));
            }
            let wanted = wanted.map(|body| read_month(body)).transpose()?;
            if shown.get(&index) != wanted.as_ref() {
                found.push(format!("customer {id}, month {month}: the figures in memory differ from the facts"));
            }
        }
        Ok(found)
    }
}
