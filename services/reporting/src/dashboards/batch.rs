//! The queries of one page, sent to metrics in one call, and their results.

use insights_proto::metrics::v1::{
    BatchQueryRequest, BatchQueryResponse, Explanation, ExplanationList, Freshness, Query, Result as QueryResult,
    Source,
};

/// Position of a query's result among the results of its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryHandle(usize);

/// Position of a percentage's explanations among those of its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExplainHandle(usize);

/// Builds the batch request of a page.
#[derive(Debug, Default)]
pub struct QueryBatch {
    queries: Vec<Query>,
    explain: Vec<Query>,
}

impl QueryBatch {
    /// Adds a query.
    pub fn query(&mut self, query: Query) -> QueryHandle {
        self.queries.push(query);
        QueryHandle(self.queries.len() - 1)
    }

    /// Adds a percentage whose reasons are wanted.
    pub fn explain(&mut self, query: Query) -> ExplainHandle {
        self.explain.push(query);
        ExplainHandle(self.explain.len() - 1)
    }

    /// Whether nothing was added.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.queries.is_empty() && self.explain.is_empty()
    }

    /// The request for all of it, answered from one version of at least `min_version`.
    #[must_use]
    pub fn request(self, min_version: i64) -> BatchQueryRequest {
        BatchQueryRequest { queries: self.queries, min_version, explain: self.explain }
    }
}

/// Results of a [`QueryBatch`], all of one version.
#[derive(Debug)]
pub struct BatchResults {
    results: Vec<QueryResult>,
    explained: Vec<ExplanationList>,
    /// Version and end of the data.
    pub freshness: Freshness,
}

impl From<BatchQueryResponse> for BatchResults {
    fn from(response: BatchQueryResponse) -> Self {
        Self {
            results: response.results,
            explained: response.explained,
            freshness: response.freshness.unwrap_or_default(),
        }
    }
}

impl BatchResults {
    /// The result of a query; empty when metrics returned none.
    #[must_use]
    pub fn result(&self, query: QueryHandle) -> &QueryResult {
        static NONE: QueryResult = QueryResult { rows: Vec::new(), overlapping: false, redacted: false };
        self.results.get(query.0).unwrap_or(&NONE)
    }

    /// The explanations of a percentage.
    #[must_use]
    pub fn explanations(&self, explain: ExplainHandle) -> &[Explanation] {
        self.explained.get(explain.0).map_or(&[], |list| &list.explanations)
    }

    /// Whether any result leaves something out because of the caller's roles.
    #[must_use]
    pub fn redacted(&self) -> bool {
        self.results.iter().any(|result| result.redacted)
    }

    /// Whether any figure is only a lower bound.
    #[must_use]
    pub fn lower_bound(&self) -> bool {
        self.results.iter().flat_map(|result| &result.rows).any(|row| row.lower_bound)
    }

    /// A figure rests on a month that a report does not cover.
    #[must_use]
    pub fn carried(&self) -> bool {
        self.results.iter().flat_map(|result| &result.rows).any(|row| row.carried)
    }

    /// The source that all rows of a result share; mixed when they differ.
    #[must_use]
    pub fn source(&self, query: QueryHandle) -> Source {
        let mut sources = self.result(query).rows.iter().map(|row| row.source()).filter(|s| *s != Source::Unspecified);
        let Some(first) = sources.next() else { return Source::Computed };
        if sources.all(|source| source == first) { first } else { Source::Mixed }
    }
}
