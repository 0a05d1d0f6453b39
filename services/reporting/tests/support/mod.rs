//! Reporting over metrics that make up figures: plain functions of measure, month and group, so that a test can say what a
//! page must show.
#![allow(dead_code, unused_imports, reason = "each test uses its part")]

mod figures;

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::Stream;
use insights_access::{AccessLayer, Clock, Issuer, Outgoing, Policy, Role, ServiceTokens, TokenRequest, Verifier};
use insights_proto::metrics::v1::{
    BatchQueryRequest, BatchQueryResponse, ExplainRequest, ExplainResponse, GetFreshnessRequest, GetFreshnessResponse,
    LookUpNamesRequest, LookUpNamesResponse, LookUpSubscriptionsRequest, LookUpSubscriptionsResponse,
    LookUpSupportCasesRequest, LookUpSupportCasesResponse, PreviewImportRequest, PreviewImportResponse,
    StreamQueryRequest, StreamQueryResponse, VerifyRequest, VerifyResponse,
    metrics_service_server::{MetricsService, MetricsServiceServer},
};
use insights_proto::reporting::v1::reporting_service_client::ReportingServiceClient;
use insights_reporting::{Audit, Config, Reporting};
use insights_service::{Chassis, Error, NamedRoutes, ServerConfig};
use insights_testkit::TempDatabase;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, transport::Channel};

pub use figures::{Figures, count};

/// Metrics that make figures up.
pub struct MadeUp(pub Arc<Figures>);

#[tonic::async_trait]
impl MetricsService for MadeUp {
    async fn batch_query(&self, request: Request<BatchQueryRequest>) -> Result<Response<BatchQueryResponse>, Status> {
        let request = request.into_inner();
        self.0.asked.lock().expect("unpoisoned").push(request.clone());
        if request.queries.iter().any(|query| query.as_of.is_some()) {
            let fault = insights_service::FieldViolation::new("queries[1].as_of", "is not served yet");
            return Err(Error::Invalid(vec![fault]).into());
        }
        Ok(Response::new(BatchQueryResponse {
            results: request.queries.iter().map(|query| self.0.answer(query)).collect(),
            explained: request.explain.iter().map(|query| self.0.explain(query)).collect(),
            freshness: Some(self.0.freshness()),
        }))
    }

    async fn explain(&self, request: Request<ExplainRequest>) -> Result<Response<ExplainResponse>, Status> {
        let query = request.into_inner().query.unwrap_or_default();
        let explanations = self.0.explain(&query).explanations;
        Ok(Response::new(ExplainResponse { explanations, freshness: Some(self.0.freshness()) }))
    }

    async fn look_up_names(
        &self,
        request: Request<LookUpNamesRequest>,
    ) -> Result<Response<LookUpNamesResponse>, Status> {
        Ok(Response::new(LookUpNamesResponse { names: self.0.names(request.get_ref()) }))
    }

    async fn look_up_subscriptions(
        &self,
        _: Request<LookUpSubscriptionsRequest>,
    ) -> Result<Response<LookUpSubscriptionsResponse>, Status> {
        let freshness = Some(self.0.freshness());
        Ok(Response::new(LookUpSubscriptionsResponse { freshness, ..LookUpSubscriptionsResponse::default() }))
    }

    async fn look_up_support_cases(
        &self,
        _: Request<LookUpSupportCasesRequest>,
    ) -> Result<Response<LookUpSupportCasesResponse>, Status> {
        let freshness = Some(self.0.freshness());
        Ok(Response::new(LookUpSupportCasesResponse { freshness, ..LookUpSupportCasesResponse::default() }))
    }

    async fn get_freshness(&self, _: Request<GetFreshnessRequest>) -> Result<Response<GetFreshnessResponse>, Status> {
        Ok(Response::new(GetFreshnessResponse { freshness: Some(self.0.freshness()) }))
    }

    async fn preview_import(
        &self,
        _: Request<Streaming<PreviewImportRequest>>,
    ) -> Result<Response<PreviewImportResponse>, Status> {
        Err(Status::unimplemented("nothing is imported here"))
    }

