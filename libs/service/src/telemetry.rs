//! Logs, and traces and metrics where a collector is configured or the platform asks for them.

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::WithTonicConfig;
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
    propagation::TraceContextPropagator,
    trace::SdkTracerProvider,
};
use serde::{Deserialize, Serialize};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{BoxError, Scrape, meters, prometheus::Text, settings::Validate};

/// What is logged and where telemetry goes. The variables `OTEL_…` of OpenTelemetry hold beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// What is logged, in the syntax of `RUST_LOG`.
    pub log: String,
    /// Logs as JSON lines instead of text.
    pub json: bool,
    /// The OTLP collector's gRPC endpoint, such as `http://collector:4317` or `https://…`; empty: that of
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, else nothing is sent.
    pub otlp_endpoint: String,
    /// Certificates of the authorities believed for an `https://` endpoint, PEM, read at start; empty: the system's.
    pub otlp_ca_file: PathBuf,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { log: "info".into(), json: false, otlp_endpoint: String::new(), otlp_ca_file: PathBuf::new() }
    }
}

impl Validate for TelemetryConfig {
    fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        if let Err(error) = self.log.parse::<EnvFilter>() {
            faults.push(("log".to_owned(), error.to_string()));
        }
        let endpoint = &self.otlp_endpoint;
        if !(endpoint.is_empty() || endpoint.starts_with("http://") || endpoint.starts_with("https://")) {
            faults.push(("otlp_endpoint".to_owned(), "must begin with http:// or https://".to_owned()));
        }
        faults
    }
}

/// How often the text for scrapes is made anew.
const SCRAPED: Duration = Duration::from_secs(2);
/// The endpoint that OpenTelemetry's own variable names.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Keeps telemetry flowing; flushes what is left when dropped.
#[derive(Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
    text: Arc<ArcSwap<String>>,
}

impl Telemetry {
    /// Starts logging to stderr, counting where metrics are sent or `scraped`, and sending where an endpoint is configured. Once per
    /// process; must be called within a tokio runtime when an endpoint is configured.
    pub fn start(config: &TelemetryConfig, services: &[&str], scraped: bool) -> Result<Self, BoxError> {
        let filter: EnvFilter = config.log.parse()?;
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let lines = if config.json { lines.json().boxed() } else { lines.compact().boxed() };
        let logs = tracing_subscriber::registry().with(lines.with_filter(filter));
        let endpoint = match config.otlp_endpoint.is_empty() {
            true => std::env::var(ENDPOINT).unwrap_or_default(),
            false => config.otlp_endpoint.clone(),
        };
        if endpoint.is_empty() && !scraped {
            logs.try_init()?;
            return Ok(Self::default());
        }
        let resource = resource(services);
        let channel = if endpoint.is_empty() { None } else { Some(channel(&endpoint, config)?) };
        let (metrics, text) = metrics(&resource, channel.clone(), scraped)?;
        opentelemetry::global::set_meter_provider(metrics.clone());
        meters::watch_memory();
        let traces = channel.map(|channel| traces(resource, channel)).transpose()?;
        let spans = match &traces {
            Some(traces) => {
                let spans = tracing_opentelemetry::layer().with_tracer(traces.tracer("insights"));
                Some(spans.with_filter(sent()?))
            }
            None => None,
        };
        let numbers = tracing_opentelemetry::MetricsLayer::new(metrics.clone()).with_filter(sent()?);
        logs.with(spans).with(numbers).try_init()?;
        Ok(Self { traces, metrics: Some(metrics), text })
    }

    /// What `/metrics` answers.
    #[must_use]
    pub fn scrape(&self) -> Scrape {
        let text = Arc::clone(&self.text);
        Arc::new(move || text.load().to_string())
    }
}

/// Who this process is, unless `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say otherwise.
fn resource(services: &[&str]) -> Resource {
    let name = match services {
        [service] => format!("insights-{service}"),
        _ => "insights".to_owned(),
    };
    let given = Resource::builder().build();
    let given = |key: &str| {
        let value = given.get(&key.to_owned().into());
        value.is_some_and(|value| !value.as_str().starts_with("unknown_service"))
    };
    let ours = [
        ("service.name", name),
        ("service.namespace", "insights".to_owned()),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id", format!("{:032x}", rand::random::<u128>())),
    ];
    let ours = ours.into_iter().filter(|(key, _)| !given(key)).map(|(key, value)| KeyValue::new(key, value));
    Resource::builder().with_attributes(ours).build()
}

fn channel(endpoint: &str, config: &TelemetryConfig) -> Result<Channel, BoxError> {
    let made = Endpoint::from_shared(endpoint.to_owned())?;
    if !endpoint.starts_with("https://") {
        return Ok(made.connect_lazy());
    }
    let tls = ClientTlsConfig::new();
    let tls = match config.otlp_ca_file.as_os_str().is_empty() {
        true => tls.with_native_roots(),
        false => tls.ca_certificate(Certificate::from_pem(std::fs::read(&config.otlp_ca_file)?)),
    };
    Ok(made.tls_config(tls)?.connect_lazy())
}

fn traces(resource: Resource, channel: Channel) -> Result<SdkTracerProvider, BoxError> {
    let spans = opentelemetry_otlp::SpanExporter::builder().with_tonic().with_channel(channel).build()?;
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    Ok(SdkTracerProvider::builder().with_batch_exporter(spans).with_resource(resource).build())
}

fn metrics(
    resource: &Resource,
    channel: Option<Channel>,
    scraped: bool,
) -> Result<(SdkMeterProvider, Arc<ArcSwap<String>>), BoxError> {
    let mut metrics = SdkMeterProvider::builder().with_resource(resource.clone());
    if let Some(channel) = channel {
        let numbers = opentelemetry_otlp::MetricExporter::builder().with_tonic().with_channel(channel).build()?;
        metrics = metrics.with_periodic_exporter(numbers);
    }
    let text = Text::default();
    if scraped {
        metrics = metrics.with_reader(PeriodicReader::builder(text.clone()).with_interval(SCRAPED).build());
    }
    Ok((metrics.build(), text.0))
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
