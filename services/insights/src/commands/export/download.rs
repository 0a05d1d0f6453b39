//! Fetches the file of an export: into `FILE.part` first, from where the last attempt broke off, and under its own name
//! once its checksum agrees.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use insights_proto::reporting::v1::{DownloadExportRequest, Export, ExportState};
use sha2::{Digest, Sha256};
use tonic::Code;

use crate::{client::Caller, failure::Failure};

/// A download ends within this time.
const DEADLINE: Duration = Duration::from_secs(6 * 60 * 60);
/// How often a download that makes no headway is begun again.
const ATTEMPTS: u32 = 5;

/// Fetches the file and says what it is.
pub async fn download(caller: &Caller, export: &Export, to: &Path) -> Result<Export, Failure> {
    match export.state() {
        ExportState::Done => {}
        ExportState::Failed => return Err(Failure::Failed(format!("FAILED_PRECONDITION: {}", export.failure))),
        _ => return Err(Failure::Failed("FAILED_PRECONDITION: the export has no file, or none yet".into())),
    }
    let mut part = PartialFile::open(to)?;
    if part.size > u64::try_from(export.bytes).unwrap_or_default() {
        part.begin_anew()?;
    }
    let style = "{bar:30} {bytes}/{total_bytes} at {bytes_per_sec}, {eta} left";
    let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(u64::try_from(export.bytes).unwrap_or_default()).with_style(style);
    let mut idle = 0;
    let complete = loop {
        let before = part.size;
        match receive(caller, &export.id, &mut part, &bar).await {
            Ok(export) => break export,
            Err(Failure::Rpc(status)) if passes(status.code()) => {
                idle = if part.size > before { 0 } else { idle + 1 };
                if idle == ATTEMPTS {
                    return Err(Failure::Rpc(status));
                }
                tokio::time::sleep(Duration::from_millis(200 << idle)).await;
            }
            Err(failure) => return Err(failure),
        }
    };
    bar.finish_and_clear();
    part.complete(&complete, to)?;
    Ok(complete)
}

/// What passes by itself: the replica goes, the connection breaks.
fn passes(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal | Code::ResourceExhausted)
}

async fn receive(caller: &Caller, id: &str, part: &mut PartialFile, bar: &ProgressBar) -> Result<Export, Failure> {
    let offset = i64::try_from(part.size).unwrap_or(i64::MAX);
    let request = caller.request(DownloadExportRequest { id: id.to_owned(), offset }, DEADLINE);
    let mut pieces = caller.reporting().download_export(request).await?.into_inner();
    while let Some(piece) = pieces.message().await? {
        if let Some(export) = piece.export {
            return Ok(export);
        }
        if u64::try_from(piece.offset) != Ok(part.size) {
            return Err(Failure::Failed("DATA_LOSS: the server left out a piece of the file".into()));
        }
        part.add(&piece.data)?;
        bar.set_position(part.size);
    }
    Err(tonic::Status::unavailable("the download broke off").into())
}

/// The part of the file that is there.
struct PartialFile {
    path: PathBuf,
    file: File,
    size: u64,
    digest: Sha256,
}

impl PartialFile {
    fn open(to: &Path) -> Result<Self, Failure> {
        let path = PathBuf::from(format!("{}.part", to.display()));
        let failed = |error: std::io::Error| Failure::because(&path.display().to_string(), &error);
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(&failed)?;
        let (mut digest, mut size, mut buffer) = (Sha256::new(), 0_u64, vec![0; 1 << 20]);
        loop {
            let read = file.read(&mut buffer).map_err(&failed)?;
            if read == 0 {
                break;
            }
            digest.update(&buffer[..read]);
            size += read as u64;
        }
        Ok(Self { path, file, size, digest })
    }

    fn failed(&self) -> impl Fn(std::io::Error) -> Failure + use<> {
        let path = self.path.display().to_string();
        move |error| Failure::because(&path, &error)
    }

    fn begin_anew(&mut self) -> Result<(), Failure> {
        self.file.set_len(0).map_err(self.failed())?;
        (self.size, self.digest) = (0, Sha256::new());
        Ok(())
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(self.failed())?;
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// A part of another file would have another checksum: it is thrown away, so that the next download is good.
    fn complete(mut self, export: &Export, to: &Path) -> Result<(), Failure> {
        let sha256 = hex::encode(self.digest.finalize_reset());
        if sha256 != export.sha256 {
            fs::remove_file(&self.path).map_err(self.failed())?;
            return Err(Failure::Failed("DATA_LOSS: the checksum does not agree; download it again".into()));
        }
        self.file.sync_all().map_err(self.failed())?;
        fs::rename(&self.path, to).map_err(self.failed())
    }
}
