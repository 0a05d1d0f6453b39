//! Everything at once: three who mean harm beside one who does not, in a process with little memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use insights_access::Role;
use insights_proto::metrics::v1::{Dimension, Measure, Query};
use insights_proto::reporting::v1::QueryRequest;
use insights_tests::{running::long, wire::frame};
use prost::Message;
use tokio::net::TcpStream;

use crate::{
    frames::{Flood, flood},
    memory::bombs,
    target::{INGEST, STORM, Target},
};

/// Address space and peak of memory, in KiB. An allocator reserves more of the first than it uses.
const SPACE: usize = 4_000_000;
const PEAK: usize = 1_000_000;

/// A query with as much in it as is allowed.
fn heavy() -> Vec<u8> {
    let query = Query {
        measures: Measure::all()
            .filter(|measure| *measure != Measure::BilledRevenue)
            .map(Into::into)
            .take(14)
            .collect(),
        group_by: [Dimension::Customer, Dimension::Sku, Dimension::Country, Dimension::Segment]
            .map(Into::into)
            .to_vec(),
        from_month: "2024-01".into(),
        to_month: "2025-03".into(),
        ..Query::default()
    };
    frame(&QueryRequest { query: Some(query), ..QueryRequest::default() }.encode_to_vec())
}

/// Attacks until it is told to stop; counts what was done.
struct Attackers {
    target: Arc<Target>,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
}

impl Attackers {
    fn spawn<F: Future<Output = ()> + Send + 'static>(
        &self,
        attack: impl Fn(Arc<Target>) -> F + Send + 'static,
    ) -> tokio::task::JoinHandle<()> {
        let (target, stop, done) = (Arc::clone(&self.target), Arc::clone(&self.stop), Arc::clone(&self.done));
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                attack(Arc::clone(&target)).await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        })
    }

    fn begin(&self) -> Vec<tokio::task::JoinHandle<()>> {
        let source = self.target.token(STORM, Role::DataSource);
        let viewer = self.target.token(STORM, Role::ReportViewer);
        let (_, _, bomb) = bombs().swap_remove(0);
        let mut all = vec![
            // A data source that sends little which would become much.
            self.spawn(move |target| {
                let (source, bomb) = (source.clone(), bomb.clone());
                async move { drop(target.send(&source, INGEST, &bomb).await) }
            }),
            // Somebody without a token: floods, and connections that say nothing.
            self.spawn(move |target| async move {
                let address = target.process.address();
                let mut silent = Vec::new();
                for _ in 0..100 {
                    silent.extend(TcpStream::connect(address).await);
                }
                for kind in Flood::ALL {
                    flood(address, kind, 2_000).await;
                }
            }),
        ];
        // A viewer with many heavy queries at once.
        for _ in 0..20 {
            let viewer = viewer.clone();
            all.push(self.spawn(move |target| {
                let viewer = viewer.clone();
                async move {
                    let path = "/insights.reporting.v1.ReportingService/Query";
                    drop(target.send(&viewer, path, &heavy()).await);
                }
            }));
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_partner_is_served_beside_three_who_mean_harm() {
    let little = |spec: insights_testkit::Spec| {
        spec.limited(&format!("ulimit -v {SPACE}")).set("limits.messages.memory_bytes", 64 << 20)
    };
    let target = Arc::new(Target::start(little).await);
    target.fill(STORM, 400).await;
    let mut honest = target.honest().await;
    honest.ask_and_compare(if long() { 1_000 } else { 20 }).await;
    let idle = honest.p99();
    let attackers = Attackers { target: Arc::clone(&target), stop: Arc::default(), done: Arc::default() };
    let tasks = attackers.begin();
    let (began, lasts) = (Instant::now(), Duration::from_secs(if long() { 600 } else { 0 }));
    // At least so much of each.
    while began.elapsed() < lasts || attackers.done.load(Ordering::Relaxed) < 60 {
        honest.ask_and_compare(5).await;
    }
    attackers.stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let (under_attack, peak) = (honest.p99(), target.memory("VmHWM:"));
    println!("p99 idle {idle:?}, under attack {under_attack:?}; {peak} KiB at most");
    assert!(peak < PEAK, "{peak} KiB");
    honest.ask_and_compare(3).await;
}
