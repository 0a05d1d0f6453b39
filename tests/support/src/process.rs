//! Processes of the product: the built `insights` program, started with settings, killed, terminated and started again.

use std::{
    collections::BTreeMap,
    fmt::Display,
    fs::{self, File},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::PATIENCE;

/// What a process is started with; kept to start it again.
#[derive(Clone, Debug)]
pub struct Spec {
    /// What it is called in messages, and its log.
    pub name: String,
    services: Vec<String>,
    port: u16,
    folder: PathBuf,
    /// Environment variables.
    environment: BTreeMap<String, String>,
    ca: Option<PathBuf>,
    /// What a shell does before, such as `ulimit -n 256`.
    limits: Option<String>,
}

impl Spec {
    /// A process of these services (none: all) that keeps its data directory and its log in `folder`.
    pub fn new(name: &str, services: &[&str], folder: &Path) -> Self {
        Self {
            name: name.to_owned(),
            services: services.iter().map(|&service| service.to_owned()).collect(),
            port: crate::free_port(),
            folder: folder.to_owned(),
            environment: BTreeMap::new(),
            ca: None,
            limits: None,
        }
    }

    /// Starts it with less than this machine has, as a shell says it: `ulimit -v 4000000`.
    #[must_use]
    pub fn limited(self, limits: &str) -> Self {
        Self { limits: Some(limits.to_owned()), ..self }
    }

    /// Listens on this port of the loopback address, not on a free one.
    #[must_use]
    pub fn on_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets a setting by its path, such as `limits.drain_seconds`.
    #[must_use]
    pub fn set(self, setting: &str, value: impl Display) -> Self {
        self.variable(&variable(setting), value)
    }

    /// Sets a setting that was not set yet.
    #[must_use]
    pub fn set_unless(mut self, setting: &str, value: impl Display) -> Self {
        self.environment.entry(variable(setting)).or_insert_with(|| value.to_string());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Display) -> Self {
        self.environment.insert(name.to_owned(), value.to_string());
        self
    }

    /// Serves TLS with this certificate and key, issued by `ca`.
    #[must_use]
    pub fn tls(mut self, certificate: &Path, key: &Path, ca: &Path) -> Self {
        self.ca = Some(ca.to_owned());
        self.set("tls.cert_file", certificate.display()).set("tls.key_file", key.display())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Its URL.
    pub fn url(&self) -> String {
        let scheme = if self.ca.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// The process's standard error, all starts one after the other.
    pub fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }

    /// The command that starts it.
    pub fn command(&self) -> Command {
        let mut command = match &self.limits {
            None => insights(),
            Some(limits) => limited(limits),
        };
        command.arg("serve").args(["--port", &self.port.to_string()]);
        for service in &self.services {
            command.args(["--service", service]);
        }
        command.env("INSIGHTS_DATA_DIR", self.folder.join("data")).envs(&self.environment);
        let log = File::options().create(true).append(true).open(self.log()).expect("a log");
        command.stdout(Stdio::null()).stderr(log);
        command
    }
}

/// The environment variable of a setting.
fn variable(setting: &str) -> String {
    format!("INSIGHTS_{}", setting.to_uppercase().replace('.', "_"))
}

/// The built `insights` program without the caller's settings and language.
pub fn insights() -> Command {
    bare(Command::new(program()))
}

/// The same, with limits that a shell sets before.
fn limited(limits: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{limits} && exec \"$0\" \"$@\"")]).arg(program());
    bare(shell)
}

fn bare(mut command: Command) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("INSIGHTS_")) {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// What the generator and the demo take for now in tests: the partner that they make depends on its last day, and a test must not
/// fail on the days on which that partner happens to look otherwise. Data ends within a month, so that there is a partial one.
pub const GENERATED_AT: &str = "2026-06-20T12:00:00Z";

/// The built program with a clock that starts at [`GENERATED_AT`], for the demo, the generator and tokens for the demo.
pub fn insights_at_fixed_time() -> Command {
    let mut command = insights();
    command.env("INSIGHTS_NOW", GENERATED_AT);
    command
}

/// The program beside the tests: one build of the workspace makes both. `INSIGHTS_BIN` names another.
fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("INSIGHTS_BIN") {
        return path.into();
    }
    let this = std::env::current_exe().expect("this program");
    let found = this.ancestors().skip(1).take(2).map(|folder| folder.join("insights")).find(|path| path.is_file());
    found.expect("`insights` beside this program: `cargo build --workspace --all-targets` makes both")
}

