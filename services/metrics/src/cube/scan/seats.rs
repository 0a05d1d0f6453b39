//! Adds seats by whole stretches of months, which the compiler turns into vector instructions.

use std::ops::Range;

use insights_domain::measures::unassigned;
use insights_domain::usage::SeatRule;

use crate::cube::compile::projection::Sum;
use crate::cube::scan::accumulators::Accumulators;
use crate::cube::scan::chunk_scan::ChunkScan;

/// Adds the seats of consecutive months in which one rule holds: column by column what
/// [`SeatRule::figures`] says of each month.
pub fn add_seats(
    scan: &ChunkScan<'_, '_>,
    rule: SeatRule,
    first: usize,
    columns: Range<usize>,
    group: u32,
    accumulators: &mut Accumulators,
) {
    let (seats, counts) = (&scan.chunk.seats, first..first + columns.len());
    if rule.available {
        if let Some(sums) = accumulators.sums_between(Sum::Available, group, &columns) {
            seats.sold.add_to(counts.clone(), sums);
        }
        if let Some(sums) = accumulators.sums_between(Sum::Assigned, group, &columns) {
            seats.assigned.add_to(counts.clone(), sums);
        }
        if let Some(sums) = accumulators.sums_between(Sum::DeploymentOpportunity, group, &columns) {
            seats.sold.add_excess_to(&seats.assigned, counts.clone(), sums);
        }
        if let Some(sums) = accumulators.sums_between(Sum::IdleSeats, group, &columns) {
            seats.assigned.add_excess_to(&seats.active_assigned, counts.clone(), sums);
        }
    }
    if rule.active
        && let Some(sums) = accumulators.sums_between(Sum::Active, group, &columns)
    {
        seats.active.add_to(counts, sums);
    }
}

/// Adds seats in grace to those that [`add_seats`] added of consecutive months.
pub fn add_grace(
    scan: &ChunkScan<'_, '_>,
    first: usize,
    columns: Range<usize>,
    group: u32,
    accumulators: &mut Accumulators,
) {
    for (column, at) in columns.zip(first..) {
        let counts = scan.chunk.counts(at);
        if counts.grace > 0 {
            let [sold, assigned, all] =
                [counts.seats, counts.assigned, counts.seats.saturating_add(counts.grace)].map(u64::from);
            accumulators.add(Sum::Available, group, column, all - sold);
            let more = unassigned(all, assigned) - unassigned(sold, assigned);
            accumulators.add(Sum::DeploymentOpportunity, group, column, more);
        }
    }
}
