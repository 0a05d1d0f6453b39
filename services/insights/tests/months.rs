//! A later file for a month replaces the rows it has, and with `--replace` the month.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod support;

use serde_json::{Value, json};
use support::Server;

fn seats(rows: &[(&str, &str, u32)]) -> String {
    let header = "SubscriptionId,Month,CustomerTenantId,SKU,SubscriptionState,AvailableSeatsEOP,BilledRevenueUSD\n";
    let row = |(id, month, seats): &(&str, &str, u32)| {
        format!("S-{id},{month}-01,C-{id},SKU-1,Active,{seats},{}\n", seats * 10)
    };
    header.to_owned() + &rows.iter().map(row).collect::<String>()
}

fn import(server: &Server, text: &str, more: &[&str]) -> Value {
    let file = server.file("report.csv", text);
    server.json("data_source", &[&["import", "insights-subscriptions", &file], more].concat())
}

fn figures(server: &Server, more: &[&str]) -> Vec<[Value; 3]> {
    let args = ["query", "--from", "2026-02", "--to", "2026-03", "--measures", "customers,available,billed_revenue"];
    let rows = server.json("global_admin", &[&args, more].concat());
    let row = |row: &Value| ["customers", "available", "billed_revenue"].map(|name| row[name].clone());
    rows.as_array().unwrap().iter().map(row).collect()
}

const FIRST: [(&str, &str, u32); 3] = [("1", "2026-02", 7), ("1", "2026-03", 10), ("2", "2026-03", 20)];

#[test]
fn rows_of_a_month_that_a_later_file_lacks_are_told_and_taken_out_where_it_says_so() {
    let server = Server::start();
    import(&server, &seats(&FIRST), &[]);
    // The same again is recorded later, and is an earlier file all the same.
    import(&server, &seats(&FIRST), &[]);
    let later = seats(&[("1", "2026-03", 12)]);
    let summary = import(&server, &later, &[]);
    let said = "rows of 2026-03 that came before and are not in it: 1; they still count, --replace takes them out";
    assert!(summary["notes"].to_string().contains(said), "{summary}");
    let both = [json!(2), json!(32), json!(320.0)];
    let february = [json!(1), json!(7), json!(70.0)];
    assert_eq!(figures(&server, &[]), [february.clone(), both.clone()]);
    #[allow(clippy::disallowed_methods, reason = "the server's clock is the machine's")]
    let before = chrono::Utc::now().to_rfc3339();

    let mut bad = later.clone();
    bad.push_str("S-3,2026-03-01,C-3,SKU-1,Active,-1,\n");
    let summary = import(&server, &bad, &["--replace"]);
    assert!(summary["notes"].to_string().contains("rows were rejected, so nothing is replaced"), "{summary}");
    assert_eq!(figures(&server, &[])[1], both);

    let summary = import(&server, &later, &["--replace"]);
    assert!(summary["notes"].to_string().contains("are taken out"), "{summary}");
    assert_eq!(figures(&server, &[]), [february, [json!(1), json!(12), json!(120.0)]]);
    assert_eq!(figures(&server, &["--as-of", &before])[1][..2], both[..2], "the earlier month stays readable");
    assert_eq!(server.json("global_admin", &["verify"])["differences"], 0);
    assert!(!import(&server, &later, &[]).to_string().contains("came before"), "nothing more is there");
}

#[test]
fn only_raw_reports_are_replaced() {
    let server = Server::start();
    let file = server.file("records.ndjson", "{\"kind\":\"customer\",\"customer_id\":\"C\"}\n");
    let output = server.run("data_source", &["import", "ndjson", &file, "--replace"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(support::stderr(&output).contains("--replace is for raw reports"), "{}", support::stderr(&output));
}
