//! Every process of every service is stopped and started again, one after the other, while people write and read: no call fails
//! for those who follow the policy that the operator's guide recommends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use insights_service::ChannelConfig;
use insights_testkit::{Cluster, Plan, Shape, TempDatabase, insights, until};

use crate::caller::{Caller, PATIENCE, customer, long, questions, quick, urls};

const SHAPE: Shape = Shape { ingestion: 2, metrics: 2, reporting: 2 };

/// What happened to calls.
#[derive(Clone, Default)]
struct Tally {
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    failed: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Tally {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn note<T>(&self, what: &str, outcome: Result<T, tonic::Status>) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if let Err(status) = outcome {
            self.failed.lock().expect("the list").push(format!("{what}: {status:?}"));
        }
    }

    fn failures(&self) -> Vec<String> {
        self.failed.lock().expect("the list").clone()
    }
}

/// Writers and readers, until the tally says stop. Says the newest version written.
fn load(cluster: &Cluster, links: &ChannelConfig, tally: &Tally) -> tokio::task::JoinSet<i64> {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..4_u32 {
        let (ingestion, reporting) = (urls(&cluster.ingestion), urls(&cluster.reporting));
        let (caller, tally) = (Caller::to(&cluster.provider, &ingestion, &reporting, links), tally.clone());
        tasks.spawn(async move {
            let (mut version, mut step) = (0, 0);
            while !tally.stopped() {
                step += 1;
                if task % 2 == 0 {
                    let answer = caller.ingest(customer(task * 10_000 + step)).await;
                    version = version.max(answer.as_ref().map_or(0, |answer| answer.version));
                    tally.note("ingest", answer);
                } else {
                    let question = questions()[step as usize % 3].clone();
                    tally.note("query", caller.query(question, 0, PATIENCE).await);
                }
                tokio::time::sleep(Duration::from_millis(15)).await;
            }
            version
        });
    }
    tasks
}

/// People at a terminal, one command after the other.
fn terminal(cluster: &Cluster, tally: &Tally) -> std::thread::JoinHandle<usize> {
    let token = cluster.folder().join("person.jwt");
    let person = cluster.provider.person(
        crate::caller::PARTNER,
        &[insights_access::Role::GlobalAdmin],
        Duration::from_secs(3600),
    );
    insights_testkit::write_secret(&token, person).expect("a token");
    let (servers, tally) = (urls(&cluster.reporting), tally.clone());
    std::thread::spawn(move || {
        let mut commands = 0;
        while !tally.stopped() {
            let mut command = insights();
            command.args([
                "query",
                "--measures",
                "customers",
                "--from",
                "2025-01",
                "--to",
                "2025-03",
                "--server",
                &servers,
            ]);
            let output = command.arg("--token-file").arg(&token).output().expect("the program");
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            tally.note(
                "the command line",
                if output.status.success() { Ok(()) } else { Err(tonic::Status::unknown(text)) },
            );
            commands += 1;
        }
        commands
    })
}