/// A running process. It is killed when the value goes.
#[derive(Debug)]
pub struct Process {
    /// What it was started with; what is changed here holds from the next start on.
    pub spec: Spec,
    child: Option<Child>,
}

impl Process {
    /// Starts a process and waits until it serves.
    pub async fn start(spec: Spec) -> Self {
        let mut process = Self::spawn(spec);
        process.wait_until_serving().await;
        process
    }

    /// Starts a process.
    pub fn spawn(spec: Spec) -> Self {
        let mut process = Self { spec, child: None };
        process.again();
        process
    }

    /// Starts it again after it ended.
    pub fn again(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.spec.name);
        fs::create_dir_all(&self.spec.folder).expect("a folder");
        self.child = Some(self.spec.command().spawn().expect("the program starts"));
    }

    /// The process's number while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.spec.address()
    }

    /// Whether it runs.
    pub fn is_running(&mut self) -> bool {
        self.child.is_some() && self.ended().is_none()
    }

    /// How it ended, if it did so by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().expect("the process"))
    }

    /// Waits until it ends by itself, no longer than this; blocks the thread.
    pub fn ends_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            let ended = self.ended();
            if ended.is_some() || start.elapsed() >= patience {
                return ended;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until its port is open; `false` when it ended before. Blocks the thread.
    pub fn listens(&mut self) -> bool {
        let start = Instant::now();
        while TcpStream::connect(self.address()).is_err() {
            if self.ended().is_some() {
                return false;
            }
            assert!(start.elapsed() < PATIENCE, "{} does not listen:\n{}", self.spec.name, self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.ended().is_none()
    }

    /// Waits until its health says it serves.
    pub async fn wait_until_serving(&mut self) {
        let start = Instant::now();
        while !self.serves().await {
            let ended = self.ended();
            assert!(ended.is_none(), "{} ended at start ({ended:?}):\n{}", self.spec.name, self.log());
            assert!(start.elapsed() < PATIENCE, "{} does not serve:\n{}", self.spec.name, self.log());
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Whether its health says it serves.
    pub async fn serves(&self) -> bool {
        let Ok(channel) = self.endpoint().connect().await else { return false };
        let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
        answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
    }

    /// For connections to it.
    pub fn endpoint(&self) -> Endpoint {
        let endpoint = Endpoint::from_shared(self.spec.url()).expect("a URL").connect_timeout(Duration::from_secs(5));
        let Some(ca) = &self.spec.ca else { return endpoint };
        let ca = Certificate::from_pem(fs::read(ca).expect("the certificate of the CA"));
        endpoint.tls_config(ClientTlsConfig::new().ca_certificate(ca)).expect("TLS")
    }

    /// A connection to it alone.
    pub fn channel(&self) -> Channel {
        self.endpoint().connect_lazy()
    }

    /// Ends it as a crash would (SIGKILL).
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Asks it to end (SIGTERM).
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Lets it do nothing, as a machine that is out of breath would (SIGSTOP).
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on (SIGCONT).
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Waits until it ended and says how.
    pub async fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            let child = self.child.as_mut().expect("a running process");
            if let Some(status) = child.try_wait().expect("the process") {
                self.child = None;
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "{} does not end:\n{}", self.spec.name, self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends it in order and starts it again, as a rolling restart does with one replica.
    pub async fn restart(&mut self) {
        self.terminate();
        let status = self.wait().await;
        assert!(status.success(), "{} ended with {status}:\n{}", self.spec.name, self.log());
        self.again();
        self.wait_until_serving().await;
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.spec.log()).unwrap_or_default()
    }

    fn signal(&self, signal: &str) {
        let id = self.id().expect("a running process").to_string();
        let status = Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "signal", signal, &id]).status();
        assert!(status.expect("a shell").success(), "{signal} to {}", self.spec.name);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.spec.name, self.log());
        }
    }
}