    type StreamQueryStream = Pin<Box<dyn Stream<Item = Result<StreamQueryResponse, Status>> + Send>>;

    async fn stream_query(
        &self,
        request: Request<StreamQueryRequest>,
    ) -> Result<Response<Self::StreamQueryStream>, Status> {
        let answer = self.0.answer(&request.into_inner().query.unwrap_or_default());
        let first = StreamQueryResponse { freshness: Some(self.0.freshness()), ..StreamQueryResponse::default() };
        let rows = StreamQueryResponse { rows: answer.rows, done: true, ..StreamQueryResponse::default() };
        Ok(Response::new(Box::pin(futures::stream::iter([Ok(first), Ok(rows)]))))
    }

    type VerifyStream = Pin<Box<dyn Stream<Item = Result<VerifyResponse, Status>> + Send>>;

    async fn verify(&self, _: Request<VerifyRequest>) -> Result<Response<Self::VerifyStream>, Status> {
        let done = VerifyResponse { done: true, ..VerifyResponse::default() };
        Ok(Response::new(Box::pin(futures::stream::iter([Ok(done)]))))
    }
}

/// A reporting service under test.
pub struct ReportingFixture {
    /// The service.
    pub reporting: Reporting,
    /// Its server.
    pub chassis: Chassis,
    /// What it was told.
    pub figures: Arc<Figures>,
    channel: Channel,
    issuer: Arc<Issuer>,
    database: TempDatabase,
    _folder: TempDir,
}

impl ReportingFixture {
    /// Starts one over these figures.
    pub async fn start(figures: Figures) -> Self {
        Self::start_with(figures, TempDatabase::sqlite(), |_| Config::default()).await
    }

    /// Starts one on this database, with settings made from its issuer.
    pub async fn start_with(
        figures: Figures,
        database: TempDatabase,
        config: impl FnOnce(&Arc<Issuer>) -> Config,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let issuer = Arc::new(Issuer::open(folder.path()).expect("an issuer"));
        let config = Config { database_url: database.url().to_owned(), ..config(&issuer) };
        let audit = Audit::open(&config.database_url, config.audit.clone(), Clock::system()).await.expect("an audit");
        let verifier = Verifier::new(issuer.access_config(), Clock::system()).expect("a verifier");
        let access = AccessLayer::new(Arc::new(verifier), Arc::new(Policy::product().expect("a policy")));
        let access = access.observed_by(audit.observer());
        let chassis = Chassis::new(ServerConfig::default(), access, CancellationToken::new()).expect("a chassis");
        let figures = Arc::new(figures);
        let made_up = MetricsServiceServer::new(MadeUp(Arc::clone(&figures)));
        let metrics = chassis.in_process(vec![NamedRoutes::new(made_up)]);
        let tokens = ServiceTokens::local(Arc::clone(&issuer), "reporting", Clock::system());
        let reporting = Reporting::new(config, audit, metrics, Outgoing::new(tokens)).expect("a reporting service");
        let channel = chassis.in_process(vec![reporting.routes()]);
        Self { reporting, chassis, figures, channel, issuer, database, _folder: folder }
    }

    /// A client, and what makes its requests.
    pub fn client(&self) -> ReportingServiceClient<Channel> {
        ReportingServiceClient::new(self.channel.clone())
    }

    /// A request of somebody with these roles at partner P-1.
    pub fn request<T>(&self, roles: &[Role], message: T) -> Request<T> {
        let token = self.issuer.mint(&token(roles)).expect("a token");
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
        request
    }

    /// Takes the audit's table away.
    pub async fn lose_audit(&self) {
        let database = insights_database::Database::connect(self.database.url()).await.expect("a database");
        use insights_database::sea_orm::ConnectionTrait;
        database.writer().execute_unprepared("DROP TABLE audit_record").await.expect("dropped");
    }
}

/// Who has these roles.
pub fn token(roles: &[Role]) -> TokenRequest {
    TokenRequest {
        roles: roles.to_vec(),
        partner: "P-1".into(),
        ttl: Duration::from_secs(3600),
        ..TokenRequest::default()
    }
}
