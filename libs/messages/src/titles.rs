//! What the values of the API's enums are called.

use std::sync::LazyLock;

use insights_proto::reporting::v1::Word;

use super::{Language, id_of, message};

/// The enums whose values have titles.
const ENUMS: [&str; 17] = [
    "insights.reporting.v1.Page",
    "insights.reporting.v1.Section",
    "insights.reporting.v1.Figure",
    "insights.reporting.v1.ChangeKind",
    "insights.reporting.v1.UndefinedReason",
    "insights.reporting.v1.ExportState",
    "insights.reporting.v1.ExportReport",
    "insights.reporting.v1.GlossaryKind",
    "insights.reporting.v1.AdviceCode",
    "insights.reporting.v1.EvidenceKind",
    "insights.metrics.v1.Measure",
    "insights.metrics.v1.Dimension",
    "insights.metrics.v1.Basis",
    "insights.metrics.v1.Scope",
    "insights.metrics.v1.Source",
    "insights.metrics.v1.Reason",
    "insights.access.v1.Role",
];

/// The names of their values, but for those that say nothing, in order.
pub static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let pool = insights_proto::descriptors();
    let enums = ENUMS.iter().filter_map(|name| pool.get_enum_by_name(name));
    let values = enums.flat_map(|found| found.values().collect::<Vec<_>>());
    let mut names: Vec<String> =
        values.filter(|value| value.number() != 0).map(|value| value.name().to_owned()).collect();
    names.sort();
    names
});

/// What a value is called, by its name in the API; a name without a title is its own.
#[must_use]
pub fn title(language: Language, name: &str) -> String {
    message(language, &id_of(name), None, &[]).unwrap_or_else(|| name.to_owned())
}

/// All titles, ordered by key.
#[must_use]
pub fn titles(language: Language) -> Vec<Word> {
    NAMES.iter().map(|name| Word { key: name.clone(), text: title(language, name) }).collect()
}
