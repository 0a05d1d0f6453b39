//! Who is connected. A connection is new until something is called on it; when there are too many, the oldest new one makes room: whoever
//! means to call does so at once, so it is never an honest one for long.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::ConnectionLimits;
use crate::fail_point;

/// All connections of a listener.
#[derive(Debug)]
pub(crate) struct Registry {
    limits: ConnectionLimits,
    open: Mutex<Open>,
    warned: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// By number, oldest first.
    all: BTreeMap<u64, Arc<Entry>>,
    /// Those on which nothing was called yet.
    new: BTreeMap<u64, Arc<Entry>>,
    per_peer: HashMap<IpAddr, usize>,
    new_per_peer: HashMap<IpAddr, usize>,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) address: SocketAddr,
    peer: IpAddr,
    began: Instant,
    /// Bytes received, up to as many as tell what is spoken.
    received: AtomicUsize,
    activity: Mutex<ConnectionUse>,
    end: CancellationToken,
}

#[derive(Debug)]
struct ConnectionUse {
    calls: usize,
    since: Instant,
}

/// A connection that was let in; it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) entry: Arc<Entry>,
    registry: Arc<Registry>,
}

/// A call on a connection, while it lasts.
#[derive(Debug)]
pub(crate) struct OngoingCall(Arc<Entry>);

/// Bytes after which it is clear what a connection speaks: HTTP/2 begins with so many.
const PREFACE: usize = 24;
/// Warnings about the same are given no more often.
const WARNINGS: Duration = Duration::from_secs(60);

impl Registry {
    pub(crate) fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, open: Mutex::default(), warned: Mutex::default() })
    }

    /// Lets a connection in, if there is or can be made room for it.
    pub(crate) fn admit(self: &Arc<Self>, address: SocketAddr) -> Option<Admitted> {
        let peer = peer_of(address.ip());
        let mut open = self.open();
        let guarded = fail_point::guard_holds("service.connections");
        let of = |counts: &HashMap<IpAddr, usize>| counts.get(&peer).copied().unwrap_or_default();
        if guarded {
            if of(&open.new_per_peer) >= self.limits.new_per_peer {
                open.evict(Some(peer));
            }
            if of(&open.per_peer) >= self.limits.per_peer && !open.evict(Some(peer)) {
                return None;
            }
            if open.all.len() >= self.limits.total && !open.evict(None) {
                return None;
            }
        }
        let (number, now) = (open.next, Instant::now());
        let entry = Arc::new(Entry {
            number,
            address,
            peer,
            began: now,
            received: AtomicUsize::new(0),
            activity: Mutex::new(ConnectionUse { calls: 0, since: now }),
            end: CancellationToken::new(),
        });
        open.next += 1;
        open.all.insert(number, Arc::clone(&entry));
        open.new.insert(number, Arc::clone(&entry));
        *open.per_peer.entry(peer).or_default() += 1;
        *open.new_per_peer.entry(peer).or_default() += 1;
        Some(Admitted { entry, registry: Arc::clone(self) })
    }

    /// Notes a call on a connection.
    pub(crate) fn call(&self, entry: &Arc<Entry>) -> OngoingCall {
        let mut activity = entry.activity();
        activity.calls += 1;
        drop(activity);
        self.open().called(entry);
        OngoingCall(Arc::clone(entry))
    }

    /// Closes the oldest connection on which nothing was called yet; `false` when there is none.
    pub(crate) fn evict(&self) -> bool {
        self.open().evict(None)
    }

    /// Closes what nothing is to be expected of.
    pub(crate) fn sweep(&self, now: Instant) {
        if !fail_point::guard_holds("service.idle") {
            return;
        }
        let longest = |seconds: u32| Duration::from_secs(seconds.into());
        for entry in self.open().all.values() {
            let silent = entry.received.load(Ordering::Relaxed) < PREFACE;
            let activity = entry.activity();
            let idle = activity.calls == 0 && self.limits.idle_seconds > 0;
            let late = silent && now.saturating_duration_since(entry.began) >= longest(self.limits.first_bytes_seconds);
            if idle && (late || now.saturating_duration_since(activity.since) >= longest(self.limits.idle_seconds)) {
                entry.close();
            }
        }
    }

    /// Warns, but no more often than once a minute.
    pub(crate) fn warn(&self, warning: impl FnOnce()) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|last| last.elapsed() >= WARNINGS) {
            *warned = Some(Instant::now());
            warning();
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Closes the oldest new connection, of a peer or of all.
    fn evict(&mut self, of: Option<IpAddr>) -> bool {
        let oldest = self.new.values().find(|entry| of.is_none_or(|peer| entry.peer == peer)).cloned();
        let Some(oldest) = oldest else { return false };
        oldest.close();
        self.remove(&oldest);
        true
    }

    fn called(&mut self, entry: &Entry) {
        if self.new.remove(&entry.number).is_some() {
            decrement(&mut self.new_per_peer, entry.peer);
        }
    }

    fn remove(&mut self, entry: &Entry) {
        self.called(entry);
        if self.all.remove(&entry.number).is_some() {
            decrement(&mut self.per_peer, entry.peer);
        }
    }
}

