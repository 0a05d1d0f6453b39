//! For random data, filters and callers: a card is the end of its series, the sum of parts that do not overlap, the rows of
//! the query and those of its export, and all of them are what the second implementation says.

use std::collections::BTreeMap;

use insights_tests::differential::product::Product;
use insights_tests::differential::question::{Caller, Question, Values, dimensions};
use insights_tests::differential::random::Random;
use insights_tests::differential::random_partner::{self, RECEIPTS, RandomPartner};
use insights_tests::differential::run::naive_facts;
use naive::calendar::Month;
use serde_json::Value;

/// Pages, the roles that may see them, and their default scope.
const PAGES: [(&str, [&str; 3], &str); 3] = [
    ("customers", ["global_admin", "report_viewer", "admin_agent"], "sold-or-managed"),
    ("dynamics-usage", ["global_admin", "account_admin", "executive_report_viewer"], "sold-or-managed"),
    ("adoption", ["global_admin", "sales_agent", "user_management_admin"], "all"),
];

/// The group of rows that are not split.
const WHOLE: &str = "";

/// What a card shows: measure, basis.
fn measure_of(figure: &str) -> (&str, &str) {
    match figure {
        "customers_added" => ("new", "users"),
        "customers_churned" | "last_month_churn" => ("churned", "users"),
        "available_seats" => ("available", "users"),
        "assigned_seats" => ("assigned", "users"),
        "active_seats" => ("active", "users"),
        "usage_percent_users" => ("usage_percent", "users"),
        "usage_percent_entitlements" => ("usage_percent", "entitlements"),
        figure => (figure, "users"),
    }
}

/// A page asked for, and what it obeys.
struct Asked<'a> {
    product: &'a Product,
    partner: &'a RandomPartner,
    expected: &'a naive::Facts,
    page: &'static str,
    caller: Caller,
    /// Of `report`.
    flags: Vec<String>,
    /// Of `query`: the same, with what the page adds.
    narrowed: Vec<String>,
    compared: usize,
}

fn flags(of: &[(&str, &str)]) -> Vec<String> {
    of.iter().flat_map(|(flag, value)| [(*flag).to_owned(), (*value).to_owned()]).collect()
}

impl<'a> Asked<'a> {
    fn random(
        product: &'a Product,
        partner: &'a RandomPartner,
        expected: &'a naive::Facts,
        random: &mut Random,
    ) -> Option<Self> {
        let through = Month::of(expected.complete_through).to_string();
        let (from, to) = (partner.months.0.clone(), partner.months.1.clone().min(through));
        if from > to {
            return None;
        }
        let (page, roles, scope) = random.one(&PAGES);
        let locations = if random.chance(25) { vec!["L1", "L2"] } else { vec![] };
        let caller = Caller { role: random.one(&roles), locations };
        let mut flags = flags(&[("--from", &from), ("--to", &to)]);
        for _ in 0..random.below(3) {
            let dimension = random.one(&dimensions());
            // Seats are not defined by service, and a dimension is named once.
            let named = flags.iter().any(|flag| flag.starts_with(&format!("{dimension}=")));
            if !named && (dimension != "service" || page == "customers") {
                let value = Values(expected).pick(random, dimension);
                flags.extend(["--filter".into(), format!("{dimension}={value}")]);
            }
        }
        for switch in ["--include-grace", "--include-free"] {
            if random.chance(30) {
                flags.push(switch.into());
            }
        }
        let mut narrowed = flags.clone();
        let named = random.chance(30).then(|| random.one(&["own", "all", "sold-or-managed"]));
        narrowed.extend(["--scope".into(), named.unwrap_or(scope).into()]);
        flags.extend(named.into_iter().flat_map(|scope| ["--scope".to_owned(), scope.to_owned()]));
        if page == "dynamics-usage" {
            if flags.iter().any(|flag| flag.starts_with("product=")) {
                return None;
            }
            let products: Vec<String> = expected.skus.values().map(|sku| sku.product.clone()).collect();
            let product_name = products.first()?.clone();
            flags.extend(["--product".into(), product_name.clone()]);
            narrowed.extend(["--filter".into(), format!("product={product_name}")]);
        }
        Some(Self { product, partner, expected, page, caller, flags, narrowed, compared: 0 })
    }

    fn what(&self) -> String {
        format!("seed {}: {:?}: report {} {}", self.partner.seed, self.caller, self.page, self.flags.join(" "))
    }

    fn report(&self) -> Value {
        let args: Vec<&str> = ["report", self.page].into_iter().chain(self.flags.iter().map(String::as_str)).collect();
        let printed = self.product.client(&self.partner.name, &self.caller, &args);
        assert!(printed.status.success(), "{}: {}", self.what(), String::from_utf8_lossy(&printed.stderr));
        serde_json::from_slice(&printed.stdout).expect("JSON")
    }

