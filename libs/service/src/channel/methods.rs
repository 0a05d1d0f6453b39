//! Which calls may be made a second time, read from the API's own options.

use std::sync::LazyLock;

use insights_access::Policy;

/// How much of a call can be done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeatable {
    /// All of it: a unary method that is idempotent.
    Whole,
    /// Until the first of the answer arrived: the rest of a stream is the caller's to ask for again.
    Begin,
    /// Nothing.
    No,
}

static POLICY: LazyLock<Option<Policy>> = LazyLock::new(|| Policy::product().ok());

/// Whether the API has the method, or every server does.
pub(crate) fn is_known(path: &str) -> bool {
    let everywhere = matches!(
        path,
        "/grpc.health.v1.Health/Check"
            | "/grpc.health.v1.Health/Watch"
            | "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
            | "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    );
    everywhere || POLICY.as_ref().is_some_and(|policy| policy.method(path).is_some())
}

pub(super) fn again(path: &str) -> Repeatable {
    // A health check changes nothing.
    if path == super::HEALTH {
        return Repeatable::Whole;
    }
    match POLICY.as_ref().and_then(|policy| policy.method(path)) {
        Some(method) if !method.idempotent || method.client_streaming => Repeatable::No,
        Some(method) if method.streaming => Repeatable::Begin,
        Some(_) => Repeatable::Whole,
        None => Repeatable::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_repeated_stands_in_the_api() {
        let of = |method: &str| again(&format!("/insights.{method}"));
        assert_eq!(of("reporting.v1.ReportingService/Query"), Repeatable::Whole);
        assert_eq!(of("ingestion.v1.IngestionService/IngestBatch"), Repeatable::Whole);
        assert_eq!(of("ingestion.v1.IngestionService/IngestStream"), Repeatable::No);
        assert_eq!(of("ingestion.v1.ChangeFeedService/StreamChanges"), Repeatable::Begin);
        assert_eq!(of("unknown.v1.Service/Method"), Repeatable::No);
    }
}
