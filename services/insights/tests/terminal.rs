//! What reports and other commands show in the terminal, against a real server of their own.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod support;

use insights_proto::DESCRIPTOR_SET;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use serde_json::{Value, json};
use support::{Server, insights, stderr, stdout};

const COUNTRIES: [&str; 14] = ["BR", "PT", "DE", "FR", "ES", "IT", "NL", "BE", "AT", "CH", "SE", "NO", "DK", "FI"];
const RANGE: [&str; 4] = ["--from", "2024-04", "--to", "2024-06"];

/// Fourteen customers, each in a country: the first comes in June, the thirteenth leaves in February, two in May.
fn records() -> String {
    let mut lines = vec![
        r#"{"kind":"location","location_id":"L-1","name":"Here","country":"PT"}"#.to_owned(),
        r#"{"kind":"sku","sku_id":"K-1","name":"Suite","product":"Office 365","services":["Teams"]}"#.to_owned(),
    ];
    let state = |number: usize, day: &str, status: &str| {
        format!(
            r#"{{"kind":"subscription_state","subscription_id":"S-{number:02}","effective":"{day}","status":"{status}","seats":10}}"#
        )
    };
    for (number, country) in (1..).zip(COUNTRIES) {
        lines.push(format!(
            r#"{{"kind":"customer","customer_id":"C-{number:02}","name":"Customer {number:02}","country":"{country}"}}"#
        ));
        lines.push(format!(
            r#"{{"kind":"subscription","subscription_id":"S-{number:02}","customer_id":"C-{number:02}","sku_id":"K-1","attributions":[{{"location_id":"L-1","type":"CSP"}}]}}"#
        ));
        lines.push(state(number, if number == 1 { "2024-06-03" } else { "2023-12-10" }, "Active"));
    }
    lines.push(state(13, "2024-02-15", "Disabled"));
    lines.push(state(12, "2024-05-05", "Disabled"));
    lines.push(state(14, "2024-05-05", "Disabled"));
    lines.push(r#"{"kind":"assignment","subscription_id":"S-02","user_id":"u","from":"2024-01-10"}"#.to_owned());
    lines.push(
        r#"{"kind":"activity","customer_id":"C-02","user_id":"u","service":"Teams","day":"2024-06-20"}"#.to_owned(),
    );
    lines.push(r#"{"kind":"complete_through","day":"2024-06-30"}"#.to_owned());
    lines.join("\n")
}

fn filled() -> Server {
    Server::filled(&records())
}

/// What a report prints over April to June: to stdout and to stderr.
fn report(server: &Server, args: &[&str]) -> (String, String) {
    server.report(args, &RANGE)
}

fn report_json(server: &Server, args: &[&str]) -> Value {
    server.json("global_admin", &[&["report"], args, &RANGE].concat())
}

/// The line of a text that begins with these words.
fn line<'a>(text: &'a str, start: &str) -> &'a str {
    text.lines().find(|line| line.trim_start().starts_with(start)).unwrap_or_else(|| panic!("no {start} in {text}"))
}

/// The names of a message's fields.
fn fields(message: &str) -> Vec<String> {
    let set = FileDescriptorSet::decode(DESCRIPTOR_SET).unwrap();
    let mut messages = set.file.iter().flat_map(|file| &file.message_type);
    let found = messages.find(|it| it.name() == message).unwrap();
    found.field.iter().map(|field| field.name().to_owned()).collect()
}

#[test]
fn json_has_every_section_of_the_answer() {
    let server = filled();
    let pages = [
        ("customers", "GetCustomersDashboardResponse"),
        ("dynamics-usage", "GetDynamicsUsageDashboardResponse"),
        ("adoption", "GetLicenceAdoptionDashboardResponse"),
    ];
    for (page, message) in pages {
        let json = report_json(&server, &[page]);
        let sections: Vec<&Value> = json["breakdowns"].as_array().unwrap().iter().map(|it| &it["section"]).collect();
        for field in fields(message) {
            let at_top = json.get(&field).is_some();
            let flat = field == "coverage" && json.get("from").is_some();
            assert!(at_top || flat || sections.contains(&&json!(field)), "{page}: {field} is dropped");
        }
    }
    let json = report_json(&server, &["customers"]);
    assert_eq!(json["totals"], json!({"added": 1, "churned": 2, "net_added": -1, "last_month_churn": 0}));
    assert_eq!(
        json["movements"][1],
        json!({"month": "2024-05", "new_customers": 0, "existing_customers": 10, "churned_customers": 2,
            "returning_customers": 0, "partial": false, "earliest": false})
    );
    assert_eq!(json["activity"][2]["active_customers"], 1);
    let trends = json["distribution_trends"].as_array().unwrap();
    assert_eq!((trends.len(), &trends[0]["dimension"]), (6, &json!("country")));
    assert_eq!((trends[0]["groups"].as_array().unwrap().len(), &trends[0]["others"]["groups"]), (5, &json!(8)));
    let all = report_json(&server, &["customers", "--all"]);
    assert_eq!(all["distribution_trends"][0]["groups"].as_array().unwrap().len(), 13);
}

