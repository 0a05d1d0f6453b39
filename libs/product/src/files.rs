//! Files of an installation: where databases, keys and exports are, and files that only their owner may read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use insights_reporting::ExportsConfig;

use crate::{Service, StartError, settings::Settings};

/// The address of a service's database.
///
/// # Errors
/// When the file that holds it cannot be read.
pub fn database_url(settings: &Settings, service: Service) -> Result<String, StartError> {
    let name = service.name();
    let url = if settings.database_url_file.as_os_str().is_empty() {
        settings.database_url.clone()
    } else {
        // A file of its own for each service, where the path says so.
        let path = PathBuf::from(settings.database_url_file.display().to_string().replace("{service}", name));
        let text = fs::read_to_string(&path).map_err(StartError::file(&path))?;
        text.trim().to_owned()
    };
    if url == "sqlite" {
        return Ok(format!("sqlite:{}", settings.data_dir.join(format!("{name}.db")).display()));
    }
    // A role of its own for each service: `postgres://{service}@host/insights`.
    Ok(url.replace("{service}", name))
}

/// The file with the key that user identifiers are hashed with.
#[must_use]
pub fn user_key(settings: &Settings) -> PathBuf {
    match settings.user_key_file.as_os_str().is_empty() {
        true => settings.data_dir.join("user.key"),
        false => settings.user_key_file.clone(),
    }
}

/// Where exports are kept and put together: in the data directory, unless another place is named.
pub(crate) fn exports(settings: &Settings) -> ExportsConfig {
    let place = |named: &Path, own: &str| match named.as_os_str().is_empty() {
        true => settings.data_dir.join(own),
        false => named.to_owned(),
    };
    let exports = &settings.exports;
    ExportsConfig {
        folder: place(&exports.folder, "exports"),
        scratch_folder: place(&exports.scratch_folder, "scratch"),
        ..exports.clone()
    }
}

/// Makes a directory that only its owner may enter: keys and tokens are kept there. One that exists stays as it is.
///
/// # Errors
/// When it cannot be made.
pub fn make_private(folder: &Path) -> Result<(), StartError> {
    if folder.as_os_str().is_empty() {
        return Err(StartError::Setting("data_dir must name a directory".into()));
    }
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(StartError::file(folder))?;
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .map_err(StartError::file(folder))?;
    Ok(())
}

/// Writes a file that only its owner may read, and the directory it lies in.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, text: &str) -> Result<(), StartError> {
    if let Some(folder) = path.parent() {
        make_private(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(StartError::file(path))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(StartError::file(path))
}
