//! Reads subscriptions whose SKU and terms never change, by the bits of their lifespans.

use std::ops::Range;

use insights_domain::usage::SeatRule;
use insights_proto::metrics::v1::Dimension;

use crate::cube::compile::attribute_groups::CompiledGroup;
use crate::cube::compile::keys::GroupKey;
use crate::cube::compile::projection::Sum;
use crate::cube::data::chunk::{AttributeRun, ConstantRun, HAS_STATE, NO_SELLER};
use crate::cube::data::months::stretches;
use crate::cube::data::pre_aggregates::SeatSums;
use crate::cube::scan::accumulators::{Accumulators, Mark};
use crate::cube::scan::chunk_scan::ChunkScan;
use crate::cube::scan::scratch::{CachedGroup, Scratch};
use crate::cube::scan::window::{Months, RunMonths};

/// What a loop over subscriptions is made for: one that does a single thing is far quicker.
pub const CUSTOMERS: u8 = 0;
pub const SEATS: u8 = 1;
pub const ANYTHING: u8 = 2;

impl ChunkScan<'_, '_> {
    /// Does for a steady subscription what is done for the runs of another.
    #[inline]
    pub fn read_constant<const FOR: u8>(
        &self,
        part: GroupKey,
        position: usize,
        constant_run: &ConstantRun,
        accumulators: &mut Accumulators,
        scratch: &mut Scratch,
    ) {
        let known = self.window.cut(constant_run.known);
        let attributes = &self.compiled.attribute_groups.plans[usize::from(constant_run.attributes)];
        if known == 0 || !self.is_named(position) {
            return;
        }
        let active = self.window.cut(constant_run.active);
        for partial_key in attributes.partial_keys.clone() {
            let Some(group) = self.group_of_partial_key(part, position, partial_key, accumulators, scratch) else {
                continue;
            };
            if FOR == CUSTOMERS || FOR == ANYTHING && self.projection.customers {
                scratch.counted_months_of(group).counted |= Months::from(active);
            }
            if FOR == SEATS || FOR == ANYTHING && self.projection.seats {
                self.add_constant_seats(constant_run, attributes, known, group, accumulators);
            }
            if FOR == ANYTHING {
                self.note_constant(position, known, active, group, accumulators);
            }
        }
    }

    #[inline(never)]
    fn note_constant(&self, position: usize, known: u64, active: u64, group: u32, accumulators: &mut Accumulators) {
        if self.needs_detail {
            accumulators.mark(Mark::FromDetail, group, self.window.marks(known.into()));
        }
        if self.projection.subscriptions {
            for bits in stretches(self.window.in_columns(active)) {
                accumulators.add_between(Sum::Subscriptions, group, self.window.columns(bits));
            }
        }
        if self.bounded_seats {
            self.mark_constant_lower_bound(position, known, group, accumulators);
        }
    }

    /// The group of a piece of a subscription's shape; `None` when the query is limited to others.
    #[inline]
    pub fn group_of_partial_key(
        &self,
        part: GroupKey,
        position: usize,
        partial_key: usize,
        accumulators: &mut Accumulators,
        scratch: &mut Scratch,
    ) -> Option<u32> {
        let compiled = self.compiled;
        if !compiled.keys_vary
            && let Some(known) = scratch.group_of_partial_key.get(partial_key)
            && *known != CachedGroup::Not
        {
            return known.group();
        }
        self.look_up_group(part, position, partial_key, accumulators, scratch)
    }

    #[inline(never)]
    fn look_up_group(
        &self,
        part: GroupKey,
        position: usize,
        partial_key: usize,
        accumulators: &mut Accumulators,
        scratch: &mut Scratch,
    ) -> Option<u32> {
        let compiled = self.compiled;
        let of = compiled.attribute_groups.partial_keys[partial_key];
        let mut key = part + of.key;
        if compiled.splits_subscriptions {
            let code = self.placed.subscriptions + 1 + u32::try_from(position).unwrap_or_default();
            key += compiled.layout.part(Dimension::Subscription, code);
        }
        if let Some((_, group)) = scratch.last_group.filter(|(last, _)| *last == key) {
            return Some(group);
        }
        let wanted = compiled.limit.as_ref().is_none_or(|limit| limit.keys.contains(&key));
        let group = wanted.then(|| accumulators.group(key, of.product_key, of.attribution_key));
        if compiled.keys_vary {
            scratch.last_group = group.map(|group| (key, group));
        } else {
            scratch.group_of_partial_key.resize(compiled.attribute_groups.partial_keys.len(), CachedGroup::Not);
            scratch.group_of_partial_key[partial_key] = group.map_or(CachedGroup::None, CachedGroup::GroupIdentity);
        }
        group
    }

