//! Reads the chunks of a cube for a query, and ranks groups.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use insights_proto::metrics::v1::{Dimension, Measure};

use super::figures::Table;
use super::keys::Key;
use super::needs::Needs;
use super::plan::Plan;
use super::rows::Scan;
use super::scratch::Scratch;

/// A thread more reads a cube only if there are so many chunks for it: it costs some 50 µs.
const CHUNKS_WORTH_A_THREAD: usize = 8;

static PROCESSORS: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));

impl Plan<'_> {
    /// Reads every chunk.
    pub(super) fn read(&self, explained: bool) -> Table {
        let mut parts = self.read_parts(explained, |part| part).into_iter();
        let mut table = parts.next().unwrap_or_else(|| self.table(&Needs::of(self, explained), explained));
        for part in parts {
            table.merge(&part);
        }
        table.finish();
        table
    }

    /// Groups by their scores, without those that have `count` others above them.
    pub(super) fn rank(&self, measure: Measure, count: usize) -> Vec<(i128, Key)> {
        let best = |table: &Table| {
            let score = |group| self.months().map(|month| self.score(measure, table, group, month)).sum();
            let mut ranked =
                table.groups.iter().zip(0..).map(|(group, position)| (score(position), group.key)).collect();
            keep_best(&mut ranked, count);
            ranked
        };
        let within_chunks = |dimension: &Dimension| matches!(dimension, Dimension::Customer | Dimension::Subscription);
        if !self.query.group_by.iter().any(within_chunks) {
            return best(&self.read(false));
        }
        // No group is in two chunks: each thread ranks its own.
        let parts = self.read_parts(false, |mut part| {
            part.finish();
            best(&part)
        });
        let mut ranked = parts.concat();
        keep_best(&mut ranked, count);
        ranked
    }

    /// Reads the chunks, with as many threads as there are processors when there are many chunks.
    fn read_parts<T: Send>(&self, explained: bool, then: impl Fn(Table) -> T + Sync) -> Vec<T> {
        let needs = Needs::of(self, explained);
        let next = AtomicUsize::new(0);
        let others = (self.chunks.len() / CHUNKS_WORTH_A_THREAD).clamp(1, *PROCESSORS) - 1;
        std::thread::scope(|scope| {
            let read = || then(self.read_chunks(&needs, explained, &next));
            let others: Vec<_> = (0..others).map(|_| scope.spawn(read)).collect();
            let mut parts = vec![read()];
            let joined = others.into_iter().map(std::thread::ScopedJoinHandle::join);
            parts.extend(joined.map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))));
            parts
        })
    }

    fn table(&self, needs: &Needs, explained: bool) -> Table {
        let mut table = Table::new(&self.places, self.range, &needs.sums, explained);
        if self.query.group_by.is_empty() {
            table.group(0, 0, 0);
        }
        table
    }

    /// Reads chunks as long as there are some that nobody has taken.
    fn read_chunks(&self, needs: &Needs, explained: bool, next: &AtomicUsize) -> Table {
        let mut table = self.table(needs, explained);
        let mut scratch = Scratch::default();
        while let Some(placed) = self.chunks.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(scan) = Scan::new(self, placed, needs, &table) {
                scan.read(&mut table, &mut scratch);
            }
        }
        table
    }
}

/// Drops those that have `count` others above them.
fn keep_best(ranked: &mut Vec<(i128, Key)>, count: usize) {
    if let Some(place) = count.checked_sub(1).filter(|place| *place < ranked.len()) {
        let (_, (last, _), _) = ranked.select_nth_unstable_by_key(place, |(score, _)| std::cmp::Reverse(*score));
        let last = *last;
        ranked.retain(|(score, _)| *score >= last);
    }
}
