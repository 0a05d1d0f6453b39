//! Backups of an installation on SQLite, taken while records come in.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use insights_testkit::SmallDisk;

use super::installation::{Installation, Server};

/// Imports what belongs to customer `number`; counts as one customer and one seat in use in January 2024.
fn import(installation: &Installation, server: &Server, number: usize) {
    let lines = format!(
        r#"{{"kind":"sku","sku_id":"K","name":"Suite","product":"Office 365","services":["Teams"]}}
{{"kind":"customer","customer_id":"C-{number}"}}
{{"kind":"subscription","subscription_id":"S-{number}","customer_id":"C-{number}","sku_id":"K"}}
{{"kind":"subscription_state","subscription_id":"S-{number}","effective":"2024-01-10","status":"Active","seats":3}}
{{"kind":"assignment","subscription_id":"S-{number}","user_id":"u@example.com","from":"2024-01-10"}}
{{"kind":"activity","customer_id":"C-{number}","user_id":"u@example.com","service":"Teams","day":"2024-01-20"}}
{{"kind":"complete_through","day":"2024-01-31"}}
"#
    );
    let file = installation.beside(&format!("{number}.ndjson"));
    fs::write(&file, lines).unwrap();
    let summary = installation.ask(server, &["import", "ndjson", &file.display().to_string()]);
    assert_eq!(summary["rejected"], 0, "{summary}");
}

