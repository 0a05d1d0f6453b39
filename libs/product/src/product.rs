//! Composes the services into one process, or some of them beside others elsewhere.

use std::sync::Arc;

use insights_access::{AccessLayer, Denial, DenialObserver, Issuer, Policy, Verifier};
use insights_ingestion::{AuditRetention, Ingestion};
use insights_metrics::Metrics;
use insights_reporting::{Audit, AuditConfig, DevelopmentTokens, Reporting};
use insights_service::{Chassis, Clock, NamedRoutes, Readiness, Requirement, fail_point};
use tokio::{
    net::TcpListener,
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::{
    Service, StartError,
    files::{database_url, exports, needs_data_dir, user_key},
    links::Links,
    private::secure,
    settings::Settings,
};

/// The services of this process. Dropped, they end by themselves.
pub struct Product {
    chassis: Chassis,
    issuer: Option<Arc<Issuer>>,
    verifier: Arc<Verifier>,
    readiness: Readiness,
    ingestion: Option<Arc<Ingestion>>,
    metrics: Option<Arc<Metrics>>,
    reporting: Option<Arc<Reporting>>,
    /// Begins the drain.
    shutdown: CancellationToken,
    /// The drain is over: the last call from outside has ended.
    drained: CancellationToken,
    servers: JoinSet<Ended>,
    tasks: JoinSet<Ended>,
}

/// What ended, or why.
type Ended = Result<&'static str, StartError>;

impl Product {
    /// Opens the wanted services and starts their background work. Ready sign-ins are shown on the page only when given.
    ///
    /// # Errors
    /// When a setting is missing or a service cannot be opened.
    pub async fn start(
        settings: &Settings,
        clock: &Clock,
        services: &[Service],
        sign_ins: Option<DevelopmentTokens>,
    ) -> Result<Self, StartError> {
        let mut product = Self::open(settings, clock, services, sign_ins).await?;
        for service in services {
            product.work(*service);
        }
        Ok(product)
    }

    /// Opens the wanted services; none works in the background before [`Self::work`].
    ///
    /// # Errors
    /// When a setting is missing or a service cannot be opened.
    pub async fn open(
        settings: &Settings,
        clock: &Clock,
        services: &[Service],
        sign_ins: Option<DevelopmentTokens>,
    ) -> Result<Self, StartError> {
        secure(settings, needs_data_dir(settings, services)?)?;
        let issuer = local_issuer(settings, clock)?;
        let shutdown = CancellationToken::new();
        let wants = |service| services.contains(&service);
        let reporting_config = insights_reporting::Config {
            database_url: database_url(settings, Service::Reporting)?,
            messages: settings.limits.messages,
            exports: exports(settings),
            audit: settings.audit.clone(),
            advice: settings.advice.clone(),
            sign_in: settings.sign_in.clone(),
            development_tokens: sign_ins,
            ..insights_reporting::Config::default()
        };
        // Denials are audited where the audit is.
        let audit = match wants(Service::Reporting) {
            true => {
                let (url, config) = (&reporting_config.database_url, reporting_config.audit.clone());
                let audit = Audit::open_with(url, &settings.database, config, clock.clone()).await;
                Some(audit.map_err(StartError::part("reporting"))?)
            }
            false => None,
        };
        let ingestion = match wants(Service::Ingestion) {
            true => Some(Arc::new(open_ingestion(settings, clock).await?)),
            false => None,
        };
        let verifier = verifier(settings, clock, issuer.as_deref())?;
        let access = access_layer(&verifier, denials(audit.as_ref(), ingestion.as_deref()))?;
        settings.tls.check().map_err(StartError::part("TLS"))?;
        let chassis = Chassis::new(settings.limits.clone(), access, shutdown.clone());
        let chassis = chassis.map_err(StartError::part("the server"))?.with_tls(settings.tls.clone());
        // What services ask of each other in one process goes on until the last call from outside is answered.
        let drained = CancellationToken::new();
        let inside = chassis.clone().until(drained.clone());
        let links = Links { settings, clock, issuer: issuer.clone(), chassis: &inside };
        let mut product = Self {
            chassis: chassis.clone(),
            issuer,
            verifier,
            readiness: Readiness::starting(),
            ingestion,
            metrics: None,
            reporting: None,
            shutdown,
            drained,
            servers: JoinSet::new(),
            tasks: JoinSet::new(),
        };
        if wants(Service::Metrics) {
            product.open_metrics(settings, clock, &links).await?;
        }
        if let Some(audit) = audit {
            product.open_reporting(reporting_config, audit, &links).await?;
        }
        Ok(product)
    }

    async fn open_metrics(&mut self, settings: &Settings, clock: &Clock, links: &Links<'_>) -> Result<(), StartError> {
        let config = insights_metrics::Config {
            database_url: database_url(settings, Service::Metrics)?,
            database: settings.database.clone(),
            messages: settings.limits.messages,
            limits: settings.metrics.limits.clone(),
            cubes_in_memory: settings.metrics.cubes_in_memory,
            idle_seconds: settings.metrics.idle_seconds,
            ..insights_metrics::Config::default()
        };
        let own = self.ingestion.as_ref().map(|ingestion| ingestion.routes());
        let link = links.link(own, "ingestion_url", &settings.ingestion_url)?;
        let outgoing = links.outgoing(Service::Metrics)?;
        let metrics = Metrics::open(config, clock.clone(), link, outgoing).await;
        self.metrics = Some(Arc::new(metrics.map_err(StartError::part("metrics"))?));
        Ok(())
    }

    async fn open_reporting(
        &mut self,
        config: insights_reporting::Config,
        audit: Audit,
        links: &Links<'_>,
    ) -> Result<(), StartError> {
        let own = self.metrics.as_ref().map(|metrics| metrics.routes());
        let link = links.link(own, "metrics_url", &links.settings.metrics_url)?;
        let outgoing = links.outgoing(Service::Reporting)?;
        let reporting = Reporting::new(config, audit, link, outgoing).map_err(StartError::part("reporting"))?;
        reporting.join_replicas().await.map_err(StartError::part("reporting"))?;
        self.reporting = Some(Arc::new(reporting));
        Ok(())
    }

    /// Starts the background work of a service that is open.
    pub fn work(&mut self, service: Service) {
        // Calls are answered from what these keep fresh, so they work for as long as there are calls.
        let drained = self.drained.clone();
        match service {
            Service::Ingestion => {
                if let Some(ingestion) = self.ingestion.clone() {
                    self.tasks.spawn(async move {
                        let ended = ingestion.run(drained).await;
                        ended.map(|()| "ingestion").map_err(StartError::part("ingestion"))
                    });
                }
            }
            Service::Metrics => {
                if let Some(metrics) = self.metrics.clone() {
                    self.tasks.spawn(async move {
                        metrics.run(drained).await;
                        Ok("metrics")
                    });
                }
            }
            Service::Reporting => {
                if let Some(reporting) = self.reporting.clone() {
                    // Exports go to another replica at once: nobody waits for them here.
                    let stop = self.shutdown.clone();
                    self.tasks.spawn(async move {
                        reporting.run(stop).await;
                        Ok("reporting")
                    });
                }
            }
        }
    }

    fn routes(&self) -> Vec<NamedRoutes> {
        let ingestion = self.ingestion.iter().map(|ingestion| ingestion.routes());
        let metrics = self.metrics.iter().map(|metrics| metrics.routes());
        let reporting = self.reporting.iter().map(|reporting| reporting.routes());
        ingestion.chain(metrics).chain(reporting).collect()
    }

    /// The local development issuer, where it is the one believed.
    #[must_use]
    pub const fn issuer(&self) -> Option<&Arc<Issuer>> {
        self.issuer.as_ref()
    }

    /// Reporting, where it runs here.
    #[must_use]
    pub const fn reporting(&self) -> Option<&Arc<Reporting>> {
        self.reporting.as_ref()
    }

    /// Tells the services to end when it is cancelled.
    #[must_use]
    pub const fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// A channel to every service of this process, through the same layers as the port.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.chassis.in_process(self.routes())
    }

    /// Says to this whether it can do its work.
    #[must_use]
    pub fn with_readiness(mut self, readiness: Readiness) -> Self {
        self.readiness = readiness;
        self
    }

    /// What the services of this process need to answer.
    fn needs(&self) -> Vec<Requirement> {
        let verifier = Arc::clone(&self.verifier);
        let keys = Requirement::new("keys", move || {
            let verifier = Arc::clone(&verifier);
            async move { verifier.ready().await.map_err(|setting| format!("{setting} could not be fetched: see the log")) }
        });
        let mut needs = vec![keys];
        needs.extend(self.ingestion.iter().flat_map(|ingestion| ingestion.needs()));
        needs.extend(self.metrics.iter().flat_map(|metrics| metrics.needs()));
        needs.extend(self.reporting.iter().flat_map(|reporting| reporting.needs()));
        needs
    }

    /// Serves on a port in the background.
    pub fn listen(&mut self, listener: TcpListener) {
        let asking = self.readiness.clone().keep_asking(self.needs(), self.drained.clone());
        self.tasks.spawn(async move {
            asking.await;
            Ok("health")
        });
        let pages = self.reporting.as_ref().map(|reporting| reporting.pages()).unwrap_or_default();
        let (chassis, routes) = (self.chassis.clone().with_readiness(self.readiness.clone()), self.routes());
        self.servers.spawn(async move {
            let served = chassis.serve(listener, routes, pages).await;
            served.map(|()| "the server").map_err(StartError::part("the server"))
        });
    }

    /// Runs until the process is told to stop. A service that ends by itself takes the process with it.
    ///
    /// # Errors
    /// When a service fails, or ends by itself.
    pub async fn run(mut self) -> Result<(), StartError> {
        let ended = tokio::select! {
            () = asked_to_stop() => Ok(()),
            Some(ended) = self.servers.join_next() => Err(why(ended)),
            Some(ended) = self.tasks.join_next() => Err(why(ended)),
        };
        self.stop().await;
        ended
    }

    /// Stops everything, letting calls in flight end.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        if !fail_point::guard_holds("product.drained") {
            self.drained.cancel();
        }
        while self.servers.join_next().await.is_some() {}
        self.drained.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Why something ended that was not told to.
