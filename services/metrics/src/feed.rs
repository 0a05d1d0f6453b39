//! The change feed of ingestion, called as a service.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use insights_access::{Outgoing, Principal};
use insights_proto::ingestion::v1::change_feed_service_client::ChangeFeedServiceClient;
use insights_proto::ingestion::v1::erasure_service_client::ErasureServiceClient;
use insights_proto::ingestion::v1::{
    AllowErasedRequest, AllowErasedResponse, EraseRequest, EraseResponse, GetPartnerFactsRequest,
    GetPartnerFactsResponse, IngestBatchRequest, IngestBatchResponse, ListPartnersRequest, PartnerPosition,
    PreviewChanges, PreviewChangesRequest, PreviewErasureRequest, PreviewErasureResponse, PreviewFactsRequest,
    PreviewFactsResponse, StreamChangesRequest, StreamChangesResponse, StreamFactsRequest, StreamFactsResponse,
    preview_facts_request::Ask, preview_facts_response::Answer,
};
use insights_service::ServiceChannel;
use prost_types::Timestamp;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

/// Largest message taken: catalogues come in one.
const MESSAGE_BYTES: usize = 64 << 20;

/// How long one answer may take, and how long a stream of facts may be silent: an application that waits holds its
/// partner's position.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The change feed.
#[derive(Clone)]
pub struct Feed {
    client: ChangeFeedServiceClient<ServiceChannel>,
    erasure: ErasureServiceClient<ServiceChannel>,
    outgoing: Outgoing,
    heard: Arc<Mutex<Heard>>,
}

/// What ingestion said when it was last asked for changes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    /// Nothing yet; why.
    Nothing(String),
    /// It gives them.
    Changes,
    /// It does not take our token.
    Refusal(Code),
}

impl Feed {
    /// Over the way to ingestion.
    pub fn new(link: ServiceChannel, outgoing: Outgoing) -> Self {
        let erasure = ErasureServiceClient::new(link.clone());
        let client = ChangeFeedServiceClient::new(link).max_decoding_message_size(MESSAGE_BYTES);
        let heard = Heard::Nothing("ingestion was not asked yet".to_owned());
        Self { client, erasure, outgoing, heard: Arc::new(Mutex::new(heard)) }
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
        let request = self.outgoing.as_service(StreamChangesRequest { positions });
        let answer = match request {
            Ok(request) => self.client.clone().stream_changes(request).await,
            Err(status) => Err(status),
        };
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        match &answer {
            Ok(_) => *heard = Heard::Changes,
            Err(status) => match (status.code(), &*heard) {
                (code @ (Code::Unauthenticated | Code::PermissionDenied), _) => *heard = Heard::Refusal(code),
                // It was there before and will be again; figures are as they were.
                (_, Heard::Changes) => {}
                _ => *heard = Heard::Nothing(status.message().to_owned()),
            },
        }
        answer.map(tonic::Response::into_inner)
    }

    /// Whether ingestion gives its changes to who shows our token.
    pub fn followed(&self) -> Result<(), String> {
        match &*self.heard.lock().unwrap_or_else(PoisonError::into_inner) {
            Heard::Changes => Ok(()),
            Heard::Nothing(why) => Err(why.clone()),
            Heard::Refusal(code) => {
                Err(format!("ingestion does not take our token ({code:?}): see its access.services"))
            }
        }
    }

    /// What concerns a whole partner, with what reports covered at a time; none: now.
    pub async fn partner_facts(
        &self,
        partner: &str,
        as_of: Option<Timestamp>,
    ) -> Result<GetPartnerFactsResponse, Status> {
        let request = GetPartnerFactsRequest { partner: partner.to_owned(), as_of };
        let mut request = self.outgoing.as_service(request)?;
        request.set_timeout(PATIENCE);
        Ok(self.client.clone().get_partner_facts(request).await?.into_inner())
    }

