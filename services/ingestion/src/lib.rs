//! Ingestion: stores the records of sources as facts and feeds the changes to followers.
//!
//! [`Ingestion`] serves `IngestionService` to people and machines and `ChangeFeedService` to the other services. Records
//! are checked by `records`, stored by `write` in `tables`, and read back by `feed`.

mod api;
mod config;
mod error;
mod feed;
mod ids;
mod records;
mod tables;
mod user_key;
mod write;

use std::{sync::Arc, time::Duration};

use insights_access::Policy;
use insights_database::Database;
use insights_proto::ingestion::v1::{
    change_feed_service_server::ChangeFeedServiceServer, ingestion_service_server::IngestionServiceServer,
};
use insights_service::{BoxError, Clock, MessageLimits, NamedRoutes, sized};
use tokio_util::sync::CancellationToken;

pub use config::{Config, IngestLimits};

use crate::{
    api::{FeedApi, IngestionApi},
    tables::{batch, partner},
    user_key::UserKey,
    write::Ledger,
};
pub use tables::migrations::Migrator;

/// The service.
pub struct Ingestion {
    ledger: Arc<Ledger>,
    config: Config,
    closing: CancellationToken,
    policy: Arc<Policy>,
}

impl Ingestion {
    /// Opens the database, brings it to this version and reads the key of the users.
    pub async fn open(config: Config, clock: Clock) -> Result<Self, BoxError> {
        let database = Database::connect(&config.database_url).await?;
        database.migrate::<Migrator>().await?;
        let key = UserKey::open(&config.user_key_file, &database).await?;
        let ledger = Ledger::open(database, config.limits.clone(), clock, key, config.locks()).await?;
        let policy = Arc::new(Policy::product()?);
        Ok(Self { ledger: Arc::new(ledger), config, closing: CancellationToken::new(), policy })
    }

    /// Refuses a file whose key is not the one that stored users were hashed with.
    pub async fn check_user_key(database_url: &str, key_file: &std::path::Path) -> Result<(), BoxError> {
        let database = Database::connect(database_url).await?;
        UserKey::read(key_file)?.compare(&database).await?;
        Ok(database.close().await?)
    }

    /// Begins a new epoch of facts that were restored from a backup, so that followers rebuild instead of going on from versions that no
    /// longer exist. Refuses facts of a newer version. No other process may use the database meanwhile.
    pub async fn begin_new_epoch(database_url: &str, clock: &Clock) -> Result<(), BoxError> {
        let database = Database::connect(database_url).await?;
        database.pending::<Migrator>().await?;
        database.check().await?;
        partner::begin_new_epochs(database.writer(), clock.now().timestamp_micros()).await?;
        Ok(database.close().await?)
    }

    /// The two gRPC services.
    #[must_use]
    pub fn routes(&self) -> NamedRoutes {
        self.sized_routes(&MessageLimits::default())
    }

    /// The two gRPC services with message sizes other than the default ones.
    #[must_use]
    pub fn sized_routes(&self, messages: &MessageLimits) -> NamedRoutes {
        let ingestion = IngestionServiceServer::new(IngestionApi(Arc::clone(&self.ledger)));
        let feed = ChangeFeedServiceServer::new(FeedApi {
            ledger: Arc::clone(&self.ledger),
            poll: self.config.feed_poll,
            closing: self.closing.clone(),
            policy: Arc::clone(&self.policy),
        });
        NamedRoutes::new(sized!(ingestion, messages)).with(sized!(feed, messages))
    }

    /// Runs the maintenance until it is stopped: releases what a crash left waiting, deletes old changes and batch ids. Ends the streams
    /// of changes when it stops.
    pub async fn run(&self, stop: CancellationToken) -> Result<(), BoxError> {
        let _ending = self.closing.clone().drop_guard();
        let mut interval = tokio::time::interval(self.config.maintenance);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = interval.tick() => self.maintain().await,
            }
        }
    }

    /// One turn of the maintenance. What fails is tried again at the next.
    async fn maintain(&self) {
        if let Err(error) = write::release_waiting(&self.ledger).await {
            tracing::warn!(%error, "could not release facts that wait needlessly");
        }
        let before = |kept: Duration| {
            let kept = chrono::Duration::from_std(kept).ok()?;
            self.ledger.now().checked_sub_signed(kept)?.timestamp_nanos_opt()
        };
        if let Some(before) = before(self.config.feed_kept)
            && let Err(error) = feed::prune(&self.ledger.database, before).await
        {
            tracing::warn!(%error, "could not prune the feed");
        }
        if let Some(before) = before(self.config.batches_kept)
            && let Err(error) = batch::prune(self.ledger.database.writer(), before).await
        {
            tracing::warn!(%error, "could not prune batch ids");
        }
    }
}
