//! Store in a bucket of an S3 store.
//!
//! A file that fits one part is put at once. The parts of a larger file are uploaded while it is written, two at a time, and the
//! store assembles them at the end. The store keeps, and charges for, the parts of an upload that is never completed; therefore the
//! upload's id is stored in a small object, `ATTEMPT.upload`, so that another worker can abort the upload after a crash.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    Certificate, ClientOptions, CredentialProvider, Error, GetOptions, ObjectStore, ObjectStoreExt, PutPayload,
    RetryConfig,
};
use tokio::task::JoinHandle;

use super::{FileStoreError, Upload};
use crate::exports::config::S3Config;

/// Parts that are uploaded concurrently.
const AT_ONCE: usize = 2;
/// Suffix of the object that holds the id of an upload.
const MARK: &str = ".upload";
/// Timeout of connecting, and longest silence of a connection.
const CONNECT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(60);
/// Most retries of a call after a transient failure, and their time limit.
const RETRIES: usize = 5;
const RETRY: Duration = Duration::from_secs(15);
/// Environment variables in which a platform provides credentials. Other `AWS_…` variables are ignored, because they could
/// override the settings.
const PLATFORM: [&str; 10] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/// A bucket, under a prefix.
#[derive(Clone, Debug)]
pub struct BucketStore {
    store: Arc<AmazonS3>,
    prefix: Path,
    part: usize,
}

