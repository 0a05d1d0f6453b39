//! What an import did to the figures, and what it would do, against the real product.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod support;

use serde_json::{Value, json};
use support::{Server, stderr, stdout};

/// Two customers with a subscription each, until March 2024.
const RECORDS: &str = r#"{"kind":"sku","sku_id":"K","name":"Suite","product":"Office 365","services":["Teams"]}
{"kind":"customer","customer_id":"C-1"}
{"kind":"customer","customer_id":"C-2"}
{"kind":"subscription","subscription_id":"S-1","customer_id":"C-1","sku_id":"K"}
{"kind":"subscription","subscription_id":"S-2","customer_id":"C-2","sku_id":"K"}
{"kind":"subscription_state","subscription_id":"S-1","effective":"2024-01-01","status":"Active","seats":100}
{"kind":"subscription_state","subscription_id":"S-2","effective":"2024-01-01","status":"Active","seats":30}
{"kind":"assignment","subscription_id":"S-1","user_id":"u1","from":"2024-01-10"}
{"kind":"activity","customer_id":"C-1","user_id":"u1","service":"Teams","day":"2024-02-20"}
{"kind":"complete_through","day":"2024-03-31"}
"#;
/// One of them is suspended in February, and there is one more row that is none.
const SUSPENDED: &str = r#"{"kind":"subscription_state","subscription_id":"S-2","effective":"2024-02-01","status":"Suspended","seats":30}
{"kind":"subscription_state","subscription_id":"S-2","effective":"nonsense","status":"Active","seats":30}
"#;

fn moved(figures: &Value, month: &str, measure: &str) -> (Value, Value) {
    let months = figures["months"].as_array().unwrap();
    let of = months.iter().find(|it| it["month"] == month).unwrap_or_else(|| panic!("no {month} in {figures}"));
    (of[measure]["before"].clone(), of[measure]["after"].clone())
}

#[test]
fn an_import_says_what_it_did_to_the_figures() {
    let server = Server::start();
    let first = server.json("global_admin", &["import", "ndjson", &server.file("facts.ndjson", RECORDS)]);
    assert_eq!(moved(&first["figures"], "2024-03", "customers"), (Value::Null, json!(2)), "{first}");
    assert_eq!(moved(&first["figures"], "2024-01", "available"), (Value::Null, json!(130)));
    assert_eq!(first["figures"]["warnings"], json!([]), "what was nothing before is no warning");

    let file = server.file("suspended.ndjson", SUSPENDED);
    let dry = server.json("global_admin", &["import", "ndjson", &file, "--dry-run"]);
    let second = server.json("global_admin", &["import", "ndjson", &file]);
    let figures = &second["figures"];
    assert_eq!(moved(figures, "2024-02", "customers"), (json!(2), json!(1)), "{figures}");
    assert_eq!(moved(figures, "2024-03", "available"), (json!(130), json!(100)));
    assert_eq!(moved(figures, "2024-03", "total_users"), (json!(1), json!(1)));
    assert_eq!(figures["months"].as_array().unwrap().len(), 2, "January did not move: {figures}");
    let warnings = figures["warnings"].as_array().unwrap();
    let warned =
        |month: &str, measure: &str| warnings.iter().find(|it| it["month"] == month && it["measure"] == measure);
    let warning = warned("2024-02", "customers").unwrap();
    assert_eq!((&warning["before"], &warning["after"]), (&json!(2), &json!(1)));
    assert_eq!(warning["reasons"], json!(["1 rows were rejected"]));
    assert!(warned("2024-02", "total_users").is_none());
    assert_eq!(figures["version_before"].as_i64(), first["version"].as_i64());
    assert_eq!(figures["version_after"], second["version"]);

    // The dry run said the same before, and stored nothing.
    assert_eq!(dry["figures"]["months"], figures["months"], "{dry}");
    assert_eq!(dry["figures"]["warnings"], figures["warnings"]);
    assert_eq!((&dry["version"], &dry["figures"]["version_after"]), (&Value::Null, &Value::Null));
    assert_eq!(dry["figures"]["version_before"], figures["version_before"]);
}

#[test]
fn people_read_a_table_and_warnings() {
    let server = Server::filled(RECORDS);
    let file = server.file("suspended.ndjson", SUSPENDED);
    for dry_run in [&["--dry-run"][..], &[]] {
        let output = server.run("global_admin", &[&["import", "ndjson", &file], dry_run].concat());
        let (out, err) = (stdout(&output), stderr(&output));
        assert!(out.contains("2024-02") && out.contains("130 → 100") && out.contains("2 → 1"), "{out}");
        assert!(out.contains("Customers") && out.contains("Total users"), "{out}");
        assert!(err.contains("Customers of 2024-03 went from 2 to 1 (-50%)"), "{err}");
        assert!(err.contains("in other months: 1") && err.contains("1 rows were rejected"), "{err}");
    }
    let output = server.run("global_admin", &["import", "ndjson", &file, "--language", "pt"]);
    let (out, err) = (stdout(&output), stderr(&output));
    assert!(out.contains("Clientes") && !err.contains("aviso"), "nothing moves the second time: {out} {err}");
}

#[test]
fn who_sees_no_figures_is_told_so_and_imports_all_the_same() {
    let server = Server::filled(RECORDS);
    let file = server.file("suspended.ndjson", SUSPENDED);
    for dry_run in [&["--dry-run"][..], &[]] {
        let summary = server.json("data_source", &[&["import", "ndjson", &file], dry_run].concat());
        assert_eq!((&summary["accepted"], &summary["figures"]), (&json!(1), &Value::Null), "{summary}");
        assert!(summary["notes"].to_string().contains("the roles of the token see none"), "{summary}");
    }
    let waited = server.json("global_admin", &["import", "ndjson", &file, "--no-wait"]);
    assert_eq!(waited["figures"], Value::Null, "they are not waited for");
}
