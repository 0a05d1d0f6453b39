//! What can be set.

use std::time::Duration;

use insights_service::MessageLimits;
use serde::Deserialize;

/// Settings of the metrics service. Plain data with defaults; unknown keys are refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `sqlite:PATH` or `postgres://…`; the service's own tables.
    pub database_url: String,
    /// Sizes of messages.
    pub messages: MessageLimits,
    /// What a caller may ask for.
    pub limits: Limits,
    /// Customers whose facts are asked for and rolled up at a time; bounds memory.
    pub customers_per_group: usize,
    /// Partners worked on at a time.
    pub partners_at_a_time: usize,
    /// How often the rollup tables are looked at for what another replica did, in milliseconds.
    pub poll_milliseconds: u64,
    /// How often the clock is looked at for a new day, in milliseconds.
    pub tick_milliseconds: u64,
    /// How long to wait after a failure, in milliseconds.
    pub retry_milliseconds: u64,
    /// Partners whose cubes are kept in memory; the one that was not asked for the longest makes room.
    pub cubes_in_memory: usize,
    /// A cube that nobody asked for this long leaves memory, in seconds.
    pub idle_seconds: u64,
}

/// What a caller may ask for.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Queries per call.
    pub queries: usize,
    /// Measures per query.
    pub measures: usize,
    /// Dimensions to group by.
    pub dimensions: usize,
    /// Months per query.
    pub months: usize,
    /// Filter values over all filters of a query.
    pub filter_values: usize,
    /// Bytes of one filter value.
    pub value_bytes: usize,
    /// Rows per answer.
    pub rows: usize,
    /// Names per look-up.
    pub names: usize,
    /// How long `min_version` is waited for when the caller sets no deadline, in milliseconds.
    pub wait_milliseconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queries: 100,
            measures: 40,
            dimensions: 4,
            months: 128,
            filter_values: 1_000,
            value_bytes: 1_024,
            rows: 500_000,
            names: 10_000,
            wait_milliseconds: 30_000,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database_url: "sqlite:metrics.db".to_owned(),
            messages: MessageLimits::default(),
            limits: Limits::default(),
            customers_per_group: 256,
            partners_at_a_time: 2,
            poll_milliseconds: 500,
            tick_milliseconds: 10_000,
            retry_milliseconds: 1_000,
            cubes_in_memory: 256,
            idle_seconds: 900,
        }
    }
}

impl Config {
    pub(crate) const fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_milliseconds)
    }

    pub(crate) const fn tick(&self) -> Duration {
        Duration::from_millis(self.tick_milliseconds)
    }

    pub(crate) const fn retry(&self) -> Duration {
        Duration::from_millis(self.retry_milliseconds)
    }

    pub(crate) const fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }
}
