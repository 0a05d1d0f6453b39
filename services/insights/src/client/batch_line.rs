//! Batches on one stream, answered in their order: the server checks a batch while it stores the one before.
//!
//! Batches have ids, so what was sent and not answered is sent again on another stream when one breaks, and changes nothing where it
//! was stored.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use insights_proto::ingestion::v1::{
    IngestBatchRequest, IngestBatchResponse, IngestStreamRequest, IngestStreamResponse,
};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::{
    Caller,
    batch::Batch,
    retry::{RetryPolicy, is_transient},
};

/// Batches on their way at most.
const IN_FLIGHT: usize = 3;
/// How long a stream may take in all; each of its answers has a deadline of its own.
const STREAM_DEADLINE: Duration = Duration::from_secs(24 * 3600);

/// A batch on its way.
struct SentBatch {
    /// Where its records stand in the file.
    rows: Batch,
    batch_id: String,
    /// The request as it goes over the wire: a fraction of what its records take in memory.
    request: Vec<u8>,
}

/// A stream that is open.
struct OpenStream {
    requests: mpsc::Sender<IngestStreamRequest>,
    answers: Streaming<IngestStreamResponse>,
}

/// Batches on their way, in their order.
pub(super) struct BatchLine {
    caller: Caller,
    retries: RetryPolicy,
    /// A batch is answered in this time or sent again.
    deadline: Duration,
    stream: Option<OpenStream>,
    sent: VecDeque<SentBatch>,
    /// Failures since the last answer.
    failures: u32,
    /// When the first batch on its way came to be the first.
    first_since: Instant,
}

impl BatchLine {
    /// Nothing on its way.
    pub(super) fn new(caller: &Caller, retries: RetryPolicy, deadline: Duration) -> Self {
        let caller = caller.without_retries();
        Self {
            caller,
            retries,
            deadline,
            stream: None,
            sent: VecDeque::new(),
            failures: 0,
            first_since: Instant::now(),
        }
    }

    /// Whether nothing is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    /// Whether another batch may be sent.
    pub(super) fn has_room(&self) -> bool {
        self.sent.len() < IN_FLIGHT
    }

    /// Sends a batch after those that are on their way.
    pub(super) async fn send(&mut self, rows: Batch, request: IngestBatchRequest) -> Result<(), Status> {
        if self.sent.is_empty() {
            self.first_since = Instant::now();
        }
        let batch_id = request.batch_id.clone();
        self.sent.push_back(SentBatch { rows, batch_id, request: request.encode_to_vec() });
        match &self.stream {
            // A stream that is broken says so where its answer is awaited.
            Some(stream) => {
                let _ = stream.requests.try_send(IngestStreamRequest { batch: Some(request) });
                Ok(())
            }
            None => match self.open().await {
                Ok(()) => Ok(()),
                Err(status) => self.begin_again(status).await,
            },
        }
    }

    /// The answer to the first batch on its way. Nothing is lost when it is not awaited to its end.
    pub(super) async fn answer(&mut self) -> Result<(Batch, String, IngestBatchResponse), Status> {
        let Some(stream) = &mut self.stream else { return Err(Status::unavailable("no stream is open")) };
        let late = |_| Status::deadline_exceeded("a batch was not answered in time");
        let until = self.first_since + self.deadline;
        let answer = tokio::time::timeout_at(until.into(), stream.answers.message()).await.map_err(late)??;
        let answer = answer.and_then(|answer| answer.result);
        let answer = answer.ok_or_else(|| Status::unavailable("the server ended the stream"))?;
        (self.failures, self.first_since) = (0, Instant::now());
        let sent = self.sent.pop_front().ok_or_else(|| Status::internal("an answer to nothing"))?;
        Ok((sent.rows, sent.batch_id, answer))
    }

    /// After a failure: opens another stream and sends again what is on its way, unless it failed too often or for good.
    pub(super) async fn begin_again(&mut self, mut status: Status) -> Result<(), Status> {
        loop {
            self.failures += 1;
            self.stream = None;
            if !is_transient(&status) || self.failures >= self.retries.attempts {
                return Err(status);
            }
            tokio::time::sleep(self.retries.pause_after(self.failures)).await;
            match self.open().await {
                Ok(()) => return Ok(()),
                Err(next) => status = next,
            }
        }
    }

    /// Opens a stream and sends what is on its way.
    async fn open(&mut self) -> Result<(), Status> {
        let (requests, receiver) = mpsc::channel(IN_FLIGHT);
        for sent in &self.sent {
            let request = IngestBatchRequest::decode(sent.request.as_slice());
            let request = request.map_err(|error| Status::internal(error.to_string()))?;
            let _ = requests.try_send(IngestStreamRequest { batch: Some(request) });
        }
        let request = self.caller.request(ReceiverStream::new(receiver), STREAM_DEADLINE);
        self.first_since = Instant::now();
        let answers = self.caller.ingestion().ingest_stream(request).await?.into_inner();
        self.stream = Some(OpenStream { requests, answers });
        Ok(())
    }
}
