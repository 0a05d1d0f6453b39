//! Delays change notices during bulk ingestion, so that followers recompute once, not after every batch.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

/// Facts of activity, or records that take their time, from which on a batch counts as bulk. Notices of smaller batches are not delayed.
const BULK: usize = 20_000;

/// How long no bulk batch may be on its way before notices are sent.
const QUIET: Duration = Duration::from_millis(100);

/// The longest delay of a notice; a feed may go on for hours.
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// Whether bulk batches are on their way.
#[derive(Debug, Default)]
pub(crate) struct IngestDebounce(watch::Sender<DebounceState>);

#[derive(Clone, Copy, Debug, Default)]
struct DebounceState {
    /// Bulk batches on their way.
    batches: usize,
    /// When the last of them ended.
    ended: Option<Instant>,
}

/// A bulk batch on its way, until dropped.
#[derive(Debug)]
pub(crate) struct BulkBatch<'a>(&'a IngestDebounce);

impl IngestDebounce {
    /// Counts a batch of so many facts as on its way until the guard is dropped; `None` of a batch that is not bulk.
    pub(crate) fn begin(&self, facts: usize) -> Option<BulkBatch<'_>> {
        (facts >= BULK).then(|| {
            self.0.send_modify(|state| state.batches += 1);
            BulkBatch(self)
        })
    }

    /// Waits until no bulk batch has been on its way for a while, but not beyond the longest delay.
    pub(crate) async fn settled(&self) {
        let most = Instant::now() + LONGEST_DELAY;
        let mut state = self.0.subscribe();
        loop {
            let DebounceState { batches, ended } = *state.borrow_and_update();
            let until = match ended {
                _ if batches > 0 => most,
                Some(ended) => most.min(ended + QUIET),
                None => return,
            };
            // The sender lives as long as `self`.
            if timeout_at(until, state.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for BulkBatch<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| {
            state.batches -= 1;
            state.ended = Some(Instant::now());
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{sleep, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn small_batches_delay_no_notice() {
        let debounce = IngestDebounce::default();
        let _batch = debounce.begin(BULK - 1);
        timeout(LONGEST_DELAY, debounce.settled()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn notices_wait_while_bulk_batches_follow_each_other() {
        let debounce = IngestDebounce::default();
        let first = debounce.begin(BULK);
        let feed = async {
            sleep(QUIET).await;
            let second = debounce.begin(BULK);
            drop(first);
            sleep(QUIET * 2).await;
            drop(second);
            Instant::now()
        };
        let over = async {
            debounce.settled().await;
            Instant::now()
        };
        let (ended, over) = futures::future::join(feed, over).await;
        assert_eq!(over, ended + QUIET);
    }

    #[tokio::test(start_paused = true)]
    async fn notices_do_not_wait_for_ever() {
        let debounce = IngestDebounce::default();
        let _batch = debounce.begin(BULK);
        let start = Instant::now();
        debounce.settled().await;
        assert_eq!(start.elapsed(), LONGEST_DELAY);
    }
}
