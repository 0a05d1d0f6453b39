//! What each guard is for: the same thing happens twice, with the guard and without it, and harm is seen without it only.

use std::{net::TcpStream, sync::Arc};

use insights_access::Role;
use insights_proto::ingestion::v1::{IngestBatchRequest, record::Kind};
use insights_testkit::{PATIENCE, Process, free_address, until};
use insights_tests::records;
use insights_tests::running::{
    Kind as Serves, Place,
    facts::{WITNESS, witness_sku},
    figures::verify,
    ledger::Ledger,
    place::{Setting, channel},
    reader::{Reader, witnesses},
    writer::Writer,
};

/// An installation of processes that pause where a test wants them to.
struct Stage {
    place: Arc<Place>,
    ledger: Arc<Ledger>,
}

impl Stage {
    fn new() -> Self {
        let place = Place::postgres();
        place.done(&["migrate"]);
        Self { place: Arc::new(place), ledger: Arc::default() }
    }

    fn start(&self, kind: Serves, setting: &Setting) -> Process {
        let mut setting = setting.clone();
        // Calls may be held up for as long as it takes.
        for limit in ["INSIGHTS_LIMITS_DEADLINE_SECONDS", "INSIGHTS_LIMITS_DRAIN_SECONDS"] {
            setting.environment.push((limit, PATIENCE.as_secs().to_string()));
        }
        self.place.start(kind, free_address(), &setting)
    }

    fn writer(&self, of: &Process) -> Writer {
        let writer = Writer::several(&self.place, 1, &[channel(of.address())], &self.ledger, 1).remove(0);
        Writer { deadline: PATIENCE, ..writer }
    }

    fn reader(&self, of: &Process) -> Reader {
        let reader = Reader::new(&self.place, "reader", &[channel(of.address())], &self.ledger);
        Reader { deadline: PATIENCE, ..reader }
    }
}

/// A customer with a seat of the SKU of the witnesses.
fn witness(number: usize) -> Vec<Kind> {
    let (customer, subscription) = (format!("W-{number}"), format!("S-{number}"));
    vec![
        records::customer(&customer, |_| {}),
        records::subscription(&subscription, &customer, WITNESS, |_| {}),
        records::state(&subscription, "2024-01-05", "Active", 1),
    ]
}

fn ground() -> Vec<Kind> {
    vec![witness_sku(), records::complete_through("2024-04-20")]
}

fn batch(records: Vec<Kind>) -> IngestBatchRequest {
    records::batch("", records)
}

/// Waits until a process has come to its pause.
async fn reached(file: &std::path::Path) {
    until("the pause", async || file.exists()).await;
}

