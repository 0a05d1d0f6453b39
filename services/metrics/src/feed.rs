//! The change feed of ingestion, called as a service.

use std::time::Duration;

use insights_access::Outgoing;
use insights_proto::ingestion::v1::change_feed_service_client::ChangeFeedServiceClient;
use insights_proto::ingestion::v1::{
    GetPartnerFactsRequest, GetPartnerFactsResponse, ListPartnersRequest, PartnerPosition, StreamChangesRequest,
    StreamChangesResponse, StreamFactsRequest, StreamFactsResponse,
};
use insights_service::ServiceChannel;
use tonic::{Status, Streaming};

/// Largest message taken: catalogues come in one.
const MESSAGE_BYTES: usize = 64 << 20;

/// How long one answer may take, and how long a stream of facts may be silent: an application that waits holds its
/// partner's position.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The change feed.
#[derive(Clone)]
pub struct Feed {
    client: ChangeFeedServiceClient<ServiceChannel>,
    outgoing: Outgoing,
}

impl Feed {
    /// Over the way to ingestion.
    pub fn new(link: ServiceChannel, outgoing: Outgoing) -> Self {
        Self { client: ChangeFeedServiceClient::new(link).max_decoding_message_size(MESSAGE_BYTES), outgoing }
    }

    /// Every partner's newest version.
    pub async fn heads(&self) -> Result<Vec<PartnerPosition>, Status> {
        let mut request = self.outgoing.as_service(ListPartnersRequest {})?;
        request.set_timeout(PATIENCE);
        Ok(self.client.clone().list_partners(request).await?.into_inner().partners)
    }

    /// A partner's newest version; 0 when nothing of it was ever sent.
    pub async fn head(&self, partner: &str) -> Result<i64, Status> {
        let heads = self.heads().await?;
        Ok(heads.into_iter().find(|head| head.partner == partner).map_or(0, |head| head.version))
    }

    /// Changes after the given positions, and then as they come.
    pub async fn changes(&self, positions: Vec<PartnerPosition>) -> Result<Streaming<StreamChangesResponse>, Status> {
        let request = self.outgoing.as_service(StreamChangesRequest { positions })?;
        Ok(self.client.clone().stream_changes(request).await?.into_inner())
    }

    /// What concerns a whole partner.
    pub async fn partner_facts(&self, partner: &str) -> Result<GetPartnerFactsResponse, Status> {
        let mut request =
            self.outgoing.as_service(GetPartnerFactsRequest { partner: partner.to_owned(), as_of: None })?;
        request.set_timeout(PATIENCE);
        Ok(self.client.clone().get_partner_facts(request).await?.into_inner())
    }

    /// Facts of customers.
    pub async fn facts(&self, request: StreamFactsRequest) -> Result<Streaming<StreamFactsResponse>, Status> {
        let request = self.outgoing.as_service(request)?;
        Ok(self.client.clone().stream_facts(request).await?.into_inner())
    }
}
