//! `ChangeFeedService`.

use std::{collections::HashMap, pin::Pin, sync::Arc, time::Duration};

use futures::{Stream, StreamExt};
use insights_access::{Policy, forbidden, on_behalf};
use insights_proto::ingestion::v1::{self as proto, change_feed_service_server::ChangeFeedService};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::{preview, status};
use crate::{
    error::Error,
    feed::{FactsQuery, FeedPosition, FeedSelection, group, next_changes, partner_facts},
    tables::{fact, partner::StoredPartner},
    write::Ledger,
};

/// Serves `ChangeFeedService`. The access layer admits services only; they act on their own behalf here.
pub(crate) struct FeedApi {
    pub(crate) ledger: Arc<Ledger>,
    /// How often the commits of other replicas are looked for.
    pub(crate) poll: Duration,
    /// Ends the streams of changes, which do not end by themselves.
    pub(crate) closing: CancellationToken,
    /// Who may ingest.
    pub(crate) policy: Arc<Policy>,
}

/// What the person must be allowed to call for whom an import is tried.
const INGEST: &str = "/insights.ingestion.v1.IngestionService/IngestBatch";

/// Parts read ahead of a slow follower.
const AHEAD: usize = 4;

#[tonic::async_trait]
impl ChangeFeedService for FeedApi {
    type StreamChangesStream = Pin<Box<dyn Stream<Item = Result<proto::StreamChangesResponse, Status>> + Send>>;
    type StreamFactsStream = Pin<Box<dyn Stream<Item = Result<proto::StreamFactsResponse, Status>> + Send>>;
    type PreviewFactsStream = Pin<Box<dyn Stream<Item = Result<proto::PreviewFactsResponse, Status>> + Send>>;

    async fn list_partners(
        &self,
        _request: Request<proto::ListPartnersRequest>,
    ) -> Result<Response<proto::ListPartnersResponse>, Status> {
        let partners = StoredPartner::all(self.ledger.database.reader()).await.map_err(status)?;
        let position = |partner: StoredPartner| proto::PartnerPosition {
            partner: partner.id,
            epoch: partner.epoch,
            version: partner.version,
            stamp: 0,
        };
        Ok(Response::new(proto::ListPartnersResponse { partners: partners.into_iter().map(position).collect() }))
    }

    async fn stream_changes(
        &self,
        request: Request<proto::StreamChangesRequest>,
    ) -> Result<Response<Self::StreamChangesStream>, Status> {
        let positions = request.into_inner().positions.into_iter();
        let positions =
            positions.map(|at| (at.partner, FeedPosition { epoch: at.epoch, version: at.version, stamp: at.stamp }));
        let (sender, receiver) = mpsc::channel(AHEAD);
        let follow = follow(Arc::clone(&self.ledger), positions.collect(), sender.clone(), self.poll);
        let closing = self.closing.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = closing.cancelled() => {}
                () = sender.closed() => {}
                Err(error) = follow => {
                    // A follower that is gone needs no error.
                    let _ = sender.send(Err(status(error))).await;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver).boxed()))
    }

    async fn get_partner_facts(
        &self,
        request: Request<proto::GetPartnerFactsRequest>,
    ) -> Result<Response<proto::GetPartnerFactsResponse>, Status> {
        let proto::GetPartnerFactsRequest { partner, as_of } = request.into_inner();
        let as_of = self.as_of(as_of).map_err(status)?;
        let facts = partner_facts(&self.ledger.database, &partner, as_of).await;
        Ok(Response::new(facts.map_err(status)?))
    }

    async fn stream_facts(
        &self,
        request: Request<proto::StreamFactsRequest>,
    ) -> Result<Response<Self::StreamFactsStream>, Status> {
        let request = request.into_inner();
        let as_of = self.as_of(request.as_of).map_err(status)?;
        let found = StoredPartner::find(self.ledger.database.reader(), &request.partner).await.map_err(status)?;
        let partner = found.ok_or_else(|| status(Error::NoPartner))?;
        let (sender, receiver) = mpsc::channel(AHEAD);
        let ledger = Arc::clone(&self.ledger);
        tokio::spawn(async move {
            let mut selection = match select(&ledger, &partner, request.customers, as_of).await {
                Ok(selection) => selection,
                Err(error) => {
                    let _ = sender.send(Err(status(error))).await;
                    return;
                }
            };
            let asked = FactsQuery { first_activity_month: request.first_activity_month, as_of };
            loop {
                match group(&ledger.database, &partner, &mut selection, asked).await {
                    Ok(Some(parts)) => {
                        for part in parts {
                            if sender.send(Ok(part)).await.is_err() {
                                return;
                            }
                        }
                    }
                    Ok(None) => return,
                    Err(error) => {
                        let _ = sender.send(Err(status(error))).await;
                        return;
                    }
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver).boxed()))
    }

    async fn preview_facts(
        &self,
        request: Request<Streaming<proto::PreviewFactsRequest>>,
    ) -> Result<Response<Self::PreviewFactsStream>, Status> {
        let caller = on_behalf(&request)?;
        if !self.policy.may_call(&caller, INGEST) {
            return Err(forbidden());
        }
        let (sender, receiver) = mpsc::channel(AHEAD);
        let (gone, closing) = (sender.clone(), self.closing.clone());
        let answer =
            preview::answer(Arc::clone(&self.ledger), caller.partner().to_owned(), request.into_inner(), sender);
        tokio::spawn(async move {
            tokio::select! {
                () = closing.cancelled() => {}
                () = gone.closed() => {}
                () = answer => {}
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver).boxed()))
    }
}

