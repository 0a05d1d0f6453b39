//! Follows the change feed of ingestion and keeps the rollups of every partner up to it and to the clock.

mod apply;
mod facts;
mod group;
mod pending;
mod preview;
mod touched;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use insights_proto::ingestion::v1::{PartnerPosition, StreamChangesResponse};
use insights_service::ended_with_token;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

pub use apply::{Applier, ApplyError, ApplyOutcome, next_customer};
pub use facts::{GatheredCustomer, PartnerNumbers, coverage, partner_model};
pub use group::rolled_months;
pub use pending::Pending;
pub use touched::PartnerChanges;

use crate::cubes::Cubes;
use crate::rollups::Applied;

/// Follows the feed until told to stop. Any number of replicas may do so.
pub struct Follower {
    /// Applies changes.
    pub applier: Applier,
    /// Hears what was applied.
    pub cubes: Cubes,
    /// Partners worked on at a time.
    pub partners_at_a_time: usize,
    /// How often the clock is looked at.
    pub tick: Duration,
    /// How long to wait after a failure.
    pub retry: Duration,
}

/// What is pending, and the tasks that work on it.
#[derive(Default)]
struct Desk {
    pending: HashMap<String, Pending>,
    /// Partners that are worked on.
    working: HashSet<String>,
    /// Partners that wait after a failure, so that others are worked on meanwhile.
    resting: HashSet<String>,
    tasks: JoinSet<Event>,
}

/// What a task ends with.
enum Event {
    Done(Done),
    Rested(String),
}

/// What became of a partner's pending changes.
struct Done {
    partner: String,
    pending: Pending,
    outcome: Result<ApplyOutcome, ApplyError>,
}

/// Why following from one connection ended.
enum StreamOutcome {
    Shutdown,
    /// The feed is gone; wait before asking again.
    Lost,
    /// ChangesToApply are missing; ask again from what is stored.
    Gap,
}

impl Follower {
    /// Follows until `shutdown`. What was begun then is rolled back.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut desk = Desk::default();
        loop {
            let connected = tokio::select! {
                () = shutdown.cancelled() => return,
                connected = self.connect() => connected,
            };
            let end = match connected {
                Ok(stream) => self.follow(stream, &mut desk, &shutdown).await,
                Err(error) => {
                    tracing::warn!(%error, "the change feed cannot be followed; trying again");
                    StreamOutcome::Lost
                }
            };
            match end {
                StreamOutcome::Shutdown => return,
                StreamOutcome::Gap => {}
                StreamOutcome::Lost => tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = tokio::time::sleep(self.retry) => {}
                },
            }
            if shutdown.is_cancelled() {
                return;
            }
        }
    }

    /// Asks for what comes after what is stored.
    async fn connect(&self) -> Result<Streaming<StreamChangesResponse>, ApplyError> {
        let rows = self.applier.store.list_partners().await?;
        let seen = rows.into_iter().filter(|row| row.version > 0);
        let positions = seen
            .map(|row| PartnerPosition {
                partner: row.partner,
                epoch: row.epoch,
                version: row.version,
                stamp: row.stamp,
            })
            .collect();
        Ok(self.applier.feed.changes(positions).await?)
    }

    async fn follow(
        &self,
        mut stream: Streaming<StreamChangesResponse>,
        desk: &mut Desk,
        shutdown: &CancellationToken,
    ) -> StreamOutcome {
        let mut tick = interval(self.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.start_tasks(desk);
            tokio::select! {
                () = shutdown.cancelled() => return StreamOutcome::Shutdown,
                message = stream.message() => match message {
                    Ok(Some(response)) => desk.pending.entry(response.partner.clone()).or_default().add(response),
                    Ok(None) => return StreamOutcome::Lost,
                    // Nothing is lost, and there is a new token by now.
                    Err(error) if ended_with_token(&error) => return StreamOutcome::Gap,
                    Err(error) => {
                        tracing::warn!(%error, "the change feed ended; trying again");
                        return StreamOutcome::Lost;
                    }
                },
                Some(event) = desk.tasks.join_next(), if !desk.tasks.is_empty() => match event {
                    Ok(Event::Done(done)) => if desk.finish(done, self.retry) { return StreamOutcome::Gap },
                    Ok(Event::Rested(partner)) => {
                        desk.resting.remove(&partner);
                    }
                    Err(error) => {
                        tracing::error!(%error, "applying changes panicked; beginning again from what is stored");
                        *desk = Desk::default();
                        return StreamOutcome::Lost;
                    }
                },
                _ = tick.tick() => self.look_at_the_clock(desk).await,
            }
        }
    }

    /// Partners whose snapshot day moved though nothing was received.
    async fn look_at_the_clock(&self, desk: &mut Desk) {
        let rows = match self.applier.store.list_partners().await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(%error, "the rollup tables cannot be read; trying again");
                return;
            }
        };
        let now = self.applier.clock.now();
        for row in rows.into_iter().filter(|row| row.version > 0) {
            if row.complete_through != Some(row.model.complete_through_at(now)) {
                desk.pending.entry(row.partner).or_default();
            }
        }
    }

    fn start_tasks(&self, desk: &mut Desk) {
        while desk.working.len() < self.partners_at_a_time.max(1) {
            let free = |partner: &&String| !desk.working.contains(*partner) && !desk.resting.contains(*partner);
            let next = desk.pending.keys().find(free).cloned();
            let Some((partner, pending)) = next.and_then(|partner| desk.pending.remove_entry(&partner)) else { return };
            desk.working.insert(partner.clone());
            let (applier, cubes) = (self.applier.clone(), self.cubes.clone());
            desk.tasks.spawn(async move {
                let outcome = applier.apply(&partner, &pending).await;
                match &outcome {
                    Ok(ApplyOutcome::Applied(applied)) => publish(&cubes, &partner, applied).await,
                    Ok(_) => {}
                    Err(error) => tracing::warn!(%error, partner, "changes could not be applied; trying again"),
                }
                Event::Done(Done { partner, pending, outcome })
            });
        }
    }
}

impl Desk {
    /// Notes what became of it; `true` when changes are missing.
    fn finish(&mut self, done: Done, retry: Duration) -> bool {
        let Done { partner, pending, outcome } = done;
        self.working.remove(&partner);
        match outcome {
            Ok(ApplyOutcome::Applied(_) | ApplyOutcome::Nothing) => return false,
            Ok(ApplyOutcome::Gap) => {
                self.pending.remove(&partner);
                return true;
            }
            // The other replica may have applied less than what is pending here.
            Ok(ApplyOutcome::Lost) => {}
            Err(_) => {
                let rested = partner.clone();
                self.resting.insert(partner.clone());
                self.tasks.spawn(async move {
                    tokio::time::sleep(retry).await;
                    Event::Rested(rested)
                });
            }
        }
        self.pending.entry(partner).or_default().put_back(pending);
        false
    }
}

async fn publish(cubes: &Cubes, partner: &str, applied: &Applied) {
    if let Err(error) = cubes.applied(partner, applied).await {
        // The next poll of the tables finds it again.
        tracing::warn!(%error, partner, "the figures in memory could not be renewed; trying again");
    }
}
