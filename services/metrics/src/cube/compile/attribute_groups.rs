//! What a query makes of subscriptions that keep their attributes: decided once for each combination of attributes.

use std::ops::Range;

use insights_domain::standing::{Standing, Switches};
use insights_domain::usage::SeatRule;

use crate::cube::compile::attribution_keys::AttributionKeys;
use crate::cube::compile::keys::{GroupKey, KeyLayout};
use crate::cube::compile::predicate::Predicate;
use crate::cube::compile::product_keys::ProductKeys;
use crate::cube::data::chunk::Attributes;

/// A group that subscriptions with some attributes fall into, but for what their customer and they themselves add to the key.
#[derive(Clone, Copy, Debug)]
pub struct PartialKey {
    pub key: GroupKey,
    /// The position of the combination of product, SKU and service.
    pub product_key: u32,
    /// The part of the key that an attribution gives.
    pub attribution_part: GroupKey,
}

impl PartialKey {
    /// That of a query whose groups do not differ within a customer.
    const WHOLE: Self = Self { key: 0, product_key: 0, attribution_part: 0 };
}

/// What a query makes of subscriptions with some attributes.
#[derive(Clone, Debug)]
pub struct AttributeGroup {
    /// The positions of its partial keys; none: it does not pass.
    pub partial_keys: Range<usize>,
    /// Whether seats count in months in which it counts and is paid for.
    pub paid: SeatRule,
    /// Whether they do in the others.
    pub unpaid: SeatRule,
}

/// What a query makes of every combination of attributes.
#[derive(Clone, Debug)]
pub struct AttributeGroups {
    /// By the combination's code.
    groups: Vec<AttributeGroup>,
    partial_keys: Vec<PartialKey>,
}

/// What decides about attributes.
pub struct AttributeRules<'r, 'a> {
    pub predicate: &'r Predicate<'a>,
    pub products: &'r ProductKeys,
    pub attributions: &'r AttributionKeys,
    pub layout: &'r KeyLayout,
    pub splits_customers: bool,
    pub switches: Switches,
}

impl AttributeGroups {
    pub fn new(combinations: &[Attributes], rules: &AttributeRules<'_, '_>) -> Self {
        let mut compiled = Self { groups: Vec::with_capacity(combinations.len()), partial_keys: Vec::new() };
        for attributes in combinations {
            let first = compiled.partial_keys.len();
            if rules.predicate.attributes(attributes) {
                rules.add_partial_keys(attributes, &mut compiled.partial_keys);
            }
            let free = rules.products.is_free(attributes.sku);
            let rule = |standing| SeatRule::of(standing, false, free, rules.switches);
            compiled.groups.push(AttributeGroup {
                partial_keys: first..compiled.partial_keys.len(),
                paid: rule(Standing::Active),
                // Nothing but use counts outside of good standing, whatever the standing is.
                unpaid: rule(Standing::Other),
            });
        }
        compiled
    }

    /// By code.
    #[inline]
    pub fn group(&self, code: u16) -> &AttributeGroup {
        &self.groups[usize::from(code)]
    }

    /// By position.
    #[inline]
    pub fn partial_key(&self, position: usize) -> PartialKey {
        self.partial_keys[position]
    }

    /// How many partial keys there are.
    pub const fn partial_key_count(&self) -> usize {
        self.partial_keys.len()
    }
}

impl AttributeRules<'_, '_> {
    fn add_partial_keys(&self, attributes: &Attributes, partial_keys: &mut Vec<PartialKey>) {
        if !self.splits_customers {
            partial_keys.push(PartialKey::WHOLE);
            return;
        }
        let own = self.layout.attributes_part(attributes);
        for product_key in self.products.of_sku(attributes.sku) {
            for attribution_part in self.attributions.of_subscription(attributes.attributions) {
                partial_keys.push(PartialKey {
                    key: own + self.products.key(*product_key).part + attribution_part,
                    product_key: *product_key,
                    attribution_part: *attribution_part,
                });
            }
        }
    }
}
