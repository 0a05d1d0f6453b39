//! Ingestion: stores the records of sources as facts and feeds the changes to followers.
//!
//! [`Ingestion`] serves `IngestionService` to people and machines, `ChangeFeedService` and `ErasureService` to the other services. Records
//! are checked by `records`, stored by `write` in `tables`, and read back by `feed`.

mod api;
mod audit;
mod config;
mod error;
mod feed;
mod ids;
mod levels;
mod records;
mod tables;
mod user_key;
mod write;

use std::{sync::Arc, time::Duration};

use insights_access::{DenialObserver, Policy};
use insights_database::Database;
use insights_proto::ingestion::v1::{
    change_feed_service_server::ChangeFeedServiceServer, erasure_service_server::ErasureServiceServer,
    ingestion_service_server::IngestionServiceServer,
};
use insights_service::{BoxError, Clock, MessageLimits, NamedRoutes, Requirement, sized};
use tokio_util::sync::CancellationToken;

pub use config::{AuditRetention, Config, IngestLimits};

use crate::{
    api::{ErasureApi, FeedApi, IngestionApi},
    audit::CallAudit,
    tables::{
        batch, history,
        partner::{self, StoredPartner},
        quarantine, times,
    },
    user_key::UserKey,
    write::Ledger,
};
pub use tables::migrations::Migrator;

/// How often it is looked for what is too old.
const PRUNING: Duration = Duration::from_secs(3600);

/// The service.
pub struct Ingestion {
    ledger: Arc<Ledger>,
    audit: CallAudit,
    config: Config,
    closing: CancellationToken,
    policy: Arc<Policy>,
}

impl Ingestion {
    /// Opens the database, brings it to this version and reads the key of the users.
    pub async fn open(config: Config, clock: Clock) -> Result<Self, BoxError> {
        let database = Database::connect_with(&config.database_url, &config.database).await?;
        database.migrate::<Migrator>().await?;
        let key = UserKey::open(&config.user_key_file, &database).await?;
        let audit = CallAudit::new(database.clone(), clock.clone(), config.audit);
        let ledger = Ledger::new(database, &config, clock, key);
        let policy = Arc::new(Policy::product()?);
        Ok(Self { ledger: Arc::new(ledger), audit, config, closing: CancellationToken::new(), policy })
    }

    /// The observer of an access layer's denials of this service's methods, which records them in the audit.
    #[must_use]
    pub fn denials(&self) -> DenialObserver {
        self.audit.observer()
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

    /// Brings times that lie in the future back to now, in their order, so that what comes from now on counts again, and begins a new
    /// epoch, so that followers rebuild. Returns how many times there were. No other process may use the database meanwhile.
    pub async fn correct_times(database_url: &str, clock: &Clock, leeway: Duration) -> Result<i64, BoxError> {
        let database = Database::connect(database_url).await?;
        let now = clock.now().timestamp_nanos_opt().unwrap_or(i64::MAX / 2);
        let limit = now.saturating_add(i64::try_from(leeway.as_nanos()).unwrap_or(i64::MAX / 4));
        database.migrate::<Migrator>().await?;
        let transaction = database.begin().await?;
        let corrected = times::bring_back(&transaction, now, limit).await?;
        if corrected > 0 {
            partner::begin_new_epochs(&transaction, now / 1_000).await?;
        }
        transaction.commit().await?;
        database.close().await?;
        Ok(corrected)
    }

    /// What this service needs to answer: its database.
    #[must_use]
    pub fn needs(&self) -> Vec<Requirement> {
        let database = self.ledger.database.clone();
        vec![Requirement::new("database of ingestion", move || {
            let database = database.clone();
            async move { database.ping().await.map_err(|error| error.to_string()) }
        })]
    }

    /// The gRPC services.
    #[must_use]
    pub fn routes(&self) -> NamedRoutes {
        self.sized_routes(&MessageLimits::default())
    }

    /// The gRPC services with message sizes other than the default ones.
    #[must_use]
    pub fn sized_routes(&self, messages: &MessageLimits) -> NamedRoutes {
        let ingestion =
            IngestionServiceServer::new(IngestionApi { ledger: Arc::clone(&self.ledger), audit: self.audit.clone() });
        let feed = ChangeFeedServiceServer::new(FeedApi {
            ledger: Arc::clone(&self.ledger),
            poll: self.config.feed_poll,
            closing: self.closing.clone(),
            policy: Arc::clone(&self.policy),
        });
        let erasure = ErasureServiceServer::new(ErasureApi(Arc::clone(&self.ledger)));
        NamedRoutes::new(sized!(ingestion, messages)).with(sized!(feed, messages)).with(sized!(erasure, messages))
    }

    /// Runs the maintenance until it is stopped: releases what a crash left waiting, deletes old changes and batch ids. Ends the streams
    /// of changes when it stops.
    pub async fn run(&self, stop: CancellationToken) -> Result<(), BoxError> {
        let _ending = self.closing.clone().drop_guard();
        let mut interval = tokio::time::interval(self.config.maintenance);
        let mut old = tokio::time::interval(PRUNING);
        let levels = levels::Levels::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    self.audit.store_sums(true).await;
                    return Ok(());
                }
                _ = interval.tick() => {
                    self.maintain().await;
                    if let Err(error) = levels.look(&self.ledger).await {
                        tracing::debug!(%error, "could not look at what is watched");
                    }
                }
                _ = old.tick() => self.prune().await,
            }
        }
    }

    /// Removes rejected records and superseded rows that are too old.
    async fn prune(&self) {
        let (limits, now) = (&self.config.limits, self.ledger.now());
        let (rejected, superseded) = (limits.quarantine_floor(now), limits.history_floor(now));
        let pruned = async {
            let writer = self.ledger.database.writer();
            for partner in StoredPartner::all(self.ledger.database.reader()).await? {
                if let Some(before) = rejected {
                    quarantine::prune(writer, &partner, before).await?;
                }
                if let Some(before) = superseded {
                    history::prune(writer, &partner, before).await?;
                }
            }
            Ok::<(), error::Error>(())
        };
        if let Err(error) = pruned.await {
            tracing::warn!(%error, "could not remove what is too old");
        }
    }

    /// One turn of the maintenance. What fails is tried again at the next.
    async fn maintain(&self) {
        if let Err(error) = write::release_waiting(&self.ledger).await {
            tracing::warn!(%error, "could not release facts that wait needlessly");
        }
        self.audit.store_sums(false).await;
        if let Err(error) = self.audit.prune().await {
            tracing::warn!(%error, "could not prune the audit");
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
