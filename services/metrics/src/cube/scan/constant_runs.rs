//! Reads subscriptions whose attributes never change, by the bits of their constant runs.

use std::ops::Range;

use insights_domain::usage::SeatRule;

use crate::cube::compile::attribute_groups::AttributeGroup;
use crate::cube::compile::keys::GroupKey;
use crate::cube::compile::projection::Sum;
use crate::cube::data::chunk::{AttributeRun, ConstantRun, HAS_STATE, NO_SELLER};
use crate::cube::data::months::stretches;
use crate::cube::data::pre_aggregates::SeatSums;
use crate::cube::scan::accumulators::{Accumulators, Mark};
use crate::cube::scan::chunk_scan::ChunkScan;
use crate::cube::scan::lower_bound::mark_lower_bound;
use crate::cube::scan::scratch::{CachedGroup, Scratch};
use crate::cube::scan::seats::add_seats;
use crate::cube::scan::window::{Months, RunMonths};

/// What a loop over subscriptions is compiled for: one that does a single thing is far quicker.
pub const CUSTOMERS: u8 = 0;
pub const SEATS: u8 = 1;
pub const ANYTHING: u8 = 2;

/// Reads all months of a subscription at once, by the bits of its constant run.
#[inline]
pub fn read_constant_run<const FOR: u8>(
    scan: &ChunkScan<'_, '_>,
    customer_part: GroupKey,
    position: usize,
    run: &ConstantRun,
    accumulators: &mut Accumulators,
    scratch: &mut Scratch,
) {
    let known = scan.window.cut(run.known);
    let attributes = scan.compiled.attribute_groups().group(run.attributes);
    if known == 0 || !scan.is_named(position) {
        return;
    }
    let counted = scan.window.cut(run.counted);
    for partial_key in attributes.partial_keys.clone() {
        let Some(group) = group_of_partial_key(scan, customer_part, position, partial_key, accumulators, scratch)
        else {
            continue;
        };
        if FOR == CUSTOMERS || FOR == ANYTHING && scan.projection.customers {
            scratch.counted_months_of(group).counted |= Months::from(counted);
        }
        if FOR == SEATS || FOR == ANYTHING && scan.projection.seats {
            add_constant_seats(scan, run, attributes, known, group, accumulators);
        }
        if FOR == ANYTHING {
            note_constant(scan, position, known, counted, group, accumulators);
        }
    }
}

/// Notes what few queries need of a constant run: sources, subscriptions and lower bounds.
#[inline(never)]
fn note_constant(
    scan: &ChunkScan<'_, '_>,
    position: usize,
    known: u64,
    counted: u64,
    group: u32,
    accumulators: &mut Accumulators,
) {
    if scan.needs_detail {
        accumulators.mark(Mark::FromDetail, group, scan.window.marks(known.into()));
    }
    if scan.projection.subscriptions {
        for bits in stretches(scan.window.in_columns(counted)) {
            accumulators.add_between(Sum::Subscriptions, group, scan.window.columns(bits));
        }
    }
    if scan.bounded_seats {
        mark_constant_lower_bound(scan, position, known, group, accumulators);
    }
}

/// The group of a partial key of a subscription's attributes; `None` when the query is limited to others.
#[inline]
pub fn group_of_partial_key(
    scan: &ChunkScan<'_, '_>,
    customer_part: GroupKey,
    position: usize,
    partial_key: usize,
    accumulators: &mut Accumulators,
    scratch: &mut Scratch,
) -> Option<u32> {
    let compiled = scan.compiled;
    if !compiled.grouping().by_own
        && let Some(known) = scratch.group_of_partial_key.get(partial_key)
        && *known != CachedGroup::Not
    {
        return known.group();
    }
    look_up_group(scan, customer_part, position, partial_key, accumulators, scratch)
}

#[inline(never)]
fn look_up_group(
    scan: &ChunkScan<'_, '_>,
    customer_part: GroupKey,
    position: usize,
    partial_key: usize,
    accumulators: &mut Accumulators,
    scratch: &mut Scratch,
) -> Option<u32> {
    let compiled = scan.compiled;
    let of = compiled.attribute_groups().partial_key(partial_key);
    let mut key = customer_part + of.key;
    if compiled.grouping().splits_subscriptions {
        key += scan.subscription_part(position);
    }
    if let Some((_, group)) = scratch.last_group.filter(|(last, _)| *last == key) {
        return Some(group);
    }
    let group = compiled.wants(key).then(|| accumulators.group(key, of.product_key, of.attribution_part));
    if compiled.grouping().by_own {
        scratch.last_group = group.map(|group| (key, group));
    } else {
        scratch.group_of_partial_key.resize(compiled.attribute_groups().partial_key_count(), CachedGroup::Not);
        scratch.group_of_partial_key[partial_key] = group.map_or(CachedGroup::None, CachedGroup::Position);
    }
    group
}

#[inline]
fn add_constant_seats(
    scan: &ChunkScan<'_, '_>,
    run: &ConstantRun,
    attributes: &AttributeGroup,
    known: u64,
    group: u32,
    accumulators: &mut Accumulators,
) {
    let paid = scan.window.cut(run.paid);
    if counts(scan, attributes.paid) {
        add_months(scan, run, attributes.paid, paid, group, accumulators);
    }
    if known != paid && counts(scan, attributes.unpaid) {
        add_months(scan, run, attributes.unpaid, known & !paid, group, accumulators);
    }
}

const fn counts(scan: &ChunkScan<'_, '_>, rule: SeatRule) -> bool {
    rule.available || rule.active && scan.projection.active_seats
}

#[inline]
fn add_months(
    scan: &ChunkScan<'_, '_>,
    run: &ConstantRun,
    rule: SeatRule,
    months: u64,
    group: u32,
    accumulators: &mut Accumulators,
) {
    for bits in stretches(scan.window.in_columns(months)) {
        let counts = run.counts_in(&(scan.window.offset(bits.start)..scan.window.offset(bits.end)));
        add_seats(scan, rule, counts.start, scan.window.columns(bits), group, accumulators);
    }
}

/// Adds the pre-aggregated seats of all subscriptions of the chunk that have these attributes.
pub fn add_sums(
    scan: &ChunkScan<'_, '_>,
    attributes: &AttributeGroup,
    sums: &SeatSums,
    accumulators: &mut Accumulators,
    scratch: &mut Scratch,
) {
    let read = scan.window.cut(u64::MAX.unbounded_shr(64_u32.saturating_sub(scan.chunk.months.len() as u32)));
    for partial_key in attributes.partial_keys.clone() {
        let Some(group) = group_of_partial_key(scan, 0, 0, partial_key, accumulators, scratch) else { continue };
        for bits in stretches(scan.window.in_columns(read)) {
            let months = scan.window.offset(bits.start)..scan.window.offset(bits.end);
            let columns = scan.window.columns(bits);
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

fn mark_constant_lower_bound(
    scan: &ChunkScan<'_, '_>,
    position: usize,
    known: u64,
    group: u32,
    accumulators: &mut Accumulators,
) {
    let customer = scan.chunk.customer_of[position] as usize;
    let code = scan.chunk.constant_runs[position].attributes;
    let sku = scan.compiled.cube().dictionaries.attributes.value(code.into()).sku;
    let all = AttributeRun { from: 0, to: 0, sku, attributions: 0, seller: NO_SELLER, flags: HAS_STATE, reported: 0 };
    for Range { start: from, end: to } in stretches(known) {
        let months = RunMonths { from, to, offset: scan.window.offset(from) };
        mark_lower_bound(scan, customer, &all, months, group, accumulators);
    }
}
