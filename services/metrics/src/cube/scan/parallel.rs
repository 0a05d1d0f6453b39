//! Reads the chunks of a cube for a query, and ranks groups.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};

use crate::cube::compile::codes::PlacedChunk;
use crate::cube::compile::compiled_query::Plan;
use crate::cube::compile::projection::Needs;
use crate::cube::scan::accumulators::Table;
use crate::cube::scan::chunk_scan::Scan;
use crate::cube::scan::scratch::Scratch;

/// A thread more reads a cube only if there are so many chunks for it: waking it costs some 10 µs.
const CHUNKS_WORTH_A_THREAD: usize = 8;

static PROCESSORS: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));

impl Plan<'_> {
    /// Reads every chunk.
    pub fn read(&self, explained: bool) -> Table {
        let needs = Needs::of(self, explained);
        let mut parts = self.on_threads(&self.chunks, |chunks| self.read_chunks(&needs, explained, chunks)).into_iter();
        let mut table = parts.next().unwrap_or_else(|| self.table(&needs, explained, true));
        for part in parts {
            table.merge(&part);
        }
        table.finish();
        table
    }

    /// Runs on as many threads as there are processors when there are many chunks; they take chunks until none is left.
    pub fn on_threads<T: Send + Sync>(
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

    pub fn table(&self, needs: &Needs, explained: bool, few: bool) -> Table {
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
pub struct Chunks<'c, 'a> {
    all: &'c [PlacedChunk<'a>],
    next: AtomicUsize,
}

impl<'c, 'a> Chunks<'c, 'a> {
    /// One that nobody has taken.
    pub fn next(&self) -> Option<&'c PlacedChunk<'a>> {
        self.all.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}
