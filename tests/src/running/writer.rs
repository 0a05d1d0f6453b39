//! Senders of batches who do as the documentation says: the same batch again until it is acknowledged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use insights_access::Role;
use insights_proto::ingestion::v1::{
    IngestBatchRequest, IngestBatchResponse, ingestion_service_client::IngestionServiceClient,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tonic::{Request, Status, transport::Channel};

use super::{Place, facts::Batch, ledger::Ledger};

/// How long a call may take before it is given up and made again.
const DEADLINE: Duration = Duration::from_secs(10);

/// One sender.
#[derive(Clone)]
pub struct Writer {
    /// Who sends.
    pub name: String,
    /// The replicas it knows.
    pub replicas: Vec<Channel>,
    /// The token of its calls.
    pub token: String,
    /// What was promised.
    pub ledger: Arc<Ledger>,
    /// The number of the next batch, which has not been sent yet.
    pub next: Arc<AtomicU64>,
    /// How many batch ids were taken.
    pub ids: Arc<AtomicU64>,
    /// No batch has this number or a greater one: from there on old ones are sent again.
    pub most: u64,
    /// Between two batches.
    pub pause: Duration,
    /// How long a call may take before it is given up and made again.
    pub deadline: Duration,
}

impl Writer {
    /// Senders of one installation, with different names.
    #[must_use]
    pub fn several(place: &Place, count: usize, replicas: &[Channel], ledger: &Arc<Ledger>, most: u64) -> Vec<Self> {
        let (next, ids) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let one = |number: usize| {
            let name = format!("writer-{number}");
            let token = place.token(&name, Role::DataSource, &[]);
            let (ledger, next, ids) = (Arc::clone(ledger), Arc::clone(&next), Arc::clone(&ids));
            let pause = Duration::from_millis(10);
            Self { name, replicas: replicas.to_vec(), token, ledger, next, ids, most, pause, deadline: DEADLINE }
        };
        (0..count).map(one).collect()
    }

    /// One call, to one replica.
    pub async fn call(&self, replica: usize, batch: IngestBatchRequest) -> Result<IngestBatchResponse, Status> {
        let mut request = Request::new(batch);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.token).parse().expect("a header"));
        request.set_timeout(self.deadline);
        let channel = self.replicas[replica % self.replicas.len()].clone();
        IngestionServiceClient::new(channel).ingest_batch(request).await.map(tonic::Response::into_inner)
    }

    /// Sends a batch under an id until it is acknowledged.
    pub async fn send(&self, number: u64, id: &str, random: &mut StdRng) -> IngestBatchResponse {
        let batch = Batch::make(number);
        self.ledger.lock().sent.insert(number);
        loop {
            match self.call(random.random_range(0..self.replicas.len()), batch.request(id)).await {
                Ok(answer) => {
                    let mut ledger = self.ledger.lock();
                    ledger.acknowledged.insert(number);
                    ledger.version = ledger.version.max(answer.version);
                    ledger.acknowledgements += 1;
                    drop(ledger);
                    let (good, bad) = (answer.accepted + answer.duplicates + answer.superseded, answer.rejected);
                    if (good, bad) != (batch.good(), i64::try_from(batch.bad).unwrap_or(0)) {
                        self.ledger.broke(format!("batch {number} was answered with {answer:?}"));
                    }
                    return answer;
                }
                Err(status) => {
                    self.ledger.failed("writers", &status);
                    tokio::time::sleep(Duration::from_millis(random.random_range(20..100))).await;
                }
            }
        }
    }

    /// Sends batches until told to stop: new ones, and at times old ones under new ids. What was begun is brought to its end.
    pub async fn run(self, stop: Arc<AtomicBool>) {
        let mut random = StdRng::seed_from_u64(self.name.bytes().map(u64::from).sum());
        while !stop.load(Ordering::SeqCst) {
            let sent = self.ids.fetch_add(1, Ordering::SeqCst);
            let again = random.random_range(0..4) == 0;
            let number = match again {
                true => random.random_range(0..=self.next.load(Ordering::SeqCst).min(self.most - 1)),
                false => self.next.fetch_add(1, Ordering::SeqCst),
            };
            let number = if number < self.most { number } else { random.random_range(0..self.most) };
            self.send(number, &format!("{}-{sent}", self.name), &mut random).await;
            tokio::time::sleep(self.pause).await;
        }
    }

    /// Sends everything that was acknowledged once more, under new ids, and returns how many records changed anything: none,
    /// when all of it is stored.
    pub async fn not_stored(&self) -> i64 {
        let mut random = StdRng::seed_from_u64(1);
        let all: Vec<u64> = self.ledger.lock().acknowledged.iter().copied().collect();
        let mut changed = 0;
        for number in all {
            let answer = self.send(number, &format!("{}-proof-{number}", self.name), &mut random).await;
            changed += answer.accepted;
        }
        changed
    }
}
