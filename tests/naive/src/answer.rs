//! The answer to a query: every group value is tried as one more filter.

use crate::calendar::Month;
use crate::cell::Cell;
use crate::counted::Facts;
use crate::query::{Filter, Query};
use crate::snapshot::Snapshot;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

/// A figure.
enum Figure {
    Count(Option<i64>),
    Percent(Option<u64>, Option<u64>),
    /// Millionths.
    Amount(Option<i128>),
}

impl Figure {
    fn empty(&self) -> bool {
        match self {
            Self::Count(count) => count.is_none_or(|n| n == 0),
            Self::Percent(numerator, denominator) => {
                numerator.is_none_or(|n| n == 0) && denominator.is_none_or(|n| n == 0)
            }
            Self::Amount(micros) => micros.is_none_or(|n| n == 0),
        }
    }
}

/// Rows as `insights query --json` prints them, or why there is no answer.
pub fn answer(facts: &Facts, query: &Query) -> Result<Vec<Json>, String> {
    if let Some(reason) = query.refusal() {
        return Err(reason);
    }
    let mut rows = Vec::new();
    for month in months(facts, query) {
        for group in groups(facts, &query.by) {
            rows.extend(rows_of(facts, query, month, &group));
        }
    }
    Ok(rows)
}

/// The months of the range that have rows.
pub fn months(facts: &Facts, query: &Query) -> impl Iterator<Item = Month> {
    let through = Month::of(facts.complete_through);
    Month::range(query.from.max(facts.oldest_month()), query.to.min(through))
}

/// Every combination of values of the dimensions.
pub fn groups(facts: &Facts, by: &[String]) -> Vec<Vec<Filter>> {
    let mut groups = vec![Vec::new()];
    for dimension in by {
        let values = values(facts, dimension);
        groups = groups
            .into_iter()
            .flat_map(|group: Vec<Filter>| {
                let one =
                    |value: &Option<String>| [group.clone(), vec![Filter::one(dimension, value.clone())]].concat();
                values.iter().map(one).collect::<Vec<_>>()
            })
            .collect();
    }
    groups
}

/// Every value a dimension may have, the missing one included.
fn values(facts: &Facts, dimension: &str) -> BTreeSet<Option<String>> {
    let customers = facts.customers.values();
    let subscriptions = || facts.subscriptions.values().map(|contract| &contract.subscription);
    let mut values: BTreeSet<Option<String>> = match dimension {
        "country" => customers.map(|c| c.country.clone()).collect(),
        "segment" => customers.map(|c| c.segment.clone()).collect(),
        "industry" => customers.map(|c| c.industry.clone()).collect(),
        "customer" => facts.customers.keys().cloned().map(Some).collect(),
        "product" => facts.skus.values().map(|sku| Some(sku.product.clone())).collect(),
        "sku" => facts.skus.keys().cloned().map(Some).collect(),
        "service" => facts.services().into_iter().map(Some).collect(),
        "location" => facts.attributions().into_iter().map(|(location, _)| location).collect(),
        "attribution_type" => facts.attributions().into_iter().map(|(_, kind)| kind).collect(),
        "sales_channel" => subscriptions().map(|s| s.sales_channel.clone()).collect(),
        "pricing_model" => subscriptions().map(|s| s.pricing_model.clone()).collect(),
        "subscription" => subscriptions().map(|s| Some(s.id.clone())).collect(),
        "seller" => ["own", "other", "direct"].map(|s| Some(s.to_owned())).into(),
        "trial" => ["true", "false"].map(|s| Some(s.to_owned())).into(),
        "standing" => ["ACTIVE", "GRACE", "SUSPENDED", "DISABLED", "UPGRADED", "PENDING", "OTHER"]
            .map(|s| Some(s.to_owned()))
            .into(),
        other => panic!("no such dimension: {other}"),
    };
    values.insert(None);
    values
}

/// A group's values as an answer gives them.
pub fn head(month: Month, group: &[Filter]) -> Map<String, Json> {
    let mut row = Map::new();
    row.insert("month".into(), json!(month.to_string()));
    for filter in group {
        let value = filter.values.iter().next().expect("a group has one value");
        let value = match value {
            Some(value) if filter.dimension == "trial" => json!(value == "true"),
            Some(value) => json!(value),
            None => Json::Null,
        };
        row.insert(filter.dimension.clone(), value);
    }
    row
}

