//! A proxy between two processes that can be told to do what networks do: delay, swallow, cut, refuse.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream, UnixStream},
    sync::watch,
};

/// Where a proxy leads.
#[derive(Clone, Debug)]
pub enum Target {
    /// A port.
    Tcp(SocketAddr),
    /// A socket in the file system, such as PostgreSQL's.
    Unix(PathBuf),
}

/// What happens on the way. It concerns connections that are open as well as new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Everything arrives.
    Up,
    /// Every piece of data arrives this much later, each way.
    Slow(Duration),
    /// Nothing arrives and nobody is told: connections stay open, new ones are taken, all of them are silent. What was sent
    /// arrives when the network is up again.
    Silent,
    /// What is asked arrives, what is answered does not: the first bytes of an answer end their connection.
    AnswersLost,
    /// Connections are refused, open ones are cut.
    Down,
}

#[derive(Clone, Copy, Debug)]
struct State {
    network: Network,
    /// Connections begun before this count lead nowhere, silently, for good.
    lost_before: usize,
    /// Connections begun before this count are cut.
    cut_before: usize,
}

/// A proxy on a port of its own. It ends with the value.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    begun: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    server: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// A proxy to a port.
    pub async fn to(target: SocketAddr) -> Self {
        Self::start(Target::Tcp(target)).await
    }

    /// A proxy to a socket in the file system.
    pub async fn to_socket(path: &Path) -> Self {
        Self::start(Target::Unix(path.to_owned())).await
    }

    /// A proxy to the PostgreSQL server of a database URL with a `host=` folder, and the URL through it.
    pub async fn to_postgres(url: &str) -> (Self, String) {
        let (url, folder) = url.split_once("?host=").expect("a URL with the folder of a socket");
        let proxy = Self::to_socket(&Path::new(folder).join(".s.PGSQL.5432")).await;
        let (before, after) = url.split_once("localhost").expect("localhost in the URL");
        let url = format!("{before}{}{after}?sslmode=disable", proxy.address);
        (proxy, url)
    }

    async fn start(target: Target) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], crate::free_port()));
        let (state, watched) = watch::channel(State { network: Network::Up, lost_before: 0, cut_before: 0 });
        let (begun, open) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let listener = listen(address).expect("a port");
        let server = tokio::spawn(serve(listener, address, target, watched, Arc::clone(&begun), Arc::clone(&open)));
        Self { address, state, begun, open, server }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes what happens on the way.
    pub fn set(&self, network: Network) {
        self.state.send_modify(|state| state.network = network);
    }

    /// Cuts every open connection; new ones are taken.
    pub fn cut(&self) {
        let begun = self.begun.load(Ordering::SeqCst);
        self.state.send_modify(|state| state.cut_before = begun);
    }

    /// Forgets every open connection as a failing router does: they lead nowhere and nobody is told. New ones are taken.
    pub fn forget(&self) {
        let begun = self.begun.load(Ordering::SeqCst);
        self.state.send_modify(|state| state.lost_before = begun);
    }

    /// How many connections were begun.
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(128)
}

async fn serve(
    listener: TcpListener,
    address: SocketAddr,
    target: Target,
    mut state: watch::Receiver<State>,
    begun: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
) {
    let mut listener = Some(listener);
    // Dropped with this task: every connection goes with the proxy.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let network = state.borrow_and_update().network;
        match (&listener, network) {
            (Some(_), Network::Down) => listener = None,
            (None, network) if network != Network::Down => listener = listen(address).ok(),
            _ => {}
        }
        let accept = async {
            match &listener {
                Some(listener) => listener.accept().await.ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            accepted = accept => if let Some((client, _)) = accepted {
                let number = begun.fetch_add(1, Ordering::SeqCst);
                let (target, state) = (target.clone(), state.clone());
                let counted = Counted::new(Arc::clone(&open));
                connections.spawn(async move {
                    let _counted = counted;
                    connection(client, target, number, state).await;
                });
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn connection(client: TcpStream, target: Target, number: usize, mut state: watch::Receiver<State>) {
    let _ = client.set_nodelay(true);
    if state.wait_for(|state| state.network != Network::Silent || cut(state, number)).await.is_err() {
        return;
    }
    let server: io::Result<Box<dyn Stream>> = match &target {
        Target::Tcp(address) => TcpStream::connect(address).await.map(|stream| {
            let _ = stream.set_nodelay(true);
            Box::new(stream) as Box<dyn Stream>
        }),
        Target::Unix(path) => UnixStream::connect(path).await.map(|stream| Box::new(stream) as Box<dyn Stream>),
    };
    let Ok(server) = server else { return };
    let (client_reads, client_writes) = client.into_split();
    let (server_reads, server_writes) = tokio::io::split(server);
    let mut cuts = state.clone();
    tokio::select! {
        _ = carry(client_reads, server_writes, number, state.clone(), false) => {}
        _ = carry(server_reads, client_writes, number, state, true) => {}
        _ = cuts.wait_for(|state| cut(state, number)) => {}
    }
}

fn cut(state: &State, number: usize) -> bool {
    state.network == Network::Down || number < state.cut_before
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    number: usize,
    mut state: watch::Receiver<State>,
    answers: bool,
) -> io::Result<()> {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut bytes).await?;
        let now = *state.borrow_and_update();
        if let Network::Slow(delay) = now.network {
            tokio::time::sleep(delay).await;
        }
        let held = |state: &State| state.network == Network::Silent || number < state.lost_before;
        if held(&now) && state.wait_for(|state| !held(state)).await.is_err() {
            return Ok(());
        }
        if read == 0 {
            return Ok(());
        }
        if answers && state.borrow().network == Network::AnswersLost {
            return Ok(());
        }
        to.write_all(&bytes[..read]).await?;
    }
}
