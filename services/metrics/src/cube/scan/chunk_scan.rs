//! Reads the columns of one chunk for a query: customers, subscriptions, seats, revenue.

use std::ops::Range;

use insights_domain::facts::Seller;
use insights_domain::usage::SeatRule;
use insights_proto::metrics::v1::Dimension;

use crate::cube::compile::codes::PlacedChunk;
use crate::cube::compile::compiled_query::Plan;
use crate::cube::compile::keys::Key;
use crate::cube::compile::projection::Needs;
use crate::cube::compile::projection::Sum;
use crate::cube::data::chunk::{
    ACTIVE_REPORTED, ASSIGNED_REPORTED, Chunk, ChunkCustomer, ChunkSubscription, HAS_STATE, Run, SEATS_REPORTED, TRIAL,
    UNSTEADY, standing_of,
};
use crate::cube::scan::accumulators::{Mark, Table};
use crate::cube::scan::constant_runs::{ANYTHING, CUSTOMERS, SEATS};
use crate::cube::scan::scratch::{Lives, Scratch};
use crate::cube::scan::window::{Months, Span, Window};

/// One chunk under a query.
pub struct Scan<'p, 'a> {
    pub plan: &'p Plan<'a>,
    pub chunk: &'p Chunk,
    pub placed: &'p PlacedChunk<'a>,
    pub needs: &'p Needs,
    pub window: Window,
    /// Lifespans tell all of steady subscriptions that the query needs.
    lifespans_tell: bool,
    /// It matters what comes from detail: some other figure of the partner comes from a report.
    pub needs_detail: bool,
    /// Seats with use are asked for, and of some in the chunk there may be more than is known.
    pub bounded_seats: bool,
    /// The query takes every steady subscription of the chunk, and all of a customer's are in one group.
    takes_all: bool,
    /// Customers that never had so many seats are passed over.
    pub least_seats: u64,
}

impl<'p, 'a> Scan<'p, 'a> {
    /// `None` when the chunk has nothing for the query.
    pub fn new(plan: &'p Plan<'a>, placed: &'p PlacedChunk<'a>, needs: &'p Needs, table: &Table) -> Option<Self> {
        let chunk = placed.chunk;
        let returning = needs.sums(Sum::Returning);
        let first = if returning { chunk.first_month()?.index() } else { table.first };
        let window = Window::new(chunk, first.max(plan.floor), table)?;
        let lifespans_tell = !plan.flags_matter && !needs.seat_reasons && !plan.query.switches.include_grace;
        let bounded_seats = needs.bounded_seats && chunk.months.iter().any(|month| !month.lower_bound.is_empty());
        let needs_detail = needs.source() && plan.reports;
        let takes_all = plan.takes_all_of(chunk);
        let least_seats = 0;
        Some(Self {
            plan,
            chunk,
            placed,
            needs,
            window,
            lifespans_tell,
            needs_detail,
            bounded_seats,
            takes_all,
            least_seats,
        })
    }

    /// Reads what the query needs into `table`.
    pub fn read(&self, table: &mut Table, scratch: &mut Scratch) {
        let needs = self.needs;
        let more = self.needs_detail || self.bounded_seats || needs.subscriptions || !self.lifespans_tell;
        match (needs.customers, needs.seats) {
            (true, false) if !more => self.read_customers::<CUSTOMERS>(table, scratch),
            (false, true) if !more && self.plan.takes_every_customer() && !needs.users => {
                self.read_sums_or_customers(table, scratch);
            }
            (false, true) if !more => self.read_customers::<SEATS>(table, scratch),
            _ => self.read_customers::<ANYTHING>(table, scratch),
        }
        if needs.revenue {
            self.read_revenue(table);
        }
    }

    /// Every customer passes, and it does not matter which is which: seats are summed already, but for a few.
    fn read_sums_or_customers(&self, table: &mut Table, scratch: &mut Scratch) {
        let Some(sums) = &self.chunk.ahead.seats else { return self.read_customers::<SEATS>(table, scratch) };
        for (shape, sums) in self.chunk.ahead.shapes.iter().zip(sums) {
            self.add_sums(&self.plan.shapes.plans[usize::from(*shape)], sums, table, scratch);
        }
        for position in self.chunk.ahead.unsteady.iter().map(|position| *position as usize) {
            if self.subscription_passes(position) {
                self.read_runs(self.chunk.customer_of[position] as usize, 0, position, table, scratch);
            }
        }
    }

