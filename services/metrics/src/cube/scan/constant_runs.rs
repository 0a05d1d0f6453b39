//! Reads subscriptions whose SKU and terms never change, by the bits of their lifespans.

use std::ops::Range;

use insights_domain::usage::SeatRule;
use insights_proto::metrics::v1::Dimension;

use crate::cube::compile::attribute_groups::ShapePlan;
use crate::cube::compile::keys::Key;
use crate::cube::compile::projection::Sum;
use crate::cube::data::chunk::{HAS_STATE, Lifespan, NO_SELLER, Run};
use crate::cube::data::months::stretches;
use crate::cube::data::pre_aggregates::SeatSums;
use crate::cube::scan::accumulators::{Mark, Table};
use crate::cube::scan::chunk_scan::Scan;
use crate::cube::scan::scratch::{Known, Scratch};
use crate::cube::scan::window::{Months, Span};

/// What a loop over subscriptions is made for: one that does a single thing is far quicker.
pub const CUSTOMERS: u8 = 0;
pub const SEATS: u8 = 1;
pub const ANYTHING: u8 = 2;

impl Scan<'_, '_> {
    /// Does for a steady subscription what is done for the runs of another.
    #[inline]
    pub fn read_steady<const FOR: u8>(
        &self,
        part: Key,
        position: usize,
        lifespan: &Lifespan,
        table: &mut Table,
        scratch: &mut Scratch,
    ) {
        let known = self.window.cut(lifespan.known);
        let shape = &self.plan.shapes.plans[usize::from(lifespan.shape)];
        if known == 0 || !self.is_named(position) {
            return;
        }
        let active = self.window.cut(lifespan.active);
        for piece in shape.pieces.clone() {
            let Some(group) = self.group_of_piece(part, position, piece, table, scratch) else { continue };
            if FOR == CUSTOMERS || FOR == ANYTHING && self.needs.customers {
                scratch.lives_of(group).counted |= Months::from(active);
            }
            if FOR == SEATS || FOR == ANYTHING && self.needs.seats {
                self.add_steady_seats(lifespan, shape, known, group, table);
            }
            if FOR == ANYTHING {
                self.note_steady(position, known, active, group, table);
            }
        }
    }

    #[inline(never)]
    fn note_steady(&self, position: usize, known: u64, active: u64, group: u32, table: &mut Table) {
        if self.needs_detail {
            table.mark(Mark::FromDetail, group, self.window.marks(known.into()));
        }
        if self.needs.subscriptions {
            for bits in stretches(self.window.in_columns(active)) {
                table.add_between(Sum::Subscriptions, group, self.window.columns(bits));
            }
        }
        if self.bounded_seats {
            self.mark_steady_lower_bound(position, known, group, table);
        }
    }

    /// The group of a piece of a subscription's shape; `None` when the query is limited to others.
    #[inline]
    pub fn group_of_piece(
        &self,
        part: Key,
        position: usize,
        piece: usize,
        table: &mut Table,
        scratch: &mut Scratch,
    ) -> Option<u32> {
        let plan = self.plan;
        if !plan.keys_vary
            && let Some(known) = scratch.group_of_piece.get(piece)
            && *known != Known::Not
        {
            return known.group();
        }
        self.look_up_group(part, position, piece, table, scratch)
    }

    #[inline(never)]
    fn look_up_group(
        &self,
        part: Key,
        position: usize,
        piece: usize,
        table: &mut Table,
        scratch: &mut Scratch,
    ) -> Option<u32> {
        let plan = self.plan;
        let of = plan.shapes.pieces[piece];
        let mut key = part + of.key;
        if plan.splits_subscriptions {
            let code = self.placed.subscriptions + 1 + u32::try_from(position).unwrap_or_default();
            key += plan.places.part(Dimension::Subscription, code);
        }
        if let Some((_, group)) = scratch.last_group.filter(|(last, _)| *last == key) {
            return Some(group);
        }
        let wanted = plan.only.as_ref().is_none_or(|only| only.keys.contains(&key));
        let group = wanted.then(|| table.group(key, of.what, of.pair));
        if plan.keys_vary {
            scratch.last_group = group.map(|group| (key, group));
        } else {
            scratch.group_of_piece.resize(plan.shapes.pieces.len(), Known::Not);
            scratch.group_of_piece[piece] = group.map_or(Known::None, Known::Group);
        }
        group
    }

    #[inline]
    fn add_steady_seats(&self, lifespan: &Lifespan, shape: &ShapePlan, known: u64, group: u32, table: &mut Table) {
        let paid = self.window.cut(lifespan.paid);
        if self.counts(shape.paid) {
            self.add_months(lifespan, shape.paid, paid, group, table);
        }
        if known != paid && self.counts(shape.unpaid) {
            self.add_months(lifespan, shape.unpaid, known & !paid, group, table);
        }
    }

    const fn counts(&self, rule: SeatRule) -> bool {
        rule.available || rule.active && self.needs.active_seats
    }

    #[inline]
    fn add_months(&self, lifespan: &Lifespan, rule: SeatRule, months: u64, group: u32, table: &mut Table) {
        for bits in stretches(self.window.in_columns(months)) {
            let counts = lifespan.counts_in(&(self.window.offset(bits.start)..self.window.offset(bits.end)));
            self.add_seats(rule, counts.start, self.window.columns(bits), group, table);
        }
    }

    /// Adds what is summed up already of a shape in the whole chunk.
    pub fn add_sums(&self, shape: &ShapePlan, sums: &SeatSums, table: &mut Table, scratch: &mut Scratch) {
        let read = self.window.cut(u64::MAX.unbounded_shr(64_u32.saturating_sub(self.chunk.months.len() as u32)));
        for piece in shape.pieces.clone() {
            let Some(group) = self.group_of_piece(0, 0, piece, table, scratch) else { continue };
            for bits in stretches(self.window.in_columns(read)) {
                let months = self.window.offset(bits.start)..self.window.offset(bits.end);
                let columns = self.window.columns(bits);
                let mut add = |sum: Sum, more: &Vec<u64>, less: bool| {
                    let Some(more) = more.get(months.clone()) else { return };
                    for (sum, more) in table.sums_between(sum, group, &columns).into_iter().flatten().zip(more) {
                        *sum = if less { sum.wrapping_sub(*more) } else { sum.wrapping_add(*more) };
                    }
                };
                if shape.paid.available {
                    add(Sum::Available, &sums.seats, false);
                    add(Sum::Assigned, &sums.assigned, false);
                    add(Sum::DeploymentOpportunity, &sums.seats, false);
                    add(Sum::DeploymentOpportunity, &sums.assigned, true);
                    add(Sum::DeploymentOpportunity, &sums.over, false);
                    add(Sum::IdleSeats, &sums.idle, false);
                }
                if shape.paid.active {
                    add(Sum::Active, &sums.active, false);
                }
                if shape.unpaid.active {
                    add(Sum::Active, &sums.active_unpaid, false);
                }
            }
        }
    }

    fn mark_steady_lower_bound(&self, position: usize, known: u64, group: u32, table: &mut Table) {
        let customer = self.chunk.customer_of[position] as usize;
        let code = self.chunk.lifespans[position].shape;
        let sku = self.plan.cube.dictionaries.shapes.value(code.into()).sku;
        let all = Run { from: 0, to: 0, sku, attributions: 0, seller: NO_SELLER, flags: HAS_STATE, reported: 0 };
        for Range { start: from, end: to } in stretches(known) {
            let span = Span { from, to, offset: self.window.offset(from) };
            self.mark_lower_bound(customer, &all, span, group, table);
        }
    }
}
