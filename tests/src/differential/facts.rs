//! What happens in a random partner.

use super::oddities;
use super::random::Random;
use super::random_partner::Cast;
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

/// Services as sources name them.
pub const SERVICES: [&str; 7] =
    ["Exchange", "SharePoint", "OneDrive", "OneDrive for Business", "Teams", "Yammer", "Sales"];
/// Words for a status, one of them unknown.
pub const STATUSES: [&str; 24] = [
    "Active",
    "ACTIVE",
    "Enabled",
    "open",
    "Renewed",
    "Warning",
    "In_Grace-Period",
    "grace",
    "Expired",
    "Suspended",
    "Locked Out",
    "Disabled",
    "deprovisioned",
    "Deleted",
    "cancelled",
    "Canceled",
    "closed",
    "Inactive",
    "churned",
    "Upgraded",
    "ConvertedToAnotherSubscription",
    "Pending",
    "none",
    "Hibernating",
];

/// A SKU that some sources spell otherwise.
const SPELLED_TWICE: (&str, &str) = ("SKU-2", "sku-2");

/// The id of a SKU as a source spells it.
fn spelled(random: &mut Random, sku: String) -> String {
    if sku == SPELLED_TWICE.0 && random.chance(30) { SPELLED_TWICE.1.into() } else { sku }
}

/// Fills a partner.
pub fn all(cast: &mut Cast) {
    catalogue(cast);
    customers(cast);
    subscriptions(cast);
    for at in 0..cast.subscriptions.len() {
        states(cast, at);
        assignments(cast, at);
        money(cast, at);
        reported_seats(cast, at);
    }
    activity(cast);
    licences(cast);
    lists(cast);
    whole_lists(cast);
    reported_usage(cast);
    for _ in 0..cast.random.below(3) {
        let (customer, month) = (cast.customer(), cast.month());
        cast.add(|random| json!({"kind": "support_cases", "customer_id": customer, "month": month, "total": random.below(9)}));
    }
    oddities::strangers(cast);
}

fn guid(n: usize) -> String {
    format!("0badcafe-0000-4000-8000-{n:012x}")
}

fn maybe(random: &mut Random, percent: usize, of: &[&str]) -> Value {
    if random.chance(percent) { json!(random.pick(of)) } else { Value::Null }
}

