//! Reads the columns of one chunk for a query: customers, subscriptions, seats, revenue.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;

use insights_domain::amount::Amount;
use insights_domain::calendar::Month;
use insights_domain::rollup::history_floor;
use insights_domain::standing::Standing;
use insights_domain::usage::SeatCounts;
use insights_proto::metrics::v1::{Dimension, Measure};

use super::chunk::{
    ACTIVE_REPORTED, ASSIGNED_REPORTED, Chunk, HAS_STATE, MonthColumns, SEATS_REPORTED, TRIAL, standing_of,
};
use super::figures::{KeyHasher, Table};
use super::keys::Key;
use super::plan::{PlacedChunk, Plan};
use super::seller_code;
use crate::query::Basis;

/// What a query needs of the columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    pub customers: bool,
    active_customers: bool,
    returning: bool,
    seats: bool,
    pub users: bool,
    revenue: bool,
    /// Reasons on the entitlements basis.
    seat_reasons: bool,
    /// Which kinds of source tell where the answer is from.
    standing_source: bool,
    assigned_source: bool,
    active_source: bool,
}

impl Needs {
    /// `explained`: why, beside how many.
    pub(super) fn of(plan: &Plan<'_>, explained: bool) -> Self {
        use Measure as M;
        let asks = |wanted: &[Measure]| plan.query.measures.iter().any(|measure| wanted.contains(measure));
        let entitlements = plan.query.basis == Basis::Entitlements;
        let usage = asks(&[M::UsagePercent]);
        let only = [M::Active, M::ActiveEntitlements, M::BilledRevenue];
        Self {
            customers: asks(&[M::Customers, M::ActiveCustomers, M::New, M::Existing, M::Churned, M::Returning]),
            active_customers: asks(&[M::ActiveCustomers]),
            returning: asks(&[M::Returning]),
            seats: asks(&[
                M::Available,
                M::Assigned,
                M::Active,
                M::NewSeats,
                M::DeploymentOpportunity,
                M::ActiveUsagePercent,
                M::DeploymentPercent,
                M::ActiveEntitlements,
                M::TotalEntitlements,
            ]) || usage && entitlements,
            users: asks(&[M::ActiveUsers, M::TotalUsers]) || usage && !entitlements,
            revenue: asks(&[M::BilledRevenue]) && plan.view.revenue,
            seat_reasons: explained && (entitlements || !usage),
            standing_source: plan.query.measures.iter().any(|measure| !only.contains(measure)),
            assigned_source: asks(&[M::Assigned, M::DeploymentPercent, M::DeploymentOpportunity]),
            active_source: asks(&[M::Active, M::ActiveEntitlements, M::ActiveUsagePercent, M::ActiveCustomers])
                || usage && entitlements,
        }
    }
}

/// Months on whose last day a customer counts in a group, and those in which a report alone shows it active; bit 0 is
/// the first month read.
#[derive(Clone, Copy, Debug, Default)]
struct Lives {
    counted: u128,
    active_by_report: u128,
}

/// One chunk under a query.
pub(super) struct Scan<'p, 'a> {
    pub plan: &'p Plan<'a>,
    pub chunk: &'p Chunk,
    pub needs: Needs,
    /// By customer: it passes the customer-level filters.
    pub customer_passes: Vec<bool>,
    /// By customer: its part of the key.
    pub customer_part: Vec<Key>,
    /// By subscription: what does not change with the month passes.
    subscription_passes: Vec<bool>,
    /// By subscription: sales channel's, pricing model's and its own part of the key.
    subscription_part: Vec<Key>,
    /// By customer, when groups do not differ within one: its group, once it has one, and its months.
    whole: Vec<(Option<u32>, Lives)>,
    /// By customer and group, when they do.
    lives: HashMap<u64, Lives, BuildHasherDefault<KeyHasher>>,
    /// Of the month being read, by subscription.
    pub passes: Vec<bool>,
    sellers: Vec<u8>,
    pub attributions: Vec<u32>,
}

