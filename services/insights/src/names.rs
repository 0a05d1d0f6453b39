//! Names of measures and dimensions, as flags and answers spell them.

use insights_proto::metrics::v1::{Dimension, Measure};

/// The name of a measure, as flags and answers spell it.
#[must_use]
pub fn measure_name(measure: Measure) -> String {
    measure.as_str_name().trim_start_matches("MEASURE_").to_ascii_lowercase()
}

/// Every measure.
#[must_use]
pub fn measure_names() -> Vec<String> {
    (1..).map_while(|number| Measure::try_from(number).ok()).map(measure_name).collect()
}

/// The dimension of a name.
#[must_use]
pub fn dimension(name: &str) -> Option<Dimension> {
    let known = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    Some(format!("DIMENSION_{}", name.to_ascii_uppercase()))
        .filter(|_| known)
        .and_then(|name| Dimension::from_str_name(&name))
        .filter(|dimension| *dimension != Dimension::Unspecified)
}

/// The name of a dimension, as flags and answers spell it.
#[must_use]
pub fn dimension_name(dimension: Dimension) -> String {
    dimension.as_str_name().trim_start_matches("DIMENSION_").to_ascii_lowercase()
}

/// Every dimension, listed.
#[must_use]
pub fn dimension_names() -> String {
    let names: Vec<_> = (1..).map_while(|number| Dimension::try_from(number).ok()).map(dimension_name).collect();
    names.join(", ")
}
