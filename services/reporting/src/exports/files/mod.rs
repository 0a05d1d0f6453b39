//! Where files are kept: a directory that all replicas share, or a bucket of an S3 store.
//!
//! Both are `object_store`'s. Each attempt to write an export has a file of its own, `EXPORT/ATTEMPT`, which bears that name
//! once it is complete and durable: whatever is under way is seen by nobody.

mod bucket;
mod folder;

use std::io::{self, ErrorKind};
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::config::ExportsConfig;
use bucket::BucketStore;
use folder::FolderStore;

/// The store.
#[derive(Clone, Debug)]
pub enum FileStore {
    /// A directory.
    FolderStore(FolderStore),
    /// A bucket, under a prefix.
    BucketStore(BucketStore),
}

/// Why the store cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum FileStoreError {
    /// A file that the settings name cannot be read.
    #[error("{0}")]
    File(String, #[source] io::Error),
    /// The settings are no store's.
    #[error("the settings of the bucket")]
    Settings(#[from] object_store::Error),
}

/// A piece of a file on its way to the store.
pub enum FilePiece {
    /// The next bytes.
    Data(Vec<u8>),
    /// There are no more, and the file is complete.
    End,
}

/// A file that is under way.
#[async_trait]
trait Upload: Send {
    /// Takes the next bytes; may wait until the store has some of those before.
    async fn put(&mut self, bytes: Bytes) -> io::Result<()>;

    /// The file is complete: it gets its name.
    async fn complete(&mut self) -> io::Result<()>;

    /// The file is not wanted: nothing remains of it.
    async fn abort(&mut self) -> io::Result<()>;
}

impl FileStore {
    /// The configured store. Nothing is asked of it yet: a store that is away for a while delays exports, and nothing else.
    pub fn new(config: &ExportsConfig) -> Result<Self, FileStoreError> {
        Ok(match config.s3.is_wanted() {
            true => Self::BucketStore(BucketStore::new(&config.s3)?),
            false => Self::FolderStore(FolderStore::new(config.folder.clone())),
        })
    }

    /// Keeps a file whose pieces come over a channel. It bears its name once it is complete and durable; a channel that ends
    /// without [`FilePiece::End`] leaves nothing behind, nor does a file that is given up at whatever moment.
    pub async fn put(
        &self,
        path: &str,
        mut pieces: mpsc::Receiver<FilePiece>,
        given_up: CancellationToken,
    ) -> io::Result<()> {
        let path = checked(path)?;
        let mut upload = match self {
            Self::FolderStore(folder) => folder.begin(path).await?,
            Self::BucketStore(bucket) => bucket.begin(path),
        };
        let written = loop {
            let piece = tokio::select! {
                piece = pieces.recv() => piece,
                () = given_up.cancelled() => None,
            };
            match piece {
                Some(FilePiece::Data(bytes)) => match upload.put(bytes.into()).await {
                    Ok(()) => {}
                    Err(error) => break Err(error),
                },
                Some(FilePiece::End) => break upload.complete().await,
                None => break Err(io::Error::from(ErrorKind::UnexpectedEof)),
            }
        };
        // Whoever gives a file up removes it, but may have looked for it before it had its name.
        if written.is_ok() && given_up.is_cancelled() {
            return self.remove(path).await;
        }
        if written.is_err()
            && let Err(error) = upload.abort().await
        {
            tracing::warn!(%error, path, "what came of a file of an export cannot be taken back now");
        }
        written
    }

    /// Bytes of a file as they come.
    pub async fn get(&self, path: &str, range: Range<u64>) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let path = checked(path)?;
        if range.is_empty() {
            // Stores refuse an empty range, and a file that is gone is to be noticed all the same.
            match self {
                Self::FolderStore(folder) => folder.exists(path).await?,
                Self::BucketStore(bucket) => bucket.exists(path).await?,
            }
            return Ok(stream::empty().boxed());
        }
        match self {
            Self::FolderStore(folder) => folder.get(path, range).await,
            Self::BucketStore(bucket) => bucket.get(path, range).await,
        }
    }

    /// Removes the file of one attempt, and what there is of it if it is incomplete. One that is not there is as good as removed.
    pub async fn remove(&self, path: &str) -> io::Result<()> {
        let (export, attempt) = split(path)?;
        self.sweep(export, |name| name == attempt).await
    }

    /// Removes what every other attempt left: those who wrote them were taken for dead, and nobody will ask for it.
    pub async fn remove_others(&self, path: &str) -> io::Result<()> {
        let (export, attempt) = split(path)?;
        self.sweep(export, |name| name != attempt).await
    }

    /// Removes everything of an export.
    pub async fn remove_all(&self, export: &str) -> io::Result<()> {
        self.sweep(checked(export)?, |_| true).await
    }

    /// Removes the attempts at an export whose names are wanted.
    async fn sweep(&self, export: &str, wanted: impl Fn(&str) -> bool + Send + Sync) -> io::Result<()> {
        match self {
            Self::FolderStore(folder) => folder.sweep(export, wanted).await,
            Self::BucketStore(bucket) => bucket.sweep(export, wanted).await,
        }
    }
}

/// A path of ours: never one that leaves the store's place.
fn checked(path: &str) -> io::Result<&str> {
    let plain = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match path.split('/').all(plain) {
        true => Ok(path),
        false => Err(io::Error::new(ErrorKind::InvalidInput, "a path that was not made here")),
    }
}

/// Export and attempt.
fn split(path: &str) -> io::Result<(&str, &str)> {
    let other = || io::Error::new(ErrorKind::InvalidInput, "a path that was not made here");
    checked(path)?.split_once('/').ok_or_else(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_never_leave_the_place() {
        assert!(checked("0123abcd/1-ff").is_ok());
        for wrong in ["", "/", "a/", "/a", "..", "a/../b", "a//b", "a/b.upload", "a/b#1", "a\\b", "ä/b"] {
            assert!(checked(wrong).is_err(), "{wrong}");
        }
        assert!(split("0123abcd").is_err());
    }
}
