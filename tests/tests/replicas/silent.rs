//! A host that hangs: its kernel accepts connections and no process answers.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use insights_service::{ChannelConfig, ServiceChannel};
use insights_testkit::{Authority, Process, Spec};
use tonic::Code;

/// Longer than anything here takes; without a limit to the handshake it takes for ever.
const FOR_EVER: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_nobody_answers_is_given_up() {
    insights_service::install_crypto();
    let authority = Authority::new();
    let hangs = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("https://{}", hangs.local_addr().expect("an address"));
    let links = ChannelConfig { ca_file: authority.ca(), connect_seconds: 1, attempts: 2, ..ChannelConfig::default() };
    let ready = async |urls: &str| {
        let link = ServiceChannel::open(urls, &links).expect("a link");
        tokio::time::timeout(FOR_EVER, link.ready()).await.expect("it does not wait for ever")
    };
    assert_eq!(ready(&silent).await.expect_err("nobody is there").code(), Code::Unavailable);

    // Beside another replica it costs its time once, and then rests.
    let (folder, signed) = (tempfile::tempdir().expect("a folder"), authority.sign("server"));
    let spec = Spec::new("server", &[], folder.path()).tls(&signed.certificate, &signed.key, &authority.ca());
    let server = Process::start(spec).await;
    let link = ServiceChannel::open(&format!("{silent},{}", server.spec.url()), &links).expect("a link");
    let begun = Instant::now();
    for _ in 0..20 {
        tokio::time::timeout(FOR_EVER, link.ready()).await.expect("not for ever").expect("the other one answers");
    }
    assert!(begun.elapsed() < FOR_EVER / 2, "{:?} for twenty calls", begun.elapsed());
}
