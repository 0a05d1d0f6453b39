//! The cores of the machine, shared out to work on cubes: one partner's long work keeps no other partner's waiting.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use insights_service::fail_point;
use tokio::sync::oneshot;

/// A place per core, because more work at once would only make all of it slower, and one more for a partner of whom none is under way.
/// Of those who wait, the partner with the least under way is next, then the one who was served the longest ago; of a partner's, the
/// shortest is next, and now and then the oldest, so that long work comes to its turn.
#[derive(Clone, Debug)]
pub struct Cores(Arc<Mutex<Queue>>);

/// A core. It is given on when this is dropped.
#[derive(Debug)]
pub struct Core {
    cores: Cores,
    partner: String,
}

#[derive(Debug, Default)]
struct Queue {
    count: usize,
    under_way: usize,
    partners: HashMap<String, Share>,
    /// Counts work as it comes and as it is begun.
    clock: u64,
}

#[derive(Debug, Default)]
struct Share {
    under_way: usize,
    /// When one was begun last.
    served: u64,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    cost: u64,
    since: u64,
    wake: oneshot::Sender<Core>,
}

/// Of so many of a partner's, one goes by its age.
const BY_AGE: u64 = 4;

impl Cores {
    /// So many.
    pub fn new(count: usize) -> Self {
        Self(Arc::new(Mutex::new(Queue { count, ..Queue::default() })))
    }

    /// Those of this machine.
    pub fn of_this_machine() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
    }

    /// Waits for a core, for work of about this cost.
    pub async fn acquire(&self, partner: &str, cost: u64) -> Core {
        let (wake, woken) = oneshot::channel();
        self.queue().wait(partner, cost, wake);
        self.give();
        // The sender is kept until it sends.
        match woken.await {
            Ok(core) => core,
            Err(_) => std::future::pending().await,
        }
    }

    /// Gives out cores while there are some and somebody waits.
    fn give(&self) {
        loop {
            let mut queue = self.queue();
            let Some((partner, waiting)) = queue.next() else { return };
            drop(queue);
            // Who is gone gives it on by dropping it.
            drop(waiting.wake.send(Core { cores: self.clone(), partner }));
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn wait(&mut self, partner: &str, cost: u64, wake: oneshot::Sender<Core>) {
        self.clock += 1;
        let waiting = Waiting { cost, since: self.clock, wake };
        self.partners.entry(partner.to_owned()).or_default().waiting.push(waiting);
    }

    fn next(&mut self) -> Option<(String, Waiting)> {
        // Those who are gone.
        self.partners.retain(|_, share| {
            share.waiting.retain(|waiting| !waiting.wake.is_closed());
            share.under_way > 0 || !share.waiting.is_empty()
        });
        let fair = fail_point::guard_holds("metrics.fair_cores");
        let room = match self.under_way {
            all if all < self.count => usize::MAX,
            all if all == self.count && fair => 1,
            _ => return None,
        };
        let waiting = self.partners.iter().filter(|(_, share)| !share.waiting.is_empty() && share.under_way < room);
        let next = waiting.min_by_key(|(_, share)| match fair {
            true => (share.under_way, share.served),
            false => (0, share.waiting.first().map_or(0, |waiting| waiting.since)),
        });
        let partner = next.map(|(partner, _)| partner.clone())?;
        self.clock += 1;
        self.under_way += 1;
        let share = self.partners.get_mut(&partner)?;
        share.under_way += 1;
        share.served = self.clock;
        let by_age = !fair || self.clock.is_multiple_of(BY_AGE);
        let at = |waiting: &Waiting| if by_age { (0, waiting.since) } else { (waiting.cost, waiting.since) };
        let (first, _) = share.waiting.iter().enumerate().min_by_key(|(_, waiting)| at(waiting))?;
        Some((partner, share.waiting.remove(first)))
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let mut queue = self.cores.queue();
        queue.under_way -= 1;
        if let Some(share) = queue.partners.get_mut(&self.partner) {
            share.under_way -= 1;
        }
        drop(queue);
        self.cores.give();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Work that waits, in the order in which it is begun.
    async fn begun(cores: &Cores, work: &[(&'static str, u64)], held: Vec<Core>) -> Vec<(&'static str, u64)> {
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for &(partner, cost) in work {
            let (cores, order) = (cores.clone(), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let core = cores.acquire(partner, cost).await;
                order.lock().unwrap().push((partner, cost));
                // Others have come by the time it is given on.
                tokio::time::sleep(Duration::from_millis(1)).await;
                drop(core);
            }));
            tokio::task::yield_now().await;
        }
        drop(held);
        for task in tasks {
            task.await.unwrap();
        }
        Arc::try_unwrap(order).unwrap().into_inner().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_leaves_a_place_to_another_partner() {
        let cores = Cores::new(2);
        let held = vec![cores.acquire("storm", 9).await, cores.acquire("storm", 9).await];
        let waits = cores.acquire("storm", 1);
        tokio::pin!(waits);
        assert!(futures::poll!(&mut waits).is_pending());
        let calm = cores.acquire("calm", 100).await;
        let second = cores.acquire("calm", 1);
        tokio::pin!(second);
        assert!(futures::poll!(&mut second).is_pending(), "one place beyond the cores");
        drop(calm);
        drop(held);
        assert!(futures::poll!(&mut second).is_ready() && futures::poll!(&mut waits).is_ready());
    }

    #[tokio::test(start_paused = true)]
    async fn partners_take_turns_and_short_work_goes_first() {
        let cores = Cores::new(1);
        let held = vec![cores.acquire("a", 1).await, cores.acquire("b", 1).await];
        let work = [("a", 5), ("a", 3), ("a", 4), ("b", 9), ("b", 1)];
        let order = begun(&cores, &work, held).await;
        let places = |partner: &str| order.iter().position(|(of, _)| *of == partner).unwrap();
        assert!(places("a") < 2 && places("b") < 2, "{order:?}");
        let of =
            |partner: &str| order.iter().filter(|(of, _)| *of == partner).map(|(_, cost)| *cost).collect::<Vec<_>>();
        assert_eq!((of("a").len(), of("b").len()), (3, 2), "{order:?}");
        assert!(cores.queue().partners.is_empty() && cores.queue().under_way == 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_gone_takes_no_place() {
        let cores = Cores::new(1);
        let held = vec![cores.acquire("a", 1).await, cores.acquire("b", 1).await];
        {
            let gone = cores.acquire("a", 1);
            tokio::pin!(gone);
            assert!(futures::poll!(&mut gone).is_pending());
        }
        assert_eq!(begun(&cores, &[("a", 2), ("c", 1)], held).await.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn without_the_guard_another_partner_waits_for_the_storm() {
        let _armed = fail_point::arm("", "without:metrics.fair_cores");
        let cores = Cores::new(1);
        let held = vec![cores.acquire("storm", 9).await];
        let order = begun(&cores, &[("storm", 9), ("storm", 9), ("calm", 1)], held).await;
        assert_eq!(order.last(), Some(&("calm", 1)));
    }
}
