//! DuckDB in a Python of its own, asked over a pipe. It times itself, so that the pipe costs it nothing.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;

use crate::{Failure, Options, portfolio::Row, questions::Answer, say};

/// Reads requests as lines of JSON, answers the same way.
const SCRIPT: &str = r#"
import json, sys, time
import duckdb
db = duckdb.connect(config={"threads": 2})
for line in sys.stdin:
    sql = json.loads(line)["sql"]
    start = time.perf_counter()
    rows = db.execute(sql).fetchall()
    taken = time.perf_counter() - start
    print(json.dumps({"seconds": taken, "rows": rows}), flush=True)
"#;

/// A DuckDB with the rows in memory.
pub struct DuckDb {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

#[derive(Deserialize)]
struct Reply {
    seconds: f64,
    rows: Answer,
}

impl DuckDb {
    /// Starts DuckDB with two threads and gives it the rows.
    pub fn load(options: &Options, rows: impl Iterator<Item = Row>) -> Result<Self, Failure> {
        let python = python(options)?;
        let mut process = Command::new(python)
            .args(["-u", "-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("Python for DuckDB: {error}"))?;
        let requests = process.stdin.take().ok_or("no pipe")?;
        let answers = BufReader::new(process.stdout.take().ok_or("no pipe")?);
        let mut this = Self { process, requests, answers };
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("months.csv");
        write(&path, rows)?;
        let types = "{'month': 'INTEGER', 'customer': 'INTEGER', 'subscription': 'INTEGER', 'sku': 'INTEGER', \
            'country': 'INTEGER', 'segment': 'INTEGER', 'active': 'BOOLEAN', 'available': 'INTEGER'}";
        let path = path.display();
        this.ask(&format!(
            "CREATE TABLE months AS SELECT * FROM read_csv('{path}', header = false, columns = {types})"
        ))?;
        Ok(this)
    }

    /// Asks and says how long the answer took.
    pub fn ask(&mut self, sql: &str) -> Result<(Duration, Answer), Failure> {
        writeln!(self.requests, "{}", json!({"sql": sql}))?;
        self.requests.flush()?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("DuckDB ended; what it said stands above".into());
        }
        let reply: Reply = serde_json::from_str(&line)?;
        Ok((Duration::from_secs_f64(reply.seconds), reply.rows))
    }
}

impl Drop for DuckDb {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn write(path: &Path, rows: impl Iterator<Item = Row>) -> Result<(), Failure> {
    let mut file = BufWriter::new(File::create(path)?);
    for row in rows {
        let Row { month, customer, subscription, sku, country, segment, active, available } = row;
        writeln!(file, "{month},{customer},{subscription},{sku},{country},{segment},{active},{available}")?;
    }
    file.flush()?;
    Ok(())
}

/// A Python that has DuckDB: the one given, or an environment made once beside the programs.
fn python(options: &Options) -> Result<PathBuf, Failure> {
    let has = |python: &Path| {
        let mut command = Command::new(python);
        command.args(["-c", "import duckdb"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    if has(&options.python) {
        return Ok(options.python.clone());
    }
    let folder = options.insights.parent().unwrap_or(Path::new(".")).join("bench-python");
    let python = folder.join("bin/python");
    if !has(&python) {
        say("installing DuckDB into an environment of its own");
        for command in [
            Command::new(&options.python).args(["-m", "venv"]).arg(&folder),
            Command::new(folder.join("bin/pip")).args(["install", "--quiet", "duckdb"]),
        ] {
            if !command.stdout(Stdio::null()).status()?.success() {
                return Err("DuckDB could not be installed; name a Python that has it".into());
            }
        }
    }
    Ok(python)
}
