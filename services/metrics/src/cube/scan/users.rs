//! Counts users over the classes of one month, under every group.

use std::collections::BTreeSet;

use insights_domain::standing::Holding;
use insights_domain::usage::{Reasons, UserCover};

use crate::cube::compile::keys::Key;
use crate::cube::compile::projection::Sum;
use crate::cube::data::chunk::{ClassRow, HAS_STATE, TRIAL, UsageRow, standing_of};
use crate::cube::scan::accumulators::{Group, Mark, Table, bit_of};
use crate::cube::scan::chunk_scan::Scan;
use crate::cube::scan::scratch::{GroupPlaces, Scratch};

/// One group of one customer in a month.
#[derive(Clone, Copy, Debug)]
struct Cell {
    group: u32,
    /// One of its subscriptions that match has a state by the day.
    has_state: bool,
}

/// The groups in which a customer may have users in a month.
#[derive(Debug, Default)]
pub struct Cells {
    cells: Vec<Cell>,
    /// By cell and position among the customer's subscriptions: what a seat of a matching one is.
    holdings: Vec<Option<Holding>>,
    /// How many subscriptions the customer has.
    subscriptions: usize,
}

impl Cells {
    fn begin(&mut self, subscriptions: usize) {
        self.cells.clear();
        self.holdings.clear();
        self.subscriptions = subscriptions;
    }

    /// A group's cell, made when it is new, and its holdings.
    fn of(&mut self, group: u32, places: &mut GroupPlaces) -> (&mut Cell, &mut [Option<Holding>]) {
        let place = places.of(group, self.cells.len());
        if place == self.cells.len() {
            self.cells.push(Cell { group, has_state: false });
            self.holdings.resize(self.cells.len() * self.subscriptions, None);
        }
        let first = place * self.subscriptions;
        (&mut self.cells[place], &mut self.holdings[first..first + self.subscriptions])
    }

    fn holdings_of(&self, place: usize) -> &[Option<Holding>] {
        let first = place * self.subscriptions;
        &self.holdings[first..first + self.subscriptions]
    }
}

/// What is known of a customer's users in a month.
#[derive(Clone, Copy)]
struct Known<'c> {
    classes: &'c [ClassRow],
    usage: &'c [UsageRow],
    /// The code of the services whose use may be greater.
    lower_bound: u32,
}

impl Scan<'_, '_> {
    /// Adds a customer's users of every month to the groups they fall into; `part`: its part of the key.
    pub fn count_users(&self, customer: usize, part: Key, table: &mut Table, scratch: &mut Scratch) {
        for bit in self.window.in_range() {
            let offset = self.window.offset(bit);
            let Some(columns) = self.chunk.months.get(offset) else { continue };
            let known = Known {
                classes: columns.classes_of(customer),
                usage: columns.usage_of(customer),
                lower_bound: columns.lower_bound_of(customer),
            };
            if known.classes.is_empty() && known.usage.is_empty() && known.lower_bound == 0 {
                continue;
            }
            self.find_cells(customer, part, offset, known, table, scratch);
            for (at, cell) in scratch.cells.cells.iter().enumerate() {
                let holdings = scratch.cells.holdings_of(at);
                self.count_cell(*cell, holdings, known, self.window.column(bit), table);
            }
        }
    }

    /// The groups in which the customer may have users.
    fn find_cells(
        &self,
        customer: usize,
        part: Key,
        offset: usize,
        known: Known<'_>,
        table: &mut Table,
        scratch: &mut Scratch,
    ) {
        let Scratch { cells, places, .. } = scratch;
        let positions = self.chunk.customers[customer].subscriptions();
        let first = positions.start;
        cells.begin(positions.len());
        places.begin();
        for position in positions {
            let subscription = &self.chunk.subscriptions[position];
            let run = self.chunk.run_at(subscription, offset);
            let Some(run) =
                run.filter(|run| self.subscription_passes(position) && self.plan.matches(subscription, run))
            else {
                continue;
            };
            let free = self.plan.sku_free[run.sku as usize];
            let (standing, trial) = (standing_of(run.flags), run.flags & TRIAL != 0);
            let holding = Holding::of(standing, trial, free, self.plan.query.switches);
            self.groups_of(part, position, run, |key, what, pair| {
                let (cell, holdings) = cells.of(table.group(key, what, pair), places);
                holdings[position - first] = Some(holding);
                cell.has_state |= run.flags & HAS_STATE != 0;
            });
        }
        let mut without_subscription = |what: u32| {
            let key = part + self.plan.whats[what as usize].code;
            if self.plan.only.as_ref().is_none_or(|only| only.keys.contains(&key)) {
                cells.of(table.group(key, what, 0), places);
            }
        };
        if !self.plan.splits_customers {
            without_subscription(0);
        } else if !self.plan.splits_subscriptions {
            self.whats_without_subscription(known).into_iter().for_each(without_subscription);
        }
    }

