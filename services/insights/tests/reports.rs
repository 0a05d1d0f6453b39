//! What reports leave out, what they split and what has no seats: files as people download them give the right figures.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod support;

use serde_json::{Value, json};
use support::Server;

const CUSTOMER: &str = "c0ffee00-0031-4e00-9e00-0000000000aa";
const OTHER: &str = "c0ffee00-0032-4e00-9e00-0000000000aa";

/// A row of SeatsSubscriptionsAndRevenue: month, subscription, customer, SKU, seats, revenue.
fn seats_report(rows: &[(&str, &str, &str, &str, u32, u32)]) -> String {
    let mut text =
        "SubscriptionId,Month,CustomerTenantId,CustomerName,SKU,SubscriptionState,AvailableSeatsEOP,BilledRevenueUSD\n"
            .to_owned();
    for (month, subscription, customer, sku, seats, revenue) in rows {
        text += &format!("{subscription},{month}-01,{customer},Elm Mills,{sku},Active,{seats},{revenue}\n");
    }
    text
}

/// A row of DynamicsUsage: month, subscription, SKU, seats, assigned, active.
fn usage_report(rows: &[(&str, &str, &str, u32, u32, u32)]) -> String {
    let mut text =
        "SubscriptionId,Month,CustomerTenantId,SKU,SKUId,AvailableSeats,AssignedSeats,ActiveSeats\n".to_owned();
    for (month, subscription, sku, seats, assigned, active) in rows {
        text += &format!("{subscription},{month}-01,{CUSTOMER},{sku},id-of-{sku},{seats},{assigned},{active}\n");
    }
    text
}

fn import(server: &Server, format: &str, text: &str, more: &[&str]) {
    let file = server.file(&format!("{format}.txt"), text);
    let summary = server.json("data_source", &[&["import", format, &file], more].concat());
    assert_eq!(summary["rejected"], 0, "{summary}");
}

/// The figures of each month from January to March, null where nobody knows.
fn figures(server: &Server, measures: &str, more: &[&str]) -> Vec<Vec<Value>> {
    let args = ["query", "--from", "2026-01", "--to", "2026-03", "--scope", "all", "--measures", measures];
    let rows = server.json("global_admin", &[&args, more].concat()).as_array().unwrap().clone();
    rows.iter().map(|row| measures.split(',').map(|name| row[name].clone()).collect()).collect()
}

#[test]
fn a_month_without_a_report_takes_the_one_before_over_in_whatever_order_files_come() {
    let months = ["2026-01", "2026-03"].map(|month| seats_report(&[(month, "S-1", CUSTOMER, "Suite", 10, 100)]));
    for order in [[0, 1], [1, 0]] {
        let server = Server::start();
        import(&server, "insights-subscriptions", &months[order[0]], &[]);
        // Whoever imports the second is told of the month between.
        let second = server.file("second.txt", &months[order[1]]);
        let summary = server.json("global_admin", &["import", "insights-subscriptions", &second]);
        assert_eq!(summary["figures"]["carried"], json!(["2026-02"]), "{summary}");
        let measures = "customers,new,churned,returning,available,new_seats,active,idle_seats";
        assert_eq!(
            json!(figures(&server, measures, &[])),
            json!([[1, 1, 0, 0, 10, 10, 0, 0], [1, 0, 0, 0, 10, 0, null, 0], [1, 0, 0, 0, 10, 0, 0, 0]])
        );
        let rows =
            server.json("global_admin", &["query", "--from", "2026-01", "--to", "2026-03", "--measures", "available"]);
        assert_eq!(
            [&rows[0]["carried"], &rows[1]["carried"], &rows[2]["carried"]],
            [&json!(null), &json!(true), &json!(null)]
        );
        // A row of somebody else for the month says that it was reported: then the subscription is gone.
        import(&server, "insights-subscriptions", &seats_report(&[("2026-02", "S-2", OTHER, "Suite", 3, 0)]), &[]);
        assert_eq!(
            json!(figures(&server, "customers,churned,available", &[])),
            json!([[1, 0, 10], [1, 1, 3], [1, 1, 10]])
        );
        assert_eq!(server.json("global_admin", &["verify"])["differences"], 0);
    }
}

#[test]
fn users_of_a_month_without_a_report_are_those_of_the_one_before_and_their_use_is_unknown() {
    let months = [("2026-01", 20, 12), ("2026-03", 30, 15)].map(|(month, units, active)| {
        format!(
            "CustomerTenantId,WorkloadName,Month,PaidAvailableUnits,MonthlyActiveUsers\n\
             {CUSTOMER},Yammer,{month}-01,{units},{active}\n"
        )
    });
    for order in [[0, 1], [1, 0]] {
        let server = Server::start();
        for month in order {
            import(&server, "insights-office-usage", &months[month], &[]);
        }
        let measures = "active_users,total_users,usage_percent";
        let yammer = ["--filter", "service=Yammer"];
        assert_eq!(
            json!(figures(&server, measures, &yammer)),
            json!([[12, 20, 60.0], [null, 20, null], [15, 30, 50.0]])
        );
        assert_eq!(server.json("global_admin", &["verify"])["differences"], 0);
    }
}

