//! What is odd in a random partner: records that wait for ever, bad lines, records taken back, records without a time.

use super::facts::{SERVICES, STATUSES};
use super::random_partner::Cast;
use chrono::Days;
use serde_json::{Value, json};

/// Records whose references never come: they wait and count nowhere.
pub fn strangers(cast: &mut Cast) {
    let day = cast.day().to_string();
    let (customer, sku) = (cast.customer(), cast.skus[0].0.clone());
    let month = cast.month();
    let id = cast.subscriptions[0].0.clone();
    let strangers = [
        json!({"kind": "subscription", "subscription_id": "W1", "customer_id": "NOBODY", "sku_id": sku}),
        json!({"kind": "subscription", "subscription_id": "W2", "customer_id": customer, "sku_id": "NOTHING"}),
        json!({"kind": "subscription_state", "subscription_id": "W1", "effective": day, "status": "Active", "seats": 5}),
        json!({"kind": "subscription_state", "subscription_id": "W2", "effective": day, "status": "Active", "seats": 5}),
        json!({"kind": "subscription_state", "subscription_id": "W3", "effective": day, "status": "Active", "seats": 5}),
        json!({"kind": "subscription_state", "subscription_id": id, "effective": day, "status": "Suspended", "seats": 5,
            "sku_id": "NOTHING"}),
        json!({"kind": "assignment", "subscription_id": "W2", "user_id": "u", "from": day}),
        json!({"kind": "activity", "customer_id": "NOBODY", "user_id": "u", "service": "Exchange", "day": day}),
        json!({"kind": "licensed", "customer_id": "NOBODY", "user_id": "u", "service": "Exchange", "from": day}),
        json!({"kind": "revenue", "subscription_id": "W3", "month": month, "amount": "5", "currency": "USD"}),
        json!({"kind": "revenue", "customer_id": customer, "sku_id": "NOTHING", "month": month, "amount": "5", "currency": "USD"}),
        json!({"kind": "reported_seats", "customer_id": "NOBODY", "sku_id": sku, "month": month, "available": 5}),
        json!({"kind": "reported_usage", "customer_id": "NOBODY", "service": "Exchange", "month": month,
            "paid_available_units": 5, "monthly_active_users": 5}),
    ];
    for stranger in strangers {
        // A state waiting for its SKU would take the key of one that does not.
        let taken = stranger["effective"].is_string()
            && cast
                .lines
                .iter()
                .any(|l| l["subscription_id"] == stranger["subscription_id"] && l["effective"] == day.as_str());
        if !taken && cast.random.chance(50) {
            cast.add(move |_| stranger.clone());
        }
    }
}

/// What happened at the end of what history reaches.
pub fn ancient(cast: &mut Cast) {
    for (id, customer, _) in cast.subscriptions.clone() {
        let subscription = id.clone();
        cast.add(move |random| {
            json!({"kind": "subscription_state", "subscription_id": subscription, "effective": "2012-05-05",
                "status": random.pick(&["Active", "Active", "Suspended"]), "seats": random.below(9)})
        });
        let (month, status) = (cast.random.pick(&["2014-07", "2014-08", "2014-09"]), cast.random.pick(&STATUSES));
        let (day, user) = (cast.random.pick(&["2014-07-20", "2014-08-05", "2014-09-30"]), cast.random.below(5));
        let subscription = id.clone();
        cast.add(move |random| {
            json!({"kind": "subscription_state", "subscription_id": subscription, "effective": format!("{month}-11"),
                "status": status, "seats": random.below(9)})
        });
        let user = format!("user{user}@example.com");
        cast.lines.extend([
            json!({"kind": "activity", "customer_id": customer, "user_id": user, "service": "Exchange", "day": day}),
            json!({"kind": "revenue", "subscription_id": id, "month": month, "amount": "7", "currency": "USD",
                "recorded_at": "2023-01-01T00:00:00Z"}),
            json!({"kind": "assignment", "subscription_id": id, "user_id": user, "from": "2013-01-01",
                "recorded_at": "2023-01-01T00:00:00Z"}),
        ]);
    }
}

