//! Connections: taken within limits, secured, watched, and closed when nothing is to be expected of them.

mod accept;
mod config;
mod peer;
mod registry;
mod stream;

pub(crate) use accept::incoming;
pub use config::ConnectionLimits;
pub use peer::Peer;
pub(crate) use registry::Entry;
