//! One process of the product.

use std::{
    fmt,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use insights_testkit::PATIENCE;

/// Lines of its log that are kept.
const LINES: usize = 200;

/// Errors that processes logged, also those that are gone; the first of them.
static ERRORS: Mutex<Vec<String>> = Mutex::new(Vec::new());
const MOST_ERRORS: usize = 50;

/// Errors that processes logged so far, the first fifty.
#[must_use]
pub fn logged_errors() -> String {
    ERRORS.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
}

/// What a process serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Records in.
    Ingestion,
    /// Figures.
    Metrics,
    /// Answers.
    Reporting,
    /// All three.
    Everything,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Ingestion => "ingestion",
            Self::Metrics => "metrics",
            Self::Reporting => "reporting",
            Self::Everything => "all in one",
        })
    }
}

/// A running process; it is killed with this.
#[derive(Debug)]
pub struct Process {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts it; it may not answer yet.
    pub fn spawn(mut command: Command, address: SocketAddr) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the product starts");
        let lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&log);
        let loud = std::env::var_os("INSIGHTS_TEST_LOG").is_some();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if loud {
                    eprintln!("{}: {line}", address.port());
                }
                if line.contains("ERROR") {
                    let mut errors = ERRORS.lock().unwrap_or_else(PoisonError::into_inner);
                    if errors.len() < MOST_ERRORS {
                        errors.push(line.clone());
                    }
                }
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() == LINES {
                    kept.remove(0);
                }
                kept.push(line);
            }
        });
        Self { child, address, log }
    }

    /// Waits until it listens; `false` when it ended before.
    pub fn answers(&mut self) -> bool {
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if self.ended().is_some() {
                return false;
            }
            assert!(started.elapsed() < PATIENCE, "no answer at {}:\n{}", self.address, self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.ended().is_none()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Waits until it ends by itself.
    pub fn ends_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        loop {
            let ended = self.ended();
            if ended.is_some() || started.elapsed() >= patience {
                return ended;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// SIGKILL: nothing is flushed, nothing is said.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM: it is asked to end.
    pub fn ask_to_end(&self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(asked.expect("kill runs").success(), "it is gone already");
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.address, self.log());
        }
    }
}
