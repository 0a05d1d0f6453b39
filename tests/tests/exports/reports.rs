//! Rows of reports add up to the answers of queries, for every role, and leave out what the role may not see.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use insights_domain::amount::Amount;
use insights_tests::differential::question::Caller;

use crate::partner::{Figures, Partner, caller, differences};

/// A file as rows of names and cells.
struct Sheet(Vec<BTreeMap<String, String>>);

impl Sheet {
    fn read(path: &str) -> Self {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let row = |row: csv::StringRecord| names.iter().cloned().zip(row.iter().map(str::to_owned)).collect();
        Self(reader.records().map(|record| row(record.unwrap())).collect())
    }

    /// Rows that count, which is what a spreadsheet filters by.
    fn counted(&self) -> impl Iterator<Item = &BTreeMap<String, String>> {
        self.0.iter().filter(|row| row["IsDuplicateRowForPGA"] == "0")
    }

    /// Sums of a column of counts by month and the columns of a group, under the name of a measure.
    fn sum(&self, column: &str, measure: &str, by: &[&str], figures: &mut Figures) {
        let mut sums: BTreeMap<Vec<String>, i64> = BTreeMap::new();
        for row in self.counted() {
            *sums.entry(key(row, by, measure)).or_default() += row[column].parse::<i64>().unwrap_or(0);
        }
        figures.extend(sums.into_iter().filter(|(_, sum)| *sum != 0).map(|(key, sum)| (key, sum.to_string())));
    }

    /// The keys of sums in which a cell of the column is empty: nobody knows them.
    fn unknown(&self, column: &str, measure: &str, by: &[&str]) -> BTreeSet<Vec<String>> {
        self.counted().filter(|row| row[column].is_empty()).map(|row| key(row, by, measure)).collect()
    }

    /// The same of the two columns of revenue, by currency.
    fn revenue(&self, by: &[&str], figures: &mut Figures) {
        let mut sums: BTreeMap<Vec<String>, i64> = BTreeMap::new();
        for row in self.counted() {
            let dollars = Some(&row["BilledRevenueUSD"]).filter(|text| !text.is_empty());
            let dollars = dollars.map(|amount| format!("USD {amount}"));
            let others = row["OtherBilledRevenue"].split("; ").filter(|text| !text.is_empty()).map(str::to_owned);
            for text in dollars.into_iter().chain(others) {
                let (currency, amount) = text.split_once(' ').unwrap();
                let key = key(row, by, &format!("billed_revenue {currency}"));
                *sums.entry(key).or_default() += Amount::from_str(amount).unwrap().micros();
            }
        }
        let told = sums.into_iter().filter(|(_, sum)| *sum != 0);
        figures.extend(told.map(|(key, sum)| (key, Amount::from_micros(sum).to_string())));
    }

    /// How many different values a column has where another says "Active".
    fn active(&self, status: &str, column: &str, measure: &str, by: &[&str], figures: &mut Figures) {
        let mut found: BTreeMap<Vec<String>, BTreeSet<&str>> = BTreeMap::new();
        for row in self.0.iter().filter(|row| row[status] == "Active") {
            found.entry(key(row, by, measure)).or_default().insert(&row[column]);
        }
        figures.extend(found.into_iter().map(|(key, values)| (key, values.len().to_string())));
    }
}

fn key(row: &BTreeMap<String, String>, by: &[&str], measure: &str) -> Vec<String> {
    let month = row["Month"].strip_suffix("-01").expect("the first day of a month").to_owned();
    let by = by.iter().map(|column| row[*column].clone());
    std::iter::once(month).chain(by).chain([measure.to_owned()]).collect()
}

/// Dimensions that can be seen in a file, with their columns.
const DIMENSIONS: [(&str, &[&str]); 8] = [
    ("", &[]),
    ("product", &["Product"]),
    ("sku", &["SKUId"]),
    ("country", &["CustomerMarket"]),
    ("segment", &["CustomerSegment"]),
    ("industry", &["IndustryName"]),
    ("customer", &["CustomerTenantId"]),
    ("product,country", &["Product", "CustomerMarket"]),
];

/// A report, its options and its caller.
struct Case {
    caller: Caller,
    flags: Vec<&'static str>,
}

fn cases() -> Vec<Case> {
    let case = |role, locations: &[&'static str], flags: &[&'static str]| Case {
        caller: caller(role, locations),
        flags: flags.to_vec(),
    };
    vec![
        case("global_admin", &[], &[]),
        case("executive_report_viewer", &[], &["--scope", "all", "--include-grace", "--include-free"]),
        case("executive_report_viewer", &["L1"], &[]),
        case("report_viewer", &["L0", "L2"], &["--scope", "all", "--filter", "attribution_type=CSP"]),
        case("admin_agent", &[], &["--scope", "own", "--filter", "country=BR,(none)"]),
        case("global_admin", &[], &["--filter", "location=L0", "--filter", "standing=ACTIVE,GRACE", "--include-grace"]),
        case("report_viewer", &[], &["--filter", "product=Dynamics 365 Sales", "--filter", "trial=false"]),
    ]
}