    fn question(&self, measure: &str, basis: &str, by: &[&str]) -> Question {
        let mut args = self.narrowed.clone();
        args.extend(flags(&[("--measures", measure), ("--basis", basis)]));
        if !by.is_empty() {
            args.extend(flags(&[("--by", &by.join(","))]));
        }
        Question { command: "query", args, caller: self.caller.clone() }
    }

    /// What the second implementation says, by month and group.
    fn expected(&self, measure: &str, basis: &str, by: &[&str]) -> BTreeMap<(String, String), Value> {
        let rows = naive::answer(self.expected, &self.question(measure, basis, by).query()).expect("an answer");
        rows.iter().map(|row| (key(row, by), figure(row, measure))).collect()
    }

    /// Who was there in the earliest month with data is not among the added.
    fn came_nobody_knows_when(&self, measure: &str, month: &str) -> bool {
        let earliest = self.expected.first_month().map(|first| first.max(self.expected.oldest_month()));
        measure == "new" && earliest.is_some_and(|earliest| earliest.to_string() == month)
    }

    /// Compares what stands on the page with what is expected.
    fn same(&mut self, shown: &Value, expected: &Value, where_: &str) {
        self.compared += 1;
        let (shown, expected) = (said(shown), said(expected));
        assert_eq!(shown, expected, "{where_} of {}", self.what());
    }

    fn check(&mut self, random: &mut Random) {
        let page = self.report();
        for card in page["cards"].as_array().expect("cards").clone() {
            self.check_card(&card);
        }
        let breakdowns = page["breakdowns"].as_array().expect("breakdowns").clone();
        for breakdown in &breakdowns {
            self.check_breakdown(breakdown);
        }
        if random.chance(25) && !breakdowns.is_empty() {
            self.check_rows(&random.one(&breakdowns));
        }
    }

    fn check_card(&mut self, card: &Value) {
        let name = card["figure"].as_str().expect("a name").to_owned();
        if name == "net_added" || !card["undefined_reason"].is_null() {
            return;
        }
        let (measure, basis) = measure_of(&name);
        let whole = self.expected(measure, basis, &[]);
        let trend = card["trend"].as_array().expect("a trend").clone();
        for point in &trend {
            let month = point["month"].as_str().expect("a month");
            if let Some(expected) = whole.get(&(month.to_owned(), WHOLE.to_owned())) {
                let expected = if self.came_nobody_knows_when(measure, month) { &Value::Null } else { expected };
                self.same(&point["value"], expected, &format!("{name} in {month}"));
            }
        }
        let end = trend.last().map(|point| point["value"].clone()).unwrap_or_default();
        let flow = matches!(name.as_str(), "customers_added" | "customers_churned");
        let sum: i64 = trend.iter().filter_map(|point| point["value"].as_i64()).sum();
        let expected = if flow { Value::from(sum) } else { end };
        self.same(&card["value"], &expected, &format!("the card {name}"));
    }

    fn check_breakdown(&mut self, breakdown: &Value) {
        let dimension = breakdown["dimension"].as_str().expect("a dimension").to_owned();
        let groups = breakdown["groups"].as_array().expect("groups").clone();
        let Some(first) = groups.first() else { return };
        let measures: Vec<String> = first["figures"].as_object().expect("figures").keys().cloned().collect();
        let months: Vec<String> = first["trend"]
            .as_array()
            .expect("a trend")
            .iter()
            .map(|point| point["month"].as_str().expect("a month").to_owned())
            .collect();
        for measure in &measures {
            let parts = self.expected(measure, "users", &[&dimension]);
            let whole = self.expected(measure, "users", &[]);
            for (at, month) in months.iter().enumerate() {
                let mut sum = 0;
                for group in &groups {
                    let shown = &group["trend"][at]["figures"][measure.as_str()];
                    sum += shown.as_i64().unwrap_or_default();
                    let key = (month.clone(), group["key"].to_string());
                    let where_ = format!("{measure} of {dimension} {} in {month}", group["key"]);
                    match parts.get(&key) {
                        Some(_) if self.came_nobody_knows_when(measure, month) => {
                            self.same(shown, &Value::Null, &where_);
                        }
                        Some(expected) => self.same(shown, expected, &where_),
                        None => assert!(nothing(shown), "{where_} of {}: {shown}", self.what()),
                    }
                }
                // A section of one product's SKUs is not all of them. Customers that are there rank by their seats in the
                // last month: who is gone by then, or has users and no seats, is not shown.
                let of_seats = !measure.contains("users");
                let ranked = self.page == "adoption" && dimension == "customer";
                let all = if ranked {
                    at + 1 == months.len() && of_seats
                } else {
                    months.len() > 1 || self.page != "customers"
                };
                let whole = whole.get(&(month.clone(), WHOLE.to_owned()));
                let whole = whole.filter(|_| !self.came_nobody_knows_when(measure, month));
                if let Some(Value::Number(whole)) = whole.filter(|_| all && breakdown["overlapping"] == false) {
                    let top = groups.len() >= 100;
                    assert!(top || whole.as_i64() == Some(sum), "{measure} by {dimension} in {month}: {}", self.what());
                    self.compared += 1;
                }
            }
        }
    }