impl FeedApi {
    /// A time of which everything is kept, in nanoseconds since 1970.
    fn as_of(&self, time: Option<prost_types::Timestamp>) -> Result<Option<i64>, Error> {
        let time = time.map(nanoseconds);
        let floor = self.ledger.limits.history_floor(self.ledger.now());
        if time.zip(floor).is_some_and(|(time, floor)| time < floor) {
            let days = self.ledger.limits.history_days;
            return Err(Error::invalid(
                "as_of",
                format!("must not lie more than {days} days back: earlier rows are not kept"),
            ));
        }
        Ok(time)
    }
}

/// The customers named; without any, all of them, or with `as_of` those whose reported rows were different then.
async fn select(
    ledger: &Ledger,
    partner: &StoredPartner,
    named: Vec<i64>,
    as_of: Option<i64>,
) -> Result<FeedSelection, Error> {
    match as_of {
        Some(time) if named.is_empty() => {
            Ok(FeedSelection::Named(fact::customers_changed_since(ledger.database.reader(), partner, time).await?))
        }
        _ => Ok(FeedSelection::new(named)),
    }
}

fn nanoseconds(time: prost_types::Timestamp) -> i64 {
    time.seconds.saturating_mul(1_000_000_000).saturating_add(time.nanos.into())
}

/// Sends changes until the follower leaves: at once after commits of this process unless they are debounced, and after the poll
/// interval for commits of other replicas.
async fn follow(
    ledger: Arc<Ledger>,
    mut positions: HashMap<String, FeedPosition>,
    sender: mpsc::Sender<Result<proto::StreamChangesResponse, Status>>,
    poll: Duration,
) -> Result<(), Error> {
    let mut changed = ledger.changed.subscribe();
    loop {
        changed.borrow_and_update();
        for partner in StoredPartner::all(ledger.database.reader()).await? {
            loop {
                let position = positions.entry(partner.id.clone()).or_default();
                let Some((changes, next)) = next_changes(&ledger.database, &partner, *position).await? else {
                    // The version is the one that the follower has: it need not be compared again.
                    position.stamp = 0;
                    break;
                };
                *position = next;
                if sender.send(Ok(changes)).await.is_err() {
                    return Ok(());
                }
            }
        }
        // The sender side lives in the ledger, so this never fails before the process ends.
        let _ = tokio::time::timeout(poll, changed.changed()).await;
        ledger.debounce.settled().await;
    }
}
