//! What was counted, in the text form of Prometheus.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use opentelemetry::KeyValue;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    metrics::{
        Temporality,
        data::{AggregatedMetrics, MetricData, ResourceMetrics},
        exporter::PushMetricExporter,
    },
};

/// Keeps the latest text.
#[derive(Clone, Default)]
pub(crate) struct Text(pub(crate) Arc<ArcSwap<String>>);

impl PushMetricExporter for Text {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.0.store(Arc::new(text(metrics)));
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

fn text(all: &ResourceMetrics) -> String {
    let mut out = String::from("# HELP target_info Who this process is.\n# TYPE target_info gauge\n");
    let resource: Vec<_> =
        all.resource().iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
    line(&mut out, "target_info", resource.iter(), None, 1);
    for metric in all.scope_metrics().flat_map(|scope| scope.metrics()) {
        let name = name(metric.name(), metric.unit());
        match metric.data() {
            AggregatedMetrics::F64(data) => write(&mut out, &name, metric.description(), data),
            AggregatedMetrics::U64(data) => write(&mut out, &name, metric.description(), data),
            AggregatedMetrics::I64(data) => write(&mut out, &name, metric.description(), data),
        }
    }
    out
}

fn write<T: Copy + std::fmt::Display>(out: &mut String, name: &str, help: &str, data: &MetricData<T>) {
    let mut head = |name: &str, kind: &str| {
        let _ =
            writeln!(out, "# HELP {name} {}\n# TYPE {name} {kind}", help.replace('\\', "\\\\").replace('\n', "\\n"));
    };
    match data {
        MetricData::Gauge(gauge) => {
            head(name, "gauge");
            gauge.data_points().for_each(|point| line(out, name, point.attributes(), None, point.value()));
        }
        MetricData::Sum(sum) if sum.is_monotonic() => {
            let name = format!("{name}_total");
            head(&name, "counter");
            sum.data_points().for_each(|point| line(out, &name, point.attributes(), None, point.value()));
        }
        MetricData::Sum(sum) => {
            head(name, "gauge");
            sum.data_points().for_each(|point| line(out, name, point.attributes(), None, point.value()));
        }
        MetricData::Histogram(histogram) => {
            head(name, "histogram");
            let (bucket, total, count) = (format!("{name}_bucket"), format!("{name}_sum"), format!("{name}_count"));
            for point in histogram.data_points() {
                let mut below = 0;
                let bounds = point.bounds().map(|bound| bound.to_string()).chain(["+Inf".to_owned()]);
                for (bound, counted) in bounds.zip(point.bucket_counts()) {
                    below += counted;
                    line(out, &bucket, point.attributes(), Some(&bound), below);
                }
                line(out, &total, point.attributes(), None, point.sum());
                line(out, &count, point.attributes(), None, point.count());
            }
        }
        // None is made here.
        MetricData::ExponentialHistogram(_) => {}
    }
}

fn line<'a>(
    out: &mut String,
    name: &str,
    labels: impl Iterator<Item = &'a KeyValue>,
    bound: Option<&str>,
    value: impl std::fmt::Display,
) {
    let label = |key: &str, value: &str| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{}=\"{value}\"", plain(key))
    };
    let mut labels: Vec<_> = labels.map(|pair| label(pair.key.as_str(), &pair.value.as_str())).collect();
    labels.sort();
    labels.extend(bound.map(|bound| label("le", bound)));
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(out, "{name}{labels} {value}");
}

/// The name as Prometheus has it: with its unit at the end.
fn name(name: &str, unit: &str) -> String {
    let unit = match unit {
        "s" => "_seconds",
        "By" => "_bytes",
        _ => "",
    };
    let name = plain(name);
    if name.ends_with(unit) { name } else { format!("{name}{unit}") }
}

fn plain(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}
