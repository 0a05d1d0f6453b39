//! Where files are kept: a directory that all replicas share.

use std::io::{self, ErrorKind, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::io::ReaderStream;

use super::config::ExportsConfig;

/// Bytes read at a time.
const BUFFER: usize = 256 * 1024;

/// The store.
#[derive(Clone)]
pub struct Files {
    config: Arc<ExportsConfig>,
}

/// A piece of a file on its way to the store.
pub enum Piece {
    /// The next bytes.
    Data(Vec<u8>),
    /// There are no more, and the file is complete.
    End,
}

impl Files {
    /// The configured store.
    pub fn new(config: Arc<ExportsConfig>) -> Self {
        Self { config }
    }

    /// A path of ours: never one that leaves the directory.
    fn place(&self, path: &str) -> io::Result<PathBuf> {
        let plain =
            |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !path.split('/').all(plain) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "a path that was not made here"));
        }
        Ok(self.config.folder.join(path))
    }

    /// Keeps a file whose pieces come over a channel. It bears its name once it is complete and on the disk; a channel that
    /// ends without [`Piece::End`] leaves nothing behind.
    pub async fn put(&self, path: &str, mut pieces: mpsc::Receiver<Piece>) -> io::Result<()> {
        let place = self.place(path)?;
        let part = place.with_extension("part");
        if let Some(folder) = place.parent() {
            private(&self.config.folder).await?;
            fs::create_dir_all(folder).await?;
        }
        let mut file = File::create(&part).await?;
        let written = loop {
            match pieces.recv().await {
                Some(Piece::Data(bytes)) => match file.write_all(&bytes).await {
                    Ok(()) => {}
                    Err(error) => break Err(error),
                },
                Some(Piece::End) => break file.sync_all().await,
                None => break Err(io::Error::from(ErrorKind::UnexpectedEof)),
            }
        };
        match written {
            Ok(()) => fs::rename(&part, &place).await,
            Err(error) => {
                drop(file);
                remove(&part).await?;
                Err(error)
            }
        }
    }

    /// Bytes of a file as they come.
    pub async fn get(&self, path: &str, range: Range<u64>) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let mut file = File::open(self.place(path)?).await?;
        file.seek(SeekFrom::Start(range.start)).await?;
        let bytes = ReaderStream::with_capacity(file.take(range.end - range.start), BUFFER);
        Ok(bytes.map_ok(Bytes::from).boxed())
    }

    /// Removes a file; one that is not there is as good as removed.
    pub async fn remove(&self, path: &str) -> io::Result<()> {
        if path.is_empty() {
            return Ok(());
        }
        let place = self.place(path)?;
        remove(&place).await?;
        remove(&place.with_extension("part")).await?;
        // The export's own folder, unless another attempt is writing into it.
        if let Some(folder) = place.parent() {
            let _ = fs::remove_dir(folder).await;
        }
        Ok(())
    }
}

async fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the directory, which only its owner may enter.
async fn private(folder: &Path) -> io::Result<()> {
    if fs::try_exists(folder).await? {
        return Ok(());
    }
    fs::create_dir_all(folder).await?;
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).await?;
    Ok(())
}
