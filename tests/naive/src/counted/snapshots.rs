//! Each subscription on each snapshot day, as states, reports and lists tell of it.

use super::{Assignment, Contract, Facts, State, holds};
use crate::calendar::{Month, window};
use crate::record::{Attribution, ReportedSeats};
use crate::snapshot::{Snapshot, standing};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

impl Facts {
    /// The state in force at the end of a day.
    fn state_on(&self, subscription: &str, day: NaiveDate) -> Option<&State> {
        let states = self.states.get(subscription)?;
        states
            .iter()
            .filter(|(effective, _)| **effective <= day)
            .max_by_key(|(effective, _)| **effective)
            .map(|(_, s)| s)
    }

    /// The SKU in force; where only reports tell, that of the first part.
    pub(super) fn sku_of(&self, contract: &Contract, month: Month) -> String {
        let s = &contract.subscription;
        match (self.state_on(&s.id, self.day(month)), self.told(contract, month)) {
            (Some(state), _) => state.sku.clone().unwrap_or(s.sku.clone()),
            (None, Some(told)) => told.parts[0].0.clone(),
            (None, None) => s.sku.clone(),
        }
    }

    /// The month whose rows are carried into one that a row's report does not cover: the last covered before, where one after is.
    fn carried_from(&self, row: &ReportedSeats, by_sku: bool, customer: &str, month: Month) -> Option<Month> {
        let whose = row.of_customer.then(|| customer.to_owned());
        let covered = self.covered.get(&(row.report.clone(), by_sku, whose))?;
        let before = covered.iter().filter(|m| **m < month).max();
        let after = covered.iter().any(|m| *m > month);
        before.copied().filter(|_| after && !covered.contains(&month))
    }

    /// Whether whole lists say that a subscription, or what stands for one, is gone on a day.
    pub fn is_gone(&self, contract: &Contract, day: NaiveDate) -> bool {
        let (s, owner) = (&contract.subscription, contract.owner());
        let row = |after: NaiveDate| {
            let later = |month: Month| month > Month::of(after) && month.first_day() <= day;
            self.reported.keys().any(|(of, month)| *of == owner && later(*month))
        };
        if contract.stood_for {
            return self.lists.leave_out("skus", &s.customer, &s.sku, day, row);
        }
        let state = |after: NaiveDate| {
            let mut states = self.states.get(&s.id).into_iter().flatten();
            states.any(|(effective, _)| after < *effective && *effective <= day)
        };
        let again = |after| row(after) || state(after);
        let listed = |from| self.lists.name_subscription(&s.customer, &s.id, from, day);
        self.lists.leave_out("subscriptions", &s.customer, &s.id, day, again)
            || s.seller == "own" && self.lists.leave_customer_out(&s.customer, day, |from| again(from) || listed(from))
    }

