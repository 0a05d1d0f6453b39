//! Versions of the databases' tables: what is pending, and what an older version makes of a newer one.

use super::installation::Installation;

const SERVICES: [&str; 3] = ["ingestion", "metrics", "reporting"];

#[test]
fn what_is_pending_is_said_and_then_done() {
    for installation in Installation::both() {
        let (code, pending) = installation.pending();
        assert_eq!(code, Some(1));
        for service in SERVICES {
            let first = format!("{service}/m0001_");
            assert!(pending.iter().any(|name| name.starts_with(&first)), "{pending:?}");
        }
        assert_eq!(installation.pending().1, pending, "asking changes nothing");

        assert!(installation.run(&["migrate"]).status.success());
        assert_eq!(installation.pending(), (Some(0), vec![]));

        // As it is after an upgrade: a service has tables this version does not know to be there.
        installation.sql("reporting", "DELETE FROM reporting_migration");
        let expected: Vec<String> = pending.into_iter().filter(|name| name.starts_with("reporting/")).collect();
        assert_eq!(installation.pending(), (Some(1), expected.clone()));
        let said = String::from_utf8(installation.run(&["migrate", "--check"]).stderr).unwrap();
        assert!(said.contains(&format!("{} pending: run `insights migrate`", expected.len())), "{said}");
    }
}

#[test]
fn an_older_version_refuses_a_newer_schema() {
    for installation in Installation::both() {
        assert!(installation.run(&["migrate"]).status.success());
        for service in SERVICES {
            let table = format!("{service}_migration");
            installation.sql(service, &format!("INSERT INTO {table} (version, applied_at) VALUES ('m9999_ahead', 0)"));
            for command in [["serve", "--port=0"].as_slice(), &["migrate"], &["migrate", "--check"]] {
                let output = installation.run(command);
                let said = String::from_utf8(output.stderr).unwrap();
                assert_eq!(output.status.code(), Some(1), "{service}: {command:?}: {said}");
                let expected = format!(
                    "{table} names m9999_ahead, which this version does not know: a newer version of insights migrated this \
                     database. Run that version, or restore a backup from before it"
                );
                assert!(said.contains(&expected), "{service}: {command:?}: {said}");
            }
            installation.sql(service, &format!("DELETE FROM {table} WHERE version = 'm9999_ahead'"));
        }
        assert_eq!(installation.pending(), (Some(0), vec![]), "nothing was changed");
    }
}

#[test]
fn a_service_migrates_with_its_own_secret_alone() {
    let installation = Installation::postgres();
    let folder = installation.beside("ingestion");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(installation.url_file(), folder.join("url")).unwrap();
    let urls = installation.beside("{service}").join("url").display().to_string();
    let of =
        |service: &str| installation.run_with(&["migrate", "--service", service], "INSIGHTS_DATABASE_URL_FILE", &urls);
    assert!(of("ingestion").status.success());
    let said = String::from_utf8(of("metrics").stderr).unwrap();
    assert!(said.contains("metrics/url: No such file"), "{said}");
    let (_, pending) = installation.pending();
    assert!(!pending.is_empty() && !pending.iter().any(|name| name.starts_with("ingestion/")), "{pending:?}");
    assert!(!installation.data().exists(), "nothing is made beside the database");
}
