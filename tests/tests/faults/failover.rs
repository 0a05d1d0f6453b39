//! PostgreSQL failing over: three nodes under Patroni with synchronous replication, etcd and HAProxy from Debian's packages, as the
//! operator's guide describes them. The primary is killed under load, again and again.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{Read, Write},
    net::TcpStream,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use insights_testkit::{found, free_port};
use insights_tests::running::long;

use super::site::Site;

/// What the operator's guide states: from the end of the primary to the next acknowledgement.
const STATED: Duration = Duration::from_secs(45);

/// How often the primary is killed.
const KILLS: usize = 5;

fn has(program: &str) -> bool {
    ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].iter().any(|folder| Path::new(folder).join(program).exists())
}

/// Whether the programs are there, or could be installed.
fn programs() -> bool {
    let all = || ["patroni", "etcd", "haproxy"].into_iter().all(has);
    if all() {
        return true;
    }
    let root = user_id() == 0;
    for arguments in [
        &["update", "-qq"][..],
        &["install", "-y", "-qq", "--no-install-recommends", "patroni", "python3-etcd", "etcd-server", "haproxy"][..],
    ] {
        let mut command = Command::new(if root { "apt-get" } else { "sudo" });
        if !root {
            command.args(["-n", "apt-get"]);
        }
        let _ = command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()).status();
    }
    all()
}

fn user_id() -> u32 {
    let output = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
}

/// A database server under Patroni.
struct Node {
    name: String,
    rest: u16,
    port: u16,
    patroni: Option<Child>,
}

/// Three nodes, who keeps their votes, and the door to whichever is the primary.
struct Patroni {
    folder: tempfile::TempDir,
    nodes: Vec<Node>,
    others: Vec<Child>,
    door: u16,
}

impl Patroni {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("insights-patroni").tempdir().unwrap();
        let mut command = Command::new("chmod");
        assert!(command.arg("0755").arg(folder.path()).status().unwrap().success());
        own(folder.path());
        let port = free_port;
        let nodes =
            (1..=3).map(|number| Node { name: format!("n{number}"), rest: port(), port: port(), patroni: None });
        let mut all = Self { nodes: nodes.collect(), folder, others: Vec::new(), door: port() };
        let (clients, peers) = (port(), port());
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let etcd = all.spawn(
            "etcd",
            &[
                "--data-dir".into(),
                all.path("etcd"),
                "--listen-client-urls".into(),
                url(clients),
                "--advertise-client-urls".into(),
                url(clients),
                "--listen-peer-urls".into(),
                url(peers),
                "--initial-advertise-peer-urls".into(),
                url(peers),
                "--initial-cluster".into(),
                format!("default={}", url(peers)),
            ],
        );
        all.others.push(etcd);
        for number in 0..all.nodes.len() {
            let text = all.configuration(number, clients);
            fs::write(all.folder.path().join(format!("{}.yml", all.nodes[number].name)), text).unwrap();
            all.run_node(number);
        }
        fs::write(all.folder.path().join("haproxy.cfg"), all.balancer()).unwrap();
        let balancer = all.spawn("haproxy", &["-db".into(), "-f".into(), all.path("haproxy.cfg")]);
        all.others.push(balancer);
        all.wait(|all| all.standing());
        all
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A program as the user of the database, with its log in the folder.
    fn spawn(&self, program: &str, arguments: &[String]) -> Child {
        let log = File::options().create(true).append(true).open(self.path(&format!("{program}.log"))).unwrap();
        let mut command = if user_id() == 0 {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", program]);
            command
        } else {
            Command::new(program)
        };
        command.args(arguments).current_dir("/").env("LC_ALL", "C.UTF-8").process_group(0);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        command.spawn().unwrap()
    }

    fn run_node(&mut self, number: usize) {
        let arguments = [self.path(&format!("{}.yml", self.nodes[number].name))];
        self.nodes[number].patroni = Some(self.spawn("patroni", &arguments));
    }

    /// The settings that the operator's guide shows.
    fn configuration(&self, number: usize, etcd: u16) -> String {
        let Node { name, rest, port, .. } = &self.nodes[number];
        let (folder, programs) = (self.folder.path().display(), programs_of_postgres().display().to_string());
        format!(
            "scope: insights
name: {name}
restapi:
  listen: 127.0.0.1:{rest}
  connect_address: 127.0.0.1:{rest}
etcd3:
  host: 127.0.0.1:{etcd}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 5
    retry_timeout: 5
    maximum_lag_on_failover: 0
    synchronous_mode: true
    synchronous_mode_strict: true
    postgresql:
      use_pg_rewind: true
      parameters:
        synchronous_commit: 'on'
        max_connections: 100
        wal_log_hints: 'on'
  initdb:
  - encoding: UTF8
  - data-checksums
postgresql:
  listen: 127.0.0.1:{port}
  connect_address: 127.0.0.1:{port}
  data_dir: {folder}/{name}
  bin_dir: {programs}
  pgpass: {folder}/{name}.pgpass
  authentication:
    replication: {{username: replicator, password: r}}
    superuser: {{username: postgres, password: s}}
  pg_hba:
  - local all all trust
  - host all all 127.0.0.1/32 trust
  - host replication all 127.0.0.1/32 trust
  parameters:
    unix_socket_directories: {folder}
    fsync: 'off'
"
        )
    }

