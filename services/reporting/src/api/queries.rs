//! Queries, explanations and verification, passed on to metrics.

use std::pin::Pin;

use futures::{Stream, StreamExt, TryStreamExt};
use insights_access::{Policy, REPORTING_SERVICE, Redaction};
use insights_proto::metrics::v1::{self as metrics, Measure, Query, Value};
use insights_proto::reporting::v1::{ExplainRequest, ExplainResponse, QueryRequest, QueryResponse, VerifyResponse};
use insights_service::{Error, LARGEST_ANSWER, forward};
use tonic::Status;

use super::call::{Audited, AuditedCall};
use crate::field_paths::{of_query, rename};

/// The largest answer that a caller takes who says so, or says nothing.
pub fn largest(asked: i64, sent: usize) -> Result<usize, Error> {
    match usize::try_from(asked) {
        Ok(0) => Ok(LARGEST_ANSWER.min(sent)),
        Ok(asked) => Ok(asked.min(sent)),
        Err(_) => Err(Error::invalid("max_bytes", "is negative")),
    }
}

/// Answers a query.
pub async fn query(policy: &Policy, call: &AuditedCall, request: QueryRequest) -> Result<QueryResponse, Status> {
    let (query, redaction) = authorised(policy, call, request.query)?;
    let asked = query.measures.clone();
    let batch = metrics::BatchQueryRequest { queries: vec![query], min_version: request.min_version, explain: vec![] };
    let answer = call.metrics.batch(batch).await.map_err(|status| rename(status, of_query))?;
    let mut result = answer.results.into_iter().next().unwrap_or_default();
    redact(&mut result, &asked, &redaction);
    Ok(QueryResponse { result: Some(result), freshness: answer.freshness })
}

/// Explains a usage percentage.
pub async fn explain(policy: &Policy, call: &AuditedCall, request: ExplainRequest) -> Result<ExplainResponse, Status> {
    let (query, _) = authorised(policy, call, request.query)?;
    let asked = metrics::ExplainRequest { query: Some(query), min_version: request.min_version };
    let answer = call.metrics.explain(asked).await?;
    Ok(ExplainResponse { explanations: answer.explanations, freshness: answer.freshness })
}

/// Progress of a verification.
pub type VerifyResponseStream = Pin<Box<dyn Stream<Item = Result<VerifyResponse, Status>> + Send>>;

impl Audited for VerifyResponseStream {
    /// Progress has no rows of figures.
    fn rows(&self) -> usize {
        0
    }
}

/// Recomputes the figures from the facts and compares them.
pub async fn verify(call: &AuditedCall) -> Result<VerifyResponseStream, Status> {
    let progress = call.metrics.verify().await?;
    Ok(progress.map_ok(verified).map_err(forward).boxed())
}

fn verified(progress: metrics::VerifyResponse) -> VerifyResponse {
    VerifyResponse {
        customers: progress.customers,
        total_customers: progress.total_customers,
        compared: progress.compared,
        differences: progress.differences,
        samples: progress.samples,
        done: progress.done,
    }
}

/// The query, if the caller may run it. Authorisation precedes validation: a forbidden measure is refused here, a query without
/// measures by metrics.
fn authorised(policy: &Policy, call: &AuditedCall, query: Option<Query>) -> Result<(Query, Redaction), Status> {
    let measures: Vec<Measure> = query.iter().flat_map(Query::named_measures).collect();
    let redaction = policy.authorise_measures(&call.caller, REPORTING_SERVICE, &measures)?;
    let query = query.ok_or_else(|| Error::invalid("query", "is required"))?;
    Ok((query, redaction))
}

/// Redacts once more what metrics has redacted already, as a second line of defence.
pub fn redact(result: &mut metrics::Result, asked: &[i32], redaction: &Redaction) {
    if !redaction.redacted() {
        return;
    }
    result.redacted = true;
    let hides = |measure: &i32| Measure::try_from(*measure).is_ok_and(|measure| redaction.hides(measure));
    let hidden: Vec<usize> = (0..asked.len()).filter(|index| hides(&asked[*index])).collect();
    for row in &mut result.rows {
        row.currency.clear();
        for index in &hidden {
            if let Some(value) = row.values.get_mut(*index) {
                *value = Value::default();
            }
        }
    }
    // Rows of several currencies repeat the other measures; their number would reveal revenue.
    result.rows.dedup();
}

#[cfg(test)]
#[path = "queries_tests.rs"]
mod tests;
