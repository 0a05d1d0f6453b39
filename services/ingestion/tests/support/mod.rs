//! The service behind its access layer, in memory, on either engine.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod make;
pub mod world;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, Utc};
use insights_access::{AccessLayer, Clock, Issuer, Outgoing, Policy, Role, ServiceTokens, TokenRequest, Verifier};
use insights_ingestion::{Config, Ingestion};
use insights_proto::ingestion::v1::{
    IngestBatchRequest, IngestBatchResponse, ListWaitingRequest, Record,
    change_feed_service_client::ChangeFeedServiceClient, ingestion_service_client::IngestionServiceClient,
};
use insights_service::{Chassis, ServerConfig};
use insights_testkit::TempDatabase;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status, transport::Channel};

/// Makes one test per engine of each `async fn(Engine)`.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name($crate::support::Engine::Sqlite).await; })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::support::Engine::Postgres).await; })*
        }
    };
}

/// Where a test's data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A database and a key, of any number of services one after the other.
pub struct Place {
    pub database: TempDatabase,
    pub folder: tempfile::TempDir,
    issuer: Arc<Issuer>,
    now: Arc<Mutex<DateTime<Utc>>>,
}

/// The service, running.
pub struct Service {
    pub place: Arc<Place>,
    pub channel: Channel,
    stop: CancellationToken,
}

pub const PARTNER: &str = "contoso-partner";

impl Place {
    pub fn new(engine: Engine) -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let database = match engine {
            Engine::Sqlite => TempDatabase::sqlite(),
            Engine::Postgres => TempDatabase::postgres(),
        };
        let issuer = Arc::new(Issuer::open(folder.path()).unwrap());
        let now = Arc::new(Mutex::new("2024-06-20T12:00:00Z".parse().unwrap()));
        Arc::new(Self { database, folder, issuer, now })
    }

    pub fn key_file(&self) -> PathBuf {
        self.folder.path().join("users.key")
    }

    pub fn config(&self) -> Config {
        Config::new(self.database.url(), self.key_file())
    }

    pub fn set_now(&self, now: &str) {
        *self.now.lock().unwrap() = now.parse().unwrap();
    }

    pub fn clock(&self) -> Clock {
        let now = Arc::clone(&self.now);
        Clock::new(move || *now.lock().unwrap())
    }
}

impl Service {
    pub async fn start(engine: Engine) -> Self {
        let place = Place::new(engine);
        let config = place.config();
        Self::open(place, config).await
    }

    pub async fn open(place: Arc<Place>, config: Config) -> Self {
        Self::open_under(place, config, Policy::product().unwrap()).await
    }

    pub async fn open_under(place: Arc<Place>, config: Config, policy: Policy) -> Self {
        let ingestion = Arc::new(Ingestion::open(config, place.clock()).await.unwrap());
        let verifier = Arc::new(Verifier::new(place.issuer.access_config(), Clock::system()).unwrap());
        let access = AccessLayer::new(verifier, Arc::new(policy)).observed_by(ingestion.denials());
        let stop = CancellationToken::new();
        let chassis = Chassis::new(ServerConfig::default(), access, stop.clone()).unwrap();
        let channel = chassis.in_process(vec![ingestion.routes()]);
        let running = stop.clone();
        tokio::spawn(async move { ingestion.run(running).await.unwrap() });
        Self { place, channel, stop }
    }

    pub fn request<T>(&self, partner: &str, role: Role, message: T) -> Request<T> {
        let token = TokenRequest { roles: vec![role], partner: partner.to_owned(), ..TokenRequest::default() };
        let token = self.place.issuer.mint(&token).unwrap();
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    }

    /// A request of a caller who is bound to locations.
    pub fn bound<T>(&self, role: Role, locations: &[&str], message: T) -> Request<T> {
        let locations = locations.iter().map(|location| (*location).to_owned()).collect();
        let token =
            TokenRequest { roles: vec![role], partner: PARTNER.to_owned(), locations, ..TokenRequest::default() };
        let token = self.place.issuer.mint(&token).unwrap();
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    }

    pub fn as_source<T>(&self, message: T) -> Request<T> {
        self.request(PARTNER, Role::DataSource, message)
    }

    pub fn as_service<T>(&self, message: T) -> Request<T> {
        let tokens = ServiceTokens::local(Arc::clone(&self.place.issuer), "metrics", Clock::system());
        Outgoing::new(tokens).as_service(message).unwrap()
    }

    pub fn ingestion(&self) -> IngestionServiceClient<Channel> {
        IngestionServiceClient::new(self.channel.clone())
            .max_decoding_message_size(64 << 20)
            .max_encoding_message_size(64 << 20)
    }

    pub fn feed(&self) -> ChangeFeedServiceClient<Channel> {
        ChangeFeedServiceClient::new(self.channel.clone()).max_decoding_message_size(64 << 20)
    }

    pub async fn send(&self, batch: IngestBatchRequest) -> Result<IngestBatchResponse, Status> {
        self.ingestion().ingest_batch(self.as_source(batch)).await.map(tonic::Response::into_inner)
    }

    /// Sends records and expects none to be refused.
    pub async fn take(&self, records: Vec<Record>) -> IngestBatchResponse {
        let answer = self.send(IngestBatchRequest { records, ..Default::default() }).await.unwrap();
        assert_eq!(answer.rejections, vec![]);
        answer
    }

    /// What is waited for, as `kind/id` → records.
    pub async fn waiting(&self) -> Vec<(String, i64)> {
        let answer = self.ingestion().list_waiting(self.as_source(ListWaitingRequest::default())).await.unwrap();
        let references = answer.into_inner().references.into_iter();
        references.map(|missing| (format!("{}/{}", missing.kind, missing.id), missing.waiting)).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

use insights_proto::ingestion::v1::{PartnerPosition, StreamChangesRequest, StreamChangesResponse};

impl Service {
    /// Changes after a version up to the newest one, put together.
    pub async fn changes_since(&self, version: i64) -> StreamChangesResponse {
        let facts = self.partner_facts().await;
        let position = PartnerPosition { partner: PARTNER.to_owned(), epoch: facts.epoch, version, stamp: 0 };
        let request = self.as_service(StreamChangesRequest { positions: vec![position] });
        let mut stream = self.feed().stream_changes(request).await.unwrap().into_inner();
        let mut all: Option<StreamChangesResponse> = None;
        while all.as_ref().is_none_or(|all| all.last_version < facts.version) {
            let next = stream.message().await.unwrap().unwrap();
            if next.partner != PARTNER {
                continue;
            }
            match &mut all {
                None => all = Some(next),
                Some(all) => {
                    assert_eq!(next.first_version, all.last_version + 1, "no gap");
                    all.last_version = next.last_version;
                    all.customers.extend(next.customers);
                }
            }
        }
        all.unwrap()
    }
}
