//! Which calls may be made a second time, read from the API's own options.

use std::sync::LazyLock;

use insights_access::Policy;

/// How much of a call can be done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// All of it: a unary method that is idempotent.
    Whole,
    /// Until the first of the answer arrived: the rest of a stream is the caller's to ask for again.
    Begin,
    /// Nothing.
    No,
}

static POLICY: LazyLock<Option<Policy>> = LazyLock::new(|| Policy::product().ok());

pub(super) fn again(path: &str) -> Again {
    // A health check changes nothing.
    if path == super::HEALTH {
        return Again::Whole;
    }
    match POLICY.as_ref().and_then(|policy| policy.method(path)) {
        Some(method) if !method.idempotent || method.client_streaming => Again::No,
        Some(method) if method.streaming => Again::Begin,
        Some(_) => Again::Whole,
        None => Again::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_repeated_stands_in_the_api() {
        let of = |method: &str| again(&format!("/insights.{method}"));
        assert_eq!(of("reporting.v1.ReportingService/Query"), Again::Whole);
        assert_eq!(of("ingestion.v1.IngestionService/IngestBatch"), Again::Whole);
        assert_eq!(of("ingestion.v1.IngestionService/IngestStream"), Again::No);
        assert_eq!(of("ingestion.v1.ChangeFeedService/StreamChanges"), Again::Begin);
        assert_eq!(of("unknown.v1.Service/Method"), Again::No);
    }
}
