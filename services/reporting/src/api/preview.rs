//! The figures before an import and after it, asked of metrics with the batches of the caller.

use futures::StreamExt;
use insights_access::REPORTING_SERVICE;
use insights_proto::ingestion::v1::IngestBatchRequest;
use insights_proto::metrics::v1 as metrics;
use insights_proto::metrics::v1::Measure;
use insights_proto::reporting::v1::{PreviewImportRequest, PreviewImportResponse};
use insights_service::Error;
use tonic::{Request, Status, Streaming};

use super::call::{Audited, AuditedCall};
use super::queries::redact;
use super::{HandlerResult, ReportingApi};
use crate::field_paths::{of_query, rename};

/// Tries an import.
pub async fn import(
    api: &ReportingApi,
    request: Request<Streaming<PreviewImportRequest>>,
) -> HandlerResult<PreviewImportResponse> {
    let (metadata, extensions, mut batches) = request.into_parts();
    let mut first = batches.message().await?.unwrap_or_default();
    let batch = first.batch.take();
    // The audit keeps what was asked, not what was tried.
    let request = Request::from_parts(metadata, extensions, first);
    let call = AuditedCall::begin(api, "PreviewImport", &request)?;
    let answer = ask(api, &call, request.into_inner(), batch, batches).await;
    call.answer(answer).await
}

async fn ask(
    api: &ReportingApi,
    call: &AuditedCall,
    first: PreviewImportRequest,
    batch: Option<IngestBatchRequest>,
    batches: Streaming<PreviewImportRequest>,
) -> Result<PreviewImportResponse, Status> {
    let query = first.query.ok_or_else(|| Error::invalid("query", "is required"))?;
    let measures: Vec<Measure> = query.named_measures().collect();
    let redaction = api.policy.authorise_measures(&call.caller, REPORTING_SERVICE, &measures)?;
    let asked = query.measures.clone();
    let first = metrics::PreviewImportRequest { queries: vec![query], batch, done: first.done };
    // A stream that breaks off ends without `done`, and is then not answered.
    let rest =
        batches.take_while(|next| std::future::ready(next.is_ok())).filter_map(|next| std::future::ready(next.ok()));
    let next = |next: PreviewImportRequest| metrics::PreviewImportRequest {
        queries: Vec::new(),
        batch: next.batch,
        done: next.done,
    };
    let stream = futures::stream::iter([first]).chain(rest.map(next));
    let answer = call.metrics.preview_import(stream).await.map_err(|status| rename(status, of_query))?;
    let shown = |results: Vec<metrics::Result>| {
        let mut result = results.into_iter().next().unwrap_or_default();
        redact(&mut result, &asked, &redaction);
        Some(result)
    };
    Ok(PreviewImportResponse {
        before: shown(answer.before),
        freshness_before: answer.freshness_before,
        after: shown(answer.after),
        freshness_after: answer.freshness_after,
        waiting: answer.waiting,
    })
}

impl Audited for PreviewImportResponse {
    fn rows(&self) -> usize {
        self.before.iter().chain(&self.after).map(|result| result.rows.len()).sum()
    }

    fn redacted(&self) -> bool {
        self.after.as_ref().is_some_and(|result| result.redacted)
    }
}
