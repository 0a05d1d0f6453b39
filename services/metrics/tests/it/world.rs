//! A metrics service, its feed and its callers, in one process.

use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use insights_access::{AccessLayer, Issuer, Outgoing, Policy, Role, ServiceTokens, TokenRequest, Verifier};
use insights_metrics::{Config, Metrics};
use insights_proto::ingestion::v1::ingestion_service_client::IngestionServiceClient;
use insights_proto::ingestion::v1::{
    ActivityColumns, ActivityFacts, AssignmentFacts, Attribution, Customer, FirstActivity, IngestBatchRequest, Record,
    ServiceFacts, Sku, SkuFacts, StateFacts, StreamFactsResponse, Subscription, SubscriptionFacts, record,
};
use insights_proto::metrics::v1::metrics_service_client::MetricsServiceClient;
use insights_proto::metrics::v1::{
    BatchQueryRequest, BatchQueryResponse, Dimension, Measure, Query, Row, VerifyRequest, VerifyResponse, value,
};
use insights_service::{Chassis, Clock, ServerConfig, ServiceChannel};
use insights_testkit::TempDatabase;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::fake_feed::{Book, FakeFeed};

pub const PARTNER: &str = "contoso";

/// Runs a test on both engines.
pub async fn on_both_engines<F: Future<Output = ()>>(test: impl Fn(TempDatabase) -> F) {
    test(TempDatabase::sqlite()).await;
    test(TempDatabase::postgres()).await;
}

pub struct World {
    pub feed: FakeFeed,
    pub database: TempDatabase,
    /// Of every replica.
    pub cubes_in_memory: usize,
    issuer: Arc<Issuer>,
    chassis: Chassis,
    ingestion: Channel,
    shutdown: CancellationToken,
    _keys: TempDir,
}

/// One replica of the service; it stops when dropped.
pub struct Replica {
    pub client: MetricsServiceClient<Channel>,
    issuer: Arc<Issuer>,
    shutdown: CancellationToken,
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Noon of a day.
pub fn noon(day: &str) -> DateTime<Utc> {
    day.parse::<NaiveDate>().unwrap().and_hms_opt(12, 0, 0).unwrap().and_utc()
}

impl World {
    /// With a feed held in the test's hands.
    pub fn new(database: TempDatabase) -> Self {
        let feed = FakeFeed::new();
        let (issuer, chassis, shutdown, keys) = ground();
        let ingestion = chassis.in_process(vec![feed.routes()]);
        Self { feed, database, cubes_in_memory: 256, issuer, chassis, ingestion, shutdown, _keys: keys }
    }

    /// With the real ingestion on a database of its own.
    pub async fn with_ingestion(database: TempDatabase, facts: &TempDatabase, clock: Clock) -> Self {
        let (issuer, chassis, shutdown, keys) = ground();
        let mut config = insights_ingestion::Config::new(facts.url(), keys.path().join("user.key"));
        config.feed_poll = std::time::Duration::from_millis(20);
        let service = insights_ingestion::Ingestion::open(config, clock).await.unwrap();
        let ingestion = chassis.in_process(vec![service.routes()]);
        let stop = shutdown.clone();
        tokio::spawn(async move { service.run(stop).await });
        Self {
            feed: FakeFeed::new(),
            database,
            cubes_in_memory: 256,
            issuer,
            chassis,
            ingestion,
            shutdown,
            _keys: keys,
        }
    }

    /// Sends records and activity (user, service, day); returns the version after them.
    pub async fn ingest(&self, records: Vec<record::Kind>, activity: &[(&str, &str, &str, &str)]) -> i64 {
        let mut columns = ActivityColumns::default();
        for (position, (customer, user, service, on)) in (0_u32..).zip(activity) {
            columns.customers.push((*customer).to_owned());
            columns.users.push((*user).to_owned());
            columns.services.push((*service).to_owned());
            columns.customer.push(position);
            columns.user.push(position);
            columns.service.push(position);
            columns.day.push(day(on));
        }
        let records = records.into_iter().map(|kind| Record { kind: Some(kind), ..Record::default() }).collect();
        let mut request =
            Request::new(IngestBatchRequest { records, activity: Some(columns), ..IngestBatchRequest::default() });
        let token = self.issuer.mint(&admin()).unwrap();
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let answer =
            IngestionServiceClient::new(self.ingestion.clone()).ingest_batch(request).await.unwrap().into_inner();
        assert!(answer.rejections.is_empty(), "{:?}", answer.rejections);
        answer.version
    }

