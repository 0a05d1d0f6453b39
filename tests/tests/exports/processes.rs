//! Exports by processes that are killed: what one began another goes on with, and nothing half-done is seen or stays.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use insights_access::Role;
use insights_proto::ingestion::v1::ingestion_service_client::IngestionServiceClient;
use insights_proto::reporting::v1::{CancelExportRequest, Export, ExportFormat, ExportState};
use insights_testkit::{Network, Process, Proxy, free_address, until};
use insights_tests::product::{Person, files};
use insights_tests::running::place::{Setting, channel};
use insights_tests::running::{Kind, Place};
use tonic::Request;

use crate::hostile_names::{create, download, ended, get, sha256};
use crate::s3::S3;
use crate::wide;

/// Messages of rows after which a writer is halted: some 11 of 18 MB, of which a store has the first parts.
const HALF: usize = 6;

/// An installation, and where its files are.
struct FilledProduct {
    place: Place,
    s3: Option<S3>,
}

impl FilledProduct {
    fn new(place: Place, s3: Option<S3>) -> Self {
        place.done(&["migrate"]);
        Self { place, s3 }
    }

    /// A process that writes exports, and makes the file when it is half-way through one.
    fn setting(&self, halts: bool) -> Setting {
        let mut environment = self.s3.as_ref().map(S3::environment).unwrap_or_default();
        // Leases end when a test says so: a writer that only stands still for a while keeps its own.
        environment.push(("INSIGHTS_EXPORTS_LEASE_SECONDS", "600".into()));
        environment.push(("INSIGHTS_EXPORTS_POLL_MILLISECONDS", "100".into()));
        environment.push(("INSIGHTS_TELEMETRY_LOG", "warn,insights_reporting=info".into()));
        let fail_points = match halts {
            true => format!("pause:reporting.export_rows:{HALF}:{}", self.halted().display()),
            false => String::new(),
        };
        Setting { environment, fail_points, ..Setting::default() }
    }

    fn halted(&self) -> PathBuf {
        self.place.beside("halted")
    }

    fn start(&self, kind: Kind, halts: bool, metrics: Option<SocketAddr>) -> Process {
        self.place.start(kind, free_address(), &Setting { metrics, ..self.setting(halts) })
    }

    async fn ingest(&self, at: SocketAddr) -> i64 {
        let mut request = Request::new(wide::batch());
        let token = self.place.token("feed", Role::DataSource, &[]);
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let answer = IngestionServiceClient::new(channel(at)).ingest_batch(request).await.unwrap().into_inner();
        assert_eq!(answer.rejections, []);
        answer.version
    }

    fn owner(&self, at: SocketAddr) -> Person {
        Person::new(channel(at), &self.place.token("ada", Role::ReportViewer, &[]))
    }

    /// Files that a reader of the store could see.
    fn visible(&self) -> Vec<PathBuf> {
        let half = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.contains('#') || name.contains(".upload")
        };
        self.everything().into_iter().filter(|path| !half(path) && !is_part(path)).collect()
    }

    /// Files, and what there is of files that are under way.
    fn everything(&self) -> Vec<PathBuf> {
        let own = files(&self.place.beside("data").join("exports"));
        match &self.s3 {
            None => own,
            Some(s3) => {
                assert_eq!(own, Vec::<PathBuf>::new(), "nothing is kept beside the bucket");
                [s3.objects(), s3.parts()].concat()
            }
        }
    }

    /// Waits until the writer is halted half-way, with a part of the file in the store.
    async fn half_way(&self) {
        until("half of the file is written", async || self.halted().exists() && !self.everything().is_empty()).await;
        if let Some(s3) = &self.s3 {
            until("the store has a part", async || !s3.parts().is_empty()).await;
        }
        assert_eq!(self.visible(), Vec::<PathBuf>::new(), "a half file is seen by nobody");
    }

    /// Ends the lease of the replica that writes.
    async fn end_the_lease(&self) {
        self.place.execute("reporting", "UPDATE export_job SET lease_until_micros = 1").await;
    }

    /// The file, all of it, and nothing else.
    async fn check(&self, owner: &mut Person, export: &Export) {
        assert_eq!((export.state(), export.rows), (ExportState::Done, wide::ROWS), "{export:?}");
        let (bytes, _) = download(owner, &export.id, 0).await.unwrap();
        assert_eq!(sha256(&bytes), export.sha256);
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(i64::try_from(lines).unwrap(), wide::ROWS + 1);
        assert_eq!(self.everything().len(), 1, "what was half-done is gone: {:?}", self.everything());
    }
}

