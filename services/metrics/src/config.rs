//! What can be set.

use std::time::Duration;

use insights_database::Options;
use insights_service::{MessageLimits, Validate};
use serde::{Deserialize, Serialize};

/// Settings of the metrics service. Plain data with defaults; unknown keys are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `sqlite:PATH` or `postgres://…`; the service's own tables.
    pub database_url: String,
    /// How to connect to it.
    pub database: Options,
    /// Sizes of messages.
    pub messages: MessageLimits,
    /// What a caller may ask for.
    pub limits: QueryLimits,
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
    /// Partners whose cubes are kept in memory; the one that was not used for the longest makes room.
    pub cubes_in_memory: usize,
    /// A cube that was not used for so many seconds leaves memory.
    pub idle_seconds: u64,
}

/// What a caller may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueryLimits {
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

impl Default for QueryLimits {
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
            database: Options::default(),
            messages: MessageLimits::default(),
            limits: QueryLimits::default(),
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

impl Validate for Config {
    /// 0 of anything stops the service: no query would be taken, no customer rolled up, and waits would spin.
    fn faults(&self) -> Vec<(String, String)> {
        let limits = &self.limits;
        let counts = [
            ("limits.queries", limits.queries),
            ("limits.measures", limits.measures),
            ("limits.months", limits.months),
            ("limits.filter_values", limits.filter_values),
            ("limits.value_bytes", limits.value_bytes),
            ("limits.rows", limits.rows),
            ("limits.names", limits.names),
            ("customers_per_group", self.customers_per_group),
            ("partners_at_a_time", self.partners_at_a_time),
            ("cubes_in_memory", self.cubes_in_memory),
        ];
        let times = [
            ("limits.wait_milliseconds", limits.wait_milliseconds),
            ("poll_milliseconds", self.poll_milliseconds),
            ("tick_milliseconds", self.tick_milliseconds),
            ("retry_milliseconds", self.retry_milliseconds),
            ("idle_seconds", self.idle_seconds),
        ];
        let counts = counts.into_iter().map(|(setting, value)| (setting, value == 0));
        let times = times.into_iter().map(|(setting, value)| (setting, value == 0));
        let zero = counts.chain(times).filter(|(_, zero)| *zero);
        let mut faults: Vec<_> =
            zero.map(|(setting, _)| (setting.to_owned(), "must be at least 1".to_owned())).collect();
        if self.database_url.is_empty() {
            faults.push(("database_url".to_owned(), "must be sqlite:PATH or postgres://…".to_owned()));
        }
        faults
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

#[cfg(test)]
mod tests {
    use insights_service::load;

    use super::*;

    #[test]
    fn every_fault_is_said_at_once() {
        assert_eq!(Config::default().faults(), []);
        let text = "database_url = \"\"\npartners_at_a_time = 0\n[limits]\nrows = 0\nwait_milliseconds = 0\n";
        let said = load::<Config>(text).expect_err("four faults").to_string();
        for fault in [
            "database_url: must be sqlite:PATH or postgres://…",
            "partners_at_a_time: must be at least 1",
            "limits.rows: must be at least 1",
            "limits.wait_milliseconds: must be at least 1",
        ] {
            assert!(said.contains(fault), "{said}");
        }
        let said = load::<Config>("[limits]\nrow = 3\n").expect_err("an unknown key").to_string();
        assert!(said.contains("limits.row"), "{said}");
        assert_eq!(load::<Config>("[limits]\nmonths = 0\n").expect_err("a fault").0.len(), 1);
        assert_eq!(load::<Config>("idle_seconds = 60\n").expect("good settings").idle(), Duration::from_secs(60));
    }
}
