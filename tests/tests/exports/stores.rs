//! Where files are kept: a directory and a bucket do the same.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;
use insights_access::{Clock, Role};
use insights_proto::metrics::v1::{Dimension, Measure};
use insights_proto::reporting::v1::{DeleteExportRequest, ExportFormat, ExportState};
use insights_reporting::{ExportsConfig, S3Config};
use insights_testkit::{Network, Proxy, until};
use insights_tests::product::{How, Person, Product};
use reqwest::StatusCode;
use reqwest::header::RANGE;
use tonic::Code;

use crate::hostile_names::{PARTNER, create, done, download, ended, get, only, order, query, sha256};
use crate::s3::S3;
use crate::ways::ticket;
use crate::wide;

/// A place for files.
enum Store {
    Folder,
    Bucket(S3),
}

impl Store {
    fn exports(&self) -> ExportsConfig {
        let s3 = match self {
            Self::Folder => Default::default(),
            Self::Bucket(s3) => s3.config(),
        };
        ExportsConfig { s3, ..ExportsConfig::default() }
    }

    /// The files in it, and whatever else there is.
    fn files(&self, product: &Product) -> Vec<PathBuf> {
        let own = product.export_files();
        match self {
            Self::Folder => own,
            Self::Bucket(s3) => {
                assert_eq!(own, Vec::<PathBuf>::new(), "nothing is kept beside the bucket");
                [s3.objects(), s3.parts()].concat()
            }
        }
    }
}

struct FilledProduct {
    product: Product,
    version: i64,
    store: Store,
}

impl FilledProduct {
    async fn start(store: Store, how: How) -> Self {
        let exports = store.exports();
        Self::start_with(store, How { exports, ..how }).await
    }

    async fn start_with(store: Store, how: How) -> Self {
        let product = Product::sqlite_with(how).await;
        let version = product.ingest(PARTNER, wide::records()).await;
        Self { product, version, store }
    }

    async fn person(&self) -> Person {
        self.product.person(&self.product.token(PARTNER, &[Role::ReportViewer], &[])).await
    }

    fn files(&self) -> Vec<PathBuf> {
        self.store.files(&self.product)
    }

    async fn delete(&self, person: &mut Person, id: &str) {
        let request = person.request(DeleteExportRequest { id: id.to_owned() });
        person.client.delete_export(request).await.unwrap();
    }
}

/// Of a file of several parts, of one that fits a part, and of one without a row.
async fn files_come_out_as_they_went_in(store: Store) {
    let filled = FilledProduct::start(store, How::default()).await;
    let mut owner = filled.person().await;
    let few = query(&[Measure::Available], &[]);
    let none = only(query(&[Measure::Available], &[Dimension::Customer]), Dimension::Country, "ZZ");
    let orders = [
        wide::everything(ExportFormat::Csv),
        wide::everything(ExportFormat::Xlsx),
        wide::everything(ExportFormat::Parquet),
        order(few, ExportFormat::Csv),
        order(none, ExportFormat::Tsv),
    ];
    for order in orders {
        let large = order == wide::everything(ExportFormat::Csv);
        let export = done(&mut owner, order, filled.version).await;
        assert!(!large || (export.bytes > 15 << 20 && export.rows == wide::ROWS), "{export:?}");
        let (whole, last) = download(&mut owner, &export.id, 0).await.unwrap();
        assert_eq!((sha256(&whole), last.bytes), (export.sha256.clone(), export.bytes));
        let offsets = [1, export.bytes / 2, (5 << 20) - 1, 5 << 20, export.bytes - 1, export.bytes];
        for offset in offsets.into_iter().filter(|offset| *offset <= export.bytes) {
            let (rest, _) = download(&mut owner, &export.id, offset).await.unwrap();
            assert!(rest == whole[usize::try_from(offset).unwrap()..], "from {offset}");
        }
        let path = ticket(&mut owner, &export.id).await.unwrap();
        let url = format!("http://{}{path}", filled.product.address);
        let tail = reqwest::Client::new().get(&url).header(RANGE, "bytes=-20").send().await.unwrap();
        assert_eq!(tail.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(tail.bytes().await.unwrap(), whole[whole.len() - 20..]);
        assert_eq!(filled.files().len(), 1, "the file and nothing else: {:?}", filled.files());

        filled.delete(&mut owner, &export.id).await;
        assert_eq!(filled.files(), Vec::<PathBuf>::new());
        assert_eq!(reqwest::get(&url).await.unwrap().status(), StatusCode::NOT_FOUND);
    }
}

/// A file that is gone without its row is said to be gone, and its row can still be removed.
async fn a_file_that_is_gone_is_not_found(store: Store) {
    let filled = FilledProduct::start(store, How::default()).await;
    let mut owner = filled.person().await;
    let export = done(&mut owner, wide::everything(ExportFormat::Csv), filled.version).await;
    for file in filled.files() {
        std::fs::remove_file(file).unwrap();
    }
    for offset in [0, export.bytes] {
        let refused = download(&mut owner, &export.id, offset).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound, "from {offset}: {refused:?}");
    }
    filled.delete(&mut owner, &export.id).await;
    assert_eq!(get(&mut owner, &export.id).await.unwrap_err().code(), Code::NotFound);
}

