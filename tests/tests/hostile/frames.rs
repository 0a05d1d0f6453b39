//! HTTP/2 by hand: frames that no client would send, and as many as a connection takes.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// What is sent without end.
#[derive(Clone, Copy, Debug)]
pub enum Flood {
    RapidReset,
    Continuation,
    EmptyContinuation,
    Ping,
    Settings,
    Priority,
    WindowUpdate,
    EmptyData,
}

impl Flood {
    pub const ALL: [Self; 8] = [
        Self::RapidReset,
        Self::Continuation,
        Self::EmptyContinuation,
        Self::Ping,
        Self::Settings,
        Self::Priority,
        Self::WindowUpdate,
        Self::EmptyData,
    ];

    /// Whether the server must end the connection: what others may send much of is only harmless.
    pub fn is_cut_off(self) -> bool {
        matches!(self, Self::RapidReset | Self::Continuation | Self::EmptyContinuation)
    }

    /// What begins it.
    fn opening(self) -> Vec<u8> {
        match self {
            Self::Continuation | Self::EmptyContinuation => frame(HEADERS, 0, 1, &request()),
            Self::EmptyData => frame(HEADERS, END_HEADERS, 1, &request()),
            _ => Vec::new(),
        }
    }

    /// The frames of one turn.
    fn turn(self, number: u32) -> Vec<u8> {
        let stream = 2 * number + 1;
        match self {
            Self::RapidReset => {
                [frame(HEADERS, END_HEADERS, stream, &request()), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
            }
            // A field that is new each time, of a name and a value of one letter.
            Self::Continuation => frame(CONTINUATION, 0, 1, &[0x00, 1, b'x', 1, b'y']),
            Self::EmptyContinuation => frame(CONTINUATION, 0, 1, &[]),
            Self::Ping => frame(PING, 0, 0, &[7; 8]),
            Self::Settings => frame(SETTINGS, 0, 0, &[]),
            Self::Priority => frame(PRIORITY, 0, stream, &[0, 0, 0, 0, 1]),
            Self::WindowUpdate => frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
            Self::EmptyData => frame(DATA, 0, 1, &[]),
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// The headers of a call, each spelt out.
fn request() -> Vec<u8> {
    let mut block = vec![0x83, 0x86];
    let fields = [
        (":path", "/insights.access.v1.AccessService/WhoAmI"),
        (":authority", "here"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    for (name, value) in fields {
        block.push(0x00);
        for text in [name, value] {
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// Sends so many turns of a flood on a connection of its own, reading what comes; whether the server ended the connection.
pub async fn flood(server: SocketAddr, flood: Flood, turns: u32) -> bool {
    let Ok(connection) = TcpStream::connect(server).await else { return true };
    let (mut from, mut to) = connection.into_split();
    let reads = tokio::spawn(async move {
        let mut read = [0; 16 * 1024];
        while from.read(&mut read).await.is_ok_and(|bytes| bytes > 0) {}
    });
    let opening = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &flood.opening()].concat();
    let mut ended = to.write_all(&opening).await.is_err();
    for first in (0..turns).step_by(100) {
        if ended || reads.is_finished() {
            break;
        }
        let turns: Vec<u8> = (first..first + 100).flat_map(|number| flood.turn(number)).collect();
        ended = to.write_all(&turns).await.is_err();
    }
    if flood.is_cut_off() {
        // The server's answer may still be on its way.
        return ended || tokio::time::timeout(insights_testkit::PATIENCE, reads).await.is_ok();
    }
    let ended = ended || reads.is_finished();
    reads.abort();
    ended
}
