//! Drops answers that nobody takes, with whatever they hold: places, files, memory.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    connections::{Entry, Peer},
    fail_point,
};

/// Answers under way.
#[derive(Default)]
pub(crate) struct Answers {
    next: AtomicU64,
    all: Mutex<HashMap<u64, Arc<Mutex<Answer>>>>,
}

/// An answer on its way. The connection asks for the next piece when there is room for it, so one that was given a piece and does not ask
/// for another has a reader who takes nothing.
struct Answer {
    /// `None` once it was dropped.
    body: Option<Body>,
    /// What is left of the last frame.
    left: Bytes,
    /// Since when the reader has something to take; `None` while there is nothing.
    untaken: Option<Instant>,
    connection: Option<Arc<Entry>>,
}

/// The body of an answer under way.
struct WatchedBody {
    number: u64,
    answer: Arc<Mutex<Answer>>,
    answers: Arc<Answers>,
}

/// Bytes given to a connection at a time: what it was given it keeps, whether it is taken or not.
const PIECE: usize = 32 * 1024;
/// How often answers are looked at.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
#[error("the answer was not taken in time")]
struct NotTaken;

impl Answers {
    /// Drops answers that are not taken for so long, until the handle is dropped.
    pub(crate) fn watch(self: &Arc<Self>, longest: Duration) -> AbortOnDropHandle<()> {
        let answers = Arc::clone(self);
        AbortOnDropHandle::new(tokio::spawn(async move {
            let mut look = tokio::time::interval(LOOK.min(longest));
            loop {
                look.tick().await;
                if !longest.is_zero() && fail_point::guard_holds("service.unread") {
                    answers.drop_untaken(longest);
                }
            }
        }))
    }

    fn drop_untaken(&self, longest: Duration) {
        let all: Vec<_> = self.all().values().cloned().collect();
        for answer in all {
            let mut answer = lock(&answer);
            if answer.untaken.is_some_and(|since| since.elapsed() >= longest) {
                tracing::info!(monotonic_counter.answers_not_taken = 1_u64, "an answer was not taken in time");
                let body = answer.body.take();
                answer.left = Bytes::new();
                answer.untaken = None;
                // The stream cannot be reset from here, and would stay for as long as its connection.
                if let Some(connection) = answer.connection.take() {
                    connection.close();
                }
                drop(answer);
                drop(body);
            }
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u64, Arc<Mutex<Answer>>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(answer: &Mutex<Answer>) -> MutexGuard<'_, Answer> {
    answer.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) async fn unread(State(answers): State<Arc<Answers>>, request: Request, next: Next) -> Response {
    // In memory, whoever asked is part of the product.
    let Some(peer) = request.extensions().get::<Peer>() else { return next.run(request).await };
    let connection = peer.entry().cloned();
    next.run(request).await.map(|body| {
        let number = answers.next.fetch_add(1, Ordering::Relaxed);
        let answer = Answer { body: Some(body), left: Bytes::new(), untaken: Some(Instant::now()), connection };
        let answer = Arc::new(Mutex::new(answer));
        answers.all().insert(number, Arc::clone(&answer));
        Body::new(WatchedBody { number, answer, answers })
    })
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut answer = lock(&self.answer);
        let answer = &mut *answer;
        let Some(body) = answer.body.as_mut() else { return Poll::Ready(Some(Err(axum::Error::new(NotTaken)))) };
        if answer.left.is_empty() {
            let polled = Pin::new(body).poll_frame(context);
            answer.untaken = matches!(polled, Poll::Ready(Some(_))).then(Instant::now);
            match polled {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => answer.left = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return other,
            }
        }
        answer.untaken = Some(Instant::now());
        let piece = answer.left.split_to(answer.left.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        let answer = lock(&self.answer);
        answer.left.is_empty() && answer.body.as_ref().is_some_and(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let answer = lock(&self.answer);
        match &answer.body {
            Some(body) if answer.left.is_empty() => body.size_hint(),
            _ => SizeHint::default(),
        }
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        self.answers.all().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use http_body_util::BodyExt;

    use super::*;

    fn watched(body: Body) -> (WatchedBody, Arc<Answers>) {
        let answers = Arc::new(Answers::default());
        let answer = Answer { body: Some(body), left: Bytes::new(), untaken: Some(Instant::now()), connection: None };
        let answer = Arc::new(Mutex::new(answer));
        answers.all().insert(7, Arc::clone(&answer));
        (WatchedBody { number: 7, answer, answers: Arc::clone(&answers) }, answers)
    }

    #[tokio::test]
    async fn large_frames_go_in_pieces_and_arrive_whole() {
        let text: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
        let (mut body, answers) = watched(Body::from(text.clone()));
        assert_eq!(body.size_hint().exact(), Some(100_000), "what HTTP/1 says in its headers");
        let mut pieces = Vec::new();
        while let Some(frame) = body.frame().await {
            pieces.push(frame.unwrap().into_data().unwrap());
        }
        assert!(pieces.len() == 4 && pieces.iter().all(|piece| piece.len() <= PIECE));
        assert_eq!(pieces.concat(), text);
        drop(body);
        assert!(answers.all().is_empty());
    }

    #[tokio::test]
    async fn what_is_not_taken_is_dropped_and_what_is_not_there_is_waited_for() {
        let (mut body, answers) = watched(Body::from(vec![0; 2 * PIECE]));
        body.frame().await.unwrap().unwrap();
        answers.drop_untaken(Duration::from_secs(3600));
        assert!(lock(&body.answer).body.is_some(), "there is time");
        answers.drop_untaken(Duration::ZERO);
        assert!(lock(&body.answer).body.is_none(), "the reader took nothing");
        assert!(body.frame().await.unwrap().is_err(), "and it is no success");
        let (mut body, answers) = watched(Body::from_stream(futures::stream::pending::<Result<Bytes, axum::Error>>()));
        assert!(futures::poll!(body.frame()).is_pending());
        answers.drop_untaken(Duration::ZERO);
        assert!(lock(&body.answer).body.is_some(), "there was nothing to take");
    }
}
