//! Short names of the API's enum values, as flags, columns, JSON and messages to people spell them.

use crate::metrics::v1::{Basis, Dimension, Measure, Reason, Scope, Source};
use crate::reporting::v1::{ChangeKind, ExportState, Figure, GlossaryKind, UndefinedReason};

macro_rules! short_names {
    ($($name:ident, $prefix:literal, $example:literal;)+) => {
        $(impl $name {
            #[doc = concat!("The name without the enum's own, in lower case, such as `", $example, "`.")]
            #[must_use]
            pub fn short_name(self) -> String {
                let name = self.as_str_name();
                name.strip_prefix($prefix).unwrap_or(name).to_ascii_lowercase()
            }

            /// The value of a short name, exactly as [`Self::short_name`] writes it. The value 0 has none.
            #[must_use]
            pub fn from_short_name(name: &str) -> Option<Self> {
                let value = Self::from_str_name(&format!("{}{}", $prefix, name.to_ascii_uppercase()))?;
                (value as i32 != 0 && value.short_name() == name).then_some(value)
            }
        })+
    };
}

short_names! {
    Measure, "MEASURE_", "active_usage_percent";
    Dimension, "DIMENSION_", "sales_channel";
    Basis, "BASIS_", "entitlements";
    Source, "SOURCE_", "computed";
    Reason, "REASON_", "unlicensed_use";
    Scope, "SCOPE_", "all_sellers";
    Figure, "FIGURE_", "available_seats";
    ChangeKind, "CHANGE_KIND_", "stock";
    UndefinedReason, "UNDEFINED_REASON_", "seats_by_service";
    ExportState, "EXPORT_STATE_", "running";
    GlossaryKind, "GLOSSARY_KIND_", "measure";
}

impl Source {
    /// The short name in answers to people: figures whose source is not said are computed.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Mixed => "mixed",
            Self::Computed | Self::Unspecified => "computed",
        }
    }
}

impl Measure {
    /// Every measure, in the order of the enum.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..).map_while(|number| Self::try_from(number).ok())
    }
}

impl Dimension {
    /// Every dimension, in the order of the enum.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..).map_while(|number| Self::try_from(number).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_read_as_they_are_written() {
        let names: Vec<String> = Measure::all().map(Measure::short_name).collect();
        assert!(names.len() > 20 && names.contains(&"billed_revenue".to_owned()), "{names:?}");
        for name in &names {
            assert_eq!(Measure::from_short_name(name).map(Measure::short_name).as_ref(), Some(name));
        }
        assert_eq!(Dimension::from_short_name("sku"), Some(Dimension::Sku));
        assert_eq!(Source::Mixed.short_name(), "mixed");
        for wrong in ["", "unspecified", "SKU", "DIMENSION_SKU", "sku "] {
            assert_eq!(Dimension::from_short_name(wrong), None, "{wrong}");
        }
    }
}
