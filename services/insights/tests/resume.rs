//! An import that broke off is run again and counts as one.
#![allow(clippy::unwrap_used, dead_code, missing_docs, reason = "a test")]

mod support;

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Output, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use insights_testkit::PATIENCE;
use serde_json::Value;
use support::{Server, insights, stderr, stdout};

/// Records; three batches of them.
const RECORDS: usize = 12_000;
/// Bytes after which the line goes dead: more than the first batch, less than all.
const CUT_AFTER: usize = 700_000;

/// A line to the server that goes dead when so many bytes went through.
#[derive(Default)]
struct Line {
    sent: AtomicUsize,
    mended: Mutex<bool>,
    dead: Condvar,
    is_dead: Mutex<bool>,
}

impl Line {
    fn lay(to: &str) -> (Arc<Self>, String) {
        let line = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (laid, to) = (Arc::clone(&line), to.trim_start_matches("http://").to_owned());
        thread::spawn(move || {
            for near in listener.incoming() {
                let (near, far) = (near.unwrap(), TcpStream::connect(&to).unwrap());
                let (back, forth) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                let line = Arc::clone(&laid);
                thread::spawn(move || line.carry(near, forth));
                thread::spawn(move || std::io::copy(&mut &far, &mut &back));
            }
        });
        (line, address)
    }

    fn carry(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if self.sent.fetch_add(count, Ordering::SeqCst) > CUT_AFTER && !*self.mended.lock().unwrap() {
                *self.is_dead.lock().unwrap() = true;
                self.dead.notify_all();
                return;
            }
            if to.write_all(&buffer[..count]).is_err() {
                return;
            }
        }
    }

    fn wait_until_dead(&self) {
        let guard = self.is_dead.lock().unwrap();
        let (_guard, waited) = self.dead.wait_timeout_while(guard, PATIENCE, |dead| !*dead).unwrap();
        assert!(!waited.timed_out(), "the import never came so far");
    }
}

#[test]
fn an_import_that_broke_off_goes_on() {
    let server = Server::start();
    let (line, address) = Line::lay(&server.url);
    let name = "a name that is long enough to fill a batch ".repeat(2);
    let record = |number| format!("{{\"kind\":\"customer\",\"customer_id\":\"C-{number}\",\"name\":\"{name}\"}}\n");
    let file = server.file("facts.ndjson", &(0..RECORDS).map(record).collect::<String>());
    let token = insights(&["token", "--role", "data_source", "--partner", "acme", "--data-dir", &server.data_dir()]);
    let token = server.file("source.jwt", &stdout(&token));
    let state = tempfile::tempdir().unwrap();
    let import = || {
        let mut command = insights_testkit::insights();
        command.args(["import", "ndjson", &file, "--json", "--server", &address, "--token-file", &token]);
        command.env("XDG_STATE_HOME", state.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let mut broken = import().spawn().unwrap();
    line.wait_until_dead();
    broken.kill().unwrap();
    broken.wait().unwrap();
    *line.mended.lock().unwrap() = true;

    let done: Output = import().output().unwrap();
    assert!(done.status.success(), "{}", stderr(&done));
    assert!(stderr(&done).contains("went on with an import that had broken off"), "{}", stderr(&done));
    let summary: Value = serde_json::from_str(&stdout(&done)).unwrap();
    // The batches that had arrived are answered as they were: all count as accepted, none as sent twice.
    assert_eq!((&summary["accepted"], &summary["duplicates"]), (&RECORDS.into(), &0.into()), "{summary}");
    let again: Value = serde_json::from_str(&stdout(&import().output().unwrap())).unwrap();
    assert_eq!((&again["accepted"], &again["duplicates"]), (&0.into(), &RECORDS.into()), "a new import is a new one");
}
