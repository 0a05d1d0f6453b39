//! Client of metrics, which sends the service's own token and the caller's.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::Stream;
use insights_access::{Outgoing, Principal, Viewer};
use insights_domain::calendar::{Day, Month};
use insights_proto::ingestion::v1::{ErasureSubject, PreviewErasureResponse as Found};
use insights_proto::metrics::v1::{
    AllowErasedRequest, BatchQueryRequest, BatchQueryResponse, Dimension, EraseRequest, ExplainRequest,
    ExplainResponse, Freshness, GetFreshnessRequest, LookUpNamesRequest, LookUpSubscriptionsRequest,
    LookUpSubscriptionsResponse, LookUpSupportCasesRequest, LookUpSupportCasesResponse, Name, PreviewErasureRequest,
    PreviewImportRequest, PreviewImportResponse, StreamQueryRequest, StreamQueryResponse, SubscriptionDetails,
    VerifyRequest, VerifyResponse, erasure_service_client::ErasureServiceClient,
    metrics_service_client::MetricsServiceClient,
};
use insights_service::{Deadline, MessageLimits, ServiceChannel, forward};
use tonic::{Code, Request, Status, Streaming};

/// Most ids of one request for names.
const NAMES_AT_ONCE: usize = 10_000;

/// The connection to metrics.
#[derive(Clone)]
pub struct MetricsClient {
    client: MetricsServiceClient<ServiceChannel>,
    erasure: ErasureServiceClient<ServiceChannel>,
    outgoing: Outgoing,
    /// How often it was asked for whether metrics takes our token, since it did.
    asked: Arc<AtomicU64>,
}

/// Every so many times that is asked for, metrics is asked.
const ASKED_AGAIN: u64 = 6;
/// How long it may take to say so.
const PATIENCE: Duration = Duration::from_secs(2);

impl fmt::Debug for MetricsClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MetricsClient")
    }
}

impl MetricsClient {
    /// A client over this channel.
    pub fn new(channel: ServiceChannel, outgoing: Outgoing, limits: &MessageLimits) -> Self {
        let erasure = ErasureServiceClient::new(channel.clone());
        let client = MetricsServiceClient::new(channel)
            .max_decoding_message_size(limits.response_bytes)
            .max_encoding_message_size(limits.request_bytes.max(limits.response_bytes));
        Self { client, erasure, outgoing, asked: Arc::default() }
    }

    /// The answer to one query in parts, under the rights of the viewer it names.
    pub async fn stream_query(&self, request: StreamQueryRequest) -> Result<Streaming<StreamQueryResponse>, Status> {
        let answer = self.client.clone().stream_query(self.outgoing.as_service(request)?).await;
        answer.map(tonic::Response::into_inner)
    }

    /// Whether metrics takes our token. Once it did, only a refusal counts: metrics that is away is the same for all replicas.
    pub async fn accepted(&self) -> Result<(), String> {
        let asked = self.asked.load(Ordering::Relaxed);
        if !asked.is_multiple_of(ASKED_AGAIN) {
            self.asked.store(asked + 1, Ordering::Relaxed);
            return Ok(());
        }
        // A question about nothing is refused for that, after the token was taken.
        let answer = tokio::time::timeout(PATIENCE, self.stream_query(StreamQueryRequest::default())).await;
        let status = match answer {
            Ok(answer) => answer.map_or_else(|status| status, |_| Status::ok("")),
            Err(_) => Status::deadline_exceeded("no answer"),
        };
        let said = match status.code() {
            code @ (Code::Unauthenticated | Code::PermissionDenied) => {
                Err(format!("it does not take our token ({code:?}): see its access.services"))
            }
            Code::Ok | Code::InvalidArgument => Ok(()),
            _ if asked > 0 => Ok(()),
            code => Err(format!("{code:?}: {}", status.message())),
        };
        if said.is_ok() {
            self.asked.store(asked + 1, Ordering::Relaxed);
        }
        said
    }

    /// What an erasure would take away, under the rights of a viewer.
    pub async fn preview_erasure(&self, viewer: &Viewer, subject: ErasureSubject) -> Result<Found, Status> {
        let request = PreviewErasureRequest { viewer: Some(viewer.to_message()), subject: Some(subject) };
        let answer = self.erasure.clone().preview_erasure(self.outgoing.as_service(request)?).await?;
        Ok(answer.into_inner().found.unwrap_or_default())
    }

    /// Erases facts and figures; the version without them.
    pub async fn erase(&self, viewer: &Viewer, subject: ErasureSubject) -> Result<i64, Status> {
        let request = EraseRequest { viewer: Some(viewer.to_message()), subject: Some(subject) };
        let answer = self.erasure.clone().erase(self.outgoing.as_service(request)?).await?;
        Ok(answer.into_inner().version)
    }

    /// Lets facts of the erased come again; whether they were refused.
    pub async fn allow_erased(&self, viewer: &Viewer, subject: ErasureSubject) -> Result<bool, Status> {
        let request = AllowErasedRequest { viewer: Some(viewer.to_message()), subject: Some(subject) };
        let answer = self.erasure.clone().allow_erased(self.outgoing.as_service(request)?).await?;
        Ok(answer.into_inner().allowed)
    }

    /// A client for one call: with the caller's token, until the caller's deadline.
    pub fn on_behalf(&self, caller: &Arc<Principal>, deadline: Option<Deadline>) -> CallerMetrics {
        CallerMetrics { upstream: self.clone(), caller: Arc::clone(caller), deadline, since: 0 }
    }
}

