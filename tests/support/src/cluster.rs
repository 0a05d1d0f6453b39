//! The product as it runs in production: processes of one service each, any number of replicas, on one PostgreSQL, believing
//! an issuer outside.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;

use crate::{IdentityProvider, Process, Spec, TempDatabase};

/// How many replicas of each service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Of ingestion.
    pub ingestion: usize,
    /// Of metrics.
    pub metrics: usize,
    /// Of reporting.
    pub reporting: usize,
}

/// Running processes. Everything goes with the value.
pub struct Cluster {
    /// Replicas of ingestion.
    pub ingestion: Vec<Process>,
    /// Replicas of metrics.
    pub metrics: Vec<Process>,
    /// Replicas of reporting.
    pub reporting: Vec<Process>,
    /// The identity provider they trust.
    pub provider: IdentityProvider,
    /// What they share.
    pub database: TempDatabase,
    folder: TempDir,
}

/// What the processes of a cluster have in common, before any runs.
pub struct Plan {
    /// The identity provider they trust.
    pub provider: IdentityProvider,
    /// What they share.
    pub database: TempDatabase,
    folder: TempDir,
}

impl Plan {
    /// A new issuer and an empty database.
    pub fn new(database: TempDatabase) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = (0..32).fold(String::new(), |mut key, _| {
            let _ = write!(key, "{:02x}", rand::random::<u8>());
            key
        });
        crate::write_secret(folder.path().join("user.key"), key).expect("the key of the users");
        let provider = IdentityProvider::start();
        Self { provider, database, folder }
    }

    /// Where the token of a service stands.
    pub fn token_file(&self, service: &str) -> PathBuf {
        self.folder.path().join(format!("{service}.jwt"))
    }

    /// A process of one service, without the URLs of the others.
    pub fn spec(&self, service: &str, number: usize) -> Spec {
        let name = format!("{service}-{number}");
        let folder = self.folder.path().join(&name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let token = self.token_file(service);
        if !token.exists() {
            self.provider.write_service(service, Duration::from_secs(3600), &token);
        }
        let spec = Spec::new(&name, &[service], &folder)
            .set("database_url", self.database.url())
            .set("user_key_file", self.folder.path().join("user.key").display())
            .set("service_token_file", token.display())
            // Replicas share the files of exports.
            .set("exports.folder", self.folder.path().join("exports").display());
        self.provider.believed_by(spec)
    }

    /// Starts the replicas. `tune` may change what each is started with, by service and number; whom it leaves without the URLs of
    /// the others gets those of every replica.
    pub async fn start(self, shape: Shape, tune: impl Fn(&str, usize, Spec) -> Spec) -> Cluster {
        let specs = |service: &str, count: usize| -> Vec<Spec> {
            (0..count).map(|number| tune(service, number, self.spec(service, number))).collect()
        };
        let urls = |specs: &[Spec]| specs.iter().map(Spec::url).collect::<Vec<_>>().join(",");
        let ingestion = specs("ingestion", shape.ingestion);
        let metrics = specs("metrics", shape.metrics);
        let reporting = specs("reporting", shape.reporting);
        let (to_ingestion, to_metrics) = (urls(&ingestion), urls(&metrics));
        let metrics = metrics.into_iter().map(|spec| spec.set_unless("ingestion_url", &to_ingestion));
        let reporting = reporting.into_iter().map(|spec| spec.set_unless("metrics_url", &to_metrics));
        // All at once: replicas that start together migrate together.
        let mut cluster = Cluster {
            ingestion: ingestion.into_iter().map(Process::spawn).collect(),
            metrics: metrics.map(Process::spawn).collect(),
            reporting: reporting.map(Process::spawn).collect(),
            provider: self.provider,
            database: self.database,
            folder: self.folder,
        };
        for process in cluster.processes_mut() {
            process.wait_until_serving().await;
        }
        cluster
    }
}

impl Cluster {
    /// Replicas on a new database of the shared server.
    pub async fn start(shape: Shape) -> Self {
        Plan::new(TempDatabase::postgres()).start(shape, |_, _, spec| spec).await
    }

    /// Every process.
    pub fn processes_mut(&mut self) -> impl Iterator<Item = &mut Process> {
        self.ingestion.iter_mut().chain(&mut self.metrics).chain(&mut self.reporting)
    }

    /// Where the token of a service stands.
    pub fn token_file(&self, service: &str) -> PathBuf {
        self.folder.path().join(format!("{service}.jwt"))
    }

    /// A folder for what else a test needs; it goes with the cluster.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
