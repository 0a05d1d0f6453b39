//! What only its owner may read: the data directory and what is in it, keys, tokens and files with secrets.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Service, StartError, files::database_path, settings::Settings};

/// What the product itself puts into the data directory.
const OWN: [&str; 6] = ["user.key", "demo.json", "issuer", "tokens", "exports", "scratch"];

/// Makes a directory that only its owner may enter. One that exists and is the product's, or empty, is made so; another one is not
/// touched.
///
/// # Errors
/// When it cannot be made, or others may enter it: then with the command that mends it.
pub fn make_private(folder: &Path) -> Result<(), StartError> {
    if folder.as_os_str().is_empty() {
        return Err(StartError::Setting("data_dir must name a directory".into()));
    }
    if folder.is_dir() {
        return restrict_folder(folder);
    }
    fs::create_dir_all(folder).map_err(StartError::file(folder))?;
    set_mode(folder, 0o700).map_err(StartError::file(folder))
}

/// Writes a file that only its owner may read, whatever was there before, and the directory it lies in.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, text: &str) -> Result<(), StartError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        make_private(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(StartError::file(path))?;
    set_mode(path, 0o600).map_err(StartError::file(path))?;
    io::Write::write_all(&mut file, text.as_bytes()).map_err(StartError::file(path))
}

/// Takes from others the right to read what is in the data directory, where one is needed, and refuses files with secrets that others may read.
///
/// # Errors
/// Names each file that others may read and the command that mends it.
pub(crate) fn secure(settings: &Settings, needs_data_dir: bool) -> Result<(), StartError> {
    if needs_data_dir {
        let made = make_private(&settings.data_dir);
        made.map_err(StartError::part("data_dir must name a directory that this user may write"))?;
        restrict_files(&settings.data_dir)?;
    }
    let open: Vec<String> = secrets(settings)
        .into_iter()
        .filter_map(|(setting, path)| check_secret(&path).err().map(|fault| format!("{setting}: {fault}")))
        .collect();
    if open.is_empty() { Ok(()) } else { Err(StartError::Setting(open.join("\n"))) }
}

/// Refuses a file with a secret that others may read. One that is missing is somebody else's to miss.
///
/// # Errors
/// Says so, with the command that mends it.
pub fn check_secret(path: &Path) -> Result<(), String> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() && is_open(&found) => {
            let path = path.display();
            Err(format!(
                "{path} may be read by others: chmod 600 {path} (for a mounted secret: mode 0440 and its group)"
            ))
        }
        _ => Ok(()),
    }
}

/// Whether others than the owner may read a file or enter a directory. What belongs to another user, as a mounted secret does, may be
/// read by its group: that is how this user reads it.
fn is_open(found: &fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let own = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == found.uid());
        let others = if own { 0o077 } else { 0o007 };
        found.mode() & others != 0
    }
    #[cfg(not(unix))]
    false
}

/// The files with secrets that the settings name.
fn secrets(settings: &Settings) -> Vec<(&'static str, PathBuf)> {
    let mut secrets = vec![
        ("user_key_file", settings.user_key_file.clone()),
        ("service_token_file", settings.service_token_file.clone()),
        ("tls.key_file", settings.tls.key_file.clone()),
        ("links.key_file", settings.links.key_file.clone()),
        ("exports.s3.secret_access_key_file", settings.exports.s3.secret_access_key_file.clone()),
        ("exports.s3.session_token_file", settings.exports.s3.session_token_file.clone()),
    ];
    secrets.extend(Service::ALL.map(|service| ("database_url_file", database_path(settings, service))));
    secrets.retain(|(_, path)| !path.as_os_str().is_empty());
    secrets.dedup();
    secrets
}

fn restrict_folder(folder: &Path) -> Result<(), StartError> {
    let found = fs::metadata(folder).map_err(StartError::file(folder))?;
    if !is_open(&found) {
        return Ok(());
    }
    let names = fs::read_dir(folder).map_err(StartError::file(folder))?.flatten();
    let names: Vec<String> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let ours = names.iter().any(|name| is_own(name)) || names.iter().all(|name| name == "lost+found");
    if ours && set_mode(folder, 0o700).is_ok() {
        tracing::warn!(folder = %folder.display(), "others could enter the data directory; they no longer can");
        return Ok(());
    }
    if is_mounted(folder) {
        // The volume is whose machine it is; what is made in it is this user's alone.
        return Ok(());
    }
    let path = folder.display();
    Err(StartError::Setting(format!(
        "{path} may be entered by others: chmod 700 {path}, or name a directory of its own, such as {path}/insights"
    )))
}

fn is_own(name: &str) -> bool {
    let is_database = |service: &Service| {
        name.strip_prefix(service.name()).is_some_and(|rest| [".db", ".db-wal", ".db-shm"].contains(&rest))
    };
    OWN.contains(&name) || Service::ALL.iter().any(is_database)
}

/// Takes what is the product's in its data directory from others.
fn restrict_files(folder: &Path) -> Result<(), StartError> {
    let mut open: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| is_own(&name_of(path))).collect();
    while let Some(path) = open.pop() {
        // A link leads elsewhere, where this is not ours to decide.
        let found = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            found => found.map_err(StartError::file(&path))?,
        };
        if found.is_dir() {
            open.extend(entries(&path)?);
        }
        let mode = if found.is_dir() { 0o700 } else { 0o600 };
        if !found.is_symlink() && is_open(&found) && set_mode(&path, mode).is_err() && path.exists() {
            let (path, folder) = (path.display(), folder.display());
            return Err(StartError::Setting(format!("{path} may be read by others: chmod -R go-rwx {folder}")));
        }
    }
    Ok(())
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StartError> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        found => Ok(found.map_err(StartError::file(folder))?.flatten().map(|entry| entry.path()).collect()),
    }
}

/// What others may read in the data directory, if anything.
#[must_use]
pub fn open_to_others(settings: &Settings) -> Option<PathBuf> {
    let folder = &settings.data_dir;
    let within = entries(folder).unwrap_or_default().into_iter().filter(|path| is_own(&name_of(path)));
    let mut all = std::iter::once(folder.clone()).chain(within);
    all.find(|path| fs::metadata(path).is_ok_and(|found| is_open(&found)) && !(path == folder && is_mounted(folder)))
}

/// Whether a directory is where another file system begins.
#[must_use]
pub fn is_mounted(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev());
    let whole = fs::canonicalize(folder);
    let devices = whole.and_then(|whole| Ok((device(&whole)?, whole.parent().map(device).transpose()?)));
    devices.is_ok_and(|(own, above)| above.is_some_and(|above| above != own))
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    Ok(())
}
