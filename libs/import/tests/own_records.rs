//! Our own records as CSV: a table says the same as lines of JSON.
#![allow(clippy::unwrap_used, dead_code, missing_docs, reason = "a test")]

#[path = "support/own.rs"]
mod own;

use std::{
    fmt::Write as _,
    io::{self, Read},
    path::Path,
};

use clap::ValueEnum as _;
use insights_domain::calendar::Day;
use insights_import::{
    Collected, Format, Notes, ReadOptions, RecordKind, read,
    template::{Form, template},
};
use insights_proto::ingestion::v1::{Attribution, Sku, record::Kind};
use own::{Counted, attribution, faults, kinds, options, try_import};
use proptest::prelude::*;

fn csv(text: &str) -> (Collected, Notes) {
    try_import(Format::Csv, text.as_bytes(), &options()).unwrap()
}

fn refused(text: &str, options: &ReadOptions) -> String {
    try_import(Format::Csv, text.as_bytes(), options).unwrap_err().to_string()
}

#[test]
fn a_table_says_what_the_lines_say() {
    let (table, notes) = csv("\u{feff}SKU_ID;Customer Id;subscription-id;Trial;Attributions;start;seller;shade\r\n\
         E5;C-1;\"S\r\n1\";yes;L-1:CSP,;2025-01-01;own;blue\r\n\
         \r\n\
         E5; C-2 ;S-2;;;2025-01-01 00:00:00;;\r\n");
    let lines = concat!(
        r#"{"kind":"subscription","sku_id":"E5","customer_id":"C-1","subscription_id":"S\r\n1","trial":true,"start":"2025-01-01","#,
        r#""seller":"own","attributions":[{"location_id":"L-1","type":"CSP,"}]}"#,
        "\n# a comment\n",
        r#"{"kind":"subscription","sku_id":"E5","customer_id":"C-2","subscription_id":"S-2","start":"2025-01-01"}"#,
    );
    let (json, _) = try_import(Format::Ndjson, lines.as_bytes(), &options()).unwrap();
    assert_eq!(faults(&json.rejections), []);
    assert_eq!(kinds(&table), kinds(&json));
    assert_eq!(table.records.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(notes.unknown_columns, ["shade"]);
}

#[test]
fn lists_have_a_form_in_a_cell() {
    let (found, _) = csv("sku_id,name,product,services\n1,a,b,Exchange + Teams\n2,a,b,\"A+B; C\"\n3,a,b,\n");
    let services: Vec<Vec<String>> = kinds(&found)
        .into_iter()
        .map(|kind| if let Kind::Sku(Sku { services, .. }) = kind { services } else { panic!("{kind:?}") })
        .collect();
    assert_eq!(services, [vec!["Exchange", "Teams"], vec!["A+B", "C"], vec![]]);
    let (found, _) = csv(
        "subscription_id,month,available,attributions\nS,2025-01,1,LOC-1:CSP;LOC-2:DPOR\nS,2025-02,1,:CPOR;a:b:PAL;LOC-3\n",
    );
    let attributions: Vec<Vec<Attribution>> = kinds(&found)
        .into_iter()
        .map(|kind| if let Kind::ReportedSeats(it) = kind { it.attributions } else { panic!("{kind:?}") })
        .collect();
    assert_eq!(attributions[0], [attribution(Some("LOC-1"), Some("CSP")), attribution(Some("LOC-2"), Some("DPOR"))]);
    assert_eq!(
        attributions[1],
        [attribution(None, Some("CPOR")), attribution(Some("a:b"), Some("PAL")), attribution(Some("LOC-3"), None)]
    );
}

#[test]
fn bad_rows_are_rejected_with_row_field_and_reason_and_cost_no_good_one() {
    let (found, _) = csv("# made by hand\n\
         subscription_id,effective,status,seats,trial\n\
         S-1,2025-01-01,Active,25.0,false\n\
         S-1,2025-02-01,Active,many,false\n\
         ,2025-03-01,Active,1,\n\
         S-1,2025-04-01,Active,2.5,\n\
         S-1,2025-05-01,Active,1,perhaps\n\
         S-1,2025-06-01\n\
         \"S-1,2025-07-01,Active,1,\n\
         S-1,2025-08-01,Active,1,,\n");
    assert_eq!(
        faults(&found.rejections),
        [
            (4, "subscription_state.seats", "\"many\" is not a whole number"),
            (5, "subscription_state.subscription_id", "is missing"),
            (6, "subscription_state.seats", "\"2.5\" is not a whole number"),
            (7, "subscription_state.trial", "\"perhaps\" is neither true nor false"),
            (8, "row", "has 2 fields where the header has 5"),
            (9, "row", "a quote is opened and never closed"),
        ]
    );
    assert_eq!(found.records.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [3, 10]);
    let (found, _) = csv("customer_id,user_id,service,day\nC,u,Teams,2025-02-30\nC,u,Teams,2025-02-28T00:00:00Z\n");
    assert_eq!((found.rejections.len(), found.rejections[0].field.as_str()), (1, "activity.day"));
    assert_eq!(found.activity[0].1.day, Day::from_ymd(2025, 2, 28).unwrap());
    let (found, _) = csv("kind,day\ncomplete_through,2025-01-31\nactivity,2025-01-31\n");
    assert_eq!((found.records.len(), found.rejections[0].field.as_str()), (1, "kind"));
}

#[test]
fn a_file_that_cannot_be_what_it_is_said_to_be_is_refused_by_the_column_it_lacks() {
    let said = |kind| ReadOptions { kind: Some(kind), ..options() };
    let subscription = refused("subscription_id,name\n", &said(RecordKind::Subscription));
    assert!(subscription.contains("customer_id, sku_id") && subscription.contains("subscription"), "{subscription}");
    let revenue = refused("customer_id,month,amount,currency\n", &said(RecordKind::Revenue));
    assert!(revenue.contains("subscription_id (or customer_id and sku_id)"), "{revenue}");
    let seats = refused("subscription_id,effective,status\n", &said(RecordKind::SubscriptionState));
    assert!(seats.ends_with("column seats of subscription_state records"), "{seats}");
    assert!(refused("a,b\n", &options()).contains("--kind"));
    assert!(refused("", &options()).contains("empty"));
    let named = |kind| ReadOptions { named: Some(kind), ..options() };
    assert!(refused("name,nation\nx,y\n", &named(RecordKind::Location)).contains("location_id"));
    let lacking = refused("subscription_id,customer_id\n", &named(RecordKind::Subscription));
    assert!(lacking.contains("sku_id"), "a name is not overruled by a kind that fits badly: {lacking}");
    assert!(refused("customer_id,Customer-ID\n", &options()).contains("twice"));
}

#[test]
fn the_kind_is_found_by_the_columns_and_where_they_leave_it_open_by_the_name() {
    for kind in RecordKind::value_variants() {
        let (found, notes) = csv(&template(*kind, Form::Csv));
        assert_eq!(found.records.len() + found.activity.len(), 1, "{kind:?}");
        assert_eq!(notes.unknown_columns, [""; 0], "{kind:?}");
        let of_file = |name: &str| RecordKind::of_file_name(Path::new(name));
        for name in ["x/{}.csv", "{}-2025-01.parquet", "{}_2.tsv"] {
            assert_eq!(of_file(&name.replace("{}", kind.name())), Some(*kind), "{name}");
        }
    }
    let of_file = |name: &str| RecordKind::of_file_name(Path::new(name));
    assert_eq!(of_file("Customers.csv"), Some(RecordKind::Customer));
    assert_eq!(of_file("subscription state.csv"), Some(RecordKind::SubscriptionState));
    assert_eq!(of_file("activities.csv"), Some(RecordKind::Activity));
    assert_eq!(of_file("customerlist.csv"), None);
    assert_eq!(of_file("export.csv"), None);
    let revenue = "customer_id,sku_id,month,amount,currency\nC,E5,2025-01,2,EUR\n";
    let named = |kind| ReadOptions { named: Some(kind), ..options() };
    for options in [options(), named(RecordKind::Customer)] {
        let (found, _) = try_import(Format::Csv, revenue.as_bytes(), &options).unwrap();
        assert!(matches!(kinds(&found)[0], Kind::Revenue(_)), "columns that fit to the last one tell more than a name");
    }
    let both = "subscription_id,month,available,amount,currency\nS,2025-01,1,2,EUR\n";
    assert!(matches!(kinds(&csv(both).0)[0], Kind::Revenue(_)), "fewest unused");
    assert!(refused("subscription_id,month,available,amount,currency,active\n", &options()).contains("fit revenue"));
    let (found, notes) = try_import(Format::Csv, both.as_bytes(), &named(RecordKind::ReportedSeats)).unwrap();
    assert!(matches!(kinds(&found)[0], Kind::ReportedSeats(_)));
    assert_eq!(notes.unknown_columns, ["amount", "currency"]);
}

#[test]
fn every_template_imports_as_the_example_it_shows() {
    for kind in RecordKind::value_variants() {
        let (table, _) = csv(&template(*kind, Form::Csv));
        let (lines, _) = try_import(Format::Ndjson, template(*kind, Form::Ndjson).as_bytes(), &options()).unwrap();
        assert_eq!(faults(&table.rejections), [], "{kind:?}");
        assert_eq!(faults(&lines.rejections), [], "{kind:?}");
        assert_eq!(kinds(&table), kinds(&lines), "{kind:?}");
        let facts = |found: &Collected| found.activity.iter().map(|(_, it)| it.clone()).collect::<Vec<_>>();
        assert_eq!(facts(&table), facts(&lines));
        assert_eq!(table.records.len() + table.activity.len(), 1, "{kind:?}");
        for line in template(*kind, Form::Csv).lines().filter(|line| line.starts_with('#')) {
            assert!(!line.trim_end().ends_with(':'), "every field is explained: {kind:?} {line}");
        }
    }
}

/// Gives an endless table, and counts what was taken of it.
struct Endless {
    row: Vec<u8>,
    at: usize,
    left: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.row.len() - self.at).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        buffer[..count].copy_from_slice(&self.row[self.at..self.at + count]);
        self.at = (self.at + count) % self.row.len();
        self.left -= count as u64;
        Ok(count)
    }
}

