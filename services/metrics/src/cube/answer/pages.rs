//! The first groups of a query after a place, so that an answer of any size can be read in pages.

use std::collections::HashSet;

use insights_proto::metrics::v1::Dimension;

use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::compile::keys::GroupKey;
use crate::cube::compile::projection::Projection;
use crate::cube::scan::accumulators::Accumulators;
use crate::cube::scan::chunk_scan::ChunkScan;
use crate::cube::scan::scratch::Scratch;
use crate::query::Slice;

/// Groups are sorted out when so many have come together.
const AT_ONCE: usize = 4_096;

/// A group's values, and its key.
type PlacedGroup = (Vec<Option<String>>, GroupKey);

impl CompiledQuery<'_> {
    /// No group is in two chunks.
    pub fn groups_are_within_chunks(&self) -> bool {
        let within = |dimension: &Dimension| matches!(dimension, Dimension::Customer | Dimension::Subscription);
        self.query.group_by.iter().any(within)
    }

    /// The keys of the groups of a slice.
    pub fn first_after(&self, slice: &Slice) -> HashSet<GroupKey> {
        let mut first = self.each_table(|accumulators, first| self.take_first(accumulators, slice, first));
        keep_first(&mut first, slice.count);
        first.into_iter().map(|(_, key)| key).collect()
    }

    /// The keys of all groups that have a row.
    pub fn with_rows(&self) -> HashSet<GroupKey> {
        let is_whole = self.query.group_by.is_empty();
        let take = |accumulators: &Accumulators, keys: &mut Vec<GroupKey>| {
            let groups = accumulators
                .groups
                .iter()
                .zip(0..)
                .filter(|(_, position)| self.has_row(accumulators, *position, is_whole));
            keys.extend(groups.map(|(group, _)| group.key));
        };
        self.each_table(take).into_iter().collect()
    }

    /// Takes something from the groups. Where no group is in two chunks each is read by itself, so that little is kept of it.
    fn each_table<T: Clone + Send + Sync>(&self, take: impl Fn(&Accumulators, &mut Vec<T>) + Sync) -> Vec<T> {
        if !self.groups_are_within_chunks() {
            let mut taken = Vec::new();
            take(&self.read(false), &mut taken);
            return taken;
        }
        let projection = Projection::of(self, false);
        let parts = self.on_threads(&self.chunks, |chunks| {
            let (mut accumulators, mut scratch) = (self.accumulators(&projection, false, true), Scratch::default());
            let mut first = Vec::new();
            while let Some(placed) = chunks.next() {
                if let Some(scan) = ChunkScan::new(self, placed, &projection, &accumulators) {
                    scan.read(&mut accumulators, &mut scratch);
                    accumulators.finish();
                    take(&accumulators, &mut first);
                    accumulators.clear();
                }
            }
            first
        });
        parts.concat()
    }

    /// Adds the groups of a table that stand after the slice's place and have a row.
    fn take_first(&self, accumulators: &Accumulators, slice: &Slice, first: &mut Vec<PlacedGroup>) {
        for (group, position) in accumulators.groups.iter().zip(0..) {
            let values = self.values_of(group.key);
            if values > slice.after && self.has_row(accumulators, position, values.is_empty()) {
                first.push((values, group.key));
            }
        }
        if first.len() > slice.count.saturating_mul(2).max(AT_ONCE) {
            keep_first(first, slice.count);
        }
    }

    fn has_row(&self, accumulators: &Accumulators, group: u32, is_whole: bool) -> bool {
        let (mut figures, mut found) = (Vec::new(), false);
        self.months().any(|month| {
            self.rows_of(accumulators, group, is_whole, month, &mut figures, |_| found = true);
            found
        })
    }
}

/// Drops all but the first in the order of their values.
fn keep_first(first: &mut Vec<PlacedGroup>, count: usize) {
    first.sort_unstable();
    first.truncate(count);
}
