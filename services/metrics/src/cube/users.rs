//! Counts users over the classes of one month, under every group.

use std::collections::{BTreeMap, BTreeSet};

use insights_domain::standing::Holding;
use insights_domain::usage::{Reasons, UserCover};

use super::chunk::{ClassRow, HAS_STATE, TRIAL, UsageRow, standing_of};
use super::figures::{Mark, Sum, Table, bit_of};
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
    /// Adds a customer's users of every month to the groups they fall into; `part`: its part of the key.
    pub(super) fn count_users(&self, customer: usize, part: Key, table: &mut Table) {
        for bit in self.bits_in_range() {
            let Some(offset) = self.offset(bit) else { continue };
            let columns = &self.chunk.months[offset];
            let (classes, usage) = (columns.classes_of(customer), columns.usage_of(customer));
            if classes.is_empty() && usage.is_empty() {
                continue;
            }
            for (key, cell) in self.cells(customer, part, offset, classes, usage) {
                self.count_cell(&cell, key, classes, usage, self.column(bit), table);
            }
        }
    }

    /// The groups in which the customer may have users.
    fn cells(
        &self,
        customer: usize,
        part: Key,
        offset: usize,
        classes: &[ClassRow],
        usage: &[UsageRow],
    ) -> BTreeMap<Key, Cell> {
        let positions = self.chunk.customers[customer].subscriptions();
        let (first, count) = (positions.start, positions.len());
        let empty = |what, pair| Cell { what, pair, holdings: vec![None; count], has_state: false };
        let mut cells: BTreeMap<Key, Cell> = BTreeMap::new();
        for position in positions {
            let subscription = &self.chunk.subscriptions[position];
            let run = self.chunk.run_at(subscription, offset);
            let Some(run) = run.filter(|run| self.subscription_passes(position) && self.matches(subscription, run))
            else {
                continue;
            };
            let free = self.plan.sku_free[run.sku as usize];
            let (standing, trial) = (standing_of(run.flags), run.flags & TRIAL != 0);
            let holding = Holding::of(standing, trial, free, self.plan.query.switches);
            self.groups_of(part, position, run, |key, what, pair| {
                let cell = cells.entry(key).or_insert_with(|| empty(what, pair));
                cell.holdings[position - first] = Some(holding);
                cell.has_state |= run.flags & HAS_STATE != 0;
            });
        }
        if !self.plan.splits_subscriptions {
            for what in self.whats_without_subscription(classes, usage) {
                let key = part + self.plan.whats[what as usize].code;
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
        column: usize,
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
        table.add(Sum::ActiveUsers, group, column, reasons.total());
        table.add(Sum::TotalUsers, group, column, total);
        let marks = [
            (Mark::ActiveUsersUnknown, reported.active_unknown),
            (Mark::TotalUsersUnknown, reported.total_unknown),
            (Mark::FromReport, reported.served),
        ];
        for (mark, _) in marks.into_iter().filter(|(_, holds)| *holds) {
            table.mark(mark, group, bit_of(column));
        }
        table.explain(group, column, reasons);
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
            let active = row.active_users.filter(|_| looked_at);
            let total = row.total_users.filter(|_| !self.plan.by_subscription);
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
