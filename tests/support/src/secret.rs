//! Files with secrets.

use std::{fs::OpenOptions, io, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

/// Writes a file that only its owner may read; others are refused by the product.
///
/// # Errors
/// As [`std::fs::write`].
pub fn write_secret(path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_ref())
}
