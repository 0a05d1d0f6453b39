//! Talking to a server: over the network, or in memory within the demo.

pub mod batch;
pub mod import;
mod journal;
mod summary;

use std::{path::Path, time::Duration};

use insights_proto::{
    ingestion::v1::ingestion_service_client::IngestionServiceClient,
    reporting::v1::reporting_service_client::ReportingServiceClient,
};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, ClientTlsConfig, Endpoint},
};

use crate::{
    failure::{Failure, chain},
    settings::Settings,
};

/// Largest answer taken, in bytes: as much as a server sends by default.
const MAX_ANSWER: usize = 64 << 20;

/// A caller: where to, and as whom.
#[derive(Clone)]
pub struct Caller {
    channel: Channel,
    token: MetadataValue<Ascii>,
    /// Whom the calls go to; part of what tells one import from another.
    pub address: String,
}

impl Caller {
    /// A caller over a channel that is there already.
    pub fn new(channel: Channel, token: &str, address: &str) -> Result<Self, Failure> {
        let mut token = MetadataValue::try_from(format!("Bearer {}", token.trim()))
            .map_err(|_| Failure::Failed("the token holds characters that no token has".into()))?;
        token.set_sensitive(true);
        Ok(Self { channel, token, address: address.to_owned() })
    }

    /// Connects to the server of the settings with the token of their file.
    pub async fn connect(settings: &Settings) -> Result<Self, Failure> {
        let token = read_token(&settings.token_path())?;
        let server = &settings.server;
        let invalid =
            |error: &dyn std::fmt::Display| Failure::Usage(format!("server: \"{server}\" is not a URL: {error}"));
        let mut endpoint = Endpoint::from_shared(server.clone()).map_err(|error| invalid(&error))?;
        if server.starts_with("https://") {
            let tls = ClientTlsConfig::new().with_native_roots();
            endpoint = endpoint.tls_config(tls).map_err(|error| invalid(&error))?;
        }
        let channel = endpoint.connect_timeout(Duration::from_secs(5)).connect().await.map_err(|error| {
            let cause = chain(&error);
            Failure::Failed(format!("UNAVAILABLE: no answer from {server} ({cause}); `insights demo` starts a server"))
        })?;
        Self::new(channel, &token, server)
    }

    /// A request as this caller, to be answered within `deadline`.
    pub fn request<T>(&self, message: T, deadline: Duration) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.token.clone());
        request.set_timeout(deadline);
        request
    }

    /// Reports for people.
    #[must_use]
    pub fn reporting(&self) -> ReportingServiceClient<Channel> {
        ReportingServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER)
    }

    /// Records in.
    #[must_use]
    pub fn ingestion(&self) -> IngestionServiceClient<Channel> {
        IngestionServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER)
    }

    /// The channel itself.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }
}

fn read_token(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let path = path.display();
        Failure::Failed(format!(
            "UNAUTHENTICATED: no token in {path} ({error}); name its file with --token-file or INSIGHTS_TOKEN_FILE, \
             or make one with `insights token`"
        ))
    })
}
