//! Keys behind a certificate that no public authority signed.

use std::fs;
use std::net::TcpListener as Listener;
use std::sync::Arc;

use insights_testkit::keys::Key;
use insights_testkit::{Authority, Signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tonic::Code;

use crate::server::{Issuer, Server, good};

/// The issuer's keys over TLS.
fn serve(issuer: Issuer, signed: &Signed) -> String {
    let certificate = CertificateDer::from_pem_file(&signed.certificate).unwrap();
    let key = PrivateKeyDer::from_pem_file(&signed.key).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let listener = Listener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("https://{}/keys", listener.local_addr().unwrap());
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        let listener = TcpListener::from_std(listener).unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // Who does not believe us ends the handshake.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let keys = issuer.jwks.lock().unwrap().clone();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
            let answer = format!("{head}content-length: {}\r\n\r\n{keys}", keys.len());
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    url
}

#[tokio::test]
async fn keys_come_from_whom_the_configured_authority_signed() {
    insights_service::install_crypto();
    let (authority, stranger, key) = (Authority::new(), Authority::new(), Key::ec("k"));
    let issuer = Issuer::default();
    issuer.publish(&[&key]);
    let url = serve(issuer, &authority.sign("issuer"));
    for (ca, believed) in [(Some(&authority), true), (Some(&stranger), false), (None, false)] {
        let server = Server::start_with(&[], |config| {
            config.people.keys = url.clone();
            config.people.ca_file = ca.map(|ca| ca.ca().display().to_string()).unwrap_or_default();
        })
        .await;
        let token = key.sign(&good());
        if believed {
            server.passes("signed by the authority", &token).await;
        } else {
            // Without keys a token can be neither accepted nor refused for good.
            assert_eq!(server.call(&token).await.code(), Code::Unavailable);
        }
    }
}

#[test]
fn a_file_that_holds_no_certificate_is_said_at_start() {
    insights_service::install_crypto();
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    for (file, said) in [(empty, "holds no certificate"), (folder.path().join("absent.pem"), "No such file")] {
        let mut config = insights_access::AccessConfig::default();
        for trust in [&mut config.people, &mut config.services] {
            trust.issuer = "https://issuer.test".into();
            trust.keys = "https://127.0.0.1:1/keys".into();
            trust.subjects = vec!["reporting".into()];
            trust.ca_file = file.display().to_string();
        }
        let Err(error) = insights_access::Verifier::new(config, insights_access::Clock::default()) else {
            panic!("{said}: a verifier was made");
        };
        assert!(error.to_string().contains(said), "{error}");
    }
}
