//! The first groups of a query after a place, so that an answer of any size can be read in pages.

use std::collections::HashSet;

use insights_proto::metrics::v1::Dimension;

use crate::cube::compile::compiled_query::Plan;
use crate::cube::compile::keys::Key;
use crate::cube::compile::projection::Needs;
use crate::cube::scan::accumulators::Table;
use crate::cube::scan::chunk_scan::Scan;
use crate::cube::scan::scratch::Scratch;
use crate::query::Slice;

/// Groups are sorted out when so many have come together.
const AT_ONCE: usize = 4_096;

/// A group's values, and its key.
type Found = (Vec<Option<String>>, Key);

impl Plan<'_> {
    /// No group is in two chunks.
    pub fn groups_are_within_chunks(&self) -> bool {
        let within = |dimension: &Dimension| matches!(dimension, Dimension::Customer | Dimension::Subscription);
        self.query.group_by.iter().any(within)
    }

    /// The keys of the groups of a slice.
    pub fn first_after(&self, slice: &Slice) -> HashSet<Key> {
        let mut first = self.each_table(|table, first| self.take_first(table, slice, first));
        keep_first(&mut first, slice.count);
        first.into_iter().map(|(_, key)| key).collect()
    }

    /// The keys of all groups that have a row.
    pub fn with_rows(&self) -> HashSet<Key> {
        let is_whole = self.query.group_by.is_empty();
        let take = |table: &Table, keys: &mut Vec<Key>| {
            let groups = table.groups.iter().zip(0..).filter(|(_, position)| self.has_row(table, *position, is_whole));
            keys.extend(groups.map(|(group, _)| group.key));
        };
        self.each_table(take).into_iter().collect()
    }

    /// Takes something from the groups. Where no group is in two chunks each is read by itself, so that little is kept of it.
    fn each_table<T: Clone + Send + Sync>(&self, take: impl Fn(&Table, &mut Vec<T>) + Sync) -> Vec<T> {
        if !self.groups_are_within_chunks() {
            let mut taken = Vec::new();
            take(&self.read(false), &mut taken);
            return taken;
        }
        let needs = Needs::of(self, false);
        let parts = self.on_threads(&self.chunks, |chunks| {
            let (mut table, mut scratch) = (self.table(&needs, false, true), Scratch::default());
            let mut first = Vec::new();
            while let Some(placed) = chunks.next() {
                if let Some(scan) = Scan::new(self, placed, &needs, &table) {
                    scan.read(&mut table, &mut scratch);
                    table.finish();
                    take(&table, &mut first);
                    table.clear();
                }
            }
            first
        });
        parts.concat()
    }

    /// Adds the groups of a table that stand after the slice's place and have a row.
    fn take_first(&self, table: &Table, slice: &Slice, first: &mut Vec<Found>) {
        for (group, position) in table.groups.iter().zip(0..) {
            let values = self.values_of(group.key);
            if values > slice.after && self.has_row(table, position, values.is_empty()) {
                first.push((values, group.key));
            }
        }
        if first.len() > slice.count.saturating_mul(2).max(AT_ONCE) {
            keep_first(first, slice.count);
        }
    }

    fn has_row(&self, table: &Table, group: u32, is_whole: bool) -> bool {
        let (mut figures, mut found) = (Vec::new(), false);
        self.months().any(|month| {
            self.rows_of(table, group, is_whole, month, &mut figures, |_| found = true);
            found
        })
    }
}

/// Drops all but the first in the order of their values.
fn keep_first(first: &mut Vec<Found>, count: usize) {
    first.sort_unstable();
    first.truncate(count);
}
