//! Reads the chunks of a cube for a query, and ranks groups.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};

use insights_proto::metrics::v1::Measure;

use super::figures::Table;
use super::keys::Key;
use super::needs::Needs;
use super::place::PlacedChunk;
use super::plan::Plan;
use super::rows::Scan;
use super::scratch::Scratch;

/// A thread more reads a cube only if there are so many chunks for it: waking it costs some 10 µs.
const CHUNKS_WORTH_A_THREAD: usize = 8;

static PROCESSORS: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));

impl Plan<'_> {
    /// Reads every chunk.
    pub(super) fn read(&self, explained: bool) -> Table {
        let needs = Needs::of(self, explained);
        let mut parts = self.on_threads(&self.chunks, |chunks| self.read_chunks(&needs, explained, chunks)).into_iter();
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
        if !self.groups_are_within_chunks() {
            let mut ranked = Ranked::default();
            self.rank_table(measure, &self.read(false), count, &mut ranked);
            keep_best(&mut ranked.groups, count);
            return ranked.groups;
        }
        // No group is in two chunks: each is ranked by itself, and little is kept of it.
        let (mut order, bounded) = (self.chunks.clone(), is_at_most_the_seats(measure));
        if bounded {
            order.sort_unstable_by_key(|placed| Reverse(placed.chunk.ahead.most_seats));
        }
        // So many groups are known to have at least this score.
        let least = AtomicU64::new(0);
        let parts = self.on_threads(&order, |chunks| {
            let (mut table, mut scratch) = (self.table(&needs, false, true), Scratch::default());
            let mut ranked = Ranked::default();
            while let Some(placed) = chunks.next() {
                let least_seats = if bounded { least.load(Ordering::Relaxed) } else { 0 };
                if placed.chunk.ahead.most_seats < least_seats {
                    break;
                }
                if let Some(mut scan) = Scan::new(self, placed, &needs, &table) {
                    scan.least_seats = least_seats;
                    scan.read(&mut table, &mut scratch);
                    table.finish();
                    self.rank_table(measure, &table, count, &mut ranked);
                    table.clear();
                    least.fetch_max(ranked.least, Ordering::Relaxed);
                }
            }
            ranked.groups
        });
        let mut ranked = parts.concat();
        keep_best(&mut ranked, count);
        ranked
    }

    /// Adds the groups of a table to those ranked so far.
    fn rank_table(&self, measure: Measure, table: &Table, count: usize, ranked: &mut Ranked) {
        let score = |group| self.months().map(|month| self.score(measure, table, group, month)).sum();
        ranked.groups.extend(table.groups.iter().zip(0..).map(|(group, position)| (score(position), group.key)));
        // Sorting out what has no chance costs less the more there is of it.
        if ranked.groups.len() > 2 * ranked.kept.max(count) {
            let least = keep_best(&mut ranked.groups, count);
            ranked.kept = ranked.groups.len();
            ranked.least = least.and_then(|least| u64::try_from(least).ok()).unwrap_or_default();
        }
    }

    /// Runs on as many threads as there are processors when there are many chunks; they take chunks until none is left.
    pub(super) fn on_threads<T: Send + Sync>(
        &self,
        all: &[PlacedChunk<'_>],
        run: impl Fn(&Chunks<'_, '_>) -> T + Sync,
    ) -> Vec<T> {
        let chunks = Chunks { all, next: AtomicUsize::new(0) };
        let others = (all.len() / CHUNKS_WORTH_A_THREAD).clamp(1, *PROCESSORS) - 1;
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

    pub(super) fn table(&self, needs: &Needs, explained: bool, few: bool) -> Table {
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
pub(super) struct Chunks<'c, 'a> {
    all: &'c [PlacedChunk<'a>],
    next: AtomicUsize,
}

impl<'c, 'a> Chunks<'c, 'a> {
    /// One that nobody has taken.
    pub(super) fn next(&self) -> Option<&'c PlacedChunk<'a>> {
        self.all.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// Groups ranked so far.
#[derive(Default)]
struct Ranked {
    /// With their scores.
    groups: Vec<(i128, Key)>,
    /// How many were left when those without a chance were last sorted out, and the least score of them.
    kept: usize,
    least: u64,
}

/// No group of a customer can score higher by this than the customer has seats.
const fn is_at_most_the_seats(measure: Measure) -> bool {
    matches!(measure, Measure::Available | Measure::TotalEntitlements | Measure::DeploymentOpportunity)
}

/// Drops those that have `count` others above them. Returns the least score left, when there were so many.
pub(super) fn keep_best(ranked: &mut Vec<(i128, Key)>, count: usize) -> Option<i128> {
    let place = count.checked_sub(1).filter(|place| *place < ranked.len())?;
    let (_, (last, _), _) = ranked.select_nth_unstable_by_key(place, |(score, _)| Reverse(*score));
    let last = *last;
    ranked.retain(|(score, _)| *score >= last);
    Some(last)
}
