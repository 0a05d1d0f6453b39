//! The cubes in memory: loaded on first use, renewed when rollups change, gone when idle.
//!
//! A replica learns of changes from the rollup tables, whichever replica made them. Of its own applications it is told at once,
//! so that its callers do not wait for the next poll.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use insights_database::Transaction;
use insights_domain::calendar::Month;
use insights_domain::rollup::{MonthRollup, history_floor};
use insights_service::{Clock, Error};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::cube::{Cube, CustomerUpdate};
use crate::rollups::header::PartnerHeader;
use crate::rollups::model::PartnerModel;
use crate::rollups::month_encoding::read_month;
use crate::rollups::{Applied, CellCustomer, MonthRows, RollupError, RollupPartner, Store, read_customer};

/// Longest wait for a notice of a new version before the revision is read again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Customers read at a time when a cube is loaded.
const PAGE: u64 = 1_024;

/// What one partner's answers come from: one version, always.
#[derive(Debug)]
pub struct Root {
    /// The figures.
    pub cube: Cube,
    /// Counts what was applied, by the feed or by the clock.
    pub revision: i64,
    /// The partner's number in the rollup tables; 0 before it has one.
    pub partner_no: i32,
}

impl Root {
    /// The version of the facts.
    pub fn version(&self) -> i64 {
        self.cube.partner().version
    }
}

/// One partner's cube.
struct CachedCube {
    root: ArcSwapOption<Root>,
    /// One renewal at a time.
    renewing: tokio::sync::Mutex<()>,
    /// The revision of `root`.
    revision: watch::Sender<i64>,
    used: Mutex<Instant>,
}

/// The cubes of all partners.
#[derive(Clone)]
pub struct Cubes {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Clock,
    poll: Duration,
    idle: Duration,
    most: usize,
    entries: Mutex<HashMap<String, Arc<CachedCube>>>,
}

impl Cubes {
    /// None loaded yet.
    pub fn new(store: Store, clock: Clock, config: &Config) -> Self {
        let inner = Inner {
            store,
            clock,
            poll: config.poll(),
            idle: config.idle(),
            most: config.cubes_in_memory.max(1),
            entries: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The partner's figures as they stand in memory, loaded first where they are not.
    pub async fn root(&self, partner: &str) -> Result<Arc<Root>, Error> {
        let entry = self.enter(partner);
        // Of a partner of which nothing was seen, something may have come, and today may have passed.
        if let Some(root) = entry.root.load_full().filter(|root| root.partner_no != 0) {
            return Ok(root);
        }
        self.renew(partner, &entry, None).await?;
        entry.root.load_full().ok_or_else(|| Error::unavailable("The figures are being loaded."))
    }

    /// The partner's figures at this version or a later one, waiting for it until `deadline`.
    pub async fn root_at(&self, partner: &str, version: i64, deadline: Instant) -> Result<Arc<Root>, Error> {
        let mut root = self.root(partner).await?;
        if root.version() >= version {
            return Ok(root);
        }
        loop {
            // Entered anew each time, for it may have made room for another meanwhile; and waiting is use.
            let entry = self.enter(partner);
            let mut revisions = entry.revision.subscribe();
            root = self.root(partner).await?;
            if root.version() >= version {
                return Ok(root);
            }
            let look = deadline.min(Instant::now() + LOOK_AGAIN);
            let _ = tokio::time::timeout_at(look.into(), revisions.changed()).await;
            if Instant::now() >= deadline {
                let message = format!(
                    "Version {version} was not reached in time; the figures are at version {}.",
                    root.version()
                );
                return Err(Error::deadline_exceeded(message));
            }
        }
    }

    /// Takes what this replica just applied, so that callers do not wait for the next poll of the tables.
    pub async fn applied(&self, partner: &str, applied: &Applied) -> Result<(), RollupError> {
        let entry = self.entries().get(partner).cloned();
        match entry {
            Some(entry) if entry.root.load().is_some() => self.renew(partner, &entry, Some(applied)).await,
            // No caller needs the cube yet.
            _ => Ok(()),
        }
    }

    /// Polls the tables for what other replicas applied, and drops cubes that are idle, until shutdown.
    pub async fn run(&self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(self.inner.poll) => {}
            }
            self.forget_idle();
            if self.entries().is_empty() {
                continue;
            }
            if let Err(error) = self.catch_up().await {
                tracing::warn!(%error, "polling the rollup tables failed; trying again");
            }
        }
    }

