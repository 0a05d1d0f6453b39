//! The audit for the Global admin. Reading it is audited too.

use insights_proto::reporting::v1 as wire;
use insights_service::Error;
use tonic::{Request, Status};

use super::call::{Audited, AuditedCall};
use super::{HandlerResult, ReportingApi};
use crate::audit::AuditQuery;

/// Lists entries.
pub async fn list(
    api: &ReportingApi,
    request: Request<wire::ListAuditEntriesRequest>,
) -> HandlerResult<wire::ListAuditEntriesResponse> {
    let call = AuditedCall::begin(api, "ListAuditEntries", &request)?;
    let answer = read(api, &call, request.get_ref()).await;
    call.answer(answer).await
}

async fn read(
    api: &ReportingApi,
    call: &AuditedCall,
    request: &wire::ListAuditEntriesRequest,
) -> Result<wire::ListAuditEntriesResponse, Status> {
    let tokens = call.list_tokens(request);
    let listing = AuditQuery::parse(request, &api.policy, &tokens)?;
    let entries = api.audit.list(call.caller.partner(), &listing, &tokens).await;
    entries.map_err(|error| {
        tracing::warn!(%error, "cannot read the audit");
        Error::unavailable("The audit cannot be read now.").into()
    })
}

impl Audited for wire::ListAuditEntriesResponse {
    fn rows(&self) -> usize {
        self.entries.len()
    }
}