impl BucketStore {
    /// The configured bucket.
    pub fn new(config: &S3Config) -> Result<Self, FileStoreError> {
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|error| FileStoreError::File(path.display().to_string(), error))
        };
        // No limit for a whole answer: a reader may be slow.
        let mut client = ClientOptions::new()
            .with_timeout_disabled()
            .with_connect_timeout(CONNECT)
            .with_read_timeout(SILENCE)
            .with_allow_http(config.allow_http);
        if !config.ca_file.as_os_str().is_empty() {
            for certificate in Certificate::from_pem_bundle(&read(&config.ca_file)?)? {
                client = client.with_root_certificate(certificate);
            }
        }
        let mut builder = AmazonS3Builder::new()
            .with_client_options(client)
            .with_retry(RetryConfig { max_retries: RETRIES, retry_timeout: RETRY, ..RetryConfig::default() })
            .with_bucket_name(&config.bucket)
            .with_region(&config.region)
            .with_virtual_hosted_style_request(config.virtual_hosted)
            // Not every S3 store has it, and files go one by one.
            .with_disable_bulk_delete(true);
        if !config.endpoint.is_empty() {
            builder = builder.with_endpoint(&config.endpoint);
        }
        if config.access_key_id.is_empty() {
            for name in PLATFORM {
                if let (Ok(key), Ok(value)) = (name.to_lowercase().parse::<AmazonS3ConfigKey>(), std::env::var(name)) {
                    builder = builder.with_config(key, value);
                }
            }
        } else {
            let key = KeyFiles {
                id: config.access_key_id.clone(),
                secret: config.secret_access_key_file.clone(),
                token: Some(config.session_token_file.clone()).filter(|path| !path.as_os_str().is_empty()),
            };
            read(&key.secret)?;
            builder = builder.with_credentials(Arc::new(key));
        }
        let part = config.part_mebibytes as usize * 1024 * 1024;
        Ok(Self { store: Arc::new(builder.build()?), prefix: Path::parse(&config.prefix).map_err(Error::from)?, part })
    }

    fn at(&self, path: &str) -> Path {
        path.split('/').fold(self.prefix.clone(), |place, name| place.join(name))
    }

    pub(super) fn begin(&self, path: &str) -> Box<dyn Upload> {
        Box::new(BucketUpload {
            bucket: self.clone(),
            path: self.at(path),
            mark: self.at(&format!("{path}{MARK}")),
            id: None,
            waiting: Vec::new(),
            size: 0,
            sent: 0,
            under_way: VecDeque::new(),
            done: Vec::new(),
        })
    }

    pub(super) async fn exists(&self, path: &str) -> io::Result<()> {
        self.store.head(&self.at(path)).await.map_err(away)?;
        Ok(())
    }

    pub(super) async fn get(&self, path: &str, range: Range<u64>) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let options = GetOptions { range: Some(range.into()), ..GetOptions::default() };
        let got = self.store.get_opts(&self.at(path), options).await.map_err(away)?;
        Ok(got.into_stream().map_err(io::Error::from).boxed())
    }

    pub(super) async fn sweep(&self, export: &str, wanted: impl Fn(&str) -> bool + Send) -> io::Result<()> {
        let found: Vec<Path> =
            self.store.list(Some(&self.at(export))).map_ok(|found| found.location).try_collect().await?;
        for path in found {
            let name = path.filename().unwrap_or_default();
            match name.strip_suffix(MARK) {
                Some(attempt) if wanted(attempt) => self.abort_marked(&path).await?,
                None if wanted(name) => gone(self.store.delete(&path).await)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Aborts the upload whose id the object holds. The object is removed last, because the id is stored nowhere else.
    async fn abort_marked(&self, mark: &Path) -> io::Result<()> {
        let id = match self.store.get(mark).await {
            Err(Error::NotFound { .. }) => return Ok(()),
            got => got?.bytes().await?,
        };
        let path = Path::from(mark.as_ref().trim_end_matches(MARK));
        gone(self.store.abort_multipart(&path, &String::from_utf8_lossy(&id).into_owned()).await)?;
        gone(self.store.delete(mark).await)
    }
}

/// Maps a store that does not answer, or answers with its own failure, to `NotConnected`; a refusal keeps its kind.
fn away(error: Error) -> io::Error {
    match error {
        Error::Generic { .. } => io::Error::new(ErrorKind::NotConnected, error),
        error => error.into(),
    }
}

/// What is not there is as good as removed.
fn gone(removed: Result<(), Error>) -> io::Result<()> {
    match removed {
        Err(Error::NotFound { .. }) => Ok(()),
        removed => Ok(removed?),
    }
}

/// A file that is sent in parts.
struct BucketUpload {
    bucket: BucketStore,
    path: Path,
    /// The object that holds the upload's id.
    mark: Path,
    /// The upload's, once there is one.
    id: Option<String>,
    /// Bytes that do not make a part yet.
    waiting: Vec<Bytes>,
    size: usize,
    sent: usize,
    under_way: VecDeque<JoinHandle<Result<PartId, Error>>>,
    done: Vec<PartId>,
}

impl BucketUpload {
    /// Sends what waits, once there is room.
    async fn send(&mut self) -> io::Result<()> {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => self.create().await?,
        };
        self.settle(AT_ONCE - 1).await?;
        let (store, path, number) = (Arc::clone(&self.bucket.store), self.path.clone(), self.sent);
        let part: PutPayload = std::mem::take(&mut self.waiting).into_iter().collect();
        (self.size, self.sent) = (0, number + 1);
        self.under_way.push_back(tokio::spawn(async move { store.put_part(&path, &id, number, part).await }));
        Ok(())
    }

    async fn create(&mut self) -> io::Result<String> {
        let store = &self.bucket.store;
        let id = store.create_multipart(&self.path).await?;
        self.id = Some(id.clone());
        store.put(&self.mark, id.clone().into_bytes().into()).await?;
        Ok(id)
    }

    /// Waits until no more than so many parts are under way.
    async fn settle(&mut self, left: usize) -> io::Result<()> {
        while self.under_way.len() > left {
            let Some(part) = self.under_way.pop_front() else { break };
            self.done.push(part.await??);
        }
        Ok(())
    }
}

#[async_trait]
impl Upload for BucketUpload {
    async fn put(&mut self, mut bytes: Bytes) -> io::Result<()> {
        while self.size + bytes.len() >= self.bucket.part {
            let fits = bytes.split_to(self.bucket.part - self.size);
            self.waiting.push(fits);
            self.send().await?;
        }
        if !bytes.is_empty() {
            self.size += bytes.len();
            self.waiting.push(bytes);
        }
        Ok(())
    }

    async fn complete(&mut self) -> io::Result<()> {
        if self.id.is_none() {
            let whole: PutPayload = std::mem::take(&mut self.waiting).into_iter().collect();
            self.bucket.store.put(&self.path, whole).await?;
            return Ok(());
        }
        if self.size > 0 {
            self.send().await?;
        }
        self.settle(0).await?;
        let (id, done) = (self.id.clone().unwrap_or_default(), std::mem::take(&mut self.done));
        self.bucket.store.complete_multipart(&self.path, &id, done).await?;
        self.id = None;
        // The file is there; the mark is good for nothing.
        gone(self.bucket.store.delete(&self.mark).await)
    }

    async fn abort(&mut self) -> io::Result<()> {
        for part in self.under_way.drain(..) {
            part.abort();
            // A part that arrives after the abort would stay.
            let _ = part.await;
        }
        if let Some(id) = self.id.take() {
            gone(self.bucket.store.abort_multipart(&self.path, &id).await)?;
            gone(self.bucket.store.delete(&self.mark).await)?;
        }
        // An answer that got lost may have been a yes.
        gone(self.bucket.store.delete(&self.path).await)
    }
}

/// A key whose secret stands in files, read for every call, so that it may be changed at any time.
#[derive(Debug)]
struct KeyFiles {
    id: String,
    secret: PathBuf,
    token: Option<PathBuf>,
}

#[async_trait]
impl CredentialProvider for KeyFiles {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> Result<Arc<AwsCredential>, Error> {
        let read = async |path: &PathBuf| match tokio::fs::read_to_string(path).await {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(error) => {
                let source = format!("{}: {error}", path.display()).into();
                Err(Error::Generic { store: "S3", source })
            }
        };
        let token = match &self.token {
            Some(path) => Some(read(path).await?),
            None => None,
        };
        Ok(Arc::new(AwsCredential { key_id: self.id.clone(), secret_key: read(&self.secret).await?, token }))
    }
}