    #[inline(never)]
    fn read_customers<const FOR: u8>(&self, table: &mut Table, scratch: &mut Scratch) {
        let read = |customer| self.read_customer::<FOR>(customer, table, scratch);
        match self.plan.only.as_ref().and_then(|only| only.customers_of(self.placed)) {
            Some(customers) => customers.for_each(read),
            None => (0..self.chunk.customers.len()).for_each(read),
        }
    }

    #[inline]
    fn read_customer<const FOR: u8>(&self, customer: usize, table: &mut Table, scratch: &mut Scratch) {
        let owner = &self.chunk.customers[customer];
        if owner.most_seats < self.least_seats || !self.plan.customer_passes(owner) {
            return;
        }
        let part = self.customer_part(customer);
        scratch.begin();
        if FOR == CUSTOMERS
            && let Some(counted) = owner.counted.filter(|_| self.takes_all)
        {
            return self.count_whole(customer, part, self.window.cut(counted), table, scratch);
        }
        for position in owner.subscriptions() {
            let lifespan = &self.chunk.lifespans[position];
            if self.lifespans_tell && lifespan.shape != UNSTEADY {
                self.read_steady::<FOR>(part, position, lifespan, table, scratch);
                continue;
            }
            if self.subscription_passes(position) {
                self.read_runs(customer, part, position, table, scratch);
            }
        }
        for (group, lives) in scratch.lives.iter().filter(|_| FOR != SEATS) {
            self.count_customer(customer, *group, *lives, table);
        }
        if self.needs.users {
            self.count_users(customer, part, table, scratch);
        }
    }

    /// Apart from the rest, which is short and quick because of it.
    #[inline(never)]
    fn read_runs(&self, customer: usize, part: Key, position: usize, table: &mut Table, scratch: &mut Scratch) {
        let subscription = &self.chunk.subscriptions[position];
        scratch.found = None;
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

    /// What does not change with the month passes.
    pub fn subscription_passes(&self, position: usize) -> bool {
        self.plan.subscription_passes(self.chunk, position)
    }

    /// It is one of the subscriptions asked for by id, if any are.
    pub fn is_named(&self, position: usize) -> bool {
        self.plan.names_subscription(self.chunk, position)
    }

    /// The groups a subscription falls into during a run: those of its last run, unless what they depend on differs.
    pub fn find_groups(&self, part: Key, position: usize, run: &Run, table: &mut Table, scratch: &mut Scratch) {
        let flags = if self.plan.splits_subscriptions { run.flags } else { 0 };
        let found = Some((run.sku, run.attributions, run.seller, flags));
        if scratch.found == found {
            return;
        }
        scratch.found = found;
        scratch.groups.clear();
        if self.plan.matches(&self.chunk.subscriptions[position], run) {
            self.groups_of(part, position, run, |key, what, pair| scratch.groups.push(table.group(key, what, pair)));
        }
    }

    fn customer_part(&self, customer: usize) -> Key {
        if !self.plan.keys_vary {
            return 0;
        }
        let (places, columns) = (&self.plan.places, &self.chunk.customers[customer]);
        let code = self.placed.customers + 1 + u32::try_from(customer).unwrap_or_default();
        places.part(Dimension::Country, columns.country)
            + places.part(Dimension::Segment, columns.segment)
            + places.part(Dimension::Industry, columns.industry)
            + places.part(Dimension::Customer, code)
    }

    /// Calls `each` with every group a matching subscription falls into during a run.
    pub fn groups_of(&self, customer: Key, position: usize, run: &Run, mut each: impl FnMut(Key, u32, Key)) {
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
        if standing_of(run.flags).counts() {
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
        let Some((columns, offset)) = self.window.columns_of(span) else { return };
        if self.needs.subscriptions && standing_of(run.flags).counts() {
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
                table.mark(mark, group, self.window.marks(span.bits()));
            }
        }
        if self.needs.seats {
            let (standing, trial) = (standing_of(run.flags), run.flags & TRIAL != 0);
            let (free, switches) = (self.plan.sku_free[run.sku as usize], self.plan.query.switches);
            let first = self.chunk.count_at(subscription, offset);
            self.add_seats(SeatRule::of(standing, trial, free, switches), first, columns.clone(), group, table);
            if self.needs.seat_reasons {
                for (column, at) in columns.zip(first..) {
                    table.explain(group, column, self.chunk.counts(at).reasons(standing, trial, free, switches));
                }
            }
        }
    }

    /// Adds the seats of months in which one rule holds.
    pub fn add_seats(&self, rule: SeatRule, first: usize, columns: Range<usize>, group: u32, table: &mut Table) {
        let (chunk, counts) = (self.chunk, first..first + columns.len());
        if rule.available {
            if let Some(sums) = table.sums_between(Sum::Available, group, &columns) {
                chunk.seats.add_to(counts.clone(), sums);
            }
            if let Some(sums) = table.sums_between(Sum::Assigned, group, &columns) {
                chunk.assigned.add_to(counts.clone(), sums);
            }
            if let Some(sums) = table.sums_between(Sum::DeploymentOpportunity, group, &columns) {
                chunk.seats.add_excess_to(&chunk.assigned, counts.clone(), sums);
            }
            if let Some(sums) = table.sums_between(Sum::IdleSeats, group, &columns) {
                chunk.assigned.add_excess_to(&chunk.active_assigned, counts.clone(), sums);
            }
        }
        if rule.active
            && let Some(sums) = table.sums_between(Sum::Active, group, &columns)
        {
            chunk.active.add_to(counts, sums);
        }
    }

    fn read_revenue(&self, table: &mut Table) {
        for bit in self.window.in_range() {
            let offset = self.window.offset(bit);
            for row in self.chunk.months.get(offset).map_or(&[][..], |month| &month.revenue) {
                let position = row.subscription as usize;
                let subscription = &self.chunk.subscriptions[position];
                let customer = self.chunk.customer_of[position] as usize;
                let run = self.chunk.run_at(subscription, offset).filter(|run| {
                    self.plan.customer_passes(&self.chunk.customers[customer])
                        && self.subscription_passes(position)
                        && self.plan.matches(subscription, run)
                });
                let Some(run) = run else { continue };
                self.groups_of(self.customer_part(customer), position, run, |key, what, pair| {
                    let group = table.group(key, what, pair);
                    table.bill(row.currency, group, self.window.column(bit), row.amount);
                });
            }
        }
    }
}

fn passes(filter: Option<&[bool]>, code: u32) -> bool {
    filter.is_none_or(|passes| passes[code as usize])
}

impl Plan<'_> {
    /// The customer-level filters hold.
    #[inline]
    pub fn customer_passes(&self, customer: &ChunkCustomer) -> bool {
        passes(self.countries.as_deref(), customer.country)
            && passes(self.segments.as_deref(), customer.segment)
            && passes(self.industries.as_deref(), customer.industry)
            && self.customers.as_ref().is_none_or(|ids| ids.contains(&customer.header.id))
    }

