//! An authority that signs certificates for tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// An authority with a folder for its certificate and those it signs.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key, as files.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Authority {
    /// A new authority.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Authority for tests");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        fs::write(folder.path().join("ca.pem"), certificate.pem()).expect("the certificate");
        Self { issuer: Issuer::new(params, key), folder }
    }

    /// The authority's certificate.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for this machine's loopback addresses, in files of that name. A second one of the name takes the place of
    /// the first.
    pub fn sign(&self, name: &str) -> Signed {
        let (certificate, key) = self.texts();
        let signed =
            Signed { certificate: self.path(&format!("{name}.pem")), key: self.path(&format!("{name}.key.pem")) };
        replace(&signed.certificate, &certificate);
        replace(&signed.key, &key);
        signed
    }

    /// A certificate and its key as text.
    pub fn texts(&self) -> (String, String) {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let params = CertificateParams::new(names).expect("names");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// Whole or not at all, as the platform does it.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    crate::write_secret(&new, text).expect("the file");
    fs::rename(new, path).expect("the file");
}