    /// Facts of customers.
    pub async fn facts(&self, request: StreamFactsRequest) -> Result<Streaming<StreamFactsResponse>, Status> {
        let request = self.outgoing.as_service(request)?;
        Ok(self.client.clone().stream_facts(request).await?.into_inner())
    }

    /// What an erasure would take away.
    pub async fn preview_erasure(&self, asked: PreviewErasureRequest) -> Result<PreviewErasureResponse, Status> {
        let request = self.outgoing.as_service(asked)?;
        Ok(self.erasure.clone().preview_erasure(request).await?.into_inner())
    }

    /// Erases facts.
    pub async fn erase(&self, asked: EraseRequest) -> Result<EraseResponse, Status> {
        let request = self.outgoing.as_service(asked)?;
        Ok(self.erasure.clone().erase(request).await?.into_inner())
    }

    /// Lets facts of the erased come again.
    pub async fn allow_erased(&self, asked: AllowErasedRequest) -> Result<AllowErasedResponse, Status> {
        let request = self.outgoing.as_service(asked)?;
        Ok(self.erasure.clone().allow_erased(request).await?.into_inner())
    }

    /// Begins to try an import of a caller.
    pub async fn preview(&self, caller: &Principal) -> Result<PreviewFeed, Status> {
        let (asks, questions) = mpsc::channel(1);
        let request = self.outgoing.for_caller(caller, ReceiverStream::new(questions))?;
        let answers = self.client.clone().preview_facts(request).await?.into_inner();
        Ok(PreviewFeed { asks, answers })
    }
}

/// An import that is tried: nothing of it is stored, and others wait until this is dropped.
#[derive(Debug)]
pub struct PreviewFeed {
    asks: mpsc::Sender<PreviewFactsRequest>,
    answers: Streaming<PreviewFactsResponse>,
}

impl PreviewFeed {
    /// Adds a batch to those before it; what would become of it.
    pub async fn batch(&mut self, batch: IngestBatchRequest) -> Result<IngestBatchResponse, Status> {
        self.ask(Ask::Batch(batch)).await?;
        match self.answer().await? {
            Answer::Batch(stored) => Ok(stored),
            _ => Err(out_of_turn()),
        }
    }

    /// What the batches changed.
    pub async fn changes(&mut self) -> Result<PreviewChanges, Status> {
        self.ask(Ask::Changes(PreviewChangesRequest {})).await?;
        match self.answer().await? {
            Answer::Changes(changes) => Ok(changes),
            _ => Err(out_of_turn()),
        }
    }

    /// Asks for the facts of customers, which [`Self::next_facts`] gives.
    pub async fn ask_facts(&mut self, customers: Vec<i64>, first_activity_month: i32) -> Result<(), Status> {
        let request = StreamFactsRequest { customers, first_activity_month, ..StreamFactsRequest::default() };
        self.ask(Ask::Facts(request)).await
    }

    /// The next part of the facts asked for; none after the last.
    pub async fn next_facts(&mut self) -> Result<Option<StreamFactsResponse>, Status> {
        match self.answer().await? {
            Answer::Facts(part) => Ok(Some(part)),
            Answer::End(_) => Ok(None),
            _ => Err(out_of_turn()),
        }
    }

    async fn ask(&mut self, ask: Ask) -> Result<(), Status> {
        if self.asks.send(PreviewFactsRequest { ask: Some(ask) }).await.is_ok() {
            return Ok(());
        }
        // The other side ended, and says why.
        self.answer().await.and(Err(out_of_turn()))
    }

    async fn answer(&mut self) -> Result<Answer, Status> {
        let silent = |_| Status::deadline_exceeded("the preview is silent");
        let answer = tokio::time::timeout(PATIENCE, self.answers.message()).await.map_err(silent)??;
        answer.and_then(|answer| answer.answer).ok_or_else(out_of_turn)
    }
}

fn out_of_turn() -> Status {
    Status::internal("the preview answered what was not asked")
}