    /// A replica that follows the feed.
    pub async fn replica(&self, clock: Clock) -> Replica {
        self.replica_with(clock, true).await
    }

    /// The service of a replica whose ingestion is elsewhere.
    pub async fn metrics_of(&self, ingestion: ServiceChannel) -> Metrics {
        let config = Config { database_url: self.database.url().to_owned(), ..Config::default() };
        let outgoing = Outgoing::new(ServiceTokens::local(self.issuer.clone(), "metrics", Clock::system()));
        Metrics::open(config, Clock::system(), ingestion, outgoing).await.unwrap()
    }

    /// A replica that follows the feed, or only answers.
    pub async fn replica_with(&self, clock: Clock, follows: bool) -> Replica {
        let config = Config {
            database_url: self.database.url().to_owned(),
            customers_per_group: 2,
            poll_milliseconds: 20,
            tick_milliseconds: 20,
            retry_milliseconds: 20,
            cubes_in_memory: self.cubes_in_memory,
            ..Config::default()
        };
        let outgoing = Outgoing::new(ServiceTokens::local(self.issuer.clone(), "metrics", Clock::system()));
        let metrics = Metrics::open(config, clock, self.ingestion.clone(), outgoing).await.unwrap();
        let shutdown = self.shutdown.child_token();
        let client = MetricsServiceClient::new(self.chassis.in_process(vec![metrics.routes()]));
        if follows {
            let stop = shutdown.clone();
            tokio::spawn(async move { metrics.run(stop).await });
        } else {
            let stop = shutdown.clone();
            tokio::spawn(async move { metrics.poll(stop).await });
        }
        Replica { client, issuer: self.issuer.clone(), shutdown }
    }
}

fn ground() -> (Arc<Issuer>, Chassis, CancellationToken, TempDir) {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    let keys = tempfile::tempdir().unwrap();
    let issuer = Arc::new(Issuer::open(keys.path()).unwrap());
    let verifier = Verifier::new(issuer.access_config(), Clock::system()).unwrap();
    let access = AccessLayer::new(Arc::new(verifier), Arc::new(Policy::product().unwrap()));
    let shutdown = CancellationToken::new();
    let chassis = Chassis::new(ServerConfig::default(), access, shutdown.clone()).unwrap();
    (issuer, chassis, shutdown, keys)
}

/// Whoever sees everything of the partner.
pub fn admin() -> TokenRequest {
    TokenRequest { roles: vec![Role::GlobalAdmin], partner: PARTNER.to_owned(), ..TokenRequest::default() }
}

impl Replica {
    /// A header with somebody's token.
    pub fn bearer(&self, caller: &TokenRequest) -> AsciiMetadataValue {
        format!("Bearer {}", self.issuer.mint(caller).unwrap()).parse().unwrap()
    }

    /// A request of a service by itself.
    pub fn as_service<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let service = self.issuer.mint_service("reporting").unwrap();
        request.metadata_mut().insert("authorization", format!("Bearer {service}").parse().unwrap());
        request
    }

    /// A request on somebody's behalf.
    pub fn as_caller<T>(&self, caller: &TokenRequest, message: T) -> Request<T> {
        let mut request = self.as_service(message);
        request.metadata_mut().insert("x-insights-caller", self.issuer.mint(caller).unwrap().parse().unwrap());
        request
    }

    pub async fn batch(
        &self,
        caller: &TokenRequest,
        queries: Vec<Query>,
        min_version: i64,
    ) -> Result<BatchQueryResponse, Status> {
        let message = BatchQueryRequest { queries, min_version, explain: Vec::new() };
        Ok(self.client.clone().batch_query(self.as_caller(caller, message)).await?.into_inner())
    }

    /// Rows of one query at a version, in short: month, dimensions, values.
    pub async fn rows(&self, query: Query, min_version: i64) -> Vec<String> {
        let answer = self.batch(&admin(), vec![query], min_version).await.unwrap();
        answer.results[0].rows.iter().map(short).collect()
    }

