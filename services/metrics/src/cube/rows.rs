//! Reads the columns of one chunk for a query: customers, subscriptions, seats, revenue.

use std::ops::Range;

use insights_domain::standing::Standing;
use insights_domain::usage::SeatRule;
use insights_proto::metrics::v1::Dimension;

use super::chunk::{
    ACTIVE_REPORTED, ASSIGNED_REPORTED, Chunk, ChunkCustomer, ChunkSubscription, HAS_STATE, Run, SEATS_REPORTED, TRIAL,
    standing_of,
};
use super::figures::{Mark, Sum, Table};
use super::keys::Key;
use super::needs::Needs;
use super::place::PlacedChunk;
use super::plan::Plan;
use super::scratch::{Lives, Scratch};
use super::seller_code;
use super::window::{Months, Span, Window, set_bits};

/// One chunk under a query.
pub(super) struct Scan<'p, 'a> {
    pub plan: &'p Plan<'a>,
    pub chunk: &'p Chunk,
    placed: &'p PlacedChunk<'a>,
    pub needs: &'p Needs,
    pub window: Window,
    /// The column of bit 0; below 0 when months before the table's are read.
    first_column: i32,
    /// Lifespans tell all of steady subscriptions that the query needs.
    lifespans_tell: bool,
    /// Seats with use are asked for, and of some in the chunk there may be more than is known.
    pub bounded_seats: bool,
}

impl<'p, 'a> Scan<'p, 'a> {
    /// `None` when the chunk has nothing for the query.
    pub(super) fn new(
        plan: &'p Plan<'a>,
        placed: &'p PlacedChunk<'a>,
        needs: &'p Needs,
        table: &Table,
    ) -> Option<Self> {
        let chunk = placed.chunk;
        let (floor, last) = (plan.floor, table.first + i32::try_from(table.columns).unwrap_or_default() - 1);
        let returning = needs.sums(Sum::Returning);
        let first = if returning { chunk.first_month()?.index() } else { table.first };
        let first = first.max(floor).min(last);
        let window = Window::new(chunk, first, last)?;
        let lifespans_tell = !plan.flags_matter && !needs.seat_reasons && !plan.query.switches.include_grace;
        let bounded_seats = needs.bounded_seats && chunk.months.iter().any(|month| !month.lower_bound.is_empty());
        let first_column = first - table.first;
        Some(Self { plan, chunk, placed, needs, window, first_column, lifespans_tell, bounded_seats })
    }

    /// Reads what the query needs into `table`.
    pub(super) fn read(&self, table: &mut Table, scratch: &mut Scratch) {
        match self.plan.only.as_ref().and_then(|only| only.customers_of(self.placed)) {
            Some(customers) => customers.for_each(|customer| self.read_customer(customer, table, scratch)),
            None => (0..self.chunk.customers.len()).for_each(|customer| self.read_customer(customer, table, scratch)),
        }
        if self.needs.revenue {
            self.read_revenue(table);
        }
    }

    fn read_customer(&self, customer: usize, table: &mut Table, scratch: &mut Scratch) {
        let owner = &self.chunk.customers[customer];
        if !self.customer_passes(owner) {
            return;
        }
        let part = self.customer_part(customer);
        scratch.lives.clear();
        scratch.places.begin();
        for position in owner.subscriptions() {
            let subscription = &self.chunk.subscriptions[position];
            if !self.subscription_passes(position) {
                continue;
            }
            scratch.found = None;
            if self.lifespans_tell && subscription.steady {
                self.read_steady(part, position, table, scratch);
                continue;
            }
            for run in self.chunk.runs_of(subscription) {
                let Some(span) = self.window.span(run).filter(|_| self.plan.flags[usize::from(run.flags)]) else {
                    continue;
                };
                self.find_groups(part, position, run, table, scratch);
                for at in 0..scratch.groups.len() {
                    let group = scratch.groups[at];
                    if self.needs.customers {
                        self.mark_lives(subscription, run, span, scratch.lives_of(group));
                    }
                    self.add_run(subscription, run, span, group, table);
                    if self.bounded_seats {
                        self.mark_lower_bound(customer, run, span, group, table);
                    }
                }
            }
        }
        for (group, lives) in &scratch.lives {
            self.count_customer(customer, *group, *lives, table);
        }
        if self.needs.users {
            self.count_users(customer, part, table, scratch);
        }
    }

