//! The product, as people run it: the `insights` binary, started, fed and asked through its command line.

use super::question::Caller;
use insights_testkit::{PATIENCE, TempDatabase, free_port, insights};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A running product.
pub struct Product {
    server: Child,
    port: u16,
    now: String,
    home: tempfile::TempDir,
    tokens: Mutex<BTreeMap<(String, Caller), PathBuf>>,
    _database: Option<TempDatabase>,
}

/// Starts a server and waits until it answers.
fn serve(home: &Path, port: u16, now: &str) -> Child {
    let mut command = insights();
    command.args(["serve", "--port", &port.to_string(), "--data-dir"]).arg(home);
    command.env("INSIGHTS_NOW", now).stdout(Stdio::null()).stderr(Stdio::piped());
    let url = home.join("database-url");
    if url.exists() {
        command.env("INSIGHTS_DATABASE_URL_FILE", url);
    }
    let mut server = command.spawn().expect("the product starts");
    let lines = BufReader::new(server.stderr.take().expect("stderr is piped")).lines();
    let loud = std::env::var_os("INSIGHTS_TEST_LOG").is_some();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if loud {
                eprintln!("server: {line}");
            }
        }
    });
    let started = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = server.try_wait().expect("a child can be waited for");
        assert!(ended.is_none(), "the product ended: {ended:?}");
        assert!(started.elapsed() < PATIENCE, "the product does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

impl Product {
    /// Starts the product on SQLite, or on a throw-away PostgreSQL, taking `now` for now.
    pub fn start(postgres: bool, now: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let port = free_port();
        let database = postgres.then(TempDatabase::postgres);
        if let Some(database) = &database {
            std::fs::write(home.path().join("database-url"), database.url()).expect("the URL is written");
        }
        Self {
            server: serve(home.path(), port, now),
            port,
            now: now.into(),
            home,
            tokens: Mutex::default(),
            _database: database,
        }
    }

    /// Kills the server and starts it again over what it had stored, at another time.
    pub fn restart(&mut self, now: &str) {
        self.stop();
        now.clone_into(&mut self.now);
        self.server = serve(self.home.path(), self.port, now);
    }

    /// When the server was last started.
    pub fn now(&self) -> &str {
        &self.now
    }

    fn stop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = insights();
        command.args(args).env("INSIGHTS_NOW", &self.now);
        command.env("INSIGHTS_SERVER", format!("http://127.0.0.1:{}", self.port));
        command.output().expect("the command runs")
    }

    /// A file with a token for a caller.
    fn token(&self, partner: &str, caller: &Caller) -> PathBuf {
        let mut tokens = self.tokens.lock().expect("no test panicked");
        if let Some(path) = tokens.get(&(partner.to_owned(), caller.clone())) {
            return path.clone();
        }
        let home = self.home.path().to_string_lossy().into_owned();
        let mut args = vec!["token", "--role", caller.role, "--partner", partner, "--data-dir", &home, "--ttl", "12h"];
        for location in &caller.locations {
            args.extend(["--location", *location]);
        }
        let output = self.run(&args);
        assert!(output.status.success(), "token: {}", String::from_utf8_lossy(&output.stderr));
        let path = self.home.path().join(format!("token-{}", tokens.len()));
        std::fs::write(&path, &output.stdout).expect("the token is written");
        tokens.insert((partner.to_owned(), caller.clone()), path.clone());
        path
    }

    /// Runs a client command as a caller.
    pub fn client(&self, partner: &str, caller: &Caller, args: &[&str]) -> Output {
        let token = self.token(partner, caller);
        let token = token.to_string_lossy();
        self.run(&[args, &["--json", "--token-file", &token]].concat())
    }

    /// Imports our own records; what is bad among them fails nothing.
    pub fn import(&self, partner: &str, lines: &str) -> Value {
        let file = tempfile::Builder::new().suffix(".ndjson").tempfile().expect("a file");
        std::fs::write(file.path(), lines).expect("the file is written");
        let path = file.path().to_string_lossy();
        let output = self.client(partner, &Caller::admin(), &["import", "ndjson", &path]);
        assert!(output.status.success(), "import: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("the summary is JSON")
    }

    /// Asks; why not, when it is refused.
    pub fn ask(&self, partner: &str, caller: &Caller, command: &str, args: &[String]) -> Result<Vec<Value>, String> {
        let args: Vec<&str> = std::iter::once(command).chain(args.iter().map(String::as_str)).collect();
        let output = self.client(partner, caller, &args);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        serde_json::from_slice(&output.stdout).map_err(|e| format!("{e}: {}", String::from_utf8_lossy(&output.stdout)))
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        self.stop();
    }
}
