//! Pages composed from measures. Nothing here knows a number: everything is asked of metrics in one call, so that all of
//! a page is of one version.
use std::collections::BTreeSet;

use insights_proto::metrics::v1::Result as QueryResult;
use insights_proto::reporting::v1::Coverage;

pub mod adoption;
mod breakdown;
mod cards;
pub mod customers;
mod distribution;
pub mod dynamics;
mod page;
mod plan;
mod span;
mod table;

pub use distribution::Rest;
pub use page::{Page, Range};
pub use plan::{Answers, Plan};
pub use span::{Span, last_month};
fn coverage(page: &Page, span: Span, answers: &Answers, main: plan::Asked) -> Coverage {
    let last = span.to.to_string();
    Coverage {
        from_month: span.from.to_string(),
        to_month: last.clone(),
        scope: page.scope as i32,
        partial: answers.of(main).rows.iter().any(|row| row.month == last && row.partial),
        redacted: answers.redacted(),
        source: answers.source(main) as i32,
        freshness: Some(answers.freshness.clone()),
        lower_bound: answers.lower_bound(),
    }
}

/// The values of the one dimension an answer is split by.
fn ids(result: &QueryResult) -> Vec<String> {
    let ids: BTreeSet<&String> = result.rows.iter().filter_map(|row| row.dimensions.first()?.value.as_ref()).collect();
    ids.into_iter().cloned().collect()
}
