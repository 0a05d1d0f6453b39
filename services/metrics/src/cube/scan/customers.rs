//! Turns the months in which a customer counts into figures of its groups.

use crate::cube::compile::keys::GroupKey;
use crate::cube::compile::projection::Sum;
use crate::cube::scan::accumulators::{Accumulators, Mark};
use crate::cube::scan::chunk_scan::ChunkScan;
use crate::cube::scan::constant_runs::group_of_partial_key;
use crate::cube::scan::scratch::{CountedMonths, Scratch};
use crate::cube::scan::window::set_bits;

/// Counts a customer whose subscriptions all have a constant run and are all taken.
#[inline]
pub fn count_whole(
    scan: &ChunkScan<'_, '_>,
    customer: usize,
    customer_part: GroupKey,
    counted: u64,
    accumulators: &mut Accumulators,
    scratch: &mut Scratch,
) {
    let partial_key = scan
        .chunk
        .pre_aggregates
        .attributes
        .first()
        .map(|attributes| scan.compiled.attribute_groups().group(*attributes).partial_keys.start);
    if let Some(partial_key) = partial_key.filter(|_| counted != 0)
        && let Some(group) = group_of_partial_key(scan, customer_part, 0, partial_key, accumulators, scratch)
    {
        count_customer(
            scan,
            customer,
            group,
            CountedMonths { counted: counted.into(), ..CountedMonths::default() },
            accumulators,
        );
    }
}

/// Turns the months in which a customer counts into figures: where bits begin it is new, where they end it has churned, and it
/// returns when bits stand before; see [`Presence`](insights_domain::measures::Presence).
pub fn count_customer(
    scan: &ChunkScan<'_, '_>,
    customer: usize,
    group: u32,
    counted_months: CountedMonths,
    accumulators: &mut Accumulators,
) {
    let (counted, range) = (counted_months.counted, scan.window.in_range());
    let begun = counted & !(counted << 1);
    let ended = !counted & (counted << 1);
    if range.start > 0 && counted >> (range.start - 1) & 1 == 1 {
        accumulators.add(Sum::Customers, group, 0, 1);
    }
    let mut flows = accumulators.flows(group);
    for bit in set_bits(begun, range.clone()) {
        flows.begin(scan.window.column(bit), counted.trailing_zeros() < bit as u32);
    }
    for bit in set_bits(ended, range.clone()) {
        flows.end(scan.window.column(bit));
    }
    if scan.projection.sums(Sum::ActiveCustomers) {
        for bit in set_bits(counted, range) {
            let by_report = counted_months.active_by_report >> bit & 1 == 1;
            let by_seats = counted_months.active_unknown >> bit & 1 == 1;
            let by_users = usage_is_carried(scan, customer, group, bit, accumulators);
            if is_active(scan, customer, group, bit, by_report, accumulators) {
                accumulators.add(Sum::ActiveCustomers, group, scan.window.column(bit), 1);
            } else if by_seats || by_users {
                accumulators.mark(Mark::ActiveCustomersUnknown, group, scan.window.marks(1 << bit));
            }
        }
    }
}

/// No report says how many of a counted customer's users were active on the group's restricting services.
fn usage_is_carried(
    scan: &ChunkScan<'_, '_>,
    customer: usize,
    group: u32,
    bit: usize,
    accumulators: &mut Accumulators,
) -> bool {
    let of = accumulators.groups[group as usize];
    let product_key = scan.compiled.products().key(of.product_key);
    let carried = scan.chunk.months[scan.window.offset(bit)].usage_of(customer).iter().any(|row| {
        row.carried
            && row.active_users.is_some()
            && product_key.restricting.contains(row.service)
            && scan.compiled.attributions().usage_passes(row.attributions, of.attribution_part)
    });
    if carried {
        accumulators.mark(Mark::Carried, group, scan.window.marks(1 << bit));
    }
    carried
}

/// A counted customer has activity on the group's restricting services, in detail or by report.
fn is_active(
    scan: &ChunkScan<'_, '_>,
    customer: usize,
    group: u32,
    bit: usize,
    by_report: bool,
    accumulators: &mut Accumulators,
) -> bool {
    let offset = scan.window.offset(bit);
    let of = accumulators.groups[group as usize];
    let product_key = scan.compiled.products().key(of.product_key);
    if product_key.hits[scan.chunk.months[offset].lower_bound_of(customer) as usize] {
        accumulators.mark(Mark::LowerBound, group, scan.window.marks(1 << bit));
    }
    let by_usage = scan.chunk.months[offset].usage_of(customer).iter().any(|row| {
        row.active_users.is_some_and(|users| users > 0)
            && product_key.restricting.contains(row.service)
            && scan.compiled.attributions().usage_passes(row.attributions, of.attribution_part)
    });
    if by_usage {
        accumulators.mark(Mark::FromReport, group, scan.window.marks(1 << bit));
    }
    by_report || by_usage || product_key.hits[scan.chunk.active_services(customer, offset) as usize]
}