fn is_part(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains(".part-"))
}

async fn a_killed_process_writes_its_export_after_its_start(s3: Option<S3>) {
    let filled = FilledProduct::new(Place::sqlite(), s3);
    let mut process = filled.start(Kind::Everything, true, None);
    let version = filled.ingest(process.address()).await;
    let order = wide::everything(ExportFormat::Csv);
    let export = create(&mut filled.owner(process.address()), order, version).await.unwrap();
    filled.half_way().await;
    process.kill();
    // The part of a file that a crash leaves is not visible, and stays until a replica resumes the export.
    assert!(!filled.everything().is_empty());
    filled.end_the_lease().await;

    let again = filled.start(Kind::Everything, false, None);
    let mut owner = filled.owner(again.address());
    let export = ended(&mut owner, &export.id).await;
    assert_eq!(export.attempts, 2);
    filled.check(&mut owner, &export).await;
}

async fn a_replica_goes_on_with_what_another_began(s3: Option<S3>) {
    let filled = FilledProduct::new(Place::postgres(), s3);
    let ingestion = filled.start(Kind::Ingestion, false, None);
    let setting = Setting { ingestion: Some(ingestion.address()), ..Setting::default() };
    let metrics = filled.place.start(Kind::Metrics, free_address(), &setting);
    let version = filled.ingest(ingestion.address()).await;
    let mut first = filled.start(Kind::Reporting, true, Some(metrics.address()));
    let order = wide::everything(ExportFormat::Csv);
    let export = create(&mut filled.owner(first.address()), order, version).await.unwrap();
    filled.half_way().await;
    let second = filled.start(Kind::Reporting, false, Some(metrics.address()));
    let mut owner = filled.owner(second.address());
    assert_eq!(get(&mut owner, &export.id).await.unwrap().state(), ExportState::Running);
    first.kill();
    filled.end_the_lease().await;
    let export = ended(&mut owner, &export.id).await;
    assert_eq!(export.attempts, 2);
    filled.check(&mut owner, &export).await;
    // Any other downloads it as well.
    let third = filled.start(Kind::Reporting, false, Some(metrics.address()));
    filled.check(&mut filled.owner(third.address()), &export).await;
}

async fn a_writer_that_was_only_asleep_changes_nothing(s3: Option<S3>) {
    let filled = FilledProduct::new(Place::postgres(), s3);
    let ingestion = filled.start(Kind::Ingestion, false, None);
    let setting = Setting { ingestion: Some(ingestion.address()), ..Setting::default() };
    let metrics = filled.place.start(Kind::Metrics, free_address(), &setting);
    let version = filled.ingest(ingestion.address()).await;
    let sleeper = filled.start(Kind::Reporting, true, Some(metrics.address()));
    let order = wide::everything(ExportFormat::Csv);
    let export = create(&mut filled.owner(sleeper.address()), order, version).await.unwrap();
    filled.half_way().await;
    sleeper.freeze();
    filled.end_the_lease().await;
    let second = filled.start(Kind::Reporting, false, Some(metrics.address()));
    let mut owner = filled.owner(second.address());
    let export = ended(&mut owner, &export.id).await;
    assert_eq!(export.attempts, 2);
    filled.check(&mut owner, &export).await;
    std::fs::remove_file(filled.halted()).unwrap();
    sleeper.thaw();
    // It looks every 100 ms whether the export is still its own; what it did until then is gone when it has noticed.
    until("it notices", async || sleeper.log().contains("taken over by another replica")).await;
    until("what it did is gone", async || filled.everything().len() == 1).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut awake = filled.owner(sleeper.address());
    assert_eq!(get(&mut awake, &export.id).await.unwrap(), export);
    filled.check(&mut awake, &export).await;
}

