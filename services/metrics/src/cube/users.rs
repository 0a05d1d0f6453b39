//! Counts users over the classes of one month, under every group.

use std::collections::{BTreeMap, BTreeSet};

use insights_domain::calendar::Month;
use insights_domain::standing::Holding;
use insights_domain::usage::{Reasons, UserCover};

use super::chunk::{ClassRow, HAS_STATE, MonthColumns, TRIAL, UsageRow, standing_of};
use super::figures::Table;
use super::keys::Key;
use super::rows::Scan;

/// One group of one customer: which of its subscriptions match.
struct Cell {
    what: u32,
    pair: Key,
    /// By position among the customer's subscriptions: what a seat of a matching one is.
    holdings: Vec<Option<Holding>>,
    /// One of them has a state by the day.
    has_state: bool,
}

impl Scan<'_, '_> {
    /// Adds the users of every customer in the month to the groups they fall into.
    pub(super) fn count_users(&self, columns: &MonthColumns, month: Month, table: &mut Table) {
        for customer in 0..self.chunk.customers.len() {
            let (classes, usage) = (columns.classes_of(customer), columns.usage_of(customer));
            if !self.customer_passes[customer] || classes.is_empty() && usage.is_empty() {
                continue;
            }
            for (key, cell) in self.cells(columns, customer, classes, usage) {
                self.count_cell(&cell, key, classes, usage, month, table);
            }
        }
    }

    /// The groups in which the customer may have users.
    fn cells(
        &self,
        columns: &MonthColumns,
        customer: usize,
        classes: &[ClassRow],
        usage: &[UsageRow],
    ) -> BTreeMap<Key, Cell> {
        let owner = &self.chunk.customers[customer];
        let (first, count) = (owner.first_subscription as usize, owner.subscription_count as usize);
        let empty = |what, pair| Cell { what, pair, holdings: vec![None; count], has_state: false };
        let mut cells: BTreeMap<Key, Cell> = BTreeMap::new();
        for position in (first..first + count).filter(|position| self.passes[*position]) {
            let flags = columns.flags[position];
            let free = self.plan.sku_free[columns.sku[position] as usize];
            let holding = Holding::of(standing_of(flags), flags & TRIAL != 0, free, self.plan.query.switches);
            self.groups_of(columns, position, |key, what, pair| {
                let cell = cells.entry(key).or_insert_with(|| empty(what, pair));
                cell.holdings[position - first] = Some(holding);
                cell.has_state |= flags & HAS_STATE != 0;
            });
        }
        if !self.plan.splits_subscriptions {
            for what in self.whats_without_subscription(classes, usage) {
                let key = self.customer_part[customer] | self.plan.whats[what as usize].code;
                if self.plan.only.as_ref().is_some_and(|only| !only.keys.contains(&key)) {
                    continue;
                }
                cells.entry(key).or_insert_with(|| empty(what, 0));
            }
        }
        cells
    }

    /// Combinations of product, SKU and service in which users may count without a matching subscription.
    fn whats_without_subscription(&self, classes: &[ClassRow], usage: &[UsageRow]) -> BTreeSet<u32> {
        if !self.plan.splits_customers {
            return BTreeSet::from([0]);
        }
        let sets = classes.iter().flat_map(|class| {
            let kind = self.chunk.kinds.value(class.kind);
            [kind.active_services, kind.licensed]
        });
        let sets: BTreeSet<u32> = sets.collect();
        let services = sets.iter().flat_map(|set| self.plan.cube.dictionaries.services.value(*set)).copied();
        let services: BTreeSet<u32> = services.chain(usage.iter().map(|row| row.service)).collect();
        services.iter().filter_map(|service| self.plan.whats_of_service.get(service)).flatten().copied().collect()
    }

    fn count_cell(
        &self,
        cell: &Cell,
        key: Key,
        classes: &[ClassRow],
        usage: &[UsageRow],
        month: Month,
        table: &mut Table,
    ) {
        let what = &self.plan.whats[cell.what as usize];
        let looked_at = !self.plan.by_subscription || cell.has_state;
        let licences_count = !self.plan.by_subscription;
        let (mut total, mut reasons) = (0, Reasons::default());
        for class in classes {
            let kind = self.chunk.kinds.value(class.kind);
            let users = u64::from(class.users);
            let licensed = licences_count && what.hits[kind.licensed as usize];
            let held = self.chunk.held.value(kind.held).iter().filter_map(|position| cell.holdings[*position as usize]);
            let best = held.chain(licensed.then_some(Holding::Good)).min();
            total += if best == Some(Holding::Good) { users } else { 0 };
            if looked_at && what.hits[kind.active_services as usize] {
                let before = self.chunk.held.value(kind.held_before);
                let held_before = before.iter().any(|position| cell.holdings[*position as usize].is_some())
                    || licences_count && what.hits[kind.licensed_before as usize];
                reasons.add(UserCover::of(best, held_before), users);
            }
        }
        let reported = self.reported_users(cell, usage);
        total += reported.total;
        let covered = reported.active.min(total);
        reasons.add(UserCover::Covered, covered);
        reasons.add(UserCover::UnlicensedUse, reported.active - covered);
        if total == 0 && reasons.total() == 0 && !reported.seen {
            return;
        }
        let group = table.group(key, cell.what, cell.pair);
        if let Some(figures) = table.figures(group, month) {
            figures.active_users += reasons.total();
            figures.total_users += total;
            figures.active_users_unknown |= reported.active_unknown;
            figures.total_users_unknown |= reported.total_unknown;
            if reported.served {
                figures.add_source(true);
            }
        }
        table.explain(group, month, reasons);
    }

    /// What reports say of the customer's users, where they serve: for one service at a time.
    fn reported_users(&self, cell: &Cell, usage: &[UsageRow]) -> ReportedUsers {
        let restricting = &self.plan.whats[cell.what as usize].restricting;
        let mut reported = ReportedUsers::default();
        let looked_at = !self.plan.by_subscription || cell.has_state;
        for row in usage
            .iter()
            .filter(|row| restricting.contains(row.service) && self.plan.usage_passes(row.attributions, cell.pair))
        {
            let active = row.active_users().filter(|_| looked_at);
            let total = row.total_users().filter(|_| !self.plan.by_subscription);
            if restricting.is_one() {
                reported.active += u64::from(active.unwrap_or_default());
                reported.total += u64::from(total.unwrap_or_default());
                reported.served |= active.is_some() && self.plan.asks_active_users()
                    || total.is_some() && self.plan.asks_total_users();
            } else {
                reported.active_unknown |= active.is_some_and(|users| users > 0);
                reported.total_unknown |= total.is_some_and(|users| users > 0);
            }
        }
        reported.seen = reported.served || reported.active_unknown || reported.total_unknown;
        reported
    }
}

/// Reported users of one customer in one group.
#[derive(Default)]
struct ReportedUsers {
    active: u64,
    total: u64,
    active_unknown: bool,
    total_unknown: bool,
    /// A figure of the answer came from them.
    served: bool,
    /// They change the answer, be it to null.
    seen: bool,
}
