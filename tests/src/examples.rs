//! The worked examples of the definitions, for whatever answers questions.

use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the examples take for now.
pub const NOW: &str = "2026-07-01T12:00:00Z";

/// Something that takes records and answers questions.
pub trait Asks {
    /// Takes records of a partner in.
    fn import(&self, partner: &str, lines: &str);
    /// Answers `query` or `explain` with arguments as on the command line.
    fn ask(&self, partner: &str, command: &str, args: &[String]) -> Vec<Value>;
}

/// Runs all nine.
pub fn all(product: &dyn Asks) {
    one_a_seat_moved_counts_twice_in_its_window(product);
    two_grace_is_active_and_not_available(product);
    three_a_trial_has_no_seats_until_it_is_paid(product);
    four_use_without_a_licence_shows_above_one_hundred(product);
    five_a_customer_churns_and_returns(product);
    six_two_locations_overlap(product);
    seven_the_window_is_28_days(product);
    eight_more_assigned_than_sold(product);
    nine_a_user_of_two_products_is_one_user(product);
}

/// An example being told, as a partner of its own.
struct Example<'a> {
    product: &'a dyn Asks,
    partner: String,
    lines: Vec<Value>,
}

impl<'a> Example<'a> {
    fn new(product: &'a dyn Asks) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let partner = format!("example-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut example = Self { product, partner, lines: Vec::new() };
        example.add(json!({"kind": "customer", "customer_id": "C", "country": "BR"}));
        example.sku("E3", "Office 365", &["Exchange", "SharePoint"], false);
        example
    }

    fn add(&mut self, line: Value) {
        self.lines.push(line);
    }

    fn sku(&mut self, id: &str, product: &str, services: &[&str], free: bool) {
        let services = json!(services);
        self.add(
            json!({"kind": "sku", "sku_id": id, "name": id, "product": product, "services": services, "free": free}),
        );
    }

    fn subscription(&mut self, id: &str, sku: &str, more: Value) {
        let mut line = json!({"kind": "subscription", "subscription_id": id, "customer_id": "C", "sku_id": sku});
        for (field, value) in more.as_object().into_iter().flatten() {
            line[field] = value.clone();
        }
        self.add(line);
    }

    fn state(&mut self, id: &str, effective: &str, status: &str, seats: u32) {
        self.add(json!({"kind": "subscription_state", "subscription_id": id, "effective": effective, "status": status,
            "seats": seats}));
    }

    fn assign(&mut self, id: &str, user: &str, from: &str, to: Option<&str>) {
        let mut line = json!({"kind": "assignment", "subscription_id": id, "user_id": user, "from": from});
        if let Some(to) = to {
            line["to"] = json!(to);
        }
        self.add(line);
    }

    fn active(&mut self, user: &str, service: &str, day: &str) {
        self.add(json!({"kind": "activity", "customer_id": "C", "user_id": user, "service": service, "day": day}));
    }

    fn through(&mut self, day: &str) {
        self.add(json!({"kind": "complete_through", "day": day}));
    }

    fn ask(&mut self, command: &str, args: &str) -> Vec<Value> {
        let lines: Vec<String> = self.lines.drain(..).map(|line| line.to_string()).collect();
        if !lines.is_empty() {
            self.product.import(&self.partner, &lines.join("\n"));
        }
        let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
        self.product.ask(&self.partner, command, &args)
    }

    fn query(&mut self, args: &str) -> Vec<Value> {
        self.ask("query", args)
    }

    fn explain(&mut self, args: &str) -> Vec<Value> {
        self.ask("explain", args)
    }
}

/// Asserts that a row has at least these fields, and of the reasons those with a count above 0.
#[track_caller]
fn has(row: &Value, expected: Value) {
    for (field, value) in expected.as_object().into_iter().flatten() {
        let mut found = row[field].clone();
        if let Value::Object(reasons) = &mut found {
            reasons.retain(|_, count| *count != 0);
        }
        let same = match (found.as_f64(), value.as_f64()) {
            (Some(found), Some(value)) => (found - value).abs() < 1e-9,
            _ => found == *value,
        };
        assert!(same, "{field} is not {value} in {row}");
    }
}

