//! Records of one partner, callers who send them and ask for figures, and a folder of settings tests share.

use std::{collections::BTreeMap, time::Duration};

use insights_access::Role;
use insights_domain::calendar::Day;
use insights_proto::{
    ingestion::v1::{
        ActivityColumns, IngestBatchRequest, IngestBatchResponse, ingestion_service_client::IngestionServiceClient,
    },
    metrics::v1::{Dimension, Freshness, Measure, Query, Row},
    reporting::v1::{
        GetFreshnessRequest, QueryRequest, VerifyRequest, reporting_service_client::ReportingServiceClient,
    },
};
use insights_service::{ChannelConfig, ServiceChannel};
use insights_testkit::{Cluster, IdentityProvider, Process, found};
use insights_tests::records::{self, text};
use tonic::{Code, Request, Status};

/// The partner everything is about.
pub const PARTNER: &str = "acme";
/// Longest that a call may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the long forms run.
pub fn long() -> bool {
    std::env::var("INSIGHTS_LONG").is_ok_and(|value| value == "1")
}

/// The catalogue, and until when data is complete.
pub fn catalogue() -> IngestBatchRequest {
    let sku = |id: &str, service: &str| records::sku(id, id, &format!("Product {id}"), &[service, "Teams"]);
    let skus = [sku("E3", "Exchange"), sku("D365", "Dynamics 365 Sales")];
    records::batch("catalogue", skus.into_iter().chain([records::complete_through("2025-03-31")]))
}

/// Everything about one customer. What it says follows from its number alone.
pub fn customer(number: u32) -> IngestBatchRequest {
    let (id, subscription) = (format!("C-{number:04}"), format!("S-{number:04}"));
    let mut all = vec![
        records::customer(&id, |it| {
            it.name = Some(format!("Customer {number}"));
            it.country = text(["DE", "US", "FR"][number as usize % 3]);
        }),
        records::subscription(&subscription, &id, if number.is_multiple_of(2) { "E3" } else { "D365" }, |_| {}),
        records::state(&subscription, "2025-01-10", "Active", i64::from(number % 7) + 5),
    ];
    let users: Vec<String> = (0..number % 4 + 1).map(|user| format!("U-{number}-{user}")).collect();
    all.extend(users.iter().map(|user| records::assignment(&subscription, user, "2025-01-10")));
    let mut activity = ActivityColumns {
        customers: vec![id],
        services: vec!["Teams".into(), "Exchange".into()],
        ..Default::default()
    };
    let first: Day = "2025-02-01".parse().expect("a day");
    for (position, _) in users.iter().enumerate() {
        for day in 0..20 {
            if (number + day * 3 + u32::try_from(position).expect("few users")) % 5 < 2 {
                activity.customer.push(0);
                activity.user.push(u32::try_from(position).expect("few users"));
                activity.service.push(day % 2);
                activity.day.push(first.epoch_days() + i32::try_from(day).expect("few days"));
            }
        }
    }
    activity.users = users;
    IngestBatchRequest { activity: Some(activity), ..records::batch(&format!("customer-{number}"), all) }
}

/// Questions that together touch seats, users and customers.
pub fn questions() -> Vec<Query> {
    let query = |measures: &[Measure], by: &[Dimension]| Query {
        measures: measures.iter().map(|&measure| measure as i32).collect(),
        group_by: by.iter().map(|&dimension| dimension as i32).collect(),
        from_month: "2025-01".into(),
        to_month: "2025-03".into(),
        ..Query::default()
    };
    vec![
        query(&[Measure::Customers, Measure::New, Measure::ActiveCustomers], &[Dimension::Country]),
        query(&[Measure::Available, Measure::Assigned, Measure::Active], &[Dimension::Sku]),
        query(&[Measure::ActiveUsers, Measure::TotalUsers], &[Dimension::Customer]),
    ]
}

/// Links as tests want them: quick to notice. Who only stands still for a moment is not taken for dead.
pub fn quick() -> ChannelConfig {
    ChannelConfig { keepalive_seconds: 1, resolve_seconds: 1, ..ChannelConfig::default() }
}

/// Links that notice silence at once, for tests that are about it.
pub fn suspicious() -> ChannelConfig {
    ChannelConfig { keepalive_timeout_seconds: 1, ..quick() }
}

/// A client that sends records and queries figures with the retry policy of the operator's guide.
#[derive(Clone)]
pub struct Caller {
    ingestion: ServiceChannel,
    reporting: ServiceChannel,
    token: String,
}

/// The URLs of processes, as a setting takes them.
pub fn urls(processes: &[Process]) -> String {
    processes.iter().map(|process| process.spec.url()).collect::<Vec<_>>().join(",")
}