    fn customer_passes(&self, customer: &ChunkCustomer) -> bool {
        let plan = self.plan;
        passes(plan.countries.as_deref(), customer.country)
            && passes(plan.segments.as_deref(), customer.segment)
            && passes(plan.industries.as_deref(), customer.industry)
            && plan.customers.as_ref().is_none_or(|ids| ids.contains(&customer.header.id))
    }

    /// What does not change with the month passes.
    pub(super) fn subscription_passes(&self, position: usize) -> bool {
        let (plan, subscription) = (self.plan, &self.chunk.subscriptions[position]);
        passes(plan.sales_channels.as_deref(), subscription.sales_channel)
            && passes(plan.pricing_models.as_deref(), subscription.pricing_model)
            && plan.subscriptions.as_ref().is_none_or(|ids| {
                let owner = &self.chunk.customers[self.chunk.customer_of[position] as usize];
                ids.contains(&owner.header.subscriptions[position - owner.first_subscription as usize].id)
            })
    }

    /// The groups a subscription falls into during a run: those of its last run, unless what they depend on differs.
    pub(super) fn find_groups(&self, part: Key, position: usize, run: &Run, table: &mut Table, scratch: &mut Scratch) {
        let flags = if self.plan.splits_subscriptions { run.flags } else { 0 };
        let found = Some((run.sku, run.attributions, run.seller, flags));
        if scratch.found == found {
            return;
        }
        scratch.found = found;
        scratch.groups.clear();
        if self.matches(&self.chunk.subscriptions[position], run) {
            self.groups_of(part, position, run, |key, what, pair| scratch.groups.push(table.group(key, what, pair)));
        }
    }

    /// What holds for the months of a run passes.
    pub(super) fn matches(&self, subscription: &ChunkSubscription, run: &Run) -> bool {
        let (seller, attributions) = run.terms(subscription);
        self.plan.flags[usize::from(run.flags)]
            && self.plan.sku_passes.get(run.sku as usize).is_some_and(|passes| *passes)
            && self.plan.seller_passes(seller, attributions != 0)
            && !self.plan.pairs[attributions as usize].is_empty()
    }

    fn customer_part(&self, customer: usize) -> Key {
        let (places, columns) = (&self.plan.places, &self.chunk.customers[customer]);
        let code = self.placed.customers + 1 + u32::try_from(customer).unwrap_or_default();
        places.part(Dimension::Country, columns.country)
            + places.part(Dimension::Segment, columns.segment)
            + places.part(Dimension::Industry, columns.industry)
            + places.part(Dimension::Customer, code)
    }

    /// Calls `each` with every group a matching subscription falls into during a run.
    pub(super) fn groups_of(&self, customer: Key, position: usize, run: &Run, mut each: impl FnMut(Key, u32, Key)) {
        let plan = self.plan;
        let mut each = |key, what, pair| {
            if plan.only.as_ref().is_none_or(|only| only.keys.contains(&key)) {
                each(key, what, pair);
            }
        };
        if !plan.splits_customers {
            each(customer, 0, 0);
            return;
        }
        let subscription = &self.chunk.subscriptions[position];
        let (seller, attributions) = run.terms(subscription);
        let mut base = customer;
        if plan.splits_subscriptions {
            let code = self.placed.subscriptions + 1 + u32::try_from(position).unwrap_or_default();
            base += plan.places.part(Dimension::SalesChannel, subscription.sales_channel)
                + plan.places.part(Dimension::PricingModel, subscription.pricing_model)
                + plan.places.part(Dimension::Subscription, code)
                + plan.places.part(Dimension::Seller, u32::from(seller) + 1)
                + plan.places.part(Dimension::Standing, u32::from(standing_of(run.flags).code()) + 1)
                + plan.places.part(Dimension::Trial, u32::from(run.flags & TRIAL != 0) + 1);
        }
        for what in plan.whats_of(run.sku) {
            for pair in &plan.pairs[attributions as usize] {
                each(base + plan.whats[*what as usize].code + pair, *what, *pair);
            }
        }
    }

