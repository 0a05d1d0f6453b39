//! Counts users over the classes of one month, under every group.

use std::collections::BTreeSet;

use insights_domain::standing::Holding;
use insights_domain::usage::{Reasons, UserCover};

use crate::cube::compile::keys::GroupKey;
use crate::cube::compile::projection::Sum;
use crate::cube::data::chunk::{ClassRow, HAS_STATE, TRIAL, UsageRow, standing_of};
use crate::cube::scan::accumulators::{Accumulators, GroupIdentity, Mark, bit_of};
use crate::cube::scan::chunk_scan::ChunkScan;
use crate::cube::scan::scratch::{GroupPlaces, Scratch};

/// One group of one customer in a month.
#[derive(Clone, Copy, Debug)]
struct UserGroup {
    group: u32,
    /// One of its subscriptions that match has a state by the day.
    has_state: bool,
}

/// The groups in which a customer may have users in a month.
#[derive(Debug, Default)]
pub struct UserGroups {
    groups: Vec<UserGroup>,
    /// By group and position among the customer's subscriptions: what a seat of a matching one is.
    holdings: Vec<Option<Holding>>,
    /// How many subscriptions the customer has.
    subscriptions: usize,
}

impl UserGroups {
    fn begin(&mut self, subscriptions: usize) {
        self.groups.clear();
        self.holdings.clear();
        self.subscriptions = subscriptions;
    }

    /// A group, added when it is new, and its holdings.
    fn of(&mut self, group: u32, places: &mut GroupPlaces) -> (&mut UserGroup, &mut [Option<Holding>]) {
        let place = places.of(group, self.groups.len());
        if place == self.groups.len() {
            self.groups.push(UserGroup { group, has_state: false });
            self.holdings.resize(self.groups.len() * self.subscriptions, None);
        }
        let first = place * self.subscriptions;
        (&mut self.groups[place], &mut self.holdings[first..first + self.subscriptions])
    }

    fn holdings_of(&self, place: usize) -> &[Option<Holding>] {
        let first = place * self.subscriptions;
        &self.holdings[first..first + self.subscriptions]
    }
}

/// What is known of a customer's users in a month.
#[derive(Clone, Copy)]
struct CustomerUsers<'c> {
    classes: &'c [ClassRow],
    usage: &'c [UsageRow],
    /// The code of the services whose use may be greater.
    lower_bound: u32,
}

/// Adds a customer's users of every month to the groups they fall into; `customer_part`: its part of the key.
pub fn count_users(
    scan: &ChunkScan<'_, '_>,
    customer: usize,
    customer_part: GroupKey,
    accumulators: &mut Accumulators,
    scratch: &mut Scratch,
) {
    for bit in scan.window.in_range() {
        let offset = scan.window.offset(bit);
        let Some(columns) = scan.chunk.months.get(offset) else { continue };
        let known = CustomerUsers {
            classes: columns.classes_of(customer),
            usage: columns.usage_of(customer),
            lower_bound: columns.lower_bound_of(customer),
        };
        if known.classes.is_empty() && known.usage.is_empty() && known.lower_bound == 0 {
            continue;
        }
        find_user_groups(scan, customer, customer_part, offset, known, accumulators, scratch);
        for (at, user_group) in scratch.user_groups.groups.iter().enumerate() {
            let holdings = scratch.user_groups.holdings_of(at);
            count_user_group(scan, *user_group, holdings, known, scan.window.column(bit), accumulators);
        }
    }
}

/// The groups in which the customer may have users.
fn find_user_groups(
    scan: &ChunkScan<'_, '_>,
    customer: usize,
    customer_part: GroupKey,
    offset: usize,
    known: CustomerUsers<'_>,
    accumulators: &mut Accumulators,
    scratch: &mut Scratch,
) {
    let Scratch { user_groups, places, .. } = scratch;
    let positions = scan.chunk.customers[customer].subscriptions();
    let first = positions.start;
    user_groups.begin(positions.len());
    places.begin();
    for position in positions {
        let subscription = &scan.chunk.subscriptions[position];
        let run = scan.chunk.run_at(subscription, offset);
        let Some(run) = run.filter(|run| scan.is_named(position) && scan.compiled.predicate().run(subscription, run))
        else {
            continue;
        };
        let free = scan.compiled.products().is_free(run.sku);
        let (standing, trial) = (standing_of(run.flags), run.flags & TRIAL != 0);
        let holding = Holding::of(standing, trial, free, scan.compiled.query().switches);
        scan.groups_of(customer_part, position, run, |key, product_key, attribution_part| {
            let (user_group, holdings) = user_groups.of(accumulators.group(key, product_key, attribution_part), places);
            holdings[position - first] = Some(holding);
            user_group.has_state |= run.flags & HAS_STATE != 0;
        });
    }
    let mut without_subscription = |product_key: u32| {
        let key = customer_part + scan.compiled.products().key(product_key).part;
        if scan.compiled.wants(key) {
            user_groups.of(accumulators.group(key, product_key, 0), places);
        }
    };
    if !scan.compiled.grouping().splits_customers {
        without_subscription(0);
    } else if !scan.compiled.grouping().splits_subscriptions {
        product_keys_without_subscription(scan, known).into_iter().for_each(without_subscription);
    }
}