impl Caller {
    /// A caller of these replicas.
    pub fn of(cluster: &Cluster) -> Self {
        Self::to(&cluster.provider, &urls(&cluster.ingestion), &urls(&cluster.reporting), &quick())
    }

    /// A caller of the replicas at these URLs.
    pub fn to(provider: &IdentityProvider, ingestion: &str, reporting: &str, links: &ChannelConfig) -> Self {
        let token = provider.person(PARTNER, &[Role::GlobalAdmin], Duration::from_secs(3600));
        let open = |urls| ServiceChannel::open(urls, links).expect("URLs");
        Self { ingestion: open(ingestion), reporting: open(reporting), token }
    }

    /// The same with another token.
    pub fn with_token(self, token: String) -> Self {
        Self { token, ..self }
    }

    /// A request of this caller.
    pub fn request<T>(&self, message: T, deadline: Duration) -> Request<T> {
        let mut request = Request::new(message);
        let bearer = format!("Bearer {}", self.token).parse().expect("a header");
        request.metadata_mut().insert("authorization", bearer);
        request.set_timeout(deadline);
        request
    }

    /// Records in.
    pub fn ingestion(&self) -> IngestionServiceClient<ServiceChannel> {
        IngestionServiceClient::new(self.ingestion.clone())
    }

    /// Figures out.
    pub fn reporting(&self) -> ReportingServiceClient<ServiceChannel> {
        ReportingServiceClient::new(self.reporting.clone()).max_decoding_message_size(64 << 20)
    }

    /// Sends a batch.
    pub async fn ingest(&self, batch: IngestBatchRequest) -> Result<IngestBatchResponse, Status> {
        let answer = self.ingestion().ingest_batch(self.request(batch, PATIENCE)).await?.into_inner();
        assert_eq!(answer.rejections, [], "every record is good");
        Ok(answer)
    }

    /// Sends customers of a range and says the newest version.
    pub async fn ingest_customers(&self, numbers: impl IntoIterator<Item = u32>) -> i64 {
        let mut version = self.ingest(catalogue()).await.expect("the catalogue").version;
        for number in numbers {
            version = version.max(self.ingest(customer(number)).await.expect("a customer").version);
        }
        version
    }

    /// Asks how fresh the figures are.
    pub async fn freshness(&self, min_version: i64, deadline: Duration) -> Result<Freshness, Status> {
        let request = self.request(GetFreshnessRequest { min_version }, deadline);
        let answer = self.reporting().get_freshness(request).await?;
        Ok(answer.into_inner().freshness.unwrap_or_default())
    }

    /// Waits until the figures show a version, whatever happens meanwhile.
    pub async fn visible(&self, version: i64) -> Freshness {
        found(&format!("figures of version {version}"), async || {
            let answer = self.freshness(version, PATIENCE).await;
            if let Err(status) = &answer {
                assert!(matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded), "{status:?}");
            }
            answer.ok()
        })
        .await
    }

    /// Asks one question.
    pub async fn query(&self, query: Query, min_version: i64, deadline: Duration) -> Result<Vec<Row>, Status> {
        let request = self.request(QueryRequest { query: Some(query), min_version, max_bytes: 64 << 20 }, deadline);
        Ok(self.reporting().query(request).await?.into_inner().result.unwrap_or_default().rows)
    }

    /// The answers to all questions, from this version or a later one, as comparable text.
    pub async fn figures(&self, version: i64) -> BTreeMap<usize, Vec<String>> {
        let mut figures = BTreeMap::new();
        for (number, question) in questions().into_iter().enumerate() {
            let rows = self.query(question, version, PATIENCE).await.expect("figures");
            assert!(!rows.is_empty(), "question {number} has rows");
            let mut rows: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
            rows.sort();
            figures.insert(number, rows);
        }
        figures
    }

    /// Rolls everything up again and compares; says how many figures were compared. There must be no difference.
    pub async fn verify(&self) -> i64 {
        let mut answers =
            self.reporting().verify(self.request(VerifyRequest {}, PATIENCE)).await.expect("verify").into_inner();
        let mut last = None;
        while let Some(answer) = answers.message().await.expect("verify") {
            last = Some(answer);
        }
        let last = last.expect("an answer");
        assert!(last.done && last.compared > 0, "{last:?}");
        assert_eq!(last.differences, 0, "{:?}", last.samples);
        last.compared
    }
}

/// The reason in an error's ErrorInfo and when to try again, as every error of the product says.
pub fn said(status: &Status) -> (Code, String, Option<Duration>) {
    use tonic_types::StatusExt as _;
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    (status.code(), reason, details.retry_info().and_then(|info| info.retry_delay))
}
