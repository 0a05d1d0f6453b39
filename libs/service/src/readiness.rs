//! Whether a process can do its work, apart from whether it lives: what it needs is asked for in turns.

use std::{collections::HashSet, future::Future, sync::Arc, time::Duration};

use futures::future::{BoxFuture, join_all};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::WatchedLevel;

/// What is needed is asked for this often while it is there.
const WHILE_READY: Duration = Duration::from_secs(5);
/// And this often while it is not.
const WHILE_NOT: Duration = Duration::from_millis(500);
/// Who does not answer in this time is not there.
const PATIENCE: Duration = Duration::from_secs(3);

/// Rounds in which nothing is said of what is not there yet.
const QUIET_ROUNDS: u64 = 6;

type Ask = Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Something without which a process cannot answer.
pub struct Requirement {
    name: &'static str,
    ask: Ask,
}

impl Requirement {
    /// Something of this name; an error says why it is not there.
    pub fn new<F, A>(name: &'static str, ask: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { name, ask: Box::new(move || Box::pin(ask())) }
    }
}

/// Whether a process can do its work. Cheap to clone; the default is one that needs nothing.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<watch::Sender<ReadyState>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ReadyState {
    /// Databases are migrated and the port is open.
    opened: bool,
    draining: bool,
    /// What is not there, and why.
    lacking: Vec<String>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(ReadyState { opened: true, ..ReadyState::default() })))
    }
}

impl Readiness {
    /// Of a process that has just begun.
    #[must_use]
    pub fn starting() -> Self {
        Self(Arc::default())
    }

    /// The port is open.
    pub(crate) fn open(&self) {
        self.0.send_if_modified(|state| !std::mem::replace(&mut state.opened, true));
    }

    /// The process was told to end.
    pub(crate) fn drain(&self) {
        self.0.send_if_modified(|state| !std::mem::replace(&mut state.draining, true));
    }

    /// Whether the port is open, and has been since.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.borrow().opened
    }

    /// Why it cannot do its work; empty when it can.
    #[must_use]
    pub fn lacking(&self) -> Vec<String> {
        let state = self.0.borrow().clone();
        let begins = (!state.opened).then(|| "startup: databases are being opened".to_owned());
        let ends = state.draining.then(|| "shutdown: no new callers, please".to_owned());
        begins.into_iter().chain(ends).chain(state.lacking).collect()
    }

    /// Whether it can do its work.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.borrow().is_ready()
    }

    pub(crate) fn watch(&self) -> ReadinessWatch {
        ReadinessWatch(self.0.subscribe())
    }

    /// Asks for what is needed until `stop`. Something that is there is only taken for lost when it fails twice, so that one slow answer
    /// moves no callers.
    pub fn keep_asking(self, needs: Vec<Requirement>, stop: CancellationToken) -> impl Future<Output = ()> + Send {
        // Before anything is polled: until it was asked for, nothing is there.
        self.0.send_modify(|state| {
            state.lacking = needs.iter().map(|need| format!("{}: not asked yet", need.name)).collect()
        });
        async move { self.ask_in_turns(&needs, &stop).await }
    }

    async fn ask_in_turns(&self, needs: &[Requirement], stop: &CancellationToken) {
        let (mut rounds, mut said) = (0_u64, Vec::new());
        let level = WatchedLevel::new("insights.ready", "1", "1 while this process can do its work");
        let mut doubted: HashSet<&'static str> = needs.iter().map(|need| need.name).collect();
        loop {
            let asked = join_all(needs.iter().map(async |need| {
                let answer = tokio::time::timeout(PATIENCE, (need.ask)()).await;
                (need.name, answer.unwrap_or_else(|_| Err("no answer".to_owned())))
            }));
            let answers = tokio::select! {
                () = stop.cancelled() => return,
                answers = asked => answers,
            };
            let mut lacking = Vec::new();
            for (name, answer) in answers {
                match answer {
                    Ok(()) => {
                        doubted.remove(name);
                    }
                    Err(_) if doubted.insert(name) => {}
                    Err(why) => lacking.push(format!("{name}: {why}")),
                }
            }
            rounds += 1;
            // What is only just beginning is no news, until it goes on.
            if lacking != said && (lacking.is_empty() || rounds > QUIET_ROUNDS) {
                match lacking.as_slice() {
                    [] => tracing::info!("ready again"),
                    lacking => tracing::warn!(lacking = lacking.join("; "), "not ready"),
                }
                said.clone_from(&lacking);
            }
            self.note(lacking);
            level.set(if self.is_ready() { 1.0 } else { 0.0 }, &[]);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(if self.is_ready() && doubted.is_empty() { WHILE_READY } else { WHILE_NOT }) => {}
            }
        }
    }

    fn note(&self, lacking: Vec<String>) {
        self.0.send_if_modified(|state| {
            if state.lacking == lacking {
                return false;
            }
            state.lacking = lacking;
            true
        });
    }
}

impl ReadyState {
    fn is_ready(&self) -> bool {
        self.opened && !self.draining && self.lacking.is_empty()
    }
}

/// Sees changes of readiness.
pub(crate) struct ReadinessWatch(watch::Receiver<ReadyState>);

impl ReadinessWatch {
    /// Whether it is ready, then whether it is each time something changed.
    pub(crate) fn ready(self) -> impl futures::Stream<Item = bool> + Send {
        use futures::StreamExt as _;
        let changes = tokio_stream::wrappers::WatchStream::new(self.0);
        let changes = changes.map(|state| state.is_ready());
        // The same again is no news.
        changes
            .scan(None, |before, now| {
                let news = before.replace(now) != Some(now);
                futures::future::ready(Some(news.then_some(now)))
            })
            .filter_map(futures::future::ready)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_there_is_lost_only_when_it_fails_twice() {
        let (there, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (says, counts) = (Arc::clone(&there), Arc::clone(&asked));
        let need = Requirement::new("database", move || {
            counts.fetch_add(1, Ordering::SeqCst);
            let there = says.load(Ordering::SeqCst);
            async move { if there { Ok(()) } else { Err("away".to_owned()) } }
        });
        let readiness = Readiness::starting();
        let stop = CancellationToken::new();
        let asking = tokio::spawn(readiness.clone().keep_asking(vec![need], stop.clone()));
        let turn = async |times: usize| {
            let until = asked.load(Ordering::SeqCst) + times;
            while asked.load(Ordering::SeqCst) < until {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        turn(1).await;
        readiness.open();
        assert_eq!(readiness.lacking(), ["database: away"], "never seen, so once is enough");
        there.store(true, Ordering::SeqCst);
        turn(1).await;
        assert!(readiness.is_ready());
        there.store(false, Ordering::SeqCst);
        turn(1).await;
        assert!(readiness.is_ready(), "once may be chance");
        turn(1).await;
        assert!(!readiness.is_ready());
        there.store(true, Ordering::SeqCst);
        turn(1).await;
        assert!(readiness.is_ready());
        readiness.drain();
        assert!(!readiness.is_ready());
        stop.cancel();
        asking.await.unwrap();
    }
}
