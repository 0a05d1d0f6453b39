//! Databases that live as long as a test: a SQLite file, or a database of a throw-away PostgreSQL server.

use std::{
    fs::{self, File},
    os::unix::process::{CommandExt, parent_id},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;

/// A PostgreSQL server in a temporary directory, reached through a socket in it. Runs as an unprivileged user.
///
/// One server serves a whole test run: nextest runs each test in a process of its own, so the server belongs to the
/// runner (or, outside nextest, to the test process) and goes with it, files included, however it ends.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
}

/// Databases are numbered within a process; the process id tells processes apart.
static NEXT: AtomicU32 = AtomicU32::new(0);

impl Postgres {
    /// The server of this test run, started on first use. Installs Debian's package when there is none.
    pub fn start() -> &'static Self {
        static SERVER: OnceLock<Postgres> = OnceLock::new();
        SERVER.get_or_init(|| {
            let owner = if std::env::var_os("NEXTEST").is_some() { parent_id() } else { std::process::id() };
            let folder = std::env::temp_dir().join(format!("insights-pg-{owner}"));
            Self::serve(&folder, owner, &["fsync=off", "synchronous_commit=off", "full_page_writes=off"])
        })
    }

    /// A server of its own for this process, as durable as a real one, for measurements and crash tests.
    pub fn durable() -> Self {
        let owner = std::process::id();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("insights-pgd-{owner}-{number}"));
        Self::serve(&folder, owner, &["shared_buffers=1GB", "max_wal_size=4GB", "checkpoint_timeout=15min"])
    }

    /// A new empty database, dropped with the returned value.
    pub fn database(&self) -> TempDatabase {
        let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE DATABASE {name}"));
        let url = format!("postgres://postgres@localhost/{name}?host={}", self.folder.display());
        TempDatabase { url, place: Place::Postgres { folder: self.folder.clone(), name } }
    }

    /// Where the server keeps its files and its socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs a statement as the superuser.
    pub fn sql(&self, statement: &str) {
        run_sql(&self.folder, statement);
    }

    #[allow(clippy::zombie_processes, reason = "the server outlives this process; its guard ends it")]
    fn serve(folder: &Path, owner: u32, settings: &[&str]) -> Self {
        let lock = File::create(folder.with_extension("lock")).expect("a lock file in the temporary directory");
        lock.lock().expect("the lock");
        // After a hard kill the folder of another run may be here, of a process that had the same number.
        if !folder.join("ready").exists() || !answers(folder) {
            let _ = fs::remove_dir_all(folder);
            fs::create_dir_all(folder).expect("a folder for the server");
            let programs = programs();
            own(folder);
            let data = folder.join("data");
            let initdb = [
                "-D",
                &data.display().to_string(),
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--no-sync",
                "--locale=C",
            ]
            .map(str::to_owned);
            run(unprivileged(&programs.join("initdb"), &initdb));
            let mut arguments = vec!["-D".to_owned(), data.display().to_string()];
            let socket = format!("unix_socket_directories={}", folder.display());
            for setting in
                settings.iter().copied().chain(["listen_addresses=", "max_connections=300", "jit=off", socket.as_str()])
            {
                arguments.extend(["-c".to_owned(), setting.to_owned()]);
            }
            let log = File::create(folder.join("log")).expect("a log");
            let mut server = unprivileged(&programs.join("postgres"), &arguments);
            server.stdin(Stdio::null()).stdout(log.try_clone().expect("the log")).stderr(log).process_group(0);
            server.spawn().expect("the server starts");
            guard(folder, owner);
            wait(folder);
            File::create(folder.join("ready")).expect("a mark");
        }
        Self { folder: folder.to_owned() }
    }
}

/// A database of one test.
#[derive(Debug)]
pub struct TempDatabase {
    url: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Sqlite { folder: TempDir },
    Postgres { folder: PathBuf, name: String },
}

impl TempDatabase {
    /// A SQLite file that does not exist yet, in a temporary directory.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        Self { url: format!("sqlite:{}/test.db", folder.path().display()), place: Place::Sqlite { folder } }
    }

    /// A database of the shared PostgreSQL server.
    pub fn postgres() -> Self {
        Postgres::start().database()
    }

    /// Its address, as `Database::connect` takes it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Changes a test's database behind the product's back, through the engine's own program or library.