    fn mark_lives(&self, subscription: &ChunkSubscription, run: &Run, span: Span, lives: &mut Lives) {
        if standing_of(run.flags) == Standing::Active {
            lives.counted |= span.bits();
        }
        if run.reported & ACTIVE_REPORTED != 0 {
            let first = self.chunk.count_at(subscription, span.offset);
            for (bit, at) in (span.from..span.to).zip(first..) {
                lives.active_by_report |= Months::from(self.chunk.active.at(at) > 0) << bit;
            }
        }
    }

    fn add_run(&self, subscription: &ChunkSubscription, run: &Run, span: Span, group: u32, table: &mut Table) {
        let Some((columns, offset)) = self.columns_of(span) else { return };
        if self.needs.subscriptions && standing_of(run.flags) == Standing::Active {
            table.add_between(Sum::Subscriptions, group, columns.clone());
        }
        if run.flags & HAS_STATE != 0 {
            let needed = [
                (self.needs.standing_source, SEATS_REPORTED),
                (self.needs.assigned_source, ASSIGNED_REPORTED),
                (self.needs.active_source, ACTIVE_REPORTED),
            ];
            for (_, flag) in needed.into_iter().filter(|(needed, _)| *needed) {
                let mark = if run.reported & flag != 0 { Mark::FromReport } else { Mark::FromDetail };
                table.mark(mark, group, self.marks(span.bits()));
            }
        }
        if self.needs.seats {
            let (standing, trial) = (standing_of(run.flags), run.flags & TRIAL != 0);
            let (free, switches) = (self.plan.sku_free[run.sku as usize], self.plan.query.switches);
            self.add_seats(subscription, SeatRule::of(standing, trial, free, switches), span, group, table);
            if self.needs.seat_reasons {
                let first = self.chunk.count_at(subscription, offset);
                for (column, at) in columns.zip(first..) {
                    table.explain(group, column, self.chunk.counts(at).reasons(standing, trial, free, switches));
                }
            }
        }
    }

    /// Adds the seats of months in which one rule holds.
    pub(super) fn add_seats(
        &self,
        subscription: &ChunkSubscription,
        rule: SeatRule,
        span: Span,
        group: u32,
        table: &mut Table,
    ) {
        let Some((columns, offset)) = self.columns_of(span) else { return };
        let first = self.chunk.count_at(subscription, offset);
        let counts = first..first + columns.len();
        let chunk = self.chunk;
        let mut sum = |sum, each: &dyn Fn(&mut [u64])| {
            if let Some(sums) = table.sums(sum, group).get_mut(columns.clone()) {
                each(sums);
            }
        };
        if rule.available {
            sum(Sum::Available, &|sums| chunk.seats.add_to(counts.clone(), sums));
            sum(Sum::Assigned, &|sums| chunk.assigned.add_to(counts.clone(), sums));
            sum(Sum::DeploymentOpportunity, &|sums| chunk.seats.add_excess_to(&chunk.assigned, counts.clone(), sums));
        }
        if rule.active {
            sum(Sum::Active, &|sums| chunk.active.add_to(counts.clone(), sums));
        }
    }

    /// The columns of a span, and the offset of their first month in the chunk.
    pub(super) fn columns_of(&self, span: Span) -> Option<(Range<usize>, usize)> {
        let skipped = usize::try_from(-self.first_column).unwrap_or_default().saturating_sub(span.from);
        let column = |bit: usize| usize::try_from(self.first_column + i32::try_from(bit).ok()?).ok();
        let columns = column(span.from + skipped)?..column(span.to)?;
        (!columns.is_empty()).then_some((columns, span.offset + skipped))
    }

