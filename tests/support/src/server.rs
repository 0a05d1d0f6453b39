//! A PostgreSQL server of one test, on a port and a socket, that may be stopped in the middle of everything and started again.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::postgres::{guard, own, programs, unprivileged, wait_for};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A server. It loses nothing that was committed when it is stopped at once, though a machine that loses its power would lose it.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    port: u16,
    settings: Vec<String>,
}

impl Server {
    /// A new server, running.
    pub fn start(settings: &[&str]) -> Self {
        let server = Self::prepare(settings);
        server.make(&[]);
        server.again();
        server
    }

    /// A folder and a port for a server; its data is still to come, in [`Self::data`].
    pub fn prepare(settings: &[&str]) -> Self {
        let process = std::process::id();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("insights-pgs-{process}-{number}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for the server");
        own(&folder);
        let port = crate::free_port();
        guard(&folder, process);
        Self { folder, port, settings: settings.iter().map(|&setting| setting.to_owned()).collect() }
    }

    /// Adds a setting that holds from the next start on.
    pub fn add(&mut self, setting: &str) {
        self.settings.push(setting.to_owned());
    }

    /// Makes its data directory.
    pub fn make(&self, options: &[&str]) {
        let data = self.data().display().to_string();
        let all = ["-D", &data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "--locale=C"];
        let output = self.program("initdb", &[&all[..], options].concat());
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts it, or starts it again, and waits until it answers.
    #[allow(clippy::zombie_processes, reason = "the server goes with this value or its guard")]
    pub fn again(&self) {
        self.spawn();
        wait_for(&self.folder, self.port);
    }

    /// Starts it without waiting.
    #[allow(clippy::zombie_processes, reason = "the server goes with this value or its guard")]
    pub fn spawn(&self) {
        let mut arguments = vec!["-D".to_owned(), self.data().display().to_string()];
        let own = [
            format!("unix_socket_directories={}", self.folder.display()),
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_owned(),
            "fsync=off".to_owned(),
            "jit=off".to_owned(),
        ];
        for setting in own.iter().chain(&self.settings) {
            arguments.extend(["-c".to_owned(), setting.clone()]);
        }
        let log = File::options().create(true).append(true).open(self.folder.join("log")).expect("a log");
        let mut server = unprivileged(&programs().join("postgres"), &arguments);
        server.stdin(Stdio::null()).stdout(log.try_clone().expect("the log")).stderr(log).process_group(0);
        server.spawn().expect("the server starts");
    }

    /// Stops it in the middle of whatever it does, as a crash would.
    pub fn stop(&self) {
        let data = self.data().display().to_string();
        let _ = self.program("pg_ctl", &["-D", &data, "-m", "immediate", "-w", "stop"]);
    }

    /// Where it keeps its socket and its log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where its data is.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The port it listens on, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database on it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// A new database, and its address.
    pub fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(name)
    }

    /// Runs a statement as the superuser; what it answered, a row a line.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let folder = self.folder.display().to_string();
        let port = self.port.to_string();
        let output = self.program(
            "psql",
            &["-X", "-q", "-A", "-t", "-h", &folder, "-p", &port, "-U", "postgres", "-d", database, "-c", statement],
        );
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// Runs one of PostgreSQL's programs as the server's user.
    pub fn program(&self, name: &str, arguments: &[&str]) -> Output {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let ours = programs().join(name);
        let program = if ours.exists() { ours } else { PathBuf::from(name) };
        let mut command = unprivileged(&program, &arguments);
        command.stdin(Stdio::null()).output().expect("the program runs")
    }

    /// The arguments that lead PostgreSQL's programs to this server.
    pub fn door(&self) -> [String; 6] {
        let folder = self.folder.display().to_string();
        ["-h".into(), folder, "-p".into(), self.port.to_string(), "-U".into(), "postgres".into()]
    }

    /// A folder beside the data that the server's user may write to.
    pub fn beside(&self, name: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::create_dir_all(&path).expect("a folder");
        own(&path);
        path
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        // A test that mounted something beneath has unmounted it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A small file system in memory, for disks that get full. `None` where this user may not make one.
#[derive(Debug)]
pub struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Mounts it; the folder must exist.
    pub fn mount(path: &Path, megabytes: u32) -> Option<Self> {
        let mut command = std::process::Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"]).arg(path);
        let output = command.stderr(Stdio::null()).status();
        output.is_ok_and(|status| status.success()).then(|| Self { path: path.to_owned() })
    }

    /// Gives it to the server's user.
    pub fn own(&self) {
        own(&self.path);
    }

    /// Leaves no room on it. Returns the file that takes it.
    pub fn fill(&self) -> PathBuf {
        use std::io::Write as _;
        let path = self.path.join("ballast");
        let mut file = File::create(&path).expect("a file");
        for size in [1 << 20, 4096, 1] {
            let bytes = vec![1; size];
            while file.write_all(&bytes).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let mut command = std::process::Command::new("umount");
        let _ = run_quietly(command.arg("-l").arg(&self.path));
    }
}

fn run_quietly(command: &mut std::process::Command) -> std::io::Result<std::process::ExitStatus> {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status()
}
