//! The real binary against a real server of its own.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod support;

use serde_json::{Value, json};
use support::{Server, insights, stderr, stdout};

/// A customer with ten seats of which two are used, and a trial.
const RECORDS: &str = r#"{"kind":"location","location_id":"L-1","name":"Here","country":"PT"}
{"kind":"sku","sku_id":"K-1","name":"Suite","product":"Office 365","services":["Teams","Exchange"]}
{"kind":"customer","customer_id":"C-1","name":"One","country":"BR"}
{"kind":"customer","customer_id":"C-2","name":"Two"}
{"kind":"subscription","subscription_id":"S-1","customer_id":"C-1","sku_id":"K-1","attributions":[{"location_id":"L-1","type":"CSP"}]}
{"kind":"subscription","subscription_id":"S-2","customer_id":"C-2","sku_id":"K-1","trial":true}
{"kind":"subscription_state","subscription_id":"S-1","effective":"2024-01-10","status":"Active","seats":10}
{"kind":"subscription_state","subscription_id":"S-2","effective":"2024-01-10","status":"Active","seats":5}
{"kind":"assignment","subscription_id":"S-1","user_id":"u1","from":"2024-01-10"}
{"kind":"assignment","subscription_id":"S-1","user_id":"u2","from":"2024-01-10"}
{"kind":"activity","customer_id":"C-1","user_id":"u1","service":"Teams","day":"2024-01-20"}
{"kind":"activity","customer_id":"C-1","user_id":"u3","service":"Teams","day":"2024-01-21"}
{"kind":"revenue","subscription_id":"S-1","month":"2024-01","amount":"1234567890.123456","currency":"USD"}
{"kind":"complete_through","day":"2024-01-31"}
"#;

fn one(server: &Server, args: &[&str]) -> Value {
    let answer = server.json("global_admin", args);
    assert_eq!(answer.as_array().unwrap().len(), 1, "{answer}");
    answer[0].clone()
}

#[test]
fn records_go_in_and_figures_come_out() {
    let server = Server::start();
    let file = server.file("facts.ndjson", RECORDS);
    let dry = server.json("data_source", &["import", "ndjson", &file, "--dry-run"]);
    assert_eq!((&dry["accepted"], &dry["version"]), (&json!(14), &Value::Null));
    let summary = server.json("data_source", &["import", "ndjson", &file]);
    assert_eq!(
        (&summary["accepted"], &summary["duplicates"], &summary["rejected"]),
        (&json!(14), &json!(0), &json!(0))
    );
    assert_eq!(summary["rejections"], json!([]));
    let again = server.json("data_source", &["import", "ndjson", &file]);
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!(14)), "a second import changes nothing");
    assert_eq!(again["version"], summary["version"]);

    let range = ["--from", "2024-01", "--to", "2024-01"];
    let query = |args: &[&str]| one(&server, &[&["query"], args, &range].concat());
    let row =
        query(&["--measures", "customers,available,assigned,usage_percent,billed_revenue", "--filter", "trial=false"]);
    assert_eq!(
        row,
        json!({
            "month": "2024-01", "customers": 1, "available": 10, "assigned": 2,
            "usage_percent": 100.0, "usage_percent_numerator": 2, "usage_percent_denominator": 2,
            "billed_revenue": 1_234_567_890.123_456, "currency": "USD", "source": "computed",
        })
    );
    let text = stdout(
        &server.run("global_admin", &[&["query", "--measures", "billed_revenue", "--json"][..], &range].concat()),
    );
    assert!(text.contains("1234567890.123456"), "the exact digits: {text}");
    let explained = one(&server, &[&["explain"][..], &range].concat());
    assert_eq!(
        explained,
        json!({"month": "2024-01", "numerator": 2, "denominator": 2, "covered": 1, "reasons": {"UNLICENSED_USE": 1}})
    );
    let by = server.json(
        "global_admin",
        &[&["query", "--measures", "customers", "--by", "month,country,trial"][..], &range].concat(),
    );
    assert_eq!(
        by,
        json!([
            {"month": "2024-01", "country": null, "trial": true, "customers": 1, "source": "computed"},
            {"month": "2024-01", "country": "BR", "trial": false, "customers": 1, "source": "computed"},
        ])
        .as_array()
        .map(|rows| {
            // The order of missing values is the server's.
            let mut rows = rows.clone();
            if by[0]["country"] == "BR" {
                rows.reverse();
            }
            Value::Array(rows)
        })
        .unwrap()
    );
    let missing = query(&["--measures", "customers", "--filter", "country=(none)"]);
    assert_eq!(missing["customers"], 1);
    let table =
        stdout(&server.run("global_admin", &[&["query", "--measures", "customers,available"][..], &range].concat()));
    assert!(table.starts_with("month    customers  available"), "{table}");
    let verified = server.json("global_admin", &["verify"]);
    assert_eq!(verified["differences"], 0);
    assert!(stdout(&server.run("global_admin", &["report", "customers"])).contains("customers"));
    let doctor = server.run("global_admin", &["doctor"]);
    assert!(doctor.status.success(), "{}{}", stdout(&doctor), stderr(&doctor));
}

