//! Remembers imports under way, so that one that broke off can be run again and be counted as one.
//!
//! Batches carry ids made of the import's own name and their position. Running a broken import again under the same name
//! sends the same batches with the same ids, and the server answers those it has already as it did before. The name is
//! forgotten when the import ends: importing a file once more later is a new import, for the facts may have been
//! corrected or taken back in between.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// An import that broke off longer ago than this is a new import when it is run again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// An import under way.
#[derive(Debug)]
pub(super) struct Journal {
    /// Its name.
    pub(super) name: String,
    /// Whether it was begun before.
    pub(super) resumed: bool,
    path: Option<PathBuf>,
}

impl Journal {
    /// Begins the import of a file, or goes on with it. `what` tells imports apart: server, format, options.
    pub(super) fn begin(what: &str, file: &Path) -> io::Result<Self> {
        Self::begin_in(folder().as_deref(), what, file)
    }

    fn begin_in(folder: Option<&Path>, what: &str, file: &Path) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(what.as_bytes());
        hasher.update(b"\0");
        io::copy(&mut fs::File::open(file)?, &mut hasher)?;
        let path = folder.map(|folder| folder.join(hasher.finalize().to_hex().as_str()));
        if let Some(path) = &path
            && let Some(name) = fresh(path)
        {
            return Ok(Self { name, resumed: true, path: Some(path.clone()) });
        }
        let name = format!("{:032x}", rand::random::<u128>());
        // Without a place to remember it, a broken import is simply a new one when it is run again.
        let path = path.filter(|path| {
            path.parent().is_some_and(|parent| fs::create_dir_all(parent).is_ok()) && fs::write(path, &name).is_ok()
        });
        Ok(Self { name, resumed: false, path })
    }

    /// The id of the batch at `position`.
    pub(super) fn batch_id(&self, position: u64) -> String {
        format!("import-{}-{position}", self.name)
    }

    /// The import is done.
    pub(super) fn end(self) {
        if let Some(path) = self.path {
            // At worst the name lives on for a day.
            let _ = fs::remove_file(path);
        }
    }
}

fn fresh(path: &Path) -> Option<String> {
    let age = fs::metadata(path).ok()?.modified().ok()?.elapsed().unwrap_or_default();
    let name = fs::read_to_string(path).ok()?;
    let sound = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    (sound && age < FORGOTTEN_AFTER).then_some(name)
}

/// Where the imports under way are kept.
fn folder() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/state"));
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(home)?;
    Some(state.join("insights").join("imports"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_import_goes_on_under_its_name_and_a_finished_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "one").unwrap();
        let state = folder.path().join("state");
        let begin = |what: &str| Journal::begin_in(Some(&state), what, &file).unwrap();
        let first = begin("a");
        let again = begin("a");
        assert!(!first.resumed && again.resumed);
        assert_eq!(first.batch_id(3), again.batch_id(3));
        assert!(!begin("b").resumed, "another server or format is another import");
        again.end();
        assert!(!begin("a").resumed);
        fs::write(&file, "two").unwrap();
        assert!(!begin("a").resumed, "another content is another import");
    }
}
