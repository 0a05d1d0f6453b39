//! Versions of the databases' tables: what is pending, and what an older version makes of a newer one.

use std::process::{Command, Output, Stdio};

use insights_testkit::{TempDatabase, sql};
use serde_json::Value;
use tempfile::TempDir;

const SERVICES: [&str; 3] = ["ingestion", "metrics", "reporting"];

/// An installation that no server runs on.
struct Installation {
    folder: TempDir,
    postgres: Option<TempDatabase>,
}

impl Installation {
    fn both() -> [Self; 2] {
        [None, Some(TempDatabase::postgres())].map(|postgres| Self { folder: tempfile::tempdir().unwrap(), postgres })
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_insights"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("INSIGHTS_")) {
            command.env_remove(name);
        }
        command.env("INSIGHTS_DATA_DIR", self.folder.path().join("data")).args(args).stdin(Stdio::null());
        if let Some(database) = &self.postgres {
            let file = self.folder.path().join("url");
            std::fs::write(&file, database.url()).unwrap();
            command.env("INSIGHTS_DATABASE_URL_FILE", file);
        }
        command.output().unwrap()
    }

    /// Executes SQL in the database of a service.
    fn sql(&self, service: &str, statement: &str) {
        match &self.postgres {
            Some(database) => sql(database, statement),
            None => {
                let path = self.folder.path().join("data").join(format!("{service}.db"));
                sqlite(&path.display().to_string(), statement);
            }
        }
    }

    fn pending(&self) -> (Option<i32>, Vec<String>) {
        let output = self.run(&["migrate", "--check", "--json"]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let names = answer["pending"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        (output.status.code(), names.collect())
    }
}

fn sqlite(path: &str, statement: &str) {
    use insights_database::{Database, sea_orm::ConnectionTrait};
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let database = Database::connect(&format!("sqlite:{path}")).await.unwrap();
        database.writer().execute_unprepared(statement).await.unwrap();
    });
}

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
