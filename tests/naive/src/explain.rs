//! Why a usage percentage is what it is.

use crate::answer::{groups, head, months};
use crate::calendar::Month;
use crate::cell::Cell;
use crate::counted::Facts;
use crate::query::Query;
use crate::snapshot::Snapshot;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// A numerator, split into what the denominator covers and the reasons of the rest.
#[derive(Default)]
struct Explanation {
    numerator: u64,
    denominator: u64,
    covered: u64,
    reasons: BTreeMap<&'static str, u64>,
}

impl Explanation {
    fn count(&mut self, reason: &'static str, count: u64) {
        self.numerator += count;
        if reason == "COVERED" {
            self.covered += count;
        } else if count > 0 {
            *self.reasons.entry(reason).or_default() += count;
        }
    }
}

/// Rows as `insights explain --json` prints them, or why there is no answer.
pub fn explain(facts: &Facts, query: &Query) -> Result<Vec<Json>, String> {
    if let Some(reason) = query.refusal() {
        return Err(reason);
    }
    let entitlements = query.entitlements || query.measures.iter().any(|m| m == "active_usage_percent");
    let mut rows = Vec::new();
    for month in months(facts, query) {
        for group in groups(facts, &query.by) {
            let cell = Cell::new(facts, query, &group);
            let why = if entitlements { by_entitlement(&cell, month) } else { by_user(&cell, month) };
            if !group.is_empty() && why.numerator == 0 && why.denominator == 0 {
                continue;
            }
            let mut row = head(month, &group);
            row.insert("numerator".into(), json!(why.numerator));
            row.insert("denominator".into(), json!(why.denominator));
            row.insert("covered".into(), json!(why.covered));
            row.insert("reasons".into(), json!(why.reasons));
            rows.push(Json::Object(row));
        }
    }
    Ok(rows)
}

fn by_entitlement(cell: &Cell, month: Month) -> Explanation {
    let mut why = Explanation::default();
    if cell.use_is_unknown(month) {
        return why;
    }
    for s in cell.matching(month) {
        if cell.good(s) {
            why.denominator += s.seats(cell.query.include_grace);
        }
        if !cell.in_seats(s) {
            continue;
        }
        if s.trial {
            why.count("TRIAL", s.active());
        } else if !s.standing_good(cell.query.include_grace) {
            why.count("NOT_IN_GOOD_STANDING", s.active());
        } else {
            let assigned = s.active_and_assigned();
            why.count("LICENSE_TRANSFERRED", s.active() - assigned);
            let seats = s.seats(cell.query.include_grace);
            why.count("COVERED", assigned.min(seats));
            why.count("OVER_ASSIGNED", assigned.saturating_sub(seats));
        }
    }
    why
}

fn by_user(cell: &Cell, month: Month) -> Explanation {
    let mut why = Explanation::default();
    let (Some(_), Some(total)) = (cell.active_users(month), cell.total_users(month)) else {
        return why;
    };
    why.denominator = total;
    for customer in cell.looked_at(month) {
        let matching: Vec<&Snapshot> = cell.matching(month).into_iter().filter(|s| s.customer == customer).collect();
        for user in cell.active_users_of(customer, month) {
            why.count(reason(cell, month, customer, &matching, &user), 1);
        }
        let reported: u64 = cell.usage_for_activity(customer, month).iter().map(|(_, row)| row.active_users).sum();
        let units: u64 = cell.usage_for_licences(customer, month).iter().map(|(_, row)| row.units).sum();
        let total = cell.total_users_of(customer, month).len() as u64 + units;
        why.count("COVERED", reported.min(total));
        why.count("UNLICENSED_USE", reported.saturating_sub(total));
    }
    why
}

fn reason(cell: &Cell, month: Month, customer: &str, matching: &[&Snapshot], user: &str) -> &'static str {
    let day = cell.facts.day(month);
    let licences: Vec<_> = cell.licences_of(customer).into_iter().filter(|l| l.user == user).collect();
    let held: Vec<_> = matching.iter().filter(|s| s.held_on_day.contains(user)).collect();
    let licensed_in_window = crate::calendar::window(day).iter().any(|d| licences.iter().any(|l| l.on(*d)));
    if held.iter().any(|s| cell.good(s)) || licences.iter().any(|l| l.on(day)) {
        "COVERED"
    } else if held.iter().any(|s| s.trial) {
        "TRIAL"
    } else if held.iter().any(|s| !s.standing_good(cell.query.include_grace)) {
        "NOT_IN_GOOD_STANDING"
    } else if !held.is_empty() {
        "FREE"
    } else if matching.iter().any(|s| s.held_in_window.contains(user)) || licensed_in_window {
        "LICENSE_TRANSFERRED"
    } else {
        "UNLICENSED_USE"
    }
}