async fn after_its_time_the_file_is_gone(store: Store) {
    let ahead = Arc::new(AtomicI64::new(0));
    let days = Arc::clone(&ahead);
    let clock = Clock::new(move || Clock::system().now() + TimeDelta::days(days.load(Ordering::SeqCst)));
    let filled = FilledProduct::start(store, How { clock, ..How::default() }).await;
    done(&mut filled.person().await, wide::everything(ExportFormat::Csv), filled.version).await;
    assert_eq!(filled.product.reporting.sweep_exports().await.unwrap(), 0);
    assert_eq!(filled.files().len(), 1);
    ahead.store(15, Ordering::SeqCst);
    assert_eq!(filled.product.reporting.sweep_exports().await.unwrap(), 1);
    assert_eq!(filled.files(), Vec::<PathBuf>::new());
}

macro_rules! in_each_store {
    ($($test:ident),* $(,)?) => {
        mod folder {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(super::Store::Folder).await;
            })*
        }

        mod bucket {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(super::Store::Bucket(super::S3::start().await)).await;
            })*
        }
    };
}

in_each_store!(files_come_out_as_they_went_in, a_file_that_is_gone_is_not_found, after_its_time_the_file_is_gone);

/// The store of these tests takes signed calls alone, and a key that is wrong delays an export until it is right.
#[tokio::test(flavor = "multi_thread")]
async fn calls_are_signed_with_the_key_of_the_moment() {
    let s3 = S3::start().await;
    let secret = s3.config().secret_access_key_file;
    let right = std::fs::read_to_string(&secret).unwrap();
    let filled = FilledProduct::start(Store::Bucket(s3), How::default()).await;
    let mut owner = filled.person().await;
    std::fs::write(&secret, "another").unwrap();
    let export = create(&mut owner, wide::everything(ExportFormat::Csv), filled.version).await.unwrap();
    until("a second attempt", async || get(&mut owner, &export.id).await.unwrap().attempts >= 2).await;
    assert_eq!(filled.files(), Vec::<PathBuf>::new());
    std::fs::write(&secret, right).unwrap();
    let export = ended(&mut owner, &export.id).await;
    assert_eq!(export.state(), ExportState::Done, "{export:?}");
    let (whole, _) = download(&mut owner, &export.id, 0).await.unwrap();
    assert_eq!(sha256(&whole), export.sha256);

    let Store::Bucket(s3) = &filled.store else { unreachable!() };
    let file = s3.objects().pop().unwrap();
    let name = file.strip_prefix(file.ancestors().nth(2).unwrap()).unwrap().display().to_string();
    let unsigned = reqwest::get(s3.url(&name)).await.unwrap();
    assert_eq!(unsigned.status(), StatusCode::FORBIDDEN, "{name}");
}

/// A store that is away delays exports, and downloads say that it will pass.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_waited_for() {
    let s3 = S3::start().await;
    let way = Proxy::to(s3.address()).await;
    let exports = ExportsConfig { s3: S3Config { endpoint: way.url(), ..s3.config() }, ..ExportsConfig::default() };
    let filled = FilledProduct::start_with(Store::Bucket(s3), How { exports, ..How::default() }).await;
    let mut owner = filled.person().await;
    let before = done(&mut owner, wide::everything(ExportFormat::Csv), filled.version).await;
    let path = ticket(&mut owner, &before.id).await.unwrap();

    way.set(Network::Down);
    let export = create(&mut owner, wide::everything(ExportFormat::Parquet), filled.version).await.unwrap();
    for offset in [0, before.bytes] {
        let refused = download(&mut owner, &before.id, offset).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    }
    let url = format!("http://{}{path}", filled.product.address);
    assert_eq!(reqwest::get(&url).await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);

    way.set(Network::Up);
    let export = ended(&mut owner, &export.id).await;
    assert_eq!(export.state(), ExportState::Done, "{export:?}");
    for export in [&before, &export] {
        let (whole, _) = download(&mut owner, &export.id, 0).await.unwrap();
        assert_eq!(sha256(&whole), export.sha256);
    }
    assert_eq!(filled.files().len(), 2);
}
