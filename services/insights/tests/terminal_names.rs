//! How reports in the terminal name what they are about: values that are not known, that read alike, or that draw.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod support;

use support::{Server, stderr};

const RANGE: [&str; 4] = ["--from", "2024-05", "--to", "2024-06"];

/// Four customers at two locations of one name: two of one name, one that would draw a row, one in wide letters.
fn records() -> Vec<String> {
    let mut lines = vec![
        r#"{"kind":"location","location_id":"L-1","name":"Same name","country":"PT"}"#.to_owned(),
        r#"{"kind":"location","location_id":"L-2","name":"Same name","country":"PT"}"#.to_owned(),
        r#"{"kind":"sku","sku_id":"Plan","name":"Suite","product":"Office 365","services":["Teams","OneDrive"]}"#
            .to_owned(),
    ];
    let customers = [
        ("C-01", "Same", r#","country":"PT","segment":"(none)""#),
        ("C-02", "Same", r#","country":"PT""#),
        ("C-03", r"Acme\nTotal            9,999\t\u001b[2J", r#","country":"PT","segment":"Big""#),
        ("C-04", "株式会社", r#","country":"PT","segment":"Big""#),
        ("C0FFEE00-0001-4E00-9E00-0000000000AA", "Guid", r#","country":"PT""#),
    ];
    for (number, (id, name, more)) in (1..).zip(customers) {
        lines.push(format!(r#"{{"kind":"customer","customer_id":"{id}","name":"{name}"{more}}}"#));
        lines.push(format!(
            r#"{{"kind":"subscription","subscription_id":"S-{number}","customer_id":"{id}","sku_id":"Plan","attributions":[{{"location_id":"L-{}","type":"CSP"}}]}}"#,
            1 + number % 2
        ));
        lines.push(format!(
            r#"{{"kind":"subscription_state","subscription_id":"S-{number}","effective":"2024-01-10","status":"Active","seats":10}}"#
        ));
    }
    lines.push(r#"{"kind":"assignment","subscription_id":"S-1","user_id":"u","from":"2024-01-10"}"#.to_owned());
    lines.push(
        r#"{"kind":"activity","customer_id":"C-01","user_id":"u","service":"Teams","day":"2024-06-20"}"#.to_owned(),
    );
    lines.push(r#"{"kind":"complete_through","day":"2024-06-30"}"#.to_owned());
    lines
}

fn filled(records: &[String]) -> Server {
    Server::filled(&records.join("\n"))
}

/// What a report prints: to stdout and to stderr.
fn report(server: &Server, args: &[&str]) -> (String, String) {
    server.report(args, &RANGE)
}

/// The lines of a text that begin with these words.
fn lines<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.trim_start().starts_with(start)).collect()
}

#[test]
fn a_dimension_is_filtered_by_once() {
    let server = filled(&records());
    let twice = ["--filter", "customer=C-01", "--filter", "customer=C-02"];
    let by_flag = ["--customer", "C-01", "--filter", "customer=C-02"];
    let cases: [(&[&str], &[&str]); 10] = [
        (&["report", "customers"], &twice),
        (&["report", "customers"], &by_flag),
        (&["report", "adoption"], &by_flag),
        (&["report", "advice"], &by_flag),
        (&["report", "dynamics-usage"], &["--product", "Office 365", "--filter", "product=Other"]),
        (&["query", "--measures", "customers"], &twice),
        (&["explain"], &twice),
        (&["export", "create", "--measures", "customers"], &twice),
        (&["export", "preview", "--measures", "customers"], &twice),
        (&["query", "--measures", "customers"], &["--filter", "country=PT", "--filter", "country=(none)"]),
    ];
    for (command, flags) in cases {
        let output = server.run("global_admin", &[command, flags, &RANGE].concat());
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{command:?} {flags:?}: {said}");
        let dimension = flags[flags.len() - 1].split('=').next().unwrap();
        assert!(said.contains(&format!("\"{dimension}\" is named twice")), "{command:?} {flags:?}: {said}");
    }
    let said =
        |flags: &[&str]| stderr(&server.run("global_admin", &[&["report", "customers"][..], flags, &RANGE].concat()));
    assert!(said(&twice).contains("--filter \"customer=C-01,C-02\""), "it says how to write it: {}", said(&twice));
    assert!(said(&by_flag).contains("by --customer too"), "{}", said(&by_flag));
    let (text, _) = report(&server, &["customers", "--filter", "customer=C-01,C-03"]);
    assert!(lines(&text, "Customers ")[1].contains(" 2 "), "values of one filter are united: {text}");
}

#[test]
fn what_figures_take_for_another_value_is_not_known() {
    let server = filled(&records());
    for (filter, unknown) in [
        ("customer=c-01", "No customer “c-01” is known. Similar: Same (C-01)."),
        ("sku=plan", "No SKU “plan” is known. Similar: Suite (Plan)."),
        ("location=l-1", "No partner location “l-1” is known. Similar: Same name (L-1)."),
        ("service=teams", "No service “teams” is known in the last twelve months. Similar: Teams."),
        ("segment=big", "No segment “big” is known in the last twelve months. Similar: Big."),
    ] {
        let (text, said) = report(&server, &["customers", "--filter", filter]);
        assert_eq!(said.trim_end().to_lowercase(), unknown.to_lowercase(), "{filter}: {text}");
        let value = filter.split_once('=').unwrap().1;
        assert!(text.lines().nth(1).unwrap().ends_with(&format!(": {value}")), "nobody else's name: {text}");
    }
    for filter in [
        "country=pt",
        "service=onedrive",
        "standing=active",
        "seller=OWN",
        "trial=False",
        "customer=c0ffee00-0001-4e00-9e00-0000000000AA",
    ] {
        let (_, said) = report(&server, &["customers", "--filter", filter]);
        assert_eq!(said, "", "{filter} is taken as it is meant");
    }
}

#[test]
fn names_stay_in_their_cells() {
    let server = filled(&records());
    let (text, _) = report(&server, &["dynamics-usage", "--product", "Office 365", "--all-subscriptions"]);
    assert_eq!(lines(&text, "Total"), Vec::<&str>::new(), "{text}");
    let acme = lines(&text, "Acme");
    assert!(acme[0].contains("Acme Total 9,999 [2J"), "{text}");
    let wide = lines(&text, "株式会社")[0];
    // Four letters that take eight columns.
    let column = |line: &str, id: &str| line[..line.find(id).unwrap()].chars().count();
    assert_eq!(column(acme[0], "S-3"), column(wide, "S-4") + 4, "{text}");
    for page in [&["customers"][..], &["adoption"], &["advice"], &["adoption", "--customer", "C-03"]] {
        let (text, _) = report(&server, page);
        assert!(lines(&text, "Total  ").is_empty() && !text.contains('\t'), "{page:?}: {text}");
    }
    let (_, said) = report(&server, &["customers", "--filter", "customer=c-03"]);
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn rows_that_would_read_alike_say_their_ids() {
    let server = filled(&records());
    let once = |text: &str, name: &str| {
        let found = lines(text, name);
        assert_eq!(found.len(), 1, "{name} in {text}");
    };
    let (text, _) = report(&server, &["customers"]);
    let of_locations = text.split("Customer distribution trend").next().unwrap();
    once(of_locations, "Same name (L-1)");
    once(of_locations, "Same name (L-2)");
    let segments = of_locations.split("by segment").nth(1).unwrap().split("\n\n").next().unwrap();
    once(segments, "“(none)”");
    once(segments, "(none)");
    let (text, _) = report(&server, &["adoption"]);
    once(&text, "Same (C-01)");
    once(&text, "Same (C-02)");
    once(&text, "株式会社 ");
    let (text, _) = report(&server, &["dynamics-usage", "--product", "Office 365", "--all-subscriptions"]);
    once(&text, "Same (C-01)");
    once(&text, "Same (C-02)");
    assert!(!text.contains("Suite (Plan)") && !text.contains("(C-04)"), "what is one of its name is its name: {text}");
}

#[test]
fn an_id_is_found_among_however_many_others() {
    let mut records = records();
    records.push(r#"{"kind":"customer","customer_id":"T","name":"Zulu"}"#.to_owned());
    for number in 0..250 {
        records.push(format!(r#"{{"kind":"customer","customer_id":"T-{number}","name":"Customer {number:03}"}}"#));
    }
    let server = filled(&records);
    let (text, said) = report(&server, &["customers", "--filter", "customer=T,t"]);
    assert!(text.lines().nth(1).unwrap().contains("Zulu (T), t"), "{text}");
    assert!(said.starts_with("No customer “t” is known."), "{said}");
}
