//! Pages composed from measures. Nothing here knows a number: everything is asked of metrics in one call, so that all of
//! a page is of one version.
use std::collections::BTreeSet;

use insights_proto::metrics::v1::Result as QueryResult;
use insights_proto::reporting::v1::Coverage;
use insights_service::FieldViolation;

pub mod adoption;
mod breakdown;
mod cards;
pub mod customers;
mod distribution;
pub mod dynamics;
mod names;
mod page;
pub mod performance;
mod plan;
mod span;
mod table;
mod token;

pub use distribution::Rest;
pub use names::Names;
pub use page::{Page, Range};
pub use plan::{Answers, Asked, AskedWhy, Plan};
pub use span::{Span, last_month, months};
pub use token::PageTokens;

/// What a page covers; `main` is the question its source is told by.
#[must_use]
pub fn coverage(page: &Page, span: Span, answers: &Answers, main: Asked) -> Coverage {
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

/// Rows of a page: `usual` when nobody says, never more than `most`.
pub fn page_size(asked: i32, usual: i32, most: i32, faults: &mut Vec<FieldViolation>) -> usize {
    if asked < 0 {
        faults.push(FieldViolation::new("page_size", "is negative"));
    }
    let size = if asked == 0 { usual } else { asked.min(most) };
    usize::try_from(size).unwrap_or_default()
}

/// The values of the one dimension an answer is split by.
fn ids(result: &QueryResult) -> Vec<String> {
    let ids: BTreeSet<&String> = result.rows.iter().filter_map(|row| row.dimensions.first()?.value.as_ref()).collect();
    ids.into_iter().cloned().collect()
}
