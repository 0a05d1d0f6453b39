//! Kills processes under load, lets it become quiet, and looks at what is there.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use insights_testkit::{Process, free_address};
use insights_tests::running::{
    Kind, Place,
    check::{Checked, check},
    ledger::Ledger,
    place::{Setting, channel},
    reader::Reader,
    writer::Writer,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::runtime::Runtime;
use tonic::transport::Channel;

/// What is tried.
pub struct Plan {
    /// Which processes run, and how many of each.
    pub kinds: Vec<(Kind, usize)>,
    /// Kills of each kind.
    pub kills: usize,
    /// Different batches, at most.
    pub batches: u64,
    /// Senders.
    pub writers: usize,
}

/// Points at which processes are made to crash, by kind.
fn points(kind: Kind) -> &'static [&'static str] {
    const INGESTION: &[&str] =
        &["ingestion.version_taken", "ingestion.before_commit", "ingestion.before_answer", "ingestion.answer_kept"];
    const METRICS: &[&str] = &["metrics.position_taken", "metrics.rollups_written", "metrics.committed"];
    const REPORTING: &[&str] = &["reporting.before_audit", "reporting.audited"];
    const ALL: &[&str] = &[
        "ingestion.version_taken",
        "ingestion.before_commit",
        "ingestion.before_answer",
        "metrics.position_taken",
        "metrics.rollups_written",
        "metrics.committed",
        "reporting.audited",
    ];
    match kind {
        Kind::Ingestion => INGESTION,
        Kind::Metrics => METRICS,
        Kind::Reporting => REPORTING,
        Kind::Everything => ALL,
    }
}

/// How often a process may come to a point before it is its last time; readers come by most often.
fn turns(point: &str) -> usize {
    if point.starts_with("reporting") { 30 } else { 6 }
}

/// A process and what it is to be killed at.
struct Victim {
    kind: Kind,
    address: SocketAddr,
    setting: Setting,
    point: Option<&'static str>,
    process: Process,
}

