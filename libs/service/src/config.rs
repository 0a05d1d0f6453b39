//! The limits of a server, as configuration.

use serde::{Deserialize, Serialize};

use crate::{connections::ConnectionLimits, settings::Validate};

/// The limits of a server. Data only, with defaults that suit one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Sizes of messages.
    pub messages: MessageLimits,
    /// Connections.
    pub connections: ConnectionLimits,
    /// Shares of what is held at once.
    pub shares: ShareLimits,
    /// Longest list of headers of a request, in bytes: two tokens and room.
    pub max_header_bytes: u32,
    /// Calls at once on one connection (tonic's default is no limit).
    pub streams_per_connection: u32,
    /// Calls at once in this process; more are shed with RESOURCE_EXHAUSTED.
    pub in_flight: usize,
    /// Calls at once of one partner, so that its storm leaves room for the others.
    pub in_flight_per_partner: usize,
    /// Calls per second of one partner, over a burst of as many; 0: no limit.
    pub calls_per_second_per_partner: u32,
    /// A unary call is answered in this time or cancelled; callers may ask for less.
    pub deadline_seconds: u32,
    /// A connection is asked to end after this time, so that load spreads over new replicas; 0: never.
    pub connection_age_seconds: u32,
    /// After shutdown is asked for, calls have this time to end.
    pub drain_seconds: u32,
    /// Between "not serving" and refusing connections, so that balancers notice first.
    pub drain_delay_seconds: u32,
}

/// Shares of what is held at once. Of a pool that needs no role one peer may hold a quarter, and one connection an eighth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShareLimits {
    /// Calls at once of one subject of a partner.
    pub per_subject: usize,
    /// Files of the page being sent at once.
    pub pages: usize,
    /// Files of exports being sent at once by ticket.
    pub downloads: usize,
    /// Watches of health at once.
    pub watches: usize,
    /// Streams that describe the API at once.
    pub reflection: usize,
}

impl Default for ShareLimits {
    fn default() -> Self {
        Self { per_subject: 128, pages: 256, downloads: 256, watches: 512, reflection: 32 }
    }
}

/// Sizes of messages, in bytes, compressed or not, and the memory they may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MessageLimits {
    /// Largest request of methods that take records, and of services to each other.
    pub request_bytes: usize,
    /// Largest request of all other methods, which are questions.
    pub question_bytes: usize,
    /// The memory that all requests under way may take, as it is estimated before they are decoded; half of it for one partner.
    pub memory_bytes: usize,
    /// Largest response.
    pub response_bytes: usize,
}

impl Default for MessageLimits {
    fn default() -> Self {
        Self {
            request_bytes: 16 * 1024 * 1024,
            question_bytes: 256 * 1024,
            memory_bytes: 512 * 1024 * 1024,
            response_bytes: 64 * 1024 * 1024,
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            messages: MessageLimits::default(),
            connections: ConnectionLimits::default(),
            shares: ShareLimits::default(),
            max_header_bytes: 64 * 1024,
            streams_per_connection: 256,
            in_flight: 1024,
            in_flight_per_partner: 256,
            calls_per_second_per_partner: 0,
            deadline_seconds: 60,
            connection_age_seconds: 3600,
            drain_seconds: 20,
            drain_delay_seconds: 0,
        }
    }
}

impl Validate for ServerConfig {
    fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut at_least = |setting: &str, value: u64, least: u64| {
            if value < least {
                faults.push((setting.to_owned(), format!("must be at least {least}")));
            }
        };
        at_least("messages.request_bytes", self.messages.request_bytes as u64, 1024);
        at_least("messages.question_bytes", self.messages.question_bytes as u64, 1024);
        at_least("messages.memory_bytes", self.messages.memory_bytes as u64, self.messages.request_bytes as u64);
        at_least("messages.response_bytes", self.messages.response_bytes as u64, 1024);
        at_least("connections.total", self.connections.total as u64, 1);
        at_least("connections.per_peer", self.connections.per_peer as u64, 1);
        at_least("connections.new_per_peer", self.connections.new_per_peer as u64, 1);
        at_least("connections.first_bytes_seconds", self.connections.first_bytes_seconds.into(), 1);
        at_least("max_header_bytes", self.max_header_bytes.into(), 4096);
        at_least("streams_per_connection", self.streams_per_connection.into(), 1);
        at_least("shares.per_subject", self.shares.per_subject as u64, 1);
        at_least("shares.pages", self.shares.pages as u64, 1);
        at_least("shares.downloads", self.shares.downloads as u64, 1);
        at_least("shares.watches", self.shares.watches as u64, 1);
        at_least("shares.reflection", self.shares.reflection as u64, 1);
        at_least("in_flight", self.in_flight as u64, 1);
        at_least("in_flight_per_partner", self.in_flight_per_partner as u64, 1);
        at_least("deadline_seconds", self.deadline_seconds.into(), 1);
        at_least("drain_seconds", self.drain_seconds.into(), 1);
        faults
    }
}
