//! Endpoints of a service: the replicas behind its names, looked up at intervals, each with a connection of its own.

use std::{
    collections::HashSet,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use futures::future::BoxFuture;
use http::Uri;
use tokio::sync::Notify;
use tonic::transport::{Channel, Endpoint};

use super::ChannelConfig;

/// Looks up the addresses of a name and port.
pub type Resolve = Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// How long a replica that failed is ejected; each further failure doubles it.
const FIRST_EJECTION: Duration = Duration::from_millis(250);
const LONGEST_EJECTION: Duration = Duration::from_secs(5);
/// Names are not looked up more often than this, whatever fails.
const RESOLVE_AT_MOST: Duration = Duration::from_secs(1);

/// One replica.
pub(super) struct Replica {
    pub(super) address: SocketAddr,
    /// Which of the URLs it belongs to.
    url: usize,
    pub(super) channel: Channel,
    running: AtomicUsize,
    ejection: Mutex<Ejection>,
}

#[derive(Clone, Copy, Default)]
struct Ejection {
    failures: u32,
    until: Option<Instant>,
}

/// A call that runs on a replica, counted while it does.
pub(super) struct ReplicaSlot(pub(super) Arc<Replica>);

impl Drop for ReplicaSlot {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Replica {
    fn ejected_until(&self, now: Instant) -> Option<Instant> {
        self.ejection.lock().unwrap_or_else(PoisonError::into_inner).until.filter(|until| *until > now)
    }

    /// It answered: its ejection ends.
    pub(super) fn well(&self) {
        *self.ejection.lock().unwrap_or_else(PoisonError::into_inner) = Ejection::default();
    }

    /// It could not be reached: it is ejected for a while.
    pub(super) fn failed(&self) {
        let mut ejection = self.ejection.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = (FIRST_EJECTION * 2_u32.saturating_pow(ejection.failures)).min(LONGEST_EJECTION);
        *ejection = Ejection { failures: (ejection.failures + 1).min(10), until: Some(Instant::now() + pause) };
    }
}

/// The replicas known now.
pub(super) struct Endpoints {
    urls: Vec<Uri>,
    config: ChannelConfig,
    resolve: Resolve,
    known: ArcSwap<Vec<Arc<Replica>>>,
    turn: AtomicUsize,
    /// Notified when a call found no replica.
    wanted: Notify,
    /// The names were looked up.
    looked: tokio::sync::watch::Sender<Option<String>>,
}

impl Endpoints {
    pub(super) fn new(urls: Vec<Uri>, config: ChannelConfig, resolve: Resolve) -> Arc<Self> {
        let endpoints = Arc::new(Self {
            urls,
            config,
            resolve,
            known: ArcSwap::default(),
            turn: AtomicUsize::new(0),
            wanted: Notify::new(),
            looked: tokio::sync::watch::Sender::new(None),
        });
        let keeper = Arc::downgrade(&endpoints);
        tokio::spawn(async move {
            let mut files = Vec::new();
            // Ends with the last clone of the channel.
            while let Some(endpoints) = keeper.upgrade() {
                let now = endpoints.config.files();
                let afresh = std::mem::replace(&mut files, now) != files;
                endpoints.look_up(afresh).await;
                let interval = endpoints.config.resolve_interval();
                drop(endpoints);
                tokio::time::sleep(RESOLVE_AT_MOST.min(interval)).await;
                let Some(endpoints) = keeper.upgrade() else { return };
                let _ =
                    tokio::time::timeout(interval.saturating_sub(RESOLVE_AT_MOST), endpoints.wanted.notified()).await;
            }
        });
        endpoints
    }

    /// Requests a lookup of the names soon, because the known replicas do not suffice.
    pub(super) fn want(&self) {
        self.wanted.notify_one();
    }

    /// Waits for the first lookup of the names; an error says why it found no replica.
    pub(super) async fn looked_up(&self) -> Result<(), String> {
        let mut looked = self.looked.subscribe();
        let said = looked.wait_for(Option::is_some).await.map_err(|_| "nobody looks names up".to_owned())?;
        match self.known.load().is_empty() {
            true => Err(said.clone().unwrap_or_default()),
            false => Ok(()),
        }
    }

    /// The replica for a call that was tried on `tried` before: one that is well, with the fewest calls, in turn.
    pub(super) fn pick(&self, tried: &HashSet<SocketAddr>) -> Option<ReplicaSlot> {
        let known = self.known.load();
        let (now, turn, count) = (Instant::now(), self.turn.fetch_add(1, Ordering::Relaxed), known.len());
        let best = (0..count).map(|step| &known[turn.wrapping_add(step) % count]).min_by_key(|replica| {
            // An ejected replica is asked only when no other is left, the one that comes back first before the others.
            (tried.contains(&replica.address), replica.ejected_until(now), replica.running.load(Ordering::Relaxed))
        })?;
        best.running.fetch_add(1, Ordering::Relaxed);
        Some(ReplicaSlot(Arc::clone(best)))
    }

    /// Whether a replica that is not ejected was not tried yet.
    pub(super) fn another(&self, tried: &HashSet<SocketAddr>) -> bool {
        let now = Instant::now();
        self.known
            .load()
            .iter()
            .any(|replica| !tried.contains(&replica.address) && replica.ejected_until(now).is_none())
    }

    async fn look_up(&self, afresh: bool) {
        let before = self.known.load_full();
        let (mut found, mut said) = (Vec::new(), String::new());
        for (url, uri) in self.urls.iter().enumerate() {
            let old = || before.iter().filter(move |replica| replica.url == url).cloned();
            match self.addresses(uri).await {
                // A name that cannot be looked up now keeps the addresses it had.
                Err(error) => {
                    tracing::warn!(%error, url = %uri, "the name of a service cannot be looked up; trying again");
                    found.extend(old());
                    said = format!("{uri}: {error}");
                }
                Ok(addresses) => {
                    for address in addresses {
                        match old().find(|replica| replica.address == address && !afresh) {
                            Some(replica) => found.push(replica),
                            None => match self.replica(url, uri, address) {
                                Ok(replica) => found.push(replica),
                                Err(error) => {
                                    tracing::error!(%error, url = %uri, "a service cannot be connected to");
                                    found.extend(old().find(|replica| replica.address == address));
                                    said = format!("{uri}: {error}");
                                }
                            },
                        }
                    }
                }
            }
        }
        self.known.store(Arc::new(found));
        self.looked.send_replace(Some(said));
    }

    async fn addresses(&self, uri: &Uri) -> io::Result<Vec<SocketAddr>> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let found = match host.parse() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => (self.resolve)(host, port).await?,
        };
        let mut seen = HashSet::new();
        let found: Vec<_> = found.into_iter().filter(|address| seen.insert(*address)).collect();
        if found.is_empty() { Err(io::Error::other("the name has no address")) } else { Ok(found) }
    }

    fn replica(&self, url: usize, uri: &Uri, address: SocketAddr) -> Result<Arc<Replica>, String> {
        let failed = |error: &dyn std::error::Error| error.to_string();
        let scheme = uri.scheme_str().unwrap_or("http");
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
            .map_err(|error| failed(&error))?
            // Whom the call is for, whatever address the name has today.
            .origin(uri.clone())
            .tcp_nodelay(true)
            .connect_timeout(self.config.connect_timeout())
            .initial_stream_window_size(crate::in_process::WINDOW / 4)
            .initial_connection_window_size(crate::in_process::WINDOW);
        if self.config.keepalive_seconds > 0 {
            endpoint = endpoint
                .http2_keep_alive_interval(Duration::from_secs(self.config.keepalive_seconds.into()))
                .keep_alive_timeout(Duration::from_secs(self.config.keepalive_timeout_seconds.into()))
                .keep_alive_while_idle(true);
        }
        if scheme == "https" {
            let tls = self.config.tls(uri.host().unwrap_or_default())?;
            endpoint = endpoint.tls_config(tls).map_err(|error| failed(&error))?;
        }
        let (running, ejection) = (AtomicUsize::new(0), Mutex::default());
        Ok(Arc::new(Replica { address, url, channel: endpoint.connect_lazy(), running, ejection }))
    }
}