/// How often processes of a kind were killed, at a point or at any moment.
type Killed = BTreeMap<(Kind, &'static str), usize>;

/// An installation under test.
pub struct Harness {
    place: Arc<Place>,
    plan: Plan,
    victims: Vec<Vec<Victim>>,
    ledger: Arc<Ledger>,
    seed: u64,
}

impl Harness {
    /// Starts all processes.
    pub fn start(place: Place, plan: Plan) -> Self {
        let place = Arc::new(place);
        place.done(&["migrate"]);
        let addresses: Vec<(Kind, Vec<SocketAddr>)> =
            plan.kinds.iter().map(|(kind, count)| (*kind, (0..*count).map(|_| free_address()).collect())).collect();
        let of = |kind: Kind, number: usize| {
            let found = addresses.iter().find(|(of, _)| *of == kind).map(|(_, all)| all);
            found.map(|all| all[number % all.len()])
        };
        let victims = addresses.iter().map(|(kind, all)| {
            let one = |(number, address): (usize, &SocketAddr)| {
                let setting = Setting {
                    ingestion: (*kind == Kind::Metrics).then(|| of(Kind::Ingestion, number)).flatten(),
                    metrics: (*kind == Kind::Reporting).then(|| of(Kind::Metrics, number)).flatten(),
                    ..Setting::default()
                };
                let process = place.start(*kind, *address, &setting);
                Victim { kind: *kind, address: *address, setting, point: None, process }
            };
            all.iter().enumerate().map(one).collect()
        });
        let victims = victims.collect();
        let seed = std::env::var("INSIGHTS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
        Self { place, plan, victims, ledger: Arc::default(), seed }
    }

    fn addresses(&self, kind: Kind) -> Vec<SocketAddr> {
        let of = |victims: &&Vec<Victim>| [kind, Kind::Everything].contains(&victims[0].kind);
        self.victims.iter().filter(of).flatten().map(|victim| victim.address).collect()
    }

    fn channels(&self, kind: Kind) -> Vec<Channel> {
        self.addresses(kind).into_iter().map(channel).collect()
    }

    /// Kills, waits, compares, prints.
    pub fn run(mut self, engine: &str) {
        let started = Instant::now();
        let runtime = Runtime::new().unwrap();
        let _inside = runtime.enter();
        let writers = Writer::several(
            &self.place,
            self.plan.writers,
            &self.channels(Kind::Ingestion),
            &self.ledger,
            self.plan.batches,
        );
        let readers: Vec<Reader> = (0..2)
            .map(|number| {
                let replicas = self.channels(Kind::Reporting);
                Reader::new(&self.place, &format!("reader-{number}"), &replicas, &self.ledger)
            })
            .collect();
        // The SKU of the witnesses, without which they do not count.
        runtime.block_on(writers[0].send(0, "first", &mut StdRng::seed_from_u64(0)));
        let stop = Arc::new(AtomicBool::new(false));
        let mut traffic = Vec::new();
        traffic.extend(writers.iter().cloned().map(|writer| runtime.spawn(writer.run(Arc::clone(&stop)))));
        traffic.extend(readers.iter().cloned().map(|reader| runtime.spawn(reader.run(Arc::clone(&stop)))));

        let killed = self.kill_all();
        stop.store(true, Ordering::SeqCst);
        runtime.block_on(async {
            for task in traffic {
                tokio::time::timeout(Duration::from_secs(120), task).await.expect("traffic ends").unwrap();
            }
        });
        let reporting = self.addresses(Kind::Reporting);
        let checked = runtime.block_on(check(&self.place, &reporting, &writers[0], &readers[0], self.seed, 10));
        self.print(engine, &killed, started, &checked);
        assert_eq!(checked.wrong, Vec::<String>::new(), "errors that were logged:\n{}", self.place.logged_errors());
        assert!(checked.cells > 1_000, "{} cells are too few to prove anything", checked.cells);
    }

    /// A thread for each kind kills one process after the other and starts it again.
    fn kill_all(&mut self) -> Killed {
        let killed: Mutex<Killed> = Mutex::default();
        let (place, kills, seed, ledger) = (&self.place, self.plan.kills, self.seed, &self.ledger);
        std::thread::scope(|scope| {
            for (number, victims) in self.victims.iter_mut().enumerate() {
                let killed = &killed;
                scope.spawn(move || {
                    let mut random = StdRng::seed_from_u64(seed * 100 + number as u64);
                    for _ in 0..kills {
                        // Waits for progress between kills, so that the load goes on.
                        let before = ledger.lock().acknowledgements;
                        let at = random.random_range(0..victims.len());
                        let victim = &mut victims[at];
                        let how = kill(victim, &mut random);
                        *killed.lock().unwrap().entry((victim.kind, how)).or_default() += 1;
                        restart(place, victim, &mut random);
                        progress(ledger, before);
                    }
                    // Processes that still wait for their fail point are restarted without it.
                    for victim in victims.iter_mut().filter(|victim| victim.point.is_some()) {
                        victim.process.kill();
                        *killed.lock().unwrap().entry((victim.kind, "at the end")).or_default() += 1;
                        victim.point = None;
                        victim.setting.fail_points.clear();
                        victim.process = place.start(victim.kind, victim.address, &victim.setting);
                    }
                });
            }
        });
        killed.into_inner().unwrap()
    }

    fn print(&self, engine: &str, killed: &Killed, started: Instant, checked: &Checked) {
        let state = &checked.state;
        println!("\n{engine}, {} s: killed how often, and where", started.elapsed().as_secs());
        for (kind, count) in &self.plan.kinds {
            let of = || killed.iter().filter(|((of, _), _)| of == kind);
            println!(
                "  {:<62}{:>6}",
                format!("{kind} ({count} at a time)"),
                of().map(|(_, times)| times).sum::<usize>()
            );
            for ((_, how), times) in of() {
                println!("    {how:<60}{times:>6}");
            }
        }
        let answers: usize = state.answers.values().sum();
        println!(
            "  batches stored, acknowledgements                      {:>7}{:>7}",
            state.sent.len(),
            state.acknowledgements
        );
        println!("  answers, each with all acknowledged and nothing twice {answers:>14}");
        println!("  calls that failed and were made again");
        for (said, times) in &state.failures {
            println!("    {said:<60}{times:>6}");
        }
        println!("  figures equal to the naive implementation's           {:>14}", checked.cells);
        println!("  figures equal to their facts (verify)                 {:>14}", checked.verified);
        println!("  acknowledged and lost                                 {:>14}", checked.lost);
    }
}

/// Ends a process: at the point it was started for, where it comes there, or at any moment.
fn kill(victim: &mut Victim, random: &mut StdRng) -> &'static str {
    if let Some(point) = victim.point
        && victim.process.ends_within(Duration::from_secs(4)).is_some()
    {
        return point;
    }
    std::thread::sleep(Duration::from_millis(random.random_range(0..300)));
    victim.process.kill();
    "at any moment"
}

/// Starts it again, more often than not to crash at a point.
fn restart(place: &Place, victim: &mut Victim, random: &mut StdRng) {
    let points = points(victim.kind);
    victim.point = (random.random_range(0..3) != 0).then(|| points[random.random_range(0..points.len())]);
    victim.setting.fail_points = victim
        .point
        .map(|point| format!("abort:{point}:{}", random.random_range(1..=turns(point))))
        .unwrap_or_default();
    victim.process = place.spawn(victim.kind, victim.address, &victim.setting);
    // It may crash before anybody saw it listen; then that is its end.
    let point = victim.point;
    assert!(victim.process.listens() || point.is_some(), "it ended at its start:\n{}", victim.process.log());
}

/// Waits until something was acknowledged.
fn progress(ledger: &Ledger, before: usize) {
    let started = Instant::now();
    while ledger.lock().acknowledgements == before && started.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
}