#[test]
fn a_gap_in_one_report_is_none_in_another() {
    let server = Server::start();
    let seats = [("2026-01", "S-1", CUSTOMER, "Suite", 10, 0), ("2026-03", "S-1", CUSTOMER, "Suite", 10, 0)];
    import(&server, "insights-subscriptions", &seats_report(&seats), &[]);
    import(&server, "insights-dynamics-usage", &usage_report(&[("2026-02", "D-1", "Sales", 4, 3, 2)]), &[]);
    assert_eq!(json!(figures(&server, "available,assigned", &[])), json!([[10, 0], [14, 3], [10, 0]]));
    // Use is unknown in the gap of a report that tells it.
    let server = Server::start();
    let usage = [("2026-01", "D-1", "Sales", 4, 3, 2), ("2026-03", "D-1", "Sales", 4, 3, 1)];
    import(&server, "insights-dynamics-usage", &usage_report(&usage), &[]);
    let measures =
        "available,assigned,active,active_customers,active_usage_percent_denominator,active_usage_percent_numerator";
    let args = ["query", "--from", "2026-02", "--to", "2026-02", "--scope", "all", "--measures"];
    let asked = [&args[..], &["available,assigned,active,active_customers,active_usage_percent"]].concat();
    let row = server.json("global_admin", &asked)[0].clone();
    let told: Vec<&Value> = measures.split(',').map(|name| &row[name]).collect();
    assert_eq!(json!(told), json!([4, 3, null, null, 4, null]));
}

#[test]
fn a_list_of_one_customer_covers_no_month_of_another() {
    let list = |seats: u32, grace: u32| {
        json!({"value": [{"skuId": "SKU-1", "skuPartNumber": "PART", "capabilityStatus": "Enabled", "consumedUnits": 2,
            "prepaidUnits": {"enabled": seats, "suspended": 1, "warning": grace}}]})
        .to_string()
    };
    let server = Server::start();
    for (customer, month, seats) in [(CUSTOMER, "2026-01", 5), (OTHER, "2026-02", 7), (CUSTOMER, "2026-03", 6)] {
        import(&server, "graph-subscribed-skus", &list(seats, 0), &["--customer", customer, "--month", month]);
    }
    assert_eq!(json!(figures(&server, "customers,available", &[])), json!([[1, 5], [2, 12], [1, 6]]));
    // Units in grace are available where grace is included.
    import(&server, "graph-subscribed-skus", &list(6, 4), &["--customer", CUSTOMER, "--month", "2026-03"]);
    assert_eq!(json!(figures(&server, "available,deployment_opportunity", &[])[2]), json!([6, 4]));
    assert_eq!(json!(figures(&server, "available,deployment_opportunity", &["--include-grace"])[2]), json!([10, 8]));
    let licences = json!({"items": [{"productSku": {"id": "SKU-2", "name": "Part Two"}, "activeUnits": 3, "warningUnits": 2,
        "consumedUnits": 1, "capabilityStatus": "Enabled"}]});
    let server = Server::start();
    import(&server, "pc-subscribed-skus", &licences.to_string(), &["--customer", CUSTOMER, "--month", "2026-03"]);
    let grace = ["--include-grace"];
    assert_eq!(
        json!([figures(&server, "available", &[]), figures(&server, "available", &grace)]),
        json!([[[0], [0], [3]], [[0], [0], [5]]])
    );
}

#[test]
fn several_skus_of_one_subscription_add_up_and_show_their_own() {
    let rows = [("2026-03", "S-1", CUSTOMER, "Suite", 10, 100), ("2026-03", "S-1", CUSTOMER, "Draw", 5, 50)];
    for rows in [[rows[0], rows[1]], [rows[1], rows[0]]] {
        let server = Server::start();
        import(&server, "insights-subscriptions", &seats_report(&rows), &[]);
        let measures = "customers,subscriptions,available,billed_revenue";
        let amount = |row: &[Value]| {
            row.iter().map(|it| it.as_f64().unwrap_or_default().to_string()).collect::<Vec<_>>().join(" ")
        };
        let all = |more: &[&str]| figures(&server, measures, more).iter().map(|row| amount(row)).collect::<Vec<_>>();
        assert_eq!(all(&[])[2], "1 1 15 150");
        assert_eq!(all(&["--by", "sku"]), ["1 1 5 50", "1 1 10 100"]);
        assert_eq!(all(&["--by", "subscription"]), ["1 1 15 150"]);
        assert_eq!(all(&["--filter", "sku=Draw"])[2], "1 1 5 50");
        // A row of the month again replaces its part.
        import(
            &server,
            "insights-subscriptions",
            &seats_report(&[("2026-03", "S-1", CUSTOMER, "Suite", 12, 120)]),
            &[],
        );
        assert_eq!(all(&[])[2], "1 1 17 170");
        assert_eq!(server.json("global_admin", &["verify"])["differences"], 0);
    }
    let server = Server::start();
    let usage = [("2026-03", "D-1", "Sales", 4, 3, 2), ("2026-03", "D-1", "Service", 6, 5, 1)];
    import(&server, "insights-dynamics-usage", &usage_report(&usage), &[]);
    assert_eq!(json!(figures(&server, "subscriptions,available,assigned,active", &[])[2]), json!([1, 10, 8, 3]));
    // Both reports of a subscription are not two subscriptions, in whatever order they come.
    let (seats, usage) = (seats_report(&[("2026-03", "D-1", CUSTOMER, "Sales", 4, 9)]), usage_report(&usage[..1]));
    for usage_first in [true, false] {
        let server = Server::start();
        let mut files = [("insights-subscriptions", &seats), ("insights-dynamics-usage", &usage)];
        if usage_first {
            files.reverse();
        }
        files.iter().for_each(|(format, text)| import(&server, format, text, &[]));
        assert_eq!(json!(figures(&server, "subscriptions,available,assigned,active", &[])[2]), json!([1, 4, 3, 2]));
    }
}