/// Combinations of product, SKU and service in which users may count without a matching subscription.
fn product_keys_without_subscription(scan: &ChunkScan<'_, '_>, known: CustomerUsers<'_>) -> BTreeSet<u32> {
    let sets = known.classes.iter().flat_map(|class| {
        let kind = scan.chunk.classes.kinds.value(class.kind);
        [kind.active_services, kind.licensed]
    });
    let sets: BTreeSet<u32> = sets.chain([known.lower_bound]).collect();
    let services = sets.iter().flat_map(|set| scan.compiled.cube().dictionaries.services.value(*set)).copied();
    let services: BTreeSet<u32> = services.chain(known.usage.iter().map(|row| row.service)).collect();
    services.iter().flat_map(|service| scan.compiled.products().of_service(*service)).copied().collect()
}

fn count_user_group(
    scan: &ChunkScan<'_, '_>,
    user_group: UserGroup,
    holdings: &[Option<Holding>],
    known: CustomerUsers<'_>,
    column: usize,
    accumulators: &mut Accumulators,
) {
    let of = accumulators.groups[user_group.group as usize];
    let product_key = scan.compiled.products().key(of.product_key);
    let looked_at = !scan.compiled.grouping().by_subscription || user_group.has_state;
    let licences_count = !scan.compiled.grouping().by_subscription;
    let (mut total, mut reasons) = (0, Reasons::default());
    for class in known.classes {
        let kind = scan.chunk.classes.kinds.value(class.kind);
        let users = u64::from(class.users);
        let licensed = licences_count && product_key.hits[kind.licensed as usize];
        let held = scan.chunk.classes.held.value(kind.held).iter().filter_map(|position| holdings[*position as usize]);
        let best = held.chain(licensed.then_some(Holding::Good)).min();
        total += if best == Some(Holding::Good) { users } else { 0 };
        if looked_at && product_key.hits[kind.active_services as usize] {
            let before = scan.chunk.classes.held.value(kind.held_before);
            let held_before = before.iter().any(|position| holdings[*position as usize].is_some())
                || licences_count && product_key.hits[kind.licensed_before as usize];
            reasons.add(UserCover::of(best, held_before), users);
        }
    }
    let reported = reported_users(scan, user_group, of, known.usage);
    total += reported.total;
    let covered = reported.active.min(total);
    reasons.add(UserCover::Covered, covered);
    reasons.add(UserCover::UnlicensedUse, reported.active - covered);
    accumulators.add(Sum::ActiveUsers, user_group.group, column, reasons.total());
    accumulators.add(Sum::TotalUsers, user_group.group, column, total);
    let marks = [
        (Mark::ActiveUsersUnknown, reported.active_unknown),
        (Mark::TotalUsersUnknown, reported.total_unknown),
        (Mark::FromReport, reported.served),
        (Mark::Carried, reported.carried),
        (
            Mark::LowerBound,
            looked_at && scan.projection.sums(Sum::ActiveUsers) && product_key.hits[known.lower_bound as usize],
        ),
    ];
    for (mark, _) in marks.into_iter().filter(|(_, holds)| *holds) {
        accumulators.mark(mark, user_group.group, bit_of(column));
    }
    accumulators.explain(user_group.group, column, reasons);
}

/// What reports say of the customer's users, where they serve: for one service at a time.
fn reported_users(
    scan: &ChunkScan<'_, '_>,
    user_group: UserGroup,
    of: GroupIdentity,
    usage: &[UsageRow],
) -> ReportedUsers {
    let restricting = &scan.compiled.products().key(of.product_key).restricting;
    let mut reported = ReportedUsers::default();
    let looked_at = !scan.compiled.grouping().by_subscription || user_group.has_state;
    for row in usage.iter().filter(|row| {
        restricting.contains(row.service)
            && scan.compiled.attributions().usage_passes(row.attributions, of.attribution_part)
    }) {
        let active = row.active_users.filter(|_| looked_at);
        let total = row.total_users.filter(|_| !scan.compiled.grouping().by_subscription);
        let asked = active.is_some() && scan.projection.sums(Sum::ActiveUsers)
            || total.is_some() && scan.projection.sums(Sum::TotalUsers);
        reported.carried |= row.carried && asked;
        reported.active_unknown |= row.carried && active.is_some();
        if restricting.is_one() {
            reported.active += u64::from(active.unwrap_or_default());
            reported.total += u64::from(total.unwrap_or_default());
            reported.served |= asked;
        } else {
            reported.active_unknown |= active.is_some_and(|users| users > 0);
            reported.total_unknown |= total.is_some_and(|users| users > 0);
        }
    }
    reported
}

/// Reported users of one customer in one group.
#[derive(Default)]
struct ReportedUsers {
    active: u64,
    total: u64,
    active_unknown: bool,
    total_unknown: bool,
    /// Rows of an earlier month serve.
    carried: bool,
    /// A figure of the answer came from them.
    served: bool,
}
