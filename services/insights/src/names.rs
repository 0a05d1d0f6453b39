//! Lists of the names of measures and dimensions, for messages to people.

use insights_proto::metrics::v1::{Dimension, Measure};

/// Every measure.
#[must_use]
pub fn measure_names() -> Vec<String> {
    Measure::all().map(Measure::short_name).collect()
}

/// Every dimension, listed.
#[must_use]
pub fn dimension_names() -> String {
    Dimension::all().map(Dimension::short_name).collect::<Vec<_>>().join(", ")
}