/// Drops what is null: a field left out and a field that is null mean the same.
fn trim(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

fn catalogue(cast: &mut Cast) {
    let products = ["Office 365", "Microsoft 365", "Dynamics 365 Sales", "Dynamics 365 Field Service", "Security"];
    for n in 0..cast.random.between(3, 5) {
        let id = if n == 1 { guid(n) } else { format!("SKU-{n}") };
        let product = if n == 0 { "Dynamics 365 Sales" } else { cast.random.pick(&products) };
        let free = n == 0 && cast.random.chance(40) || n == 2 && cast.random.chance(70);
        let mut services: Vec<String> = Vec::new();
        for _ in 0..cast.random.below(4) + usize::from(n < 2) {
            services.push(cast.random.pick(&SERVICES).to_owned());
        }
        let (again, name) = (services.clone(), id.clone());
        cast.add(move |_| {
            json!({"kind": "sku", "sku_id": name, "name": "N", "product": product, "services": again, "free": free})
        });
        if id == SPELLED_TWICE.0 {
            let again = services.clone();
            cast.add(move |_| {
                json!({"kind": "sku", "sku_id": SPELLED_TWICE.1, "name": "N", "product": product, "services": again, "free": free})
            });
        }
        cast.skus.push((id, services, free));
    }
    for n in 0..2 {
        cast.add(|_| json!({"kind": "location", "location_id": format!("L{n}"), "name": "Office", "country": "BR"}));
    }
}

fn customers(cast: &mut Cast) {
    for n in 0..cast.random.between(2, 6) {
        let id = if n == 0 { guid(100) } else { format!("C{n}") };
        let name = id.clone();
        cast.add(move |random| {
            trim(json!({"kind": "customer", "customer_id": name, "name": "N",
                "country": maybe(random, 80, &["BR", "US", "DE"]), "segment": maybe(random, 70, &["SMB", "Enterprise"]),
                "industry": maybe(random, 60, &["Retail", "Health"])}))
        });
        cast.customers.push(id);
    }
}

fn attributions(random: &mut Random, most: usize) -> Vec<Value> {
    let count = random.below(most + 1);
    let one = |random: &mut Random| {
        trim(json!({"location_id": maybe(random, 90, &["L0", "L1", "L2"]), "type": maybe(random, 90, &["CSP", "PAL"])}))
    };
    let list: Vec<Value> = (0..count).map(|_| one(random)).collect();
    list.into_iter().filter(|one| one.as_object().is_some_and(|fields| !fields.is_empty())).collect()
}

fn subscriptions(cast: &mut Cast) {
    for n in 0..cast.random.between(2, 8) {
        let id = if n == 0 { guid(200) } else { format!("S{n}") };
        let customer = cast.customer();
        let skus = cast.skus.clone();
        let sku = cast.random.one(&skus).0;
        let customers = cast.customers.clone();
        let (name, owner, bought) = (id.clone(), customer.clone(), sku.clone());
        cast.add(move |random| {
            // A correction may name another customer or SKU; facts go with the subscription.
            let owner = if random.chance(5) { random.one(&customers) } else { owner.clone() };
            let bought = if random.chance(5) { random.one(&skus).0 } else { bought.clone() };
            let bought = spelled(random, bought);
            let trial = if random.chance(25) { json!(true) } else { Value::Null };
            let by_use = if random.chance(8) { json!(true) } else { Value::Null };
            trim(json!({"kind": "subscription", "subscription_id": name, "customer_id": owner, "sku_id": bought,
                "sales_channel": maybe(random, 70, &["Web", "Reseller"]), "pricing_model": maybe(random, 40, &["Legacy", "Modern"]),
                "seller": maybe(random, 80, &["own", "own", "other", "direct"]), "trial": trial,
                "attributions": attributions(random, 3), "paid_by_use": by_use}))
        });
        cast.subscriptions.push((id, customer, sku));
    }
}

fn seats(random: &mut Random, free: bool) -> usize {
    match random.below(10) {
        0 => 0,
        1..6 if free => 1_000_000,
        n => n % 7 + 1,
    }
}

fn states(cast: &mut Cast, at: usize) {
    let (id, _, sku) = cast.subscriptions[at].clone();
    if cast.random.chance(20) {
        return;
    }
    let free = cast.skus.iter().any(|(other, _, free)| *other == sku && *free);
    let skus = cast.skus.clone();
    let count = cast.random.between(1, 5);
    for n in 0..count {
        let day = if n == 0 && cast.random.chance(50) { cast.first - Days::new(9) } else { cast.day() };
        let calm = n == 0 || cast.random.chance(40);
        let (id, skus) = (id.clone(), skus.clone());
        cast.add(move |random| {
            let status = if calm { "Active" } else { random.pick(&STATUSES) };
            let sku = random.one(&skus).0;
            let sku = if random.chance(15) { json!(spelled(random, sku)) } else { Value::Null };
            let trial = if random.chance(20) { json!(random.chance(50)) } else { Value::Null };
            trim(json!({"kind": "subscription_state", "subscription_id": id, "effective": day.to_string(), "status": status,
                "seats": seats(random, free), "sku_id": sku, "trial": trial}))
        });
    }
}

fn user(random: &mut Random) -> String {
    format!("user{}@example.com", random.below(5))
}

fn until(random: &mut Random, from: NaiveDate) -> Value {
    match random.below(10) {
        0..4 => Value::Null,
        4 => json!((from + Days::new(1)).to_string()),
        5 => json!((from + Days::new(4000)).to_string()),
        // Without end, as other systems write it.
        6 => json!("9999-12-31"),
        _ => json!((from + Days::new(random.between(1, 120) as u64)).to_string()),
    }
}

fn assignments(cast: &mut Cast, at: usize) {
    if cast.random.chance(20) {
        return;
    }
    let id = cast.subscriptions[at].0.clone();
    for _ in 0..cast.random.between(2, 16) {
        let from = if cast.random.chance(40) { cast.first } else { cast.day() };
        let (user, id) = (user(&mut cast.random), id.clone());
        cast.add(move |random| {
            trim(json!({"kind": "assignment", "subscription_id": id, "user_id": user, "from": from.to_string(),
                "to": until(random, from)}))
        });
    }
}

/// A service that some subscription of a customer carries, or any.
fn service(cast: &mut Cast, customer: &str, only: &[&str]) -> String {
    let bought = cast.subscriptions.iter().filter(|(_, owner, _)| owner == customer);
    let skus = bought.flat_map(|(_, _, sku)| cast.skus.iter().filter(move |(id, _, _)| id == sku));
    let carried: Vec<String> = skus.flat_map(|(_, services, _)| services.clone()).collect();
    if !carried.is_empty() && cast.random.chance(75) {
        cast.random.one(&carried)
    } else {
        cast.random.pick(only).to_owned()
    }
}

fn activity(cast: &mut Cast) {
    for customer in cast.customers.clone() {
        if cast.random.chance(15) {
            continue;
        }
        // Some customers leave services to reports.
        let only = if cast.random.chance(50) { &SERVICES[..2] } else { &SERVICES[..] };
        for _ in 0..cast.random.between(1, 8) {
            let (service, user) = (service(cast, &customer, only), user(&mut cast.random));
            let (mut day, until) = (cast.day(), cast.day());
            // A source that says when a user was last seen, and not when before.
            let last_seen = cast.random.chance(6);
            loop {
                let mut line = json!({"kind": "activity", "customer_id": customer, "user_id": user, "service": service,
                    "day": day.to_string()});
                if last_seen {
                    line["lower_bound"] = json!(true);
                }
                cast.lines.push(line);
                if cast.random.chance(12) {
                    moved(cast, &customer, &user, day);
                }
                day = day + Days::new(cast.random.between(4, 35) as u64);
                if day > until {
                    break;
                }
            }
        }
    }
}

/// A user who uses a service for the last time on a seat that moves on.
fn moved(cast: &mut Cast, customer: &str, user: &str, day: NaiveDate) {
    let bought = cast.subscriptions.iter().filter(|(_, owner, _)| owner == customer).cloned().collect::<Vec<_>>();
    if !bought.is_empty() {
        let (id, user) = (cast.random.one(&bought).0, user.to_owned());
        let from = (day - Days::new(cast.random.below(30) as u64)).max(cast.first);
        let to = day + Days::new(cast.random.between(1, 9) as u64);
        cast.add(move |_| {
            json!({"kind": "assignment", "subscription_id": id, "user_id": user, "from": from.to_string(), "to": to.to_string()})
        });
    }
}

fn licences(cast: &mut Cast) {
    for customer in cast.customers.clone() {
        for _ in 0..cast.random.below(4) {
            let (service, from, user) = (cast.random.pick(&SERVICES), cast.day(), user(&mut cast.random));
            let customer = customer.clone();
            cast.add(move |random| {
                trim(json!({"kind": "licensed", "customer_id": customer, "user_id": user, "service": service,
                    "from": from.to_string(), "to": until(random, from)}))
            });
        }
    }
}

/// Licences that a source lists anew each time, and the lists, some of them short of a user or two.
fn lists(cast: &mut Cast) {
    for customer in cast.customers.clone() {
        if !cast.random.chance(40) {
            continue;
        }
        let service = cast.random.pick(&SERVICES);
        let people: Vec<_> = (0..cast.random.between(1, 5)).map(|_| (user(&mut cast.random), cast.day())).collect();
        for _ in 0..cast.random.between(1, 5) {
            let day = cast.day();
            for (user, from) in people.iter().filter(|(_, from)| *from <= day) {
                // Some sources say since when, others know of the day alone.
                let from = if cast.random.chance(70) { *from } else { day };
                if cast.random.chance(70) {
                    cast.lines
                        .push(json!({"kind": "licensed", "customer_id": customer, "user_id": user, "service": service,
                        "from": from.to_string(), "listed": true, "recorded_at": format!("{day}T00:00:00Z")}));
                }
            }
            if cast.random.chance(90) {
                let list = json!({"kind": "licence_list", "customer_id": customer, "service": service, "day": day.to_string()});
                cast.lines.push(list);
            }
        }
    }
}

/// Lists of a customer's subscriptions and SKUs and of customers, some of them short of one or two, some of them parts, some sent
/// again for their day.
fn whole_lists(cast: &mut Cast) {
    for customer in cast.customers.clone() {
        let of = |(id, owner, sku): &(String, String, String)| (*owner == customer).then(|| (id.clone(), sku.clone()));
        let (subscriptions, skus): (Vec<_>, Vec<_>) = cast.subscriptions.iter().filter_map(of).unzip();
        if cast.random.chance(45) {
            lists_of(cast, &customer, "subscriptions", &subscriptions);
        }
        if cast.random.chance(45) {
            lists_of(cast, &customer, "skus", &skus);
        }
    }
    if cast.random.chance(35) {
        lists_of_customers(cast);
    }
}

fn lists_of(cast: &mut Cast, customer: &str, what: &'static str, all: &[String]) {
    for _ in 0..cast.random.between(2, 6) {
        let (day, source) = (cast.day().to_string(), cast.random.pick(&["p", "p", "p", "q"]));
        let (customer, all) = (customer.to_owned(), all.to_vec());
        cast.add(move |random| {
            let ids: Vec<&String> = all.iter().filter(|_| random.chance(65)).collect();
            let part = if random.chance(15) { json!(true) } else { Value::Null };
            trim(json!({"kind": "whole_list", "source": source, "what": what, "customer_id": customer, "day": day,
                "ids": ids, "part": part}))
        });
    }
}

fn lists_of_customers(cast: &mut Cast) {
    for _ in 0..cast.random.between(2, 5) {
        let (day, source) = (cast.day().to_string(), cast.random.pick(&["p", "p", "p", "q"]));
        let versions = 1 + usize::from(cast.random.chance(20));
        for version in 0..versions {
            let at = format!("2024-01-0{}T00:00:00Z", version + 1);
            let list =
                json!({"kind": "whole_list", "source": source, "what": "customers", "day": day, "recorded_at": at});
            for customer in cast.customers.clone() {
                if cast.random.chance(65) {
                    let mut named = list.clone();
                    named["customer_id"] = json!(customer);
                    cast.lines.push(named);
                }
            }
            if cast.random.chance(85) {
                cast.lines.push(list);
            }
        }
    }
}

/// Names what a row is about: the subscription, or customer and SKU.
fn about(cast: &mut Cast, at: usize, mut line: Value) -> Value {
    let (id, customer, sku) = cast.subscriptions[at].clone();
    if cast.random.chance(60) {
        line["subscription_id"] = json!(id);
        if cast.random.chance(40) {
            // A part of it, which may be one of several in the month.
            let skus = cast.skus.clone();
            line["sku_id"] = json!(if cast.random.chance(40) { sku } else { cast.random.one(&skus).0 });
        }
    } else {
        let skus = cast.skus.clone();
        line["customer_id"] = json!(customer);
        line["sku_id"] = json!(if cast.random.chance(60) { sku } else { cast.random.one(&skus).0 });
    }
    line
}

fn money(cast: &mut Cast, at: usize) {
    for _ in 0..cast.random.below(5) {
        let currency = cast.random.pick(&["USD", "USD", "EUR"]);
        let line = json!({"kind": "revenue", "month": cast.month(), "currency": currency});
        let line = about(cast, at, line);
        cast.add(move |random| {
            let mut line = line.clone();
            line["amount"] =
                json!(random.pick(&["120", "99.95", "-20.5", "0", "0.000001", "-99.95", "1234567.891", "5.1234565"]));
            line["seller"] = maybe(random, 40, &["own", "other", "direct"]);
            trim(line)
        });
    }
}

/// Reports come for a few months, the same for all, so that there are months between that nobody reported.
fn month_of_report(cast: &mut Cast) -> String {
    let first = naive::calendar::Month::of(cast.first).0;
    let covered = [2, 5, 6, 9].map(|months| naive::calendar::Month(first + months).to_string());
    if cast.random.chance(70) { cast.random.one(&covered) } else { cast.month() }
}

fn reported_seats(cast: &mut Cast, at: usize) {
    if cast.random.chance(35) {
        return;
    }
    for _ in 0..cast.random.between(1, 8) {
        let month = month_of_report(cast);
        let mut line = json!({"kind": "reported_seats", "month": month});
        if cast.random.chance(30) {
            line["report"] = json!(cast.random.pick(&["seats", "usage"]));
        }
        if cast.random.chance(15) {
            line["of_customer"] = json!(true);
        }
        let line = about(cast, at, line);
        cast.add(move |random| {
            let mut line = line.clone();
            if random.chance(15) {
                line["grace"] = json!(random.below(6));
            }
            line["available"] = json!(seats(random, false));
            line["assigned"] = if random.chance(70) { json!(random.below(8)) } else { Value::Null };
            line["active"] = if random.chance(70) { json!(random.below(8)) } else { Value::Null };
            line["status"] = maybe(random, 40, &STATUSES);
            line["seller"] = maybe(random, 40, &["own", "other", "direct"]);
            if random.chance(40) {
                line["attributions"] = json!(attributions(random, 2));
            }
            trim(line)
        });
    }
}

fn reported_usage(cast: &mut Cast) {
    for customer in cast.customers.clone() {
        if cast.random.chance(60) {
            continue;
        }
        for _ in 0..cast.random.between(1, 8) {
            let (service, month, customer) = (cast.random.pick(&SERVICES), cast.month(), customer.clone());
            cast.add(move |random| {
                let mut line = json!({"kind": "reported_usage", "customer_id": customer, "service": service, "month": month,
                    "paid_available_units": random.below(9), "monthly_active_users": random.below(9)});
                if random.chance(40) {
                    line["attributions"] = json!(attributions(random, 2));
                }
                line
            });
        }
    }
}
