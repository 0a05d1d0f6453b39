//! The gRPC services. A handler has four steps: context ([`AuditedCall`], which writes the audit), parse, call, map.

mod access;
mod advice;
mod audit;
mod call;
mod dashboards;
mod erasure;
mod exports;
mod filter_values;
mod glossary;
mod performance;
mod preview;
mod queries;

use std::sync::Arc;

use insights_access::Policy;
use insights_proto::reporting::v1::{self as wire, reporting_service_server::ReportingService};
use tonic::{Request, Response, Status, Streaming};

use crate::advice::AdviceConfig;
use crate::audit::Audit;
use crate::config::Config;
use crate::erasure::Erasures;
use crate::exports::Exports;
use crate::metrics::MetricsClient;
use call::AuditedCall;

pub use access::AccessApi;

type HandlerResult<T> = Result<Response<T>, Status>;

/// The ReportingService.
#[derive(Clone, Debug)]
pub struct ReportingApi {
    metrics: MetricsClient,
    audit: Audit,
    policy: Arc<Policy>,
    filter_values: usize,
    largest_answer: usize,
    exports: Exports,
    erasures: Erasures,
    advice: Arc<AdviceConfig>,
}

impl ReportingApi {
    /// The service over metrics, the audit and exports.
    pub fn new(
        metrics: MetricsClient,
        audit: Audit,
        policy: Arc<Policy>,
        config: &Config,
        exports: Exports,
        erasures: Erasures,
    ) -> Self {
        let (filter_values, advice) = (config.filter_values, Arc::new(config.advice.clone()));
        let largest_answer = config.messages.response_bytes;
        Self { metrics, audit, policy, filter_values, largest_answer, exports, erasures, advice }
    }

    /// The audit.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }
}

#[tonic::async_trait]
impl ReportingService for ReportingApi {
    type VerifyStream = queries::VerifyResponseStream;

    async fn query(&self, request: Request<wire::QueryRequest>) -> HandlerResult<wire::QueryResponse> {
        let call = AuditedCall::begin(self, "Query", &request)?;
        let most = queries::largest(request.get_ref().max_bytes, self.largest_answer)?;
        let answer = queries::query(&self.policy, &call, request.into_inner()).await;
        call.answer_within(most, answer).await
    }

    async fn explain(&self, request: Request<wire::ExplainRequest>) -> HandlerResult<wire::ExplainResponse> {
        let call = AuditedCall::begin(self, "Explain", &request)?;
        let most = queries::largest(request.get_ref().max_bytes, self.largest_answer)?;
        let answer = queries::explain(&self.policy, &call, request.into_inner()).await;
        call.answer_within(most, answer).await
    }

