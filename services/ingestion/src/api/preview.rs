//! A preview: batches in, then what is asked about the facts as they would stand.

use std::{sync::Arc, time::Duration};

use insights_proto::ingestion::v1::{
    PreviewFactsEnd, PreviewFactsRequest, PreviewFactsResponse, StreamFactsRequest, preview_facts_request::Ask,
    preview_facts_response::Answer,
};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::status;
use crate::{
    error::Error,
    feed::FeedSelection,
    write::{ImportPreview, Ledger},
};

/// How long a preview may take in all, and how long it waits for the next question: other writers wait for it.
const LONGEST: Duration = Duration::from_secs(30);
const LONGEST_SILENCE: Duration = Duration::from_secs(5);

pub(super) type PreviewAnswers = mpsc::Sender<Result<PreviewFactsResponse, Status>>;

/// Answers what is asked until the other side has asked everything, and takes all back.
pub(super) async fn answer(
    ledger: Arc<Ledger>,
    partner: String,
    asked: Streaming<PreviewFactsRequest>,
    answers: PreviewAnswers,
) {
    let session = PreviewSession { answers: answers.clone() };
    let ended = tokio::time::timeout(LONGEST, session.run(ledger, &partner, asked)).await;
    let failed = match ended {
        Ok(Ok(())) => return,
        Ok(Err(status)) => status,
        Err(_) => status(Error::TooMuch("it takes more than 30 seconds")),
    };
    // Who asked may be gone.
    let _ = answers.send(Err(failed)).await;
}

struct PreviewSession {
    answers: PreviewAnswers,
}

impl PreviewSession {
    async fn run(
        &self,
        ledger: Arc<Ledger>,
        partner: &str,
        mut asked: Streaming<PreviewFactsRequest>,
    ) -> Result<(), Status> {
        let mut preview = ImportPreview::begin(ledger, partner).await.map_err(status)?;
        loop {
            let next = tokio::time::timeout(LONGEST_SILENCE, asked.message()).await;
            let next = next.map_err(|_| Status::deadline_exceeded("nothing was asked for 5 seconds"))??;
            let Some(PreviewFactsRequest { ask }) = next else { break };
            let answer = match ask {
                Some(Ask::Batch(batch)) => Answer::Batch(preview.take(batch).await.map_err(status)?),
                Some(Ask::Changes(_)) => Answer::Changes(preview.changes().await.map_err(status)?),
                Some(Ask::Facts(request)) => {
                    self.facts(&preview, request).await?;
                    Answer::End(PreviewFactsEnd {})
                }
                None => return Err(status(Error::invalid("ask", "is required"))),
            };
            self.send(answer).await?;
        }
        preview.end().await.map_err(status)
    }

    async fn facts(&self, preview: &ImportPreview, mut request: StreamFactsRequest) -> Result<(), Status> {
        let customers = std::mem::take(&mut request.customers);
        if customers.is_empty() {
            return Ok(());
        }
        let mut selection = FeedSelection::new(customers);
        while let Some(parts) = preview.facts(&mut selection, &request).await.map_err(status)? {
            for part in parts {
                self.send(Answer::Facts(part)).await?;
            }
        }
        Ok(())
    }

    async fn send(&self, answer: Answer) -> Result<(), Status> {
        let gone = |_| Status::cancelled("the other side is gone");
        self.answers.send(Ok(PreviewFactsResponse { answer: Some(answer) })).await.map_err(gone)
    }
}
