//! Where an installation keeps its keys and data, and how its processes are started.

use std::{
    fmt,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};

use insights_access::{Issuer, Role, TokenRequest};
use insights_database::{
    Database,
    sea_orm::{ConnectionTrait, QueryResult, Statement},
};
use insights_testkit::{Process, Spec, TempDatabase, insights};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

use super::PARTNER;

/// What a process serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Records in.
    Ingestion,
    /// Figures.
    Metrics,
    /// Answers.
    Reporting,
    /// All three.
    Everything,
}

impl Kind {
    /// The services of such a process, as its command line names them; none: all.
    fn services(self) -> &'static [&'static str] {
        match self {
            Self::Ingestion => &["ingestion"],
            Self::Metrics => &["metrics"],
            Self::Reporting => &["reporting"],
            Self::Everything => &[],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.services().first().unwrap_or(&"all-in-one"))
    }
}

/// Lines of logged errors that are shown.
const MOST_ERRORS: usize = 50;

/// A data directory, and the address of a PostgreSQL database unless it is all on SQLite.
pub struct Place {
    home: TempDir,
    url: Option<String>,
    _database: Option<TempDatabase>,
    issuer: Arc<Issuer>,
}

/// What a process is started with beside its port.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// Where ingestion is.
    pub ingestion: Option<SocketAddr>,
    /// Where metrics is.
    pub metrics: Option<SocketAddr>,
    /// Orders for its fail points; see `insights_service::fail_point`.
    pub fail_points: String,
    /// Further environment variables.
    pub environment: Vec<(&'static str, String)>,
}

impl Place {
    /// On SQLite.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::new(None, None)
    }

    /// In a new database of the shared PostgreSQL.
    #[must_use]
    pub fn postgres() -> Self {
        let database = TempDatabase::postgres();
        Self::new(Some(database.url().to_owned()), Some(database))
    }

    /// In a database at this address.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self::new(Some(url.to_owned()), None)
    }

    fn new(url: Option<String>, database: Option<TempDatabase>) -> Self {
        insights_service::install_crypto();
        let home = tempfile::tempdir().expect("a directory");
        let issuer = Arc::new(Issuer::open(&home.path().join("data")).expect("an issuer"));
        if let Some(url) = &url {
            insights_testkit::write_secret(home.path().join("url"), url).expect("the address is written");
        }
        Self { home, url, _database: database, issuer }
    }

    /// The same place after its data directory was emptied: with new keys.
    #[must_use]
    pub fn again(mut self) -> Self {
        self.issuer = Arc::new(Issuer::open(&self.beside("data")).expect("an issuer"));
        self
    }

    /// A path beside the data directory.
    #[must_use]
    pub fn beside(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Whether it is on PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.url.is_some()
    }

    /// From now on processes are started with another address of the database.
    pub fn move_to(&mut self, url: &str) {
        self.url = Some(url.to_owned());
        insights_testkit::write_secret(self.beside("url"), url).expect("the address is written");
    }

    /// The command with this installation's settings and none of the caller's environment.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = insights();
        command.env("INSIGHTS_DATA_DIR", self.beside("data")).env("XDG_STATE_HOME", self.beside("state"));
        if self.url.is_some() {
            command.env("INSIGHTS_DATABASE_URL_FILE", self.beside("url"));
        }
        command
    }

    /// Starts a process, which may not answer yet.
    #[must_use]
    pub fn spawn(&self, kind: Kind, address: SocketAddr, setting: &Setting) -> Process {
        let mut spec = Spec::new(&format!("{kind}-{}", address.port()), kind.services(), self.home.path());
        spec = spec.on_port(address.port()).variable("XDG_STATE_HOME", self.beside("state").display());
        if self.url.is_some() {
            spec = spec.set("database_url_file", self.beside("url").display());
        }
        for (name, url) in [("ingestion_url", setting.ingestion), ("metrics_url", setting.metrics)] {
            if let Some(address) = url {
                spec = spec.set(name, format!("http://{address}"));
            }
        }
        if !setting.fail_points.is_empty() {
            spec = spec.set("fail_points", &setting.fail_points);
        }
        Process::spawn(setting.environment.iter().fold(spec, |spec, (name, value)| spec.variable(name, value)))
    }

    /// Starts a process and waits until it answers.
    #[must_use]
    pub fn start(&self, kind: Kind, address: SocketAddr, setting: &Setting) -> Process {
        let mut process = self.spawn(kind, address, setting);
        assert!(process.listens(), "{kind} ended at its start:\n{}", process.log());
        process
    }

    /// Errors that processes of this place logged so far, also those that are gone.
    #[must_use]
    pub fn logged_errors(&self) -> String {
        let logs = std::fs::read_dir(self.home.path()).expect("the directory").flatten().map(|entry| entry.path());
        let logs = logs.filter(|path| path.extension().is_some_and(|ending| ending == "log"));
        let texts: Vec<String> = logs.map(|log| std::fs::read_to_string(log).unwrap_or_default()).collect();
        let errors = texts.iter().flat_map(|text| text.lines()).filter(|line| line.contains("ERROR"));
        errors.take(MOST_ERRORS).collect::<Vec<_>>().join("\n")
    }

    /// Runs a command.
    #[must_use]
    pub fn run(&self, args: &[&str], environment: &[(&str, &str)]) -> Output {
        self.command().envs(environment.iter().copied()).args(args).output().expect("the command runs")
    }

    /// Runs a command that must work; what it wrote.
    pub fn done(&self, args: &[&str]) -> String {
        let output = self.run(args, &[]);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// A token for a subject with one role.
    #[must_use]
    pub fn token(&self, subject: &str, role: Role, locations: &[&str]) -> String {
        let request = TokenRequest {
            subject: subject.into(),
            roles: vec![role],
            partner: PARTNER.into(),
            locations: locations.iter().map(|&location| location.to_owned()).collect(),
            ttl: Duration::from_secs(12 * 3600),
        };
        self.issuer.mint(&request).expect("a token")
    }

    /// A database of a service, as the product sees it.
    pub async fn database(&self, service: &str) -> Database {
        let file = || format!("sqlite:{}", self.beside("data").join(format!("{service}.db")).display());
        let url = self.url.as_ref().map_or_else(file, |url| url.replace("{service}", service));
        Database::connect(&url).await.expect("the database")
    }

    /// Reads from a service's tables behind its back.
    pub async fn rows(&self, service: &str, sql: &str) -> Vec<QueryResult> {
        let database = self.database(service).await;
        let ask = Statement::from_string(database.reader().get_database_backend(), sql);
        let rows = database.reader().query_all_raw(ask).await.expect("the query");
        database.close().await.expect("closed");
        rows
    }

    /// Changes a service's tables behind its back.
    pub async fn execute(&self, service: &str, sql: &str) {
        let database = self.database(service).await;
        database.writer().execute_unprepared(sql).await.expect("the statement");
        database.close().await.expect("closed");
    }

    /// One number from a service's tables.
    pub async fn number(&self, service: &str, sql: &str) -> i64 {
        self.rows(service, sql).await[0].try_get_by_index(0).expect("a number")
    }
}

/// A channel that connects when it is needed, and again when it broke.
#[must_use]
pub fn channel(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    endpoint.connect_timeout(Duration::from_secs(5)).connect_lazy()
}