    async fn get_customers_dashboard(
        &self,
        request: Request<wire::GetCustomersDashboardRequest>,
    ) -> HandlerResult<wire::GetCustomersDashboardResponse> {
        let call = AuditedCall::begin(self, "GetCustomersDashboard", &request)?;
        let answer = dashboards::customers(&call.metrics, call.language, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn get_dynamics_usage_dashboard(
        &self,
        request: Request<wire::GetDynamicsUsageDashboardRequest>,
    ) -> HandlerResult<wire::GetDynamicsUsageDashboardResponse> {
        let call = AuditedCall::begin(self, "GetDynamicsUsageDashboard", &request)?;
        let answer = dashboards::dynamics(&call.metrics, call.language, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn get_licence_adoption_dashboard(
        &self,
        request: Request<wire::GetLicenceAdoptionDashboardRequest>,
    ) -> HandlerResult<wire::GetLicenceAdoptionDashboardResponse> {
        let call = AuditedCall::begin(self, "GetLicenceAdoptionDashboard", &request)?;
        let answer = dashboards::adoption(&call.metrics, call.language, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn list_subscription_performance(
        &self,
        request: Request<wire::ListSubscriptionPerformanceRequest>,
    ) -> HandlerResult<wire::ListSubscriptionPerformanceResponse> {
        let call = AuditedCall::begin(self, "ListSubscriptionPerformance", &request)?;
        let answer = performance::list(&call, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn list_advice(&self, request: Request<wire::ListAdviceRequest>) -> HandlerResult<wire::ListAdviceResponse> {
        let call = AuditedCall::begin(self, "ListAdvice", &request)?;
        let answer = advice::list(&call, &self.advice, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn list_filter_values(
        &self,
        request: Request<wire::ListFilterValuesRequest>,
    ) -> HandlerResult<wire::ListFilterValuesResponse> {
        let call = AuditedCall::begin(self, "ListFilterValues", &request)?;
        let answer = filter_values::list(self, &call, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn get_freshness(
        &self,
        request: Request<wire::GetFreshnessRequest>,
    ) -> HandlerResult<wire::GetFreshnessResponse> {
        let call = AuditedCall::begin(self, "GetFreshness", &request)?;
        // The answer has no figures, so it is not audited.
        let freshness = call.metrics.freshness(request.into_inner().min_version).await?;
        Ok(Response::new(wire::GetFreshnessResponse { freshness: Some(freshness) }))
    }

    async fn create_export(
        &self,
        request: Request<wire::CreateExportRequest>,
    ) -> HandlerResult<wire::CreateExportResponse> {
        exports::create(self, request).await
    }

    async fn preview_export(
        &self,
        request: Request<wire::PreviewExportRequest>,
    ) -> HandlerResult<wire::PreviewExportResponse> {
        exports::preview(self, request).await
    }

    async fn get_export(&self, request: Request<wire::GetExportRequest>) -> HandlerResult<wire::GetExportResponse> {
        exports::get(self, request).await
    }

    async fn list_exports(
        &self,
        request: Request<wire::ListExportsRequest>,
    ) -> HandlerResult<wire::ListExportsResponse> {
        exports::list(self, request).await
    }

    async fn cancel_export(
        &self,
        request: Request<wire::CancelExportRequest>,
    ) -> HandlerResult<wire::CancelExportResponse> {
        exports::cancel(self, request).await
    }

    async fn delete_export(
        &self,
        request: Request<wire::DeleteExportRequest>,
    ) -> HandlerResult<wire::DeleteExportResponse> {
        exports::delete(self, request).await
    }

    type DownloadExportStream = exports::DownloadStream;

    async fn download_export(
        &self,
        request: Request<wire::DownloadExportRequest>,
    ) -> HandlerResult<Self::DownloadExportStream> {
        exports::download(self, request).await
    }

    async fn create_download_ticket(
        &self,
        request: Request<wire::CreateDownloadTicketRequest>,
    ) -> HandlerResult<wire::CreateDownloadTicketResponse> {
        exports::ticket(self, request).await
    }

    async fn verify(&self, request: Request<wire::VerifyRequest>) -> HandlerResult<Self::VerifyStream> {
        let call = AuditedCall::begin(self, "Verify", &request)?;
        let answer = queries::verify(&call).await;
        call.audited(answer).await
    }

    async fn preview_import(
        &self,
        request: Request<Streaming<wire::PreviewImportRequest>>,
    ) -> HandlerResult<wire::PreviewImportResponse> {
        preview::import(self, request).await
    }

    async fn preview_erasure(
        &self,
        request: Request<wire::PreviewErasureRequest>,
    ) -> HandlerResult<wire::PreviewErasureResponse> {
        erasure::preview(self, request).await
    }

    async fn erase(&self, request: Request<wire::EraseRequest>) -> HandlerResult<wire::EraseResponse> {
        erasure::erase(self, request).await
    }

    async fn allow_erased(
        &self,
        request: Request<wire::AllowErasedRequest>,
    ) -> HandlerResult<wire::AllowErasedResponse> {
        erasure::allow(self, request).await
    }

    async fn list_audit_entries(
        &self,
        request: Request<wire::ListAuditEntriesRequest>,
    ) -> HandlerResult<wire::ListAuditEntriesResponse> {
        audit::list(self, request).await
    }

    async fn list_glossary_terms(
        &self,
        request: Request<wire::ListGlossaryTermsRequest>,
    ) -> HandlerResult<wire::ListGlossaryTermsResponse> {
        glossary::glossary(self, &request)
    }

    async fn get_words(&self, request: Request<wire::GetWordsRequest>) -> HandlerResult<wire::GetWordsResponse> {
        glossary::words(&request)
    }
}
