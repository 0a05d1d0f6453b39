//! TLS on the listener: certificates from files, read again when the files change, so that a renewed certificate needs no
//! restart. Connections keep the certificate they began with.

use std::{fs, future::Future, io, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use serde::{Deserialize, Serialize};

use crate::settings::Validate;

/// TLS on the listener. Without files the listener takes plaintext.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate and those between it and its authority, PEM.
    pub cert_file: PathBuf,
    /// The key of the certificate, PEM.
    pub key_file: PathBuf,
    /// Only callers with a certificate of these authorities are let in, PEM; empty: all callers. Probes and browsers need one too.
    pub client_ca_file: PathBuf,
    /// The files are looked at this often.
    pub reload_seconds: u32,
}

impl Default for TlsConfig {
    fn default() -> Self {
        let none = PathBuf::new;
        Self { cert_file: none(), key_file: none(), client_ca_file: none(), reload_seconds: 10 }
    }
}

impl Validate for TlsConfig {
    fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut fault = |setting: &str, what: &str| faults.push((setting.to_owned(), what.to_owned()));
        match (self.cert_file.as_os_str().is_empty(), self.key_file.as_os_str().is_empty()) {
            (false, true) => fault("key_file", "must name the key of cert_file"),
            (true, false) => fault("cert_file", "must name the certificate of key_file"),
            (true, true) if !self.client_ca_file.as_os_str().is_empty() => {
                fault("client_ca_file", "needs cert_file and key_file");
            }
            _ => {}
        }
        if self.reload_seconds == 0 {
            fault("reload_seconds", "must be at least 1");
        }
        faults
    }
}

impl TlsConfig {
    /// Whether the listener speaks TLS.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.cert_file.as_os_str().is_empty()
    }

    /// Whether the files can be used, before a port is opened that nobody could use.
    pub fn check(&self) -> io::Result<()> {
        if self.is_on() { self.server(&self.files()?).map(drop) } else { Ok(()) }
    }

    fn files(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut files = Vec::new();
        for path in [&self.cert_file, &self.key_file, &self.client_ca_file] {
            if path.as_os_str().is_empty() {
                continue;
            }
            let read =
                fs::read(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())));
            files.push(read?);
        }
        Ok(files)
    }

    fn server(&self, files: &[Vec<u8>]) -> io::Result<Arc<ServerConfig>> {
        let wrong =
            |path: &PathBuf, error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", path.display()));
        let certificates = |path: &PathBuf, text: &[u8]| -> io::Result<Vec<CertificateDer<'static>>> {
            let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
            let read = read.map_err(|error| wrong(path, &error))?;
            if read.is_empty() { Err(wrong(path, &"holds no certificate")) } else { Ok(read) }
        };
        let chain = certificates(&self.cert_file, &files[0])?;
        let key = PrivateKeyDer::from_pem_slice(&files[1]).map_err(|error| wrong(&self.key_file, &error))?;
        let builder = match files.get(2) {
            None => ServerConfig::builder().with_no_client_auth(),
            Some(text) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(&self.client_ca_file, text)? {
                    roots.add(certificate).map_err(|error| wrong(&self.client_ca_file, &error))?;
                }
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
                ServerConfig::builder()
                    .with_client_cert_verifier(verifier.map_err(|error| wrong(&self.client_ca_file, &error))?)
            }
        };
        // Refuses a key that is not the certificate's: during a renewal the two files change one after the other.
        let mut server = builder.with_single_cert(chain, key).map_err(|error| wrong(&self.cert_file, &error))?;
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(server))
    }
}

/// The certificates in use. They are read again when the files change, until `gone`.
pub(crate) fn certificates(
    config: TlsConfig,
    gone: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Arc<ArcSwap<ServerConfig>>> {
    let files = config.files()?;
    let current = Arc::new(ArcSwap::from(config.server(&files)?));
    tokio::spawn(reload(config, files, Arc::clone(&current), gone));
    Ok(current)
}

async fn reload(
    config: TlsConfig,
    mut files: Vec<Vec<u8>>,
    current: Arc<ArcSwap<ServerConfig>>,
    gone: impl Future<Output = ()>,
) {
    tokio::pin!(gone);
    let interval = Duration::from_secs(config.reload_seconds.into());
    loop {
        tokio::select! {
            () = &mut gone => return,
            () = tokio::time::sleep(interval) => {}
        }
        let found = match config.files() {
            Ok(found) if found == files => continue,
            Ok(found) => config.server(&found).map(|server| (found, server)),
            Err(error) => Err(error),
        };
        match found {
            Ok((found, server)) => {
                files = found;
                current.store(server);
                tracing::info!(monotonic_counter.certificates_reloaded = 1_u64, "new certificates are in use");
            }
            // The old ones go on; the next look may find the files whole.
            Err(error) => tracing::warn!(%error, "new certificates cannot be used; the old ones stay"),
        }
    }
}
