//! Dashboards composed from measures. All figures of a page come from metrics in one batch, so they are of one version.

use std::collections::BTreeSet;

use insights_proto::metrics::v1::Result as QueryResult;
use insights_proto::reporting::v1::Coverage;

pub mod adoption;
mod batch;
mod breakdown;
mod cards;
pub mod customers;
mod dimension_names;
mod distribution;
pub mod dynamics;
mod months;
pub mod performance;
mod row_index;
mod selection;

pub use batch::{BatchResults, ExplainHandle, QueryBatch, QueryHandle};
pub use dimension_names::DimensionNames;
pub use distribution::OtherGroups;
pub use months::{MonthSpan, last_month, months};
pub use selection::{PageSelection, Range};

/// What a page covers; the query `main` decides its source.
#[must_use]
pub fn coverage(page: &PageSelection, span: MonthSpan, results: &BatchResults, main: QueryHandle) -> Coverage {
    let last = span.to.to_string();
    Coverage {
        from_month: span.from.to_string(),
        to_month: last.clone(),
        scope: page.scope as i32,
        partial: results.result(main).rows.iter().any(|row| row.month == last && row.partial),
        redacted: results.redacted(),
        source: results.source(main) as i32,
        freshness: Some(results.freshness.clone()),
        lower_bound: results.lower_bound(),
        carried: results.carried(),
    }
}

/// The values of a result's first dimension, sorted.
fn ids(result: &QueryResult) -> Vec<String> {
    let ids: BTreeSet<&String> = result.rows.iter().filter_map(|row| row.dimensions.first()?.value.as_ref()).collect();
    ids.into_iter().cloned().collect()
}
