//! Files as other systems write them, against the real product: the figures, and what the import says of the fields.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod support;

use serde_json::{Value, json};
use support::{Server, stderr};

const CUSTOMER: &str = "{C0FFEE00-0021-4E00-9E00-0000000000AA}";

/// Measures of one month, one row.
fn figures(server: &Server, month: &str, measures: &str) -> Value {
    let args = ["query", "--scope", "all", "--measures", measures, "--from", month, "--to", month];
    server.json("global_admin", &args)[0].clone()
}

fn notes(summary: &Value) -> String {
    summary["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_report_counts_its_seats_whatever_stands_in_fields_that_no_figure_needs() {
    let server = Server::start();
    let text = "SubscriptionId,SubscriptionStartDate,SubscriptionEndDate,SubscriptionState,Month,CustomerTenantId,SKU,Product,\
                AvailableSeatsEOP,BilledRevenueUSD\n\
                S-1,0001-01-01,9999-12-31,Active,2026-03-01,C-1,Sample 365 E3,Sample 365,10,303.91425424266254\n\
                S-2,2025-01-01,12/31/9999 12:00:00 AM,Active,2026-03-01,C-1,SAMPLE  365 E3,SAMPLE 365,7,3.7281308323144897e-06\n\
                S-3,1899-12-30,soon,Active,2026-03-01,C-2,Sample 365 E3,Sample 365,\"1,004\",104.39999999999999\n\
                S-4,,,Active,2026-03-01,C-2,sample 365 e3,sample 365,5,nobody knows\n";
    let file = server.file("seats.csv", text);
    let summary = server.json("data_source", &["import", "insights-subscriptions", &file]);
    assert_eq!(summary["rejected"], 0, "{summary}");
    let row = figures(&server, "2026-03", "customers,subscriptions,available,billed_revenue");
    assert_eq!(
        (&row["customers"], &row["subscriptions"], &row["available"]),
        (&json!(2), &json!(4), &json!(1026)),
        "{row}"
    );
    assert!(row["billed_revenue"].to_string().contains("408.314258"), "{row}");
    let said = notes(&summary);
    for words in [
        "SubscriptionEndDate: a date that stands for none",
        "rounded half to even: 3 rows, the first is 2",
        "first is 5",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let mended = summary["mended"].as_object().unwrap();
    assert_eq!(mended.values().filter_map(Value::as_u64).sum::<u64>(), 9, "{mended:?}");
    for dimension in ["sku", "product"] {
        let by = [
            "query",
            "--scope",
            "all",
            "--measures",
            "available",
            "--by",
            dimension,
            "--from",
            "2026-03",
            "--to",
            "2026-03",
        ];
        let rows = server.json("global_admin", &by);
        assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    }
}

#[test]
fn a_user_report_tells_its_order_and_counts_users_without_names() {
    let server = Server::start();
    let header = "Report Refresh Date,User Principal Name,Is Deleted,Deleted Date,Has Teams License,Teams Last Activity Date,\
                  Teams License Assign Date\n";
    let rows = "05/03/2026,(Unknown),False,,True,04/03/2026,23/01/2025\n\
                05/03/2026,(Unknown),False,,True,01/03/2026,23/01/2025\n\
                05/03/2026,(Unknown),False,,True,01/01/2026,10/01/2025\n\
                05/03/2026,bo@x.example,False,,True,02/02/2026,10/01/2025\n";
    let file = server.file("users.csv", &format!("{header}{rows}"));
    let args = ["import", "graph-user-detail", &file, "--customer", CUSTOMER];
    let summary = server.json("data_source", &args);
    assert_eq!(summary["rejected"], 0, "{summary}");
    assert!(notes(&summary).contains("User Principal Name: a user whose name is unknown"), "{summary}");
    assert!(notes(&summary).contains("3 rows, the first is 2"), "{summary}");
    let row = figures(&server, "2026-03", "total_users,active_users");
    assert_eq!((&row["total_users"], &row["active_users"]), (&json!(4), &json!(2)), "{row}");

    let open = server.file("open.csv", &format!("{header}05/03/2026,bo@x.example,False,,True,04/03/2026,\n"));
    let args = ["import", "graph-user-detail", &open, "--customer", CUSTOMER];
    let refused = server.run("data_source", &args);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("--dates dmy"), "{}", stderr(&refused));
    let said = server.run("data_source", &[&args[..], &["--dates", "dmy"]].concat());
    assert!(said.status.success(), "{}", stderr(&said));
    let contradicted =
        server.run("data_source", &["import", "graph-user-detail", &file, "--customer", CUSTOMER, "--dates", "mdy"]);
    assert_eq!(contradicted.status.code(), Some(1));
    assert!(stderr(&contradicted).contains("contradicts"), "{}", stderr(&contradicted));
}
