//! Reads subscriptions run by run: those that change what can be filtered on, and all where a query looks at states.

use insights_domain::usage::SeatRule;

use crate::cube::compile::keys::GroupKey;
use crate::cube::compile::projection::Sum;
use crate::cube::data::chunk::{
    ACTIVE_REPORTED, ACTIVE_UNKNOWN, ASSIGNED_REPORTED, AttributeRun, CARRIED, ChunkSubscription, HAS_STATE,
    SEATS_REPORTED, TRIAL, standing_of,
};
use crate::cube::scan::accumulators::{Accumulators, Mark, bit_of};
use crate::cube::scan::chunk_scan::ChunkScan;
use crate::cube::scan::lower_bound::mark_lower_bound;
use crate::cube::scan::scratch::{CountedMonths, Scratch};
use crate::cube::scan::seats::{add_grace, add_seats};
use crate::cube::scan::window::{Months, RunMonths};

/// Reads the runs of a subscription. Not inlined: the loop over customers is short and quick without it.
#[inline(never)]
pub fn read_runs(
    scan: &ChunkScan<'_, '_>,
    customer: usize,
    customer_part: GroupKey,
    position: usize,
    accumulators: &mut Accumulators,
    scratch: &mut Scratch,
) {
    let subscription = &scan.chunk.subscriptions[position];
    scratch.found = None;
    for run in scan.chunk.runs_of(subscription) {
        let Some(months) = scan.window.run(run).filter(|_| scan.compiled.predicate().state(run.flags)) else {
            continue;
        };
        find_groups(scan, customer_part, position, run, accumulators, scratch);
        for at in 0..scratch.groups.len() {
            let group = scratch.groups[at];
            if scan.projection.customers {
                note_counted_months(scan, subscription, run, months, scratch.counted_months_of(group));
            }
            if scan.projection.subscriptions && subscription.in_parts && standing_of(run.flags).counts() {
                scratch.count_part(subscription.whole, group, months.bits());
            }
            add_run(scan, subscription, run, months, group, accumulators);
            if run.reported & CARRIED != 0 {
                mark_carried(scan, subscription, run, months, group, accumulators);
            }
            if scan.bounded_seats {
                mark_lower_bound(scan, customer, run, months, group, accumulators);
            }
        }
    }
}

/// The groups a subscription falls into during a run: those of its last run, unless what they depend on differs.
fn find_groups(
    scan: &ChunkScan<'_, '_>,
    customer_part: GroupKey,
    position: usize,
    run: &AttributeRun,
    accumulators: &mut Accumulators,
    scratch: &mut Scratch,
) {
    let flags = if scan.compiled.grouping().splits_subscriptions { run.flags } else { 0 };
    let found = Some((run.sku, run.attributions, run.seller, flags));
    if scratch.found == found {
        return;
    }
    scratch.found = found;
    scratch.groups.clear();
    if scan.compiled.predicate().run(&scan.chunk.subscriptions[position], run) {
        scan.groups_of(customer_part, position, run, |key, product_key, attribution_part| {
            scratch.groups.push(accumulators.group(key, product_key, attribution_part));
        });
    }
}

fn note_counted_months(
    scan: &ChunkScan<'_, '_>,
    subscription: &ChunkSubscription,
    run: &AttributeRun,
    months: RunMonths,
    noted: &mut CountedMonths,
) {
    if standing_of(run.flags).counts() {
        noted.counted |= months.bits();
    }
    if run.reported & ACTIVE_REPORTED != 0 {
        let first = scan.chunk.count_at(subscription, months.offset);
        for (bit, at) in (months.from..months.to).zip(first..) {
            noted.active_by_report |= Months::from(scan.chunk.seats.active.at(at) > 0) << bit;
        }
        if run.reported & ACTIVE_UNKNOWN != 0 {
            noted.active_unknown |= months.bits();
        }
    }
}

