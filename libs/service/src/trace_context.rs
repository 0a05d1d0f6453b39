//! Whose trace a call belongs to, as W3C says (`traceparent`): read from callers, written to the services that are asked.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    global,
    propagation::{Extractor, Injector},
    trace::{TraceContextExt, TraceId},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

struct HeadersRead<'a>(&'a HeaderMap);

impl Extractor for HeadersRead<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct HeadersWritten<'a>(&'a mut HeaderMap);

impl Injector for HeadersWritten<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

/// Makes the span one of the caller's trace, where the caller has one.
pub(crate) fn join(span: &Span, headers: &HeaderMap) {
    let parent = global::get_text_map_propagator(|propagator| propagator.extract(&HeadersRead(headers)));
    // A span that nobody records has no parent.
    if span.set_parent(parent).is_ok() {
        let context = span.context();
        let trace = context.span().span_context().trace_id();
        if trace != TraceId::INVALID {
            span.record("trace_id", trace.to_string());
        }
    }
}

/// Tells who is called of this trace.
pub(crate) fn pass_on(span: &Span, headers: &mut HeaderMap) {
    let context = span.context();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut HeadersWritten(headers)));
}