fn one_a_seat_moved_counts_twice_in_its_window(product: &dyn Asks) {
    let mut example = Example::new(product);
    example.subscription("S", "E3", json!({}));
    example.state("S", "2026-01-01", "Active", 1);
    example.assign("S", "A", "2026-01-01", Some("2026-05-10"));
    example.assign("S", "B", "2026-05-10", None);
    example.active("A", "Exchange", "2026-05-03");
    example.active("B", "Exchange", "2026-05-12");
    let args = "--measures available,assigned,active,active_usage_percent --from 2026-05 --to 2026-05";
    example.through("2026-05-20");
    has(
        &example.query(args)[0],
        json!({"available": 1, "assigned": 1, "active": 2, "active_usage_percent": 200.0, "partial": true}),
    );
    let why = example.explain("--measures active_usage_percent --from 2026-05 --to 2026-05");
    has(&why[0], json!({"numerator": 2, "denominator": 1, "covered": 1, "reasons": {"LICENSE_TRANSFERRED": 1}}));
    example.through("2026-05-31");
    has(&example.query(args)[0], json!({"active": 1, "active_usage_percent": 100.0, "partial": null}));
}

fn two_grace_is_active_and_not_available(product: &dyn Asks) {
    let mut example = Example::new(product);
    for (id, status) in [("S1", "Active"), ("S2", "In Grace-Period")] {
        example.subscription(id, "E3", json!({}));
        example.state(id, "2026-01-01", status, 10);
        for user in 0..8 {
            example.assign(id, &format!("u{user}"), "2026-01-01", None);
        }
    }
    for user in 0..8 {
        example.active(&format!("U{user}"), "SharePoint", "2026-05-20");
    }
    example.through("2026-05-31");
    let measures = "--measures available,active,active_usage_percent,usage_percent --from 2026-05 --to 2026-05";
    let expected = json!({"available": 10, "active": 16, "active_usage_percent": 160.0, "usage_percent": 100.0,
        "usage_percent_numerator": 8, "usage_percent_denominator": 8});
    has(&example.query(measures)[0], expected);
    let why = example.explain("--measures usage_percent --basis entitlements --from 2026-05 --to 2026-05");
    has(&why[0], json!({"covered": 8, "reasons": {"NOT_IN_GOOD_STANDING": 8}}));
}

fn three_a_trial_has_no_seats_until_it_is_paid(product: &dyn Asks) {
    let mut example = Example::new(product);
    example.subscription("S", "E3", json!({"trial": true}));
    example.state("S", "2026-05-01", "Active", 25);
    for user in ["a", "b", "c", "d", "e"] {
        example.assign("S", user, "2026-05-01", None);
        example.active(user, "Exchange", "2026-05-15");
    }
    example.add(
        json!({"kind": "subscription_state", "subscription_id": "S", "effective": "2026-06-10", "status": "Active",
        "seats": 25, "trial": false}),
    );
    example.through("2026-06-30");
    let rows = example.query(
        "--measures available,active,active_usage_percent,customers,active_customers --from 2026-05 --to 2026-06",
    );
    has(
        &rows[0],
        json!({"available": 0, "active": 5, "active_usage_percent": null, "customers": 1, "active_customers": 1}),
    );
    has(&rows[1], json!({"available": 25}));
    let why = example.explain("--measures active_usage_percent --from 2026-05 --to 2026-05");
    has(&why[0], json!({"numerator": 5, "denominator": 0, "covered": 0, "reasons": {"TRIAL": 5}}));
}

fn four_use_without_a_licence_shows_above_one_hundred(product: &dyn Asks) {
    let mut example = Example::new(product);
    for user in 0..30 {
        if user < 20 {
            example.add(
                json!({"kind": "licensed", "customer_id": "C", "user_id": format!("u{user}"), "service": "Yammer",
                "from": "2026-01-01"}),
            );
        }
        example.active(&format!("u{user}"), "Yammer", "2026-05-20");
    }
    example.through("2026-05-31");
    let args = "--measures usage_percent --by service --from 2026-05 --to 2026-05";
    has(&example.query(args)[0], json!({"service": "Yammer", "usage_percent": 150.0, "usage_percent_numerator": 30}));
    has(&example.explain(args)[0], json!({"covered": 20, "reasons": {"UNLICENSED_USE": 10}}));
}

