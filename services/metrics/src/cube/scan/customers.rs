//! Turns the months in which a customer counts into figures of its groups.

use crate::cube::compile::keys::Key;
use crate::cube::compile::projection::Sum;
use crate::cube::scan::accumulators::{Mark, Table};
use crate::cube::scan::chunk_scan::Scan;
use crate::cube::scan::scratch::{Lives, Scratch};
use crate::cube::scan::window::set_bits;

impl Scan<'_, '_> {
    /// Counts a customer of whom every subscription is taken, and is steady.
    #[inline]
    pub fn count_whole(&self, customer: usize, part: Key, counted: u64, table: &mut Table, scratch: &mut Scratch) {
        let piece =
            self.chunk.ahead.shapes.first().map(|shape| self.plan.shapes.plans[usize::from(*shape)].pieces.start);
        if let Some(piece) = piece.filter(|_| counted != 0)
            && let Some(group) = self.group_of_piece(part, 0, piece, table, scratch)
        {
            self.count_customer(customer, group, Lives { counted: counted.into(), ..Lives::default() }, table);
        }
    }

    /// Turns the months in which a customer counts into figures.
    pub fn count_customer(&self, customer: usize, group: u32, lives: Lives, table: &mut Table) {
        let (counted, range) = (lives.counted, self.window.in_range());
        let begun = counted & !(counted << 1);
        let ended = !counted & (counted << 1);
        if range.start > 0 && counted >> (range.start - 1) & 1 == 1 {
            table.add(Sum::Customers, group, 0, 1);
        }
        let mut changes = table.changes(group);
        for bit in set_bits(begun, range.clone()) {
            changes.begin(self.window.column(bit), counted.trailing_zeros() < bit as u32);
        }
        for bit in set_bits(ended, range.clone()) {
            changes.end(self.window.column(bit));
        }
        if self.needs.sums(Sum::ActiveCustomers) {
            for bit in set_bits(counted, range) {
                let by_report = lives.active_by_report >> bit & 1 == 1;
                if self.is_active(customer, group, bit, by_report, table) {
                    table.add(Sum::ActiveCustomers, group, self.window.column(bit), 1);
                }
            }
        }
    }

    /// A counted customer has activity on the group's restricting services, in detail or by report.
    fn is_active(&self, customer: usize, group: u32, bit: usize, by_report: bool, table: &mut Table) -> bool {
        let offset = self.window.offset(bit);
        let of = table.groups[group as usize];
        let what = &self.plan.whats[of.what as usize];
        if what.hits[self.chunk.months[offset].lower_bound_of(customer) as usize] {
            table.mark(Mark::LowerBound, group, self.window.marks(1 << bit));
        }
        let by_usage = self.chunk.months[offset].usage_of(customer).iter().any(|row| {
            row.active_users.is_some_and(|users| users > 0)
                && what.restricting.contains(row.service)
                && self.plan.usage_passes(row.attributions, of.pair)
        });
        if by_usage {
            table.mark(Mark::FromReport, group, self.window.marks(1 << bit));
        }
        by_report || by_usage || what.hits[self.chunk.active_services(customer, offset) as usize]
    }
}
