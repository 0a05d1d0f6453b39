//! Logs, and traces and metrics where a collector is configured.

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider, trace::SdkTracerProvider};
use serde::{Deserialize, Serialize};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{BoxError, settings::Validate};

/// What is logged and where telemetry goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// What is logged, in the syntax of `RUST_LOG`.
    pub log: String,
    /// Logs as JSON lines instead of text.
    pub json: bool,
    /// The OTLP collector's gRPC endpoint, such as `http://collector:4317`; empty: nothing is sent.
    pub otlp_endpoint: String,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { log: "info".into(), json: false, otlp_endpoint: String::new() }
    }
}

impl Validate for TelemetryConfig {
    fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        if let Err(error) = self.log.parse::<EnvFilter>() {
            faults.push(("log".to_owned(), error.to_string()));
        }
        if !self.otlp_endpoint.is_empty() && !self.otlp_endpoint.starts_with("http") {
            faults.push(("otlp_endpoint".to_owned(), "must begin with http:// or https://".to_owned()));
        }
        faults
    }
}

/// Keeps telemetry flowing; flushes what is left when dropped.
#[derive(Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
}

impl Telemetry {
    /// Starts logging to stderr, and sending where an endpoint is configured. Once per process; must be called within a tokio
    /// runtime when an endpoint is configured.
    pub fn start(config: &TelemetryConfig, service: &str) -> Result<Self, BoxError> {
        let filter: EnvFilter = config.log.parse()?;
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let lines = if config.json { lines.json().boxed() } else { lines.compact().boxed() };
        let logs = tracing_subscriber::registry().with(lines.with_filter(filter));
        if config.otlp_endpoint.is_empty() {
            logs.try_init()?;
            return Ok(Self::default());
        }
        let resource = Resource::builder().with_service_name(service.to_owned()).build();
        let spans =
            opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(&config.otlp_endpoint).build()?;
        let traces = SdkTracerProvider::builder().with_batch_exporter(spans).with_resource(resource.clone()).build();
        let numbers =
            opentelemetry_otlp::MetricExporter::builder().with_tonic().with_endpoint(&config.otlp_endpoint).build()?;
        let metrics = SdkMeterProvider::builder().with_periodic_exporter(numbers).with_resource(resource).build();
        let spans = tracing_opentelemetry::layer().with_tracer(traces.tracer("insights"));
        let numbers = tracing_opentelemetry::MetricsLayer::new(metrics.clone());
        logs.with(spans.with_filter(sent()?)).with(numbers.with_filter(sent()?)).try_init()?;
        Ok(Self { traces: Some(traces), metrics: Some(metrics) })
    }
}

/// What is sent, whatever is logged: our own counts and spans, and nothing of the libraries beneath.
fn sent() -> Result<EnvFilter, BoxError> {
    Ok("warn,insights=debug,insights_access=debug,insights_service=debug,insights_ingestion=debug,insights_metrics=debug,\
        insights_reporting=debug"
        .parse()?)
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // Telemetry that cannot be sent at shutdown is lost.
        if let Some(traces) = &self.traces {
            let _ = traces.shutdown();
        }
        if let Some(metrics) = &self.metrics {
            let _ = metrics.shutdown();
        }
    }
}