fn decrement(counts: &mut HashMap<IpAddr, usize>, peer: IpAddr) {
    if let Some(count) = counts.get_mut(&peer) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&peer);
        }
    }
}

/// The peer that an address belongs to.
fn peer_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            Ipv6Addr::from_bits(network).into()
        }
        address => address,
    }
}

impl Entry {
    /// The peer, as connections are counted.
    pub(crate) fn peer(&self) -> IpAddr {
        self.peer
    }

    /// Notes bytes received.
    pub(crate) fn received(&self, bytes: usize) {
        if self.received.load(Ordering::Relaxed) < PREFACE {
            self.received.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Ends the connection, whatever is under way on it.
    pub(crate) fn close(&self) {
        self.end.cancel();
    }

    /// Says when it is to end.
    pub(crate) fn ending(&self) -> CancellationToken {
        self.end.clone()
    }

    fn activity(&self) -> MutexGuard<'_, ConnectionUse> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted {
    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.registry.open().remove(&self.entry);
    }
}

impl Drop for OngoingCall {
    fn drop(&mut self) {
        let mut activity = self.0.activity();
        activity.calls -= 1;
        activity.since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().unwrap(), 1)
    }

    fn limits() -> ConnectionLimits {
        ConnectionLimits { total: 6, per_peer: 4, new_per_peer: 2, ..ConnectionLimits::default() }
    }

    fn closed(admitted: &Admitted) -> bool {
        admitted.entry.ending().is_cancelled()
    }

    #[test]
    fn the_oldest_new_connection_of_a_peer_makes_room() {
        let registry = Registry::new(limits());
        let silent: Vec<_> = (0..2).map(|_| registry.admit(address("10.0.0.1")).unwrap()).collect();
        let other = registry.admit(address("10.0.0.2")).unwrap();
        let third = registry.admit(address("10.0.0.1")).unwrap();
        assert!(closed(&silent[0]) && !closed(&silent[1]) && !closed(&other) && !closed(&third));
        let _call = registry.call(&third.entry);
        let _fourth = registry.admit(address("10.0.0.1")).unwrap();
        assert!(!closed(&silent[1]), "the third is not new any more");
    }

    #[test]
    fn who_calls_keeps_his_place() {
        let registry = Registry::new(limits());
        let mut calls = Vec::new();
        let open: Vec<_> = (0..4)
            .map(|_| registry.admit(address("10.0.0.1")).unwrap())
            .inspect(|open| calls.push(registry.call(&open.entry)))
            .collect();
        assert!(registry.admit(address("10.0.0.1")).is_none(), "the peer has four that are used");
        let new: Vec<_> = (0..2).map(|_| registry.admit(address("10.0.0.2")).unwrap()).collect();
        let last = registry.admit(address("10.0.0.3")).unwrap();
        assert!(closed(&new[0]) && !closed(&new[1]) && !closed(&last), "the oldest new one of all");
        drop(open);
        assert!(registry.admit(address("10.0.0.1")).is_some(), "the places came back");
    }

    #[test]
    fn what_says_nothing_is_closed() {
        let registry = Registry::new(limits());
        let open: Vec<_> = (0..3).map(|number| registry.admit(address(&format!("10.0.0.{number}"))).unwrap()).collect();
        open[1].entry.received(PREFACE);
        let call = registry.call(&open[2].entry);
        let later = |seconds: u32| Instant::now() + Duration::from_secs(seconds.into());
        registry.sweep(later(limits().first_bytes_seconds));
        assert_eq!(open.iter().map(closed).collect::<Vec<_>>(), [true, false, false]);
        registry.sweep(later(limits().idle_seconds));
        assert_eq!(open.iter().map(closed).collect::<Vec<_>>(), [true, true, false], "a call is under way");
        drop(call);
        registry.sweep(later(limits().idle_seconds));
        assert!(closed(&open[2]));
    }

    #[test]
    fn a_network_of_ipv6_is_one_peer() {
        let of = |text: &str| peer_of(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
