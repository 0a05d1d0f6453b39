//! Composes the services into one process, or some of them beside others elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use insights_access::{AccessLayer, Issuer, Outgoing, Policy, ServiceTokens, Verifier};
use insights_ingestion::Ingestion;
use insights_metrics::Metrics;
use insights_reporting::{Audit, DevelopmentTokens, ExportsConfig, Reporting};
use insights_service::{Chassis, Clock, Link};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::{service::Routes, transport::Channel};

use crate::{cli::Service, failure::Failure, settings::Settings};

/// The services of this process.
pub struct Product {
    chassis: Chassis,
    ingestion: Option<Arc<Ingestion>>,
    metrics: Option<Arc<Metrics>>,
    reporting: Option<Arc<Reporting>>,
    shutdown: CancellationToken,
    tasks: JoinSet<Result<&'static str, Failure>>,
}

/// The address of a service's database.
pub fn database_url(settings: &Settings, service: &str) -> Result<String, Failure> {
    let url = if settings.database_url_file.as_os_str().is_empty() {
        settings.database_url.clone()
    } else {
        // A file of its own for each service, where the path says so.
        let path = settings.database_url_file.display().to_string().replace("{service}", service);
        let text = fs::read_to_string(&path).map_err(|error| Failure::because(&path, &error))?;
        text.trim().to_owned()
    };
    if url == "sqlite" {
        return Ok(format!("sqlite:{}", settings.data_dir.join(format!("{service}.db")).display()));
    }
    // A role of its own for each service: `postgres://{service}@host/insights`.
    Ok(url.replace("{service}", service))
}

/// The file with the key that user identifiers are hashed with.
#[must_use]
pub fn user_key(settings: &Settings) -> PathBuf {
    match settings.user_key_file.as_os_str().is_empty() {
        true => settings.data_dir.join("user.key"),
        false => settings.user_key_file.clone(),
    }
}

/// Where exports are kept and put together: in the data directory, unless another place is named.
fn exports(settings: &Settings) -> ExportsConfig {
    let place = |named: &Path, own: &str| match named.as_os_str().is_empty() {
        true => settings.data_dir.join(own),
        false => named.to_owned(),
    };
    let exports = &settings.exports;
    ExportsConfig {
        folder: place(&exports.folder, "exports"),
        scratch_folder: place(&exports.scratch_folder, "scratch"),
        ..exports.clone()
    }
}

/// The services a command runs: all of them unless some are named.
#[must_use]
pub fn wanted(services: &[Service]) -> Vec<Service> {
    if services.is_empty() { vec![Service::Ingestion, Service::Metrics, Service::Reporting] } else { services.to_vec() }
}

impl Product {
    /// Opens the wanted services and starts their background work. Ready sign-ins are shown on the page only when given.
    pub async fn start(
        settings: &Settings,
        clock: &Clock,
        services: &[Service],
        sign_ins: Option<DevelopmentTokens>,
    ) -> Result<Self, Failure> {
        make_private(&settings.data_dir)?;
        let issuer = local_issuer(settings, clock)?;
        let shutdown = CancellationToken::new();
        let wants = |service| services.contains(&service);
        let reporting_config = insights_reporting::Config {
            database_url: database_url(settings, "reporting")?,
            messages: settings.limits.messages,
            exports: exports(settings),
            audit: settings.audit.clone(),
            advice: settings.advice.clone(),
            development_tokens: sign_ins,
            ..insights_reporting::Config::default()
        };
        // Denials are audited where the audit is.
        let audit = match wants(Service::Reporting) {
            true => {
                let (url, config) = (&reporting_config.database_url, reporting_config.audit.clone());
                Some(Audit::open(url, config, clock.clone()).await.map_err(opening("reporting"))?)
            }
            false => None,
        };
        let access = access_layer(settings, clock, issuer.as_deref(), audit.as_ref())?;
        let chassis = Chassis::new(settings.limits.clone(), access, shutdown.clone()).map_err(opening("the server"))?;
        let chassis = chassis.with_tls(settings.tls.clone());
        let links = Links { settings, clock, issuer, chassis: &chassis };
        let mut product = Self {
            chassis: chassis.clone(),
            ingestion: None,
            metrics: None,
            reporting: None,
            shutdown,
            tasks: JoinSet::new(),
        };
        if wants(Service::Ingestion) {
            product.open_ingestion(settings, clock).await?;
        }
        if wants(Service::Metrics) {
            product.open_metrics(settings, clock, &links).await?;
        }
        if let Some(audit) = audit {
            product.open_reporting(reporting_config, audit, &links)?;
        }
        Ok(product)
    }

