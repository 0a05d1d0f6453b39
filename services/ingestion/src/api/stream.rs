//! A stream of batches, answered in their order.
//!
//! A batch may rely on those before it, so batches are stored one after the other, except that batches of nothing but activity are
//! stored side by side: activity merges by OR in any order. A batch is decoded and checked, and what it names looked up, while those
//! before it are stored. Both use the functions of a single batch; only the order is decided here.

use std::sync::Arc;

use futures::{FutureExt, Stream, StreamExt, future::BoxFuture, stream::FuturesOrdered};
use insights_access::Principal;
use insights_proto::ingestion::v1::{
    IngestBatchRequest, IngestBatchResponse, IngestStreamRequest, IngestStreamResponse,
};
use tokio::sync::{mpsc, watch};
use tokio_util::task::AbortOnDropHandle;
use tonic::{Status, Streaming};

use super::status;
use crate::{
    audit::{CallAudit, CallUnderWay},
    error::Error,
    write::{self, Ledger, PreparedRequest},
};

/// Batches of activity stored side by side.
const SIDE_BY_SIDE: usize = 2;

/// The answers to a stream of batches. Ends with the first error.
pub(super) fn answers(
    ledger: Arc<Ledger>,
    audit: CallAudit,
    caller: Arc<Principal>,
    batches: Streaming<IngestStreamRequest>,
) -> impl Stream<Item = Result<IngestStreamResponse, Status>> + Send {
    let stored = watch::Sender::new(0);
    let line = BatchQueue {
        batches: ahead(Arc::clone(&ledger), audit, caller, batches, stored.subscribe()),
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

/// A batch that is checked, and the call in the audit that it is.
struct StreamedBatch {
    call: CallUnderWay,
    ready: Result<PreparedRequest, Status>,
}

/// Batches in their order: some are stored, the others wait.
struct BatchQueue {
    ledger: Arc<Ledger>,
    batches: mpsc::Receiver<StreamedBatch>,
    /// A batch that must not be stored beside those that are.
    next: Option<(CallUnderWay, PreparedRequest)>,
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
                && let Some((call, ready)) = self.next.take()
            {
                self.start(call, ready);
            }
            let room = self.side_by_side && self.running.len() < SIDE_BY_SIDE || self.running.is_empty();
            tokio::select! {
                biased;
                Some(answer) = self.running.next(), if !self.running.is_empty() => return self.note(answer?).map(Some),
                batch = self.batches.recv(), if room && !self.ended && self.next.is_none() => match batch {
                    Some(StreamedBatch { call, ready: Ok(ready) }) if self.running.is_empty() || ready.commutes() => {
                        self.start(call, ready);
                    }
                    Some(StreamedBatch { call, ready: Ok(ready) }) => self.next = Some((call, ready)),
                    // It is answered after the batches before it.
                    Some(StreamedBatch { call, ready: Err(status) }) => {
                        self.ended = true;
                        self.running.push_back(call.answer(Err(status), |_| 0).boxed());
                    }
                    None => self.ended = true,
                },
                else => return Ok(None),
            }
        }
    }

    fn start(&mut self, call: CallUnderWay, batch: PreparedRequest) {
        self.side_by_side = batch.commutes();
        let ledger = Arc::clone(&self.ledger);
        // A task, so that two batches use two threads. It ends with the stream.
        let task = AbortOnDropHandle::new(tokio::spawn(async move { write::finish(&ledger, batch).await }));
        let result = async move {
            let result = match task.await {
                Ok(result) => result.map_err(status),
                Err(_) => Err(Status::internal("storing the batch failed")),
            };
            call.answer(result, |_| 0).await
        };
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

/// Checks a batch and looks up what it names.
async fn prepared(ledger: &Ledger, partner: &str, batch: IngestBatchRequest) -> Result<PreparedRequest, Error> {
    let mut ready = write::prepare(ledger, partner, batch).await?;
    write::look_up_ahead(ledger, &mut ready).await?;
    Ok(ready)
}

/// Decodes and checks the next batch while those before it are stored.
fn ahead(
    ledger: Arc<Ledger>,
    audit: CallAudit,
    caller: Arc<Principal>,
    mut batches: Streaming<IngestStreamRequest>,
    mut stored: watch::Receiver<usize>,
) -> mpsc::Receiver<StreamedBatch> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let (mut sent, mut moving) = (0_usize, false);
        while let Some(batch) = batches.message().await.transpose() {
            if moving && stored.wait_for(|stored| *stored >= sent).await.is_err() {
                return;
            }
            let batch = match batch.map(|batch| batch.batch) {
                Ok(Some(batch)) => Ok(batch),
                Ok(None) => Err(status(Error::invalid("batch", "is required"))),
                Err(status) => Err(status),
            };
            let call = match &batch {
                Ok(batch) => audit.begin_batch(&caller, "IngestStream", batch),
                Err(_) => audit.begin(&caller, "IngestStream"),
            };
            let ready = match batch {
                Ok(batch) => prepared(&ledger, caller.partner(), batch).await.map_err(status),
                Err(status) => Err(status),
            };
            let failed = ready.is_err();
            moving = ready.as_ref().is_ok_and(PreparedRequest::moves_the_clock);
            if sender.send(StreamedBatch { call, ready }).await.is_err() || failed {
                return;
            }
            sent += 1;
        }
    });
    receiver
}
