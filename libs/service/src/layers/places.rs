//! PlacePool of a small pool, shared out by whoever may hold several.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{connections::Peer, fail_point};

/// Whose places are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holder {
    All,
    Peer(IpAddr),
    Connection(u64),
}

/// A pool of places. Of all of them a peer may hold a quarter, and a connection an eighth.
#[derive(Debug)]
pub(crate) struct PlacePool {
    most: usize,
    taken: Mutex<HashMap<Holder, usize>>,
}

/// A place; it goes back when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<PlacePool>,
    holders: Vec<Holder>,
}

impl PlacePool {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    /// A place for whoever is at the other end; `None` when all are taken that may be. In memory there is no other end.
    pub(crate) fn take(self: &Arc<Self>, peer: Option<&Peer>) -> Option<Place> {
        let mut holders = vec![(Holder::All, self.most)];
        let entry = peer.and_then(Peer::entry).filter(|_| fail_point::guard_holds("service.pools"));
        if let Some(entry) = entry {
            holders.push((Holder::Peer(entry.peer()), self.most.div_ceil(4)));
            holders.push((Holder::Connection(entry.number), self.most.div_ceil(8)));
        }
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if holders.iter().any(|(holder, most)| taken.get(holder).is_some_and(|count| count >= most)) {
            return None;
        }
        for (holder, _) in &holders {
            *taken.entry(*holder).or_default() += 1;
        }
        let holders = holders.into_iter().map(|(holder, _)| holder).collect();
        Some(Place { places: Arc::clone(self), holders })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for holder in &self.holders {
            if let Some(count) = taken.get_mut(holder) {
                *count -= 1;
                if *count == 0 {
                    taken.remove(holder);
                }
            }
        }
    }
}
