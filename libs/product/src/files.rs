//! Files of an installation: where databases, keys and exports are.

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
        let path = database_path(settings, service);
        let text = fs::read_to_string(&path).map_err(StartError::file(&path))?;
        text.trim().to_owned()
    };
    if url == "sqlite" {
        return Ok(format!("sqlite:{}", settings.data_dir.join(format!("{name}.db")).display()));
    }
    // A role of its own for each service: `postgres://{service}@host/insights`.
    Ok(url.replace("{service}", name))
}

/// The file that holds the address of a service's database: one of its own for each, where the path says so.
pub(crate) fn database_path(settings: &Settings, service: Service) -> PathBuf {
    PathBuf::from(settings.database_url_file.display().to_string().replace("{service}", service.name()))
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

/// Whether these services keep anything in the data directory. Those that do not need none, nor the right to make one.
pub(crate) fn needs_data_dir(settings: &Settings, services: &[Service]) -> Result<bool, StartError> {
    let unnamed = |path: &Path| path.as_os_str().is_empty();
    if settings.is_local() {
        return Ok(true);
    }
    for service in services {
        let files = match service {
            Service::Ingestion => unnamed(&settings.user_key_file),
            Service::Metrics => false,
            Service::Reporting => {
                let exports = &settings.exports;
                unnamed(&exports.scratch_folder) || (unnamed(&exports.folder) && !exports.s3.is_wanted())
            }
        };
        if files || database_url(settings, *service)?.starts_with("sqlite:") {
            return Ok(true);
        }
    }
    Ok(false)
}
