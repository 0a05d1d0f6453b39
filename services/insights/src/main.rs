//! Partner Insights: the one binary people run.

/// Batches and cubes make and drop much on many threads, which the C library's allocator takes a third of the time for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    insights_cli::main()
}
