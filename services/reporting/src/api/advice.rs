//! Advice: parse the request, query metrics, apply the rules, compose a page.

use insights_domain::calendar::Day;
use insights_proto::metrics::v1::Dimension;
use insights_proto::reporting::v1::{Advice, ListAdviceRequest, ListAdviceResponse};
use insights_service::{Error, fitting};
use tonic::Status;

use super::call::AuditedCall;
use super::dashboards::{moved_on, parsed};
use crate::advice::{self, AdviceConfig, AdviceContext, AdviceFinding, AdviceInput, AdviceParams};
use crate::dashboards::{BatchResults, MonthSpan, coverage};
use crate::field_paths::{of_page, rename};
use crate::metrics::CallerMetrics;

/// Attempts to get figures of one version while the last month with data moves on.
const ATTEMPTS: usize = 3;

/// Lists advice.
pub async fn list(
    call: &AuditedCall,
    config: &AdviceConfig,
    request: ListAdviceRequest,
) -> Result<ListAdviceResponse, Status> {
    let (metrics, min_version) = (&call.metrics, request.min_version);
    let tokens = call.list_tokens(&request);
    let params = parsed(|faults| advice::parse(request, &tokens, faults))?;
    let (answer, found, version) = found(metrics, config, min_version, &params).await?;
    let begin = match params.after {
        Some((at, before)) if before == version => at,
        Some(_) => return Err(Error::aborted("The data moved on; begin with the first page again.").into()),
        None => 0,
    };
    let counts = advice::counts(&found);
    let end = found.len().min(begin.saturating_add(params.size));
    let all = found.len();
    let page: Vec<AdviceFinding> = found.into_iter().take(end).skip(begin).collect();
    let ids = |of: fn(&AdviceFinding) -> &String| {
        page.iter().map(|one| of(one).clone()).filter(|id| !id.is_empty()).collect()
    };
    let customers: Vec<String> = ids(|one| &one.customer);
    let skus: Vec<String> = ids(|one| &one.sku.0);
    let named = metrics.since(version);
    let customers = named.names(Dimension::Customer, &customers).await?;
    let skus = named.names(Dimension::Sku, &skus).await?;
    let compose = |one| advice::compose(one, &customers, &skus, call.language);
    let mut advice: Vec<Advice> = page.into_iter().map(compose).collect();
    advice.truncate(fitting(&advice));
    let end = begin + advice.len();
    Ok(ListAdviceResponse {
        next_page_token: if end < all { tokens.write(&(end, version)) } else { String::new() },
        advice,
        counts,
        ..answer
    })
}

/// The findings in figures of one version. Ends of subscriptions and support cases may be of an older version.
async fn found(
    metrics: &CallerMetrics,
    config: &AdviceConfig,
    min_version: i64,
    params: &AdviceParams,
) -> Result<(ListAdviceResponse, Vec<AdviceFinding>, i64), Status> {
    let page = &params.page;
    let mut freshness = metrics.freshness(min_version).await?;
    for _ in 0..ATTEMPTS {
        let span = page.span(&freshness)?;
        let day = last_day(&span, &freshness.complete_through)?;
        let until = day.plus(config.renewal_days.max(config.trial_days));
        let from = span.to.plus(1 - config.cases_months);
        let metrics = metrics.since(min_version.max(freshness.version));
        let ending = metrics.ending(day, until, span.to).await?;
        let cases = metrics.support_cases(from, span.to, config.how_to_cases).await?;
        let cut = ending.truncated || cases.truncated;
        let context = AdviceContext { ending: ending.subscriptions, cases: cases.customers };
        let (batch, queries) = advice::build_batch(page, &span, &context, config);
        let response = metrics.batch(batch.request(min_version.max(freshness.version))).await;
        let results = BatchResults::from(response.map_err(|status| rename(status, of_page))?);
        if page.span(&results.freshness)? != span {
            freshness = results.freshness;
            continue;
        }
        let input = AdviceInput::of(&queries, &results, &context, &span, day, config);
        let mut found = advice::find(&input, span.to, config);
        found.retain(|one| params.codes.is_empty() || params.codes.contains(&one.code));
        let coverage = queries.customers.first().map(|main| coverage(page, span, &results, *main));
        let incomplete = input.incomplete || cut;
        let answer = ListAdviceResponse { coverage, incomplete, ..ListAdviceResponse::default() };
        return Ok((answer, found, results.freshness.version));
    }
    Err(moved_on())
}

/// The last day with data.
fn last_day(span: &MonthSpan, complete_through: &str) -> Result<Day, Error> {
    let through: Result<Day, _> = complete_through.parse();
    let through = through.map_err(|_| Error::unavailable("The end of the data is not known."))?;
    Ok(span.to.snapshot_day(through))
}
