//! A channel to a service in the same process: in memory, through the same layers as the port, so that one code path runs
//! everywhere.

use hyper_util::rt::TokioIo;
use tokio::{io::DuplexStream, sync::mpsc};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::{Channel, Endpoint, Uri};

/// The authority of in-process channels; nothing resolves it.
pub const IN_PROCESS: &str = "http://in-process.insights";

/// Bytes in flight each way before the writer waits.
const BUFFER: usize = 256 * 1024;
/// HTTP/2 windows: memory is near, so waiting for window updates would be all the latency there is.
pub(crate) const WINDOW: u32 = 4 * 1024 * 1024;

/// A channel, and the server's ends of its connections.
pub(crate) fn pair() -> (Channel, UnboundedReceiverStream<Result<DuplexStream, std::io::Error>>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let connect = tower::service_fn(move |_: Uri| {
        let sender = sender.clone();
        async move {
            let (ours, theirs) = tokio::io::duplex(BUFFER);
            let gone = |_| std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "the service is gone");
            sender.send(Ok(theirs)).map_err(gone)?;
            Ok::<_, std::io::Error>(TokioIo::new(ours))
        }
    });
    let endpoint =
        Endpoint::from_static(IN_PROCESS).initial_stream_window_size(WINDOW).initial_connection_window_size(4 * WINDOW);
    (endpoint.connect_with_connector_lazy(connect), UnboundedReceiverStream::new(receiver))
}
