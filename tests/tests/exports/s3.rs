//! An S3 store over HTTP that checks signatures. Its objects are files in a folder that tests can look into.

use std::net::SocketAddr;
use std::path::PathBuf;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use insights_reporting::S3Config;
use insights_tests::product::files;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The bucket.
const BUCKET: &str = "files";
/// Under which name of objects the product keeps its own.
const PREFIX: &str = "insights/exports";
/// The key that calls are signed with.
const KEY: (&str, &str) = ("tester", "a secret of tests");

/// A store with an empty bucket. It ends with the value.
#[derive(Debug)]
pub struct S3 {
    address: SocketAddr,
    folder: TempDir,
    _stop: DropGuard,
}

impl S3 {
    /// Starts it.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("store").join(BUCKET)).expect("a bucket");
        insights_testkit::write_secret(folder.path().join("secret"), format!("{}\n", KEY.1)).expect("the secret");
        let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path().join("store")).expect("a store"));
        service.set_auth(SimpleAuth::from_single(KEY.0, KEY.1));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            loop {
                let socket = tokio::select! {
                    accepted = listener.accept() => accepted.expect("a connection").0,
                    () = stopped.cancelled() => return,
                };
                let service = service.clone();
                tokio::spawn(async move {
                    // The caller has disconnected.
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { address, folder, _stop: stop.drop_guard() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of an object of the product's.
    pub fn url(&self, object: &str) -> String {
        format!("http://{}/{BUCKET}/{PREFIX}/{object}", self.address)
    }

    /// Settings that keep exports here.
    pub fn config(&self) -> S3Config {
        S3Config {
            bucket: BUCKET.into(),
            prefix: PREFIX.into(),
            endpoint: format!("http://{}", self.address),
            access_key_id: KEY.0.into(),
            secret_access_key_file: self.folder.path().join("secret"),
            allow_http: true,
            part_mebibytes: 5,
            ..S3Config::default()
        }
    }

    /// The same as environment variables of a process.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let config = self.config();
        vec![
            ("INSIGHTS_EXPORTS_S3_BUCKET", config.bucket),
            ("INSIGHTS_EXPORTS_S3_PREFIX", config.prefix),
            ("INSIGHTS_EXPORTS_S3_ENDPOINT", config.endpoint),
            ("INSIGHTS_EXPORTS_S3_ACCESS_KEY_ID", config.access_key_id),
            ("INSIGHTS_EXPORTS_S3_SECRET_ACCESS_KEY_FILE", config.secret_access_key_file.display().to_string()),
            ("INSIGHTS_EXPORTS_S3_ALLOW_HTTP", config.allow_http.to_string()),
            ("INSIGHTS_EXPORTS_S3_PART_MEBIBYTES", config.part_mebibytes.to_string()),
        ]
    }

    /// The objects that anybody could read.
    pub fn objects(&self) -> Vec<PathBuf> {
        files(&self.folder.path().join("store").join(BUCKET))
    }

    /// Parts of uploads that were neither completed nor aborted.
    pub fn parts(&self) -> Vec<PathBuf> {
        let hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().contains(".part-"));
        files(&self.folder.path().join("store")).into_iter().filter(hidden).collect()
    }
}
