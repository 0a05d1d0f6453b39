//! Display names of dimension values.

use std::collections::HashMap;

use insights_domain::filter_value::ValueKind;
use insights_messages::{Language, country};
use insights_proto::metrics::v1::Dimension;

/// Names by dimension and id; names of countries in the language of the call.
#[derive(Debug, Default)]
pub struct DimensionNames {
    language: Language,
    known: HashMap<(Dimension, String), String>,
}

impl DimensionNames {
    /// Knows the names of countries only.
    #[must_use]
    pub fn new(language: Language) -> Self {
        Self { language, known: HashMap::new() }
    }

    /// Adds names of a dimension's values by id.
    #[must_use]
    pub fn and(mut self, dimension: Dimension, names: HashMap<String, String>) -> Self {
        self.known.extend(names.into_iter().map(|(id, name)| ((dimension, id), name)));
        self
    }

    /// The name of a value; empty when the value has none beside itself.
    #[must_use]
    pub fn of(&self, dimension: Dimension, id: &str) -> String {
        if dimension.value_kind() == ValueKind::Country {
            return country(self.language, id).unwrap_or_default();
        }
        self.known.get(&(dimension, id.to_owned())).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_belongs_to_its_dimension() {
        let named = |id: &str, name: &str| HashMap::from([(id.to_owned(), name.to_owned())]);
        let names = DimensionNames::new(Language::Portuguese).and(Dimension::Location, named("DE", "Berlin office"));
        assert_eq!(names.of(Dimension::Location, "DE"), "Berlin office");
        assert_eq!(names.of(Dimension::Country, "DE"), "Alemanha");
        assert_eq!(names.of(Dimension::Sku, "DE"), "");
        assert_eq!(names.of(Dimension::Country, "QQ"), "");
    }
}
