//! Takes connections, so that one who holds many keeps nobody out.

use std::{io, sync::Arc, time::Duration, time::Instant};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::{Stream, wrappers::ReceiverStream};

use super::{
    ConnectionLimits,
    registry::{Admitted, Registry},
    stream::{ByteStream, Connection},
};
use crate::{
    fail_point,
    tls::{self, TlsConfig},
};

/// A handshake takes no longer, or a caller could hold a place by saying nothing.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The system takes no connection for the process now; it is asked again after this time.
const PAUSE: Duration = Duration::from_millis(100);
/// Connections that make room when there is no descriptor left: at once, so that those who wait are soon taken.
const ROOM: usize = 16;
/// How often connections are looked at.
const SWEEP: Duration = Duration::from_secs(1);
/// The process, or the system, has no file descriptor left (ENFILE, EMFILE).
const NO_DESCRIPTOR: [i32; 2] = [23, 24];

type Sender = mpsc::Sender<io::Result<Connection>>;
type Certificates = Arc<ArcSwap<ServerConfig>>;

/// Connections past their handshake. Ends, and with it the listener, when it is dropped.
pub(crate) fn incoming(
    listener: TcpListener,
    config: TlsConfig,
    limits: ConnectionLimits,
) -> io::Result<impl Stream<Item = io::Result<Connection>>> {
    let (sender, receiver) = mpsc::channel(64);
    let certificates = match config.is_on() {
        true => Some(tls::certificates(config, {
            let sender = sender.clone();
            async move { sender.closed().await }
        })?),
        false => None,
    };
    tokio::spawn(accept(listener, certificates, Registry::new(limits), sender));
    Ok(ReceiverStream::new(receiver))
}

async fn accept(listener: TcpListener, certificates: Option<Certificates>, registry: Arc<Registry>, sender: Sender) {
    let mut sweep = tokio::time::interval(SWEEP);
    loop {
        let accepted = tokio::select! {
            () = sender.closed() => return,
            _ = sweep.tick() => {
                registry.sweep(Instant::now());
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                refused(&registry, &error).await;
                continue;
            }
        };
        let Some(admitted) = registry.admit(address) else {
            tracing::debug!(monotonic_counter.connections_refused = 1_u64, "connection refused");
            registry.warn(|| {
                tracing::warn!(
                    peer = %address.ip(),
                    "connections are closed at once, because there are as many as limits.connections allows"
                );
            });
            continue;
        };
        let _ = stream.set_nodelay(true);
        match &certificates {
            // Whoever does not listen any longer shuts down.
            None => drop(sender.send(Ok(Connection::new(ByteStream::Plain(stream), admitted))).await),
            Some(current) => {
                tokio::spawn(handshake(TlsAcceptor::from(current.load_full()), stream, admitted, sender.clone()));
            }
        }
    }
}

/// Waits a little, and makes room where that helps: without a pause the process would do nothing but ask.
async fn refused(registry: &Registry, error: &io::Error) {
    if error.raw_os_error().is_some_and(|code| NO_DESCRIPTOR.contains(&code)) {
        if fail_point::guard_holds("service.connections") {
            for _ in 0..ROOM {
                registry.evict();
            }
        }
        registry.warn(|| {
            tracing::warn!(%error, "no connection can be taken: raise the limit of open files, or lower limits.connections.total");
        });
    } else {
        tracing::debug!(%error, "a connection could not be taken");
    }
    tokio::time::sleep(PAUSE).await;
}

async fn handshake(acceptor: TlsAcceptor, stream: TcpStream, admitted: Admitted, sender: Sender) {
    let ended = admitted.entry.ending();
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)) => shaken,
        () = ended.cancelled() => return,
    };
    match shaken {
        Ok(Ok(stream)) => drop(sender.send(Ok(Connection::new(ByteStream::Tls(Box::new(stream)), admitted))).await),
        Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
        Err(_) => tracing::debug!("a handshake took too long"),
    }
}