fn with_scope<'a>(flags: &[&'a str], default: &'a str) -> Vec<&'a str> {
    let scope = if flags.contains(&"--scope") { vec![] } else { vec!["--scope", default] };
    [flags, &scope[..]].concat()
}

fn subscriptions_add_up(partner: &Partner, case: &Case) -> usize {
    let (path, export) = partner.export(&case.caller, "subscriptions", "csv", &case.flags).unwrap();
    let sheet = Sheet::read(&path);
    assert_eq!(export["rows"], sheet.0.len());
    let sees = case.caller.sees_revenue();
    assert_eq!(export["redacted"], !sees);
    let asked = with_scope(&case.flags, "sold-or-managed");
    for (by, columns) in DIMENSIONS {
        let mut found = Figures::new();
        sheet.sum("AvailableSeatsEOP", "available", columns, &mut found);
        sheet.sum("TotalAssignedSeats", "assigned", columns, &mut found);
        sheet.active("SubscriptionState", "SubscriptionId", "subscriptions", columns, &mut found);
        sheet.active("SubscriptionState", "CustomerTenantId", "customers", columns, &mut found);
        let mut measures = "available,assigned,subscriptions,customers".to_owned();
        // The seats a subscription gained are booked on the SKU it has now.
        if !by.contains("product") && by != "sku" {
            sheet.sum("AvailableSeats", "new_seats", columns, &mut found);
            measures += ",new_seats";
        }
        let mut answer = partner.figures(&case.caller, &measures, by, &asked);
        if sees {
            sheet.revenue(columns, &mut found);
            answer.extend(partner.figures(&case.caller, "billed_revenue", by, &asked));
        } else {
            assert!(sheet.0.iter().all(|row| row.keys().all(|name| !name.contains("Revenue"))));
        }
        assert_eq!(differences(&found, &answer), [""; 0], "by {by:?} {:?}", case.flags);
    }
    sheet.0.len()
}

fn usage_adds_up(partner: &Partner, case: &Case, report: &str, product: Option<&str>) -> usize {
    let (path, export) = partner.export(&case.caller, report, "csv", &case.flags).unwrap();
    let sheet = Sheet::read(&path);
    assert_eq!((&export["redacted"], export["rows"].as_u64()), (&false.into(), Some(sheet.0.len() as u64)));
    let asked = with_scope(&case.flags, "sold-or-managed");
    for (by, columns) in DIMENSIONS.into_iter().filter(|(by, _)| product.is_none() || by.contains("product")) {
        let mut found = Figures::new();
        let of = [
            ("AvailableSeats", "available"),
            ("AssignedSeats", "assigned"),
            ("ActiveSeats", "active"),
            ("DeploymentOpportunity", "deployment_opportunity"),
        ];
        for (column, measure) in of {
            sheet.sum(column, measure, columns, &mut found);
        }
        let measures = of.map(|(_, measure)| measure).join(",");
        let mut answer = partner.figures(&case.caller, &measures, by, &asked);
        answer.retain(|key, _| product.is_none_or(|product| key[1].starts_with(product)));
        // What a report does not tell of one subscription is not known of all.
        for key in sheet.unknown("ActiveSeats", "active", columns) {
            found.remove(&key);
            answer.remove(&key);
        }
        assert_eq!(differences(&found, &answer), [""; 0], "{report} by {by:?} {:?}", case.flags);
    }
    sheet.0.len()
}

fn customers_add_up(partner: &Partner, case: &Case) -> usize {
    let (path, _) = partner.export(&case.caller, "customers", "tsv", &case.flags).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let comma = format!("{path}.csv");
    std::fs::write(&comma, text.replace(',', " ").replace('\t', ",")).unwrap();
    let sheet = Sheet::read(&comma);
    let asked = with_scope(&case.flags, "sold-or-managed");
    let sees = case.caller.sees_revenue();
    assert_eq!(sheet.0.first().is_some_and(|row| row.contains_key("TenantDomainName")), sees && !sheet.0.is_empty());
    for (by, columns) in DIMENSIONS {
        let mut found = Figures::new();
        sheet.active("CustomerStatus", "CustomerTenantId", "customers", columns, &mut found);
        sheet.sum("AvailableSeats", "available", columns, &mut found);
        let mut answer = partner.figures(&case.caller, "customers,available", by, &asked);
        if sees && !sheet.0.is_empty() {
            sheet.revenue(columns, &mut found);
            answer.extend(partner.figures(&case.caller, "billed_revenue", by, &asked));
        }
        assert_eq!(differences(&found, &answer), [""; 0], "customers by {by:?} {:?}", case.flags);
    }
    sheet.0.len()
}