fn five_a_customer_churns_and_returns(product: &dyn Asks) {
    let mut example = Example::new(product);
    example.subscription("S", "E3", json!({}));
    example.state("S", "2026-01-05", "Active", 5);
    example.state("S", "2026-03-15", "Suspended", 5);
    example.state("S", "2026-05-10", "Active", 5);
    example.through("2026-05-31");
    let rows = example.query("--measures customers,new,existing,churned,returning --from 2026-01 --to 2026-06");
    assert_eq!(rows.len(), 5);
    has(&rows[0], json!({"customers": 1, "new": 1, "returning": 0}));
    has(&rows[2], json!({"customers": 0, "churned": 1}));
    has(&rows[3], json!({"customers": 0, "new": 0, "existing": 0, "churned": 0, "returning": 0}));
    has(&rows[4], json!({"customers": 1, "new": 1, "returning": 1}));
}

fn six_two_locations_overlap(product: &dyn Asks) {
    let mut example = Example::new(product);
    let attributions =
        json!({"attributions": [{"location_id": "L1", "type": "CSP"}, {"location_id": "L2", "type": "PAL"}]});
    example.subscription("S", "E3", attributions);
    example.state("S", "2026-01-05", "Active", 5);
    example.through("2026-01-31");
    has(&example.query("--measures customers --from 2026-01 --to 2026-01")[0], json!({"customers": 1}));
    let rows = example.query("--measures customers --by location --from 2026-01 --to 2026-01");
    assert_eq!(rows.len(), 2);
    has(&rows[0], json!({"location": "L1", "customers": 1}));
    has(&rows[1], json!({"location": "L2", "customers": 1}));
    // Location and type hold on one and the same attribution.
    let crossed = "--measures customers --filter location=L1 --filter attribution_type=PAL --from 2026-01 --to 2026-01";
    has(&example.query(crossed)[0], json!({"customers": 0}));
}

fn seven_the_window_is_28_days(product: &dyn Asks) {
    for (active, through, expected) in [
        ("2026-03-01", "2026-03-28", 1),
        ("2026-03-01", "2026-03-29", 0),
        ("2024-02-29", "2024-03-27", 1),
        ("2024-02-29", "2024-03-28", 0),
    ] {
        let mut example = Example::new(product);
        example.active("A", "Exchange", active);
        example.through(through);
        let month = &through[..7];
        let rows = example.query(&format!("--measures active_users --from {month} --to {month}"));
        has(&rows[0], json!({"active_users": expected}));
    }
}

fn eight_more_assigned_than_sold(product: &dyn Asks) {
    let mut example = Example::new(product);
    example.subscription("S", "E3", json!({}));
    example.state("S", "2026-01-05", "Active", 1);
    for user in ["a", "b", "c"] {
        example.assign("S", user, "2026-01-05", None);
        example.active(user, "Exchange", "2026-01-20");
    }
    example.through("2026-01-31");
    let args = "--measures active_usage_percent --from 2026-01 --to 2026-01";
    has(&example.query(args)[0], json!({"active_usage_percent": 300.0}));
    has(&example.explain(args)[0], json!({"numerator": 3, "covered": 1, "reasons": {"OVER_ASSIGNED": 2}}));
}

fn nine_a_user_of_two_products_is_one_user(product: &dyn Asks) {
    let mut example = Example::new(product);
    example.sku("D365", "Dynamics 365 Sales", &["Dynamics"], false);
    example.subscription("S", "E3", json!({}));
    example.subscription("T", "D365", json!({}));
    example.state("S", "2026-01-05", "Active", 5);
    example.state("T", "2026-01-05", "Active", 5);
    example.assign("S", "A", "2026-01-05", None);
    example.assign("S", "B", "2026-01-05", None);
    example.assign("T", "A", "2026-01-05", None);
    example.active("A", "Exchange", "2026-01-20");
    example.active("A", "Dynamics", "2026-01-21");
    example.through("2026-01-31");
    let rows = example.query("--measures usage_percent --from 2026-01 --to 2026-01");
    has(&rows[0], json!({"usage_percent": 50.0, "usage_percent_numerator": 1, "usage_percent_denominator": 2}));
}