    /// The result of a verification.
    pub async fn verify(&self) -> VerifyResponse {
        let request = self.as_caller(&admin(), VerifyRequest {});
        let mut stream = self.client.clone().verify(request).await.unwrap().into_inner();
        let mut last = None;
        while let Some(progress) = stream.message().await.unwrap() {
            last = Some(progress);
        }
        let last = last.unwrap();
        assert!(last.done);
        last
    }
}

/// `2026-05 BR: 3 1/2`.
pub fn short(row: &Row) -> String {
    let dimensions = row.dimensions.iter().map(|value| format!(" {}", value.value.as_deref().unwrap_or("(none)")));
    let values = row.values.iter().map(|value| match &value.kind {
        None => " null".to_owned(),
        Some(value::Kind::Count(count)) => format!(" {count}"),
        Some(value::Kind::Percentage(share)) => {
            format!(" {}/{}", share.numerator.unwrap_or(-1), share.denominator.unwrap_or(-1))
        }
        Some(value::Kind::Amount(amount)) => format!(" {amount}{}", row.currency),
    });
    format!("{}{}:{}", row.month, dimensions.collect::<String>(), values.collect::<String>())
}

pub fn query(measures: &[Measure], by: &[Dimension], from: &str, to: &str) -> Query {
    Query {
        measures: measures.iter().map(|measure| *measure as i32).collect(),
        group_by: by.iter().map(|dimension| *dimension as i32).collect(),
        from_month: from.to_owned(),
        to_month: to.to_owned(),
        ..Query::default()
    }
}

pub fn day(text: &str) -> i32 {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
    i32::try_from((text.parse::<NaiveDate>().unwrap() - epoch).num_days()).unwrap()
}

pub fn month(text: &str) -> i32 {
    let (year, month) = text.split_once('-').unwrap();
    year.parse::<i32>().unwrap() * 12 + month.parse::<i32>().unwrap() - 1
}

/// A catalogue of one SKU (1, `e3`, with service 1, Exchange), complete through a day.
pub fn catalogue(book: &mut Book, complete_through: &str) {
    book.partner.complete_through = Some(day(complete_through));
    book.partner.services = vec![ServiceFacts { number: 1, name: "Exchange".into() }];
    let sku = Sku {
        sku_id: "e3".into(),
        name: "E3".into(),
        product: "Office 365".into(),
        services: vec!["Exchange".into()],
        free: false,
    };
    book.partner.skus = vec![SkuFacts { number: 1, known: true, sku: Some(sku), services: vec![1] }];
}

/// A customer with one subscription of 10 seats of SKU 1, active from a day on, attributed to location `l<number>`.
pub fn customer(number: i64, country: &str, since: &str) -> StreamFactsResponse {
    let id = format!("C-{number}");
    let subscription = u32::try_from(number).unwrap();
    StreamFactsResponse {
        customer: number,
        cell: i32::try_from(number % 16).unwrap(),
        customer_id: id.clone(),
        attributes: Some(Customer { customer_id: id.clone(), country: Some(country.into()), ..Customer::default() }),
        subscriptions: vec![SubscriptionFacts {
            number: subscription,
            sku: 1,
            subscription: Some(Subscription {
                subscription_id: format!("S-{number}"),
                customer_id: id,
                sku_id: "e3".into(),
                attributions: vec![Attribution { location_id: Some(format!("l{number}")), r#type: Some("CSP".into()) }],
                ..Subscription::default()
            }),
        }],
        states: vec![StateFacts {
            subscription,
            effective: day(since),
            status: "Active".into(),
            seats: 10,
            sku: 0,
            trial: None,
        }],
        ..StreamFactsResponse::default()
    }
}

/// User 0 of a customer holds a seat from a day on and is active on that day.
pub fn use_seat(customer: &mut StreamFactsResponse, since: &str) {
    let subscription = customer.subscriptions[0].number;
    customer.assignments.push(AssignmentFacts { subscription, user: 0, from_day: day(since), to_day: None });
    let bit = since[8..].parse::<u32>().unwrap() - 1;
    customer.activity.push(ActivityFacts {
        service: 1,
        month: month(&since[..7]),
        user: vec![0],
        days: vec![1 << bit],
    });
    customer.first_activity.push(FirstActivity { service: 1, day: day(since) });
}
