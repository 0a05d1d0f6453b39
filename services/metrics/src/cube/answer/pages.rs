//! The first groups of a query after a place, so that an answer of any size can be read in pages.

use std::collections::HashSet;

use crate::cube::answer::rows::GroupFigures;
use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::compile::keys::GroupKey;
use crate::cube::compile::projection::Projection;
use crate::cube::scan::accumulators::Accumulators;
use crate::cube::scan::chunk_scan::ChunkScan;
use crate::cube::scan::parallel::{new_accumulators, on_threads, read};
use crate::cube::scan::scratch::Scratch;
use crate::query::Slice;

/// Groups are sorted out when so many have come together.
const AT_ONCE: usize = 4_096;

/// A group's values, and its key.
type SpelledGroup = (Vec<Option<String>>, GroupKey);

/// The keys of the groups of a slice.
pub fn first_after(compiled: &CompiledQuery<'_>, slice: &Slice) -> HashSet<GroupKey> {
    let mut first = from_groups(compiled, |accumulators, first| take_first(compiled, accumulators, slice, first));
    keep_first(&mut first, slice.count);
    first.into_iter().map(|(_, key)| key).collect()
}

/// The keys of all groups that have a row.
pub fn with_rows(compiled: &CompiledQuery<'_>) -> HashSet<GroupKey> {
    let is_whole = compiled.grouping().columns.is_empty();
    let take = |accumulators: &Accumulators, keys: &mut Vec<GroupKey>| {
        let figures = GroupFigures { compiled, accumulators };
        let groups = accumulators.groups.iter().zip(0..);
        keys.extend(groups.filter(|(_, at)| figures.has_row(*at, is_whole)).map(|(group, _)| group.key));
    };
    from_groups(compiled, take).into_iter().collect()
}

/// Takes something from the groups. Where no group is in two chunks each is read by itself, so that little is kept of it.
fn from_groups<T: Clone + Send + Sync>(
    compiled: &CompiledQuery<'_>,
    take: impl Fn(&Accumulators, &mut Vec<T>) + Sync,
) -> Vec<T> {
    let projection = Projection::of(compiled, false);
    if !compiled.grouping().is_within_chunks() {
        let mut taken = Vec::new();
        take(&read(compiled, &projection), &mut taken);
        return taken;
    }
    let parts = on_threads(compiled.chunks().as_slice(), |chunks| {
        let mut accumulators = new_accumulators(compiled, &projection, true);
        let (mut scratch, mut taken) = (Scratch::default(), Vec::new());
        while let Some(placed) = chunks.next() {
            if let Some(scan) = ChunkScan::new(compiled, placed, &projection, &accumulators) {
                scan.read(&mut accumulators, &mut scratch);
                accumulators.finish();
                take(&accumulators, &mut taken);
                accumulators.clear();
            }
        }
        taken
    });
    parts.concat()
}

/// Adds the groups that stand after the slice's place and have a row.
fn take_first(compiled: &CompiledQuery<'_>, accumulators: &Accumulators, slice: &Slice, first: &mut Vec<SpelledGroup>) {
    let figures = GroupFigures { compiled, accumulators };
    for (group, position) in accumulators.groups.iter().zip(0..) {
        let values = compiled.values_of(group.key);
        if values > slice.after && figures.has_row(position, values.is_empty()) {
            first.push((values, group.key));
        }
    }
    if first.len() > slice.count.saturating_mul(2).max(AT_ONCE) {
        keep_first(first, slice.count);
    }
}

/// Drops all but the first in the order of their values.
fn keep_first(first: &mut Vec<SpelledGroup>, count: usize) {
    first.sort_unstable();
    first.truncate(count);
}
