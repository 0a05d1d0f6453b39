//! `insights export` against a real server: ordered, listed, fetched, resumed, removed.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod support;

use serde_json::json;
use support::{Server, stderr};

const RECORDS: &str = r#"{"kind":"sku","sku_id":"K-1","name":"Suite","product":"Office 365","services":["Teams"]}
{"kind":"customer","customer_id":"C-1","name":"One","segment":"=1+1"}
{"kind":"subscription","subscription_id":"S-1","customer_id":"C-1","sku_id":"K-1"}
{"kind":"subscription_state","subscription_id":"S-1","effective":"2024-01-10","status":"Active","seats":10}
{"kind":"complete_through","day":"2024-01-31"}
"#;

#[test]
fn a_file_is_ordered_fetched_resumed_and_removed() {
    let server = Server::start();
    let facts = server.file("facts.ndjson", RECORDS);
    server.json("data_source", &["import", "ndjson", &facts]);
    let out = server.file("seats.csv", "");
    let query = ["--measures", "available", "--by", "segment", "--from", "2024-01", "--to", "2024-01"];
    let create = |more: &[&str]| server.json("report_viewer", &[&["export", "create"], &query[..], more].concat());
    let export = create(&["--out", &out, "--name", "seats"]);
    let file =
        "month,segment,available,source,partial,lower_bound,carried\r\n2024-01,'=1+1,10,computed,false,false,false\r\n";
    assert_eq!(std::fs::read_to_string(&out).unwrap(), file);
    assert_eq!(
        (&export["state"], &export["rows"], &export["file_name"]),
        (&json!("done"), &json!(1), &json!("seats.csv"))
    );

    let id = export["id"].as_str().unwrap();
    let listed = server.json("report_viewer", &["export", "list"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &export["id"]));
    // What is there already is not fetched again; a part of something else is noticed.
    std::fs::write(format!("{out}.part"), &file[..20]).unwrap();
    server.json("report_viewer", &["export", "download", id, "--out", &out, "--manifest"]);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), file);
    let manifest = std::fs::read_to_string(format!("{out}.manifest.json")).unwrap();
    assert!(manifest.contains(export["sha256"].as_str().unwrap()), "{manifest}");
    std::fs::write(format!("{out}.part"), "something else, and no longer").unwrap();
    let spoilt = server.run("report_viewer", &["export", "download", id, "--out", &out]);
    assert_eq!(spoilt.status.code(), Some(1));
    assert!(stderr(&spoilt).contains("checksum"), "{}", stderr(&spoilt));

    let preview = server.json("report_viewer", &[&["export", "preview"], &query[..]].concat());
    assert_eq!(preview["rows"], json!([["2024-01", "'=1+1", "10", "computed", "false", "false", "false"]]));
    server.json("report_viewer", &["export", "delete", id]);
    let gone = server.run("report_viewer", &["export", "get", id]);
    assert!(stderr(&gone).contains("NOT_FOUND"), "{}", stderr(&gone));
}