/// Two replicas of ingestion store a customer each; the first is held up between reading the partner's version and committing.
/// Returns how many of three customers the figures know in the end, and how many figures differ from the facts.
async fn versions(guard: &str) -> (i64, u64) {
    let stage = Stage::new();
    let file = stage.place.beside("paused");
    // The third version is that of the second customer.
    let fail_points =
        |order: &str| [order, guard].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(",");
    let plain = Setting { fail_points: fail_points(""), ..Setting::default() };
    let other = stage.start(Serves::Ingestion, &plain);
    let (ahead, late) = (
        stage.writer(&other),
        Setting {
            fail_points: fail_points(&format!("pause:ingestion.version_read:1:{}", file.display())),
            ..Setting::default()
        },
    );
    ahead.call(0, batch(ground())).await.unwrap();
    ahead.call(0, batch(witness(0))).await.unwrap();
    let metrics = stage.start(Serves::Metrics, &Setting { ingestion: Some(other.address()), ..Setting::default() });
    let reporting = stage.start(Serves::Reporting, &Setting { metrics: Some(metrics.address()), ..Setting::default() });
    let reader = stage.reader(&reporting);
    let paused = stage.start(Serves::Ingestion, &late);
    let held_up = stage.writer(&paused);
    let first = tokio::spawn(async move { held_up.call(0, batch(witness(1))).await });
    reached(&file).await;
    // With the guard this waits for the first; without it, it overtakes and is followed.
    let second = tokio::spawn(async move { ahead.call(0, batch(witness(2))).await });
    if guard.is_empty() {
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until("the second waits", async || stage.place.number("ingestion", waiting).await > 0).await;
    } else {
        until("the second is followed", async || witnesses(&reader.call(0, 0).await.unwrap()) == 2).await;
    }
    std::fs::remove_file(&file).unwrap();
    let first = first.await.unwrap().unwrap().version;
    let second = second.await.unwrap().unwrap().version;
    let answer = reader.call(0, first.max(second)).await.unwrap();
    (witnesses(&answer), verify(&stage.place, reporting.address()).1)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_partners_row_held_a_version_is_skipped() {
    assert_eq!(versions("").await, (3, 0));
    let (known, differences) = versions("without:ingestion.version_lock").await;
    assert_eq!(known, 2, "a follower passed a transaction that was still open");
    assert!(differences > 0, "and verify sees it");
}

/// A replica of metrics is held up between reading its position and taking it, and meanwhile another goes on. Then that one is gone,
/// something else comes, and the first crashes right after its commit. Returns the version of the figures before and after.
async fn positions(guard: &str) -> (i64, i64) {
    let stage = Stage::new();
    let file = stage.place.beside("paused");
    let ingestion = stage.start(Serves::Ingestion, &Setting::default());
    let writer = stage.writer(&ingestion);
    writer.call(0, batch(ground())).await.unwrap();
    let of = |fail_points: String| Setting { ingestion: Some(ingestion.address()), fail_points, ..Setting::default() };
    let fail_points = format!("pause:metrics.planned:1:{},abort:metrics.committed:1,{guard}", file.display());
    let mut late = stage.start(Serves::Metrics, &of(fail_points));
    reached(&file).await;
    let mut other = stage.start(Serves::Metrics, &of(String::new()));
    let reporting = stage.start(Serves::Reporting, &Setting { metrics: Some(other.address()), ..Setting::default() });
    let reader = stage.reader(&reporting);
    let version = writer.call(0, batch(witness(0))).await.unwrap().version;
    let before = reader.call(0, version).await.unwrap().freshness.unwrap().version;
    other.kill();
    writer.call(0, batch(witness(1))).await.unwrap();
    std::fs::remove_file(&file).unwrap();
    // With the guard it finds the position moved, looks again and commits what is new.
    assert!(late.ends_within(PATIENCE).is_some(), "it never commits");
    // What the tables hold is what any replica shows.
    let sql = "SELECT version FROM rollup_partner";
    (before, stage.place.number("metrics", sql).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_position_compared_figures_go_back() {
    let (before, after) = positions("").await;
    assert!(after > before, "{after} after {before}");
    let (before, after) = positions("without:metrics.position").await;
    assert!(after < before, "{after} after {before}");
}

/// A sender whose answer was lost on the way sends a batch again, after another was stored. Returns the seats that count.
async fn repeats(guard: &str) -> i64 {
    let stage = Stage::new();
    let everything = stage.start(Serves::Everything, &Setting { fail_points: guard.into(), ..Setting::default() });
    let (writer, reader) = (stage.writer(&everything), stage.reader(&everything));
    writer.call(0, batch(ground())).await.unwrap();
    let with_seats = |id: &str, there: bool| {
        let mut records = witness(0);
        if let Kind::SubscriptionState(state) = &mut records[2] {
            state.status = if there { "Active" } else { "Deleted" }.into();
        }
        IngestBatchRequest { batch_id: id.into(), ..batch(records) }
    };
    let first = writer.call(0, with_seats("one", true)).await.unwrap();
    writer.call(0, with_seats("two", false)).await.unwrap();
    let again = writer.call(0, with_seats("one", true)).await.unwrap();
    assert_eq!(again == first, guard.is_empty());
    let token = stage.place.token("x", Role::DataSource, &[]);
    assert!(!token.is_empty());
    // Another one, so that the version asked for is the newest.
    let last = writer.call(0, batch(witness(1))).await.unwrap();
    witnesses(&reader.call(0, last.version).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_batch_ids_a_repeat_undoes_what_came_after() {
    assert_eq!(repeats("").await, 1);
    assert_eq!(repeats("without:ingestion.batch_id").await, 2);
}

/// A process is asked to end while it works on a batch. Returns whether the batch was answered.
async fn asked_to_end(guard: &str) -> bool {
    let stage = Stage::new();
    let file = stage.place.beside("paused");
    let fail_points = format!("pause:ingestion.before_answer:2:{},{guard}", file.display());
    let process = stage.start(Serves::Ingestion, &Setting { fail_points, ..Setting::default() });
    let writer = stage.writer(&process);
    writer.call(0, batch(ground())).await.unwrap();
    let ending = async {
        reached(&file).await;
        process.terminate();
        until("it takes no more calls", async || TcpStream::connect(process.address()).is_err()).await;
        std::fs::remove_file(&file).unwrap();
    };
    let (answer, ()) = tokio::join!(writer.call(0, batch(witness(0))), ending);
    answer.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_draining_a_call_under_way_is_lost() {
    assert!(asked_to_end("").await, "calls under way end before the process does");
    assert!(!asked_to_end("without:service.drain").await, "nothing was lost without draining");
}