    /// Bits as marks: those of columns after the first.
    pub(super) fn marks(&self, months: Months) -> Months {
        let shift = (self.first_column - 1).unsigned_abs();
        if self.first_column > 0 { months.unbounded_shl(shift) } else { months.unbounded_shr(shift) }
    }

    /// The bits of the columns after the first.
    pub(super) fn bits_in_range(&self) -> Range<usize> {
        usize::try_from(1 - self.first_column).unwrap_or_default()..self.window.length
    }

    /// The column of a bit that has one.
    pub(super) fn column(&self, bit: usize) -> usize {
        usize::try_from(self.first_column + i32::try_from(bit).unwrap_or_default()).unwrap_or_default()
    }

    /// The offset of a bit's month in the chunk, if something is known of it.
    pub(super) fn offset(&self, bit: usize) -> Option<usize> {
        self.chunk.offset(self.window.first + i32::try_from(bit).ok()?)
    }

    /// Turns the months in which a customer counts into figures.
    fn count_customer(&self, customer: usize, group: u32, lives: Lives, table: &mut Table) {
        let (counted, range) = (lives.counted, self.bits_in_range());
        let begun = counted & !(counted << 1);
        let ended = !counted & (counted << 1);
        if range.start > 0 && counted >> (range.start - 1) & 1 == 1 {
            table.add(Sum::Customers, group, 0, 1);
        }
        for bit in set_bits(begun, range.clone()) {
            table.add(Sum::Customers, group, self.column(bit), 1);
            table.add(Sum::New, group, self.column(bit), 1);
            table.add(Sum::Returning, group, self.column(bit), u64::from(counted.trailing_zeros() < bit as u32));
        }
        for bit in set_bits(ended, range.clone()) {
            table.add(Sum::Customers, group, self.column(bit), 1_u64.wrapping_neg());
            table.add(Sum::Churned, group, self.column(bit), 1);
        }
        if self.needs.sums(Sum::ActiveCustomers) {
            for bit in set_bits(counted, range) {
                let by_report = lives.active_by_report >> bit & 1 == 1;
                if self.is_active(customer, group, bit, by_report, table) {
                    table.add(Sum::ActiveCustomers, group, self.column(bit), 1);
                }
            }
        }
    }

    /// A counted customer has activity on the group's restricting services, in detail or by report.
    fn is_active(&self, customer: usize, group: u32, bit: usize, by_report: bool, table: &mut Table) -> bool {
        let Some(offset) = self.offset(bit) else { return false };
        let of = table.groups[group as usize];
        let what = &self.plan.whats[of.what as usize];
        if what.hits[self.chunk.months[offset].lower_bound_of(customer) as usize] {
            table.mark(Mark::LowerBound, group, self.marks(1 << bit));
        }
        let by_usage = self.chunk.months[offset].usage_of(customer).iter().any(|row| {
            row.active_users.is_some_and(|users| users > 0)
                && what.restricting.contains(row.service)
                && self.plan.usage_passes(row.attributions, of.pair)
        });
        if by_usage {
            table.mark(Mark::FromReport, group, self.marks(1 << bit));
        }
        by_report || by_usage || what.hits[self.chunk.active_services(customer, offset) as usize]
    }

    fn read_revenue(&self, table: &mut Table) {
        for bit in self.bits_in_range() {
            let Some(offset) = self.offset(bit) else { continue };
            for row in &self.chunk.months[offset].revenue {
                let position = row.subscription as usize;
                let subscription = &self.chunk.subscriptions[position];
                let customer = self.chunk.customer_of[position] as usize;
                let run = self.chunk.run_at(subscription, offset).filter(|run| {
                    self.customer_passes(&self.chunk.customers[customer])
                        && self.subscription_passes(position)
                        && self.matches(subscription, run)
                });
                let Some(run) = run else { continue };
                self.groups_of(self.customer_part(customer), position, run, |key, what, pair| {
                    let group = table.group(key, what, pair);
                    table.bill(row.currency, group, self.column(bit), row.amount);
                });
            }
        }
    }
}

fn passes(filter: Option<&[bool]>, code: u32) -> bool {
    filter.is_none_or(|passes| passes[code as usize])
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