fn office_usage_adds_up(partner: &Partner, role: &'static str, locations: &[&'static str], flags: &[&str]) -> usize {
    let caller = caller(role, locations);
    let (path, _) = partner.export(&caller, "office-usage", "csv", flags).unwrap();
    let sheet = Sheet::read(&path);
    let asked = with_scope(flags, "all");
    let (by, columns) = ("customer,service", ["CustomerTenantId", "WorkloadName"]);
    let mut found = Figures::new();
    sheet.sum("MonthlyActiveUsers", "active_users", &columns, &mut found);
    sheet.sum("PaidAvailableUnits", "total_users", &columns, &mut found);
    let mut answer = partner.figures(&caller, "active_users,total_users", by, &asked);
    // A report by workload has no row for what is of none.
    answer.retain(|key, _| !key[2].is_empty());
    assert_eq!(differences(&found, &answer), [""; 0], "office usage {flags:?}");
    sheet.0.len()
}

fn all_add_up(partner: &Partner) -> usize {
    let mut rows = 0;
    for case in cases() {
        rows += subscriptions_add_up(partner, &case);
        rows += customers_add_up(partner, &case);
        rows += usage_adds_up(partner, &case, "licence-usage", None);
        rows += usage_adds_up(partner, &case, "dynamics-usage", Some("Dynamics 365"));
    }
    rows += office_usage_adds_up(partner, "sales_agent", &[], &[]);
    rows += office_usage_adds_up(partner, "global_admin", &["L1"], &["--scope", "sold-or-managed"]);
    rows + office_usage_adds_up(partner, "user_management_admin", &[], &["--filter", "country=BR", "--include-free"])
}

#[test]
fn rows_add_up_to_what_queries_answer() {
    for seed in [3, 8, 11] {
        let rows = all_add_up(&Partner::random(false, seed, |_| {}));
        assert!(rows > 100, "{rows} rows of seed {seed}");
    }
}

#[test]
fn rows_add_up_to_what_queries_answer_on_postgres() {
    let rows = all_add_up(&Partner::generated(true, 7));
    assert!(rows > 3_000, "{rows} rows");
}

#[test]
fn who_may_not_see_a_report_gets_none_and_what_is_wrong_is_named() {
    let partner = Partner::random(false, 5, |_| {});
    let refused = |role, report| partner.export(&caller(role, &[]), report, "csv", &[]).unwrap_err();
    for (role, report) in [
        ("account_admin", "customers"),
        ("account_admin", "subscriptions"),
        ("sales_agent", "customers"),
        ("report_viewer", "office-usage"),
        ("executive_report_viewer", "office-usage"),
        ("data_source", "dynamics-usage"),
    ] {
        assert!(refused(role, report).contains("PERMISSION_DENIED"), "{role} {report}");
    }
    let viewer = caller("report_viewer", &[]);
    let alone = partner.export(&viewer, "customers", "csv", &["--columns", "BilledRevenueUSD"]).unwrap_err();
    assert!(alone.contains("PERMISSION_DENIED"), "{alone}");
    let twice = partner.export(&viewer, "customers", "csv", &["--columns", "Month,Colour,month"]).unwrap_err();
    assert!(
        twice.contains("columns[1]") && twice.contains("TenantDomainName") && twice.contains("columns[2]"),
        "{twice}"
    );
    let top = partner.export(&viewer, "subscriptions", "csv", &["--measures", "customers"]);
    assert!(top.unwrap_err().contains("--measures"), "the report has its own");
    let by_service = partner.export(&viewer, "subscriptions", "csv", &["--filter", "service=Teams"]).unwrap_err();
    assert!(by_service.contains("not defined by service"), "{by_service}");

    // Chosen columns in the order of the choice, which show nothing hidden: nothing is left out.
    let chosen = ["--columns", "month,CUSTOMERTENANTID,SKU"];
    let (path, export) = partner.export(&viewer, "customers", "csv", &chosen).unwrap();
    assert_eq!(export["redacted"], false);
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().next(), Some("Month,CustomerTenantId,SKU"));
    let (from, to) = &partner.months;
    let preview = ["export", "preview", "--report", "customers", "--from", from, "--to", to];
    let preview = partner.json(&viewer, &[&preview[..], &chosen].concat());
    let rows: Vec<String> = preview["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let cells: Vec<&str> = row.as_array().unwrap().iter().filter_map(|cell| cell.as_str()).collect();
            cells.join(",")
        })
        .collect();
    let file: Vec<&str> = text.lines().skip(1).take(15).collect();
    assert_eq!(rows, file);
    assert_eq!(preview["more"], text.lines().count() > 16);
}
