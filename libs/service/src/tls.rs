//! TLS on the listener: certificates from files, read again when the files change, so that a renewed certificate needs no
//! restart. Connections keep the certificate they began with.

use std::{fs, io, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use serde::{Deserialize, Serialize};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::{Stream, wrappers::ReceiverStream};

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

/// A handshake takes no longer, or a caller could hold a place by saying nothing.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes at once.
const HANDSHAKES: usize = 256;

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

/// Connections past their handshake. Ends, and with it the listener, when it is dropped.
pub(crate) fn incoming(
    listener: TcpListener,
    config: TlsConfig,
) -> io::Result<impl Stream<Item = io::Result<TlsStream<TcpStream>>>> {
    let files = config.files()?;
    let current = Arc::new(ArcSwap::from(config.server(&files)?));
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(reload(config, files, Arc::clone(&current), sender.clone()));
    tokio::spawn(accept(listener, current, sender));
    Ok(ReceiverStream::new(receiver))
}

type Sender = mpsc::Sender<io::Result<TlsStream<TcpStream>>>;

async fn reload(config: TlsConfig, mut files: Vec<Vec<u8>>, current: Arc<ArcSwap<ServerConfig>>, sender: Sender) {
    let interval = Duration::from_secs(config.reload_seconds.into());
    loop {
        tokio::select! {
            () = sender.closed() => return,
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

async fn accept(listener: TcpListener, current: Arc<ArcSwap<ServerConfig>>, sender: Sender) {
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        // Waiting callers stay in the system's queue.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = sender.closed() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Of one connection, or out of file descriptors, which pass.
                tracing::debug!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        let (acceptor, sender) = (TlsAcceptor::from(current.load_full()), sender.clone());
        tokio::spawn(async move {
            let _place = place;
            let _ = stream.set_nodelay(true);
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                // Whoever does not listen any longer shuts down.
                Ok(Ok(stream)) => drop(sender.send(Ok(stream)).await),
                Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
                Err(_) => tracing::debug!("a handshake took too long"),
            }
        });
    }
}