async fn restart_all(cluster: &mut Cluster, rounds: usize) {
    for _ in 0..rounds {
        for process in cluster.processes_mut() {
            process.restart().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_while_everything_is_restarted() {
    let mut cluster = Cluster::start(SHAPE).await;
    let caller = Caller::of(&cluster);
    let first = caller.ingest_customers(0..3).await;
    caller.visible(first).await;
    let tally = Tally::default();
    let (tasks, terminal) = (load(&cluster, &quick(), &tally), terminal(&cluster, &tally));
    restart_all(&mut cluster, if long() { 20 } else { 2 }).await;
    tally.stop.store(true, Ordering::SeqCst);
    let version = tasks.join_all().await.into_iter().max().expect("tasks");
    let commands = terminal.join().expect("the terminal");
    let calls = tally.calls.load(Ordering::SeqCst);
    println!("{calls} calls, {commands} of them commands, {} failed", tally.failures().len());
    assert_eq!(tally.failures(), Vec::<String>::new());
    assert!(calls > 50 && commands > 2, "{calls} calls, {commands} commands");
    // Everything that was acknowledged is in the figures, once.
    caller.visible(version).await;
    assert!(caller.verify().await > 0);
}

/// One replica of each service after the other is restarted at once, with so many seconds between the signal and the closing of
/// its port.
async fn restart_with_delay(seconds: u32) {
    let plan = Plan::new(TempDatabase::postgres());
    let mut cluster = plan.start(SHAPE, |_, _, spec| spec.set("limits.drain_delay_seconds", seconds)).await;
    let caller = Caller::of(&cluster);
    let first = caller.ingest_customers(0..3).await;
    caller.visible(first).await;
    let tally = Tally::default();
    let tasks = load(&cluster, &quick(), &tally);
    for number in 0..2 {
        tokio::join!(
            cluster.ingestion[number].restart(),
            cluster.metrics[number].restart(),
            cluster.reporting[number].restart()
        );
    }
    tally.stop.store(true, Ordering::SeqCst);
    let version = tasks.join_all().await.into_iter().max().expect("tasks");
    assert_eq!(tally.failures(), Vec::<String>::new());
    caller.visible(version).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_when_replicas_take_calls_for_two_seconds_more() {
    restart_with_delay(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_when_replicas_take_calls_for_five_seconds_more() {
    restart_with_delay(5).await;
}

/// Whether metrics shows, once it was told to end, what is sent after that.
async fn followed_to_the_end(orders: &str) -> bool {
    let plan = Plan::new(TempDatabase::postgres());
    let shape = Shape { ingestion: 1, metrics: 1, reporting: 1 };
    let draining = |service: &str, _: usize, spec: insights_testkit::Spec| match service {
        "metrics" => spec.set("limits.drain_delay_seconds", 600).variable("INSIGHTS_FAIL_POINTS", orders),
        _ => spec,
    };
    let cluster = plan.start(shape, draining).await;
    let caller = Caller::of(&cluster);
    let first = caller.ingest_customers(0..3).await;
    caller.visible(first).await;
    cluster.metrics[0].terminate();
    until("it says that it ends", async || !cluster.metrics[0].serves().await).await;
    let version = caller.ingest(customer(7)).await.expect("an answer").version;
    let patience = if orders.is_empty() { PATIENCE } else { Duration::from_secs(2) };
    caller.freshness(version, patience).await.is_ok_and(|freshness| freshness.version >= version)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_still_answers_still_follows() {
    assert!(!followed_to_the_end("without:product.drained").await, "it followed although it should not");
    assert!(followed_to_the_end("").await, "figures stood still while calls were taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_when_replicas_are_killed() {
    let mut cluster = Cluster::start(SHAPE).await;
    let caller = Caller::of(&cluster);
    let first = caller.ingest_customers(0..3).await;
    caller.visible(first).await;
    let tally = Tally::default();
    let tasks = load(&cluster, &quick(), &tally);
    for _ in 0..if long() { 20 } else { 1 } {
        for process in cluster.processes_mut() {
            process.kill();
            // Long enough for everybody to run into it.
            tokio::time::sleep(Duration::from_millis(300)).await;
            process.again();
            process.wait_until_serving().await;
        }
    }
    tally.stop.store(true, Ordering::SeqCst);
    let version = tasks.join_all().await.into_iter().max().expect("tasks");
    println!("{} calls, {} failed", tally.calls.load(Ordering::SeqCst), tally.failures().len());
    assert_eq!(tally.failures(), Vec::<String>::new());
    caller.visible(version).await;
    assert!(caller.verify().await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_policy_calls_fail() {
    let mut cluster = Cluster::start(SHAPE).await;
    let caller = Caller::of(&cluster);
    let first = caller.ingest_customers(0..3).await;
    caller.visible(first).await;
    let tally = Tally::default();
    let tasks = load(&cluster, &ChannelConfig { attempts: 1, ..quick() }, &tally);
    // A slow machine makes few calls, and not every restart meets one.
    until("a failure", async || {
        cluster.ingestion[0].restart().await;
        cluster.reporting[0].restart().await;
        !tally.failures().is_empty()
    })
    .await;
    tally.stop.store(true, Ordering::SeqCst);
    tasks.join_all().await;
}
