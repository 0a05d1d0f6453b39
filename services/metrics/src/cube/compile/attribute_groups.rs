//! What a query makes of steady subscriptions: decided once for each of their shapes.

use std::ops::Range;

use insights_domain::standing::Standing;
use insights_domain::usage::SeatRule;
use insights_proto::metrics::v1::Dimension;

use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::compile::keys::GroupKey;
use crate::cube::data::chunk::{Attributes, CustomerChunk};

/// A group that subscriptions of a shape fall into, but for what their customer and they themselves add to the key.
#[derive(Clone, Copy, Debug)]
pub struct PartialKey {
    pub key: GroupKey,
    pub product_key: u32,
    pub attribution_key: GroupKey,
}

/// What a query makes of subscriptions of one shape.
#[derive(Clone, Debug)]
pub struct CompiledGroup {
    /// The positions of its pieces; none: it does not pass.
    pub partial_keys: Range<usize>,
    /// Whether seats count in months in which it is active and paid for.
    pub paid: SeatRule,
    /// Whether they do in the others.
    pub unpaid: SeatRule,
}

/// What a query makes of every shape.
#[derive(Clone, Debug, Default)]
pub struct AttributeGroups {
    /// By the shape's code.
    pub plans: Vec<CompiledGroup>,
    pub partial_keys: Vec<PartialKey>,
}

impl AttributeGroups {
    /// For a plan that is ready but for its shapes.
    pub fn of(compiled: &CompiledQuery<'_>) -> Self {
        let mut attribute_groups = Self::default();
        for attributes in compiled.cube.dictionaries.attribute_groups.values() {
            let first = attribute_groups.partial_keys.len();
            if compiled.attributes_pass(attributes) {
                compiled.partial_keys_of(attributes, &mut attribute_groups.partial_keys);
            }
            let free = compiled.sku_free.get(attributes.sku as usize).is_some_and(|free| *free);
            let rule = |standing| SeatRule::of(standing, false, free, compiled.query.switches);
            attribute_groups.plans.push(CompiledGroup {
                partial_keys: first..attribute_groups.partial_keys.len(),
                paid: rule(Standing::Active),
                // Nothing but use counts outside of good standing, whatever the standing is.
                unpaid: rule(Standing::Other),
            });
        }
        attribute_groups
    }
}

impl CompiledQuery<'_> {
    /// Every customer passes, whoever it is, and groups do not tell them apart.
    pub fn takes_every_customer(&self) -> bool {
        let texts = [&self.countries, &self.segments, &self.industries];
        let ids = [&self.customers, &self.subscriptions];
        !self.keys_vary && texts.iter().all(|it| it.is_none()) && ids.iter().all(|it| it.is_none())
    }

    /// Every steady subscription of a chunk passes, and all of a customer's are in one group.
    pub fn takes_all_of(&self, chunk: &CustomerChunk) -> bool {
        let passes = |attributes: &u16| !self.attribute_groups.plans[usize::from(*attributes)].partial_keys.is_empty();
        !self.splits_customers
            && self.subscriptions.is_none()
            && chunk.pre_aggregates.attribute_groups.iter().all(passes)
    }

    fn attributes_pass(&self, attributes: &Attributes) -> bool {
        let text = |filter: &Option<Vec<bool>>, code: u32| filter.as_ref().is_none_or(|passes| passes[code as usize]);
        self.sku_passes.get(attributes.sku as usize).is_some_and(|passes| *passes)
            && self.seller_passes(attributes.seller, attributes.attributions != 0)
            && !self.attribution_keys[attributes.attributions as usize].is_empty()
            && text(&self.sales_channels, attributes.sales_channel)
            && text(&self.pricing_models, attributes.pricing_model)
    }

    fn partial_keys_of(&self, attributes: &Attributes, partial_keys: &mut Vec<PartialKey>) {
        if !self.splits_customers {
            partial_keys.push(PartialKey { key: 0, product_key: 0, attribution_key: 0 });
            return;
        }
        let own = self.layout.part(Dimension::SalesChannel, attributes.sales_channel)
            + self.layout.part(Dimension::PricingModel, attributes.pricing_model)
            + self.layout.part(Dimension::Seller, u32::from(attributes.seller) + 1);
        for product_key in self.product_keys_of(attributes.sku) {
            for attribution_key in &self.attribution_keys[attributes.attributions as usize] {
                partial_keys.push(PartialKey {
                    key: own + self.product_keys[*product_key as usize].code + attribution_key,
                    product_key: *product_key,
                    attribution_key: *attribution_key,
                });
            }
        }
    }
}
