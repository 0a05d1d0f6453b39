//! The whole product in this process, on a port, with a database of the test's choice.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use insights_access::{Clock, Issuer, Role, TokenRequest};
use insights_product::{Product as Running, Service, Settings};
use insights_proto::ingestion::v1::{IngestBatchResponse, record::Kind};
use insights_proto::reporting::v1::reporting_service_client::ReportingServiceClient;
use insights_reporting::{ExportsConfig, Reporting};
use insights_service::{Telemetry, TelemetryConfig};
use insights_testkit::TempDatabase;
use prost::Message;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request};

use crate::records;
use crate::wire::{Answer, Wire, frame};

/// A running product.
pub struct Product {
    /// Calls to it.
    pub wire: Wire,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its tokens.
    pub issuer: Arc<Issuer>,
    /// Reports and exports.
    pub reporting: Arc<Reporting>,
    running: Running,
    folder: TempDir,
}

/// How a product is to be started, where it matters.
#[derive(Clone, Debug)]
pub struct How {
    /// What it takes for the time.
    pub clock: Clock,
    /// Settings of exports, apart from their place.
    pub exports: ExportsConfig,
    /// Exports are written; else they wait for [`Product::write_exports`].
    pub writes_exports: bool,
    /// The key that users are hashed with, 64 hexadecimal digits; none: made up.
    pub user_key: Option<String>,
}

impl Default for How {
    fn default() -> Self {
        Self { clock: Clock::system(), exports: ExportsConfig::default(), writes_exports: true, user_key: None }
    }
}

impl Product {
    /// The product on SQLite.
    pub async fn sqlite() -> Self {
        Self::sqlite_with(How::default()).await
    }

    /// The product on SQLite, started like this.
    pub async fn sqlite_with(how: How) -> Self {
        Self::start("sqlite", how).await
    }

    /// The product on a PostgreSQL database.
    pub async fn postgres(database: &TempDatabase) -> Self {
        Self::postgres_with(database, How::default()).await
    }

    /// The product on a PostgreSQL database, started like this.
    pub async fn postgres_with(database: &TempDatabase, how: How) -> Self {
        Self::start(database.url(), how).await
    }

    async fn start(database_url: &str, how: How) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        insights_service::install_crypto();
        if let Ok(log) = std::env::var("INSIGHTS_TEST_LOG") {
            let config = TelemetryConfig { log, ..TelemetryConfig::default() };
            // One per process: the next product's lines go the same way.
            let _ = Telemetry::start(&config, &[], false);
        }
        if let Some(key) = how.user_key {
            std::fs::write(folder.path().join("user.key"), key).expect("the key is written");
        }
        let settings = Settings {
            data_dir: folder.path().to_owned(),
            database_url: database_url.to_owned(),
            exports: ExportsConfig { folder: PathBuf::new(), scratch_folder: PathBuf::new(), ..how.exports },
            ..Settings::default()
        };
        let mut running = Running::open(&settings, &how.clock, &Service::ALL, None).await.expect("the product");
        running.work(Service::Ingestion);
        running.work(Service::Metrics);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        running.listen(listener);
        let issuer = Arc::clone(running.issuer().expect("the local development issuer"));
        let reporting = Arc::clone(running.reporting().expect("reporting"));
        let product = Self { wire: Wire::to(address), address, issuer, reporting, running, folder };
        if how.writes_exports {
            product.write_exports();
        }
        product
    }

    /// Begins to write exports in the background.
    pub fn write_exports(&self) {
        let (reporting, stop) = (Arc::clone(&self.reporting), self.running.shutdown().clone());
        tokio::spawn(async move { reporting.run(stop).await });
    }

    /// The files of exports.
    #[must_use]
    pub fn export_files(&self) -> Vec<std::path::PathBuf> {
        files(&self.folder.path().join("exports"))
    }

    /// The address of a service's database, where it is a file.
    #[must_use]
    pub fn sqlite_url(&self, service: &str) -> String {
        format!("sqlite:{}", self.folder.path().join(format!("{service}.db")).display())
    }

    /// A client of reporting with this token.
    ///
    /// # Panics
    /// When the server is not there.
    pub async fn person(&self, token: &str) -> Person {
        let channel = Channel::from_shared(format!("http://{}", self.address)).expect("a url").connect().await;
        Person::new(channel.expect("a channel"), token)
    }

    /// A token with these roles, bound to these locations (none: unbound).
    #[must_use]
    pub fn token(&self, partner: &str, roles: &[Role], locations: &[&str]) -> String {
        let request = TokenRequest {
            subject: "ada".into(),
            roles: roles.to_vec(),
            partner: partner.into(),
            locations: locations.iter().map(|&location| location.to_owned()).collect(),
            ttl: Duration::from_secs(600),
        };
        self.issuer.mint(&request).expect("a token")
    }

    /// Sends a request and reads the answer, which stays beside its bytes.
    pub async fn ask<A: Message + Default>(&self, path: &str, token: &str, request: &impl Message) -> (Answer, A) {
        let bearer = format!("Bearer {token}");
        let body = frame(&request.encode_to_vec());
        let answer = self.wire.call(path, &[("authorization", &bearer)], &body).await.expect("an answer");
        let message = answer.body.get(5..).and_then(|bytes| A::decode(bytes).ok()).unwrap_or_default();
        (answer, message)
    }

    /// Ingests records for a partner, all of which are good, and returns the version.
    pub async fn ingest(&self, partner: &str, records: impl IntoIterator<Item = Kind>) -> i64 {
        let answer = self.ingest_some(partner, records).await;
        assert_eq!(answer.rejections, [], "every record is good");
        answer.version
    }

    /// Ingests records for a partner.
    pub async fn ingest_some(&self, partner: &str, kinds: impl IntoIterator<Item = Kind>) -> IngestBatchResponse {
        let batch = records::batch("batch-1", kinds);
        let token = self.token(partner, &[Role::DataSource], &[]);
        let path = "/insights.ingestion.v1.IngestionService/IngestBatch";
        let (answer, stored) = self.ask::<IngestBatchResponse>(path, &token, &batch).await;
        assert_eq!(answer.code(), Code::Ok, "{answer:?}");
        stored
    }
}

/// Every file of a folder and of those within, without the mark by which replicas know a directory of exports.
#[must_use]
pub fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut open = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if !path.ends_with(".replicas") {
                files.push(path);
            }
        }
    }
    files
}

/// A client of reporting with a token.
#[derive(Clone)]
pub struct Person {
    /// Their client.
    pub client: ReportingServiceClient<Channel>,
    token: AsciiMetadataValue,
}

impl Person {
    /// A client with a token that calls over this channel.
    ///
    /// # Panics
    /// When the token is none.
    #[must_use]
    pub fn new(channel: Channel, token: &str) -> Self {
        let client = ReportingServiceClient::new(channel).max_decoding_message_size(64 << 20);
        Self { client, token: format!("Bearer {token}").parse().expect("a header") }
    }

    /// A request of theirs.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.token.clone());
        request
    }
}