fn add_run(
    scan: &ChunkScan<'_, '_>,
    subscription: &ChunkSubscription,
    run: &AttributeRun,
    months: RunMonths,
    group: u32,
    accumulators: &mut Accumulators,
) {
    let Some((columns, offset)) = scan.window.columns_of(months) else { return };
    if scan.projection.subscriptions && standing_of(run.flags).counts() && !subscription.in_parts {
        accumulators.add_between(Sum::Subscriptions, group, columns.clone());
    }
    if run.flags & HAS_STATE != 0 {
        let sources = scan.projection.sources;
        let kinds = [
            (sources.standing, SEATS_REPORTED),
            (sources.assigned, ASSIGNED_REPORTED),
            (sources.active, ACTIVE_REPORTED),
        ];
        for (_, flag) in kinds.into_iter().filter(|(matters, _)| *matters) {
            let mark = if run.reported & flag != 0 { Mark::FromReport } else { Mark::FromDetail };
            accumulators.mark(mark, group, scan.window.marks(months.bits()));
        }
    }
    if scan.projection.seats {
        let (standing, trial) = (standing_of(run.flags), run.flags & TRIAL != 0);
        let (free, switches) = (scan.compiled.products().is_free(run.sku), scan.compiled.query().switches);
        let first = scan.chunk.count_at(subscription, offset);
        let rule = SeatRule::of(standing, trial, free, switches);
        add_seats(scan, rule, first, columns.clone(), group, accumulators);
        if rule.available && rule.grace && !scan.chunk.seats.grace.is_empty() {
            add_grace(scan, first, columns.clone(), group, accumulators);
        }
        if scan.projection.seat_reasons {
            for (column, at) in columns.zip(first..) {
                let reasons = scan.chunk.counts(at).reasons(standing, trial, free, switches);
                accumulators.explain(group, column, reasons);
            }
        }
    }
}

/// Marks months that a report does not cover, and figures that nobody knows therefore.
fn mark_carried(
    scan: &ChunkScan<'_, '_>,
    subscription: &ChunkSubscription,
    run: &AttributeRun,
    months: RunMonths,
    group: u32,
    accumulators: &mut Accumulators,
) {
    let Some((columns, offset)) = scan.window.columns_of(months) else { return };
    if scan.projection.carried {
        accumulators.mark(Mark::Carried, group, scan.window.marks(months.bits()));
    }
    if !scan.projection.seats || run.reported & ACTIVE_UNKNOWN == 0 {
        return;
    }
    let (standing, trial) = (standing_of(run.flags), run.flags & TRIAL != 0);
    let free = scan.compiled.products().is_free(run.sku);
    let rule = SeatRule::of(standing, trial, free, scan.compiled.query().switches);
    if rule.active {
        accumulators.mark(Mark::ActiveUnknown, group, scan.window.marks(months.bits()));
    }
    if rule.available {
        let assigned = (scan.chunk.count_at(subscription, offset)..).map(|at| scan.chunk.seats.assigned.at(at));
        for (column, _) in columns.zip(assigned).filter(|(_, assigned)| *assigned > 0) {
            accumulators.mark(Mark::IdleUnknown, group, bit_of(column));
        }
    }
}

/// Adds subscriptions of several parts: each counts once in the months in which one of its parts does.
pub fn count_parts(scan: &ChunkScan<'_, '_>, accumulators: &mut Accumulators, scratch: &Scratch) {
    for (_, group, counted) in &scratch.counted_parts {
        let mut left = *counted;
        while left != 0 {
            let from = left.trailing_zeros() as usize;
            let length = (!(left >> from)).trailing_zeros() as usize;
            left &= Months::MAX.unbounded_shl((from + length) as u32);
            let months = RunMonths { from, to: from + length, offset: scan.window.offset(from) };
            if let Some((columns, _)) = scan.window.columns_of(months) {
                accumulators.add_between(Sum::Subscriptions, *group, columns);
            }
        }
    }
}
