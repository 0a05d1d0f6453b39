//! A process with little memory, and small requests that would take much.

use insights_access::Role;
use insights_tests::wire::{Answer, frame};
use tonic::Code;

use crate::{
    attack::packed,
    target::{CUSTOMERS, INGEST, Target},
};

const DYNAMICS: &str = "/insights.reporting.v1.ReportingService/GetDynamicsUsageDashboard";
const ADVICE: &str = "/insights.reporting.v1.ReportingService/ListAdvice";

/// The address space of the process, in KiB; an allocator reserves more of it than it uses.
const SPACE: usize = 4_000_000;
/// What requests may take by setting, in bytes.
const BUDGET: usize = 64 << 20;
/// What the process may take beyond what it has at rest, in KiB: the budget, and as much for what arrives.
const ABOVE_REST: usize = 2 * (BUDGET >> 10);

/// Starts the product with little memory and these orders.
async fn start(orders: &str) -> Target {
    Target::start(|spec| {
        let spec = spec.limited(&format!("ulimit -v {SPACE}")).set("limits.messages.memory_bytes", BUDGET);
        spec.variable("INSIGHTS_FAIL_POINTS", orders)
    })
    .await
}

/// A page of filters: so many times this one.
fn page(filter: &[u8], count: usize) -> Vec<u8> {
    nested(0x0a, &filter.repeat(count))
}

fn nested(key: u8, inner: &[u8]) -> Vec<u8> {
    let mut outer = vec![key];
    prost::encoding::encode_varint(inner.len() as u64, &mut outer);
    outer.extend_from_slice(inner);
    outer
}

/// Requests that take little on the way and would take much in memory: method, role, body as sent.
pub fn bombs() -> Vec<(&'static str, Role, Vec<u8>)> {
    let codes = nested(0x1a, &vec![1; 15_000_000]);
    vec![
        (INGEST, Role::DataSource, packed(&b"\x12\x00".repeat(8_000_000))),
        (CUSTOMERS, Role::ReportViewer, packed(&page(b"\x22\x00", 3_900_000))),
        (DYNAMICS, Role::ReportViewer, frame(&b"\x1a\x00".repeat(5_000_000))),
        (ADVICE, Role::SalesAgent, frame(&codes)),
        (CUSTOMERS, Role::ReportViewer, frame(&page(&nested(0x22, &b"\x12\x00".repeat(1_000)), 1_000))),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn small_requests_take_little() {
    let mut target = start("").await;
    let own = target.token("acme", Role::GlobalAdmin);
    assert_eq!(target.send(&own, CUSTOMERS, &frame(b"")).await.unwrap().code(), Code::Ok);
    let rest = target.memory("VmHWM:");
    for (path, role, body) in bombs() {
        let token = target.token("acme", role);
        // Four at once.
        let at_once = (0..4).map(|_| target.send(&token, path, &body));
        for answer in futures::future::join_all(at_once).await {
            // A body that is too large may be answered before it was sent.
            let code = answer.as_ref().map(Answer::code);
            assert!(
                code.is_none_or(|code| matches!(code, Code::InvalidArgument | Code::ResourceExhausted)),
                "{answer:?}"
            );
        }
        let peak = target.memory("VmHWM:");
        println!("{path} {} bytes four times: {} KiB above rest", body.len(), peak - rest);
        assert!(peak < rest + ABOVE_REST, "{path}: {rest} KiB at rest, {peak} at most");
        assert!(target.process.is_running(), "{path}");
    }
    let answer = target.send(&own, CUSTOMERS, &frame(b"")).await.unwrap();
    assert_eq!(answer.code(), Code::Ok, "and serves: {answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_guards_the_first_ends_the_process() {
    let mut target = start("without:service.elements,without:service.memory").await;
    let token = target.token("acme", Role::DataSource);
    let (path, _, body) = bombs().swap_remove(0);
    let at_once = (0..3).map(|_| target.send(&token, path, &body));
    let answers = futures::future::join_all(at_once).await;
    let gone = target.process.ends_within(std::time::Duration::from_secs(5)).is_some();
    assert!(gone, "the process still runs: {answers:?}");
}
