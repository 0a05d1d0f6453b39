//! Lists that say all there is end what they no longer name, and lists that were not read whole do not.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod support;

use serde_json::{Value, json};
use support::Server;

const CUSTOMER: &str = "c0ffee00-0021-4e00-9e00-0000000000aa";

fn bought(id: &str, seats: u32) -> Value {
    json!({"id": id, "offerId": "OFFER-1", "offerName": "Office 365 Offered", "quantity": seats, "status": "active",
        "creationDate": "2025-11-15T08:00:00Z", "effectiveStartDate": "2025-11-15T00:00:00Z"})
}

fn purchases(subscriptions: &[(&str, u32)]) -> String {
    let items: Vec<Value> = subscriptions.iter().map(|(id, seats)| bought(id, *seats)).collect();
    json!({"totalCount": items.len(), "items": items}).to_string()
}

fn directory(subscriptions: &[(&str, u32)]) -> String {
    let one = |(id, seats): &(&str, u32)| {
        json!({"id": format!("object-{id}"), "commerceSubscriptionId": id, "createdDateTime": "2025-11-15T00:00:00Z",
            "skuId": "SKU-1", "skuPartNumber": "PART", "status": "Enabled", "totalLicenses": seats,
            "isTrial": false, "ownerTenantId": "c0ffee00-0022-4e00-9e00-0000000000aa"})
    };
    json!({"value": subscriptions.iter().map(one).collect::<Vec<_>>()}).to_string()
}

fn import(server: &Server, format: &str, month: &str, text: &str) -> Value {
    let file = server.file(&format!("{format}-{month}.json"), text);
    server.json("data_source", &["import", format, &file, "--customer", CUSTOMER, "--month", month])
}

fn figures(server: &Server, measures: &str) -> Vec<Vec<i64>> {
    let args = ["query", "--from", "2026-01", "--to", "2026-04", "--scope", "all", "--measures", measures];
    let rows = server.json("global_admin", &args).as_array().unwrap().clone();
    let count = |row: &Value, name: &str| row[name].as_i64().unwrap();
    rows.iter().map(|row| measures.split(',').map(|name| count(row, name)).collect()).collect()
}

#[test]
fn a_subscription_that_left_the_list_leaves_the_figures_in_whatever_order_lists_come() {
    for (format, list) in
        [("pc-subscriptions", purchases as fn(&[(&str, u32)]) -> String), ("graph-subscriptions", directory)]
    {
        let lists =
            [("2026-01", list(&[("S-1", 25), ("S-2", 5)])), ("2026-03", list(&[("S-2", 5)])), ("2026-04", list(&[]))];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let server = Server::start();
            for (month, text) in order.map(|at| &lists[at]) {
                let summary = import(&server, format, month, text);
                assert_eq!(summary["rejected"], 0, "{summary}");
            }
            let expected = [[1, 0, 2, 30], [1, 0, 2, 30], [1, 0, 1, 5], [0, 1, 0, 0]];
            assert_eq!(figures(&server, "customers,churned,subscriptions,available"), expected, "{format} {order:?}");
            assert_eq!(server.json("global_admin", &["verify"])["differences"], 0);
        }
    }
}

#[test]
fn a_list_that_was_not_read_whole_ends_nothing_and_says_so() {
    let server = Server::start();
    import(&server, "pc-subscriptions", "2026-01", &purchases(&[("S-1", 25), ("S-2", 5)]));
    let mut rejected = serde_json::from_str::<Value>(&purchases(&[("S-2", 5), ("S-3", 1)])).unwrap();
    rejected["items"][1]["quantity"] = json!(-1);
    let mut cut_short = serde_json::from_str::<Value>(&purchases(&[("S-2", 5)])).unwrap();
    cut_short["links"] = json!({"next": {"uri": "/subscriptions?seekOperation=Next"}});
    let mut fewer = serde_json::from_str::<Value>(&purchases(&[("S-2", 5)])).unwrap();
    fewer["totalCount"] = json!(2);
    for list in [rejected, cut_short, fewer] {
        let summary = import(&server, "pc-subscriptions", "2026-03", &list.to_string());
        assert!(summary["notes"].to_string().contains("nothing is taken for gone"), "{summary}");
        assert_eq!(figures(&server, "subscriptions")[2], [2], "{list}");
    }
}

#[test]
fn a_licence_that_left_the_list_of_its_month_leaves_the_month() {
    let server = Server::start();
    let licences = |skus: &[&str]| {
        let one = |sku: &&str| json!({"consumedUnits": 2, "prepaidUnits": {"enabled": 7}, "skuId": sku, "skuPartNumber": sku, "capabilityStatus": "Enabled"});
        json!({"value": skus.iter().map(one).collect::<Vec<_>>()}).to_string()
    };
    for skus in [&["A", "B"][..], &["B"]] {
        import(&server, "graph-subscribed-skus", "2026-03", &licences(skus));
    }
    assert_eq!(figures(&server, "customers,subscriptions,available")[2..], [[1, 2, 14]]);
    let place = |day: &str, skus: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(format!("{CUSTOMER} {day}.json")), licences(skus)).unwrap();
        server.json("data_source", &["import", &folder.path().display().to_string()]);
    };
    place("2026-04-20", &["B"]);
    place("2026-04-10", &["A", "B"]);
    assert_eq!(figures(&server, "customers,subscriptions,available")[3..], [[1, 1, 7]]);
}

