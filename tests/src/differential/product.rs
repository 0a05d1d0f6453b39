//! The product, as people run it: the `insights` binary, started, fed and asked through its command line.

use super::question::Caller;
use insights_testkit::{Process, Spec, TempDatabase, insights};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Output;
use std::sync::Mutex;
use tempfile::TempDir;

/// A running product.
pub struct Product {
    server: Process,
    now: String,
    home: TempDir,
    tokens: Mutex<BTreeMap<(String, Caller), PathBuf>>,
    _database: Option<TempDatabase>,
}

impl Product {
    /// Starts the product on SQLite, or on a throw-away PostgreSQL, taking `now` for now.
    pub fn start(postgres: bool, now: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let database = postgres.then(TempDatabase::postgres);
        let mut spec = Spec::new("product", &[], home.path()).set("now", now);
        if let Some(database) = &database {
            let url = home.path().join("database-url");
            insights_testkit::write_secret(&url, database.url()).expect("the URL is written");
            spec = spec.set("database_url_file", url.display());
        }
        let mut server = Process::spawn(spec);
        assert!(server.listens(), "the product ended at its start:\n{}", server.log());
        Self { server, now: now.into(), home, tokens: Mutex::default(), _database: database }
    }

    /// Kills the server and starts it again over what it had stored, at another time.
    pub fn restart(&mut self, now: &str) {
        self.server.kill();
        now.clone_into(&mut self.now);
        self.server.spec = self.server.spec.clone().set("now", now);
        self.server.again();
        assert!(self.server.listens(), "the product ended at its start:\n{}", self.server.log());
    }

    /// When the server was last started.
    pub fn now(&self) -> &str {
        &self.now
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = insights();
        command.args(args).env("INSIGHTS_NOW", &self.now);
        command.env("INSIGHTS_SERVER", self.server.spec.url());
        command.output().expect("the command runs")
    }

    /// A file with a token for a caller.
    fn token(&self, partner: &str, caller: &Caller) -> PathBuf {
        let mut tokens = self.tokens.lock().expect("no test panicked");
        if let Some(path) = tokens.get(&(partner.to_owned(), caller.clone())) {
            return path.clone();
        }
        let data = self.home.path().join("data").to_string_lossy().into_owned();
        let mut args = vec!["token", "--role", caller.role, "--partner", partner, "--data-dir", &data, "--ttl", "12h"];
        for location in &caller.locations {
            args.extend(["--location", *location]);
        }
        let output = self.run(&args);
        assert!(output.status.success(), "token: {}", String::from_utf8_lossy(&output.stderr));
        let path = self.home.path().join(format!("token-{}", tokens.len()));
        insights_testkit::write_secret(&path, &output.stdout).expect("the token is written");
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
        self.import_with(partner, lines, &[])
    }

    /// The same with more on the command line.
    pub fn import_with(&self, partner: &str, lines: &str, more: &[&str]) -> Value {
        let file = tempfile::Builder::new().suffix(".ndjson").tempfile().expect("a file");
        std::fs::write(file.path(), lines).expect("the file is written");
        let path = file.path().to_string_lossy();
        let output = self.client(partner, &Caller::admin(), &[&["import", "ndjson", &path], more].concat());
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
