//! Reads the chunks of a cube for a query, and ranks groups.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};

use insights_proto::metrics::v1::{Dimension, Measure};

use super::figures::Table;
use super::keys::Key;
use super::needs::Needs;
use super::place::PlacedChunk;
use super::plan::Plan;
use super::rows::Scan;
use super::scratch::Scratch;

/// A thread more reads a cube only if there are so many chunks for it: waking it costs some 10 µs.
const CHUNKS_WORTH_A_THREAD: usize = 8;

/// Groups are ranked when so many have come together.
const RANKED_AT_ONCE: usize = 4_096;

static PROCESSORS: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));

impl Plan<'_> {
    /// Reads every chunk.
    pub(super) fn read(&self, explained: bool) -> Table {
        let needs = Needs::of(self, explained);
        let mut parts = self.on_threads(|chunks| self.read_chunks(&needs, explained, chunks)).into_iter();
        let mut table = parts.next().unwrap_or_else(|| self.table(&needs, explained, true));
        for part in parts {
            table.merge(&part);
        }
        table.finish();
        table
    }

    /// Groups by their scores, without those that have `count` others above them.
    pub(super) fn rank(&self, measure: Measure, count: usize) -> Vec<(i128, Key)> {
        let needs = Needs::of(self, false).for_scores();
        let within_chunks = |dimension: &Dimension| matches!(dimension, Dimension::Customer | Dimension::Subscription);
        if !self.query.group_by.iter().any(within_chunks) {
            let mut ranked = Vec::new();
            self.rank_table(measure, &self.read(false), count, &mut ranked);
            keep_best(&mut ranked, count);
            return ranked;
        }
        // No group is in two chunks: each is ranked by itself, and little is kept of it.
        let parts = self.on_threads(|chunks| {
            let (mut table, mut scratch) = (self.table(&needs, false, true), Scratch::default());
            let mut ranked = Vec::new();
            while let Some(placed) = chunks.next() {
                if let Some(scan) = Scan::new(self, placed, &needs, &table) {
                    scan.read(&mut table, &mut scratch);
                    table.finish();
                    self.rank_table(measure, &table, count, &mut ranked);
                    table.clear();
                }
            }
            ranked
        });
        let mut ranked = parts.concat();
        keep_best(&mut ranked, count);
        ranked
    }

    /// Adds the groups of a table to those ranked so far.
    fn rank_table(&self, measure: Measure, table: &Table, count: usize, ranked: &mut Vec<(i128, Key)>) {
        let score = |group| self.months().map(|month| self.score(measure, table, group, month)).sum();
        ranked.extend(table.groups.iter().zip(0..).map(|(group, position)| (score(position), group.key)));
        // Sorting out what has no chance costs less the more there is of it.
        if ranked.len() > count.saturating_mul(2).max(RANKED_AT_ONCE) {
            keep_best(ranked, count);
        }
    }

    /// Runs on as many threads as there are processors when there are many chunks; they take chunks until none is left.
    fn on_threads<T: Send + Sync>(&self, run: impl Fn(&Chunks<'_, '_>) -> T + Sync) -> Vec<T> {
        let chunks = Chunks { all: &self.chunks, next: AtomicUsize::new(0) };
        let others = (self.chunks.len() / CHUNKS_WORTH_A_THREAD).clamp(1, *PROCESSORS) - 1;
        let parts: Vec<OnceLock<T>> = std::iter::repeat_with(OnceLock::new).take(others).collect();
        let own = rayon::in_place_scope(|scope| {
            for part in &parts {
                // A thread that comes when all chunks are taken still has to say that it found none.
                scope.spawn(|_| drop(part.set(run(&chunks))));
            }
            run(&chunks)
        });
        parts.into_iter().filter_map(OnceLock::into_inner).chain([own]).collect()
    }

    fn table(&self, needs: &Needs, explained: bool, few: bool) -> Table {
        let mut table = Table::new(&self.places, self.range, &needs.sums, explained, few);
        if self.query.group_by.is_empty() {
            table.group(0, 0, 0);
        }
        table
    }

    fn read_chunks(&self, needs: &Needs, explained: bool, chunks: &Chunks<'_, '_>) -> Table {
        let (mut table, mut scratch) = (self.table(needs, explained, self.only.is_some()), Scratch::default());
        while let Some(placed) = chunks.next() {
            if let Some(scan) = Scan::new(self, placed, needs, &table) {
                scan.read(&mut table, &mut scratch);
            }
        }
        table
    }
}

/// Chunks that threads share.
struct Chunks<'c, 'a> {
    all: &'c [PlacedChunk<'a>],
    next: AtomicUsize,
}

impl<'c, 'a> Chunks<'c, 'a> {
    /// One that nobody has taken.
    fn next(&self) -> Option<&'c PlacedChunk<'a>> {
        self.all.get(self.next.fetch_add(1, Ordering::Relaxed))
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