    /// Combinations of product, SKU and service in which users may count without a matching subscription.
    fn whats_without_subscription(&self, known: Known<'_>) -> BTreeSet<u32> {
        let sets = known.classes.iter().flat_map(|class| {
            let kind = self.chunk.kinds.value(class.kind);
            [kind.active_services, kind.licensed]
        });
        let sets: BTreeSet<u32> = sets.chain([known.lower_bound]).collect();
        let services = sets.iter().flat_map(|set| self.plan.cube.dictionaries.services.value(*set)).copied();
        let services: BTreeSet<u32> = services.chain(known.usage.iter().map(|row| row.service)).collect();
        services.iter().filter_map(|service| self.plan.whats_of_service.get(service)).flatten().copied().collect()
    }

    fn count_cell(&self, cell: Cell, holdings: &[Option<Holding>], known: Known<'_>, column: usize, table: &mut Table) {
        let of = table.groups[cell.group as usize];
        let what = &self.plan.whats[of.what as usize];
        let looked_at = !self.plan.by_subscription || cell.has_state;
        let licences_count = !self.plan.by_subscription;
        let (mut total, mut reasons) = (0, Reasons::default());
        for class in known.classes {
            let kind = self.chunk.kinds.value(class.kind);
            let users = u64::from(class.users);
            let licensed = licences_count && what.hits[kind.licensed as usize];
            let held = self.chunk.held.value(kind.held).iter().filter_map(|position| holdings[*position as usize]);
            let best = held.chain(licensed.then_some(Holding::Good)).min();
            total += if best == Some(Holding::Good) { users } else { 0 };
            if looked_at && what.hits[kind.active_services as usize] {
                let before = self.chunk.held.value(kind.held_before);
                let held_before = before.iter().any(|position| holdings[*position as usize].is_some())
                    || licences_count && what.hits[kind.licensed_before as usize];
                reasons.add(UserCover::of(best, held_before), users);
            }
        }
        let reported = self.reported_users(cell, of, known.usage);
        total += reported.total;
        let covered = reported.active.min(total);
        reasons.add(UserCover::Covered, covered);
        reasons.add(UserCover::UnlicensedUse, reported.active - covered);
        table.add(Sum::ActiveUsers, cell.group, column, reasons.total());
        table.add(Sum::TotalUsers, cell.group, column, total);
        let marks = [
            (Mark::ActiveUsersUnknown, reported.active_unknown),
            (Mark::TotalUsersUnknown, reported.total_unknown),
            (Mark::FromReport, reported.served),
            (Mark::LowerBound, looked_at && self.plan.asks_active_users() && what.hits[known.lower_bound as usize]),
        ];
        for (mark, _) in marks.into_iter().filter(|(_, holds)| *holds) {
            table.mark(mark, cell.group, bit_of(column));
        }
        table.explain(cell.group, column, reasons);
    }

    /// What reports say of the customer's users, where they serve: for one service at a time.
    fn reported_users(&self, cell: Cell, of: Group, usage: &[UsageRow]) -> ReportedUsers {
        let restricting = &self.plan.whats[of.what as usize].restricting;
        let mut reported = ReportedUsers::default();
        let looked_at = !self.plan.by_subscription || cell.has_state;
        for row in usage
            .iter()
            .filter(|row| restricting.contains(row.service) && self.plan.usage_passes(row.attributions, of.pair))
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
}