/// A subscription of pc-subscriptions, with something of its own.
fn bought(own: &Value) -> String {
    let mut item = json!({"id": "S-1", "offerId": "OFFER-1", "offerName": "Office 365 Offered", "quantity": 25,
        "unitType": "Licenses", "billingType": "license", "status": "active", "effectiveStartDate": "2026-01-05T00:00:00Z"});
    for (name, value) in own.as_object().unwrap() {
        item[name] = value.clone();
    }
    json!({"totalCount": 1, "items": [item]}).to_string()
}

#[test]
fn a_trial_that_was_bought_was_a_trial_in_whatever_order_files_come() {
    let files = [("2026-01", true), ("2026-03", false)];
    for order in [[0, 1], [1, 0]] {
        let server = Server::start();
        for (month, trial) in order.map(|at| files[at]) {
            let more = ["--customer", CUSTOMER, "--month", month];
            import(&server, "pc-subscriptions", &bought(&json!({"isTrial": trial})), &more);
        }
        assert_eq!(
            json!(figures(&server, "customers,available,new_seats", &[])),
            json!([[1, 0, 0], [1, 0, 0], [1, 25, 25]])
        );
    }
}

#[test]
fn what_is_paid_by_use_has_no_seats() {
    let by_use = [
        json!({"unitType": "Usage-based"}),
        json!({"billingType": "usage"}),
        json!({"offerName": "Azure plan"}),
        json!({"billingType": "usage", "quantity": null}),
    ];
    for own in by_use {
        let server = Server::start();
        import(&server, "pc-subscriptions", &bought(&own), &["--customer", CUSTOMER, "--month", "2026-03"]);
        assert_eq!(json!(figures(&server, "customers,subscriptions,available", &[])[2]), json!([1, 1, 0]), "{own}");
    }
    let server = Server::start();
    let rows = [("2026-03", "S-1", CUSTOMER, "Azure Plan", 1, 100), ("2026-03", "S-2", CUSTOMER, "Suite", 2, 10)];
    import(&server, "insights-subscriptions", &seats_report(&rows), &[]);
    assert_eq!(json!(figures(&server, "customers,subscriptions,available", &[])[2]), json!([1, 2, 2]));
    let server = Server::start();
    let directory = json!({"value": [{"id": "S-1", "skuId": "SKU-1", "skuPartNumber": "AZURE_PLAN", "status": "Enabled",
        "totalLicenses": 100, "isTrial": false}]});
    import(&server, "graph-subscriptions", &directory.to_string(), &["--customer", CUSTOMER, "--month", "2026-03"]);
    assert_eq!(json!(figures(&server, "customers,subscriptions,available", &[])[2]), json!([1, 1, 0]));
}

#[test]
fn an_answer_by_a_filtered_dimension_has_rows_for_the_filters_values_only() {
    let records = r#"{"kind":"sku","sku_id":"K","name":"K","product":"P","services":["Exchange","SharePoint","Teams"]}
{"kind":"customer","customer_id":"C"}
{"kind":"subscription","subscription_id":"S","customer_id":"C","sku_id":"K","attributions":[{"location_id":"L1","type":"CSP"},{"location_id":"L2","type":"PAL"}]}
{"kind":"subscription_state","subscription_id":"S","effective":"2026-01-01","status":"Active","seats":5}
{"kind":"activity","customer_id":"C","user_id":"u","service":"SharePoint","day":"2026-03-15"}
{"kind":"activity","customer_id":"C","user_id":"v","service":"Teams","day":"2026-03-15"}
{"kind":"complete_through","day":"2026-03-31"}"#;
    let server = Server::filled(records);
    for (dimension, value) in [("service", "Teams"), ("location", "L1"), ("attribution_type", "PAL")] {
        let filter = format!("{dimension}={value}");
        let args = [
            "query",
            "--from",
            "2026-03",
            "--to",
            "2026-03",
            "--measures",
            "customers,active_users",
            "--by",
            dimension,
        ];
        let rows = server.json("global_admin", &[&args[..], &["--filter", &filter]].concat());
        let named: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row[dimension]).collect();
        assert_eq!(named, [&json!(value)], "{rows}");
        assert_eq!(rows[0]["active_users"], if dimension == "service" { 1 } else { 2 });
    }
}
