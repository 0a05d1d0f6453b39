//! Where values come from, and which are refused.

use std::{collections::BTreeMap, io::Write as _, path::Path};

use insights_service::Faults;

use super::*;

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn variables(given: &[(&str, &str)]) -> BTreeMap<String, String> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn what_kubernetes_sets_for_a_service_is_no_setting() {
    let environment = variables(&[
        ("INSIGHTS_PORT", "tcp://10.0.0.1:8080"),
        ("INSIGHTS_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("INSIGHTS_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("INSIGHTS_SERVICE_HOST", "10.0.0.1"),
        ("INSIGHTS_SERVICE_PORT_GRPC", "8080"),
        ("INSIGHTS_METRICS_PORT", "tcp://10.0.0.2:8080"),
        ("INSIGHTS_HOST", "127.0.0.2"),
        ("HOME", "/"),
    ]);
    let resolved = resolve(None, &environment, vec![]).unwrap();
    assert_eq!((resolved.settings.port, resolved.settings.host.as_str()), (8080, "127.0.0.2"));
    let [note] = resolved.notes.as_slice() else { panic!("{:?}", resolved.notes) };
    for (name, _) in environment.iter().filter(|(name, _)| name.starts_with("INSIGHTS_")) {
        assert_eq!(note.contains(name.as_str()), name != "INSIGHTS_HOST", "{name}: {note}");
    }
}

#[test]
fn variables_that_are_no_settings_are_named() {
    let environment = variables(&[("INSIGHTS_LIMTS_IN_FLIGHT", "5"), ("INSIGHTS_CONFIG", "/etc/x"), ("PATH", "/bin")]);
    let notes = resolve(None, &environment, vec![]).unwrap().notes;
    assert_eq!(notes, ["INSIGHTS_LIMTS_IN_FLIGHT is no setting and is not read"]);
}

#[test]
fn lists_and_maps_come_from_the_environment_too() {
    let subjects = "INSIGHTS_ACCESS_SERVICES_SUBJECTS";
    for (text, expected) in [("a, b", &["a", "b"][..]), (r#"["a,b"]"#, &["a,b"]), ("", &[])] {
        let resolved = resolve(None, &variables(&[(subjects, text)]), vec![]).unwrap();
        assert_eq!(resolved.settings.access.services.subjects, expected, "{text}");
    }
    let roles = "INSIGHTS_ACCESS_ROLE_MAP";
    let resolved = resolve(None, &variables(&[(roles, r#"{"boss.eu": "global_admin"}"#)]), vec![]).unwrap();
    assert_eq!(resolved.settings.access.role_map["boss.eu"], "global_admin");
    for (name, text) in [(subjects, "[a"), (roles, "boss=global_admin")] {
        let Faults(faults) = resolve(None, &variables(&[(name, text)]), vec![]).unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.setting.as_str()).collect::<Vec<_>>(), [name]);
    }
}

/// The settings in the operator's guide are ones that the program takes.
#[test]
fn samples_of_the_guide_are_valid() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/README.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let blocks: Vec<_> = guide.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 3, "{}", blocks.len());
    for block in blocks {
        let file = file(block);
        resolve(Some(file.path()), &variables(&[]), vec![]).unwrap_or_else(|faults| panic!("{block}\n{faults}"));
    }
}

#[test]
fn flags_win_over_the_environment_over_the_file_over_defaults() {
    let file = file("port = 1\nserver = \"https://file\"\ntoken_file = \"of-file\"\n[limits]\nin_flight = 5\n");
    let environment = variables(&[
        ("INSIGHTS_PORT", "2"),
        ("INSIGHTS_SERVER", "https://environment"),
        ("INSIGHTS_LIMITS_DEADLINE_SECONDS", "7"),
    ]);
    let resolved = resolve(Some(file.path()), &environment, vec![("port", "port", 3.into())]).unwrap();
    assert_eq!(resolved.settings.port, 3);
    assert_eq!(resolved.settings.server, "https://environment");
    assert_eq!(resolved.settings.token_file, Path::new("of-file"));
    assert_eq!((resolved.settings.limits.in_flight, resolved.settings.limits.deadline_seconds), (5, 7));
    assert_eq!(resolved.origins["port"], Origin::Flag("port"));
    assert_eq!(resolved.origins["server"], Origin::Environment("INSIGHTS_SERVER".into()));
    assert_eq!(resolved.origins["limits.in_flight"], Origin::File(file.path().to_owned()));
    assert!(!resolved.origins.contains_key("host"));
}

#[test]
fn every_fault_is_reported_at_once() {
    let file = file(
        "prot = 1\nserver = \"nowhere\"\n[limits]\nin_flight = 0\nspeed = 9\n[advice.weights]\nidle_seats = 0\n\
         [ingestion.limits]\nrecords_per_batch = 0\n[metrics]\ncubes_in_memory = 0\n[metrics.limits]\nrows = 0\n",
    );
    let environment = variables(&[("INSIGHTS_PORT", "many")]);
    let Faults(faults) = resolve(Some(file.path()), &environment, vec![]).unwrap_err();
    let settings: Vec<_> = faults.iter().map(|fault| fault.setting.as_str()).collect();
    for setting in [
        "prot",
        "server",
        "limits.in_flight",
        "limits.speed",
        "INSIGHTS_PORT",
        "advice.weights.idle_seats",
        "ingestion.limits.records_per_batch",
        "metrics.cubes_in_memory",
        "metrics.limits.rows",
    ] {
        assert!(settings.contains(&setting), "{setting} is not among {settings:?}");
    }
}

#[test]
fn time_can_be_set_for_tests_only() {
    let at = |now: &str, issuer: &str| {
        let mut settings = Settings { now: now.into(), ..Settings::default() };
        settings.access.people.issuer = issuer.into();
        settings
    };
    let now = at("2026-07-01T12:00:00Z", "").clock().now();
    assert_eq!(now.to_rfc3339()[..15], *"2026-07-01T12:0");
    let believed = at("2026-07-01T12:00:00Z", "https://login.example").faults();
    assert!(believed.iter().any(|(setting, _)| setting == "now"), "{believed:?}");
    assert!(at("tomorrow", "").faults().iter().any(|(setting, _)| setting == "now"));
    assert!(at("", "").faults().is_empty());
}

#[test]
fn plaintext_leaves_the_machine_only_when_somebody_says_so() {
    let faults = |change: fn(&mut Settings)| {
        let mut settings = Settings::default();
        settings.access.people.issuer = "https://login.example".into();
        settings.access = AccessConfig {
            people: insights_access::Trust { keys: "/keys".into(), ..settings.access.people },
            services: insights_access::Trust {
                issuer: "https://login.example".into(),
                keys: "/keys".into(),
                subjects: vec!["metrics".into()],
                ..settings.access.services
            },
            ..settings.access
        };
        change(&mut settings);
        settings.faults().into_iter().map(|(setting, _)| setting).collect::<Vec<_>>()
    };
    assert_eq!(faults(|_| {}), Vec::<String>::new());
    assert_eq!(faults(|settings| settings.host = "0.0.0.0".into()), ["host"]);
    assert_eq!(faults(|settings| settings.metrics_url = "http://metrics:8080".into()), ["metrics_url"]);
    assert_eq!(faults(|settings| settings.server = "http://[2001:db8::1]:8080".into()), ["server"]);
    assert_eq!(
        faults(|settings| settings.ingestion_url = "http://localhost:1,http://10.0.0.1:1".into()),
        ["ingestion_url"]
    );
    assert_eq!(faults(|settings| settings.ingestion_url = "http://127.0.0.1@evil.example".into()), ["ingestion_url"]);
    assert_eq!(
        faults(|settings| settings.ingestion_url = "http://[::1]:1,https://ingestion".into()),
        Vec::<String>::new()
    );
    let said_so = |settings: &mut Settings| {
        settings.host = "0.0.0.0".into();
        settings.metrics_url = "http://metrics:8080".into();
        settings.plaintext = true;
    };
    assert_eq!(faults(said_so), Vec::<String>::new());
    let encrypted = |settings: &mut Settings| {
        settings.host = "::".into();
        settings.tls.cert_file = "cert".into();
        settings.tls.key_file = "key".into();
    };
    assert_eq!(faults(encrypted), Vec::<String>::new());
    assert_eq!(faults(|settings| settings.tls.cert_file = "cert".into()), ["tls.key_file"]);
}

#[test]
fn passwords_and_open_doors_are_refused() {
    for (setting, value) in [("database_url", "postgres://me:secret@host/db"), ("host", "0.0.0.0")] {
        let Faults(faults) = resolve(None, &variables(&[]), vec![(setting, "x", value.into())]).unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.setting.as_str()).collect::<Vec<_>>(), [setting]);
    }
    assert!(resolve(None, &variables(&[]), vec![("database_url", "x", "postgres://me@host/db".into())]).is_ok());
}
