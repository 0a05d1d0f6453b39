//! What a query makes of steady subscriptions: decided once for each of their shapes.

use std::ops::Range;

use insights_domain::standing::Standing;
use insights_domain::usage::SeatRule;
use insights_proto::metrics::v1::Dimension;

use crate::cube::compile::compiled_query::Plan;
use crate::cube::compile::keys::Key;
use crate::cube::data::chunk::{Chunk, Shape};

/// A group that subscriptions of a shape fall into, but for what their customer and they themselves add to the key.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub key: Key,
    pub what: u32,
    pub pair: Key,
}

/// What a query makes of subscriptions of one shape.
#[derive(Clone, Debug)]
pub struct ShapePlan {
    /// The positions of its pieces; none: it does not pass.
    pub pieces: Range<usize>,
    /// Whether seats count in months in which it is active and paid for.
    pub paid: SeatRule,
    /// Whether they do in the others.
    pub unpaid: SeatRule,
}

/// What a query makes of every shape.
#[derive(Clone, Debug, Default)]
pub struct Shapes {
    /// By the shape's code.
    pub plans: Vec<ShapePlan>,
    pub pieces: Vec<Piece>,
}

impl Shapes {
    /// For a plan that is ready but for its shapes.
    pub fn of(plan: &Plan<'_>) -> Self {
        let mut shapes = Self::default();
        for shape in plan.cube.dictionaries.shapes.values() {
            let first = shapes.pieces.len();
            if plan.shape_passes(shape) {
                plan.pieces_of(shape, &mut shapes.pieces);
            }
            let free = plan.sku_free.get(shape.sku as usize).is_some_and(|free| *free);
            let rule = |standing| SeatRule::of(standing, false, free, plan.query.switches);
            shapes.plans.push(ShapePlan {
                pieces: first..shapes.pieces.len(),
                paid: rule(Standing::Active),
                // Nothing but use counts outside of good standing, whatever the standing is.
                unpaid: rule(Standing::Other),
            });
        }
        shapes
    }
}

impl Plan<'_> {
    /// Every customer passes, whoever it is, and groups do not tell them apart.
    pub fn takes_every_customer(&self) -> bool {
        let texts = [&self.countries, &self.segments, &self.industries];
        let ids = [&self.customers, &self.subscriptions];
        !self.keys_vary && texts.iter().all(|it| it.is_none()) && ids.iter().all(|it| it.is_none())
    }

    /// Every steady subscription of a chunk passes, and all of a customer's are in one group.
    pub fn takes_all_of(&self, chunk: &Chunk) -> bool {
        let passes = |shape: &u16| !self.shapes.plans[usize::from(*shape)].pieces.is_empty();
        !self.splits_customers && self.subscriptions.is_none() && chunk.ahead.shapes.iter().all(passes)
    }

    fn shape_passes(&self, shape: &Shape) -> bool {
        let text = |filter: &Option<Vec<bool>>, code: u32| filter.as_ref().is_none_or(|passes| passes[code as usize]);
        self.sku_passes.get(shape.sku as usize).is_some_and(|passes| *passes)
            && self.seller_passes(shape.seller, shape.attributions != 0)
            && !self.pairs[shape.attributions as usize].is_empty()
            && text(&self.sales_channels, shape.sales_channel)
            && text(&self.pricing_models, shape.pricing_model)
    }

    fn pieces_of(&self, shape: &Shape, pieces: &mut Vec<Piece>) {
        if !self.splits_customers {
            pieces.push(Piece { key: 0, what: 0, pair: 0 });
            return;
        }
        let own = self.places.part(Dimension::SalesChannel, shape.sales_channel)
            + self.places.part(Dimension::PricingModel, shape.pricing_model)
            + self.places.part(Dimension::Seller, u32::from(shape.seller) + 1);
        for what in self.whats_of(shape.sku) {
            for pair in &self.pairs[shape.attributions as usize] {
                pieces.push(Piece { key: own + self.whats[*what as usize].code + pair, what: *what, pair: *pair });
            }
        }
    }
}
