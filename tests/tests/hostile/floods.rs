//! Floods of frames, and connections that are held.

use insights_testkit::{Authority, Process, Spec};
use tokio::net::TcpStream;

use crate::{
    frames::{Flood, flood},
    target::Target,
};

/// What the process may take beyond what it has at rest, in KiB.
const ABOVE_REST: usize = 64 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_frames_are_cut_off_or_harmless() {
    let mut target = Target::start(|spec| spec).await;
    let mut honest = target.honest().await;
    let rest = target.memory("VmHWM:");
    let turns = if insights_tests::running::long() { 2_000_000 } else { 20_000 };
    for kind in Flood::ALL {
        let address = target.process.address();
        let floods = (0..3).map(|_| tokio::spawn(flood(address, kind, turns)));
        let floods = futures::future::join_all(floods.collect::<Vec<_>>());
        let (ended, ()) = tokio::join!(floods, honest.ask_and_compare(5));
        let ended: Vec<bool> = ended.into_iter().map(Result::unwrap).collect();
        assert!(!kind.is_cut_off() || ended.iter().all(|ended| *ended), "{kind:?}: {ended:?}");
        let peak = target.memory("VmHWM:");
        assert!(peak < rest + ABOVE_REST, "{kind:?}: {rest} KiB at rest, {peak} at most");
        assert!(target.process.is_running(), "{kind:?}");
    }
    honest.ask_and_compare(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_descriptors_left_takes_new_callers() {
    let few = |spec: Spec| spec.limited("ulimit -n 200").set("limits.connections.new_per_peer", 1000);
    let target = Target::start(few).await;
    let mut honest = target.honest().await;
    let mut silent = Vec::new();
    for _ in 0..400 {
        silent.push(TcpStream::connect(target.process.address()).await.unwrap());
    }
    assert!(target.process.serves().await, "a new connection is taken");
    honest.ask_and_compare(3).await;
    let log = target.process.log();
    // Once a minute, however often it happens.
    let said = log.matches("no connection can be taken").count();
    assert!((1..=3).contains(&said), "{log}");
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_guard_a_process_without_descriptors_takes_nobody() {
    let few = |spec: Spec| {
        let spec = spec.limited("ulimit -n 200").set("limits.connections.new_per_peer", 1000);
        spec.variable("INSIGHTS_FAIL_POINTS", "without:service.connections,without:service.idle")
    };
    let target = Target::start(few).await;
    let mut silent = Vec::new();
    // No more than the system keeps for a process that does not take them.
    for _ in 0..220 {
        silent.push(TcpStream::connect(target.process.address()).await.unwrap());
    }
    let serves = tokio::time::timeout(std::time::Duration::from_secs(5), target.process.serves()).await;
    assert!(!serves.unwrap_or_default(), "what the guard is for");
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_that_do_not_go_on_keep_nobody_waiting() {
    insights_service::install_crypto();
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let signed = authority.sign("server");
    let spec = Spec::new("tls", &[], folder.path()).tls(&signed.certificate, &signed.key, &authority.ca());
    let process = Process::start(spec).await;
    let mut silent = Vec::new();
    for _ in 0..600 {
        silent.push(TcpStream::connect(process.address()).await.unwrap());
    }
    for _ in 0..3 {
        assert!(process.serves().await);
    }
    drop(silent);
}