async fn what_is_stopped_half_way_leaves_nothing(s3: Option<S3>) {
    let filled = FilledProduct::new(Place::sqlite(), s3);
    let process = filled.start(Kind::Everything, true, None);
    let version = filled.ingest(process.address()).await;
    let mut owner = filled.owner(process.address());
    let export = create(&mut owner, wide::everything(ExportFormat::Csv), version).await.unwrap();
    filled.half_way().await;
    let request = owner.request(CancelExportRequest { id: export.id.clone() });
    let stopped = owner.client.cancel_export(request).await.unwrap().into_inner().export.unwrap();
    assert_eq!(stopped.state(), ExportState::Cancelled);
    // The one who encodes is still halted: the rest ends without them.
    until("nothing remains", async || filled.everything().is_empty()).await;
    std::fs::remove_file(filled.halted()).unwrap();
    // When the next one is written there is nothing else.
    let next = create(&mut owner, wide::everything(ExportFormat::Csv), version).await.unwrap();
    let next = ended(&mut owner, &next.id).await;
    filled.check(&mut owner, &next).await;
    assert_eq!(get(&mut owner, &export.id).await.unwrap().state(), ExportState::Cancelled);
}

/// The connection breaks while the command downloads, and then for good; the next one goes on where it stopped.
async fn a_broken_download_resumes(s3: Option<S3>) {
    let filled = FilledProduct::new(Place::sqlite(), s3);
    let process = filled.start(Kind::Everything, false, None);
    let version = filled.ingest(process.address()).await;
    let mut owner = filled.owner(process.address());
    let export = create(&mut owner, wide::everything(ExportFormat::Csv), version).await.unwrap();
    let export = ended(&mut owner, &export.id).await;
    let proxy = Proxy::to(process.address()).await;
    insights_testkit::write_secret(filled.place.beside("token"), filled.place.token("ada", Role::ReportViewer, &[]))
        .unwrap();
    let out = filled.place.beside("file.csv");
    let part = filled.place.beside("file.csv.part");
    let command = || {
        let mut command = filled.place.command();
        command.env("INSIGHTS_TOKEN_FILE", filled.place.beside("token")).env("INSIGHTS_SERVER", proxy.url());
        command.args(["export", "download", &export.id, "--out"]).arg(&out);
        command
    };
    let size = || std::fs::metadata(&part).map_or(0, |file| file.len());
    // Slow enough to be caught half-way.
    proxy.set(Network::Slow(Duration::from_millis(60)));
    let mut broken = command().spawn().unwrap();
    until("something arrived", async || size() > 100_000).await;
    proxy.cut();
    let before = size();
    until("more arrived after the cut", async || size() > before + 100_000).await;
    proxy.set(Network::Down);
    until("it gave up", async || broken.try_wait().unwrap().is_some()).await;
    assert!(!broken.wait().unwrap().success() && !out.exists());
    let kept = size();
    assert!(kept > 200_000 && kept < u64::try_from(export.bytes).unwrap(), "{kept} of {}", export.bytes);

    proxy.set(Network::Up);
    let output = command().output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bytes = std::fs::read(&out).unwrap();
    assert_eq!((sha256(&bytes), part.exists()), (export.sha256.clone(), false));
}

macro_rules! in_each_store {
    ($($test:ident),* $(,)?) => {
        mod folder {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(None).await;
            })*
        }

        mod bucket {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(Some(super::S3::start().await)).await;
            })*
        }
    };
}

in_each_store!(
    a_killed_process_writes_its_export_after_its_start,
    a_replica_goes_on_with_what_another_began,
    a_writer_that_was_only_asleep_changes_nothing,
    what_is_stopped_half_way_leaves_nothing,
    a_broken_download_resumes,
);
