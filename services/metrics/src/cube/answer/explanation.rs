//! Why a usage percentage is what it is.

use insights_domain::calendar::Month;
use insights_domain::usage::Reasons;
use insights_proto::metrics::v1::Measure;

use crate::cube::answer::rows::SortedGroups;
use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::compile::projection::Sum;
use crate::cube::scan::accumulators::Mark;
use crate::query::Basis;

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

/// Explains the query's one measure, a usage percentage.
pub fn explain(compiled: &CompiledQuery<'_>) -> Vec<ExplanationRow> {
    let query = compiled.query();
    let SortedGroups { accumulators, groups } = SortedGroups::read(compiled, true);
    let on_users = query.basis == Basis::Users && query.measures.contains(&Measure::UsagePercent);
    let mut rows = Vec::new();
    for month in compiled.months() {
        for (group, dimensions) in &groups {
            let marked = |mark| accumulators.is_marked(mark, *group, month);
            let unknown = match on_users {
                true => marked(Mark::ActiveUsersUnknown) || marked(Mark::TotalUsersUnknown),
                false => marked(Mark::ActiveUnknown),
            };
            let sum = |sum| accumulators.sum(sum, *group, month);
            let (denominator, reasons) = match (on_users, unknown) {
                (_, true) => (0, Reasons::default()),
                (true, false) => (sum(Sum::TotalUsers), accumulators.reasons(*group, month)),
                (false, false) => (sum(Sum::Available), accumulators.reasons(*group, month)),
            };
            if dimensions.is_empty() || denominator > 0 || reasons.total() > 0 {
                rows.push(ExplanationRow { month, dimensions: dimensions.clone(), denominator, reasons });
            }
        }
    }
    rows
}
