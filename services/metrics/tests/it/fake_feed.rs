//! A change feed whose facts the test writes itself.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures::{Stream, StreamExt, stream};
use insights_proto::ingestion::v1::change_feed_service_server::{ChangeFeedService, ChangeFeedServiceServer};
use insights_proto::ingestion::v1::{
    CustomerChange, GetPartnerFactsRequest, GetPartnerFactsResponse, ListPartnersRequest, ListPartnersResponse,
    PartnerPosition, PreviewFactsRequest, PreviewFactsResponse, StreamChangesRequest, StreamChangesResponse,
    StreamFactsRequest, StreamFactsResponse,
};
use insights_service::NamedRoutes;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// One partner's facts and what was said of them.
#[derive(Clone, Debug, Default)]
pub struct Book {
    pub epoch: i64,
    pub partner: GetPartnerFactsResponse,
    pub customers: BTreeMap<i64, StreamFactsResponse>,
    changes: Vec<StreamChangesResponse>,
}

impl Book {
    pub fn version(&self) -> i64 {
        i64::try_from(self.changes.len()).unwrap()
    }
}

#[derive(Clone)]
pub struct FakeFeed {
    books: Arc<Mutex<BTreeMap<String, Book>>>,
    changed: Arc<watch::Sender<u64>>,
    /// Customers whose facts were sent, over all calls.
    pub sent: Arc<Mutex<Vec<i64>>>,
}

impl FakeFeed {
    pub fn new() -> Self {
        Self { books: Arc::default(), changed: Arc::new(watch::Sender::new(0)), sent: Arc::default() }
    }

    pub fn routes(&self) -> NamedRoutes {
        NamedRoutes::new(ChangeFeedServiceServer::new(self.clone()))
    }

    /// Changes a partner's facts under one more version, which it returns.
    pub fn change(&self, partner: &str, customers: &[(i64, i32)], change: impl FnOnce(&mut Book)) -> i64 {
        let mut books = self.books.lock().unwrap();
        let book = books.entry(partner.to_owned()).or_insert_with(|| Book { epoch: 1, ..Book::default() });
        change(book);
        let version = book.version() + 1;
        book.changes.push(StreamChangesResponse {
            partner: partner.to_owned(),
            epoch: book.epoch,
            first_version: version,
            last_version: version,
            rebuild: false,
            customers: customers
                .iter()
                .map(|(customer, first_month)| CustomerChange { customer: *customer, first_month: *first_month })
                .collect(),
            stamp: 0,
        });
        drop(books);
        self.changed.send_modify(|count| *count += 1);
        version
    }

    /// Replaces a partner's facts as a restored backup would: another epoch, an older version.
    pub fn restore(&self, partner: &str, change: impl FnOnce(&mut Book)) {
        let mut books = self.books.lock().unwrap();
        let book = books.get_mut(partner).unwrap();
        book.epoch += 1;
        book.changes.truncate(1);
        book.changes[0].epoch = book.epoch;
        change(book);
    }

    fn after(&self, positions: &mut BTreeMap<String, (i64, i64)>) -> Vec<StreamChangesResponse> {
        let mut found = Vec::new();
        for (name, book) in self.books.lock().unwrap().iter() {
            let (epoch, version) = positions.get(name).copied().unwrap_or((book.epoch, 0));
            if epoch != book.epoch {
                found.push(StreamChangesResponse {
                    partner: name.clone(),
                    epoch: book.epoch,
                    first_version: 1,
                    last_version: book.version(),
                    rebuild: true,
                    ..StreamChangesResponse::default()
                });
            } else {
                found.extend(book.changes.iter().filter(|change| change.first_version > version).cloned());
            }
            positions.insert(name.clone(), (book.epoch, book.version()));
        }
        found
    }
}

#[tonic::async_trait]
impl ChangeFeedService for FakeFeed {
    async fn list_partners(&self, _: Request<ListPartnersRequest>) -> Result<Response<ListPartnersResponse>, Status> {
        let books = self.books.lock().unwrap();
        let position = |(partner, book): (&String, &Book)| PartnerPosition {
            partner: partner.clone(),
            epoch: book.epoch,
            version: book.version(),
            stamp: 0,
        };
        Ok(Response::new(ListPartnersResponse { partners: books.iter().map(position).collect() }))
    }

    type PreviewFactsStream = ReceiverStream<Result<PreviewFactsResponse, Status>>;

    async fn preview_facts(
        &self,
        _: Request<Streaming<PreviewFactsRequest>>,
    ) -> Result<Response<Self::PreviewFactsStream>, Status> {
        Err(Status::unimplemented("nothing is imported here"))
    }

    type StreamChangesStream = ReceiverStream<Result<StreamChangesResponse, Status>>;

    async fn stream_changes(
        &self,
        request: Request<StreamChangesRequest>,
    ) -> Result<Response<Self::StreamChangesStream>, Status> {
        let positions = request.into_inner().positions.into_iter();
        let mut positions: BTreeMap<_, _> =
            positions.map(|position| (position.partner, (position.epoch, position.version))).collect();
        let (sender, receiver) = mpsc::channel(4);
        let (feed, mut changed) = (self.clone(), self.changed.subscribe());
        tokio::spawn(async move {
            loop {
                for change in feed.after(&mut positions) {
                    if sender.send(Ok(change)).await.is_err() {
                        return;
                    }
                }
                tokio::select! {
                    () = sender.closed() => return,
                    ended = changed.changed() => if ended.is_err() { return },
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn get_partner_facts(
        &self,
        request: Request<GetPartnerFactsRequest>,
    ) -> Result<Response<GetPartnerFactsResponse>, Status> {
        let books = self.books.lock().unwrap();
        let book = books.get(&request.into_inner().partner).ok_or_else(|| Status::not_found("no such partner"))?;
        Ok(Response::new(GetPartnerFactsResponse {
            epoch: book.epoch,
            version: book.version(),
            ..book.partner.clone()
        }))
    }

    type StreamFactsStream = Pin<Box<dyn Stream<Item = Result<StreamFactsResponse, Status>> + Send>>;

    /// Every customer in two parts, so that parts are joined.
    async fn stream_facts(
        &self,
        request: Request<StreamFactsRequest>,
    ) -> Result<Response<Self::StreamFactsStream>, Status> {
        let request = request.into_inner();
        let books = self.books.lock().unwrap();
        let book = books.get(&request.partner).ok_or_else(|| Status::not_found("no such partner"))?;
        let wanted = book
            .customers
            .iter()
            .filter(|(number, _)| request.customers.is_empty() || request.customers.contains(number));
        let mut parts = Vec::new();
        for (number, facts) in wanted {
            self.sent.lock().unwrap().push(*number);
            let mut facts = facts.clone();
            facts.activity.retain(|activity| activity.month >= request.first_activity_month);
            let states = std::mem::take(&mut facts.states);
            let (customer, cell, customer_id) = (facts.customer, facts.cell, facts.customer_id.clone());
            parts.push(Ok(StreamFactsResponse { last: false, ..facts }));
            parts.push(Ok(StreamFactsResponse {
                customer,
                cell,
                customer_id,
                states,
                last: true,
                ..StreamFactsResponse::default()
            }));
        }
        Ok(Response::new(stream::iter(parts).boxed()))
    }
}
