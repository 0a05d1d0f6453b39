//! Turns facts into rollups and answers queries.
//!
//! [`Metrics::run`] follows the change feed of ingestion: it rolls up who changed and commits rollups and feed position
//! together. [`Metrics::routes`] answers from a [`cube`] per partner, which is loaded from the rollups and renewed when they
//! change, whichever replica changed them.

mod api;
pub mod config;
mod cores;
pub mod cube;
mod cubes;
mod feed;
mod follower;
mod levels;
pub mod query;
mod rollups;

use std::sync::Arc;

use insights_access::{Outgoing, Policy};
use insights_database::{Database, Engine};
use insights_proto::metrics::v1::erasure_service_server::ErasureServiceServer;
use insights_proto::metrics::v1::metrics_service_server::MetricsServiceServer;
use insights_service::{Clock, NamedRoutes, Requirement, ServiceChannel};
use tokio_util::sync::CancellationToken;

pub use config::{Config, QueryLimits};
pub use rollups::Migrator;

use api::{Api, FigureErasure};
use cores::Cores;
use cubes::Cubes;
use feed::Feed;
use follower::{Applier, Follower};
use rollups::Store;

/// Why the service cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database cannot be reached or migrated.
    #[error(transparent)]
    Database(#[from] insights_database::Error),
    /// The access table cannot be read.
    #[error(transparent)]
    Policy(#[from] insights_access::PolicyError),
}

/// The metrics service.
#[derive(Clone)]
pub struct Metrics {
    config: Arc<Config>,
    clock: Clock,
    store: Store,
    feed: Feed,
    cubes: Cubes,
    policy: Arc<Policy>,
    cores: Cores,
}

impl Metrics {
    /// Connects to its database and migrates it. `ingestion` is the way to the change feed, called with `outgoing`.
    pub async fn open(
        config: Config,
        clock: Clock,
        ingestion: impl Into<ServiceChannel>,
        outgoing: Outgoing,
    ) -> Result<Self, OpenError> {
        let database = Database::connect_with(&config.database_url, &config.database).await?;
        database.migrate::<Migrator>().await?;
        let store = Store::new(database);
        let cubes = Cubes::new(store.clone(), clock.clone(), &config);
        let feed = Feed::new(ingestion.into(), outgoing);
        let policy = Arc::new(Policy::product()?);
        let cores = Cores::of_this_machine();
        Ok(Self { config: Arc::new(config), clock, store, feed, cubes, policy, cores })
    }

    /// What this service needs to answer: its database, and that ingestion lets it follow the feed. Cubes are loaded when they are first
    /// asked for, a partner at a time.
    #[must_use]
    pub fn needs(&self) -> Vec<Requirement> {
        let (database, feed) = (self.store.database().clone(), self.feed.clone());
        let ping = move || {
            let database = database.clone();
            async move { database.ping().await.map_err(|error| error.to_string()) }
        };
        let followed = move || std::future::ready(feed.followed());
        vec![Requirement::new("database of metrics", ping), Requirement::new("ingestion", followed)]
    }

    /// MetricsService and ErasureService, to be served behind the access layer.
    pub fn routes(&self) -> NamedRoutes {
        let api = Api {
            cubes: self.cubes.clone(),
            feed: self.feed.clone(),
            applier: self.applier(),
            store: self.store.clone(),
            policy: self.policy.clone(),
            limits: self.config.limits.clone(),
            cores: self.cores.clone(),
            customers_per_group: self.config.customers_per_group,
        };
        let erasure =
            insights_service::sized!(ErasureServiceServer::new(FigureErasure(api.clone())), &self.config.messages);
        NamedRoutes::new(insights_service::sized!(MetricsServiceServer::new(api), &self.config.messages)).with(erasure)
    }

    /// Follows the feed and keeps the figures in memory fresh, until `shutdown`.
    pub async fn run(&self, shutdown: CancellationToken) {
        let follower = Follower {
            applier: self.applier(),
            cubes: self.cubes.clone(),
            // SQLite has one writer: a second one would only wait for it.
            partners_at_a_time: match self.store.database().engine() {
                Engine::Sqlite => 1,
                Engine::Postgres => self.config.partners_at_a_time,
            },
            tick: self.config.tick(),
            retry: self.config.retry(),
        };
        // Silence of the feed must not keep it from ending.
        let levels = levels::keep_looking(self.store.clone(), self.feed.clone(), self.cubes.clone());
        let levels = shutdown.clone().run_until_cancelled_owned(levels);
        tokio::join!(follower.run(shutdown.clone()), self.poll(shutdown), levels);
    }

    fn applier(&self) -> Applier {
        Applier {
            store: self.store.clone(),
            feed: self.feed.clone(),
            clock: self.clock.clone(),
            customers_per_group: self.config.customers_per_group,
            database_url: self.config.database_url.clone(),
        }
    }

    /// Keeps the figures in memory fresh by what others write to the rollup tables, until `shutdown`: the part of
    /// [`Self::run`] for a replica that only answers.
    pub async fn poll(&self, shutdown: CancellationToken) {
        self.cubes.run(shutdown).await;
    }
}
