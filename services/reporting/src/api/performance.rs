//! From the request for subscriptions to a page of them.

use insights_proto::metrics::v1::{Dimension, DimensionValue, Explanation, Measure, Query};
use insights_proto::reporting::v1::{
    Coverage, ListSubscriptionPerformanceRequest, ListSubscriptionPerformanceResponse,
};
use insights_service::Error;
use tonic::Status;

use super::call::Call;
use super::compose::{parsed, pinned, products};
use crate::dashboards::performance::{self, Asking, MEASURES, Place, Which};
use crate::dashboards::{Answers, Asked, AskedWhy, Page, Plan, Span, coverage};
use crate::metrics::Metrics;

/// A page of subscriptions before their names are known.
struct Found {
    span: Span,
    coverage: Coverage,
    result: insights_proto::metrics::v1::Result,
    why: Vec<Explanation>,
    /// Those of the page.
    places: Vec<Place>,
    more: bool,
    ranked_by: Measure,
}

/// Lists how subscriptions are used.
pub async fn list(
    call: &Call,
    request: ListSubscriptionPerformanceRequest,
) -> Result<ListSubscriptionPerformanceResponse, Status> {
    let min_version = request.min_version;
    let metrics = &call.metrics.since(min_version);
    let tokens = performance::tokens(call.caller.partner(), &request);
    let mut asking = parsed(|faults| performance::parse(request, &tokens, faults))?;
    let products = products(metrics, std::mem::take(&mut asking.products)).await?;
    asking.page.narrow(Dimension::Product, &products);
    let found = match &asking.which {
        Which::Top => top(metrics, min_version, &asking).await?,
        Which::All => one_slice(metrics, min_version, &asking.page, &asking).await?,
        Which::Found(text) => {
            let page = searched(metrics, &asking.page, text).await?;
            one_slice(metrics, min_version, &page, &asking).await?
        }
    };
    let Found { span, coverage, result, why, places, more, ranked_by } = found;
    let ids = places.iter().map(|(_, subscription)| subscription.clone()).collect();
    let version = coverage.freshness.as_ref().map_or(min_version, |freshness| freshness.version);
    let details = metrics.since(version).subscriptions(ids, span.to).await?;
    let last = places.last().filter(|_| more);
    Ok(ListSubscriptionPerformanceResponse {
        coverage: Some(coverage),
        products,
        measures: MEASURES.iter().map(|measure| *measure as i32).collect(),
        subscriptions: performance::compose(span, &result, &why, &places, &details),
        ranked_by: ranked_by as i32,
        next_page_token: last.map(|place| tokens.write(&performance::written(place))).unwrap_or_default(),
    })
}

/// The page narrowed to customers whose id or name contains a text.
async fn searched(metrics: &Metrics, page: &Page, text: &str) -> Result<Page, Status> {
    let found: Vec<String> =
        metrics.search(Dimension::Customer, text).await?.into_iter().map(|entry| entry.id).collect();
    if found.len() > page.room(Dimension::Customer) {
        return Err(Error::invalid("customer_search", "finds too many customers; write more of the name").into());
    }
    let mut page = page.clone();
    page.narrow(Dimension::Customer, &found);
    Ok(page)
}

async fn one_slice(metrics: &Metrics, min_version: i64, page: &Page, asking: &Asking) -> Result<Found, Status> {
    let plan =
        |page: &Page, span: &Span| with_why(performance::slice(page, span, asking.after.as_ref(), asking.size), span);
    let (span, (asked, why), answers) = pinned(metrics, min_version, page, plan).await?;
    let result = answers.of(asked);
    let mut places = performance::places(result);
    let more = places.len() > asking.size;
    places.truncate(asking.size);
    let coverage = coverage(page, span, &answers, asked);
    let (result, why) = (result.clone(), answers.why(why).to_vec());
    Ok(Found { span, coverage, result, why, places, more, ranked_by: Measure::Unspecified })
}

/// Figures, and why they are so.
fn with_why(query: Query, span: &Span) -> (Plan, (Asked, AskedWhy)) {
    let mut plan = Plan::default();
    let why = plan.ask_why(performance::why(&query, span));
    let asked = plan.ask(query);
    (plan, (asked, why))
}

/// Who ranks highest is known only from an answer. It may be older by a moment than the figures, which are of one version.
async fn top(metrics: &Metrics, min_version: i64, asking: &Asking) -> Result<Found, Status> {
    let rank = |page: &Page, span: &Span| {
        let mut plan = Plan::default();
        let asked = plan.ask(performance::ranking(page, span));
        (plan, asked)
    };
    let (span, asked, ranking): (_, _, Answers) = pinned(metrics, min_version, &asking.page, rank).await?;
    let ranks = performance::ranked(ranking.of(asked), &span, &ranking.freshness.currency);
    let customers = ranks.iter().map(|id| DimensionValue { value: Some(id.clone()) }).collect();
    let page = asking.page.of_values(Dimension::Customer, customers);
    let page = page.ok_or_else(|| Error::invalid("page.filters", "have too many values to rank customers"))?;
    let every = |page: &Page, span: &Span| with_why(performance::every(page, span), span);
    let (span, (asked, why), answers) = pinned(metrics, ranking.freshness.version, &page, every).await?;
    let result = answers.of(asked);
    let places = performance::by_rank(performance::places(result), &ranks, asking.after.as_ref());
    let mut places = places.ok_or_else(|| Error::aborted("The ranking moved on; begin with the first page again."))?;
    let more = places.len() > asking.size;
    places.truncate(asking.size);
    let redacted = ranking.redacted();
    let coverage = Coverage { redacted, ..coverage(&page, span, &answers, asked) };
    let ranked_by = if redacted { Measure::Available } else { Measure::BilledRevenue };
    let (result, why) = (result.clone(), answers.why(why).to_vec());
    Ok(Found { span, coverage, result, why, places, more, ranked_by })
}
