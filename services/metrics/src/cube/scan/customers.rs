//! Turns the months in which a customer counts into figures of its groups.

use crate::cube::compile::keys::GroupKey;
use crate::cube::compile::projection::Sum;
use crate::cube::scan::accumulators::{Accumulators, Mark};
use crate::cube::scan::chunk_scan::ChunkScan;
use crate::cube::scan::scratch::{CountedMonths, Scratch};
use crate::cube::scan::window::set_bits;

impl ChunkScan<'_, '_> {
    /// Counts a customer of whom every subscription is taken, and is steady.
    #[inline]
    pub fn count_whole(
        &self,
        customer: usize,
        part: GroupKey,
        counted: u64,
        accumulators: &mut Accumulators,
        scratch: &mut Scratch,
    ) {
        let partial_key = self
            .chunk
            .pre_aggregates
            .attribute_groups
            .first()
            .map(|attributes| self.compiled.attribute_groups.plans[usize::from(*attributes)].partial_keys.start);
        if let Some(partial_key) = partial_key.filter(|_| counted != 0)
            && let Some(group) = self.group_of_partial_key(part, 0, partial_key, accumulators, scratch)
        {
            self.count_customer(
                customer,
                group,
                CountedMonths { counted: counted.into(), ..CountedMonths::default() },
                accumulators,
            );
        }
    }

    /// Turns the months in which a customer counts into figures.
    pub fn count_customer(
        &self,
        customer: usize,
        group: u32,
        counted_months: CountedMonths,
        accumulators: &mut Accumulators,
    ) {
        let (counted, range) = (counted_months.counted, self.window.in_range());
        let begun = counted & !(counted << 1);
        let ended = !counted & (counted << 1);
        if range.start > 0 && counted >> (range.start - 1) & 1 == 1 {
            accumulators.add(Sum::Customers, group, 0, 1);
        }
        let mut changes = accumulators.changes(group);
        for bit in set_bits(begun, range.clone()) {
            changes.begin(self.window.column(bit), counted.trailing_zeros() < bit as u32);
        }
        for bit in set_bits(ended, range.clone()) {
            changes.end(self.window.column(bit));
        }
        if self.projection.sums(Sum::ActiveCustomers) {
            for bit in set_bits(counted, range) {
                let by_report = counted_months.active_by_report >> bit & 1 == 1;
                if self.is_active(customer, group, bit, by_report, accumulators) {
                    accumulators.add(Sum::ActiveCustomers, group, self.window.column(bit), 1);
                }
            }
        }
    }

    /// A counted customer has activity on the group's restricting services, in detail or by report.
    fn is_active(
        &self,
        customer: usize,
        group: u32,
        bit: usize,
        by_report: bool,
        accumulators: &mut Accumulators,
    ) -> bool {
        let offset = self.window.offset(bit);
        let of = accumulators.groups[group as usize];
        let product_key = &self.compiled.product_keys[of.product_key as usize];
        if product_key.hits[self.chunk.months[offset].lower_bound_of(customer) as usize] {
            accumulators.mark(Mark::LowerBound, group, self.window.marks(1 << bit));
        }
        let by_usage = self.chunk.months[offset].usage_of(customer).iter().any(|row| {
            row.active_users.is_some_and(|users| users > 0)
                && product_key.restricting.contains(row.service)
                && self.compiled.usage_passes(row.attributions, of.attribution_key)
        });
        if by_usage {
            accumulators.mark(Mark::FromReport, group, self.window.marks(1 << bit));
        }
        by_report || by_usage || product_key.hits[self.chunk.active_services(customer, offset) as usize]
    }
}
