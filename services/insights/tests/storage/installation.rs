//! An installation of the real binary: a data directory, and a database where it is not in there.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use insights_database::{Database, sea_orm::ConnectionTrait};
use insights_testkit::{TempDatabase, insights, sql};
use serde_json::Value;
use tempfile::TempDir;

pub struct Installation {
    folder: TempDir,
    postgres: Option<TempDatabase>,
}

/// A server under way; it ends with this.
pub struct Server {
    process: Child,
    url: String,
    token: String,
}

impl Installation {
    pub fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), postgres: None }
    }

    pub fn postgres() -> Self {
        Self { postgres: Some(TempDatabase::postgres()), ..Self::sqlite() }
    }

    pub fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
    }

    /// A path beside the data directory.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.beside("data")
    }

    /// The file with the address of the PostgreSQL database.
    pub fn url_file(&self) -> PathBuf {
        let path = self.beside("url");
        insights_testkit::write_secret(&path, self.postgres.as_ref().unwrap().url()).unwrap();
        path
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = insights();
        command.env("INSIGHTS_DATA_DIR", self.data()).env("XDG_STATE_HOME", self.beside("state"));
        command.args(args);
        if self.postgres.is_some() {
            command.env("INSIGHTS_DATABASE_URL_FILE", self.url_file());
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The same with a setting of the environment.
    pub fn run_with(&self, args: &[&str], name: &str, value: &str) -> Output {
        self.command(args).env(name, value).output().unwrap()
    }

    /// Runs what must work.
    pub fn done(&self, args: &[&str]) {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs what must be refused, and returns why it was.
    pub fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        said
    }

    pub fn serve(&self) -> Server {
        let mut process = self.command(&["serve", "--port", "0"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("serving on ").map(str::to_owned))
            .expect("the server says where it serves");
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("server: {line}")));
        let token = self.run(&["token", "--role", "global_admin", "--partner", "acme"]);
        let path = self.beside("admin.jwt");
        insights_testkit::write_secret(&path, token.stdout).unwrap();
        Server { process, url, token: path.display().to_string() }
    }

    /// Runs a client command; the answer.
    pub fn ask(&self, server: &Server, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json", "--server", &server.url, "--token-file", &server.token]].concat());
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Executes SQL in the database of a service.
    pub fn sql(&self, service: &str, statement: &str) {
        match &self.postgres {
            Some(database) => sql(database, statement),
            None => in_file(self.data().join(format!("{service}.db")), async |database| {
                database.writer().execute_unprepared(statement).await.unwrap();
            }),
        }
    }

    /// The epochs of the facts, by partner.
    pub fn epochs(&self) -> Vec<i64> {
        in_file(self.data().join("ingestion.db"), async |database| {
            let sql = insights_database::bulk::statement(
                database.reader(),
                "SELECT epoch FROM ingestion_partner ORDER BY partner_no",
                vec![],
            );
            let rows = database.reader().query_all_raw(sql).await.unwrap();
            rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
        })
    }

    /// What is pending, with the exit code.
    pub fn pending(&self) -> (Option<i32>, Vec<String>) {
        let output = self.run(&["migrate", "--check", "--json"]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let names = answer["pending"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        (output.status.code(), names.collect())
    }
}

fn in_file<T>(path: PathBuf, doing: impl AsyncFnOnce(&Database) -> T) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let database = Database::connect(&format!("sqlite:{}", path.display())).await.unwrap();
        let answer = doing(&database).await;
        database.close().await.unwrap();
        answer
    })
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
