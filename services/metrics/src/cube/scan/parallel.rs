//! Reads the chunks of a cube for a query, on as many threads as it is worth.

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

/// Reads every chunk.
pub fn read(compiled: &CompiledQuery<'_>, projection: &Projection) -> Accumulators {
    let chunks = compiled.chunks().as_slice();
    let mut parts = on_threads(chunks, |chunks| read_chunks(compiled, projection, chunks)).into_iter();
    let mut accumulators = parts.next().unwrap_or_else(|| new_accumulators(compiled, projection, true));
    for part in parts {
        accumulators.merge(&part);
    }
    accumulators.finish();
    accumulators
}

fn read_chunks(compiled: &CompiledQuery<'_>, projection: &Projection, chunks: &ChunkQueue<'_, '_>) -> Accumulators {
    let mut accumulators = new_accumulators(compiled, projection, compiled.is_limited());
    let mut scratch = Scratch::default();
    while let Some(placed) = chunks.next() {
        if let Some(scan) = ChunkScan::new(compiled, placed, projection, &accumulators) {
            scan.read(&mut accumulators, &mut scratch);
        }
    }
    accumulators
}

/// Runs on as many threads as there are processors when there are many chunks; they take chunks until none is left.
pub fn on_threads<'a, T: Send + Sync>(
    all: &[PlacedChunk<'a>],
    run: impl Fn(&ChunkQueue<'_, 'a>) -> T + Sync,
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

/// Accumulators without groups, but for the whole where a query does not split its answer. `few`: there are far fewer groups
/// at a time than there could be.
pub fn new_accumulators(compiled: &CompiledQuery<'_>, projection: &Projection, few: bool) -> Accumulators {
    let range = compiled.range();
    let (months, sums) = ((range.first, range.last), projection.all_sums());
    let mut accumulators = Accumulators::new(compiled.layout(), months, sums, projection.explained, few);
    if compiled.grouping().columns.is_empty() {
        accumulators.group(0, 0, 0);
    }
    accumulators
}

/// Chunks that threads share.
pub struct ChunkQueue<'c, 'a> {
    all: &'c [PlacedChunk<'a>],
    next: AtomicUsize,
}

impl<'c, 'a> ChunkQueue<'c, 'a> {
    /// One that no thread has taken.
    pub fn next(&self) -> Option<&'c PlacedChunk<'a>> {
        self.all.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}