fn why(ended: Result<Ended, JoinError>) -> StartError {
    match ended {
        Ok(Ok(part)) => StartError::Ended(part),
        Ok(Err(error)) => error,
        Err(error) => StartError::Part { part: "a service failed", source: error.into() },
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.drained.cancel();
        self.servers.detach_all();
        self.tasks.detach_all();
    }
}

fn local_issuer(settings: &Settings, clock: &Clock) -> Result<Option<Arc<Issuer>>, StartError> {
    if !settings.is_local() {
        return Ok(None);
    }
    let issuer = Issuer::open_at(&settings.data_dir, clock.clone());
    Ok(Some(Arc::new(issuer.map_err(StartError::part("the development issuer"))?)))
}

async fn open_ingestion(settings: &Settings, clock: &Clock) -> Result<Ingestion, StartError> {
    let key = user_key(settings);
    // A secret that is missing is no reason to make another: only the data directory's own key is made.
    if !settings.user_key_file.as_os_str().is_empty() && !key.exists() {
        let key = key.display();
        return Err(StartError::Setting(format!(
            "user_key_file: {key} is not there; make one for all replicas: (umask 077; openssl rand -hex 32 > {key})"
        )));
    }
    let mut config = insights_ingestion::Config::new(database_url(settings, Service::Ingestion)?, key);
    config.database = settings.database.clone();
    config.limits = settings.ingestion.limits.clone();
    let AuditConfig { keep_days, refused_per_minute } = settings.audit;
    config.audit = AuditRetention { keep_days, refused_per_minute };
    config.compare_clocks = clock.is_system();
    Ingestion::open(config, clock.clone()).await.map_err(StartError::part("ingestion"))
}