/// Metrics for one call.
#[derive(Clone)]
pub struct CallerMetrics {
    upstream: MetricsClient,
    caller: Arc<Principal>,
    deadline: Option<Deadline>,
    /// Lookups need at least this version, because another replica may be behind the one that answered before.
    since: i64,
}

impl CallerMetrics {
    /// The same client with lookups in at least this version.
    #[must_use]
    pub fn since(&self, version: i64) -> Self {
        Self { since: version, ..self.clone() }
    }

    fn request<T>(&self, message: T) -> Result<Request<T>, Status> {
        let mut request = self.upstream.outgoing.for_caller(&self.caller, message)?;
        if let Some(deadline) = self.deadline {
            request.set_timeout(deadline.left());
        }
        Ok(request)
    }

    fn client(&self) -> MetricsServiceClient<ServiceChannel> {
        self.upstream.client.clone()
    }

    /// Runs queries on one version.
    pub async fn batch(&self, request: BatchQueryRequest) -> Result<BatchQueryResponse, Status> {
        let answer = self.client().batch_query(self.request(request)?).await;
        answer.map(tonic::Response::into_inner).map_err(forward)
    }

    /// Explains a percentage.
    pub async fn explain(&self, request: ExplainRequest) -> Result<ExplainResponse, Status> {
        let answer = self.client().explain(self.request(request)?).await;
        answer.map(tonic::Response::into_inner).map_err(forward)
    }

    /// Version and end of the data.
    pub async fn freshness(&self, min_version: i64) -> Result<Freshness, Status> {
        let answer = self.client().get_freshness(self.request(GetFreshnessRequest { min_version })?).await;
        Ok(answer.map_err(forward)?.into_inner().freshness.unwrap_or_default())
    }

    /// Answers queries before and after an import that is tried.
    pub async fn preview_import(
        &self,
        batches: impl Stream<Item = PreviewImportRequest> + Send + 'static,
    ) -> Result<PreviewImportResponse, Status> {
        let answer = self.client().preview_import(self.request(batches)?).await;
        answer.map(tonic::Response::into_inner).map_err(forward)
    }

    /// Recomputes the figures from the facts and compares them.
    pub async fn verify(&self) -> Result<Streaming<VerifyResponse>, Status> {
        let answer = self.client().verify(self.request(VerifyRequest {})?).await;
        answer.map(tonic::Response::into_inner).map_err(forward)
    }

    /// Values of a dimension whose id or name contains a text.
    pub async fn search(&self, dimension: Dimension, search: &str) -> Result<Vec<Name>, Status> {
        self.look_up(dimension, Vec::new(), search).await
    }

    /// Names by id; ids without a name are left out.
    pub async fn names(&self, dimension: Dimension, ids: &[String]) -> Result<HashMap<String, String>, Status> {
        let mut names = HashMap::new();
        for ids in ids.chunks(NAMES_AT_ONCE) {
            for Name { id, name } in self.look_up(dimension, ids.to_vec(), "").await? {
                if !name.is_empty() {
                    names.insert(id, name);
                }
            }
        }
        Ok(names)
    }

    /// The name of an id; `None` when the caller does not see it.
    pub async fn find_name(&self, dimension: Dimension, id: &str) -> Result<Option<String>, Status> {
        let found = self.look_up(dimension, vec![id.to_owned()], "").await?;
        Ok(found.into_iter().find(|entry| entry.id == id).map(|entry| entry.name))
    }

    /// Details of subscriptions at the end of a month, by id.
    pub async fn subscriptions(
        &self,
        ids: Vec<String>,
        month: Month,
    ) -> Result<HashMap<String, SubscriptionDetails>, Status> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self
            .look_up_subscriptions(LookUpSubscriptionsRequest { ids, month: month.to_string(), ..Default::default() })
            .await?;
        Ok(found.subscriptions.into_iter().map(|details| (details.subscription_id.clone(), details)).collect())
    }

    /// Subscriptions that end within a range of days, the first one first, with details at the end of a month.
    pub async fn ending(&self, from: Day, to: Day, month: Month) -> Result<LookUpSubscriptionsResponse, Status> {
        let (ends_from, ends_to) = (from.to_string(), to.to_string());
        self.look_up_subscriptions(LookUpSubscriptionsRequest {
            ends_from,
            ends_to,
            month: month.to_string(),
            ..Default::default()
        })
        .await
    }

    async fn look_up_subscriptions(
        &self,
        request: LookUpSubscriptionsRequest,
    ) -> Result<LookUpSubscriptionsResponse, Status> {
        let request = LookUpSubscriptionsRequest { min_version: self.since, ..request };
        let answer = self.client().look_up_subscriptions(self.request(request)?).await;
        answer.map(tonic::Response::into_inner).map_err(forward)
    }

    /// Customers with how-to support cases, most first.
    pub async fn support_cases(
        &self,
        from: Month,
        to: Month,
        min_how_to: i64,
    ) -> Result<LookUpSupportCasesResponse, Status> {
        let (from_month, to_month) = (from.to_string(), to.to_string());
        let request =
            self.request(LookUpSupportCasesRequest { from_month, to_month, min_how_to, min_version: self.since })?;
        let answer = self.client().look_up_support_cases(request).await;
        answer.map(tonic::Response::into_inner).map_err(forward)
    }

    async fn look_up(&self, dimension: Dimension, ids: Vec<String>, search: &str) -> Result<Vec<Name>, Status> {
        let request =
            LookUpNamesRequest { dimension: dimension as i32, ids, search: search.to_owned(), min_version: self.since };
        let answer = self.client().look_up_names(self.request(request)?).await;
        Ok(answer.map_err(forward)?.into_inner().names)
    }
}
