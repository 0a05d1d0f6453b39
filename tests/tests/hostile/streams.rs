//! Streams and the tokens they were opened with.

use std::time::Duration;

use chrono::TimeDelta;
use insights_access::{Clock, Issuer, Role, TokenRequest};
use insights_proto::ingestion::v1::{
    IngestStreamRequest, IngestStreamResponse, ingestion_service_client::IngestionServiceClient,
};
use insights_service::fail_point;
use insights_tests::{product::Product, records};
use tokio::sync::mpsc;
use tonic::{Code, Request, Status, Streaming, transport::Channel};

/// Seconds for which the token of a stream is still taken.
const LEFT: i64 = 5;

struct Stream {
    batches: mpsc::Sender<IngestStreamRequest>,
    answers: Streaming<IngestStreamResponse>,
    sent: usize,
}

impl Stream {
    /// Opens one with a token that ends soon.
    async fn open(product: &Product) -> Self {
        let data = product.issuer.jwks_path().parent().unwrap().parent().unwrap().to_owned();
        let leeway = i64::from(product.issuer.access_config().leeway_seconds);
        let (system, earlier) = (Clock::system(), TimeDelta::seconds(leeway - LEFT + 1));
        let issuer = Issuer::open_at(&data, Clock::new(move || system.now() - earlier)).unwrap();
        let (roles, ttl) = (vec![Role::DataSource], Duration::from_secs(1));
        let token = issuer.mint(&TokenRequest { roles, partner: "p".into(), ttl, ..TokenRequest::default() }).unwrap();
        let channel = Channel::from_shared(format!("http://{}", product.address)).unwrap().connect().await.unwrap();
        let (batches, mut next) = mpsc::channel(1);
        let mut request = Request::new(futures::stream::poll_fn(move |context| next.poll_recv(context)));
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let answers = IngestionServiceClient::new(channel).ingest_stream(request).await.unwrap().into_inner();
        Self { batches, answers, sent: 0 }
    }

    /// Sends a batch and waits for its answer.
    async fn send(&mut self) -> Result<Option<IngestStreamResponse>, Status> {
        self.sent += 1;
        let batch = records::batch(&format!("batch-{}", self.sent), records::smallest(5));
        // The other side may be gone.
        let _ = self.batches.send(IngestStreamRequest { batch: Some(batch) }).await;
        self.answers.message().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_takes_nothing_after_the_end_of_its_token() {
    let product = Product::sqlite().await;
    let mut stream = Stream::open(&product).await;
    let ended = loop {
        if let Err(status) = stream.send().await {
            break status;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(ended.code(), Code::Unauthenticated, "{ended:?}");
    assert!(!matches!(stream.send().await, Ok(Some(_))));

    let _armed = fail_point::arm("", "without:service.token_end");
    let mut stream = Stream::open(&product).await;
    assert!(stream.send().await.unwrap().is_some());
    tokio::time::sleep(Duration::from_secs(LEFT as u64 + 2)).await;
    assert!(stream.send().await.unwrap().is_some(), "what the guard is for");
}