    fn balancer(&self) -> String {
        let mut text = format!(
            "defaults
  mode tcp
  timeout connect 3s
  timeout client 30m
  timeout server 30m
  timeout check 3s
listen primary
  bind 127.0.0.1:{}
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
",
            self.door
        );
        for Node { name, rest, port, .. } in &self.nodes {
            let _ = writeln!(text, "  server {name} 127.0.0.1:{port} check port {rest}");
        }
        text
    }

    /// Which node is the primary.
    fn primary(&self) -> Option<usize> {
        (0..self.nodes.len()).find(|number| self.says(*number, "/primary"))
    }

    /// A primary, and one that has all it has.
    fn standing(&self) -> bool {
        let standbys = (0..self.nodes.len()).filter(|number| self.says(*number, "/sync")).count();
        let streaming = (0..self.nodes.len()).filter(|number| self.says(*number, "/replica")).count();
        self.primary().is_some() && standbys == 1 && streaming == 2
    }

    fn says(&self, number: usize, path: &str) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.nodes[number].rest))?;
            stream.set_read_timeout(Some(Duration::from_secs(3)))?;
            write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.lines().next().is_some_and(|line| line.contains(" 200 ")))
    }

    fn wait(&self, until: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !until(self) {
            if started.elapsed() > Duration::from_secs(240) {
                let log = fs::read_to_string(self.path("patroni.log")).unwrap_or_default();
                let last: Vec<&str> = log.lines().rev().take(60).collect();
                panic!("the nodes do not stand:\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Ends the primary and who watches over it, at once, as the end of its machine would. Returns which it was.
    fn kill_the_primary(&mut self) -> usize {
        let number = self.primary().expect("a primary");
        let data = self.folder.path().join(&self.nodes[number].name);
        let server: u32 =
            fs::read_to_string(data.join("postmaster.pid")).unwrap().lines().next().unwrap().parse().unwrap();
        let mut patroni = self.nodes[number].patroni.take().expect("it runs");
        // Who watches goes first, or it would start the server again.
        let mut all = descendants(patroni.id());
        all.push(server);
        all.extend(descendants(server));
        for process in std::iter::once(patroni.id()).chain(all) {
            kill(process);
        }
        let _ = patroni.wait();
        number
    }
}

impl Drop for Patroni {
    fn drop(&mut self) {
        let mut ending: Vec<u32> = Vec::new();
        for node in &mut self.nodes {
            if let Some(patroni) = &node.patroni {
                ending.extend(descendants(patroni.id()));
                ending.push(patroni.id());
            }
            let pid = self.folder.path().join(&node.name).join("postmaster.pid");
            if let Some(server) = fs::read_to_string(pid).ok().and_then(|text| text.lines().next()?.parse().ok()) {
                ending.push(server);
                ending.extend(descendants(server));
            }
        }
        for other in &self.others {
            ending.extend(descendants(other.id()));
            ending.push(other.id());
        }
        ending.into_iter().for_each(kill);
        for child in self.others.iter_mut().chain(self.nodes.iter_mut().filter_map(|node| node.patroni.as_mut())) {
            let _ = child.wait();
        }
    }
}

/// The processes that a process started, and theirs.
fn descendants(of: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    for child in children.split_whitespace().filter_map(|text| text.parse().ok()) {
        found.push(child);
        found.extend(descendants(child));
    }
    found
}

fn kill(process: u32) {
    let _ = Command::new("sh").args(["-c", "kill -KILL \"$1\" 2>/dev/null", "kill", &process.to_string()]).status();
}

fn own(folder: &Path) {
    if user_id() == 0 {
        assert!(Command::new("chown").arg("postgres").arg(folder).status().unwrap().success());
    }
}

fn programs_of_postgres() -> PathBuf {
    let mut versions: Vec<PathBuf> =
        fs::read_dir("/usr/lib/postgresql").unwrap().flatten().map(|entry| entry.path().join("bin")).collect();
    versions.retain(|folder| folder.join("initdb").exists());
    versions.sort();
    versions.pop().expect("PostgreSQL is installed")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_killed_under_load_loses_nothing() {
    if !long() {
        println!("skipped: INSIGHTS_LONG=1 kills the primary of a cluster of three");
        return;
    }
    // PostgreSQL itself comes with the testkit.
    drop(insights_testkit::TempDatabase::postgres());
    if !programs() {
        println!("skipped: Patroni, etcd and HAProxy are not here and apt cannot install them");
        return;
    }
    let mut nodes = tokio::task::block_in_place(Patroni::start);
    let url = |name: &str| format!("postgres://postgres@127.0.0.1:{}/{name}?sslmode=disable", nodes.door);
    let connect = async || <sqlx::PgConnection as sqlx::Connection>::connect(&url("postgres")).await.ok();
    let mut connection = found("the door is open", connect).await;
    sqlx::query("CREATE DATABASE site").execute(&mut connection).await.unwrap();
    let site = Site::start(&url("site"), 600).await;
    let traffic = site.traffic();
    let mut times = Vec::new();
    for _ in 0..KILLS {
        site.progress(20).await;
        let killed = tokio::task::block_in_place(|| nodes.kill_the_primary());
        let started = Instant::now();
        // What was on its way may still be answered.
        tokio::time::sleep(Duration::from_millis(100)).await;
        site.progress(3).await;
        times.push(started.elapsed());
        nodes.run_node(killed);
        tokio::task::block_in_place(|| nodes.wait(Patroni::standing));
    }
    site.progress(20).await;
    site.check(&format!("the primary killed {KILLS} times"), traffic).await;
    println!("    from its end to the next acknowledgements: {times:?}; stated: {STATED:?}");
    assert!(times.iter().all(|time| *time < STATED), "{times:?}");
}
