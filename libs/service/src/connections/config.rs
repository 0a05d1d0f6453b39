//! How many connections there may be, and for how long.

use serde::{Deserialize, Serialize};

/// Limits of connections. A peer is an address; of IPv6 a network of 64 bits, which one machine may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionLimits {
    /// Connections in all. One more takes the place of the oldest on which nothing was called yet, or is closed.
    pub total: usize,
    /// Connections of one peer, likewise. A proxy or a balancer is one peer.
    pub per_peer: usize,
    /// Connections of one peer on which nothing was called yet, TLS handshakes among them; the oldest makes room.
    pub new_per_peer: usize,
    /// A connection that has not said what it speaks in this time is closed.
    pub first_bytes_seconds: u32,
    /// A connection without a call in this time is closed; 0: never.
    pub idle_seconds: u32,
    /// An answer that its caller does not take is dropped after this time, and with it the connection; 0: never.
    pub unread_seconds: u32,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            total: 4096,
            per_peer: 1024,
            new_per_peer: 256,
            first_bytes_seconds: 10,
            idle_seconds: 900,
            unread_seconds: 60,
        }
    }
}
