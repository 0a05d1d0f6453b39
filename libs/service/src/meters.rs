//! What is counted, by OpenTelemetry's conventions. Labels come from closed sets: methods of the API, codes, states. None names a partner
//! or a person.

use std::sync::LazyLock;

use opentelemetry::{
    KeyValue, global,
    metrics::{Gauge, Histogram, Meter},
};

/// Bounds of the seconds that a call takes: from what memory answers to the longest deadline.
const CALL_SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 60.0];

/// Meters are given out by what [`crate::Telemetry`] installed before the first was asked for; without it they count nothing.
fn meter() -> Meter {
    global::meter("insights")
}

/// A call that ended: its method, its code as gRPC writes it, and how long it took.
pub(crate) fn call_ended(method: &str, code: &'static str, seconds: f64) {
    static CALLS: LazyLock<Histogram<f64>> = LazyLock::new(|| {
        let meter = meter();
        let calls = meter.f64_histogram("rpc.server.call.duration").with_unit("s");
        calls.with_description("Time from a call to its last byte").with_boundaries(CALL_SECONDS.to_vec()).build()
    });
    let labels = [
        KeyValue::new("rpc.system", "grpc"),
        KeyValue::new("rpc.method", method.to_owned()),
        KeyValue::new("rpc.response.status_code", code),
    ];
    CALLS.record(seconds, &labels);
}

/// Connections of a service to its database: in use, and the most there may be.
pub fn connections(service: &'static str, used: u32, most: u32) {
    static LEVEL: LazyLock<WatchedLevel> = LazyLock::new(|| {
        WatchedLevel::new(
            "insights.database.connections",
            "{connection}",
            "Connections in use, and the most there may be",
        )
    });
    LEVEL.set(used.into(), &[("service", service), ("state", "used")]);
    LEVEL.set(most.into(), &[("service", service), ("state", "most")]);
}

/// Memory of this process, looked at whenever it is asked for.
pub(crate) fn watch_memory() {
    // It is kept by what installed the meters.
    let _ = meter()
        .u64_observable_gauge("process.memory.usage")
        .with_unit("By")
        .with_description("Resident memory")
        .with_callback(|seen| {
            // Pages; Linux has four kilobytes in each where this runs.
            let pages = std::fs::read_to_string("/proc/self/statm").ok();
            let resident = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
            if let Some(resident) = resident {
                seen.observe(resident * 4096, &[]);
            }
        })
        .build();
}

/// A figure of this process that goes up and down.
#[derive(Clone, Debug)]
pub struct WatchedLevel(Gauge<f64>);

impl WatchedLevel {
    /// A level by this name, such as `insights.exports.waiting`, and in this unit (`s`, `By`, `{partner}`).
    #[must_use]
    pub fn new(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self(meter().f64_gauge(name).with_unit(unit).with_description(help).build())
    }

    /// The level now. Labels come from closed sets.
    pub fn set(&self, level: f64, labels: &[(&'static str, &'static str)]) {
        let labels: Vec<_> = labels.iter().map(|(key, value)| KeyValue::new(*key, *value)).collect();
        self.0.record(level, &labels);
    }
}
