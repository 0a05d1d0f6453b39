//! Talking to a server: over the network, or in memory within the demo.

pub mod batch;
mod batch_line;
pub mod figures;
pub mod import;
mod journal;
mod lists;
mod months;
mod retry;
mod summary;

use std::{path::Path, time::Duration};

use insights_messages::Language;
use insights_product::{Settings, check_secret};
use insights_proto::{
    ingestion::v1::ingestion_service_client::IngestionServiceClient,
    reporting::v1::reporting_service_client::ReportingServiceClient,
};
use insights_service::ServiceChannel;
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
};

use crate::failure::Failure;

/// Largest answer taken, in bytes: as much as a server sends by default.
pub const LARGEST_TAKEN: u32 = 64 << 20;

/// A caller: where to, and as whom.
#[derive(Clone)]
pub struct Caller {
    channel: ServiceChannel,
    token: MetadataValue<Ascii>,
    language: Language,
    /// Whom the calls go to; part of what tells one import from another.
    pub address: String,
}

impl Caller {
    /// A caller over a channel that is there already.
    pub fn new(channel: impl Into<ServiceChannel>, token: &str, address: &str) -> Result<Self, Failure> {
        let mut token = MetadataValue::try_from(format!("Bearer {}", token.trim()))
            .map_err(|_| Failure::Failed("the token holds characters that no token has".into()))?;
        token.set_sensitive(true);
        Ok(Self { channel: channel.into(), token, language: Language::default(), address: address.to_owned() })
    }

    /// The same caller, who wants the words of answers in this language.
    #[must_use]
    pub fn speaking(self, language: Language) -> Self {
        Self { language, ..self }
    }

    /// Connects to the server of the settings with the token of their file.
    pub async fn connect(settings: &Settings) -> Result<Self, Failure> {
        let token = read_token(&settings.token_path())?;
        let server = &settings.server;
        let channel = ServiceChannel::open(server, &settings.links)
            .map_err(|error| Failure::Usage(format!("server: {error}")))?;
        channel.ready().await.map_err(|status| {
            let cause = std::error::Error::source(&status).map(ToString::to_string).unwrap_or_default();
            Failure::Failed(format!("UNAVAILABLE: no answer from {server} ({cause}); `insights demo` starts a server"))
        })?;
        Self::new(channel, &token, server)
    }

    /// A request as this caller, to be answered within `deadline`.
    pub fn request<T>(&self, message: T, deadline: Duration) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.token.clone());
        request.metadata_mut().insert("accept-language", MetadataValue::from_static(self.language.code()));
        request.set_timeout(deadline);
        request
    }

    /// Reports for people.
    #[must_use]
    pub fn reporting(&self) -> ReportingServiceClient<ServiceChannel> {
        ReportingServiceClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_TAKEN as usize)
    }

    /// Records in.
    #[must_use]
    pub fn ingestion(&self) -> IngestionServiceClient<ServiceChannel> {
        IngestionServiceClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_TAKEN as usize)
    }

    /// Calls that repeat themselves, each attempted once by the channel: two loops of retries would multiply.
    #[must_use]
    pub fn without_retries(&self) -> Self {
        Self { channel: self.channel.without_retries(), ..self.clone() }
    }

    /// The way to the server itself.
    #[must_use]
    pub fn channel(&self) -> ServiceChannel {
        self.channel.clone()
    }
}

fn read_token(path: &Path) -> Result<String, Failure> {
    check_secret(path).map_err(|fault| Failure::Failed(format!("UNAUTHENTICATED: the token in {fault}")))?;
    std::fs::read_to_string(path).map_err(|error| {
        let path = path.display();
        Failure::Failed(format!(
            "UNAUTHENTICATED: no token in {path} ({error}); name its file with --token-file or INSIGHTS_TOKEN_FILE, \
             or make one with `insights token`"
        ))
    })
}
