//! `insights backup` and `insights restore`: the data directory of an installation on SQLite.
//!
//! A backup holds what cannot be made again: the facts, the audit, the key of the users and the keys of the development issuer. Each
//! database is copied as it stands at one moment while it is in use. Rollups are left out: they are made from the facts, and a
//! restore makes followers rebuild them anyway.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path, PathBuf},
};

use clap::Args;
use insights_database::Database;
use insights_ingestion::Ingestion;
use insights_messages::Language;
use insights_product::{Service, Settings, database_url, is_mounted, make_private, user_key, write_private};
use insights_service::Clock;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{failure::Failure, output};

/// `insights backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The directory to make.
    #[arg(value_name = "DIR")]
    pub to: PathBuf,
}

/// `insights restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// What `insights backup` made.
    #[arg(value_name = "DIR")]
    pub from: PathBuf,
}

/// The list of what is in a backup; a directory without it is none.
const MANIFEST: &str = "backup.json";
/// How backups are laid out.
const FORMAT: u32 = 1;
const BACKED_UP: [Service; 2] = [Service::Ingestion, Service::Reporting];
const USER_KEY: &str = "user.key";
const ISSUER: &str = "issuer";

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// The version of the product.
    version: String,
    taken_at: String,
    /// By path within the backup.
    files: BTreeMap<String, BackupFile>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct BackupFile {
    bytes: u64,
    blake3: String,
}

fn at(path: &Path) -> impl Fn(io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| Failure::because(&path, &error)
}

/// Copies the data directory.
pub async fn backup(settings: &Settings, clock: &Clock, command: &BackupArgs, json: bool) -> Result<(), Failure> {
    only_sqlite(settings)?;
    let facts = settings.data_dir.join("ingestion.db");
    if !facts.is_file() {
        return Err(Failure::Failed(format!("{} is not there: there is nothing to back up", facts.display())));
    }
    let key = user_key(settings);
    let checked = Ingestion::check_user_key(&database_url(settings, Service::Ingestion)?, &key).await;
    checked.map_err(|error| Failure::because(&key.display().to_string(), &error))?;
    let place = StagingDir::of(&command.to)?;
    for service in BACKED_UP {
        let file = format!("{}.db", service.name());
        if !settings.data_dir.join(&file).is_file() {
            continue; // served elsewhere
        }
        let database = Database::connect(&database_url(settings, service)?).await.map_err(from_database)?;
        let copy = place.building.join(&file);
        database.copy_to(&copy).await.map_err(from_database)?;
        database.close().await.map_err(from_database)?;
        check(&copy).await?;
        private(&copy)?;
    }
    copy_private(&key, &place.building.join(USER_KEY))?;
    let issuer = settings.data_dir.join(ISSUER);
    for name in names(&issuer)? {
        copy_private(&issuer.join(&name), &place.building.join(ISSUER).join(&name))?;
    }
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at: clock.now().to_rfc3339(),
        files: entries(&place.building)?,
    };
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| Failure::because(MANIFEST, &error))?;
    write_private(&place.building.join(MANIFEST), &text)?;
    place.finish(&command.to)?;
    done("backed up", &manifest, json)
}

/// Makes a data directory from a backup.
pub async fn restore(settings: &Settings, clock: &Clock, command: &RestoreArgs, json: bool) -> Result<(), Failure> {
    only_sqlite(settings)?;
    let manifest = read_manifest(&command.from)?;
    let place = StagingDir::of(&settings.data_dir)?;
    for (name, entry) in &manifest.files {
        let copy = place.building.join(name);
        copy_private(&command.from.join(name), &copy)?;
        if entry_of(&copy)? != *entry {
            let name = command.from.join(name);
            return Err(Failure::Failed(format!(
                "{} is not what was backed up: the backup is damaged",
                name.display()
            )));
        }
    }
    let url = |service: &str| format!("sqlite:{}", place.building.join(format!("{service}.db")).display());
    Ingestion::begin_new_epoch(&url("ingestion"), clock).await?;
    Ingestion::check_user_key(&url("ingestion"), &place.building.join(USER_KEY)).await?;
    if manifest.files.contains_key("reporting.db") {
        let audit = Database::connect(&url("reporting")).await.map_err(from_database)?;
        audit.pending::<insights_reporting::Migrator>().await.map_err(from_database)?;
        audit.close().await.map_err(from_database)?;
    }
    place_key(settings, &place)?;
    place.finish(&settings.data_dir)?;
    done("restored", &manifest, json)
}

fn only_sqlite(settings: &Settings) -> Result<(), Failure> {
    if database_url(settings, Service::Ingestion)?.starts_with("sqlite:") {
        return Ok(());
    }
    Err(Failure::Failed(
        "this is for SQLite; back up PostgreSQL with its own programs: see the operator's guide".into(),
    ))
}

fn from_database(error: insights_database::Error) -> Failure {
    Failure::because("the database", &error)
}

/// Reads a copied database whole; that leaves nothing behind beside it.
async fn check(copy: &Path) -> Result<(), Failure> {
    let database = Database::connect(&format!("sqlite:{}", copy.display())).await.map_err(from_database)?;
    database.check().await.map_err(from_database)?;
    database.close().await.map_err(from_database)
}

fn read_manifest(backup: &Path) -> Result<Manifest, Failure> {
    let path = backup.join(MANIFEST);
    let text = fs::read_to_string(&path).map_err(at(&path))?;
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|error| Failure::because(&path.display().to_string(), &error))?;
    if manifest.format != FORMAT {
        let (format, version) = (manifest.format, manifest.version);
        let which = format!("{} is of format {format}, made by version {version}", path.display());
        return Err(Failure::Failed(format!("{which}; this version reads format {FORMAT}")));
    }
    let plain = |name: &String| Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    let whole = ["ingestion.db", USER_KEY].iter().all(|name| manifest.files.contains_key(*name));
    if !whole || !manifest.files.keys().all(plain) {
        return Err(Failure::Failed(format!("{} does not list what a backup holds: it is damaged", path.display())));
    }
    Ok(manifest)
}

