//! Reads the chunks of a cube for a query, and ranks groups.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};

use crate::cube::compile::codes::PlacedChunk;
use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::compile::projection::Projection;
use crate::cube::scan::accumulators::Accumulators;
use crate::cube::scan::chunk_scan::ChunkScan;
use crate::cube::scan::scratch::Scratch;

/// A thread more reads a cube only if there are so many chunks for it: waking it costs some 10 µs.
const CHUNKS_WORTH_A_THREAD: usize = 8;

static PROCESSORS: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));

impl CompiledQuery<'_> {
    /// Reads every chunk.
    pub fn read(&self, explained: bool) -> Accumulators {
        let projection = Projection::of(self, explained);
        let mut parts =
            self.on_threads(&self.chunks, |chunks| self.read_chunks(&projection, explained, chunks)).into_iter();
        let mut accumulators = parts.next().unwrap_or_else(|| self.accumulators(&projection, explained, true));
        for part in parts {
            accumulators.merge(&part);
        }
        accumulators.finish();
        accumulators
    }

    /// Runs on as many threads as there are processors when there are many chunks; they take chunks until none is left.
    pub fn on_threads<T: Send + Sync>(
        &self,
        all: &[PlacedChunk<'_>],
        run: impl Fn(&ChunkQueue<'_, '_>) -> T + Sync,
    ) -> Vec<T> {
        let chunks = ChunkQueue { all, next: AtomicUsize::new(0) };
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

    pub fn accumulators(&self, projection: &Projection, explained: bool, few: bool) -> Accumulators {
        let mut accumulators = Accumulators::new(&self.layout, self.range, &projection.sums, explained, few);
        if self.query.group_by.is_empty() {
            accumulators.group(0, 0, 0);
        }
        accumulators
    }

    fn read_chunks(&self, projection: &Projection, explained: bool, chunks: &ChunkQueue<'_, '_>) -> Accumulators {
        let (mut accumulators, mut scratch) =
            (self.accumulators(projection, explained, self.limit.is_some()), Scratch::default());
        while let Some(placed) = chunks.next() {
            if let Some(scan) = ChunkScan::new(self, placed, projection, &accumulators) {
                scan.read(&mut accumulators, &mut scratch);
            }
        }
        accumulators
    }
}

/// Chunks that threads share.
pub struct ChunkQueue<'c, 'a> {
    all: &'c [PlacedChunk<'a>],
    next: AtomicUsize,
}

impl<'c, 'a> ChunkQueue<'c, 'a> {
    /// One that nobody has taken.
    pub fn next(&self) -> Option<&'c PlacedChunk<'a>> {
        self.all.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}