    /// What reports say of a subscription in a month; nothing of one that is gone.
    fn told(&self, contract: &Contract, month: Month) -> Option<Told<'_>> {
        if self.is_gone(contract, self.day(month)) {
            return None;
        }
        let s = &contract.subscription;
        let owner = contract.owner();
        let mut rows: Vec<(&Option<String>, &ReportedSeats)> =
            self.reported.get(&(owner.clone(), month)).into_iter().flatten().collect();
        let carried = rows.is_empty();
        if carried {
            let earlier = self.reported.iter().filter(|((of, m), _)| *of == owner && *m < month);
            let mut candidates: Vec<(Month, &Option<String>, &ReportedSeats)> =
                earlier.flat_map(|((_, m), parts)| parts.iter().map(|(sku, row)| (*m, sku, row))).collect();
            candidates.retain(|(m, _, row)| self.carried_from(row, contract.stood_for, &s.customer, month) == Some(*m));
            let last = candidates.iter().map(|(m, _, _)| *m).max()?;
            rows = candidates.into_iter().filter(|(m, _, _)| *m == last).map(|(_, sku, row)| (sku, row)).collect();
        }
        let whole = rows.iter().find(|(sku, _)| sku.is_none()).map(|(_, row)| *row);
        let named = rows.iter().filter_map(|(sku, row)| Some(((*sku).clone()?, *row)));
        let (mut parts, others): (Vec<_>, Vec<_>) = named.partition(|(sku, _)| *sku == s.sku);
        parts.extend(others);
        match whole {
            Some(row) if parts.is_empty() => Some(Told { parts: vec![(s.sku.clone(), row)], whole: None, carried }),
            whole => Some(Told { parts, whole, carried }),
        }
    }

    /// What is billed of a subscription in a month: SKU it is shown under, currency, millionths.
    fn billed(&self, contract: &Contract, month: Month) -> Vec<(String, String, i128)> {
        let sku = self.sku_of(contract, month);
        let in_force = self.state_on(&contract.subscription.id, self.day(month)).is_some();
        let told = self.told(contract, month).filter(|_| !in_force);
        let parts: Vec<String> = told.into_iter().flat_map(|told| told.parts).map(|(sku, _)| sku).collect();
        let Some(rows) = self.revenue.get(&(contract.owner(), month)) else { return Vec::new() };
        let named = |currency: &String| rows.keys().any(|(other, part)| other == currency && part.is_some());
        rows.iter()
            .filter(|((currency, part), _)| part.is_some() || !named(currency))
            .map(|((currency, part), (micros, _))| {
                let shown = part.clone().filter(|part| parts.contains(part)).unwrap_or(sku.clone());
                (shown, currency.clone(), *micros)
            })
            .collect()
    }

    /// Whether a subscription, sent as one, of a customer `has` data of a SKU.
    fn elsewhere(&self, customer: &str, has: impl Fn(&Contract) -> bool) -> bool {
        let sent = self.subscriptions.values().filter(|contract| !contract.stood_for);
        sent.into_iter().any(|contract| contract.subscription.customer == customer && has(contract))
    }

    fn has_seats_of(&self, contract: &Contract, sku: &str, month: Month) -> bool {
        match (self.state_on(&contract.subscription.id, self.day(month)), self.told(contract, month)) {
            (Some(_), _) => self.sku_of(contract, month) == sku,
            (None, Some(told)) => told.parts.iter().any(|(part, _)| part == sku),
            (None, None) => false,
        }
    }

    /// A subscription in a month, and its further parts.
    pub(super) fn snapshots_of(&self, contract: &Contract, month: Month) -> Vec<Snapshot> {
        let s = &contract.subscription;
        let state = self.state_on(&s.id, self.day(month));
        let hidden = contract.stood_for && self.elsewhere(&s.customer, |other| self.has_seats_of(other, &s.sku, month));
        let told = self.told(contract, month).filter(|_| !hidden);
        let first = self.snapshot(contract, month, &self.sku_of(contract, month), told.as_ref());
        let mut snapshots = match (state, &told) {
            (None, Some(told)) => {
                let parts = told.parts.iter().enumerate();
                parts.map(|(at, (sku, _))| self.of_report(contract, month, sku, told, at)).collect()
            }
            _ => vec![first],
        };
        for snapshot in snapshots.iter_mut().filter(|_| s.paid_by_use) {
            (snapshot.seats, snapshot.grace) = (0, 0);
        }
        snapshots
    }

    /// A part, as a report tells of it. Users are those of the first.
    fn of_report(&self, contract: &Contract, month: Month, sku: &str, told: &Told, at: usize) -> Snapshot {
        let (row, day) = (told.parts[at].1, self.day(month));
        let mut part = self.snapshot(contract, month, sku, None);
        if at > 0 {
            part.held_on_day.clear();
            part.held_in_window.clear();
            part.used.clear();
        }
        part.has_state = true;
        part.standing = standing(&row.status);
        part.standing_reported = true;
        part.seats = row.available;
        part.grace = row.grace;
        part.carried = told.carried;
        let own = &contract.subscription.attributions;
        part.attributions = if row.attributions.is_empty() { own.clone() } else { row.attributions.clone() };
        if !self.any_assignment(contract, day) {
            part.assigned_reported = told.figure(at, |row| row.assigned);
        }
        if !self.any_activity(contract, sku, day) {
            let active = told.figure(at, |row| row.active);
            part.active_reported = if told.carried { active.map(|_| 0) } else { active };
            part.active_unknown = told.carried;
        }
        part
    }

    fn any_assignment(&self, contract: &Contract, day: NaiveDate) -> bool {
        self.assignments.get(&contract.subscription.id).into_iter().flatten().any(|a| a.from <= day)
    }

    fn any_activity(&self, contract: &Contract, sku: &str, day: NaiveDate) -> bool {
        let customer = &contract.subscription.customer;
        self.skus[sku].services.iter().any(|service| self.used_by(customer, service, day))
    }

    /// A subscription under a SKU, by its states; reports tell what detail does not know.
    fn snapshot(&self, contract: &Contract, month: Month, sku_id: &str, told: Option<&Told>) -> Snapshot {
        let (s, day) = (&contract.subscription, self.day(month));
        let own_row = self.told(contract, month);
        let seller = if contract.stood_for {
            let revenue = self.revenue.get(&(contract.owner(), month)).cloned().unwrap_or_default();
            let billed = revenue.values().find_map(|(_, seller)| seller.clone());
            own_row.as_ref().and_then(|told| told.parts[0].1.seller.clone()).or(billed).unwrap_or("other".into())
        } else {
            s.seller.clone()
        };
        let billed_elsewhere = |other: &Contract| self.billed(other, month).iter().any(|(sku, _, _)| *sku == s.sku);
        let mut revenue: BTreeMap<String, i128> = BTreeMap::new();
        if !contract.stood_for || !self.elsewhere(&s.customer, billed_elsewhere) {
            for (_, currency, micros) in self.billed(contract, month).into_iter().filter(|(sku, _, _)| sku == sku_id) {
                *revenue.entry(currency).or_default() += micros;
            }
        }
        let state = self.state_on(&s.id, day);
        let sku = &self.skus[sku_id];
        let (word, seats) = state.map_or(("pending", 0), |state| (state.status.as_str(), state.seats));

        let assignments: Vec<&Assignment> = self.assignments.get(&s.id).into_iter().flatten().collect();
        let held = |user: &str, day| assignments.iter().any(|a| a.user == user && holds(a.from, a.to, day));
        let users: BTreeSet<&String> = assignments.iter().map(|a| &a.user).collect();
        let days = window(day);
        let activity = self.activity.get(&s.customer).into_iter().flatten();
        let used = activity
            .filter(|(on, user, service)| days.contains(on) && sku.services.contains(service) && held(user, *on));
        let attributions: BTreeSet<Attribution> =
            own_row.iter().flat_map(|told| &told.parts).flat_map(|(_, row)| row.attributions.clone()).collect();
        let assigned = told.filter(|_| !self.any_assignment(contract, day)).and_then(|t| t.total(|row| row.assigned));
        let active = told.filter(|_| !self.any_activity(contract, sku_id, day)).and_then(|t| t.total(|row| row.active));
        let carried = told.is_some_and(|told| told.carried);
        let gone = !contract.stood_for && self.is_gone(contract, day);

        Snapshot {
            id: s.id.clone(),
            customer: s.customer.clone(),
            has_state: state.is_some(),
            standing: if gone { "DISABLED" } else { standing(word) },
            trial: state.and_then(|state| state.trial).unwrap_or(s.trial),
            seats,
            grace: 0,
            product: sku.product.clone(),
            services: sku.services.clone(),
            free: sku.free,
            sku: sku_id.to_owned(),
            seller,
            sales_channel: s.sales_channel.clone(),
            pricing_model: s.pricing_model.clone(),
            attributions: if attributions.is_empty() {
                s.attributions.clone()
            } else {
                attributions.into_iter().collect()
            },
            held_on_day: users.iter().filter(|u| held(u, day)).map(|u| u.to_string()).collect(),
            held_in_window: users.iter().filter(|u| days.iter().any(|d| held(u, *d))).map(|u| u.to_string()).collect(),
            used: used.map(|(_, user, _)| user.clone()).collect(),
            standing_reported: false,
            assigned_reported: assigned,
            active_reported: if carried { active.map(|_| 0) } else { active },
            carried: carried && (assigned.is_some() || active.is_some()),
            active_unknown: carried && active.is_some(),
            revenue,
        }
    }
}

/// What reports say of a subscription in a month.
struct Told<'a> {
    /// The SKU and row of each part, that of the subscription's own SKU first; the row about all of it where there is no other.
    parts: Vec<(String, &'a ReportedSeats)>,
    /// The row about all of it beside parts.
    whole: Option<&'a ReportedSeats>,
    /// The rows are those of an earlier month.
    carried: bool,
}

impl Told<'_> {
    /// What no part tells and the row about all of it does, is told of the first part.
    fn figure(&self, at: usize, of: fn(&ReportedSeats) -> Option<u64>) -> Option<u64> {
        let silent = self.parts.iter().all(|(_, row)| of(row).is_none());
        if silent && at == 0 { self.whole.and_then(of) } else { of(self.parts[at].1) }
    }

    fn total(&self, of: fn(&ReportedSeats) -> Option<u64>) -> Option<u64> {
        let told: Vec<u64> = (0..self.parts.len()).filter_map(|at| self.figure(at, of)).collect();
        (!told.is_empty()).then(|| told.iter().sum())
    }
}