/// Who hears of denials: the audit of the service whose method was called, where it runs here.
fn denials(reporting: Option<&Audit>, ingestion: Option<&Ingestion>) -> Option<DenialObserver> {
    let (reporting, ingestion) = (reporting.map(Audit::observer), ingestion.map(Ingestion::denials));
    match (reporting, ingestion) {
        (Some(reporting), Some(ingestion)) => Some(Arc::new(move |denial: Denial| {
            let is_of_ingestion = denial.rpc.starts_with("/insights.ingestion.");
            if is_of_ingestion { ingestion(denial) } else { reporting(denial) }
        })),
        (reporting, ingestion) => reporting.or(ingestion),
    }
}

fn verifier(settings: &Settings, clock: &Clock, issuer: Option<&Issuer>) -> Result<Arc<Verifier>, StartError> {
    let config = issuer.map_or_else(|| settings.access.clone(), Issuer::access_config);
    Ok(Arc::new(Verifier::new(config, clock.clone()).map_err(StartError::part("access"))?))
}

fn access_layer(verifier: &Arc<Verifier>, denials: Option<DenialObserver>) -> Result<AccessLayer, StartError> {
    let policy = Policy::product().map_err(StartError::part("the access table"))?;
    let layer = AccessLayer::new(Arc::clone(verifier), Arc::new(policy));
    Ok(match denials {
        Some(denials) => layer.observed_by(denials),
        None => layer,
    })
}

/// Ctrl-C, or SIGTERM.
async fn asked_to_stop() {
    let interrupt = async {
        // Without a handler the signal ends the process by itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
