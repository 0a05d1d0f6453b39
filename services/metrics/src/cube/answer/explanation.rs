//! Why a usage percentage is what it is.

use insights_domain::calendar::Month;
use insights_domain::usage::Reasons;
use insights_proto::metrics::v1::Measure;

use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::compile::projection::Sum;
use crate::cube::data::cube::{Cube, View};
use crate::cube::scan::accumulators::Mark;
use crate::query::{Basis, Query};

/// One month and group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplanationRow {
    /// The month.
    pub month: Month,
    /// In the order of `group_by`.
    pub dimensions: Vec<Option<String>>,
    /// Against what; the numerator is the reasons' total.
    pub denominator: u64,
    /// Covered, and why not.
    pub reasons: Reasons,
}

impl Cube {
    /// Explains the query's one measure, a usage percentage.
    pub fn explain(&self, query: &Query, view: View<'_>) -> Vec<ExplanationRow> {
        let compiled = match query.top {
            None => self.compiled(query, view),
            Some(top) => {
                // Those that rank highest in an answer that shows what they rank by.
                let ranking = Query { measures: [&query.measures[..], &[top.measure]].concat(), ..query.clone() };
                let mut compiled = CompiledQuery::new(query, self, view);
                compiled.limit_to(self.best(&ranking, top, view));
                compiled
            }
        };
        let counted = compiled.count(true);
        let on_users = query.basis == Basis::Users && query.measures.contains(&Measure::UsagePercent);
        let mut rows = Vec::new();
        for month in compiled.months() {
            for (group, dimensions) in &counted.groups {
                let (accumulators, group) = (&counted.accumulators, *group);
                let unknown = [Mark::ActiveUsersUnknown, Mark::TotalUsersUnknown]
                    .into_iter()
                    .any(|mark| accumulators.is_marked(mark, group, month));
                let (denominator, reasons) = match (on_users, unknown) {
                    (true, true) => (0, Reasons::default()),
                    (true, false) => {
                        (accumulators.sum(Sum::TotalUsers, group, month), accumulators.reasons(group, month))
                    }
                    (false, _) => (accumulators.sum(Sum::Available, group, month), accumulators.reasons(group, month)),
                };
                if dimensions.is_empty() || denominator > 0 || reasons.total() > 0 {
                    rows.push(ExplanationRow { month, dimensions: dimensions.clone(), denominator, reasons });
                }
            }
        }
        rows
    }
}