impl<'p, 'a> Scan<'p, 'a> {
    pub(super) fn new(plan: &'p Plan<'a>, placed: &PlacedChunk<'p>, needs: Needs) -> Self {
        let PlacedChunk { chunk, customers, subscriptions } = *placed;
        let limited = |only: Option<&HashSet<u32>>, code: u32| only.is_none_or(|only| only.contains(&code));
        let only = plan.only.as_ref();
        let customer_passes: Vec<bool> = chunk
            .customers
            .iter()
            .zip(customers + 1..)
            .map(|(customer, code)| {
                limited(only.and_then(|only| only.customers.as_ref()), code)
                    && plan.text_passes(Dimension::Country, customer.country)
                    && plan.text_passes(Dimension::Segment, customer.segment)
                    && plan.text_passes(Dimension::Industry, customer.industry)
                    && plan.id_passes(Dimension::Customer, &customer.header.id)
            })
            .collect();
        let customer_part = chunk.customers.iter().zip(1..).map(|(customer, position)| {
            plan.group_part(Dimension::Country, customer.country)
                | plan.group_part(Dimension::Segment, customer.segment)
                | plan.group_part(Dimension::Industry, customer.industry)
                | plan.group_part(Dimension::Customer, customers + position)
        });
        let headers = chunk.customers.iter().flat_map(|customer| &customer.header.subscriptions);
        let numbered = chunk.subscriptions.iter().zip(headers).zip(&chunk.customer_of).zip(subscriptions + 1..);
        let subscription_passes = numbered.map(|(((columns, header), customer), code)| {
            customer_passes[*customer as usize]
                && limited(only.and_then(|only| only.subscriptions.as_ref()), code)
                && plan.text_passes(Dimension::SalesChannel, columns.sales_channel)
                && plan.text_passes(Dimension::PricingModel, columns.pricing_model)
                && plan.id_passes(Dimension::Subscription, &header.id)
        });
        let subscription_part = chunk.subscriptions.iter().zip(1..).map(|(columns, position)| {
            plan.group_part(Dimension::SalesChannel, columns.sales_channel)
                | plan.group_part(Dimension::PricingModel, columns.pricing_model)
                | plan.group_part(Dimension::Subscription, subscriptions + position)
        });
        Self {
            plan,
            chunk,
            needs,
            subscription_passes: subscription_passes.collect(),
            subscription_part: subscription_part.collect(),
            customer_part: customer_part.collect(),
            customer_passes,
            whole: vec![(None, Lives::default()); chunk.customers.len()],
            lives: HashMap::default(),
            passes: vec![false; chunk.subscriptions.len()],
            sellers: chunk.subscriptions.iter().map(|subscription| subscription.seller).collect(),
            attributions: chunk.subscriptions.iter().map(|subscription| subscription.attributions).collect(),
        }
    }

    /// Reads every month the query needs into `table`.
    pub(super) fn read(&mut self, table: &mut Table) {
        let query = self.plan.query;
        let floor = history_floor(self.plan.cube.partner.last_month());
        let before = query.from.previous().max(floor);
        let first = match self.chunk.first_month() {
            Some(first) if self.needs.returning => first.max(floor),
            Some(_) => before,
            None => return,
        };
        if !self.customer_passes.contains(&true) {
            return;
        }
        let last = query.to.min(self.plan.cube.partner.last_month());
        for (bit, index) in (first.index()..=last.index()).enumerate() {
            let Some(month) = Month::from_index(index) else { continue };
            let Some(columns) = self.chunk.month(month) else { continue };
            self.match_month(columns);
            self.read_rows(columns, month, bit, table);
            if self.needs.revenue && month >= query.from {
                self.read_revenue(columns, month, table);
            }
            if self.needs.users && month >= query.from {
                self.count_users(columns, month, table);
            }
            self.restore_terms(columns);
        }
        if self.needs.customers {
            self.count_customers(first, last, table);
        }
    }

    /// Which subscriptions match in the month.
    fn match_month(&mut self, columns: &MonthColumns) {
        for own in &columns.own {
            let position = own.subscription as usize;
            (self.sellers[position], self.attributions[position]) = own.over(&self.chunk.subscriptions[position]);
        }
        let rows = columns.flags.iter().zip(&columns.sku).zip(&self.subscription_passes);
        for (position, ((flags, sku), passes)) in rows.enumerate() {
            self.passes[position] = *passes
                && self.plan.flags[usize::from(*flags)]
                && self.plan.sku_passes.get(*sku as usize).is_some_and(|passes| *passes)
                && self.terms_pass(position);
        }
    }