    async fn open_ingestion(&mut self, settings: &Settings, clock: &Clock) -> Result<(), Failure> {
        let key = user_key(settings);
        // A secret that is missing is no reason to make another: only the data directory's own key is made.
        if !settings.user_key_file.as_os_str().is_empty() && !key.exists() {
            let key = key.display();
            return Err(Failure::Usage(format!(
                "user_key_file: {key} is not there; make one for all replicas: openssl rand -hex 32 > {key}"
            )));
        }
        let config = insights_ingestion::Config::new(database_url(settings, "ingestion")?, key);
        let ingestion = Ingestion::open(config, clock.clone()).await.map_err(|error| opening("ingestion")(&*error))?;
        let (ingestion, stop) = (Arc::new(ingestion), self.shutdown.clone());
        self.ingestion = Some(Arc::clone(&ingestion));
        self.tasks.spawn(async move {
            ingestion.run(stop).await.map(|()| "ingestion").map_err(|error| Failure::because("ingestion", &error))
        });
        Ok(())
    }

    async fn open_metrics(&mut self, settings: &Settings, clock: &Clock, links: &Links<'_>) -> Result<(), Failure> {
        let config = insights_metrics::Config {
            database_url: database_url(settings, "metrics")?,
            messages: settings.limits.messages,
            ..insights_metrics::Config::default()
        };
        let own = self.ingestion.as_ref().map(|ingestion| ingestion.routes());
        let link = links.link(own, "ingestion_url", &settings.ingestion_url)?;
        let outgoing = links.outgoing("metrics")?;
        let metrics = Metrics::open(config, clock.clone(), link, outgoing).await.map_err(opening("metrics"))?;
        let (metrics, stop) = (Arc::new(metrics), self.shutdown.clone());
        self.metrics = Some(Arc::clone(&metrics));
        self.tasks.spawn(async move {
            metrics.run(stop).await;
            Ok("metrics")
        });
        Ok(())
    }

    fn open_reporting(
        &mut self,
        config: insights_reporting::Config,
        audit: Audit,
        links: &Links<'_>,
    ) -> Result<(), Failure> {
        let own = self.metrics.as_ref().map(|metrics| metrics.routes());
        let link = links.link(own, "metrics_url", &links.settings.metrics_url)?;
        let outgoing = links.outgoing("reporting")?;
        let reporting = Reporting::new(config, audit, link, outgoing).map_err(opening("reporting"))?;
        let (reporting, stop) = (Arc::new(reporting), self.shutdown.clone());
        self.reporting = Some(Arc::clone(&reporting));
        self.tasks.spawn(async move {
            reporting.run(stop).await;
            Ok("reporting")
        });
        Ok(())
    }

    fn routes(&self) -> Vec<Routes> {
        let ingestion = self.ingestion.iter().map(|ingestion| ingestion.routes());
        let metrics = self.metrics.iter().map(|metrics| metrics.routes());
        let reporting = self.reporting.iter().map(|reporting| reporting.routes());
        ingestion.chain(metrics).chain(reporting).collect()
    }

