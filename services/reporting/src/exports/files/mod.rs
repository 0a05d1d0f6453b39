//! Store of export files: a directory that all replicas share, or a bucket of an S3 store, both through `object_store`.
//!
//! Each attempt to write an export has a file of its own, `EXPORT/ATTEMPT`. The file gets that name only when it is complete
//! and durable, so that nobody sees an incomplete file.

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
    /// A configured file cannot be read.
    #[error("{0}")]
    File(String, #[source] io::Error),
    /// Another replica keeps its files in another directory.
    #[error(
        "exports.folder: {0} is not the directory in which another replica of reporting keeps its files, so that half of all downloads \
         would fail: name a directory that all replicas see, or a bucket in exports.s3"
    )]
    OfAnother(String),
    /// The database cannot be asked where other replicas keep their files.
    #[error("the directory of other replicas")]
    Database(#[from] insights_database::Error),
    /// The settings of the bucket are invalid.
    #[error("the settings of the bucket")]
    Settings(#[from] object_store::Error),
}

/// A piece of a file that is uploaded.
pub enum FilePiece {
    /// The next bytes.
    Data(Vec<u8>),
    /// The end of a complete file.
    End,
}

/// An upload under way.
#[async_trait]
trait Upload: Send {
    /// Sends the next bytes; may wait for the store to accept earlier ones.
    async fn put(&mut self, bytes: Bytes) -> io::Result<()>;

    /// Completes the file under its name.
    async fn complete(&mut self) -> io::Result<()>;

    /// Discards everything that was sent.
    async fn abort(&mut self) -> io::Result<()>;
}

impl FileStore {
    /// The configured store. It is not contacted yet: an unavailable store only delays exports.
    pub fn new(config: &ExportsConfig) -> Result<Self, FileStoreError> {
        Ok(match config.s3.is_wanted() {
            true => Self::BucketStore(BucketStore::new(&config.s3)?),
            false => Self::FolderStore(FolderStore::new(config.folder.clone())),
        })
    }

    /// Stores a file whose pieces come over a channel. A channel that closes without [`FilePiece::End`] leaves nothing behind,
    /// nor does cancellation at any moment.
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
        // The canceller removes the file too, but may have done so before it had its name.
        if written.is_ok() && given_up.is_cancelled() {
            return self.remove(path).await;
        }
        if written.is_err()
            && let Err(error) = upload.abort().await
        {
            tracing::warn!(%error, path, "cannot discard an incomplete file of an export");
        }
        written
    }

    /// Streams a range of a file.
    pub async fn get(&self, path: &str, range: Range<u64>) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let path = checked(path)?;
        if range.is_empty() {
            // Stores refuse an empty range; a missing file must still be reported.
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

    /// Removes the file of one attempt, complete or not. A missing file counts as removed.
    pub async fn remove(&self, path: &str) -> io::Result<()> {
        let (export, attempt) = split(path)?;
        self.sweep(export, |name| name == attempt).await
    }

    /// Removes the files of all other attempts, which lost their leases.
    pub async fn remove_others(&self, path: &str) -> io::Result<()> {
        let (export, attempt) = split(path)?;
        self.sweep(export, |name| name != attempt).await
    }

    /// Removes all files of an export.
    pub async fn remove_all(&self, export: &str) -> io::Result<()> {
        self.sweep(checked(export)?, |_| true).await
    }

    /// Removes the attempts of an export that the predicate selects.
    async fn sweep(&self, export: &str, wanted: impl Fn(&str) -> bool + Send + Sync) -> io::Result<()> {
        match self {
            Self::FolderStore(folder) => folder.sweep(export, wanted).await,
            Self::BucketStore(bucket) => bucket.sweep(export, wanted).await,
        }
    }
}

/// Refuses paths that this module did not make, such as one that leaves the store.
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