    fn terms_pass(&self, position: usize) -> bool {
        let attributions = self.attributions[position];
        self.plan.seller_passes(self.sellers[position], attributions != 0)
            && !self.plan.pairs[attributions as usize].is_empty()
    }

    fn restore_terms(&mut self, columns: &MonthColumns) {
        for own in &columns.own {
            let position = own.subscription as usize;
            let subscription = &self.chunk.subscriptions[position];
            (self.sellers[position], self.attributions[position]) = (subscription.seller, subscription.attributions);
        }
    }

    /// Calls `each` with every group a matching subscription falls into.
    pub(super) fn groups_of(&self, columns: &MonthColumns, position: usize, mut each: impl FnMut(Key, u32, Key)) {
        let plan = self.plan;
        let customer = self.chunk.customer_of[position] as usize;
        let mut each = |key, what, pair| {
            if plan.only.as_ref().is_none_or(|only| only.keys.contains(&key)) {
                each(key, what, pair);
            }
        };
        if !plan.splits_customers {
            each(self.customer_part[customer], 0, 0);
            return;
        }
        let flags = columns.flags[position];
        let base = self.customer_part[customer]
            | self.subscription_part[position]
            | plan.group_part(Dimension::Seller, u32::from(self.sellers[position]) + 1)
            | plan.group_part(Dimension::Standing, u32::from(standing_of(flags).code()) + 1)
            | plan.group_part(Dimension::Trial, u32::from(flags & TRIAL != 0) + 1);
        for what in plan.whats_of(columns.sku[position]) {
            for pair in &plan.pairs[self.attributions[position] as usize] {
                each(base | plan.whats[*what as usize].code | pair, *what, *pair);
            }
        }
    }

    fn read_rows(&mut self, columns: &MonthColumns, month: Month, bit: usize, table: &mut Table) {
        if !self.plan.splits_customers {
            self.read_whole_customers(columns, month, bit, table);
            return;
        }
        let mut lives = std::mem::take(&mut self.lives);
        for position in 0..self.passes.len() {
            if self.passes[position] {
                let customer = u64::from(self.chunk.customer_of[position]);
                self.groups_of(columns, position, |key, what, pair| {
                    let group = table.group(key, what, pair);
                    if self.needs.customers {
                        mark(columns, position, bit, lives.entry(customer << 32 | u64::from(group)).or_default());
                    }
                    self.add_row(columns, position, group, month, table);
                });
            }
        }
        self.lives = lives;
    }

    /// The same where a customer is in one group: nothing to look up.
    fn read_whole_customers(&mut self, columns: &MonthColumns, month: Month, bit: usize, table: &mut Table) {
        let mut whole = std::mem::take(&mut self.whole);
        for position in 0..self.passes.len() {
            if self.passes[position] {
                let customer = self.chunk.customer_of[position] as usize;
                if self.plan.only.as_ref().is_some_and(|only| !only.keys.contains(&self.customer_part[customer])) {
                    continue;
                }
                let (group, lives) = &mut whole[customer];
                let group = *group.get_or_insert_with(|| table.group(self.customer_part[customer], 0, 0));
                mark(columns, position, bit, lives);
                self.add_row(columns, position, group, month, table);
            }
        }
        self.whole = whole;
    }

    fn add_row(&self, columns: &MonthColumns, position: usize, group: u32, month: Month, table: &mut Table) {
        let Some(figures) = table.figures(group, month) else { return };
        let (flags, reported, sku) = (columns.flags[position], columns.reported[position], columns.sku[position]);
        let standing = standing_of(flags);
        figures.subscriptions += u32::from(standing == Standing::Active);
        if flags & HAS_STATE != 0 {
            if self.needs.standing_source {
                figures.add_source(reported & SEATS_REPORTED != 0);
            }
            if self.needs.assigned_source {
                figures.add_source(reported & ASSIGNED_REPORTED != 0);
            }
            if self.needs.active_source {
                figures.add_source(reported & ACTIVE_REPORTED != 0);
            }
        }
        if !self.needs.seats {
            return;
        }
        let seats = SeatCounts {
            seats: columns.seats[position],
            assigned: columns.assigned[position],
            active: columns.active[position],
            active_assigned: columns.active_assigned[position],
        };
        let (trial, free, switches) = (flags & TRIAL != 0, self.plan.sku_free[sku as usize], self.plan.query.switches);
        figures.add_seats(seats.figures(standing, trial, free, switches));
        if self.needs.seat_reasons {
            table.explain(group, month, seats.reasons(standing, trial, free, switches));
        }
    }

