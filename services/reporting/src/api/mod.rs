//! What people call. A handler: context → parse → call → map; [`Call`] is the context and writes the audit.

mod access;
mod advice;
mod audit;
mod call;
mod compose;
mod exports;
mod filter_values;
mod performance;
mod questions;
mod words;

use std::sync::Arc;

use insights_access::Policy;
use insights_proto::reporting::v1::{self as wire, reporting_service_server::ReportingService};
use tonic::{Request, Response, Status};

use crate::advice::AdviceConfig;
use crate::audit::Audit;
use crate::config::Config;
use crate::exports::Exports;
use crate::metrics::Upstream;
use call::Call;

pub use access::AccessApi;

type Answer<T> = Result<Response<T>, Status>;

/// The ReportingService.
#[derive(Clone, Debug)]
pub struct Api {
    metrics: Upstream,
    audit: Audit,
    policy: Arc<Policy>,
    filter_values: usize,
    exports: Exports,
    advice: Arc<AdviceConfig>,
}

impl Api {
    /// A service over metrics.
    pub fn new(metrics: Upstream, audit: Audit, policy: Arc<Policy>, config: &Config, exports: Exports) -> Self {
        let (filter_values, advice) = (config.filter_values, Arc::new(config.advice.clone()));
        Self { metrics, audit, policy, filter_values, exports, advice }
    }

    /// The audit.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }
}

#[tonic::async_trait]
impl ReportingService for Api {
    type VerifyStream = questions::VerifyStream;

    async fn query(&self, request: Request<wire::QueryRequest>) -> Answer<wire::QueryResponse> {
        let call = Call::begin(self, "Query", &request)?;
        let answer = questions::query(&self.policy, &call, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn explain(&self, request: Request<wire::ExplainRequest>) -> Answer<wire::ExplainResponse> {
        let call = Call::begin(self, "Explain", &request)?;
        let answer = questions::explain(&self.policy, &call, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn get_customers_dashboard(
        &self,
        request: Request<wire::GetCustomersDashboardRequest>,
    ) -> Answer<wire::GetCustomersDashboardResponse> {
        let call = Call::begin(self, "GetCustomersDashboard", &request)?;
        let answer = compose::customers(&call.metrics, call.language, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn get_dynamics_usage_dashboard(
        &self,
        request: Request<wire::GetDynamicsUsageDashboardRequest>,
    ) -> Answer<wire::GetDynamicsUsageDashboardResponse> {
        let call = Call::begin(self, "GetDynamicsUsageDashboard", &request)?;
        let answer = compose::dynamics(&call.metrics, call.language, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn get_licence_adoption_dashboard(
        &self,
        request: Request<wire::GetLicenceAdoptionDashboardRequest>,
    ) -> Answer<wire::GetLicenceAdoptionDashboardResponse> {
        let call = Call::begin(self, "GetLicenceAdoptionDashboard", &request)?;
        let answer = compose::adoption(&call.metrics, call.language, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn list_subscription_performance(
        &self,
        request: Request<wire::ListSubscriptionPerformanceRequest>,
    ) -> Answer<wire::ListSubscriptionPerformanceResponse> {
        let call = Call::begin(self, "ListSubscriptionPerformance", &request)?;
        let answer = performance::list(&call, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn list_advice(&self, request: Request<wire::ListAdviceRequest>) -> Answer<wire::ListAdviceResponse> {
        let call = Call::begin(self, "ListAdvice", &request)?;
        let answer = advice::list(&call, &self.advice, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn list_filter_values(
        &self,
        request: Request<wire::ListFilterValuesRequest>,
    ) -> Answer<wire::ListFilterValuesResponse> {
        let call = Call::begin(self, "ListFilterValues", &request)?;
        let answer = filter_values::list(self, &call, request.into_inner()).await;
        call.answer(answer).await
    }

    async fn get_freshness(&self, request: Request<wire::GetFreshnessRequest>) -> Answer<wire::GetFreshnessResponse> {
        let call = Call::begin(self, "GetFreshness", &request)?;
        // How fresh the figures are is no report, so it is not audited.
        let freshness = call.metrics.freshness(request.into_inner().min_version).await?;
        Ok(Response::new(wire::GetFreshnessResponse { freshness: Some(freshness) }))
    }

    async fn create_export(&self, request: Request<wire::CreateExportRequest>) -> Answer<wire::CreateExportResponse> {
        exports::create(self, request).await
    }

    async fn preview_export(
        &self,
        request: Request<wire::PreviewExportRequest>,
    ) -> Answer<wire::PreviewExportResponse> {
        exports::preview(self, request).await
    }

    async fn get_export(&self, request: Request<wire::GetExportRequest>) -> Answer<wire::GetExportResponse> {
        exports::get(self, request).await
    }

    async fn list_exports(&self, request: Request<wire::ListExportsRequest>) -> Answer<wire::ListExportsResponse> {
        exports::list(self, request).await
    }

    async fn cancel_export(&self, request: Request<wire::CancelExportRequest>) -> Answer<wire::CancelExportResponse> {
        exports::cancel(self, request).await
    }

    async fn delete_export(&self, request: Request<wire::DeleteExportRequest>) -> Answer<wire::DeleteExportResponse> {
        exports::delete(self, request).await
    }

    type DownloadExportStream = exports::DownloadStream;

    async fn download_export(
        &self,
        request: Request<wire::DownloadExportRequest>,
    ) -> Answer<Self::DownloadExportStream> {
        exports::download(self, request).await
    }

    async fn create_download_ticket(
        &self,
        request: Request<wire::CreateDownloadTicketRequest>,
    ) -> Answer<wire::CreateDownloadTicketResponse> {
        exports::ticket(self, request).await
    }

    async fn verify(&self, request: Request<wire::VerifyRequest>) -> Answer<Self::VerifyStream> {
        let call = Call::begin(self, "Verify", &request)?;
        let answer = questions::verify(&call).await;
        call.answer(answer).await
    }

    async fn list_audit_entries(
        &self,
        request: Request<wire::ListAuditEntriesRequest>,
    ) -> Answer<wire::ListAuditEntriesResponse> {
        audit::list(self, request).await
    }

    async fn list_glossary_terms(
        &self,
        request: Request<wire::ListGlossaryTermsRequest>,
    ) -> Answer<wire::ListGlossaryTermsResponse> {
        words::glossary(&request)
    }

    async fn get_words(&self, request: Request<wire::GetWordsRequest>) -> Answer<wire::GetWordsResponse> {
        words::words(&request)
    }
}
