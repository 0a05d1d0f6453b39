//! Values for the filters of a page, as far as the caller may see them.

use std::collections::BTreeMap;

use insights_access::REPORTING_SERVICE;
use insights_domain::{calendar::Month, filter_value::ValueKind};
use insights_messages::folded;
use insights_proto::metrics::v1::{BatchQueryRequest, Dimension, DimensionValue, Measure, Query, Scope};
use insights_proto::reporting::v1::{FilterValue, ListFilterValuesRequest, ListFilterValuesResponse};
use insights_service::Error;
use tonic::Status;

use super::ReportingApi;
use super::call::AuditedCall;
use crate::dashboards::DimensionNames;
use crate::metrics::CallerMetrics;

/// Longest text to search for, in bytes.
const SEARCH_BYTES: usize = 256;
/// Number of months, up to the last one with data, in which values are searched.
const MONTHS: i32 = 12;

/// Lists values of a dimension.
pub async fn list(
    api: &ReportingApi,
    call: &AuditedCall,
    request: ListFilterValuesRequest,
) -> Result<ListFilterValuesResponse, Status> {
    let dimension = request.dimension();
    let search = request.search.trim().to_lowercase();
    if dimension == Dimension::Unspecified {
        return Err(Error::invalid("dimension", "is not a dimension").into());
    }
    if search.len() > SEARCH_BYTES {
        return Err(Error::invalid("search", format!("is longer than {SEARCH_BYTES} bytes")).into());
    }
    let mut values = match dimension {
        Dimension::Standing | Dimension::Seller | Dimension::Trial => fixed(&dimension.value_kind().words()),
        Dimension::Customer | Dimension::Sku | Dimension::Location | Dimension::Product => {
            named(&call.metrics.since(request.min_version), dimension, &search).await?
        }
        _ => match measures(api, call, dimension) {
            Some(measures) => seen(call, dimension, &measures, request.min_version).await?,
            // Without such a measure the caller may not learn which values exist.
            None => return Ok(ListFilterValuesResponse { values: Vec::new(), truncated: true }),
        },
    };
    values.retain(|value| matches(value, &search));
    // An exact match comes first; the sort is stable.
    values.sort_by_cached_key(|value| text(value).to_lowercase() != search);
    let truncated = values.len() > api.filter_values;
    values.truncate(api.filter_values);
    Ok(ListFilterValuesResponse { values, truncated })
}

fn fixed(values: &[&str]) -> Vec<FilterValue> {
    values.iter().map(|text| value(Some((*text).to_owned()), String::new())).collect()
}

/// Values of dimensions whose values have names.
async fn named(metrics: &CallerMetrics, dimension: Dimension, search: &str) -> Result<Vec<FilterValue>, Status> {
    let mut found = metrics.search(dimension, search).await?;
    found.sort_by_cached_key(|entry| (entry.name.to_lowercase(), entry.id.clone()));
    let name = |name: String, id: &str| if name == id { String::new() } else { name };
    let mut values: Vec<FilterValue> =
        found.into_iter().map(|entry| value(Some(entry.id.clone()), name(entry.name, &entry.id))).collect();
    if dimension == Dimension::Location {
        values.push(value(None, String::new()));
    }
    Ok(values)
}

/// Measures that the caller may query and that are not 0 wherever a value occurs.
fn measures(api: &ReportingApi, call: &AuditedCall, dimension: Dimension) -> Option<Vec<Measure>> {
    let customers = vec![Measure::Customers, Measure::Churned];
    let users = vec![Measure::ActiveUsers, Measure::TotalUsers];
    let seats = vec![Measure::Available, Measure::Active];
    let candidates = if dimension == Dimension::Service { [customers, users] } else { [customers, seats] };
    let allowed =
        |measures: &Vec<Measure>| api.policy.authorise_measures(&call.caller, REPORTING_SERVICE, measures).is_ok();
    candidates.into_iter().find(allowed)
}

/// Values that occur in the last months.
async fn seen(
    call: &AuditedCall,
    dimension: Dimension,
    measures: &[Measure],
    min_version: i64,
) -> Result<Vec<FilterValue>, Status> {
    let metrics = &call.metrics;
    let freshness = metrics.freshness(min_version).await?;
    let Some(last) = crate::dashboards::last_month(&freshness) else { return Ok(Vec::new()) };
    let query = Query {
        measures: measures.iter().map(|measure| *measure as i32).collect(),
        group_by: vec![dimension as i32],
        from_month: first(dimension, last).to_string(),
        to_month: last.to_string(),
        scope: Scope::AllSellers as i32,
        ..Query::default()
    };
    let batch = BatchQueryRequest { queries: vec![query], min_version: freshness.version, explain: Vec::new() };
    let answer = metrics.batch(batch).await?;
    let rows = answer.results.into_iter().flat_map(|result| result.rows);
    // Sorted without regard to case, the missing value last.
    let mut values = BTreeMap::new();
    for text in rows.filter_map(|row| row.dimensions.into_iter().next()).map(|dimension| dimension.value) {
        values.insert((text.is_none(), text.as_ref().map(|text| text.to_lowercase()), text.clone()), text);
    }
    let names = DimensionNames::new(call.language);
    let name = |text: &Option<String>| text.as_ref().map(|text| names.of(dimension, text)).unwrap_or_default();
    let mut values: Vec<FilterValue> = values.into_values().map(|text| value(text.clone(), name(&text))).collect();
    if dimension.value_kind() == ValueKind::Country {
        values.sort_by_cached_key(|value| (value.name.is_empty(), folded(&value.name)));
    }
    Ok(values)
}

/// The first month to search. Every subscription is a row, so only those of the last month are listed.
fn first(dimension: Dimension, last: Month) -> Month {
    if dimension == Dimension::Subscription { last } else { last.plus(1 - MONTHS) }
}

fn value(text: Option<String>, name: String) -> FilterValue {
    FilterValue { value: Some(DimensionValue { value: text }), name }
}

fn text(value: &FilterValue) -> &str {
    value.value.as_ref().and_then(|value| value.value.as_deref()).unwrap_or("(none)")
}

fn matches(value: &FilterValue, search: &str) -> bool {
    text(value).to_lowercase().contains(search) || folded(&value.name).contains(&folded(search))
}
