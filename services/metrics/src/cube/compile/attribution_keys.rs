//! The parts of keys that attributions give.

use std::collections::HashMap;

use insights_domain::facts::Attribution;

use crate::cube::compile::dimensions::DimensionColumn;
use crate::cube::compile::keys::{GroupKey, KeyLayout};
use crate::cube::compile::predicate::AttributionFilter;
use crate::cube::data::dictionary::Dictionaries;

/// By code of a list of attributions: the parts of the key of those that pass.
pub struct AttributionKeys {
    /// Of subscriptions: the empty list is an attribution to nothing.
    of_subscriptions: Vec<Vec<GroupKey>>,
    /// Of reported usage rows.
    of_usage: Vec<Vec<GroupKey>>,
}

impl AttributionKeys {
    pub fn new(dictionaries: &Dictionaries, filter: &AttributionFilter<'_>, layout: &KeyLayout) -> Self {
        let codes: HashMap<&Option<String>, u32> = dictionaries.texts.values().iter().zip(0..).collect();
        let part = |column, value: &Option<String>| layout.part(column, codes.get(value).copied().unwrap_or_default());
        let parts_of = |attributions: &[Attribution]| {
            let passing = attributions.iter().filter(|attribution| filter.passes(attribution));
            let mut parts: Vec<GroupKey> = passing
                .map(|attribution| {
                    part(DimensionColumn::Location, &attribution.location)
                        + part(DimensionColumn::AttributionType, &attribution.kind)
                })
                .collect();
            parts.sort_unstable();
            parts.dedup();
            parts
        };
        let lists = dictionaries.attributions.values();
        let none = [Attribution::default()];
        Self {
            of_subscriptions: lists.iter().map(|list| parts_of(if list.is_empty() { &none } else { list })).collect(),
            of_usage: lists.iter().map(|list| parts_of(list)).collect(),
        }
    }

    /// The parts that a list of attributions of a subscription gives.
    pub fn of_subscription(&self, attributions: u32) -> &[GroupKey] {
        &self.of_subscriptions[attributions as usize]
    }

    /// A reported usage row without attributions counts in every group; one with some, where one of them passes and is of the
    /// group.
    pub fn usage_passes(&self, attributions: u32, part: GroupKey) -> bool {
        attributions == 0 || self.of_usage[attributions as usize].contains(&part)
    }
}
