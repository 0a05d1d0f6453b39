//! The chassis of every service: configuration, listener, layers, channels, health, reflection, telemetry, shutdown, errors, page tokens.

mod admin;
mod answer_size;
mod channel;
mod code;
mod config;
mod connections;
mod deadline;
mod decoding;
mod error;
pub mod fail_point;
mod health;
mod in_process;
mod layers;
mod meters;
mod normalise;
mod page;
mod prometheus;
mod readiness;
mod refused_calls;
mod request_id;
mod server;
mod settings;
mod status;
mod telemetry;
mod tls;
mod trace_context;

pub use admin::{AdminPort, Scrape};
pub use answer_size::{LARGEST_ANSWER, fitting};
pub use channel::{
    ChannelConfig, ChannelError, FIRST_BACKOFF, LONGEST_BACKOFF, MOST_FAILURES, Resolve, ServiceChannel,
};
pub use code::{code_from_name, code_name};
pub use config::{MessageLimits, ServerConfig, ShareLimits};
pub use connections::{ConnectionLimits, Peer};
pub use deadline::Deadline;
pub use error::{BoxError, Error, FieldViolation, error_chain};
pub use health::NamedRoutes;
pub use in_process::IN_PROCESS;
pub use insights_access::Clock;
pub use meters::{WatchedLevel, connections};
pub use page::{PageToken, PageTokenKey, page_size};
pub use readiness::{Readiness, Requirement};
pub use refused_calls::{RefusedCalls, RefusedSum};
pub use request_id::request_id;
pub use server::{Chassis, ServeError};
pub use settings::{Fault, Faults, Secret, Validate, load};
pub use status::{INTERNAL_TEXT, ended_with_token, forward};
pub use telemetry::{Telemetry, TelemetryConfig};
pub use tls::TlsConfig;

/// Installs aws-lc-rs as the one TLS provider of the process. Both ring and aws-lc are linked, and rustls refuses to choose.
/// Calling it again does nothing.
pub fn install_crypto() {
    // The error says only that a provider is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Applies the configured message sizes and compression to a generated server, whose methods are its own and no trait's:
/// `sized!(IngestionServiceServer::new(api), &config.messages)`.
#[macro_export]
macro_rules! sized {
    ($server:expr, $limits:expr) => {{
        let limits: &$crate::MessageLimits = $limits;
        $server
            .max_decoding_message_size(limits.request_bytes)
            .max_encoding_message_size(limits.response_bytes)
            .accept_compressed($crate::Gzip)
            .send_compressed($crate::Gzip)
    }};
}

/// The compression of messages, for [`sized!`].
#[allow(non_upper_case_globals, reason = "names the encoding where it is used")]
pub const Gzip: tonic::codec::CompressionEncoding = tonic::codec::CompressionEncoding::Gzip;
