//! The same facts through every format that can carry them, in any order: the figures are those of the facts.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod support;

use std::{
    fmt::Write as _,
    fs,
    io::{Cursor, Write as _},
};

use serde_json::{Value, json};
use support::Server;

const MONTHS: [&str; 3] = ["2024-04", "2024-05", "2024-06"];
const SERVICES: [&str; 2] = ["Exchange", "Teams"];

/// Numbers that look random and are the same for a seed.
struct FactDice(u64);

impl FactDice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = usize::try_from(self.below(at as u64 + 1)).unwrap();
            items.swap(at, other);
        }
    }
}

/// Seats of a subscription, or of a customer and SKU, in a month.
#[derive(Clone)]
struct SeatFact {
    subscription: String,
    customer: String,
    sku: usize,
    month: &'static str,
    status: &'static str,
    seats: u64,
    assigned: u64,
    cents: u64,
}

/// A file: what it is to be called and what is in it.
type NamedFile = (String, Vec<u8>);

fn sku(number: usize) -> String {
    format!("aaaaaaaa-0000-4000-8000-{number:012x}")
}

fn customer(number: u64) -> String {
    format!("c0ffee00-{number:04}-4e00-9e00-0000000000aa")
}

fn rows(dice: &mut FactDice) -> Vec<SeatFact> {
    let mut rows = Vec::new();
    for number in 0..10 {
        let customer = customer(number / 3);
        for month in MONTHS {
            rows.push(SeatFact {
                subscription: format!("5b0c1d2e-{number:04}-4f00-8a00-00000000abcd"),
                customer: customer.clone(),
                sku: usize::try_from(number % 3).unwrap(),
                month,
                status: ["Active", "Active", "Active", "Suspended"][usize::try_from(dice.below(4)).unwrap()],
                seats: dice.below(300),
                assigned: dice.below(50),
                cents: dice.below(100_000),
            });
        }
    }
    rows
}

const HEADER: [&str; 10] = [
    "SubscriptionId",
    "Month",
    "CustomerTenantId",
    "SKUId",
    "SKU",
    "SubscriptionState",
    "AvailableSeatsEOP",
    "TotalAssignedSeats",
    "Seller",
    "BilledRevenueUSD",
];

fn cells(row: &SeatFact) -> [String; 10] {
    [
        row.subscription.clone(),
        format!("{}-01", row.month),
        row.customer.clone(),
        sku(row.sku),
        format!("Office 365 Plan {}", row.sku),
        row.status.into(),
        row.seats.to_string(),
        row.assigned.to_string(),
        "own".into(),
        format!("{}.{:02}", row.cents / 100, row.cents % 100),
    ]
}

fn table(rows: &[SeatFact], by: &str, end: &str) -> String {
    let lines = rows.iter().map(|row| cells(row).join(by) + end);
    HEADER.join(by) + end + &lines.collect::<String>()
}

fn list(rows: &[SeatFact]) -> String {
    let object = |row: &SeatFact| -> Value {
        std::iter::zip(HEADER, cells(row)).map(|(name, cell)| (name.to_owned(), Value::String(cell))).collect()
    };
    rows.iter().map(object).collect::<Value>().to_string()
}

fn workbook(rows: &[SeatFact]) -> Vec<u8> {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let date = rust_xlsxwriter::Format::new().set_num_format("m/d/yyyy");
    let sheet = workbook.add_worksheet();
    sheet.write_row(0, 0, HEADER).unwrap();
    for (at, row) in (1..).zip(rows) {
        for (column, cell) in (0..).zip(cells(row)) {
            match column {
                1 => {
                    let day = rust_xlsxwriter::ExcelDateTime::parse_from_str(&cell).unwrap();
                    sheet.write_datetime_with_format(at, column, &day, &date).unwrap();
                }
                6 | 7 | 9 => drop(sheet.write_number(at, column, cell.parse::<f64>().unwrap()).unwrap()),
                _ => drop(sheet.write_string(at, column, cell).unwrap()),
            }
        }
    }
    workbook.save_to_buffer().unwrap()
}

