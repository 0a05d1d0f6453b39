//! Reads the columns of one chunk for a query: customers, subscriptions, seats, revenue.

use std::ops::Range;

use insights_domain::standing::Standing;
use insights_domain::usage::SeatRule;
use insights_proto::metrics::v1::Dimension;

use super::chunk::{
    ACTIVE_REPORTED, ASSIGNED_REPORTED, Chunk, ChunkCustomer, ChunkSubscription, HAS_STATE, Run, SEATS_REPORTED, TRIAL,
    standing_of,
};
use super::figures::{Mark, Sum, Table, bit_of};
use super::keys::Key;
use super::needs::Needs;
use super::place::PlacedChunk;
use super::plan::Plan;
use super::seller_code;
use super::users::Cells;
use super::window::{Months, Span, Window, set_bits};

/// Months in which a customer counts in a group, and those in which a report alone shows it active.
#[derive(Clone, Copy, Debug, Default)]
struct Lives {
    counted: Months,
    active_by_report: Months,
}

/// What is kept of the customer being read; used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    lives: Vec<(u32, Lives)>,
    pub cells: Cells,
    pub places: GroupPlaces,
}

/// Where each group stands in a list that begins anew again and again.
#[derive(Debug, Default)]
pub(super) struct GroupPlaces {
    /// By group: the list it was last put in, and where.
    places: Vec<(u64, u32)>,
    list: u64,
}

impl GroupPlaces {
    /// Begins a new list.
    pub(super) const fn begin(&mut self) {
        self.list += 1;
    }

    /// The group's place; `next` when it is not in the list yet.
    pub(super) fn of(&mut self, group: u32, next: usize) -> usize {
        if self.places.len() <= group as usize {
            self.places.resize(group as usize + 1, (0, 0));
        }
        let place = &mut self.places[group as usize];
        if place.0 != self.list {
            *place = (self.list, u32::try_from(next).unwrap_or(u32::MAX));
        }
        place.1 as usize
    }
}

impl Scratch {
    fn lives_of(&mut self, group: u32) -> &mut Lives {
        let place = self.places.of(group, self.lives.len());
        if place == self.lives.len() {
            self.lives.push((group, Lives::default()));
        }
        &mut self.lives[place].1
    }
}

/// One chunk under a query.
pub(super) struct Scan<'p, 'a> {
    pub plan: &'p Plan<'a>,
    pub chunk: &'p Chunk,
    placed: &'p PlacedChunk<'a>,
    pub needs: &'p Needs,
    pub window: Window,
    /// The column of bit 0; below 0 when months before the table's are read.
    first_column: i32,
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
        Some(Self { plan, chunk, placed, needs, window, first_column: first - table.first })
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
            for run in self.chunk.runs_of(subscription) {
                let Some(span) = self.window.span(run).filter(|_| self.matches(subscription, run)) else { continue };
                self.groups_of(part, position, run, |key, what, pair| {
                    let group = table.group(key, what, pair);
                    if self.needs.customers {
                        self.mark_lives(subscription, run, span, scratch.lives_of(group));
                    }
                    self.add_run(subscription, run, span, group, table);
                });
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
        let standing = standing_of(run.flags);
        if standing == Standing::Active {
            table.add(Sum::Subscriptions, group, columns.start, 1);
            table.add(Sum::Subscriptions, group, columns.end, 1_u64.wrapping_neg());
        }
        if run.flags & HAS_STATE != 0 {
            let needed = [
                (self.needs.standing_source, SEATS_REPORTED),
                (self.needs.assigned_source, ASSIGNED_REPORTED),
                (self.needs.active_source, ACTIVE_REPORTED),
            ];
            for (_, flag) in needed.into_iter().filter(|(needed, _)| *needed) {
                let mark = if run.reported & flag != 0 { Mark::FromReport } else { Mark::FromDetail };
                table.mark(mark, group, bits_of(&columns));
            }
        }
        let (trial, free) = (run.flags & TRIAL != 0, self.plan.sku_free[run.sku as usize]);
        let switches = self.plan.query.switches;
        let rule = SeatRule::of(standing, trial, free, switches);
        let first = self.chunk.count_at(subscription, offset);
        let counts = first..first + columns.len();
        let chunk = self.chunk;
        if rule.available {
            chunk.seats.add_to(counts.clone(), within(table.sums(Sum::Available, group), &columns));
            chunk.assigned.add_to(counts.clone(), within(table.sums(Sum::Assigned, group), &columns));
            let opportunity = within(table.sums(Sum::DeploymentOpportunity, group), &columns);
            chunk.seats.add_excess_to(&chunk.assigned, counts.clone(), opportunity);
        }
        if rule.active {
            chunk.active.add_to(counts.clone(), within(table.sums(Sum::Active, group), &columns));
        }
        if self.needs.seat_reasons {
            for (column, at) in columns.zip(counts) {
                table.explain(group, column, chunk.counts(at).reasons(standing, trial, free, switches));
            }
        }
    }

    /// The columns of a span, and the offset of their first month in the chunk.
    fn columns_of(&self, span: Span) -> Option<(Range<usize>, usize)> {
        let skipped = usize::try_from(-self.first_column).unwrap_or_default().saturating_sub(span.from);
        let column = |bit: usize| usize::try_from(self.first_column + i32::try_from(bit).ok()?).ok();
        let columns = column(span.from + skipped)?..column(span.to)?;
        (!columns.is_empty()).then_some((columns, span.offset + skipped))
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
        let by_usage = self.chunk.months[offset].usage_of(customer).iter().any(|row| {
            row.active_users.is_some_and(|users| users > 0)
                && what.restricting.contains(row.service)
                && self.plan.usage_passes(row.attributions, of.pair)
        });
        if by_usage {
            table.mark(Mark::FromReport, group, bit_of(self.column(bit)));
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

fn within<'s>(sums: &'s mut [u64], columns: &Range<usize>) -> &'s mut [u64] {
    sums.get_mut(columns.clone()).unwrap_or_default()
}

/// The marks of columns, of which the first has none.
fn bits_of(columns: &Range<usize>) -> Months {
    let from = columns.start.max(1);
    if from >= columns.end { 0 } else { Months::MAX >> (128 - (columns.end - from)) << (from - 1) }
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
