//! A slow way to PostgreSQL: everything on it comes late, each way.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use insights_testkit::Server;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::site::Site;

/// Leads to a port and holds up whatever passes.
struct Late {
    address: SocketAddr,
    milliseconds: Arc<AtomicU64>,
}

impl Late {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let late = Self { address: listener.local_addr().unwrap(), milliseconds: Arc::default() };
        let milliseconds = Arc::clone(&late.milliseconds);
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                let milliseconds = Arc::clone(&milliseconds);
                tokio::spawn(async move {
                    let Ok(to) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                    let ((from_reads, from_writes), (to_reads, to_writes)) = (from.into_split(), to.into_split());
                    tokio::select! {
                        () = carry(from_reads, to_writes, &milliseconds) => {}
                        () = carry(to_reads, from_writes, &milliseconds) => {}
                    }
                });
            }
        });
        late
    }

    fn by(&self, delay: Duration) {
        self.milliseconds.store(u64::try_from(delay.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, milliseconds: &AtomicU64) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read) = from.read(&mut bytes).await
        && read > 0
    {
        tokio::time::sleep(Duration::from_millis(milliseconds.load(Ordering::SeqCst))).await;
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow() {
    let server = Server::start(&[]);
    server.database("site");
    let late = Late::to(server.port()).await;
    let url = format!("postgres://postgres@{}/site?sslmode=disable", late.address);
    let site = Site::start(&url, 120).await;
    let traffic = site.traffic();
    site.progress(10).await;
    // A database far away: slower, and that is all.
    late.by(Duration::from_millis(20));
    site.progress(6).await;
    let failures = site.ledger.lock().failures.clone();
    // One that hardly answers: callers run out of time, or of the wait for a connection.
    late.by(Duration::from_secs(2));
    site.refused().await;
    late.by(Duration::ZERO);
    site.progress(20).await;
    site.check("PostgreSQL slow", traffic).await;
    println!("    at 40 ms a round trip callers saw {failures:?}");
}