/// With the key elsewhere than in the data directory, it is put there, or must be there already.
fn place_key(settings: &Settings, place: &StagingDir) -> Result<(), Failure> {
    let (own, kept) = (place.building.join(USER_KEY), user_key(settings));
    if kept == settings.data_dir.join(USER_KEY) {
        return Ok(());
    }
    if !kept.exists() {
        copy_private(&own, &kept)?;
    } else if fs::read(&kept).map_err(at(&kept))? != fs::read(&own).map_err(at(&own))? {
        let kept = kept.display();
        return Err(Failure::Failed(format!(
            "{kept} is another key than the backup's: move it away, and see whose it is"
        )));
    }
    fs::remove_file(&own).map_err(at(&own))
}

/// A directory that is built beside its place and then moved there, so that it is there whole or not at all. A volume that is mounted
/// there stays: what it holds is built within it, and moved up name by name, the last one [`LAST`].
struct StagingDir {
    building: PathBuf,
    mounted: bool,
    /// Nobody else builds here meanwhile.
    _lock: fs::File,
}

/// Where something is being built.
const INCOMPLETE: &str = ".incomplete";
/// What makes a directory a backup or an installation.
const LAST: [&str; 2] = [MANIFEST, "ingestion.db"];

impl StagingDir {
    fn of(target: &Path) -> Result<Self, Failure> {
        let own = |name: &String| name != INCOMPLETE && name != "lost+found";
        if target.exists() && (!target.is_dir() || names(target)?.iter().any(own)) {
            let target = target.display();
            return Err(Failure::Failed(format!("{target} is not empty: move it away or name another directory")));
        }
        let mounted = is_mounted(target);
        let name = target.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.ok_or_else(|| Failure::Usage(format!("{} names no directory", target.display())))?;
        let building = match mounted {
            true => target.join(INCOMPLETE),
            false => target.with_file_name(format!("{name}{INCOMPLETE}")),
        };
        if building.exists() {
            // Of one that broke off, unless somebody is at it.
            drop(lock(&building)?);
            fs::remove_dir_all(&building).map_err(at(&building))?;
        }
        make_private(&building)?;
        Ok(Self { _lock: lock(&building)?, building, mounted })
    }

    fn finish(self, target: &Path) -> Result<(), Failure> {
        sync(&self.building)?;
        if self.mounted {
            let mut all = names(&self.building)?;
            all.sort_by_key(|name| LAST.contains(&name.as_str()));
            for name in all {
                fs::rename(self.building.join(&name), target.join(&name)).map_err(at(target))?;
            }
            return sync(target);
        }
        fs::rename(&self.building, target).map_err(at(target))?;
        match target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => sync(parent),
            None => Ok(()),
        }
    }
}

fn lock(folder: &Path) -> Result<fs::File, Failure> {
    let held = fs::File::open(folder).map_err(at(folder))?;
    held.try_lock().map_err(|_| Failure::Failed(format!("{}: another command is at it", folder.display())))?;
    Ok(held)
}

impl Drop for StagingDir {
    /// What was not finished is of no use. After the move there is nothing here.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.building);
    }
}

/// What a directory lists is on disk.
fn sync(folder: &Path) -> Result<(), Failure> {
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

/// Names in a directory; none when there is no such directory.
fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(at(folder))?;
    let mut names = entries
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<String>>>()
        .map_err(at(folder))?;
    names.sort();
    Ok(names)
}

/// Copies a file, that only its owner may read then, to disk.
fn copy_private(from: &Path, to: &Path) -> Result<(), Failure> {
    if let Some(folder) = to.parent() {
        make_private(folder)?;
    }
    fs::copy(from, to).map_err(at(from))?;
    private(to)?;
    fs::File::open(to).and_then(|file| file.sync_all()).map_err(at(to))
}

fn private(path: &Path) -> Result<(), Failure> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(at(path))?;
    Ok(())
}

/// Every file of a backup.
fn entries(backup: &Path) -> Result<BTreeMap<String, BackupFile>, Failure> {
    let mut entries = BTreeMap::new();
    for name in names(backup)? {
        let path = backup.join(&name);
        if path.is_dir() {
            for inner in names(&path)? {
                entries.insert(format!("{name}/{inner}"), entry_of(&path.join(inner))?);
            }
        } else {
            entries.insert(name, entry_of(&path)?);
        }
    }
    Ok(entries)
}

fn entry_of(path: &Path) -> Result<BackupFile, Failure> {
    let mut hasher = blake3::Hasher::new();
    let bytes = io::copy(&mut fs::File::open(path).map_err(at(path))?, &mut hasher).map_err(at(path))?;
    Ok(BackupFile { bytes, blake3: hasher.finalize().to_hex().to_string() })
}

fn done(what: &str, manifest: &Manifest, json: bool) -> Result<(), Failure> {
    if json {
        return output::print_json(&json!({
            "version": manifest.version, "taken_at": manifest.taken_at, "files": manifest.files,
        }));
    }
    let mut text = format!("{what}, as of {}\n", manifest.taken_at);
    for (name, entry) in &manifest.files {
        let bytes = Language::English.number(i64::try_from(entry.bytes).unwrap_or(i64::MAX));
        text.push_str(&format!("  {name}: {bytes} bytes\n"));
    }
    output::print(&text)
}