#[test]
fn customers_are_shown_month_by_month() {
    let server = filled();
    let (text, _) = report(&server, &["customers"]);
    let words = |start: &str| line(&text, start).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words("by month"), "by month customers active customers new existing churned returning");
    assert_eq!(words("2024-05"), "2024-05 10 0 0 10 2 0");
    assert_eq!(words("2024-06"), "2024-06 11 1 1 10 0 0");
    assert_eq!(words("total"), "total 1 2");
    assert_eq!(words("Office 365, by SKU"), "Office 365, by SKU customers", "a single month has no trend");
    assert_eq!(words("Suite"), "Suite 11");
    let trends = text.split("Customer distribution trend\n").nth(1).unwrap();
    assert!(trends.contains("by market") && trends.contains("by segment"), "{trends}");
    assert!(line(trends, "8 others").ends_with("6      –                     –  █▁▁"), "{trends}");
}

#[test]
fn who_was_there_in_the_first_month_is_not_said_to_be_added() {
    let server = filled();
    let (text, _) = server.report(&["customers"], &["--from", "2023-12", "--to", "2024-02"]);
    let words = |start: &str| line(&text, start).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words("2023-12 "), "2023-12 13 0 13 0 0 0");
    assert_eq!(words("total"), "total 0 1");
    assert!(text.contains("2023-12 is the first month with data: its new customers came nobody knows when"), "{text}");
    assert!(!report(&server, &["customers"]).0.contains("first month with data"));
}

#[test]
fn churn_is_not_taken_for_the_change() {
    let server = filled();
    let (text, _) = report(&server, &["customers"]);
    let churned = line(&text, "Customers churned");
    assert!(churned.contains("2  +100.0 % against 2024-01 – 2024-03; churn 16.67 % (2 / 12)"), "{churned}");
    assert!(line(&text, "Customers  ").contains("2024-04 to 2024-06"), "{text}");
    assert!(text.contains("11  -8.3 % since 2024-03"), "{text}");
    let json = report_json(&server, &["customers"]);
    let card = json["cards"].as_array().unwrap().iter().find(|card| card["figure"] == "customers_churned").unwrap();
    assert_eq!(card["change_percent"], 100.0);
    assert!((card["churn_percent"].as_f64().unwrap() - 16.667).abs() < 0.001, "{card}");
    let kinds: Vec<&Value> = card["changes"].as_array().unwrap().iter().map(|change| &change["kind"]).collect();
    assert_eq!(kinds, ["churn", "flow"]);
}

#[test]
fn what_is_not_defined_says_why() {
    let server = filled();
    let (text, _) = report(&server, &["adoption", "--filter", "service=Teams"]);
    assert!(line(&text, "Available seats").contains("–  Seats are not defined by service."), "{text}");
    let (text, _) = report(&server, &["adoption", "--filter", "service=Teams", "--language", "pt"]);
    assert!(line(&text, "Licenças disponíveis").contains("–  As licenças não são definidas por serviço."), "{text}");
    let json = report_json(&server, &["adoption", "--filter", "service=Teams"]);
    let breakdowns = json["breakdowns"].as_array().unwrap();
    let by_product = breakdowns.iter().find(|of| of["section"] == "by_product").unwrap();
    assert_eq!(by_product["undefined_reason"], "seats_by_service");
}

#[test]
fn headings_say_what_a_page_is_about() {
    let server = filled();
    let (text, said) = report(&server, &["dynamics-usage", "--product", "Office 365"]);
    assert!(text.starts_with("Usage: Office 365  2024-04 to 2024-06, complete through 2024-06-30\n"), "{text}");
    assert_eq!(said, "");
    assert_eq!(text.lines().nth(1), Some("Sold or managed by you"), "{text}");
    let (text, _) = report(&server, &["adoption", "--customer", "C-02", "--filter", "country=PT", "--include-grace"]);
    assert!(text.starts_with("Licence adoption: Customer 02 (C-02)  2024-04"), "{text}");
    assert_eq!(
        text.lines().nth(1),
        Some("All sellers; Market: Portugal (PT); grace counted as good standing"),
        "{text}"
    );
    let (text, said) = report(&server, &["customers", "--customer", "C-03", "--scope", "own"]);
    assert!(text.starts_with("Customers: Customer 03 (C-03)  "), "{text}");
    assert_eq!(text.lines().nth(1), Some("Sold by you; Customer: Customer 03 (C-03)"), "{text}");
    assert_eq!(said, "");
    let json = report_json(&server, &["adoption", "--customer", "C-02"]);
    assert_eq!((&json["customer"], &json["customer_name"]), (&json!("C-02"), &json!("Customer 02")));
    assert_eq!(json["scope"], "all_sellers");
}