    /// The rows of the query and of its export, for one breakdown.
    fn check_rows(&mut self, breakdown: &Value) {
        let dimension = breakdown["dimension"].as_str().expect("a dimension").to_owned();
        let Some(first) = breakdown["groups"].get(0) else { return };
        let measures: Vec<String> = first["figures"].as_object().expect("figures").keys().cloned().collect();
        let question = self.question(&measures.join(","), "users", &[&dimension]);
        let name = &self.partner.name;
        let rows = self.product.ask(name, &self.caller, "query", &question.args).expect("rows");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rows.csv");
        let path = file.to_string_lossy();
        let mut args = vec!["export", "create", "--out", &path];
        args.extend(question.args.iter().map(String::as_str));
        let made = self.product.client(name, &self.caller, &args);
        assert!(made.status.success(), "{}: {}", self.what(), String::from_utf8_lossy(&made.stderr));
        let mut reader = csv::Reader::from_path(&file).expect("a file");
        let columns = reader.headers().expect("columns").clone();
        let cells: Vec<BTreeMap<String, String>> = reader
            .records()
            .map(|row| {
                let row = row.expect("a row");
                columns.iter().zip(row.iter()).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect()
            })
            .collect();
        assert_eq!(cells.len(), rows.len(), "{}", self.what());
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut exported: Vec<(String, String, Vec<String>)> = Vec::new();
        let mut asked = exported.clone();
        let parts = |measure: &String| match measure.ends_with("percent") {
            true => vec![format!("{measure}_numerator"), format!("{measure}_denominator")],
            false => vec![measure.clone()],
        };
        let names: Vec<String> = measures.iter().flat_map(parts).collect();
        for (cells, row) in cells.iter().zip(&rows) {
            let figures = names.iter().map(|name| cells[name].clone()).collect();
            exported.push((cells["month"].clone(), cells[&dimension].clone(), figures));
            let figures = names.iter().map(|name| text(&row[name.as_str()])).collect();
            asked.push((text(&row["month"]), text(&row[dimension.as_str()]), figures));
        }
        exported.sort();
        asked.sort();
        assert_eq!(exported, asked, "{}", self.what());
        self.compared += asked.len() * names.len();
        for measure in &measures {
            let expected = self.expected(measure, "users", &[&dimension]);
            for row in &rows {
                if let Some(expected) = expected.get(&key(row, &[&dimension])) {
                    self.same(&figure(row, measure), expected, &format!("the row {row}"));
                }
            }
        }
    }
}

/// Month and group of a row of a query, the group as JSON.
fn key(row: &Value, by: &[&str]) -> (String, String) {
    let group = by.first().map_or(WHOLE.to_owned(), |dimension| match &row[*dimension] {
        // The page gives every value as a text.
        Value::Bool(flag) => Value::from(flag.to_string()).to_string(),
        other => other.to_string(),
    });
    (row["month"].as_str().expect("a month").to_owned(), group)
}

/// A figure of a row of a query, as a page writes it.
fn figure(row: &Value, measure: &str) -> Value {
    match row.get(format!("{measure}_numerator")) {
        None => row[measure].clone(),
        Some(numerator) => serde_json::json!({
            "value": row[measure],
            "numerator": numerator,
            "denominator": row[format!("{measure}_denominator")],
        }),
    }
}

/// Figures as they are compared: a percentage by what it is made of.
fn said(value: &Value) -> String {
    match value {
        Value::Object(parts) => format!("{} / {}", parts["numerator"], parts["denominator"]),
        other => other.to_string(),
    }
}

/// What stands for a row that was left out.
fn nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(parts) => {
            ["numerator", "denominator"].iter().all(|part| parts[*part].as_i64().unwrap_or_default() == 0)
        }
        other => other.as_i64() == Some(0),
    }
}

#[test]
fn a_figure_is_the_same_wherever_it_stands() {
    let (seeds, questions) = if std::env::var_os("INSIGHTS_LONG").is_some() { (60, 60) } else { (5, 14) };
    let partners: Vec<RandomPartner> = (2_000..2_000 + seeds).map(random_partner::make).collect();
    let mut product = Product::start(false, RECEIPTS[0]);
    for (receipt, now) in RECEIPTS.into_iter().enumerate() {
        if product.now() != now {
            product.restart(now);
        }
        for partner in &partners {
            partner.received(receipt).for_each(|file| drop(product.import(&partner.name, file)));
        }
    }
    let (mut compared, mut pages) = (0, BTreeMap::<&str, usize>::new());
    for partner in &partners {
        let expected = naive_facts(partner);
        let mut random = Random::new(partner.seed);
        for _ in 0..questions {
            if let Some(mut asked) = Asked::random(&product, partner, &expected, &mut random) {
                asked.check(&mut random);
                compared += asked.compared;
                *pages.entry(asked.page).or_default() += 1;
            }
        }
    }
    println!("figures={compared} differences=0 pages={pages:?}");
    assert!(compared > 5_000 && pages.len() == 3, "{compared} {pages:?}");
}