    fn read_revenue(&self, columns: &MonthColumns, month: Month, table: &mut Table) {
        for row in columns.revenue.iter().filter(|row| self.passes[row.subscription as usize]) {
            self.groups_of(columns, row.subscription as usize, |key, what, pair| {
                let group = table.group(key, what, pair);
                let sum = table.revenue.entry((group, month)).or_default().entry(row.currency).or_default();
                *sum = Amount::from_micros(sum.micros().saturating_add(row.amount.micros()));
            });
        }
    }

    /// Turns the months in which customers count into figures.
    fn count_customers(&self, first: Month, last: Month, table: &mut Table) {
        let split = self.lives.iter().map(|(key, lives)| ((key >> 32) as usize, (key & 0xffff_ffff) as u32, *lives));
        let whole =
            self.whole.iter().enumerate().filter_map(|(customer, (group, lives))| Some((customer, (*group)?, *lives)));
        for (customer, group, lives) in split.chain(whole) {
            let from = self.plan.query.from.max(first);
            for index in from.index()..=last.index() {
                let Some(month) = Month::from_index(index) else { continue };
                let bit = (index - first.index()).cast_unsigned();
                let now = lives.counted >> bit & 1 == 1;
                let before = bit > 0 && lives.counted >> (bit - 1) & 1 == 1;
                let ever = bit > 1 && lives.counted & ((1 << (bit - 1)) - 1) != 0;
                let active = now
                    && self.needs.active_customers
                    && self.is_active(customer, group, month, lives.active_by_report >> bit & 1 == 1, table);
                if let Some(figures) = table.figures(group, month) {
                    figures.customers += u32::from(now);
                    figures.active_customers += u32::from(active);
                    figures.new += u32::from(now && !before);
                    figures.existing += u32::from(now && before);
                    figures.churned += u32::from(!now && before);
                    figures.returning += u32::from(now && !before && ever);
                }
            }
        }
    }

    /// A counted customer has activity on the group's restricting services, in detail or by report.
    fn is_active(&self, customer: usize, group: u32, month: Month, by_report: bool, table: &mut Table) -> bool {
        let Some(columns) = self.chunk.month(month) else { return false };
        let of = table.groups[group as usize];
        let what = &self.plan.whats[of.what as usize];
        let by_usage = columns.usage_of(customer).iter().any(|row| {
            row.active_users().is_some_and(|users| users > 0)
                && what.restricting.contains(row.service)
                && self.plan.usage_passes(row.attributions, of.pair)
        });
        if by_usage && let Some(figures) = table.figures(group, month) {
            figures.add_source(true);
        }
        by_report || by_usage || what.hits[columns.active_services[customer] as usize]
    }
}

fn mark(columns: &MonthColumns, position: usize, bit: usize, lives: &mut Lives) {
    if standing_of(columns.flags[position]) == Standing::Active {
        lives.counted |= 1 << bit;
    }
    if columns.reported[position] & ACTIVE_REPORTED != 0 && columns.active[position] > 0 {
        lives.active_by_report |= 1 << bit;
    }
}

impl Plan<'_> {
    /// The combinations a subscription of a SKU falls into.
    pub(super) fn whats_of(&self, sku: u32) -> &[u32] {
        self.whats_of_sku.get(sku as usize).map_or(&[], Vec::as_slice)
    }

    /// A reported usage row without attributions counts; one with some, when one of them passes and is of the group.
    pub(super) fn usage_passes(&self, attributions: u32, pair: Key) -> bool {
        attributions == 0 || self.usage_pairs[attributions as usize].contains(&pair)
    }
}

/// The seller in a key's code.
pub(super) fn seller_of(code: u32) -> Option<&'static str> {
    let sellers = insights_domain::facts::Seller::ALL;
    sellers
        .into_iter()
        .find(|seller| u32::from(seller_code(*seller)) + 1 == code)
        .map(insights_domain::facts::Seller::name)
}
