//! The proxy that stands for the network does what it says.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use insights_testkit::{Network, Proxy, until};

/// Answers every piece with itself.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut bytes = [0; 16];
                while let Ok(read @ 1..) = stream.read(&mut bytes) {
                    let _ = stream.write_all(&bytes[..read]);
                }
            });
        }
    });
    address
}

/// Sends a byte and waits for it to come back.
fn round_trip(stream: &mut TcpStream, patience: Duration) -> std::io::Result<Duration> {
    stream.set_read_timeout(Some(patience))?;
    let start = Instant::now();
    stream.write_all(b"x")?;
    stream.read_exact(&mut [0])?;
    Ok(start.elapsed())
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(150);

#[tokio::test(flavor = "multi_thread")]
async fn the_network_of_tests_delays_swallows_cuts_and_refuses() {
    let proxy = Proxy::to(echo()).await;
    let connect = || TcpStream::connect(proxy.address()).expect("a connection");
    let mut stream = connect();
    round_trip(&mut stream, LONG).expect("up");

    proxy.set(Network::Slow(Duration::from_millis(60)));
    assert!(round_trip(&mut stream, LONG).expect("slow") >= Duration::from_millis(120));

    proxy.set(Network::Silent);
    round_trip(&mut stream, SHORT).expect_err("silence");
    let mut taken = connect();
    round_trip(&mut taken, SHORT).expect_err("taken and silent");
    proxy.set(Network::Up);
    taken.set_read_timeout(Some(LONG)).expect("a timeout");
    taken.read_exact(&mut [0]).expect("what was held arrives");

    proxy.forget();
    round_trip(&mut taken, SHORT).expect_err("forgotten");
    let mut fresh = connect();
    round_trip(&mut fresh, LONG).expect("a new one passes");

    proxy.set(Network::AnswersLost);
    round_trip(&mut fresh, LONG).expect_err("the answer is lost");
    proxy.set(Network::Up);
    let mut fresh = connect();
    round_trip(&mut fresh, LONG).expect("up again");

    proxy.cut();
    round_trip(&mut fresh, LONG).expect_err("cut");
    proxy.set(Network::Down);
    until("connections are refused", async || TcpStream::connect(proxy.address()).is_err()).await;
    proxy.set(Network::Up);
    until("they are taken again", async || {
        TcpStream::connect(proxy.address()).is_ok_and(|mut stream| round_trip(&mut stream, LONG).is_ok())
    })
    .await;
}