fn rows_of(facts: &Facts, query: &Query, month: Month, group: &[Filter]) -> Vec<Json> {
    let cell = Cell::new(facts, query, group);
    let wants_revenue = query.measures.iter().any(|measure| measure == "billed_revenue");
    let mut currencies = vec![None];
    if wants_revenue && query.sees_revenue {
        let revenue = cell.revenue(month);
        if !revenue.is_empty() {
            currencies = revenue.into_iter().map(Some).collect();
        }
    }
    let measures = query.measures.iter().filter(|m| *m != "billed_revenue" || query.sees_revenue);
    let figures: Vec<(&String, Option<Figure>)> = measures
        .map(|measure| (measure, (measure != "billed_revenue").then(|| figure(&cell, measure, month))))
        .collect();
    let mut rows = Vec::new();
    for currency in currencies {
        let amount = Figure::Amount(currency.as_ref().map(|(_, micros)| *micros));
        if !group.is_empty() && figures.iter().all(|(_, figure)| figure.as_ref().unwrap_or(&amount).empty()) {
            continue;
        }
        let mut row = head(month, group);
        if let Some((code, _)) = &currency {
            row.insert("currency".into(), json!(code));
        }
        for (measure, figure) in &figures {
            print(&mut row, measure, figure.as_ref().unwrap_or(&amount));
        }
        row.insert("source".into(), json!(source(&cell, month)));
        if facts.day(month) < month.last_day() {
            row.insert("partial".into(), json!(true));
        }
        if lower_bound(&cell, month) {
            row.insert("lower_bound".into(), json!(true));
        }
        let seats_carried =
            query.measures.iter().any(|m| m != "billed_revenue") && cell.matching(month).iter().any(|s| s.carried);
        if seats_carried || users_carried(&cell, month) {
            row.insert("carried".into(), json!(true));
        }
        if wants_revenue && !query.sees_revenue {
            row.insert("redacted".into(), json!(true));
        }
        rows.push(Json::Object(row));
    }
    rows
}

fn print(row: &mut Map<String, Json>, measure: &str, figure: &Figure) {
    match figure {
        Figure::Count(count) => {
            row.insert(measure.into(), json!(count));
        }
        Figure::Percent(numerator, denominator) => {
            let percent = match (numerator, denominator) {
                (Some(n), Some(d)) if *d > 0 => Some(*n as f64 * 100.0 / *d as f64),
                _ => None,
            };
            row.insert(measure.into(), json!(percent));
            row.insert(format!("{measure}_numerator"), json!(numerator));
            row.insert(format!("{measure}_denominator"), json!(denominator));
        }
        Figure::Amount(micros) => {
            let text = micros.map(|n| {
                let sign = if n < 0 { "-" } else { "" };
                format!("{sign}{}.{:06}", n.abs() / 1_000_000, n.abs() % 1_000_000)
            });
            row.insert(measure.into(), json!(text));
        }
    }
}

fn figure(cell: &Cell, measure: &str, month: Month) -> Figure {
    let count = |n: usize| Figure::Count(Some(n as i64));
    let now = || cell.counted(month);
    let before = || cell.counted(month.before());
    let seats = |of: &dyn Fn(&Snapshot) -> u64| cell.matching(month).into_iter().map(of).sum::<u64>();
    let sold = |s: &Snapshot| s.seats(cell.query.include_grace);
    let available = || seats(&|s| if cell.good(s) { sold(s) } else { 0 });
    let assigned = || seats(&|s| if cell.good(s) { s.assigned() } else { 0 });
    let used = || seats(&|s| if cell.in_seats(s) { s.active() } else { 0 });
    let active = || (!cell.use_is_unknown(month)).then(used);
    match measure {
        "customers" => count(now().len()),
        "active_customers" if cell.activity_is_unknown(month) => Figure::Count(None),
        "active_customers" => count(cell.active_customers(month).len()),
        "new" => count(now().difference(&before()).count()),
        "existing" => count(now().intersection(&before()).count()),
        "churned" => count(before().difference(&now()).count()),
        "returning" => {
            let earlier: BTreeSet<String> =
                cell.facts.snapshots.keys().filter(|m| **m < month.before()).flat_map(|m| cell.counted(*m)).collect();
            count(now().difference(&before()).filter(|customer| earlier.contains(*customer)).count())
        }
        "subscriptions" => {
            let active = cell.matching(month).into_iter().filter(|s| s.standing == "ACTIVE");
            count(active.map(|s| &s.id).collect::<BTreeSet<_>>().len())
        }
        "available" | "total_entitlements" => Figure::Count(Some(available() as i64)),
        "assigned" => Figure::Count(Some(assigned() as i64)),
        "active" | "active_entitlements" => Figure::Count(active().map(|n| n as i64)),
        "new_seats" => {
            let good_before = cell.matching(month.before()).into_iter().filter(|s| cell.good(s));
            Figure::Count(Some(available() as i64 - good_before.map(|s| sold(s) as i64).sum::<i64>()))
        }
        "deployment_opportunity" => {
            let unassigned = seats(&|s| if cell.good(s) { sold(s).saturating_sub(s.assigned()) } else { 0 });
            Figure::Count(Some(unassigned as i64))
        }
        "idle_seats" => {
            let unused = |s: &Snapshot| s.assigned().saturating_sub(s.active_and_assigned());
            let unknown = |s: &Snapshot| cell.good(s) && s.active_unknown && s.assigned() > 0;
            if cell.matching(month).into_iter().any(unknown) {
                return Figure::Count(None);
            }
            Figure::Count(Some(seats(&|s| if cell.good(s) { unused(s) } else { 0 }) as i64))
        }
        "active_usage_percent" => Figure::Percent(active(), Some(available())),
        "usage_percent" if cell.query.entitlements => Figure::Percent(active(), Some(available())),
        "deployment_percent" => Figure::Percent(Some(assigned()), Some(available())),
        "active_users" => Figure::Count(cell.active_users(month).map(|n| n as i64)),
        "total_users" => Figure::Count(cell.total_users(month).map(|n| n as i64)),
        "usage_percent" => Figure::Percent(cell.active_users(month), cell.total_users(month)),
        other => panic!("no such measure: {other}"),
    }
}