    /// How many partners' figures are in memory.
    pub fn loaded(&self) -> usize {
        self.entries().values().filter(|entry| entry.root.load().is_some()).count()
    }

    async fn catch_up(&self) -> Result<(), RollupError> {
        for (partner, revision) in self.inner.store.list_revisions().await? {
            let entry = self.entries().get(&partner).cloned();
            if let Some(entry) = entry
                && entry.root.load().as_ref().is_some_and(|root| root.revision != revision)
            {
                // A fault in one partner's rows must not keep other partners from being renewed.
                if let Err(error) = self.renew(&partner, &entry, None).await {
                    tracing::warn!(%partner, %error, "the figures of a partner cannot be renewed; trying again");
                }
            }
        }
        Ok(())
    }

    fn forget_idle(&self) {
        let idle = self.inner.idle;
        self.entries().retain(|_, entry| entry.used().elapsed() < idle);
    }

    fn enter(&self, partner: &str) -> Arc<CachedCube> {
        let mut entries = self.entries();
        if let Some(entry) = entries.get(partner) {
            entry.touch();
            return entry.clone();
        }
        while entries.len() >= self.inner.most {
            let idlest = entries.iter().min_by_key(|(_, entry)| entry.used()).map(|(partner, _)| partner.clone());
            entries.remove(&idlest.unwrap_or_default());
        }
        let entry = Arc::new(CachedCube {
            root: ArcSwapOption::empty(),
            renewing: tokio::sync::Mutex::default(),
            revision: watch::Sender::new(-1),
            used: Mutex::new(Instant::now()),
        });
        entries.insert(partner.to_owned(), entry.clone());
        entry
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<CachedCube>>> {
        self.inner.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings one cube to what the tables hold: one new root, swapped once.
    async fn renew(&self, partner: &str, entry: &CachedCube, applied: Option<&Applied>) -> Result<(), RollupError> {
        let _one_at_a_time = entry.renewing.lock().await;
        let before = entry.root.load_full();
        let snapshot = self.inner.store.snapshot().await?;
        let row = Store::find_partner_in(&snapshot, partner).await?.filter(|row| row.complete_through.is_some());
        let root = match (row, before) {
            (Some(row), Some(before)) if before.revision == row.revision => return Ok(()),
            (None, Some(before)) if before.partner_no != 0 => return Ok(()),
            (None, _) => self.nothing_yet(),
            (Some(row), Some(before)) if continues(&row, &before) => {
                changed_root(&snapshot, &row, &before, applied).await?
            }
            (Some(row), _) => full_root(&snapshot, &row).await?,
        };
        drop(snapshot);
        let revision = root.revision;
        entry.root.store(Some(Arc::new(root)));
        entry.revision.send_replace(revision);
        Ok(())
    }

    /// Of a partner of which nothing was seen: version 0, and no figures up to today.
    fn nothing_yet(&self) -> Root {
        let model = PartnerModel::default();
        let header = model.header(0, 0, model.complete_through_at(self.inner.clock.now()));
        Root { cube: Cube::new(header), revision: 0, partner_no: 0 }
    }
}

impl CachedCube {
    fn used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// Whether what is in memory stays, apart from the customers that changed since: the same partner, not rebuilt, and no
/// months of history that were left out when it was loaded.
fn continues(row: &RollupPartner, before: &Root) -> bool {
    let floor = row.complete_through.map(|day| history_floor(day.month()));
    row.number == before.partner_no
        && row.rebuilt_revision <= before.revision
        && floor >= Some(history_floor(before.cube.partner().last_month()))
}

/// Everything stored of a partner.
pub async fn full_root(snapshot: &Transaction, row: &RollupPartner) -> Result<Root, RollupError> {
    let header = header_of(row)?;
    let mut cube = Cube::new(header.clone());
    let mut last = None;
    loop {
        let page = Store::page_of_headers(snapshot, row.number, last, PAGE).await?;
        let Some(end) = page.last() else { break };
        last = Some(end.key);
        let from: BTreeMap<CellCustomer, i32> = page.iter().map(|rows| (rows.key, i32::MIN)).collect();
        let headers = page.into_iter().map(|rows| (rows.key, rows.body)).collect();
        let updates = updates(snapshot, row, headers, &from).await?;
        cube = on_another_thread(move |header| cube.apply(header, updates), header.clone()).await?;
    }
    Ok(Root { cube, revision: row.revision, partner_no: row.number })
}

/// The root before, with what changed since.
async fn changed_root(
    snapshot: &Transaction,
    row: &RollupPartner,
    before: &Root,
    applied: Option<&Applied>,
) -> Result<Root, RollupError> {
    let known = applied.filter(|applied| applied.revision == row.revision && before.revision + 1 == row.revision);
    let from: BTreeMap<CellCustomer, i32> = match known {
        Some(applied) => applied.customers.clone(),
        None => {
            let changed = Store::list_changed(snapshot, row.number, before.revision).await?;
            changed.into_iter().map(|key| (key, i32::MIN)).collect()
        }
    };
    let mut cube = before.cube.clone();
    let header = header_of(row)?;
    let keys: Vec<CellCustomer> = from.keys().copied().collect();
    if keys.is_empty() {
        cube = cube.apply(header.clone(), Vec::new());
    }
    for keys in keys.chunks(PAGE as usize) {
        let headers = Store::headers(snapshot, row.number, keys).await?;
        let updates = updates(snapshot, row, headers, &from).await?;
        cube = on_another_thread(move |header| cube.apply(header, updates), header.clone()).await?;
    }
    Ok(Root { cube, revision: row.revision, partner_no: row.number })
}

fn header_of(row: &RollupPartner) -> Result<PartnerHeader, RollupError> {
    let complete_through = row.complete_through.ok_or(RollupError::Range)?;
    Ok(row.model.header(row.epoch, row.version, complete_through))
}

/// What the cube takes of customers, each from its month on.
async fn updates(
    snapshot: &Transaction,
    row: &RollupPartner,
    headers: BTreeMap<CellCustomer, Vec<u8>>,
    from: &BTreeMap<CellCustomer, i32>,
) -> Result<Vec<CustomerUpdate>, RollupError> {
    let last = header_of(row)?.last_month();
    let floor = history_floor(last);
    let keys: Vec<CellCustomer> = headers.keys().copied().collect();
    let first = |key: &CellCustomer| from.get(key).copied().unwrap_or(i32::MIN).max(floor.index());
    let earliest = keys.iter().map(first).min().unwrap_or(i32::MAX);
    let mut months = Store::months(snapshot, row.number, &keys, earliest).await?;
    let rows: Vec<(CellCustomer, Vec<u8>, Month, MonthRows)> = headers
        .into_iter()
        .map(|(key, body)| {
            let from = Month::from_index(first(&key)).unwrap_or(last.plus(1));
            (key, body, from, months.remove(&key).unwrap_or_default())
        })
        .collect();
    on_another_thread(move |last| rows.into_iter().map(|row| update(row, last)).collect(), last).await?
}

fn update(
    (key, body, from, months): (CellCustomer, Vec<u8>, Month, MonthRows),
    last: Month,
) -> Result<CustomerUpdate, RollupError> {
    let wanted = months.into_iter().filter(|(month, _)| *month >= from.index() && *month <= last.index());
    let read = |(month, body): (i32, Vec<u8>)| -> Result<(Month, MonthRollup), RollupError> {
        Ok((Month::from_index(month).ok_or(RollupError::Range)?, read_month(&body)?))
    };
    let months = wanted.map(read).collect::<Result<_, _>>()?;
    Ok(CustomerUpdate { header: read_customer(key, &body)?.header, from, months })
}

/// Work that would keep other calls waiting.
async fn on_another_thread<T: Send + 'static, R: Send + 'static>(
    work: impl FnOnce(T) -> R + Send + 'static,
    input: T,
) -> Result<R, RollupError> {
    Ok(tokio::task::spawn_blocking(move || work(input)).await?)
}
