//! Turns accumulators into what callers read: rows, blocks, explanations and report rows.

pub mod blocks;
pub mod explanation;
pub mod pages;
pub mod ranking;
pub mod report;
pub mod rows;

use insights_proto::metrics::v1::ReportRow;

use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::data::cube::{Cube, Visibility};
use crate::query::Query;

use blocks::Blocks;
use explanation::ExplanationRow;
use pages::first_after;
use ranking::best;
use report::ReportRequest;
use rows::{QueryAnswer, SortedGroups, overlapping};

impl Cube {
    /// Answers a query for a caller. Months after that of `complete_through` give no rows.
    pub fn query(&self, query: &Query, view: Visibility<'_>) -> QueryAnswer {
        let compiled = compile(self, query, view);
        let sorted = SortedGroups::read(&compiled, false);
        let mut rows = Vec::new();
        sorted.each_row(&compiled, |group, row| rows.push(row.with(sorted.groups[group].1.clone())));
        QueryAnswer { rows, overlapping: overlapping(&compiled) }
    }

    /// What [`Cube::query`] answers, in blocks of at most so many rows.
    pub fn blocks(&self, query: &Query, view: Visibility<'_>, most: usize) -> Blocks {
        blocks::blocks(&compile(self, query, view), most)
    }

    /// Explains the query's one measure, a usage percentage.
    pub fn explain(&self, query: &Query, view: Visibility<'_>) -> Vec<ExplanationRow> {
        match query.top {
            None => explanation::explain(&compile(self, query, view)),
            Some(top) => {
                // Those that rank highest in an answer that shows what they rank by.
                let ranking = Query { measures: [&query.measures[..], &[top.measure]].concat(), ..query.clone() };
                let best = best(self, &ranking, top, view);
                explanation::explain(&CompiledQuery::new(query, self, view).limited_to(best))
            }
        }
    }

    /// Rows of a report for a caller, and the position of the next customer.
    pub fn report(&self, query: &Query, view: Visibility<'_>, request: ReportRequest) -> (Vec<ReportRow>, usize) {
        report::report(self, query, view, request)
    }
}

/// A query, compiled and limited to the groups it is about.
fn compile<'a>(cube: &'a Cube, query: &'a Query, view: Visibility<'a>) -> CompiledQuery<'a> {
    let compiled = CompiledQuery::new(query, cube, view);
    if let Some(top) = query.top {
        compiled.limited_to(best(cube, query, top, view))
    } else if let Some(slice) = &query.slice {
        let whole = Query { slice: None, ..query.clone() };
        let first = first_after(&CompiledQuery::new(&whole, cube, view), slice);
        compiled.limited_to(first)
    } else {
        compiled
    }
}
