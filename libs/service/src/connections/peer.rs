//! Whose connection a request came on.

use std::{net::SocketAddr, sync::Arc};

use super::registry::{Admitted, Entry, OngoingCall, Registry};

/// The other end of a connection; an extension of every request that came on one.
#[derive(Clone, Debug)]
pub struct Peer {
    address: SocketAddr,
    connection: Option<(Arc<Entry>, Arc<Registry>)>,
}

impl Peer {
    /// At this address, for tests of what asks for it.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    pub(crate) fn of(admitted: &Admitted) -> Self {
        let connection = (Arc::clone(&admitted.entry), Arc::clone(admitted.registry()));
        Self { address: admitted.entry.address, connection: Some(connection) }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Notes a call on the connection.
    pub(crate) fn begin_call(&self) -> Option<OngoingCall> {
        self.connection.as_ref().map(|(entry, registry)| registry.call(entry))
    }

    /// The connection.
    pub(crate) fn entry(&self) -> Option<&Arc<Entry>> {
        self.connection.as_ref().map(|(entry, _)| entry)
    }
}
