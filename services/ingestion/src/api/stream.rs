//! A stream of batches, answered in their order.
//!
//! A batch may rely on those before it, so batches are stored one after the other, except that batches of nothing but activity are
//! stored side by side: activity merges by OR in any order. A batch is decoded and checked, and what it names looked up, while those
//! before it are stored. Both use the functions of a single batch; only the order is decided here.

use std::sync::Arc;

use futures::{
    FutureExt, Stream, StreamExt,
    future::{BoxFuture, ready},
    stream::FuturesOrdered,
};
use insights_access::Principal;
use insights_proto::ingestion::v1::{
    IngestBatchRequest, IngestBatchResponse, IngestStreamRequest, IngestStreamResponse,
};
use tokio::sync::{mpsc, watch};
use tokio_util::task::AbortOnDropHandle;
use tonic::{Status, Streaming};

use super::status;
use crate::{
    error::Error,
    write::{self, Ledger, PreparedRequest},
};

/// Batches of activity stored side by side.
const SIDE_BY_SIDE: usize = 2;

/// The answers to a stream of batches. Ends with the first error.
pub(super) fn answers(
    ledger: Arc<Ledger>,
    caller: Arc<Principal>,
    batches: Streaming<IngestStreamRequest>,
) -> impl Stream<Item = Result<IngestStreamResponse, Status>> + Send {
    let stored = watch::Sender::new(0);
    let line = BatchQueue {
        batches: ahead(Arc::clone(&ledger), caller, batches, stored.subscribe()),
        ledger,
        next: None,
        ended: false,
        running: FuturesOrdered::new(),
        side_by_side: true,
        stored,
        version: 0,
    };
    futures::stream::try_unfold(line, |mut line| async move {
        Ok(line.answer().await?.map(|result| (IngestStreamResponse { result: Some(result) }, line)))
    })
}

/// Batches in their order: some are stored, the others wait.
struct BatchQueue {
    ledger: Arc<Ledger>,
    batches: mpsc::Receiver<Result<PreparedRequest, Status>>,
    /// A batch that must not be stored beside those that are.
    next: Option<PreparedRequest>,
    ended: bool,
    running: FuturesOrdered<BoxFuture<'static, Result<IngestBatchResponse, Status>>>,
    /// Whether others may be stored beside those that are.
    side_by_side: bool,
    /// How many are stored.
    stored: watch::Sender<usize>,
    /// The greatest version answered.
    version: i64,
}

impl BatchQueue {
    /// The next answer; `None` after the last.
    async fn answer(&mut self) -> Result<Option<IngestBatchResponse>, Status> {
        loop {
            if self.running.is_empty()
                && let Some(ready) = self.next.take()
            {
                self.start(ready);
            }
            let room = self.side_by_side && self.running.len() < SIDE_BY_SIDE || self.running.is_empty();
            tokio::select! {
                biased;
                Some(answer) = self.running.next(), if !self.running.is_empty() => return self.note(answer?).map(Some),
                batch = self.batches.recv(), if room && !self.ended && self.next.is_none() => match batch {
                    Some(Ok(ready)) if self.running.is_empty() || ready.commutes() => self.start(ready),
                    Some(Ok(ready)) => self.next = Some(ready),
                    // It is answered after the batches before it.
                    Some(Err(status)) => {
                        self.ended = true;
                        self.running.push_back(ready_status(status));
                    }
                    None => self.ended = true,
                },
                else => return Ok(None),
            }
        }
    }

    fn start(&mut self, batch: PreparedRequest) {
        self.side_by_side = batch.commutes();
        let ledger = Arc::clone(&self.ledger);
        // A task, so that two batches use two threads. It ends with the stream.
        let task = AbortOnDropHandle::new(tokio::spawn(async move { write::finish(&ledger, batch).await }));
        let result = task.map(|result| match result {
            Ok(result) => result.map_err(status),
            Err(_) => Err(Status::internal("storing the batch failed")),
        });
        self.running.push_back(result.boxed());
    }

    /// Raises the version of an answer to that of the answers before it, so that waiting for the last one covers them all.
    fn note(&mut self, mut answer: IngestBatchResponse) -> Result<IngestBatchResponse, Status> {
        self.stored.send_modify(|count| *count += 1);
        self.version = self.version.max(answer.version);
        answer.version = self.version;
        Ok(answer)
    }
}

fn ready_status(status: Status) -> BoxFuture<'static, Result<IngestBatchResponse, Status>> {
    ready(Err(status)).boxed()
}

/// Checks a batch and looks up what it names.
async fn prepared(ledger: &Ledger, partner: &str, batch: IngestBatchRequest) -> Result<PreparedRequest, Error> {
    let mut ready = write::prepare(ledger, partner, batch).await?;
    write::look_up_ahead(ledger, &mut ready).await?;
    Ok(ready)
}

/// Decodes and checks the next batch while those before it are stored.
fn ahead(
    ledger: Arc<Ledger>,
    caller: Arc<Principal>,
    mut batches: Streaming<IngestStreamRequest>,
    mut stored: watch::Receiver<usize>,
) -> mpsc::Receiver<Result<PreparedRequest, Status>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let (mut sent, mut moving) = (0_usize, false);
        while let Some(batch) = batches.message().await.transpose() {
            if moving && stored.wait_for(|stored| *stored >= sent).await.is_err() {
                return;
            }
            let ready = match batch.map(|batch| batch.batch) {
                Ok(Some(batch)) => prepared(&ledger, caller.partner(), batch).await.map_err(status),
                Ok(None) => Err(status(Error::invalid("batch", "is required"))),
                Err(status) => Err(status),
            };
            let failed = ready.is_err();
            moving = ready.as_ref().is_ok_and(PreparedRequest::moves_the_clock);
            if sender.send(ready).await.is_err() || failed {
                return;
            }
            sent += 1;
        }
    });
    receiver
}