pub fn sql(database: &TempDatabase, statement: &str) {
    match &database.place {
        Place::Postgres { folder, name } => {
            let mut command = psql(folder, statement);
            // The last one given counts.
            command.args(["-d", name]).stdout(Stdio::null());
            run(command);
        }
        Place::Sqlite { .. } => {
            let url = database.url.clone();
            let statement = statement.to_owned();
            let change = async move {
                let database = insights_database::Database::connect(&url).await.expect("the database");
                use insights_database::sea_orm::ConnectionTrait as _;
                database.writer().execute_unprepared(&statement).await.expect("the statement");
            };
            // A runtime of its own: the caller's may be busy waiting for this.
            let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            std::thread::spawn(move || runtime().block_on(change)).join().expect("the change");
        }
    }
}

/// The one number that a query gives; 0 where it gives none.
pub async fn number(database: &TempDatabase, query: &str) -> i64 {
    use insights_database::sea_orm::{ConnectionTrait as _, Statement};
    let database = insights_database::Database::connect(&database.url).await.expect("the database");
    let statement = Statement::from_string(database.reader().get_database_backend(), query);
    let row = database.reader().query_one_raw(statement).await.expect("the query");
    let number = row.and_then(|row| row.try_get_by_index::<i64>(0).ok()).unwrap_or_default();
    database.close().await.expect("the end");
    number
}

impl Drop for TempDatabase {
    fn drop(&mut self) {
        match &self.place {
            Place::Sqlite { folder } => {
                let _ = folder.path();
            }
            Place::Postgres { folder, name } => {
                let _ = psql(folder, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).status();
            }
        }
    }
}

/// The folder of the server programs.
pub(crate) fn programs() -> PathBuf {
    if let Some(found) = installed() {
        return found;
    }
    let lock = File::create(std::env::temp_dir().join("insights-pg-install.lock")).expect("a lock file");
    lock.lock().expect("the lock");
    if installed().is_none() {
        let sudo = !is_root();
        for arguments in [&["update"][..], &["install", "-y", "--no-install-recommends", "postgresql"][..]] {
            let mut command = if sudo { Command::new("sudo") } else { Command::new("apt-get") };
            if sudo {
                command.args(["-n", "apt-get"]);
            }
            command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
            let _ = command.status();
        }
    }
    installed().expect("PostgreSQL: install Debian's package `postgresql`")
}

fn installed() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> =
        fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path()).collect();
    versions.sort();
    versions.into_iter().rev().map(|version| version.join("bin")).find(|folder| folder.join("initdb").exists())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id");
    output.stdout.trim_ascii() == b"0"
}

/// PostgreSQL refuses to run as root: Debian's package brings the user `postgres`.
pub(crate) fn unprivileged(program: &Path, arguments: &[String]) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.args(arguments).current_dir("/");
    command
}

pub(crate) fn own(folder: &Path) {
    if is_root() {
        let mut command = Command::new("chown");
        command.arg("postgres").arg(folder);
        run(command);
    }
}

/// Removes the server when its owner is gone, in whatever way it went.
#[allow(clippy::zombie_processes, reason = "the guard outlives this process")]
pub(crate) fn guard(folder: &Path, owner: u32) {
    let script = "while kill -0 \"$1\" 2>/dev/null; do sleep 0.5; done
        pid=$(head -n 1 \"$2/data/postmaster.pid\") && kill -QUIT \"$pid\"
        while kill -0 \"$pid\" 2>/dev/null; do sleep 0.1; done
        rm -rf \"$2\" \"$2.lock\"";
    Command::new("sh")
        .args(["-c", script, "guard", &owner.to_string(), &folder.display().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("the guard starts");
}

/// Whether a server takes connections, also when it has none left to give.
fn answers(folder: &Path) -> bool {
    let mut ask = Command::new(programs().join("pg_isready"));
    ask.arg("-q").arg("-h").arg(folder).args(["-p", "5432", "-t", "60"]).current_dir("/");
    ask.status().is_ok_and(|status| status.success())
}

fn wait(folder: &Path) {
    wait_for(folder, 5432);
}

/// Waits until the server of a folder answers.
pub(crate) fn wait_for(folder: &Path, port: u16) {
    for _ in 0..600 {
        let mut ask = psql(folder, "SELECT 1");
        let answer = ask.env("PGPORT", port.to_string()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if answer.is_ok_and(|status| status.success()) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    panic!("PostgreSQL did not start:\n{log}");
}

fn psql(folder: &Path, statement: &str) -> Command {
    let mut command = Command::new(programs().join("psql"));
    command.args(["-X", "-q", "-h"]).arg(folder).args(["-U", "postgres", "-d", "postgres", "-c", statement]);
    command.current_dir("/");
    command
}

fn run_sql(folder: &Path, statement: &str) {
    let mut command = psql(folder, statement);
    command.stdout(Stdio::null());
    run(command);
}

pub(crate) fn run(mut command: Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
