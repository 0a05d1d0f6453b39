//! Erasures, for the Global admin. The audit keeps the mark of who is erased, never the id.

use std::time::Duration;

use insights_proto::reporting::v1 as wire;
use insights_service::Deadline;
use tokio::time::Instant;
use tonic::{Request, Status};

use super::call::{Audited, AuditedCall};
use super::{HandlerResult, ReportingApi};
use crate::audit::ERASED;

/// How long a call waits for the end of an erasure at most, and how much of the call's time is left for the answer.
const PATIENCE: Duration = Duration::from_secs(50);
const MARGIN: Duration = Duration::from_millis(500);

/// Counts what would go.
pub async fn preview(
    api: &ReportingApi,
    request: Request<wire::PreviewErasureRequest>,
) -> HandlerResult<wire::PreviewErasureResponse> {
    let mut call = AuditedCall::begin(api, "PreviewErasure", &request)?;
    let asked = request.into_inner();
    call.keep_as_asked(told(&asked, ""));
    let found = api.erasures.preview(&call.caller, &asked).await;
    let answer = marked(&mut call, &asked, found);
    call.answer(answer).await
}

/// Erases.
pub async fn erase(api: &ReportingApi, request: Request<wire::EraseRequest>) -> HandlerResult<wire::EraseResponse> {
    let mut call = AuditedCall::begin(api, "Erase", &request)?;
    let left = request.extensions().get::<Deadline>().map(|deadline| deadline.left().saturating_sub(MARGIN));
    let until = Instant::now() + left.map_or(PATIENCE, |left| left.min(PATIENCE));
    let wire::EraseRequest { customer_id, user_id, confirmation } = request.into_inner();
    let asked = wire::PreviewErasureRequest { customer_id, user_id };
    call.keep_as_asked(told(&asked, ""));
    let erased = api.erasures.erase(&call.caller, &asked, &confirmation, until).await;
    let answer = marked(&mut call, &asked, erased);
    call.answer(answer).await
}

/// Lets the erased come again.
pub async fn allow(
    api: &ReportingApi,
    request: Request<wire::AllowErasedRequest>,
) -> HandlerResult<wire::AllowErasedResponse> {
    let mut call = AuditedCall::begin(api, "AllowErased", &request)?;
    let wire::AllowErasedRequest { customer_id, user_id } = request.into_inner();
    let asked = wire::PreviewErasureRequest { customer_id, user_id };
    call.keep_as_asked(told(&asked, ""));
    let allowed = api.erasures.allow(&call.caller, &asked).await;
    let answer = marked(&mut call, &asked, allowed);
    call.answer(answer.map(|allowed| wire::AllowErasedResponse { allowed })).await
}

/// The answer, whose mark the audit keeps.
fn marked<T>(
    call: &mut AuditedCall,
    asked: &wire::PreviewErasureRequest,
    answer: Result<(T, String), Status>,
) -> Result<T, Status> {
    let (answer, mark) = answer?;
    call.keep_as_asked(told(asked, &mark));
    Ok(answer)
}

/// A question without the ids it has.
fn told(asked: &wire::PreviewErasureRequest, mark: &str) -> String {
    let concealed = |id: &str| if id.is_empty() { "" } else { ERASED };
    let (customer, user) = (concealed(&asked.customer_id), concealed(&asked.user_id));
    serde_json::json!({ "customerId": customer, "userId": user, "mark": mark }).to_string()
}

impl Audited for wire::PreviewErasureResponse {
    fn rows(&self) -> usize {
        self.counts.len()
    }
}

impl Audited for wire::EraseResponse {
    fn rows(&self) -> usize {
        self.counts.len()
    }
}

impl Audited for wire::AllowErasedResponse {
    fn rows(&self) -> usize {
        0
    }
}
