//! Users are stored only as a keyed 128-bit hash. The key belongs to the installation and is kept beside the data, not in
//! it; each partner's users are hashed under a key derived from it, so that one person at two partners is two users.

use std::{fmt, io::Write as _, path::Path};

use insights_database::{
    Database,
    bulk::statement,
    sea_orm::{ConnectionTrait, Value},
};

use super::Error;

const LONGEST: usize = 320;

/// The key of this installation.
pub(crate) struct UserKey([u8; 32]);

/// The key under which one partner's users are hashed.
pub(crate) struct PartnerKey([u8; 32]);

impl fmt::Debug for UserKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UserKey(***)")
    }
}

impl UserKey {
    /// Reads the key and refuses another than the one the stored users were hashed with. Makes one when there is no file and no user was
    /// stored under any: afterwards a new one would only hide that the right one is missing.
    pub(crate) async fn open(path: &Path, database: &Database) -> Result<Self, Error> {
        if !path.exists() {
            if Self::stored(database).await?.is_some() {
                let reason = "is not there, but stored users were hashed with it: bring it back";
                return Err(Error::Key(format!("{} {reason}", path.display())));
            }
            make(path).map_err(|error| Error::Key(format!("{}: {error}", path.display())))?;
        }
        let key = Self::read(path)?;
        let insert = "INSERT INTO ingestion_installation (id, user_key) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
        let values = vec![Value::from(key.fingerprint())];
        let insert = statement(database.writer(), insert, values);
        database.writer().execute_raw(insert).await.map_err(insights_database::Error::from)?;
        key.compare(database).await?;
        Ok(key)
    }

    /// Reads a file: 64 hexadecimal digits.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let fault = |reason: String| Error::Key(format!("{}: {reason}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        let key = from_hex(text.trim()).ok_or_else(|| fault("must hold 64 hexadecimal digits".to_owned()))?;
        Ok(Self(key))
    }

    /// Refuses a key other than the first one, which is remembered.
    pub(crate) async fn compare(&self, database: &Database) -> Result<(), Error> {
        match Self::stored(database).await? {
            Some(stored) if stored != self.fingerprint() => Err(Error::Key(
                "this is not the key that the stored users were hashed with; bring the right one back".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    fn fingerprint(&self) -> String {
        to_hex(&blake3::derive_key("insights user key fingerprint", &self.0)[..16])
    }

    /// The fingerprint of the first key.
    async fn stored(database: &Database) -> Result<Option<String>, Error> {
        let select = "SELECT user_key FROM ingestion_installation WHERE id = 1";
        let select = statement(database.writer(), select, vec![]);
        let row = database.writer().query_one_raw(select).await.map_err(insights_database::Error::from)?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose().map_err(insights_database::Error::from)?)
    }

    /// The key for one partner.
    pub(crate) fn of_partner(&self, partner: &str) -> PartnerKey {
        PartnerKey(*blake3::keyed_hash(&self.0, partner.as_bytes()).as_bytes())
    }
}

/// A new key in a new file.
fn make(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    create(path, &to_hex(&rand::random::<[u8; 32]>()))
}

impl PartnerKey {
    /// The hash of a user id: trimmed, in lower case. With `hashed`, what [`to_text`] gave.
    pub(crate) fn parse(&self, id: &str, hashed: bool) -> Result<u128, String> {
        let id = trim(id);
        if id.is_empty() {
            return Err("is required".to_owned());
        }
        if hashed {
            let digits = id.strip_prefix('#').filter(|digits| digits.len() == 32);
            return digits
                .and_then(|digits| u128::from_str_radix(digits, 16).ok())
                .ok_or_else(|| "must be a hashed user".to_owned());
        }
        if id.len() > LONGEST {
            return Err(format!("must have at most {LONGEST} bytes"));
        }
        Ok(self.hash(id))
    }

    fn hash(&self, id: &str) -> u128 {
        let lower = if id.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
            blake3::keyed_hash(&self.0, id.as_bytes())
        } else {
            blake3::keyed_hash(&self.0, id.to_lowercase().as_bytes())
        };
        let mut half = [0; 16];
        half.copy_from_slice(&lower.as_bytes()[..16]);
        u128::from_be_bytes(half)
    }

    /// A hash as shown in the quarantine. Whatever came as an id is hashed, valid or not; blank stays blank.
    pub(crate) fn conceal(&self, id: &str, hashed: bool) -> String {
        match self.parse(id, hashed) {
            Ok(user) => to_text(user),
            Err(_) if id.trim().is_empty() => String::new(),
            Err(_) => to_text(self.hash(id.trim())),
        }
    }
}

/// Trims. Most ids begin and end with a letter or digit of ASCII, and a feed brings millions.
fn trim(id: &str) -> &str {
    match id.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => id,
        _ => id.trim(),
    }
}

/// A hashed user as text.
pub(crate) fn to_text(user: u128) -> String {
    format!("#{user:032x}")
}

fn create(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        }
        // Another process was faster; its key is as good.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; 32];
    for (position, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[position * 2..position * 2 + 2], 16).ok()?;
    }
    Some(key)
}