#[test]
fn a_customer_who_left_the_list_leaves_the_figures() {
    let server = Server::start();
    import(&server, "pc-subscriptions", "2026-01", &purchases(&[("S-1", 25)]));
    let customers = |ids: &[&str]| {
        let one = |id: &&str| json!({"id": id, "companyProfile": {"companyName": id, "domain": "fabrikam.example"}});
        json!({"totalCount": ids.len(), "items": ids.iter().map(one).collect::<Vec<_>>()}).to_string()
    };
    let list = |month: &str, ids: &[&str]| {
        let file = server.file("customers.json", &customers(ids));
        server.json("data_source", &["import", "pc-customers", &file, "--month", month]);
    };
    list("2026-04", &["C-2"]);
    assert_eq!(figures(&server, "customers,churned,available"), [[1, 0, 25]; 4], "never named before");
    list("2026-02", &[CUSTOMER, "C-2"]);
    assert_eq!(figures(&server, "customers,churned,available"), [[1, 0, 25], [1, 0, 25], [1, 0, 25], [0, 1, 0]]);
}

#[test]
fn a_list_that_ends_much_is_asked_about_and_says_what_would_go() {
    let server = Server::start();
    let ids: Vec<String> = (1..=10).map(|number| format!("S-{number}")).collect();
    let many: Vec<(&str, u32)> = ids.iter().map(|id| (id.as_str(), 1)).collect();
    import(&server, "pc-subscriptions", "2026-01", &purchases(&many));
    import(&server, "pc-subscriptions", "2026-02", &purchases(&many[..5]));
    assert_eq!(figures(&server, "subscriptions"), [[10], [5]], "five may leave without a question");

    let file = server.file("all.json", &purchases(&many));
    let few = server.file("few.json", &purchases(&many[..4]));
    let run = |file: &str, more: &[&str]| {
        let args = ["import", "pc-subscriptions", file, "--customer", CUSTOMER, "--month"];
        server.run("admin_agent", &[&args, more].concat())
    };
    assert!(run(&file, &["2026-03"]).status.success());
    for more in [&["2026-04"][..], &["2026-04", "--dry-run"]] {
        let asked = run(&few, more);
        assert_eq!(asked.status.code(), Some(1));
        let text = support::stderr(&asked);
        assert!(text.contains("leaves out 6 of the 10") && text.contains("S-7"), "{text}");
        assert!(text.contains("--confirm"), "{text}");
        assert_eq!(*figures(&server, "subscriptions").last().unwrap(), [10]);
    }
    assert!(run(&few, &["2026-04", "--confirm"]).status.success());
    assert_eq!(*figures(&server, "subscriptions").last().unwrap(), [4]);
}

#[test]
fn a_list_of_customers_or_licences_that_ends_much_is_asked_about() {
    let server = Server::start();
    let customers = |count: u32| {
        let one = |number| json!({"id": format!("C-{number}"), "companyProfile": {"companyName": "Fabrikam"}});
        json!({"items": (1..=count).map(one).collect::<Vec<_>>()}).to_string()
    };
    let users = |day: &str, count: u32| {
        let header =
            "Report Refresh Date,User Principal Name,Has Exchange License,Exchange Last Activity Date,Report Period\n";
        let one = |number: u32| format!("{day},user{number}@fabrikam.example,True,2026-01-0{},30\n", number % 9 + 1);
        header.to_owned() + &(1..=count).map(one).collect::<String>()
    };
    let asks = |args: &[&str]| {
        let output = server.run("data_source", &[&["import"], args].concat());
        let text = support::stderr(&output);
        assert!(output.status.success() || text.contains("leaves out 6 of the 10"), "{text}");
        !output.status.success()
    };
    let file = |name: &str, text: String| server.file(name, &text);
    let (all, few) = (file("all.json", customers(10)), file("few.json", customers(4)));
    assert!(!asks(&["pc-customers", &all, "--month", "2026-01"]));
    assert!(asks(&["pc-customers", &few, "--month", "2026-02"]));
    assert!(!asks(&["pc-customers", &few, "--month", "2026-02", "--confirm"]));
    let (all, few) = (file("all.csv", users("2026-02-10", 10)), file("few.csv", users("2026-02-20", 4)));
    assert!(!asks(&["graph-user-detail", &all, "--customer", "C-1"]));
    assert!(asks(&["graph-user-detail", &few, "--customer", "C-1"]));
    assert!(!asks(&["graph-user-detail", &few, "--customer", "C-1", "--confirm"]));
}