#[test]
fn a_long_table_flows_through() {
    let row = b"C-1,adele@fabrikam.example,Teams,2025-01-15\n".to_vec();
    let rows = 100_000;
    let body = Endless { left: rows * row.len() as u64, row, at: 0 };
    let mut input = io::BufReader::new(b"customer_id,user_id,service,day\n".chain(body));
    let mut counted = Counted::default();
    read(Format::Csv, &mut input, &options(), &mut counted).unwrap();
    assert_eq!((counted.records as u64, counted.rejected), (rows, 0));
}

fn quoted(text: &str, always: bool, delimiter: char) -> String {
    let must = text.contains(['"', '\n', '\r', ',', ';', '\t', delimiter]);
    if always || must { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Any order of columns, any spelling of their names, any delimiter, line ending, quoting, byte order mark.
    #[test]
    fn however_a_table_is_written_it_says_the_same(
        rows in prop::collection::vec(
            (
                "[A-Z][a-z0-9]{0,6}",
                proptest::option::of("[ -~é\n]{0,12}"),
                proptest::option::of("(Exchange|Teams|SharePoint)(\\+(Yammer|Planner)){0,2}"),
                any::<Option<bool>>(),
            ),
            1..6,
        ),
        order in Just(vec![0_usize, 1, 2, 3, 4]).prop_shuffle(),
        delimiter in prop::sample::select(vec![',', ';', '\t']),
        ending in prop::sample::select(vec!["\n", "\r\n"]),
        mark in any::<bool>(),
        always in any::<bool>(),
        upper in any::<bool>(),
    ) {
        let names = ["sku_id", "name", "product", "services", "free"];
        let mut table = String::from(if mark { "\u{feff}" } else { "" });
        let mut lines = String::new();
        let spelled = |name: &str| if upper { name.to_uppercase().replace('_', " ") } else { name.to_owned() };
        let header: Vec<String> = order.iter().map(|at| quoted(&spelled(names[*at]), always, delimiter)).collect();
        write!(table, "{}{ending}", header.join(&delimiter.to_string())).unwrap();
        for (id, name, services, free) in &rows {
            let name = name.as_deref().map_or("x", str::trim);
            let name = if name.is_empty() { "x" } else { name };
            let services = services.clone().unwrap_or_default();
            let free = free.map(|free| free.to_string()).unwrap_or_default();
            let cells = [id.as_str(), name, "Office 365", &services, &free];
            let row: Vec<String> = order.iter().map(|at| quoted(cells[*at], always, delimiter)).collect();
            write!(table, "{}{ending}", row.join(&delimiter.to_string())).unwrap();
            let list: Vec<&str> = services.split('+').filter(|service| !service.is_empty()).collect();
            let mut line = serde_json::json!({
                "kind": "sku", "sku_id": id, "name": name, "product": "Office 365", "services": list,
            });
            if !free.is_empty() {
                line["free"] = (free == "true").into();
            }
            writeln!(lines, "{line}").unwrap();
        }
        let (table, _) = csv(&table);
        let (lines, _) = try_import(Format::Ndjson, lines.as_bytes(), &options()).unwrap();
        prop_assert_eq!(faults(&table.rejections), vec![]);
        prop_assert_eq!(kinds(&table), kinds(&lines));
    }
}