    #[inline]
    fn add_constant_seats(
        &self,
        constant_run: &ConstantRun,
        attributes: &CompiledGroup,
        known: u64,
        group: u32,
        accumulators: &mut Accumulators,
    ) {
        let paid = self.window.cut(constant_run.paid);
        if self.counts(attributes.paid) {
            self.add_months(constant_run, attributes.paid, paid, group, accumulators);
        }
        if known != paid && self.counts(attributes.unpaid) {
            self.add_months(constant_run, attributes.unpaid, known & !paid, group, accumulators);
        }
    }

    const fn counts(&self, rule: SeatRule) -> bool {
        rule.available || rule.active && self.projection.active_seats
    }

    #[inline]
    fn add_months(
        &self,
        constant_run: &ConstantRun,
        rule: SeatRule,
        months: u64,
        group: u32,
        accumulators: &mut Accumulators,
    ) {
        for bits in stretches(self.window.in_columns(months)) {
            let counts = constant_run.counts_in(&(self.window.offset(bits.start)..self.window.offset(bits.end)));
            self.add_seats(rule, counts.start, self.window.columns(bits), group, accumulators);
        }
    }

    /// Adds what is summed up already of a shape in the whole chunk.
    pub fn add_sums(
        &self,
        attributes: &CompiledGroup,
        sums: &SeatSums,
        accumulators: &mut Accumulators,
        scratch: &mut Scratch,
    ) {
        let read = self.window.cut(u64::MAX.unbounded_shr(64_u32.saturating_sub(self.chunk.months.len() as u32)));
        for partial_key in attributes.partial_keys.clone() {
            let Some(group) = self.group_of_partial_key(0, 0, partial_key, accumulators, scratch) else { continue };
            for bits in stretches(self.window.in_columns(read)) {
                let months = self.window.offset(bits.start)..self.window.offset(bits.end);
                let columns = self.window.columns(bits);
                let mut add = |sum: Sum, more: &Vec<u64>, less: bool| {
                    let Some(more) = more.get(months.clone()) else { return };
                    for (sum, more) in accumulators.sums_between(sum, group, &columns).into_iter().flatten().zip(more) {
                        *sum = if less { sum.wrapping_sub(*more) } else { sum.wrapping_add(*more) };
                    }
                };
                if attributes.paid.available {
                    add(Sum::Available, &sums.seats, false);
                    add(Sum::Assigned, &sums.assigned, false);
                    add(Sum::DeploymentOpportunity, &sums.seats, false);
                    add(Sum::DeploymentOpportunity, &sums.assigned, true);
                    add(Sum::DeploymentOpportunity, &sums.over, false);
                    add(Sum::IdleSeats, &sums.idle, false);
                }
                if attributes.paid.active {
                    add(Sum::Active, &sums.active, false);
                }
                if attributes.unpaid.active {
                    add(Sum::Active, &sums.active_unpaid, false);
                }
            }
        }
    }

    fn mark_constant_lower_bound(&self, position: usize, known: u64, group: u32, accumulators: &mut Accumulators) {
        let customer = self.chunk.customer_of[position] as usize;
        let code = self.chunk.constant_runs[position].attributes;
        let sku = self.compiled.cube.dictionaries.attribute_groups.value(code.into()).sku;
        let all =
            AttributeRun { from: 0, to: 0, sku, attributions: 0, seller: NO_SELLER, flags: HAS_STATE, reported: 0 };
        for Range { start: from, end: to } in stretches(known) {
            let span = RunMonths { from, to, offset: self.window.offset(from) };
            self.mark_lower_bound(customer, &all, span, group, accumulators);
        }
    }
}
