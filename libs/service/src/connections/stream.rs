//! The bytes of a connection, which ends when it is told to.

use std::{
    io::{self, ErrorKind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::transport::server::Connected;

use super::{
    Peer,
    registry::{Admitted, Entry},
};

/// A connection past its handshake.
pub(crate) struct Connection {
    bytes: ByteStream,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    admitted: Admitted,
}

/// What carries the bytes.
pub(crate) enum ByteStream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    pub(crate) fn new(bytes: ByteStream, admitted: Admitted) -> Self {
        let ended = Box::pin(admitted.entry.ending().cancelled_owned());
        Self { bytes, ended, admitted }
    }

    fn entry(&self) -> &Arc<Entry> {
        &self.admitted.entry
    }

    /// An error once it is to end; else wakes when it is.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.ended.as_mut().poll(context) {
            Poll::Ready(()) => Err(ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        Peer::of(&self.admitted)
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        let before = into.filled().len();
        let read = match &mut self.bytes {
            ByteStream::Plain(bytes) => Pin::new(bytes).poll_read(context, into),
            ByteStream::Tls(bytes) => Pin::new(bytes.as_mut()).poll_read(context, into),
        };
        self.entry().received(into.filled().len() - before);
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        self.check(context)?;
        match &mut self.bytes {
            ByteStream::Plain(bytes) => Pin::new(bytes).poll_write(context, from),
            ByteStream::Tls(bytes) => Pin::new(bytes.as_mut()).poll_write(context, from),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        match &mut self.bytes {
            ByteStream::Plain(bytes) => Pin::new(bytes).poll_write_vectored(context, from),
            ByteStream::Tls(bytes) => Pin::new(bytes.as_mut()).poll_write_vectored(context, from),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.bytes {
            ByteStream::Plain(bytes) => bytes.is_write_vectored(),
            ByteStream::Tls(bytes) => bytes.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        match &mut self.bytes {
            ByteStream::Plain(bytes) => Pin::new(bytes).poll_flush(context),
            ByteStream::Tls(bytes) => Pin::new(bytes.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        match &mut self.bytes {
            ByteStream::Plain(bytes) => Pin::new(bytes).poll_shutdown(context),
            ByteStream::Tls(bytes) => Pin::new(bytes.as_mut()).poll_shutdown(context),
        }
    }
}
