//! Waiting for what must come, however slow the machine is.

use std::time::{Duration, Instant};

/// How long anything is waited for that must come. Generous: many tests run side by side on small machines, where a process may
/// stand still for seconds.
pub const PATIENCE: Duration = Duration::from_secs(120);

const PAUSE: Duration = Duration::from_millis(20);

/// Waits until a condition holds.
///
/// # Panics
/// When it never does; the message says what was waited for.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    found(what, async || holds().await.then_some(())).await;
}

/// Looks for something until it is there.
///
/// # Panics
/// When it never is; the message says what was waited for.
pub async fn found<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}