#[test]
fn bad_rows_are_listed_with_their_lines_and_cost_no_good_one() {
    let server = Server::start();
    let text = "{\"kind\":\"customer\",\"customer_id\":\"C-1\"}\nnonsense\n\
        {\"kind\":\"activity\",\"customer_id\":\"C-1\",\"user_id\":\"u\",\"service\":\"Teams\",\"day\":\"2199-01-01\"}\n\
        {\"kind\":\"customer\",\"customer_id\":\"C-2\",\"country\":\"Nowhere\"}\n\
        {\"kind\":\"customer\",\"customer_id\":\"C-3\"}\n\
        {\"kind\":\"subscription_state\",\"subscription_id\":\"S\",\"effective\":\"2024-01-01\",\"status\":\"Active\",\"seats\":-1}\n";
    let file = server.file("bad.ndjson", text);
    let summary = server.json("admin_agent", &["import", "ndjson", &file]);
    assert_eq!((&summary["accepted"], &summary["rejected"]), (&json!(2), &json!(4)), "{summary}");
    let rows: Vec<_> = summary["rejections"].as_array().unwrap().iter().map(|it| it["row"].as_u64().unwrap()).collect();
    assert_eq!(rows, [2, 3, 4, 6]);
    assert!(summary["rejections"][2]["field"].as_str().unwrap().contains("country"), "{summary}");
    assert!(summary["rejections"][3]["field"].as_str().unwrap().contains("seats"), "{summary}");
    let doctor = server.run("admin_agent", &["doctor"]);
    assert!(stdout(&doctor).contains("4 records were rejected"), "the quarantine has them all: {}", stdout(&doctor));
    let strict = server.run("admin_agent", &["import", "ndjson", &file, "--strict", "--json"]);
    assert_eq!(strict.status.code(), Some(1));
    serde_json::from_str::<Value>(&stdout(&strict)).unwrap();
    let refused = server.file("refused.csv", "SubscriptionId,Month\nS,2024-01-01\n");
    let output = server.run("admin_agent", &["import", "insights-subscriptions", &refused]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("CustomerTenantId") && stderr(&output).contains("AvailableSeatsEOP"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn refusals_name_the_code_and_the_field() {
    let server = Server::start();
    let query = ["query", "--from", "2024-01", "--to", "2024-01", "--measures"];
    let refused = server.run("data_source", &[&query[..], &["customers"]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("PERMISSION_DENIED"), "{}", stderr(&refused));
    let month =
        server.run("global_admin", &["query", "--from", "2024-13", "--to", "2024-01", "--measures", "customers"]);
    assert_eq!(month.status.code(), Some(1));
    assert!(stderr(&month).contains("INVALID_ARGUMENT") && stderr(&month).contains("from_month"), "{}", stderr(&month));
    let unknown = server.run("global_admin", &[&query[..], &["custmers"]].concat());
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        stderr(&unknown).contains("measures") && stderr(&unknown).contains("active_customers"),
        "{}",
        stderr(&unknown)
    );
    let nobody = server.file("nobody.jwt", "abc");
    let bad = insights(&[
        "query",
        "--from",
        "2024-01",
        "--to",
        "2024-01",
        "--measures",
        "customers",
        "--server",
        &server.url,
        "--token-file",
        &nobody,
    ]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(stderr(&bad).contains("UNAUTHENTICATED"), "{}", stderr(&bad));
}

#[test]
fn revenue_is_absent_where_it_may_not_be_seen() {
    let server = Server::start();
    let file = server.file("facts.ndjson", RECORDS);
    server.json("data_source", &["import", "ndjson", &file]);
    let args = ["query", "--from", "2024-01", "--to", "2024-01", "--measures", "customers,billed_revenue"];
    let row = server.json("report_viewer", &args)[0].clone();
    assert_eq!(row, json!({"month": "2024-01", "customers": 2, "source": "computed", "redacted": true}));
}

#[test]
fn a_bound_caller_sees_its_location_only() {
    let server = Server::start();
    let file = server.file("facts.ndjson", RECORDS);
    server.json("data_source", &["import", "ndjson", &file]);
    let token = stdout(&insights(&[
        "token",
        "--role",
        "global_admin",
        "--partner",
        "acme",
        "--location",
        "L-1",
        "--data-dir",
        &server.data_dir(),
    ]));
    let token = server.file("bound.jwt", &token);
    let args = ["query", "--from", "2024-01", "--to", "2024-01", "--measures", "customers", "--json"];
    let output = insights(&[&args[..], &["--server", &server.url, "--token-file", &token]].concat());
    let rows: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(rows[0]["customers"], 1);
}

#[test]
fn reports_people_download_become_figures() {
    let server = Server::start();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../libs/import/tests/fixtures/insights-subscriptions.csv");
    let summary = server.json("data_source", &["import", "insights-subscriptions", file]);
    assert_eq!(summary["rejected"], 3, "{summary}");
    let args = ["query", "--from", "2024-05", "--to", "2024-06", "--measures", "customers,available", "--json"];
    let rows: Value = serde_json::from_str(&stdout(&server.run("global_admin", &args))).unwrap();
    assert_eq!(rows[0], json!({"month": "2024-05", "customers": 1, "available": 25, "source": "reported"}));
    // In June the first subscription is active with 20 seats and the Azure one with none; the unknown status is neither.
    assert_eq!((&rows[1]["customers"], &rows[1]["available"]), (&json!(2), &json!(20)));
    let usage = concat!(env!("CARGO_MANIFEST_DIR"), "/../../libs/import/tests/fixtures/insights-dynamics-usage.tsv");
    server.json("data_source", &["import", "insights-dynamics-usage", usage]);
    let by = [
        "query",
        "--from",
        "2024-06",
        "--to",
        "2024-06",
        "--measures",
        "active_usage_percent",
        "--filter",
        "product=Dynamics 365",
        "--filter",
        "subscription=5b0c1d2e-0010-4f00-8a00-00000000abcd",
    ];
    let row = one(&server, &by);
    assert_eq!((&row["active_usage_percent"], &row["source"]), (&json!(112.5), &json!("reported")));
}

#[test]
fn figures_from_dates_of_last_activity_say_that_they_are_a_lower_bound() {
    let server = Server::start();
    let lines = r#"{"kind":"sku","sku_id":"E3","name":"E3","product":"Office 365","services":["Exchange","Teams"]}
        {"kind":"customer","customer_id":"C-1","country":"BR"}
        {"kind":"customer","customer_id":"C-2","country":"PT"}
        {"kind":"subscription","subscription_id":"S-1","customer_id":"C-1","sku_id":"E3"}
        {"kind":"subscription","subscription_id":"S-2","customer_id":"C-2","sku_id":"E3"}
        {"kind":"subscription_state","subscription_id":"S-1","effective":"2024-01-01","status":"Active","seats":5}
        {"kind":"subscription_state","subscription_id":"S-2","effective":"2024-01-01","status":"Active","seats":5}
        {"kind":"activity","customer_id":"C-1","user_id":"u","service":"Teams","day":"2024-03-20","lower_bound":true}
        {"kind":"activity","customer_id":"C-2","user_id":"v","service":"Teams","day":"2024-03-21"}
        {"kind":"complete_through","day":"2024-04-30"}"#;
    let file = server.file("last-seen.ndjson", lines);
    let summary = server.json("data_source", &["import", "ndjson", &file]);
    assert_eq!((&summary["accepted"], &summary["rejected"]), (&json!(10), &json!(0)), "{summary}");
    let query = |more: &[&str]| {
        server.json("global_admin", &[&["query", "--from", "2024-02", "--to", "2024-04", "--measures"], more].concat())
    };
    let bounded = |rows: &Value| -> Vec<bool> {
        rows.as_array().unwrap().iter().map(|row| row.get("lower_bound") == Some(&json!(true))).collect()
    };
    for measure in ["active_users", "active_customers", "active", "usage_percent", "active_usage_percent"] {
        assert_eq!(bounded(&query(&[measure])), [false, true, false], "{measure}: in March alone");
    }
    for measure in ["customers", "available", "total_users", "deployment_percent"] {
        assert_eq!(bounded(&query(&[measure])), [false; 3], "{measure} rests on nothing of the kind");
    }
    let by = query(&["active_users", "--by", "country"]);
    assert_eq!((&by[0]["country"], bounded(&by)), (&json!("BR"), vec![true, false]), "{by}");
    let exchange = query(&["active_users", "--filter", "service=Exchange"]);
    assert_eq!(bounded(&exchange), [false; 3], "another service is known day by day");
    let report = stdout(&server.run("global_admin", &["report", "adoption", "--from", "2024-03", "--to", "2024-03"]));
    assert!(report.contains("lower bound"), "{report}");
    assert_eq!(server.json("global_admin", &["verify"])["differences"], 0);
}

#[test]
fn templates_are_files_to_begin_with() {
    let server = Server::start();
    let kinds =
        ["location", "sku", "customer", "subscription", "subscription_state", "assignment", "activity", "revenue"];
    let written =
        kinds.map(|kind| server.file(&format!("{kind}.csv"), &stdout(&insights(&["import", "--template", kind]))));
    let files: Vec<&str> = written.iter().map(String::as_str).collect();
    let summary = server.json("data_source", &[&["import", "csv"], &files[..]].concat());
    assert_eq!((&summary["accepted"], &summary["rejected"]), (&json!(8), &json!(0)), "{summary}");
    let lines = stdout(&insights(&["import", "--template", "complete_through", "--as", "ndjson"]));
    let through = server.file("through.ndjson", &lines);
    server.json("data_source", &["import", "ndjson", &through]);
    let parquet = concat!(env!("CARGO_MANIFEST_DIR"), "/../../libs/import/tests/fixtures/own/sku.parquet");
    let summary = server.json("data_source", &["import", "parquet", parquet, "--kind", "sku"]);
    assert_eq!(summary["accepted"], 2, "{summary}");
    let args = ["query", "--from", "2025-01", "--to", "2025-01", "--measures", "available,active,billed_revenue"];
    let row = one(&server, &args);
    assert_eq!((&row["available"], &row["active"], &row["currency"]), (&json!(25), &json!(1), &json!("EUR")), "{row}");
    assert_eq!(insights(&["import", "--template", "emperor"]).status.code(), Some(2));
    assert_eq!(insights(&["import"]).status.code(), Some(2));
    let wrong = server.file("wrong.csv", "subscription_id,effective\n");
    let refused = server.run("data_source", &["import", "csv", &wrong, "--kind", "subscription_state"]);
    assert!(stderr(&refused).contains("status, seats"), "{}", stderr(&refused));
}

#[test]
fn the_command_line_explains_itself() {
    let help = stdout(&insights(&["--help"]));
    assert!(help.find("Examples").unwrap() < help.find("Usage").unwrap(), "{help}");
    for command in
        ["demo", "serve", "migrate", "token", "import", "query", "explain", "report", "generate", "verify", "doctor"]
    {
        let help = stdout(&insights(&[command, "--help"]));
        assert!(help.trim_start().starts_with("Examples"), "{command}: {help}");
    }
    assert_eq!(insights(&["query", "--no-such-flag"]).status.code(), Some(2));
    assert_eq!(insights(&["token", "--role", "emperor", "--partner", "p"]).status.code(), Some(2));
    let config = stdout(&insights(&["config", "--server", "https://there", "--json"]));
    let config: Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["server"], json!({"value": "https://there", "origin": "flag --server"}));
    assert_eq!(config["port"]["origin"], "default");
}

#[test]
fn the_demo_shows_its_figures() {
    let mut demo = insights_testkit::insights_at_fixed_time();
    let output = demo.args(["demo", "--once", "--json", "--customers", "40"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let figures: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let keys = ["customers", "active_customers", "added", "churned", "available", "assigned", "active"];
    for key in keys {
        assert!(figures[key].is_i64(), "{key}: {figures}");
    }
    for key in ["active_usage_percent", "deployment_percent", "usage_percent"] {
        assert!(figures[key].is_f64(), "{key}: {figures}");
    }
    assert!(figures["customers"].as_i64().unwrap() > 20);
    assert_eq!(figures["complete_through"], "2026-06-20", "the day of the demo's clock");
}

#[test]
fn databases_are_migrated_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().display().to_string();
    let check = || insights(&["migrate", "--check", "--json", "--data-dir", &folder]);
    assert_eq!(check().status.code(), Some(1));
    assert!(insights(&["migrate", "--data-dir", &folder]).status.success());
    let done = check();
    assert_eq!(
        (done.status.code(), stdout(&done).split_whitespace().collect::<String>()),
        (Some(0), "{\"pending\":[]}".into())
    );
}
