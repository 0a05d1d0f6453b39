//! The key of an installation, kept beside the data, not in it. The keys that partners' users are hashed under are derived from it.

use std::{fmt, io::Write as _, path::Path};

use insights_database::Database;
use insights_service::PageTokenKey;

use crate::{error::Error, records::users::PartnerKey, tables::installation};

/// The key of this installation.
pub(crate) struct UserKey([u8; 32]);

impl fmt::Debug for UserKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UserKey(***)")
    }
}

impl UserKey {
    /// Reads the key and refuses one that is not the key of the stored users. Makes one when there is neither a file nor a stored user:
    /// later a new key would only hide that the right one is missing.
    pub(crate) async fn open(path: &Path, database: &Database) -> Result<Self, Error> {
        if !path.exists() {
            if installation::fingerprint(database.writer()).await?.is_some() {
                let reason = "is not there, but stored users were hashed with it: bring it back";
                return Err(Error::Key(format!("{} {reason}", path.display())));
            }
            make(path).map_err(|error| Error::Key(format!("{}: {error}", path.display())))?;
        }
        let key = Self::read(path)?;
        installation::remember(database.writer(), &key.fingerprint()).await?;
        key.compare(database).await?;
        Ok(key)
    }

    /// Reads a file: 64 hexadecimal digits.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let fault = |reason: String| Error::Key(format!("{}: {reason}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key).map_err(|_| fault("must hold 64 hexadecimal digits".to_owned()))?;
        Ok(Self(key))
    }

    /// Refuses a key other than the first one, whose fingerprint is stored.
    pub(crate) async fn compare(&self, database: &Database) -> Result<(), Error> {
        match installation::fingerprint(database.writer()).await? {
            Some(stored) if stored != self.fingerprint() => Err(Error::Key(
                "this is not the key that the stored users were hashed with; bring the right one back".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    /// What page tokens are sealed with: the replicas share the user key, and with it this one.
    pub(crate) fn sealing_key(&self) -> PageTokenKey {
        PageTokenKey::derived_from(&self.0)
    }

    fn fingerprint(&self) -> String {
        hex::encode(&blake3::derive_key("insights user key fingerprint", &self.0)[..16])
    }

    /// The key for one partner.
    pub(crate) fn of_partner(&self, partner: &str) -> PartnerKey {
        PartnerKey::new(*blake3::keyed_hash(&self.0, partner.as_bytes()).as_bytes())
    }
}

/// A new key in a new file.
fn make(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    create(path, &hex::encode(rand::random::<[u8; 32]>()))
}

fn create(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        }
        // Another process was faster; its key is used.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