/// Records of our own: those that do not depend on a row first, or last.
fn records(rows: &[SeatFact]) -> Vec<Value> {
    let mut records = Vec::new();
    for row in rows {
        records.push(json!({"kind": "customer", "customer_id": row.customer}));
        records.push(json!({"kind": "sku", "sku_id": sku(row.sku), "name": format!("Office 365 Plan {}", row.sku), "product": "Office 365", "services": []}));
        records.push(json!({"kind": "subscription", "subscription_id": row.subscription, "customer_id": row.customer, "sku_id": sku(row.sku), "seller": "own"}));
        records.push(json!({"kind": "reported_seats", "subscription_id": row.subscription, "month": row.month, "available": row.seats, "assigned": row.assigned, "status": row.status}));
        let amount = format!("{}.{:02}", row.cents / 100, row.cents % 100);
        records.push(json!({"kind": "revenue", "subscription_id": row.subscription, "month": row.month, "amount": amount, "currency": "USD"}));
    }
    records.push(json!({"kind": "complete_through", "day": "2024-06-30"}));
    records
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn zipped(files: &[NamedFile]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn utf_16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The rows in two files of each way, and in one.
fn every_way(rows: &[SeatFact]) -> Vec<Vec<NamedFile>> {
    let halves = [&rows[..rows.len() / 2], &rows[rows.len() / 2..]];
    let each = |name: &str, make: &dyn Fn(&[SeatFact]) -> Vec<u8>| -> Vec<NamedFile> {
        (1..).zip(halves).map(|(number, half)| (format!("{number}-{name}"), make(half))).collect()
    };
    let csv = |half: &[SeatFact]| table(half, ",", "\n").into_bytes();
    let lines = |half: &[SeatFact]| {
        records(half).iter().fold(String::new(), |mut text, record| {
            writeln!(text, "{record}").unwrap();
            text
        })
    };
    vec![
        each("report.csv", &csv),
        each("report.txt", &|half| utf_16(&table(half, "\t", "\r\n"))),
        each("mac.csv", &|half| table(half, ";", "\r").into_bytes()),
        each("report.csv.gz", &|half| gzipped(&csv(half))),
        each("report.xlsx", &workbook),
        each("report.json", &|half| list(half).into_bytes()),
        vec![("reports.zip".into(), zipped(&each("report.csv", &csv)))],
        each("own.ndjson", &|half| lines(half).into_bytes()),
        each("own.json", &|half| Value::Array(records(half)).to_string().into_bytes()),
    ]
}

/// A partner's figures after files were imported from one folder, or one by one in any order.
fn figures(server: &Server, measures: &str, by: &[&str]) -> Vec<Value> {
    let base = ["query", "--from", "2024-04", "--to", "2024-06", "--scope", "all", "--measures", measures];
    by.iter().map(|by| server.json("global_admin", &[&base[..], &["--by", by]].concat())).collect()
}

fn import(server: &Server, dice: &mut FactDice, mut files: Vec<NamedFile>) {
    let folder = tempfile::tempdir().unwrap();
    dice.shuffle(&mut files);
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let path = path.display().to_string();
        let summary = server.json("data_source", &["import", &path, "--no-wait"]);
        assert_eq!(summary["rejected"], 0, "{summary}");
    }
    // Nothing new: waits until all is to be seen.
    server.json(
        "data_source",
        &["import", "ndjson", &server.file("end.ndjson", "{\"kind\":\"complete_through\",\"day\":\"2024-06-30\"}\n")],
    );
}

#[test]
fn seats_and_revenue_are_those_of_the_facts_however_they_come() {
    let mut dice = FactDice(20_240_630);
    let rows = rows(&mut dice);
    let expected =
        |month: &str, of: &dyn Fn(&SeatFact) -> u64| rows.iter().filter(|row| row.month == month).map(of).sum::<u64>();
    let active = |row: &SeatFact| u64::from(row.status == "Active");
    let mut first: Option<Vec<Value>> = None;
    for files in every_way(&rows) {
        let name = files[0].0.clone();
        let server = Server::start();
        import(&server, &mut dice, files);
        let found = figures(
            &server,
            "available,assigned,subscriptions,customers,churned,billed_revenue",
            &["month", "month,customer", "month,sku"],
        );
        for (at, month) in MONTHS.iter().enumerate() {
            let row = &found[0][at];
            let got = ["available", "assigned", "subscriptions"].map(|measure| row[measure].as_u64().unwrap());
            let sums = [
                expected(month, &|row| active(row) * row.seats),
                expected(month, &|row| active(row) * row.assigned),
                expected(month, &active),
            ];
            assert_eq!(got, sums, "{name}: {month}");
            let cents = (row["billed_revenue"].as_f64().unwrap() * 100.0).round();
            assert_eq!(cents, expected(month, &|row| row.cents) as f64, "{name}: {month}");
        }
        assert_eq!(first.get_or_insert_with(|| found.clone()), &found, "{name}");
    }
}

#[test]
fn licences_are_those_of_the_facts_however_they_come() {
    let mut dice = FactDice(7);
    let facts: Vec<(usize, &str, u64, u64)> = (0..3)
        .flat_map(|number| MONTHS.map(|month| (number, month)))
        .map(|(number, month)| (number, month, 10 + dice.below(90), dice.below(10)))
        .collect();
    let file = |month: &str, page: Value| (format!("{} {month} skus.json", customer(1)), page);
    let of = |make: &dyn Fn(usize, u64, u64) -> Value| -> Vec<Value> {
        MONTHS
            .map(|month| facts.iter().filter(|fact| fact.1 == month).map(|fact| make(fact.0, fact.2, fact.3)).collect())
            .to_vec()
    };
    let partner_center = of(&|number, seats, used| {
        let product = json!({"id": sku(number), "name": format!("Office 365 Plan {number}"), "skuPartNumber": "P"});
        json!({"activeUnits": seats, "consumedUnits": used, "productSku": product, "capabilityStatus": "Enabled", "servicePlans": []})
    });
    let powershell = of(&|number, seats, used| {
        let product = json!({"Id": sku(number), "Name": format!("Office 365 Plan {number}"), "SkuPartNumber": "P"});
        json!({"ActiveUnits": seats, "ConsumedUnits": used, "ProductSku": product, "CapabilityStatus": "Enabled", "ServicePlans": []})
    });
    let graph = of(&|number, seats, used| {
        let units = json!({"enabled": seats, "suspended": 0, "warning": 0, "lockedOut": 0});
        json!({"skuId": sku(number), "skuPartNumber": "P", "consumedUnits": used, "prepaidUnits": units, "capabilityStatus": "Enabled", "servicePlans": []})
    });
    let mut first: Option<Vec<Value>> = None;
    for (name, lists, wrap) in [
        ("Partner Center", &partner_center, "items"),
        ("PowerShell", &powershell, ""),
        ("a wrapper of PowerShell", &powershell, "value"),
        ("Graph", &graph, "value"),
    ] {
        let page = |list: &Value| if wrap.is_empty() { list.clone() } else { json!({wrap: list}) };
        let files = std::iter::zip(MONTHS, lists).map(|(month, list)| file(month, page(list)));
        let files = files.map(|(name, page)| (name, utf_16(&page.to_string()))).collect();
        let server = Server::start();
        import(&server, &mut dice, files);
        let found = figures(&server, "available,assigned,customers", &["month", "month,sku"]);
        for (at, month) in MONTHS.iter().enumerate() {
            let sum = |of: &dyn Fn(&(usize, &str, u64, u64)) -> u64| {
                facts.iter().filter(|fact| fact.1 == *month).map(of).sum::<u64>()
            };
            assert_eq!(
                (&found[0][at]["available"], &found[0][at]["assigned"]),
                (&json!(sum(&|it| it.2)), &json!(sum(&|it| it.3))),
                "{name}"
            );
        }
        assert_eq!(first.get_or_insert_with(|| found.clone()), &found, "{name}");
    }
}

/// A user: the name, whether licensed and when last active by service.
type DetailFact = (String, [bool; 2], [Option<String>; 2]);

const REFRESHED: &str = "2024-06-29";

fn users(dice: &mut FactDice) -> Vec<DetailFact> {
    let user = |number: u32| {
        let licensed = [dice.below(3) > 0, dice.below(2) > 0];
        // The window of 30 June, through which the data is complete at the end, begins on 3 June.
        let mut day = || Some(3 + dice.below(40)).filter(|day| *day < 30).map(|day| format!("2024-06-{day:02}"));
        let used = [day(), day()];
        (format!("u{number}@kay.example"), licensed, used)
    };
    (0..12).map(user).collect()
}

fn user_table(users: &[DetailFact]) -> String {
    let header = "Report Refresh Date,User Principal Name,Has Exchange License,Has Teams License,\
        Exchange Last Activity Date,Teams Last Activity Date\n";
    users.iter().fold(header.to_owned(), |mut text, (name, [exchange, teams], [used, talked])| {
        let word = |flag: &bool| if *flag { "True" } else { "False" };
        let day = |day: &Option<String>| day.clone().unwrap_or_default();
        writeln!(text, "{REFRESHED},{name},{},{},{},{}", word(exchange), word(teams), day(used), day(talked)).unwrap();
        text
    })
}

fn user_list(users: &[DetailFact]) -> Vec<Value> {
    let user = |(name, [exchange, teams], [used, talked]): &DetailFact| {
        json!({"reportRefreshDate": REFRESHED, "userPrincipalName": name, "hasExchangeLicense": exchange,
            "hasTeamsLicense": teams, "exchangeLastActivityDate": used, "teamsLastActivityDate": talked})
    };
    users.iter().map(user).collect()
}

fn user_records(users: &[DetailFact]) -> String {
    let mut own = String::new();
    for (name, licensed, used) in users {
        for (service, (licensed, used)) in std::iter::zip(SERVICES, std::iter::zip(licensed, used)) {
            let mut add = |mut record: Value| {
                record["customer_id"] = customer(1).into();
                record["user_id"] = name.clone().into();
                record["service"] = service.into();
                writeln!(own, "{record}").unwrap();
            };
            if *licensed {
                add(json!({"kind": "licensed", "from": REFRESHED}));
            }
            if let Some(day) = used {
                add(json!({"kind": "activity", "day": day, "lower_bound": true}));
            }
        }
    }
    let last = json!({"kind": "complete_through", "day": REFRESHED});
    writeln!(own, "{}\n{last}", json!({"kind": "customer", "customer_id": customer(1)})).unwrap();
    own
}

#[test]
fn users_are_those_of_the_facts_however_they_come() {
    let mut dice = FactDice(28);
    let users = users(&mut dice);
    let (table, list) = (user_table(&users), user_list(&users));
    let (start, end) = list.split_at(5);
    let pages = format!("{}\n{}", json!({"value": start, "@odata.nextLink": "x"}), json!({"value": end}));
    let named = |name: &str| format!("{} {name}", customer(1));
    for (name, bytes) in [
        (named("users.csv"), table.clone().into_bytes()),
        (named("users.txt"), utf_16(&table.replace(',', "\t"))),
        (named("users.json"), json!({"value": list}).to_string().into_bytes()),
        (named("pages.json"), pages.into_bytes()),
        ("own.ndjson".into(), user_records(&users).into_bytes()),
    ] {
        let server = Server::start();
        import(&server, &mut dice, vec![(name.clone(), bytes)]);
        for (at, service) in SERVICES.iter().enumerate() {
            let of = format!("service={service}");
            let range = ["--from", "2024-06", "--to", "2024-06", "--scope", "all", "--filter", &of];
            let query = ["query", "--measures", "active_users,total_users"];
            let row = server.json("global_admin", &[&query[..], &range].concat())[0].clone();
            let licensed = users.iter().filter(|user| user.1[at]).count();
            let active = users.iter().filter(|user| user.2[at].is_some()).count();
            let got = (&row["active_users"], &row["total_users"]);
            assert_eq!(got, (&json!(active), &json!(licensed)), "{name}: {service}");
        }
    }
}
