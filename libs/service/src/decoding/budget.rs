//! The memory that requests under way may take, over all of them and of one partner.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is counted, in bytes.
const UNIT: usize = 1024;
/// A call waits so long for memory before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(2);
/// Number of shares at which those that nobody holds are removed.
const MANY: usize = 10_000;

/// Bytes for requests under way.
#[derive(Debug)]
pub(crate) struct Budget {
    all: Arc<Semaphore>,
    /// What one partner may have of it.
    share: usize,
    shares: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// What one message has of the budget. It goes back when this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<Budget>,
    share: Arc<Semaphore>,
    units: usize,
    held: Vec<OwnedSemaphorePermit>,
}

/// The budget is used up, and stayed so.
#[derive(Debug)]
pub(crate) struct Exhausted;

impl Budget {
    /// So many bytes, of which one partner may have half.
    pub(crate) fn new(bytes: usize) -> Arc<Self> {
        let most = bytes.div_ceil(UNIT).max(2);
        let all = Arc::new(Semaphore::new(most));
        Arc::new(Self { all, share: most / 2, shares: Mutex::default() })
    }

    /// Nothing yet, for a partner.
    pub(crate) fn reserve(self: &Arc<Self>, partner: &str) -> Reservation {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if shares.len() >= MANY {
            shares.retain(|_, share| share.strong_count() > 0);
        }
        let known = shares.get(partner).and_then(Weak::upgrade);
        let share = known.unwrap_or_else(|| {
            let share = Arc::new(Semaphore::new(self.share));
            shares.insert(partner.to_owned(), Arc::downgrade(&share));
            share
        });
        Reservation { budget: Arc::clone(self), share, units: 0, held: Vec::new() }
    }
}

impl Reservation {
    /// Reserves as much as is missing to so many bytes. More than the partner's share is reserved as all of it, so that a message
    /// that is allowed can pass alone.
    pub(crate) async fn grow_to(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let wanted = bytes.div_ceil(UNIT).min(self.budget.share);
        let more = wanted.saturating_sub(self.units);
        if more == 0 {
            return Ok(());
        }
        let permits = u32::try_from(more).map_err(|_| Exhausted)?;
        let both = async {
            // The share first: who waits for its own share does not stand in another's way.
            let share = Arc::clone(&self.share).acquire_many_owned(permits).await;
            let all = Arc::clone(&self.budget.all).acquire_many_owned(permits).await;
            share.ok().zip(all.ok())
        };
        let (share, all) = tokio::time::timeout(PATIENCE, both).await.ok().flatten().ok_or(Exhausted)?;
        self.held.extend([share, all]);
        self.units = wanted;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_partner_leaves_half_to_the_others() {
        let budget = Budget::new(1024 * UNIT);
        let mut storm: Vec<_> = (0..3).map(|_| budget.reserve("storm")).collect();
        for held in &mut storm[..2] {
            held.grow_to(256 * UNIT).await.unwrap();
        }
        assert!(storm[2].grow_to(1).await.is_err(), "its share is used up");
        let mut calm = budget.reserve("calm");
        calm.grow_to(100 * UNIT).await.unwrap();
        calm.grow_to(500 * UNIT).await.unwrap();
        assert_eq!(budget.all.available_permits(), 12);
        drop(storm);
        drop(calm);
        assert_eq!(budget.all.available_permits(), 1024);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_larger_than_a_share_passes_alone() {
        let budget = Budget::new(64 * UNIT);
        let mut large = budget.reserve("p");
        large.grow_to(1024 * UNIT).await.unwrap();
        let mut next = budget.reserve("p");
        let waits = tokio::spawn(async move { next.grow_to(UNIT).await.is_ok() });
        tokio::time::sleep(PATIENCE / 2).await;
        drop(large);
        assert!(waits.await.unwrap(), "it waited for its turn");
    }
}
