//! The parsed months, filters and scope of a page request.

use std::collections::HashSet;

use insights_domain::calendar::Month;
use insights_proto::metrics::v1::{Basis, Dimension, DimensionValue, Filter, Freshness, Measure, Query, Scope};
use insights_proto::reporting::v1::{PageFilters, RangePreset};
use insights_service::{Error, FieldViolation};

use super::months::{MonthSpan, first_month, last_month};

/// Most months of a page. Metrics keeps 128, and a change needs as many again before the range.
pub const MAX_MONTHS: i32 = 60;

/// Most filter values of one query to metrics, by its default settings.
const MAX_VALUES: usize = 1_000;

/// A filter value that matches nothing.
const NOTHING: &str = "(nothing in common)";

/// Which months a page asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// This many, up to the last month with data.
    Last(i32),
    /// From one to another, both included.
    Custom(Month, Month),
}

/// Months, filters and scope that every section of a page shares.
#[derive(Debug, Clone, PartialEq)]
pub struct PageSelection {
    /// The requested months.
    pub range: Range,
    /// Filters, all of which must match.
    pub filters: Vec<Filter>,
    /// Which sellers' subscriptions are included.
    pub scope: Scope,
    include_grace: bool,
    include_free: bool,
    as_of: Option<prost_types::Timestamp>,
}

impl PageSelection {
    /// Parses the filters of a page and collects every fault.
    pub fn parse(filters: Option<PageFilters>, default_scope: Scope, faults: &mut Vec<FieldViolation>) -> Self {
        let asked = filters.unwrap_or_default();
        let range = parse_range(&asked, faults);
        let scope = match Scope::try_from(asked.scope) {
            Ok(Scope::Unspecified) => default_scope,
            Ok(scope) => scope,
            Err(_) => {
                faults.push(FieldViolation::new("page.scope", "is not a scope"));
                default_scope
            }
        };
        for (index, filter) in asked.filters.iter().enumerate() {
            if !matches!(Dimension::try_from(filter.dimension), Ok(d) if d != Dimension::Unspecified) {
                faults.push(FieldViolation::new(format!("page.filters[{index}].dimension"), "is not a dimension"));
            }
            if filter.values.is_empty() {
                faults.push(FieldViolation::new(format!("page.filters[{index}].values"), "needs at least one value"));
            }
        }
        Self {
            range,
            filters: asked.filters,
            scope,
            include_grace: asked.include_grace,
            include_free: asked.include_free,
            as_of: asked.as_of,
        }
    }

    /// The months of this page for the data's freshness.
    ///
    /// # Errors
    /// Invalid when a custom range ends after the data does.
    pub fn span(&self, freshness: &Freshness) -> Result<MonthSpan, Error> {
        let last = last_month(freshness).ok_or_else(|| Error::unavailable("The end of the data is not known."))?;
        let (from, to) = match self.range {
            Range::Last(months) => (last.plus(1 - months), last),
            Range::Custom(from, to) if to <= last => (from, to),
            Range::Custom(..) => {
                let reason = format!("lies after {last}, the last month with data");
                return Err(Error::Invalid(vec![FieldViolation::new("page.to_month", reason)]));
            }
        };
        Ok(MonthSpan { from, to, first_data: first_month(freshness) })
    }

    /// Whether a dimension is filtered on.
    #[must_use]
    pub fn filters_on(&self, dimension: Dimension) -> bool {
        self.filters.iter().any(|filter| filter.dimension == dimension as i32)
    }

    /// Whether a value passes the filters of its dimension.
    #[must_use]
    pub fn lets_through(&self, dimension: Dimension, value: Option<&DimensionValue>) -> bool {
        let comparable =
            |value: &DimensionValue| value.value.as_deref().map(|text| dimension.value_kind().comparable(text));
        let same = |one: &DimensionValue| value.map(comparable) == Some(comparable(one));
        let mut filters = self.filters.iter().filter(|filter| filter.dimension == dimension as i32).peekable();
        filters.peek().is_none() || filters.any(|filter| filter.values.iter().any(same))
    }

    /// Intersects the filters of a dimension with these values. `false` when nothing is left.
    pub fn narrow(&mut self, dimension: Dimension, values: &[String]) -> bool {
        let kind = dimension.value_kind();
        let wanted: HashSet<String> = values.iter().map(|text| kind.comparable(text)).collect();
        let allowed =
            |value: &DimensionValue| value.value.as_ref().is_some_and(|text| wanted.contains(&kind.comparable(text)));
        let (mut narrowed, mut left) = (false, !values.is_empty());
        // Metrics unites filters of one dimension, so each is intersected.
        for filter in self.filters.iter_mut().filter(|filter| filter.dimension == dimension as i32) {
            filter.values.retain(allowed);
            left = !filter.values.is_empty() || (narrowed && left);
            narrowed = true;
        }
        if !narrowed {
            let values = values.iter().map(|text| DimensionValue { value: Some(text.clone()) }).collect();
            self.filters.push(Filter { dimension: dimension as i32, values });
        }
        self.forbid_nothing();
        left
    }

    /// Makes empty filters match nothing: metrics refuses a filter without values.
    fn forbid_nothing(&mut self) {
        for filter in self.filters.iter_mut().filter(|filter| filter.values.is_empty()) {
            filter.values.push(DimensionValue { value: Some(NOTHING.to_owned()) });
        }
    }

