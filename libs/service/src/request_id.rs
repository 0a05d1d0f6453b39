//! The id of the call being answered, which ties what a caller is told to what is logged.

use std::{
    future::Future,
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the call this task answers; a fresh one in a task that answers none.
#[must_use]
pub fn request_id() -> String {
    CURRENT.try_with(String::clone).unwrap_or_else(|_| fresh())
}

/// A new id: unique in practice, meaningless by design.
pub(crate) fn fresh() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // RandomState is seeded by the system's randomness: ids of two processes do not meet.
    let hash = RandomState::new().hash_one(NEXT.fetch_add(1, Ordering::Relaxed));
    format!("{hash:016x}")
}

pub(crate) async fn with_id<F: Future>(id: String, future: F) -> F::Output {
    CURRENT.scope(id, future).await
}
