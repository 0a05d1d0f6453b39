//! The questions of one page, asked together, and their answers.

use insights_proto::metrics::v1::{
    BatchQueryRequest, BatchQueryResponse, Explanation, ExplanationList, Freshness, Query, Result as QueryResult,
    Source,
};

/// Where the answer to a question will stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked(usize);

/// Where an explanation will stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedWhy(usize);

/// The questions of a page.
#[derive(Debug, Default)]
pub struct Plan {
    queries: Vec<Query>,
    explain: Vec<Query>,
}

impl Plan {
    /// Adds a question.
    pub fn ask(&mut self, query: Query) -> Asked {
        self.queries.push(query);
        Asked(self.queries.len() - 1)
    }

    /// Adds a percentage to explain.
    pub fn ask_why(&mut self, query: Query) -> AskedWhy {
        self.explain.push(query);
        AskedWhy(self.explain.len() - 1)
    }

    /// There is nothing to ask.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.queries.is_empty() && self.explain.is_empty()
    }

    /// The one request that holds them all.
    #[must_use]
    pub fn request(self, min_version: i64) -> BatchQueryRequest {
        BatchQueryRequest { queries: self.queries, min_version, explain: self.explain }
    }
}

/// The answers to a [`Plan`], all of one version.
#[derive(Debug)]
pub struct Answers {
    results: Vec<QueryResult>,
    explained: Vec<ExplanationList>,
    /// How fresh they are.
    pub freshness: Freshness,
}

impl From<BatchQueryResponse> for Answers {
    fn from(response: BatchQueryResponse) -> Self {
        Self {
            results: response.results,
            explained: response.explained,
            freshness: response.freshness.unwrap_or_default(),
        }
    }
}

impl Answers {
    /// The answer to a question; empty when metrics gave none.
    #[must_use]
    pub fn of(&self, asked: Asked) -> &QueryResult {
        static NONE: QueryResult = QueryResult { rows: Vec::new(), overlapping: false, redacted: false };
        self.results.get(asked.0).unwrap_or(&NONE)
    }

    /// The explanations of a percentage.
    #[must_use]
    pub fn why(&self, asked: AskedWhy) -> &[Explanation] {
        self.explained.get(asked.0).map_or(&[], |list| &list.explanations)
    }

    /// Whether anything was left out because of the caller's rights.
    #[must_use]
    pub fn redacted(&self) -> bool {
        self.results.iter().any(|result| result.redacted)
    }

    /// Whether any figure may be greater than what is known.
    #[must_use]
    pub fn lower_bound(&self) -> bool {
        self.results.iter().flat_map(|result| &result.rows).any(|row| row.lower_bound)
    }

    /// How many rows were answered.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.results.iter().map(|result| result.rows.len()).sum()
    }

    /// Where the figures of an answer come from, taken together.
    #[must_use]
    pub fn source(&self, asked: Asked) -> Source {
        let mut sources = self.of(asked).rows.iter().map(|row| row.source()).filter(|s| *s != Source::Unspecified);
        let Some(first) = sources.next() else { return Source::Computed };
        if sources.all(|source| source == first) { first } else { Source::Mixed }
    }
}