/// Lines that are refused and lose no good one.
pub fn bad(cast: &mut Cast) -> Vec<String> {
    let (customer, sku, day) = (cast.customer(), cast.skus[0].0.clone(), cast.day().to_string());
    let id = cast.subscriptions[0].0.clone();
    let lines = [
        json!({"kind": "telemetry", "customer_id": customer}),
        json!({"kind": "customer"}),
        json!({"kind": "customer", "customer_id": customer, "country": "Brazil"}),
        json!({"kind": "sku", "sku_id": sku, "name": "N"}),
        json!({"kind": "subscription", "subscription_id": id, "customer_id": customer, "sku_id": sku, "seller": "me"}),
        json!({"kind": "subscription_state", "subscription_id": id, "effective": day, "status": "Active", "seats": -1}),
        json!({"kind": "subscription_state", "subscription_id": id, "effective": "2025-03-13", "status": "Active", "seats": 9}),
        json!({"kind": "subscription_state", "subscription_id": id, "effective": "2024-02-30", "status": "Active", "seats": 9}),
        json!({"kind": "assignment", "subscription_id": id, "user_id": "user1@example.com", "from": day, "to": day}),
        json!({"kind": "activity", "customer_id": customer, "user_id": "user1@example.com", "service": "Teams", "day": "2025-03-13"}),
        json!({"kind": "activity", "customer_id": customer, "service": "Teams", "day": day}),
        json!({"kind": "revenue", "subscription_id": id, "month": "2024-13", "amount": "5", "currency": "USD"}),
        json!({"kind": "revenue", "subscription_id": id, "month": "2024-06", "amount": "5.1.2", "currency": "USD"}),
        json!({"kind": "revenue", "subscription_id": id, "month": "2024-06", "amount": "many", "currency": "USD"}),
        json!({"kind": "reported_seats", "subscription_id": id, "month": "2024-06"}),
        json!({"kind": "reported_seats", "month": "2024-06", "available": 5}),
        json!({"kind": "whole_list", "source": "p", "what": "users", "customer_id": customer, "day": day}),
        json!({"kind": "whole_list", "source": "p", "what": "skus", "day": day, "ids": [sku]}),
        json!({"kind": "whole_list", "source": "p", "what": "customers", "day": day, "ids": [customer]}),
    ];
    let mut lines: Vec<String> = lines.iter().filter(|_| cast.random.chance(30)).map(Value::to_string).collect();
    if cast.random.chance(30) {
        lines.push("{\"kind\": \"customer\", ".into());
    }
    lines
}

/// Takes something back.
pub fn retract(cast: &mut Cast) -> Value {
    let what = cast.random.pick(&[
        "activity",
        "activity",
        "assignment",
        "subscription_state",
        "licensed",
        "revenue",
        "reported_seats",
        "reported_usage",
        "complete_through",
        "whole_list",
    ]);
    let from = cast.day();
    let to = from + Days::new(cast.random.below(70) as u64);
    let mut line = json!({"kind": "retract", "what": what, "from": from.to_string(), "to": to.to_string()});
    if what.starts_with("reported_") && cast.random.chance(40) {
        // Some of the rows, of every customer.
        line["recorded_before"] = json!(format!("2024-01-01T00:{:02}:00Z", cast.random.below(60)));
    } else if what != "complete_through" && !(what == "whole_list" && cast.random.chance(50)) {
        line["customer_id"] = json!(cast.customer());
    }
    if ["activity", "licensed", "reported_usage"].contains(&what)
        && line.get("recorded_before").is_none()
        && cast.random.chance(40)
    {
        line["service"] = json!(cast.random.pick(&SERVICES));
    }
    line
}

/// Records without a time: the later line wins, and over everything stamped with an earlier time.
pub fn unstamped(cast: &mut Cast) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..cast.random.between(1, 6) {
        let at = cast.random.below(cast.subscriptions.len());
        let (id, customer, sku) = cast.subscriptions[at].clone();
        let line = match cast.random.below(3) {
            0 => json!({"kind": "subscription_state", "subscription_id": id, "effective": cast.first.to_string(),
                "status": cast.random.pick(&STATUSES), "seats": cast.random.below(9)}),
            1 => json!({"kind": "customer", "customer_id": customer, "country": cast.random.pick(&["BR", "PT"])}),
            _ => json!({"kind": "reported_seats", "customer_id": customer, "sku_id": sku, "month": cast.month(),
                "available": cast.random.below(9), "active": cast.random.below(5)}),
        };
        lines.push(line.to_string());
    }
    lines
}
