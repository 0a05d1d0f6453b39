//! Store in a directory that only its owner may enter.

use std::io::{self, ErrorKind, SeekFrom};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetResultPayload, MultipartUpload, ObjectStoreExt};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::Upload;

/// Bytes read at a time.
const BUFFER: usize = 256 * 1024;

/// A directory.
#[derive(Clone, Debug)]
pub struct FolderStore {
    place: PathBuf,
}

impl FolderStore {
    /// A store in this directory, which is created with the first file.
    pub fn new(place: PathBuf) -> Self {
        Self { place }
    }

    /// The object store of the directory. A file gets its name after its bytes are synced, and the name is synced too.
    fn store(&self) -> io::Result<LocalFileSystem> {
        if !self.place.is_dir() {
            return Err(ErrorKind::NotFound.into());
        }
        Ok(LocalFileSystem::new_with_prefix(&self.place)?.with_fsync(true))
    }

    pub(super) async fn begin(&self, path: &str) -> io::Result<Box<dyn Upload>> {
        let file = self.place.join(path);
        private(&self.place).await?;
        if let Some(folder) = file.parent() {
            private(folder).await?;
        }
        let upload = self.store()?.put_multipart(&Path::from(path)).await?;
        Ok(Box::new(FolderUpload { upload, file }))
    }

    pub(super) async fn exists(&self, path: &str) -> io::Result<()> {
        self.store()?.head(&Path::from(path)).await?;
        Ok(())
    }

    pub(super) async fn get(&self, path: &str, range: Range<u64>) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        match self.store()?.get(&Path::from(path)).await?.payload {
            // Read in larger steps than the store's.
            GetResultPayload::File(file, _) => {
                let mut file = File::from_std(file);
                file.seek(SeekFrom::Start(range.start)).await?;
                Ok(ReaderStream::with_capacity(file.take(range.end - range.start), BUFFER).boxed())
            }
            GetResultPayload::Stream(stream) => Ok(stream.map_err(io::Error::from).boxed()),
        }
    }

    /// Removes the selected files. Incomplete ones, `NAME#NUMBER`, which a killed process leaves behind, are not listed by the
    /// store, so the directory is read directly.
    pub(super) async fn sweep(&self, export: &str, wanted: impl Fn(&str) -> bool) -> io::Result<()> {
        let folder = self.place.join(export);
        let mut entries = match fs::read_dir(&folder).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        while let Some(entry) = entries.next_entry().await? {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if wanted(name.split('#').next().unwrap_or_default()) {
                remove(&entry.path()).await?;
            }
        }
        // Unless another attempt is writing into it.
        let _ = fs::remove_dir(folder).await;
        Ok(())
    }
}

/// A file under a temporary name until it is complete.
struct FolderUpload {
    upload: Box<dyn MultipartUpload>,
    file: PathBuf,
}

#[async_trait]
impl Upload for FolderUpload {
    async fn put(&mut self, bytes: Bytes) -> io::Result<()> {
        Ok(self.upload.put_part(bytes.into()).await?)
    }

    async fn complete(&mut self) -> io::Result<()> {
        self.upload.complete().await?;
        #[cfg(unix)]
        fs::set_permissions(&self.file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).await?;
        Ok(())
    }

    async fn abort(&mut self) -> io::Result<()> {
        // The file may have been swept already.
        let _ = self.upload.abort().await;
        Ok(())
    }
}

async fn remove(path: &FilePath) -> io::Result<()> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Creates the directory, accessible to its owner only.
async fn private(folder: &FilePath) -> io::Result<()> {
    if fs::try_exists(folder).await? {
        return Ok(());
    }
    fs::create_dir_all(folder).await?;
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).await?;
    Ok(())
}