    /// What does not change with the month passes.
    #[inline]
    pub fn subscription_passes(&self, chunk: &Chunk, position: usize) -> bool {
        let subscription = &chunk.subscriptions[position];
        passes(self.sales_channels.as_deref(), subscription.sales_channel)
            && passes(self.pricing_models.as_deref(), subscription.pricing_model)
            && self.names_subscription(chunk, position)
    }

    /// It is one of the subscriptions asked for by id, if any are.
    #[inline]
    fn names_subscription(&self, chunk: &Chunk, position: usize) -> bool {
        self.subscriptions.as_ref().is_none_or(|ids| {
            let owner = &chunk.customers[chunk.customer_of[position] as usize];
            ids.contains(&owner.header.subscriptions[position - owner.first_subscription as usize].id)
        })
    }

    /// What holds for the months of a run passes.
    #[inline]
    pub fn matches(&self, subscription: &ChunkSubscription, run: &Run) -> bool {
        let (seller, attributions) = run.terms(subscription);
        self.flags[usize::from(run.flags)]
            && self.sku_passes.get(run.sku as usize).is_some_and(|passes| *passes)
            && self.seller_passes(seller, attributions != 0)
            && !self.pairs[attributions as usize].is_empty()
    }

    /// The combinations a subscription of a SKU falls into.
    pub fn whats_of(&self, sku: u32) -> &[u32] {
        self.whats_of_sku.get(sku as usize).map_or(&[], Vec::as_slice)
    }

    /// A reported usage row without attributions counts; one with some, when one of them passes and is of the group.
    pub fn usage_passes(&self, attributions: u32, pair: Key) -> bool {
        attributions == 0 || self.usage_pairs[attributions as usize].contains(&pair)
    }
}

/// The seller in a key's code.
pub fn seller_of(code: u32) -> Option<&'static str> {
    Seller::from_code(code.checked_sub(1)?).map(Seller::name)
}