/// Whether a measure asked for rests on reported users of an earlier month.
fn users_carried(cell: &Cell, month: Month) -> bool {
    let asked = |measure: &str| cell.query.measures.iter().any(|m| m == measure);
    let percent = asked("usage_percent") && !cell.query.entitlements;
    let units = |customer: &str| cell.usage_for_licences(customer, month).iter().any(|(_, row)| row.carried);
    let looked_at = cell.looked_at(month);
    (percent || asked("active_users")) && looked_at.iter().any(|customer| cell.usage_is_carried(customer, month))
        || (percent || asked("total_users")) && looked_at.iter().any(|customer| units(customer))
        || asked("active_customers") && cell.counted(month).iter().any(|c| cell.usage_is_carried(c, month))
}

/// Where the figures come from.
fn source(cell: &Cell, month: Month) -> &'static str {
    let asked = |measures: &[&str]| cell.query.measures.iter().any(|m| measures.contains(&m.as_str()));
    let users = asked(&["usage_percent"]) && !cell.query.entitlements;
    let entitlements = asked(&["usage_percent"]) && cell.query.entitlements;
    let takes_assigned = asked(&["assigned", "deployment_percent", "deployment_opportunity", "idle_seats"]);
    let of_active = ["active", "active_entitlements", "active_usage_percent", "active_customers", "idle_seats"];
    let takes_active = entitlements || asked(&of_active);
    let takes_standing =
        cell.query.measures.iter().any(|m| !["active", "active_entitlements", "billed_revenue"].contains(&m.as_str()));

    // Whether each thing looked at came from a report.
    let mut reports = Vec::new();
    for s in cell.matching(month).into_iter().filter(|s| s.has_state) {
        if takes_standing {
            reports.push(s.standing_reported);
        }
        if takes_assigned {
            reports.push(s.assigned_reported.is_some());
        }
        if takes_active {
            reports.push(s.active_reported.is_some());
        }
    }
    let one_service = cell.services().len() == 1;
    for customer in cell.looked_at(month) {
        let served = (users || asked(&["active_users"])) && !cell.usage_for_activity(customer, month).is_empty()
            || (users || asked(&["total_users"])) && !cell.usage_for_licences(customer, month).is_empty();
        if one_service && served {
            reports.push(true);
        }
    }
    if asked(&["active_customers"]) {
        for customer in cell.counted(month) {
            if cell.usage_for_activity(&customer, month).iter().any(|(_, row)| row.active_users > 0) {
                reports.push(true);
            }
        }
    }
    match (reports.contains(&true), reports.contains(&false)) {
        (true, true) => "mixed",
        (true, false) => "reported",
        (false, _) => "computed",
    }
}

/// Whether a measure asked for rests on use that may be greater than what is known of it.
fn lower_bound(cell: &Cell, month: Month) -> bool {
    let day = cell.facts.day(month);
    let asked = |measures: &[&str]| cell.query.measures.iter().any(|m| measures.contains(&m.as_str()));
    let usage = asked(&["usage_percent"]);
    let bounded = |customer: &str| cell.services().iter().any(|service| cell.facts.lower_bound(customer, service, day));
    let of_seats_used = ["active", "active_entitlements", "active_usage_percent", "idle_seats"];
    let seats = asked(&of_seats_used) || usage && cell.query.entitlements;
    let users = asked(&["active_users"]) || usage && !cell.query.entitlements;
    let of_seats = |s: &Snapshot| {
        let known = |service: &String| cell.facts.lower_bound(&s.customer, service, day);
        s.has_state && s.active_reported.is_none() && s.services.iter().any(known)
    };
    seats && cell.matching(month).into_iter().any(of_seats)
        || users && cell.looked_at(month).into_iter().any(bounded)
        || asked(&["active_customers"]) && cell.counted(month).iter().any(|customer| bounded(customer))
}