#[test]
fn nothing_found_is_said() {
    let server = filled();
    let (text, _) = report(&server, &["dynamics-usage", "--product", "Office 365", "--search", "nobody"]);
    assert!(text.contains("No subscription was found: try") && text.contains("search: nobody"), "{text}");
    let (text, said) = report(&server, &["advice", "--filter", "country=ZZ"]);
    assert!(text.contains("No advice was found: try") && text.contains("Market: ZZ"), "{text}");
    assert_eq!(said, "No market “ZZ” is known in the last twelve months.\n");
    let (_, said) = report(&server, &["dynamics-usage", "--product", "Nope"]);
    assert_eq!(said, "No product “Nope” is known.\n");
    let (_, said) = report(&server, &["customers", "--customer", "C-99999", "--filter", "country=pt"]);
    assert_eq!(said, "No customer “C-99999” is known.\n", "markets are known in any case of their letters");
    let (_, said) = report(&server, &["customers", "--filter", "country=P"]);
    assert_eq!(said, "No market “P” is known in the last twelve months. Similar: Portugal (PT), Spain (ES).\n");
}

#[test]
fn countries_are_ordered_searched_and_shown_to_the_end() {
    let server = filled();
    let codes = |args: &[&str]| -> Vec<String> {
        let json = report_json(&server, &[&["customers"], args].concat());
        let sections = json["breakdowns"].as_array().unwrap().clone();
        let countries = sections.iter().find(|it| it["section"] == "by_country").unwrap();
        let groups = countries["groups"].as_array().unwrap();
        groups.iter().map(|group| group["key"].as_str().unwrap().to_owned()).collect()
    };
    let by_code = codes(&["--countries-by", "code"]);
    assert!(by_code.is_sorted() && by_code.len() == 13, "{by_code:?}");
    assert_eq!(codes(&["--countries-by", "new"])[0], "BR");
    assert_eq!(codes(&["--countries-by", "active-customers"])[0], "PT");
    let least = codes(&["--countries-by", "customers", "--countries-ascending"]);
    assert_eq!((least[0].as_str(), least[1].as_str()), ("FI", "NO"));
    assert_eq!(codes(&["--country-search", "italy"]), ["IT"], "by its name");
    assert_eq!(codes(&["--country-search", "pt"]), ["PT"], "by its code");
    assert_eq!(codes(&["--country-search", "GERMANY", "--language", "pt"]), Vec::<String>::new());
    assert_eq!(codes(&["--country-search", "ITALIA", "--language", "pt"]), ["IT"], "whatever its accents");
    let by_name = codes(&["--countries-by", "name"]);
    assert_eq!((by_name[5].as_str(), by_name[12].as_str()), ("DE", "CH"), "{by_name:?}");
    let (text, _) = report(&server, &["customers"]);
    let heading = line(&text, "by market");
    assert_eq!(heading.matches("share").count(), 3, "{heading}");
    assert!(text.contains("… and 1 more; --all shows them"), "{text}");
    let (text, _) = report(&server, &["customers", "--all"]);
    assert!(!text.contains("--all") && line(&text, "Norway (NO)").contains('0'), "{text}");
    let (text, _) = report(&server, &["customers", "--country-search", "t"]);
    assert!(text.contains("markets with “t” in their code or name"), "{text}");
    let wrong = server.run("global_admin", &["report", "adoption", "--country-search", "t"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn every_command_speaks_portuguese() {
    let server = filled();
    let said = |args: &[&str]| {
        let output = server.run("global_admin", &[args, &["--language", "pt"]].concat());
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        (stdout(&output), stderr(&output))
    };
    let query = [&["--measures", "customers"][..], &RANGE].concat();
    let (_, notes) = said(&[&["query", "--by", "location"], &query[..]].concat());
    assert!(notes.contains("Completo até 2024-06-30.") && !notes.contains("Complete"), "{notes}");
    let (audit, _) = said(&["audit"]);
    assert!(audit.starts_with("hora") && audit.contains("resultado") && !audit.contains("asked"), "{audit}");
    let order = [&["export", "create", "--wait"], &query[..]].concat();
    let id = server.json("global_admin", &order)["id"].as_str().unwrap().to_owned();
    let (list, _) = said(&["export", "list"]);
    assert!(list.starts_with("id") && list.contains("arquivo") && list.contains("concluída"), "{list}");
    let (export, _) = said(&["export", "get", &id]);
    assert!(export.starts_with("exportação") && export.contains("completo até"), "{export}");
    let (doctor, _) = said(&["doctor"]);
    assert!(doctor.contains("ok    servidor: ") && doctor.contains("atrás dos fatos"), "{doctor}");
    for word in ["server", "answers", "good for", "behind"] {
        assert!(!doctor.contains(word), "{word} is left in English: {doctor}");
    }
    let json = server.json("global_admin", &["doctor", "--language", "pt"]);
    assert_eq!(json[2]["what"], "server");
    assert!(json[2]["found"].as_str().unwrap().ends_with("answers"), "programs read the same in every language");
}

#[test]
fn a_language_that_is_not_spoken_is_said_to_be_none() {
    let said = stderr(&insights(&["config", "--language", "xx"]));
    assert!(said.contains("“xx” is not spoken") && said.contains("en, pt"), "{said}");
    assert_eq!(stderr(&insights(&["config", "--language", "pt-BR"])), "");
}
