//! The product as people run it: `insights serve` as a process of its own on a PostgreSQL of its own, called over gRPC.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use insights_access::{Issuer, Role, TokenRequest};
use insights_proto::{
    ingestion::v1::{IngestBatchRequest, IngestStreamRequest, ingestion_service_client::IngestionServiceClient},
    metrics::v1::{Freshness, Query},
    reporting::v1::{
        GetFreshnessRequest, QueryRequest, QueryResponse, reporting_service_client::ReportingServiceClient,
    },
};
use insights_testkit::{Postgres, TempDatabase, free_port};
use serde::Deserialize;
use tonic::{
    Code, Request,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

use crate::{Failure, Options, processor::Processor, say};

/// Longest anything may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(1800);

/// The file with the caller's token.
const TOKEN: &str = "bench.token";

/// A product with an empty partner. Everything goes with it.
pub struct Product {
    server: Child,
    program: PathBuf,
    port: u16,
    endpoint: Endpoint,
    issuer: Issuer,
    token: MetadataValue<Ascii>,
    peers: TempDatabase,
    own: Option<TempDatabase>,
    postgres: PathBuf,
    folder: tempfile::TempDir,
}

/// Sums over the answers to batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// The newest version answered.
    pub version: i64,
    /// Facts and records that changed something.
    pub accepted: i64,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Imported {
    /// Records that changed something.
    pub accepted: i64,
    /// Rows that were refused.
    pub rejected: i64,
    /// The version that shows all of it.
    pub version: i64,
}

impl Product {
    /// Starts PostgreSQL and the product.
    pub async fn start(options: &Options) -> Result<Self, Failure> {
        let postgres = Postgres::durable();
        let own = postgres.database();
        Self::start_on(options, postgres, Some(own)).await
    }

    /// Starts the product on SQLite, in its own folder.
    pub async fn start_on_sqlite(options: &Options) -> Result<Self, Failure> {
        Self::start_on(options, Postgres::durable(), None).await
    }

    async fn start_on(options: &Options, postgres: Postgres, own: Option<TempDatabase>) -> Result<Self, Failure> {
        let peers = postgres.database();
        let folder = tempfile::tempdir()?;
        let issuer = Issuer::open(folder.path())?;
        let token = minted(&issuer, "bench")?;
        insights_testkit::write_secret(folder.path().join(TOKEN), &token)?;
        let port = free_port();
        let server = serve(&options.insights, port, folder.path(), own.as_ref())?;
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?.tcp_nodelay(true);
        let token = MetadataValue::try_from(format!("Bearer {token}"))?;
        let postgres = postgres.folder().to_owned();
        let program = options.insights.clone();
        let mut product = Self { server, program, port, endpoint, issuer, token, peers, own, postgres, folder };
        product.answers().await?;
        Ok(product)
    }

    /// Starts the process again, as it is after a load of data long ago.
    pub async fn restart(&mut self) -> Result<(), Failure> {
        self.server.kill()?;
        self.server.wait()?;
        self.server = serve(&self.program, self.port, self.folder.path(), self.own.as_ref())?;
        self.answers().await
    }

    async fn answers(&mut self) -> Result<(), Failure> {
        let start = Instant::now();
        while self.endpoint.connect().await.is_err() {
            if let Some(status) = self.server.try_wait()? {
                return Err(format!("the product ended at start: {status}").into());
            }
            if start.elapsed() > Duration::from_secs(120) {
                return Err("the product does not answer".into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        say(&format!("the product answers after {:.1} s", start.elapsed().as_secs_f64()));
        Ok(())
    }

    /// A database beside the product's, on the same server.
    pub fn peers(&self) -> &str {
        self.peers.url()
    }

    /// A caller with a connection of its own.
    pub async fn caller(&self) -> Result<Caller, Failure> {
        Ok(Caller { channel: self.endpoint.connect().await?, token: self.token.clone() })
    }

    /// Callers of another partner, each with a connection of its own.
    pub async fn callers_of(&self, partner: &str, count: usize) -> Result<Vec<Caller>, Failure> {
        let token = MetadataValue::try_from(format!("Bearer {}", minted(&self.issuer, partner)?))?;
        let mut callers = Vec::with_capacity(count);
        for _ in 0..count {
            callers.push(Caller { channel: self.endpoint.connect().await?, token: token.clone() });
        }
        Ok(callers)
    }

    /// Imports a file as people do, until all of it is stored.
    pub async fn import(&self, file: &Path) -> Result<Imported, Failure> {
        let mut command = tokio::process::Command::new(&self.program);
        command.args(["import", "--json", "--no-wait", "--server", &format!("http://127.0.0.1:{}", self.port)]);
        command.arg("--token-file").arg(self.folder.path().join(TOKEN)).arg("--data-dir").arg(self.folder.path());
        let output = command.arg(file).stdin(Stdio::null()).stderr(Stdio::inherit()).output().await?;
        if !output.status.success() {
            return Err(format!("the import of {} ended with {}", file.display(), output.status).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Resident memory of the process now and at most, in MiB, where the system says.
    pub fn memory(&self) -> Option<(u64, u64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.id())).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse::<u64>().ok()
        };
        Some((field("VmRSS")? / 1024, field("VmHWM")? / 1024))
    }

    /// From now on "at most" of [`Self::memory`] is since now, where the system lets us say so.
    pub fn forget_most_memory(&self) -> Result<(), Failure> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.server.id()), "5")?)
    }

    /// Processor time taken so far.
    pub fn processor(&self) -> Processor {
        Processor::now(self.server.id(), &self.postgres)
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A client with a token and a connection.
#[derive(Clone)]
pub struct Caller {
    channel: Channel,
    token: MetadataValue<Ascii>,
}

impl Caller {
    /// A request of theirs.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.token.clone());
        request
    }

    /// Reports.
    pub fn reporting(&self) -> ReportingServiceClient<Channel> {
        ReportingServiceClient::new(self.channel.clone()).max_decoding_message_size(64 << 20)
    }

    /// Sends batches on one stream and reads every answer. Nothing may be refused.
    pub async fn ingest<I>(&self, batches: I) -> Result<Ingested, Failure>
    where
        I: IntoIterator<Item = IngestBatchRequest>,
        I::IntoIter: Send + 'static,
    {
        let messages = batches.into_iter().map(|batch| IngestStreamRequest { batch: Some(batch) });
        let request = self.request(futures::stream::iter(messages));
        let mut answers = IngestionServiceClient::new(self.channel.clone()).ingest_stream(request).await?.into_inner();
        let mut sum = Ingested::default();
        while let Some(answer) = answers.message().await? {
            let answer = answer.result.ok_or("an answer without a result")?;
            if let Some(rejection) = answer.rejections.first() {
                return Err(format!("refused: {} {}", rejection.field, rejection.reason).into());
            }
            sum.version = sum.version.max(answer.version);
            sum.accepted += answer.accepted;
        }
        Ok(sum)
    }

    /// Sends one batch.
    pub async fn ingest_one(&self, batch: IngestBatchRequest) -> Result<i64, Failure> {
        let request = self.request(batch);
        Ok(IngestionServiceClient::new(self.channel.clone()).ingest_batch(request).await?.into_inner().version)
    }

    /// Waits until answers show a version.
    pub async fn visible(&self, version: i64) -> Result<Freshness, Failure> {
        let start = Instant::now();
        loop {
            let request = self.request(GetFreshnessRequest { min_version: version });
            match self.reporting().get_freshness(request).await {
                Ok(answer) => return Ok(answer.into_inner().freshness.unwrap_or_default()),
                Err(status) if status.code() == Code::DeadlineExceeded && start.elapsed() < PATIENCE => {}
                Err(status) => return Err(status.into()),
            }
        }
    }

    /// Asks a question, of an answer at least as fresh as `version`.
    pub async fn query(&self, query: Query, version: i64) -> Result<QueryResponse, Failure> {
        let request = self.request(QueryRequest { query: Some(query), min_version: version, max_bytes: 64 << 20 });
        Ok(self.reporting().query(request).await?.into_inner())
    }
}

fn minted(issuer: &Issuer, partner: &str) -> Result<String, Failure> {
    let request = TokenRequest {
        roles: vec![Role::GlobalAdmin],
        partner: partner.into(),
        ttl: Duration::from_secs(24 * 3600),
        ..TokenRequest::default()
    };
    Ok(issuer.mint(&request)?)
}

fn serve(program: &Path, port: u16, folder: &Path, database: Option<&TempDatabase>) -> Result<Child, Failure> {
    let mut command = Command::new(program);
    command
        .args(["serve", "--port", &port.to_string(), "--data-dir"])
        .arg(folder)
        .env("INSIGHTS_DATABASE_URL", database.map_or("sqlite", TempDatabase::url));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Ok(command.spawn().map_err(|error| format!("{}: {error}", program.display()))?)
}

/// The product's program in the folder of this one: one build makes both.
pub fn beside_this_program() -> Result<PathBuf, Failure> {
    let this = std::env::current_exe()?;
    // Test programs lie one folder deeper.
    let found = this.ancestors().skip(1).take(2).map(|folder| folder.join("insights")).find(|path| Path::is_file(path));
    found.ok_or_else(|| "no `insights` beside this program: `cargo build --workspace --bins` makes both".into())
}
