//! What only its owner may read, whatever was there before.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::installation::Installation;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The folder and everything in it that others may read.
fn open_in(folder: &Path) -> Vec<PathBuf> {
    let (mut open, mut left) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        if mode(&path) & 0o077 != 0 {
            open.push(path);
        }
    }
    open
}

/// Opens everything to everybody, as an earlier version or a copy may have left it.
fn open_all(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            open_all(&path);
        } else {
            set_mode(&path, 0o644);
        }
    }
    set_mode(folder, 0o755);
}

/// Imports a customer, so that something is stored, and orders a file of figures.
fn fill(installation: &Installation) {
    let server = installation.serve();
    let file = installation.beside("facts.ndjson");
    fs::write(&file, "{\"kind\":\"customer\",\"customer_id\":\"C-1\"}\n").unwrap();
    installation.ask(&server, &["import", "ndjson", &file.display().to_string()]);
    let out = installation.beside("customers.csv");
    let order = ["export", "create", "--measures", "customers", "--from", "2024-01", "--to", "2024-01", "--out"];
    installation.ask(&server, &[&order[..], &[&out.display().to_string()]].concat());
}

#[test]
fn the_data_directory_is_its_owners_whatever_was_there_before() {
    let installation = Installation::sqlite();
    let data = installation.data();
    fs::create_dir(&data).unwrap();
    set_mode(&data, 0o755);
    fill(&installation);
    assert_eq!(open_in(&data), Vec::<PathBuf>::new(), "made by the product");
    assert!(data.join("exports").is_dir() && data.join("metrics.db").is_file());
    open_all(&data);
    assert!(open_in(&data).len() > 8, "as it was left by others, facts among it");
    let said = installation.run(&["doctor"]);
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("may be read by others") && said.contains("chmod -R go-rwx"), "{said}");
    fill(&installation);
    assert_eq!(open_in(&data), Vec::<PathBuf>::new(), "and what was there");

    let backup = installation.beside("backup");
    open_all(&data);
    installation.done(&["backup", &backup.display().to_string()]);
    assert_eq!(open_in(&backup), Vec::<PathBuf>::new());
    open_all(&backup);
    let restored = Installation::sqlite();
    restored.done(&["restore", &backup.display().to_string()]);
    assert_eq!(open_in(&restored.data()), Vec::<PathBuf>::new());
}

#[test]
fn a_directory_of_others_is_not_taken_over() {
    let installation = Installation::sqlite();
    let data = installation.data();
    fs::create_dir(&data).unwrap();
    fs::write(data.join("letters.txt"), "of somebody").unwrap();
    set_mode(&data, 0o755);
    let output = installation.run(&["serve", "--port", "0"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains(&format!("chmod 700 {}", data.display())), "{said}");
    assert_eq!((mode(&data), data.join("ingestion.db").exists()), (0o755, false));
    set_mode(&data, 0o700);
    drop(installation.serve());
    assert!(data.join("ingestion.db").exists());
}

#[test]
fn secrets_that_others_may_read_are_refused() {
    let installation = Installation::sqlite();
    let secret = installation.beside("secret");
    fs::write(&secret, "ab".repeat(32)).unwrap();
    let path = secret.display().to_string();
    for setting in ["USER_KEY_FILE", "DATABASE_URL_FILE", "SERVICE_TOKEN_FILE", "TLS_KEY_FILE", "LINKS_KEY_FILE"] {
        let name = format!("INSIGHTS_{setting}");
        let pair = match setting {
            "TLS_KEY_FILE" => Some("INSIGHTS_TLS_CERT_FILE"),
            "LINKS_KEY_FILE" => Some("INSIGHTS_LINKS_CERT_FILE"),
            _ => None,
        };
        for (bits, refused) in [(0o644, true), (0o604, true), (0o640, true), (0o600, false)] {
            // With 600 it goes on to say what else is wrong with most of them; the key of the users is good.
            if !refused && setting == "USER_KEY_FILE" {
                continue;
            }
            set_mode(&secret, bits);
            let mut command = installation.command(&["serve", "--port", "0", "--service", "reporting"]);
            command.env(&name, &path).envs(pair.map(|name| (name, &path)));
            let output = command.output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success(), "{setting}");
            let told = said.contains(&format!("{path} may be read by others: chmod 600 {path}"));
            assert_eq!(told, refused, "{setting} {bits:o}: {said}");
        }
    }
    // A client's token is no less a secret.
    set_mode(&secret, 0o644);
    let said = installation.refused(&["verify", "--token-file", &path]);
    assert!(said.contains("UNAUTHENTICATED") && said.contains(&format!("chmod 600 {path}")), "{said}");
    let token = installation.beside("made.jwt");
    fs::write(&token, "an older one").unwrap();
    let file = token.display().to_string();
    installation.done(&["token", "--role", "global_admin", "--partner", "acme", "--out", &file]);
    assert_eq!(mode(&token), 0o600);
    assert!(fs::read_to_string(&token).unwrap().starts_with("ey"));
}

#[test]
fn a_damaged_database_is_found_and_what_to_do_is_said() {
    let installation = Installation::sqlite();
    fill(&installation);
    // What the server left in logs of writes goes into the files.
    installation.done(&["migrate"]);
    let said = || String::from_utf8(installation.run(&["doctor"]).stdout).unwrap();
    let sound = said();
    assert_eq!(sound.matches("is sound").count(), 3, "{sound}");
    for (service, advice) in [
        ("ingestion", "insights restore"),
        ("metrics", "it may be thrown away, the figures are made again from the facts"),
        ("reporting", "who read what and orders of exports are lost, no figure is"),
    ] {
        let path = installation.data().join(format!("{service}.db"));
        let whole = fs::read(&path).unwrap();
        // The head of the file, and a page in its middle.
        let page = whole.len() / 4096 / 2 * 4096;
        for (from, to) in [(0, 100), (page, page + 4096)] {
            let mut damaged = whole.clone();
            damaged[from..to].fill(0x5a);
            fs::write(&path, &damaged).unwrap();
            let said = said();
            assert!(said.contains(&format!("{} is damaged", path.display())) && said.contains(advice), "{said}");
            assert_eq!(said.matches("is sound").count(), 2, "{said}");
        }
        fs::write(&path, &whole).unwrap();
    }
    // What may be thrown away is made again.
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(installation.data().join(format!("metrics.db{end}")));
    }
    let server = installation.serve();
    assert_eq!(installation.ask(&server, &["verify"])["differences"], 0);
    assert_eq!(said().matches("is sound").count(), 3);
}
