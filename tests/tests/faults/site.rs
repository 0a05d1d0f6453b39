//! One process of each service on a PostgreSQL of its own, with people who write and read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use insights_proto::ingestion::v1::IngestBatchResponse;
use insights_testkit::{Process, free_address, until};
use insights_tests::running::{
    Kind, Place,
    check::{Checked, check},
    facts::Batch,
    ledger::Ledger,
    place::{Setting, channel},
    reader::Reader,
    writer::Writer,
};
use rand::{SeedableRng, rngs::StdRng};
use tokio::task::JoinHandle;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Longer than a call waits for a connection to the database.
const DEADLINE: Duration = Duration::from_secs(30);

/// Running services.
pub struct Site {
    pub place: Arc<Place>,
    pub ingestion: Process,
    pub metrics: Process,
    pub reporting: Process,
    pub ledger: Arc<Ledger>,
    pub writers: Vec<Writer>,
    pub reader: Reader,
}

/// Writers and a reader at work.
pub struct Traffic {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Site {
    /// Starts everything on a database.
    pub async fn start(url: &str, batches: u64) -> Self {
        let place = Arc::new(Place::at(url));
        place.done(&["migrate"]);
        let ingestion = place.start(Kind::Ingestion, free_address(), &Setting::default());
        let to_ingestion = Setting { ingestion: Some(ingestion.address()), ..Setting::default() };
        let metrics = place.start(Kind::Metrics, free_address(), &to_ingestion);
        let to_metrics = Setting { metrics: Some(metrics.address()), ..Setting::default() };
        let reporting = place.start(Kind::Reporting, free_address(), &to_metrics);
        let ledger = Arc::new(Ledger::default());
        let writers = Writer::several(&place, 2, &[channel(ingestion.address())], &ledger, batches);
        let reader = Reader::new(&place, "reader", &[channel(reporting.address())], &ledger);
        writers[0].send(0, "first", &mut StdRng::seed_from_u64(0)).await;
        let site = Self { place, ingestion, metrics, reporting, ledger, writers, reader };
        site.reader.ask(0).await;
        site
    }

    /// Lets writers and a reader loose.
    pub fn traffic(&self) -> Traffic {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks: Vec<_> =
            self.writers.iter().cloned().map(|writer| tokio::spawn(writer.run(Arc::clone(&stop)))).collect();
        tasks.push(tokio::spawn(self.reader.clone().run(Arc::clone(&stop))));
        Traffic { stop, tasks }
    }

    /// Waits until this many more calls were acknowledged.
    pub async fn progress(&self, calls: usize) {
        let before = self.ledger.lock().acknowledgements;
        until("acknowledgements", async || self.ledger.lock().acknowledgements >= before + calls).await;
    }

    /// Waits until writers and readers were told to come back, or that what they want is not to be had in time.
    pub async fn refused(&self) {
        until("the refusal of writers and readers", async || {
            let heard = |who: &str, what: &str| {
                let failures = &self.ledger.lock().failures;
                failures.keys().any(|said| said.starts_with(who) && said.contains(what))
            };
            let refused = |who: &str| heard(who, "UNAVAILABLE") || heard(who, "DEADLINE_EXCEEDED");
            refused("writers") && refused("readers")
        })
        .await;
    }

    /// One batch, sent once.
    pub async fn send_once(&self, number: u64) -> Result<IngestBatchResponse, Status> {
        self.ledger.lock().sent.insert(number);
        let mut writer = self.writers[0].clone();
        writer.deadline = DEADLINE;
        let answer = writer.call(0, Batch::make(number).request(&format!("once-{number}"))).await?;
        let mut ledger = self.ledger.lock();
        ledger.acknowledged.insert(number);
        ledger.version = ledger.version.max(answer.version);
        Ok(answer)
    }

    /// What a sender and a reader are told while the database is away, and after how long.
    pub async fn both_are_told_to_come_back(&self, number: u64) -> Duration {
        let started = Instant::now();
        let sender = self.send_once(number).await.unwrap_err();
        come_back(&sender);
        let reader = Reader { deadline: DEADLINE, ..self.reader.clone() };
        come_back(&reader.call(0, 0).await.unwrap_err());
        started.elapsed() / 2
    }

    /// Compares everything, and sees that no process was replaced.
    pub async fn check(mut self, what: &str, traffic: Traffic) -> Checked {
        traffic.stop().await;
        // What was tried once and refused is sent until it is there.
        let sent: Vec<u64> = {
            let ledger = self.ledger.lock();
            ledger.sent.difference(&ledger.acknowledged).copied().collect()
        };
        for number in sent {
            self.writers[0].send(number, &format!("once-{number}"), &mut StdRng::seed_from_u64(number)).await;
        }
        let reporting = [self.reporting.address()];
        let checked = check(&self.place, &reporting, &self.writers[0], &self.reader, 7, 2).await;
        for process in [&mut self.ingestion, &mut self.metrics, &mut self.reporting] {
            assert!(process.ended().is_none(), "a process ended:\n{}", process.log());
        }
        let state = &checked.state;
        let answers: usize = state.answers.values().sum();
        println!(
            "{what}: {} batches, {} acknowledgements, {answers} answers, {} figures compared; lost {}",
            state.sent.len(),
            state.acknowledgements,
            checked.cells,
            checked.lost
        );
        for (said, times) in &state.failures {
            println!("    {said:<60}{times:>6}");
        }
        assert_eq!(checked.wrong, Vec::<String>::new(), "{what}");
        checked
    }
}

impl Traffic {
    pub async fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        for task in self.tasks {
            tokio::time::timeout(Duration::from_secs(120), task).await.expect("traffic ends").unwrap();
        }
    }
}

/// A caller is told that it is not its fault, and when to try again.
pub fn come_back(status: &Status) {
    let details = status.get_error_details();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!(details.error_info().map(|info| info.reason.as_str()), Some("UNAVAILABLE"), "{status:?}");
    let delay = details.retry_info().and_then(|retry| retry.retry_delay);
    assert_eq!(delay, Some(Duration::from_secs(1)), "{status:?}");
}