    /// A channel to every service of this process, through the same layers as the port.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.chassis.in_process(self.routes())
    }

    /// Serves on a port in the background.
    pub fn listen(&mut self, listener: TcpListener) {
        let pages = self.reporting.as_ref().map(|reporting| reporting.pages()).unwrap_or_default();
        let (chassis, routes) = (self.chassis.clone(), self.routes());
        self.tasks.spawn(async move {
            chassis.serve(listener, routes, pages).await.map(|()| "the server").map_err(opening("the server"))
        });
    }

    /// Runs until somebody asks the process to stop. A service that ends by itself takes the process with it.
    pub async fn run(mut self) -> Result<(), Failure> {
        let ended = tokio::select! {
            () = asked_to_stop() => Ok(()),
            ended = self.tasks.join_next() => match ended {
                Some(Ok(Err(failure))) => Err(failure),
                Some(Ok(Ok(name))) => Err(Failure::Failed(format!("{name} ended by itself"))),
                Some(Err(error)) => Err(Failure::because("a service failed", &error)),
                None => Ok(()),
            },
        };
        self.stop().await;
        ended
    }

    /// Stops everything, letting calls in flight end.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// How services of this process reach the others.
struct Links<'a> {
    settings: &'a Settings,
    clock: &'a Clock,
    issuer: Option<Arc<Issuer>>,
    chassis: &'a Chassis,
}

impl Links<'_> {
    /// In memory when the service runs here, else over the network.
    fn link(&self, own: Option<Routes>, setting: &str, urls: &str) -> Result<Link, Failure> {
        if let Some(routes) = own {
            return Ok(self.chassis.in_process(vec![routes]).into());
        }
        if urls.is_empty() {
            return Err(Failure::Usage(format!(
                "{setting} must say where the service is, for it does not run in this process"
            )));
        }
        Link::open(urls, &self.settings.links).map_err(|error| Failure::Usage(format!("{setting}: {error}")))
    }

    fn outgoing(&self, name: &str) -> Result<Outgoing, Failure> {
        let file = &self.settings.service_token_file;
        let tokens = match &self.issuer {
            _ if !file.as_os_str().is_empty() => ServiceTokens::file(file),
            Some(issuer) => ServiceTokens::local(Arc::clone(issuer), name, self.clock.clone()),
            None => {
                return Err(Failure::Usage(format!("service_token_file must name the file with the token of {name}")));
            }
        };
        Ok(Outgoing::new(tokens))
    }
}

fn local_issuer(settings: &Settings, clock: &Clock) -> Result<Option<Arc<Issuer>>, Failure> {
    if !settings.is_local() {
        return Ok(None);
    }
    let issuer = Issuer::open_at(&settings.data_dir, clock.clone()).map_err(opening("the development issuer"))?;
    Ok(Some(Arc::new(issuer)))
}

fn access_layer(
    settings: &Settings,
    clock: &Clock,
    issuer: Option<&Issuer>,
    audit: Option<&Audit>,
) -> Result<AccessLayer, Failure> {
    let config = issuer.map_or_else(|| settings.access.clone(), Issuer::access_config);
    let verifier = Verifier::new(config, clock.clone()).map_err(|error| Failure::Failed(format!("access: {error}")))?;
    let policy = Policy::product().map_err(opening("the access table"))?;
    let layer = AccessLayer::new(Arc::new(verifier), Arc::new(policy));
    Ok(match audit {
        Some(audit) => layer.observed_by(audit.observer()),
        None => layer,
    })
}

fn opening<E: std::error::Error>(what: &str) -> impl Fn(E) -> Failure {
    move |error| Failure::Failed(format!("{what}: {}", crate::failure::chain(&error)))
}

/// Makes a directory that only its owner may enter: keys and tokens are kept there.
pub fn make_private(folder: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::because(&folder.display().to_string(), &error);
    if folder.as_os_str().is_empty() {
        return Err(Failure::Usage("data_dir must name a directory".into()));
    }
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(failed)?;
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(failed)?;
    Ok(())
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &PathBuf, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::because(&path.display().to_string(), &error);
    if let Some(folder) = path.parent() {
        make_private(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)
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
