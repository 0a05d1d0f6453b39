//! The figures before an import and after it, without storing anything.

use std::sync::Arc;

use insights_access::{Principal, forbidden};
use insights_proto::ingestion::v1::IngestBatchRequest;
use insights_proto::metrics::v1::{PreviewImportRequest, PreviewImportResponse, Query};
use insights_service::{Error, forward};
use tonic::{Request, Status, Streaming};

use super::Api;
use super::parse::{ParsedQuery, Parser};
use crate::cubes::Root;
use crate::follower::ApplyError;

/// The people's method; its policy is applied again here.
const PREVIEW: &str = "/insights.reporting.v1.ReportingService/PreviewImport";

/// Tries the batches of a stream, and answers the queries of its first message before and after.
pub async fn preview(
    api: &Api,
    caller: Arc<Principal>,
    request: Request<Streaming<PreviewImportRequest>>,
) -> Result<PreviewImportResponse, Status> {
    if !api.policy.may_call(&caller, PREVIEW) {
        return Err(forbidden());
    }
    let deadline = api.deadline(&request);
    let mut batches = request.into_inner();
    let first = batches.message().await?.ok_or_else(|| Error::invalid("queries", "are required"))?;
    api.authorise(&caller, &first.queries)?;
    let queries = parse(api, &first.queries)?;
    // Waited for before others have to wait for the preview.
    let head = api.feed.head(caller.partner()).await.map_err(forward)?;
    api.root_at(caller.partner(), head, deadline).await?;
    let mut feed = api.feed.preview(&caller).await.map_err(forward)?;
    let mut next = Some(first);
    let (mut done, mut waiting) = (false, 0);
    while let Some(PreviewImportRequest { batch, done: last, .. }) = next {
        if let Some(batch) = batch {
            waiting += feed.batch(untouched(batch)).await.map_err(forward)?.waiting;
        }
        done = last;
        next = if last { None } else { batches.message().await? };
    }
    if !done {
        return Err(Error::aborted("The batches ended before the last one was marked as done.").into());
    }
    let changes = feed.changes().await.map_err(forward)?;
    let before = api.root_at(caller.partner(), changes.base_version, deadline).await?;
    if before.version() != changes.base_version {
        return Err(moved_on());
    }
    let base = changes.base_version;
    let cube = api.applier.preview(caller.partner(), before.cube.clone(), changes, feed).await;
    let cube = cube.map_err(from_facts)?;
    if api.feed.head(caller.partner()).await.map_err(forward)? != base {
        return Err(moved_on());
    }
    let after = Arc::new(Root { cube, revision: before.revision, partner_no: before.partner_no });
    let figures = api.compute(before, Arc::clone(&caller), queries.clone(), Vec::new()).await?;
    let moved = api.compute(after, caller, queries, Vec::new()).await?;
    Ok(PreviewImportResponse {
        before: figures.results,
        freshness_before: figures.freshness,
        after: moved.results,
        freshness_after: moved.freshness,
        waiting,
    })
}

fn parse(api: &Api, queries: &[Query]) -> Result<Vec<ParsedQuery>, Error> {
    let mut parser = Parser::new(&api.limits);
    let parsed = parser.queries("queries", queries);
    let parsed = parser.finish(parsed)?;
    let earlier = parsed.iter().position(|asked| asked.as_of.is_some());
    earlier.map_or(Ok(parsed), |at| {
        Err(Error::invalid(format!("queries[{at}].as_of"), "is not served before and after an import"))
    })
}

/// A batch that leaves no trace: not even its id is used.
fn untouched(batch: IngestBatchRequest) -> IngestBatchRequest {
    IngestBatchRequest { batch_id: String::new(), validate_only: true, ..batch }
}

fn moved_on() -> Status {
    Error::aborted("Somebody else imported meanwhile; try again.").into()
}

fn from_facts(error: ApplyError) -> Status {
    match error {
        ApplyError::Feed(status) => forward(*status),
        ApplyError::Store(error) => Error::from(error).into(),
        other => Error::internal(other).into(),
    }
}