/// Customers and active seats in January 2024, once there are as many customers as expected, or at last.
fn figures(installation: &Installation, server: &Server, least: usize) -> (usize, usize) {
    let started = Instant::now();
    loop {
        let args = ["query", "--measures", "customers,active", "--from", "2024-01", "--to", "2024-01"];
        let rows = installation.ask(server, &args);
        let figure = |name: &str| rows[0][name].as_u64().unwrap_or_default() as usize;
        let found = (figure("customers"), figure("active"));
        if found.0 >= least || started.elapsed() > Duration::from_secs(60) {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn text(path: &std::path::Path) -> String {
    path.display().to_string()
}

#[test]
fn a_backup_taken_while_serving_holds_all_that_was_acknowledged() {
    let (old, new) = (Installation::sqlite(), Installation::sqlite());
    let backup = old.beside("backup");
    let server = old.serve();
    let (acknowledged, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (mut before, mut after) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                import(&old, &server, acknowledged.load(Ordering::SeqCst));
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
        });
        let reach = |count: usize| {
            let started = Instant::now();
            while acknowledged.load(Ordering::SeqCst) < count && started.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        reach(3);
        before = acknowledged.load(Ordering::SeqCst);
        old.done(&["backup", &text(&backup)]);
        after = acknowledged.load(Ordering::SeqCst);
        // Writers were not stopped by it.
        reach(after + 2);
        stop.store(true, Ordering::SeqCst);
    });
    let all = acknowledged.load(Ordering::SeqCst);
    assert!(before >= 3 && all >= after + 2, "{before} {after} {all}");

    new.done(&["restore", &text(&backup)]);
    let served = new.serve();
    let (customers, active) = figures(&new, &served, before);
    // One more may have been stored and not yet answered.
    assert!((before..=after + 1).contains(&customers), "{customers} of {before} to {after}");
    // A user may be known in the middle of an import; what is there is whole, for a batch is one transaction.
    assert_eq!(active, customers);
    assert_eq!(new.ask(&served, &["verify"])["differences"], 0);
    // Senders begin again where they want: the users are who they were, and what is there already changes nothing.
    (0..all).for_each(|number| import(&new, &served, number));
    assert_eq!(figures(&new, &served, all), (all, all));
    assert_eq!(new.ask(&served, &["verify"])["differences"], 0);
    assert_eq!(figures(&old, &server, all), (all, all), "what was backed up goes on");
}

#[test]
fn facts_brought_back_have_another_epoch_each_time() {
    let old = Installation::sqlite();
    let server = old.serve();
    import(&old, &server, 1);
    let backup = text(&old.beside("backup"));
    old.done(&["backup", &backup]);
    drop(server);
    let born = old.epochs();
    let (one, two) = (Installation::sqlite(), Installation::sqlite());
    one.done(&["restore", &backup]);
    two.done(&["restore", &backup]);
    let (first, second) = (one.epochs(), two.epochs());
    assert_eq!(born.len(), 1);
    assert!(born < first && first < second, "{born:?} {first:?} {second:?}");
    assert_eq!(fs::read(one.data().join("user.key")).unwrap(), fs::read(old.data().join("user.key")).unwrap());
    assert!(!one.data().join("metrics.db").exists(), "rollups are made from the facts");
    assert!(one.data().join("reporting.db").exists(), "the audit is kept");
}

#[test]
fn what_is_in_the_way_or_damaged_is_refused_and_changes_nothing() {
    let old = Installation::sqlite();
    assert!(old.refused(&["backup", &text(&old.beside("backup"))]).contains("there is nothing to back up"));
    drop(old.serve());
    let backup = old.beside("backup");
    old.done(&["backup", &text(&backup)]);
    let said = old.refused(&["backup", &text(&backup)]);
    assert!(said.contains("is not empty: move it away or name another directory"), "{said}");
    let said = old.refused(&["restore", &text(&backup)]);
    assert!(said.contains("data is not empty"), "{said}");

    let new = Installation::sqlite();
    let refused = |because: &str| {
        let said = new.refused(&["restore", &text(&backup)]);
        assert!(said.contains(because), "{said}");
        assert!(!new.data().exists(), "nothing is left of it");
        assert!(!new.beside("data.incomplete").exists(), "nothing is left of it");
    };
    let facts = backup.join("ingestion.db");
    let whole = fs::read(&facts).unwrap();
    let mut damaged = whole.clone();
    damaged[5_000] ^= 1;
    fs::write(&facts, &damaged).unwrap();
    refused("ingestion.db is not what was backed up: the backup is damaged");
    fs::write(&facts, &whole[..whole.len() / 2]).unwrap();
    refused("ingestion.db is not what was backed up");
    fs::write(&facts, &whole).unwrap();

    let list = fs::read_to_string(backup.join("backup.json")).unwrap();
    for (changed, because) in [
        (list.replace("\"user.key\"", "\"../user.key\""), "does not list what a backup holds"),
        (list.replace("\"format\": 1", "\"format\": 2"), "this version reads format 1"),
        ("{".to_owned(), "backup.json"),
    ] {
        assert_ne!(changed, list);
        fs::write(backup.join("backup.json"), changed).unwrap();
        refused(because);
    }
    fs::remove_file(backup.join("backup.json")).unwrap();
    refused("backup.json");
    fs::write(backup.join("backup.json"), list).unwrap();
    new.done(&["restore", &text(&backup)]);
}

#[test]
fn a_backup_of_a_newer_version_is_refused() {
    let old = Installation::sqlite();
    for service in ["ingestion", "reporting"] {
        old.done(&["migrate"]);
        drop(old.serve());
        let table = format!("{service}_migration");
        old.sql(service, &format!("INSERT INTO {table} (version, applied_at) VALUES ('m9999_ahead', 0)"));
        let backup = text(&old.beside(service));
        old.done(&["backup", &backup]);
        old.sql(service, &format!("DELETE FROM {table} WHERE version = 'm9999_ahead'"));
        let new = Installation::sqlite();
        let said = new.refused(&["restore", &backup]);
        assert!(said.contains("a newer version of insights migrated this database"), "{said}");
        assert!(!new.data().exists());
    }
}

#[test]
fn postgres_is_backed_up_by_its_own_programs() {
    let installation = Installation::postgres();
    installation.done(&["migrate"]);
    for command in ["backup", "restore"] {
        let said = installation.refused(&[command, &text(&installation.beside("backup"))]);
        assert!(said.contains("back up PostgreSQL with its own programs: see the operator's guide"), "{said}");
    }
}

#[test]
fn the_key_of_the_users_is_neither_mistaken_nor_made_anew() {
    let old = Installation::sqlite();
    drop(old.serve());
    let (key, backup) = (old.data().join("user.key"), text(&old.beside("backup")));
    let right = fs::read(&key).unwrap();
    insights_testkit::write_secret(&key, "ab".repeat(32)).unwrap();
    let said = old.refused(&["backup", &backup]);
    assert!(
        said.contains("user.key: ") && said.contains("not the key that the stored users were hashed with"),
        "{said}"
    );
    assert!(!old.beside("backup").exists() && !old.beside("backup.incomplete").exists());
    fs::remove_file(&key).unwrap();
    let said = old.refused(&["serve", "--port", "0"]);
    assert!(said.contains("user.key is not there, but stored users were hashed with it: bring it back"), "{said}");
    assert!(!key.exists(), "none is made in its place");
    fs::write(&key, &right).unwrap();
    old.done(&["backup", &backup]);
    // A backup with another's key, though its list agrees with it.
    let other = Installation::sqlite();
    drop(other.serve());
    let others = text(&other.beside("backup"));
    other.done(&["backup", &others]);
    let path = other.beside("backup");
    fs::copy(old.beside("backup").join("ingestion.db"), path.join("ingestion.db")).unwrap();
    let list = |folder: &std::path::Path| -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(folder.join("backup.json")).unwrap()).unwrap()
    };
    let mut mixed = list(&path);
    mixed["files"]["ingestion.db"] = list(&old.beside("backup"))["files"]["ingestion.db"].clone();
    fs::write(path.join("backup.json"), mixed.to_string()).unwrap();
    let new = Installation::sqlite();
    assert!(new.refused(&["restore", &others]).contains("not the key that the stored users were hashed with"));
    assert!(!new.data().exists());
    new.done(&["restore", &backup]);
}

#[test]
fn a_key_that_is_named_is_not_made() {
    let installation = Installation::sqlite();
    let key = text(&installation.beside("secret"));
    let output = installation.run_with(&["serve", "--port", "0"], "INSIGHTS_USER_KEY_FILE", &key);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("is not there; make one for all replicas: (umask 077; openssl rand -hex 32 >"), "{said}");
    assert!(!installation.beside("secret").exists());
}

#[test]
fn a_mounted_volume_takes_a_backup_and_a_restore() {
    let (old, new) = (Installation::sqlite(), Installation::sqlite());
    drop(old.serve());
    for folder in [old.beside("backup"), new.data()] {
        fs::create_dir_all(&folder).unwrap();
    }
    let (Some(_one), Some(_two)) = (SmallDisk::mount(&old.beside("backup"), 40), SmallDisk::mount(&new.data(), 40))
    else {
        eprintln!("SKIPPED: only root mounts file systems");
        return;
    };
    fs::create_dir(new.data().join("lost+found")).unwrap();
    let backup = text(&old.beside("backup"));
    old.done(&["backup", &backup]);
    new.done(&["restore", &backup]);
    assert!(new.data().join("ingestion.db").exists() && !new.data().join(".incomplete").exists());
    assert!(new.refused(&["restore", &backup]).contains("is not empty"));
    drop(new.serve());
}
