//! TLS on the one port: every protocol over it, certificates renewed while it runs, and no plaintext beyond the machine that
//! nobody asked for.

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use insights_service::{ChannelConfig, ServiceChannel};
use insights_testkit::{Authority, Process, Spec, insights, until};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tempfile::TempDir;

struct Server {
    process: Process,
    authority: Authority,
    _folder: TempDir,
}

async fn serve(tune: impl FnOnce(Spec) -> Spec) -> Server {
    insights_service::install_crypto();
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let signed = authority.sign("server");
    let spec = Spec::new("server", &[], folder.path()).tls(&signed.certificate, &signed.key, &authority.ca());
    let process = Process::start(tune(spec.set("tls.reload_seconds", 1))).await;
    Server { process, authority, _folder: folder }
}

fn links(ca: &Path) -> ChannelConfig {
    ChannelConfig { ca_file: ca.to_owned(), attempts: 1, ..ChannelConfig::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_grpc_web_and_pages_share_the_port() {
    let server = serve(|spec| spec).await;
    let url = server.process.spec.url();
    // gRPC over HTTP/2.
    let link = ServiceChannel::open(&url, &links(&server.authority.ca())).expect("a link");
    link.ready().await.expect("gRPC over TLS");
    // The page and gRPC-Web over HTTP/1.1, as a browser without HTTP/2 would.
    let ca = fs::read(server.authority.ca()).expect("the authority");
    let client = reqwest::Client::builder()
        .add_root_certificate(reqwest::Certificate::from_pem(&ca).expect("a certificate"))
        .http1_only()
        .build()
        .expect("a client");
    let page = client.get(&url).send().await.expect("the page");
    assert!(page.status().is_success() && page.version() == http::Version::HTTP_11);
    assert!(page.text().await.expect("text").contains("<html"));
    let call = client
        .post(format!("{url}/grpc.health.v1.Health/Check"))
        .header("content-type", "application/grpc-web+proto")
        .body(vec![0_u8; 5]);
    let answer = call.send().await.expect("gRPC-Web");
    assert_eq!(answer.headers()["content-type"], "application/grpc-web+proto");
    // Status 1: serving; then the trailers in a frame of their own.
    let body = answer.bytes().await.expect("a body");
    assert_eq!(&body[..8], &[0, 0, 0, 0, 2, 8, 1, 0x80]);
    // Who believes other authorities does not believe this server, and plaintext is no answer.
    ServiceChannel::open(&url, &links(&Authority::new().ca()))
        .expect("a link")
        .ready()
        .await
        .expect_err("another authority");
    let plain = url.replace("https://", "http://");
    ServiceChannel::open(&plain, &links(&server.authority.ca())).expect("a link").ready().await.expect_err("plaintext");
}

/// The certificate shown to a new connection.
async fn shown(address: SocketAddr, ca: &Path) -> CertificateDer<'static> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).expect("the authority")).expect("an authority");
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake");
    stream.get_ref().1.peer_certificates().expect("a certificate")[0].clone().into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn renewed_certificates_are_shown_without_a_restart() {
    let server = serve(|spec| spec).await;
    let (address, ca) = (server.process.spec.address(), server.authority.ca());
    let first = shown(address, &ca).await;
    let old = server.process.endpoint().connect().await.expect("a connection");
    let check = |channel| async move {
        let mut client = tonic_health::pb::health_client::HealthClient::new(channel);
        client.check(tonic_health::pb::HealthCheckRequest::default()).await
    };
    check(old.clone()).await.expect("an answer");
    // A broken renewal changes nothing.
    let signed = server.authority.sign("next");
    fs::copy(&signed.certificate, server.authority.ca().with_file_name("server.pem")).expect("a copy");
    until("the fault is logged", || async { server.process.log().contains("the old ones stay") }).await;
    assert_eq!(shown(address, &ca).await, first, "a certificate without its key");
    // New connections get the complete certificate; open ones stay.
    fs::copy(&signed.key, server.authority.ca().with_file_name("server.key.pem")).expect("a copy");
    until("the new certificate", || async { shown(address, &ca).await != first }).await;
    let next = CertificateDer::from_pem_file(&signed.certificate).expect("a certificate");
    assert_eq!(shown(address, &ca).await, next);
    check(old).await.expect("the old connection lives");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_looking_at_the_files_the_old_certificate_would_stay() {
    let server = serve(|spec| spec.set("tls.reload_seconds", 3600)).await;
    let (address, ca) = (server.process.spec.address(), server.authority.ca());
    let first = shown(address, &ca).await;
    // Another server of the same files looks at them every second.
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = (ca.with_file_name("server.pem"), ca.with_file_name("server.key.pem"));
    let spec = Spec::new("looking", &[], folder.path()).tls(&certificate, &key, &ca).set("tls.reload_seconds", 1);
    let looking = Process::start(spec).await;
    server.authority.sign("server");
    until("the other shows the new one", async || shown(looking.spec.address(), &ca).await != first).await;
    assert_eq!(shown(address, &ca).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_without_a_certificate_stay_out_where_one_is_asked_for() {
    insights_service::install_crypto();
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let (server, ours, foreign) = (authority.sign("server"), authority.sign("ours"), Authority::new());
    let spec = Spec::new("server", &[], folder.path())
        .tls(&server.certificate, &server.key, &authority.ca())
        .set("tls.client_ca_file", authority.ca().display());
    let process = Process::spawn(spec);
    let with = |signed: &insights_testkit::Signed| ChannelConfig {
        cert_file: signed.certificate.clone(),
        key_file: signed.key.clone(),
        ..links(&authority.ca())
    };
    let ready = async |config: ChannelConfig| {
        ServiceChannel::open(&process.spec.url(), &config).expect("a link").ready().await.is_ok()
    };
    until("our certificate is let in", || ready(with(&ours))).await;
    assert!(!ready(links(&authority.ca())).await, "no certificate");
    assert!(!ready(with(&foreign.sign("foreign"))).await, "another authority's certificate");
}

#[test]
fn plaintext_beyond_this_machine_must_be_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys.json");
    fs::write(&keys, "{\"keys\": []}").expect("a file");
    let run = |more: &[(&str, &str)]| {
        let mut command = insights();
        command
            .args(["serve", "--host", "0.0.0.0", "--port", "0"])
            .env("INSIGHTS_DATA_DIR", folder.path().join("data"));
        for people in ["PEOPLE", "SERVICES"] {
            command.env(format!("INSIGHTS_ACCESS_{people}_ISSUER"), "https://login.test");
            command.env(format!("INSIGHTS_ACCESS_{people}_KEYS"), &keys);
        }
        command.env("INSIGHTS_ACCESS_SERVICES_SUBJECTS", "metrics").envs(more.iter().copied());
        // It ends by itself only where it refuses: without a token of its own it cannot serve.
        let output = command.output().expect("the program");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, text) = run(&[]);
    assert_eq!(code, Some(2), "{text}");
    for word in ["host:", "tls.cert_file", "plaintext = true"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let (_, text) = run(&[("INSIGHTS_PLAINTEXT", "true")]);
    assert!(!text.contains("host:") && text.contains("service_token_file"), "{text}");
}
