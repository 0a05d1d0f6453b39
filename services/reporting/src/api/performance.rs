//! Subscription performance: parse the request, query metrics, compose a page.

use insights_proto::metrics::v1::{Dimension, DimensionValue, Explanation, Measure, Query};
use insights_proto::reporting::v1::{
    Coverage, ListSubscriptionPerformanceRequest, ListSubscriptionPerformanceResponse,
};
use insights_service::{Error, fitting};
use tonic::Status;

use super::call::AuditedCall;
use super::dashboards::{parsed, pinned, products};
use crate::dashboards::performance::{self, MEASURES, PerformanceParams, SubscriptionKey, SubscriptionOwners};
use crate::dashboards::{BatchResults, ExplainHandle, MonthSpan, PageSelection, QueryBatch, QueryHandle, coverage};
use crate::metrics::CallerMetrics;

/// A page of subscriptions without names and details.
struct PerformancePage {
    span: MonthSpan,
    coverage: Coverage,
    result: insights_proto::metrics::v1::Result,
    why: Vec<Explanation>,
    /// Those of the page.
    keys: Vec<SubscriptionKey>,
    more: bool,
    ranked_by: Measure,
}

/// Lists the use of subscriptions.
pub async fn list(
    call: &AuditedCall,
    request: ListSubscriptionPerformanceRequest,
) -> Result<ListSubscriptionPerformanceResponse, Status> {
    let min_version = request.min_version;
    let metrics = &call.metrics.since(min_version);
    let tokens = call.list_tokens(&request);
    let mut params = parsed(|faults| performance::parse(request, &tokens, faults))?;
    let products = products(metrics, std::mem::take(&mut params.products)).await?;
    params.page.narrow(Dimension::Product, &products);
    let found = match &params.which {
        SubscriptionOwners::Top => top(metrics, min_version, &params).await?,
        SubscriptionOwners::All => one_slice(metrics, min_version, &params.page, &params).await?,
        SubscriptionOwners::Found(text) => {
            let page = searched(metrics, &params.page, text).await?;
            one_slice(metrics, min_version, &page, &params).await?
        }
    };
    let PerformancePage { span, coverage, result, why, keys, more, ranked_by } = found;
    let ids = keys.iter().map(|(_, subscription)| subscription.clone()).collect();
    let version = coverage.freshness.as_ref().map_or(min_version, |freshness| freshness.version);
    let details = metrics.since(version).subscriptions(ids, span.to).await?;
    let mut subscriptions = performance::compose(span, &result, &why, &keys, &details);
    subscriptions.truncate(fitting(&subscriptions));
    let last =
        subscriptions.len().checked_sub(1).map(|last| &keys[last]).filter(|last| more || keys.last() != Some(*last));
    Ok(ListSubscriptionPerformanceResponse {
        coverage: Some(coverage),
        products,
        measures: MEASURES.iter().map(|measure| *measure as i32).collect(),
        subscriptions,
        ranked_by: ranked_by as i32,
        next_page_token: last.map(|key| tokens.write(key)).unwrap_or_default(),
    })
}

/// The page narrowed to customers whose id or name contains a text.
async fn searched(metrics: &CallerMetrics, page: &PageSelection, text: &str) -> Result<PageSelection, Status> {
    let found: Vec<String> =
        metrics.search(Dimension::Customer, text).await?.into_iter().map(|entry| entry.id).collect();
    if found.len() > page.room(Dimension::Customer) {
        return Err(Error::invalid("customer_search", "finds too many customers; write more of the name").into());
    }
    let mut page = page.clone();
    page.narrow(Dimension::Customer, &found);
    Ok(page)
}

async fn one_slice(
    metrics: &CallerMetrics,
    min_version: i64,
    page: &PageSelection,
    params: &PerformanceParams,
) -> Result<PerformancePage, Status> {
    let plan = |page: &PageSelection, span: &MonthSpan| {
        with_why(performance::slice(page, span, params.after.as_ref(), params.size), span)
    };
    let (span, (asked, why), results) = pinned(metrics, min_version, page, plan).await?;
    let result = results.result(asked);
    let mut keys = performance::keys(result);
    let more = keys.len() > params.size;
    keys.truncate(params.size);
    let coverage = coverage(page, span, &results, asked);
    let (result, why) = (result.clone(), results.explanations(why).to_vec());
    Ok(PerformancePage { span, coverage, result, why, keys, more, ranked_by: Measure::Unspecified })
}

/// A batch of one query and its explanations.
fn with_why(query: Query, span: &MonthSpan) -> (QueryBatch, (QueryHandle, ExplainHandle)) {
    let mut batch = QueryBatch::default();
    let why = batch.explain(performance::why(&query, span));
    let asked = batch.query(query);
    (batch, (asked, why))
}

/// The subscriptions of the customers that rank highest. The ranking is a query of its own, whose version may be older than
/// that of the figures.
async fn top(metrics: &CallerMetrics, min_version: i64, params: &PerformanceParams) -> Result<PerformancePage, Status> {
    let rank = |page: &PageSelection, span: &MonthSpan| {
        let mut batch = QueryBatch::default();
        let asked = batch.query(performance::ranking(page, span));
        (batch, asked)
    };
    let (span, asked, ranking): (_, _, BatchResults) = pinned(metrics, min_version, &params.page, rank).await?;
    let ranks = performance::ranked(ranking.result(asked), &span, &ranking.freshness.currency);
    let customers = ranks.iter().map(|id| DimensionValue { value: Some(id.clone()) }).collect();
    let page = params.page.of_values(Dimension::Customer, customers);
    let page = page.ok_or_else(|| Error::invalid("page.filters", "have too many values to rank customers"))?;
    let every = |page: &PageSelection, span: &MonthSpan| with_why(performance::every(page, span), span);
    let (span, (asked, why), results) = pinned(metrics, ranking.freshness.version, &page, every).await?;
    let result = results.result(asked);
    let keys = performance::by_rank(performance::keys(result), &ranks, params.after.as_ref());
    let mut keys = keys.ok_or_else(|| Error::aborted("The ranking moved on; begin with the first page again."))?;
    let more = keys.len() > params.size;
    keys.truncate(params.size);
    let redacted = ranking.redacted();
    let coverage = Coverage { redacted, ..coverage(&page, span, &results, asked) };
    let ranked_by = if redacted { Measure::Available } else { Measure::BilledRevenue };
    let (result, why) = (result.clone(), results.explanations(why).to_vec());
    Ok(PerformancePage { span, coverage, result, why, keys, more, ranked_by })
}