    /// The page with these values instead of the filters of their dimension, which must pass those filters. `None` when a
    /// query cannot have that many values.
    #[must_use]
    pub fn of_values(&self, dimension: Dimension, values: Vec<DimensionValue>) -> Option<Self> {
        if values.len() > self.room(dimension) {
            return None;
        }
        let mut page = self.clone();
        page.filters.retain(|filter| filter.dimension != dimension as i32);
        page.filters.push(Filter { dimension: dimension as i32, values });
        page.forbid_nothing();
        Some(page)
    }

    /// How many values of a dimension a query can name beside the filters on other dimensions.
    #[must_use]
    pub fn room(&self, dimension: Dimension) -> usize {
        let others = self.filters.iter().filter(|filter| filter.dimension != dimension as i32);
        MAX_VALUES.saturating_sub(others.map(|filter| filter.values.len()).sum())
    }

    /// A query under the filters of this page.
    #[must_use]
    pub fn query(&self, measures: &[Measure], group_by: &[Dimension], from: Month, to: Month) -> Query {
        Query {
            measures: measures.iter().map(|measure| *measure as i32).collect(),
            group_by: group_by.iter().map(|dimension| *dimension as i32).collect(),
            from_month: from.to_string(),
            to_month: to.to_string(),
            filters: self.filters.clone(),
            basis: Basis::Unspecified as i32,
            scope: self.scope as i32,
            include_grace: self.include_grace,
            include_free: self.include_free,
            as_of: self.as_of,
            top: None,
            slice: None,
            every_subscription: false,
        }
    }
}

fn parse_range(asked: &PageFilters, faults: &mut Vec<FieldViolation>) -> Range {
    let preset = match RangePreset::try_from(asked.preset) {
        Ok(RangePreset::Unspecified) => None,
        Ok(RangePreset::ThreeMonths) => Some(3),
        Ok(RangePreset::SixMonths) => Some(6),
        Ok(RangePreset::TwelveMonths) => Some(12),
        Err(_) => {
            faults.push(FieldViolation::new("page.preset", "is not a preset"));
            None
        }
    };
    if asked.from_month.is_empty() && asked.to_month.is_empty() {
        return Range::Last(preset.unwrap_or(12));
    }
    if preset.is_some() {
        faults.push(FieldViolation::new("page.preset", "goes without from_month and to_month"));
    }
    let from = parse_month("page.from_month", &asked.from_month, faults);
    let to = parse_month("page.to_month", &asked.to_month, faults);
    match (from, to) {
        (Some(from), Some(to)) if to < from => {
            faults.push(FieldViolation::new("page.to_month", "lies before from_month"));
        }
        (Some(from), Some(to)) if to.index() - from.index() >= MAX_MONTHS => {
            faults.push(FieldViolation::new("page.to_month", format!("makes more than {MAX_MONTHS} months")));
        }
        (Some(from), Some(to)) => return Range::Custom(from, to),
        _ => {}
    }
    Range::Last(12)
}

fn parse_month(field: &str, text: &str, faults: &mut Vec<FieldViolation>) -> Option<Month> {
    match text.parse() {
        Ok(month) => Some(month),
        Err(_) => {
            faults.push(FieldViolation::new(field, "must be a month such as 2026-01"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> DimensionValue {
        DimensionValue { value: Some(text.to_owned()) }
    }

    fn filtered(dimension: Dimension, text: &str) -> PageSelection {
        let filter = Filter { dimension: dimension as i32, values: vec![value(text)] };
        let filters = PageFilters { filters: vec![filter], ..PageFilters::default() };
        PageSelection::parse(Some(filters), Scope::AllSellers, &mut Vec::new())
    }

    /// Pairs of a filter's value and the same value as the data has it.
    const SPELLINGS: [(Dimension, &str, &str); 5] = [
        (Dimension::Customer, "8A3F2C1E-0B4D-4F6A-9C8E-1234567890AB", "8a3f2c1e-0b4d-4f6a-9c8e-1234567890ab"),
        (Dimension::Country, "br", "BR"),
        (Dimension::Service, "OneDrive for Business", "SharePoint"),
        (Dimension::Standing, "active", "ACTIVE"),
        (Dimension::Segment, " Enterprise", "Enterprise"),
    ];

    #[test]
    fn a_filter_matches_values_as_metrics_compares_them() {
        for (dimension, filter, data) in SPELLINGS {
            let page = filtered(dimension, filter);
            assert!(page.lets_through(dimension, Some(&value(data))), "{dimension:?}");
            assert!(!page.lets_through(dimension, Some(&value("else"))), "{dimension:?}");
            assert!(!page.lets_through(dimension, Some(&DimensionValue::default())), "{dimension:?}");
        }
    }

    #[test]
    fn narrowing_keeps_values_as_metrics_compares_them() {
        for (dimension, filter, data) in SPELLINGS {
            let mut page = filtered(dimension, filter);
            assert!(page.narrow(dimension, &[data.to_owned()]), "{dimension:?}");
            assert_eq!(page.filters[0].values, [value(filter)], "{dimension:?}");
            assert!(!page.narrow(dimension, &["else".to_owned()]), "{dimension:?}");
            assert_eq!(page.filters[0].values, [value(NOTHING)], "{dimension:?}");
        }
    }
}
