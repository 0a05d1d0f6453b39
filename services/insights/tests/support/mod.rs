//! A server of one test: the real binary on a free port with a data directory of its own.
#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    process::{Child, Output, Stdio},
    sync::Mutex,
};

use insights_testkit::{TempDatabase, insights as command};
use serde_json::Value;
use tempfile::TempDir;

/// Runs the binary.
pub fn insights(args: &[&str]) -> Output {
    command().args(args).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub struct Server {
    process: Child,
    folder: TempDir,
    pub url: String,
    tokens: Mutex<HashMap<String, String>>,
    /// Dropped after the process has ended.
    _database: Option<TempDatabase>,
}

impl Server {
    /// A server that has taken these records of our own, none of them rejected.
    pub fn filled(records: &str) -> Self {
        let server = Self::start();
        let file = server.file("facts.ndjson", records);
        let summary = server.json("data_source", &["import", "ndjson", &file]);
        assert_eq!(summary["rejected"], 0, "{summary}");
        server
    }

    /// What a report prints over a range: to stdout and to stderr.
    pub fn report(&self, args: &[&str], range: &[&str]) -> (String, String) {
        let output = self.run("global_admin", &[&["report"], args, range].concat());
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        (stdout(&output), stderr(&output))
    }

    /// On SQLite, as it comes.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// On a database of a throw-away PostgreSQL.
    pub fn start_on_postgres() -> Self {
        Self::start_with(Some(TempDatabase::postgres()))
    }

    fn start_with(database: Option<TempDatabase>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data").display().to_string();
        let mut serve = command();
        serve.args(["serve", "--port", "0", "--data-dir", &data_dir]).stderr(Stdio::piped());
        if let Some(database) = &database {
            serve.env("INSIGHTS_DATABASE_URL", database.url());
        }
        let mut process = serve.spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("serving on ").map(str::to_owned))
            .expect("the server says where it serves");
        // Nobody may wait for a reader of stderr.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("server: {line}")));
        Self { process, folder, url, tokens: Mutex::default(), _database: database }
    }

    pub fn data_dir(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        insights_testkit::write_secret(&path, text).unwrap();
        path.display().to_string()
    }

    /// From now on commands run as on another machine: nothing that they kept is there.
    pub fn on_another_machine(&self) {
        let _ = std::fs::remove_dir_all(self.folder.path().join("state"));
    }

    fn token(&self, role: &str) -> String {
        let mut tokens = self.tokens.lock().unwrap();
        let make = || {
            let output = insights(&["token", "--role", role, "--partner", "acme", "--data-dir", &self.data_dir()]);
            assert!(output.status.success(), "{}", stderr(&output));
            self.file(&format!("{role}.jwt"), &stdout(&output))
        };
        tokens.entry(role.to_owned()).or_insert_with(make).clone()
    }

    pub fn run(&self, role: &str, args: &[&str]) -> Output {
        let state = self.folder.path().join("state");
        let token = self.token(role);
        let common = ["--server", &self.url, "--token-file", &token];
        command().env("XDG_STATE_HOME", state).args(args).args(common).output().unwrap()
    }

    pub fn json(&self, role: &str, args: &[&str]) -> Value {
        let output = self.run(role, &[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        serde_json::from_str(&stdout(&output)).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
