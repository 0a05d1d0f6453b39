//! Reads the columns of one chunk for a query: customers, subscriptions, seats, revenue.

use std::ops::Range;

use insights_domain::facts::Seller;
use insights_domain::usage::SeatRule;
use insights_proto::metrics::v1::Dimension;

use crate::cube::compile::codes::PlacedChunk;
use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::compile::keys::GroupKey;
use crate::cube::compile::projection::Projection;
use crate::cube::compile::projection::Sum;
use crate::cube::data::chunk::{
    ACTIVE_REPORTED, ASSIGNED_REPORTED, AttributeRun, ChunkCustomer, ChunkSubscription, CustomerChunk, HAS_STATE,
    NOT_CONSTANT, SEATS_REPORTED, TRIAL, standing_of,
};
use crate::cube::scan::accumulators::{Accumulators, Mark};
use crate::cube::scan::constant_runs::{ANYTHING, CUSTOMERS, SEATS};
use crate::cube::scan::scratch::{CountedMonths, Scratch};
use crate::cube::scan::window::{Months, RunMonths, ScanWindow};

/// One chunk under a query.
pub struct ChunkScan<'p, 'a> {
    pub compiled: &'p CompiledQuery<'a>,
    pub chunk: &'p CustomerChunk,
    pub placed: &'p PlacedChunk<'a>,
    pub projection: &'p Projection,
    pub window: ScanWindow,
    /// Lifespans tell all of steady subscriptions that the query needs.
    constant_runs_suffice: bool,
    /// It matters what comes from detail: some other figure of the partner comes from a report.
    pub needs_detail: bool,
    /// Seats with use are asked for, and of some in the chunk there may be more than is known.
    pub bounded_seats: bool,
    /// The query takes every steady subscription of the chunk, and all of a customer's are in one group.
    takes_all: bool,
    /// Customers that never had so many seats are passed over.
    pub least_seats: u64,
}

impl<'p, 'a> ChunkScan<'p, 'a> {
    /// `None` when the chunk has nothing for the query.
    pub fn new(
        compiled: &'p CompiledQuery<'a>,
        placed: &'p PlacedChunk<'a>,
        projection: &'p Projection,
        accumulators: &Accumulators,
    ) -> Option<Self> {
        let chunk = placed.chunk;
        let returning = projection.sums(Sum::Returning);
        let first = if returning { chunk.first_month()?.index() } else { accumulators.first };
        let window = ScanWindow::new(chunk, first.max(compiled.floor), accumulators)?;
        let constant_runs_suffice =
            !compiled.flags_matter && !projection.seat_reasons && !compiled.query.switches.include_grace;
        let bounded_seats = projection.bounded_seats && chunk.months.iter().any(|month| !month.lower_bound.is_empty());
        let needs_detail = projection.source() && compiled.reports;
        let takes_all = compiled.takes_all_of(chunk);
        let least_seats = 0;
        Some(Self {
            compiled,
            chunk,
            placed,
            projection,
            window,
            constant_runs_suffice,
            needs_detail,
            bounded_seats,
            takes_all,
            least_seats,
        })
    }

    /// Reads what the query needs into `table`.
    pub fn read(&self, accumulators: &mut Accumulators, scratch: &mut Scratch) {
        let projection = self.projection;
        let more = self.needs_detail || self.bounded_seats || projection.subscriptions || !self.constant_runs_suffice;
        match (projection.customers, projection.seats) {
            (true, false) if !more => self.read_customers::<CUSTOMERS>(accumulators, scratch),
            (false, true) if !more && self.compiled.takes_every_customer() && !projection.users => {
                self.read_sums_or_customers(accumulators, scratch);
            }
            (false, true) if !more => self.read_customers::<SEATS>(accumulators, scratch),
            _ => self.read_customers::<ANYTHING>(accumulators, scratch),
        }
        if projection.revenue {
            self.read_revenue(accumulators);
        }
    }

    /// Every customer passes, and it does not matter which is which: seats are summed already, but for a few.
    fn read_sums_or_customers(&self, accumulators: &mut Accumulators, scratch: &mut Scratch) {
        let Some(sums) = &self.chunk.pre_aggregates.seats else {
            return self.read_customers::<SEATS>(accumulators, scratch);
        };
        for (attributes, sums) in self.chunk.pre_aggregates.attribute_groups.iter().zip(sums) {
            self.add_sums(&self.compiled.attribute_groups.plans[usize::from(*attributes)], sums, accumulators, scratch);
        }
        for position in self.chunk.pre_aggregates.varying.iter().map(|position| *position as usize) {
            if self.subscription_passes(position) {
                self.read_runs(self.chunk.customer_of[position] as usize, 0, position, accumulators, scratch);
            }
        }
    }

    #[inline(never)]
    fn read_customers<const FOR: u8>(&self, accumulators: &mut Accumulators, scratch: &mut Scratch) {
        let read = |customer| self.read_customer::<FOR>(customer, accumulators, scratch);
        match self.compiled.limit.as_ref().and_then(|limit| limit.customers_of(self.placed)) {
            Some(customers) => customers.for_each(read),
            None => (0..self.chunk.customers.len()).for_each(read),
        }
    }

    #[inline]
    fn read_customer<const FOR: u8>(&self, customer: usize, accumulators: &mut Accumulators, scratch: &mut Scratch) {
        let owner = &self.chunk.customers[customer];
        if owner.most_seats < self.least_seats || !self.compiled.customer_passes(owner) {
            return;
        }
        let part = self.customer_part(customer);
        scratch.begin();
        if FOR == CUSTOMERS
            && let Some(counted) = owner.counted.filter(|_| self.takes_all)
        {
            return self.count_whole(customer, part, self.window.cut(counted), accumulators, scratch);
        }
        for position in owner.subscriptions() {
            let constant_run = &self.chunk.constant_runs[position];
            if self.constant_runs_suffice && constant_run.attributes != NOT_CONSTANT {
                self.read_constant::<FOR>(part, position, constant_run, accumulators, scratch);
                continue;
            }
            if self.subscription_passes(position) {
                self.read_runs(customer, part, position, accumulators, scratch);
            }
        }
        for (group, counted_months) in scratch.counted_months.iter().filter(|_| FOR != SEATS) {
            self.count_customer(customer, *group, *counted_months, accumulators);
        }
        if self.projection.users {
            self.count_users(customer, part, accumulators, scratch);
        }
    }

    /// Apart from the rest, which is short and quick because of it.
    #[inline(never)]
    fn read_runs(
        &self,
        customer: usize,
        part: GroupKey,
        position: usize,
        accumulators: &mut Accumulators,
        scratch: &mut Scratch,
    ) {
        let subscription = &self.chunk.subscriptions[position];
        scratch.found = None;
        for run in self.chunk.runs_of(subscription) {
            let Some(span) = self.window.span(run).filter(|_| self.compiled.flags[usize::from(run.flags)]) else {
                continue;
            };
            self.find_groups(part, position, run, accumulators, scratch);
            for at in 0..scratch.groups.len() {
                let group = scratch.groups[at];
                if self.projection.customers {
                    self.note_counted_months(subscription, run, span, scratch.counted_months_of(group));
                }
                self.add_run(subscription, run, span, group, accumulators);
                if self.bounded_seats {
                    self.mark_lower_bound(customer, run, span, group, accumulators);
                }
            }
        }
    }

    /// What does not change with the month passes.
    pub fn subscription_passes(&self, position: usize) -> bool {
        self.compiled.subscription_passes(self.chunk, position)
    }

    /// It is one of the subscriptions asked for by id, if any are.
    pub fn is_named(&self, position: usize) -> bool {
        self.compiled.names_subscription(self.chunk, position)
    }

    /// The groups a subscription falls into during a run: those of its last run, unless what they depend on differs.
    pub fn find_groups(
        &self,
        part: GroupKey,
        position: usize,
        run: &AttributeRun,
        accumulators: &mut Accumulators,
        scratch: &mut Scratch,
    ) {
        let flags = if self.compiled.splits_subscriptions { run.flags } else { 0 };
        let found = Some((run.sku, run.attributions, run.seller, flags));
        if scratch.found == found {
            return;
        }
        scratch.found = found;
        scratch.groups.clear();
        if self.compiled.matches(&self.chunk.subscriptions[position], run) {
            self.groups_of(part, position, run, |key, product_key, attribution_key| {
                scratch.groups.push(accumulators.group(key, product_key, attribution_key))
            });
        }
    }

    fn customer_part(&self, customer: usize) -> GroupKey {
        if !self.compiled.keys_vary {
            return 0;
        }
        let (layout, columns) = (&self.compiled.layout, &self.chunk.customers[customer]);
        let code = self.placed.customers + 1 + u32::try_from(customer).unwrap_or_default();
        layout.part(Dimension::Country, columns.country)
            + layout.part(Dimension::Segment, columns.segment)
            + layout.part(Dimension::Industry, columns.industry)
            + layout.part(Dimension::Customer, code)
    }

    /// Calls `each` with every group a matching subscription falls into during a run.
    pub fn groups_of(
        &self,
        customer: GroupKey,
        position: usize,
        run: &AttributeRun,
        mut each: impl FnMut(GroupKey, u32, GroupKey),
    ) {
        let compiled = self.compiled;
        let mut each = |key, product_key, attribution_key| {
            if compiled.limit.as_ref().is_none_or(|limit| limit.keys.contains(&key)) {
                each(key, product_key, attribution_key);
            }
        };
        if !compiled.splits_customers {
            each(customer, 0, 0);
            return;
        }
        let subscription = &self.chunk.subscriptions[position];
        let (seller, attributions) = run.terms(subscription);
        let mut base = customer;
        if compiled.splits_subscriptions {
            let code = self.placed.subscriptions + 1 + u32::try_from(position).unwrap_or_default();
            base += compiled.layout.part(Dimension::SalesChannel, subscription.sales_channel)
                + compiled.layout.part(Dimension::PricingModel, subscription.pricing_model)
                + compiled.layout.part(Dimension::Subscription, code)
                + compiled.layout.part(Dimension::Seller, u32::from(seller) + 1)
                + compiled.layout.part(Dimension::Standing, u32::from(standing_of(run.flags).code()) + 1)
                + compiled.layout.part(Dimension::Trial, u32::from(run.flags & TRIAL != 0) + 1);
        }
        for product_key in compiled.product_keys_of(run.sku) {
            for attribution_key in &compiled.attribution_keys[attributions as usize] {
                each(
                    base + compiled.product_keys[*product_key as usize].code + attribution_key,
                    *product_key,
                    *attribution_key,
                );
            }
        }
    }

    fn note_counted_months(
        &self,
        subscription: &ChunkSubscription,
        run: &AttributeRun,
        span: RunMonths,
        counted_months: &mut CountedMonths,
    ) {
        if standing_of(run.flags).counts() {
            counted_months.counted |= span.bits();
        }
        if run.reported & ACTIVE_REPORTED != 0 {
            let first = self.chunk.count_at(subscription, span.offset);
            for (bit, at) in (span.from..span.to).zip(first..) {
                counted_months.active_by_report |= Months::from(self.chunk.active.at(at) > 0) << bit;
            }
        }
    }

    fn add_run(
        &self,
        subscription: &ChunkSubscription,
        run: &AttributeRun,
        span: RunMonths,
        group: u32,
        accumulators: &mut Accumulators,
    ) {
        let Some((columns, offset)) = self.window.columns_of(span) else { return };
        if self.projection.subscriptions && standing_of(run.flags).counts() {
            accumulators.add_between(Sum::Subscriptions, group, columns.clone());
        }
        if run.flags & HAS_STATE != 0 {
            let needed = [
                (self.projection.standing_source, SEATS_REPORTED),
                (self.projection.assigned_source, ASSIGNED_REPORTED),
                (self.projection.active_source, ACTIVE_REPORTED),
            ];
            for (_, flag) in needed.into_iter().filter(|(needed, _)| *needed) {
                let mark = if run.reported & flag != 0 { Mark::FromReport } else { Mark::FromDetail };
                accumulators.mark(mark, group, self.window.marks(span.bits()));
            }
        }
        if self.projection.seats {
            let (standing, trial) = (standing_of(run.flags), run.flags & TRIAL != 0);
            let (free, switches) = (self.compiled.sku_free[run.sku as usize], self.compiled.query.switches);
            let first = self.chunk.count_at(subscription, offset);
            self.add_seats(SeatRule::of(standing, trial, free, switches), first, columns.clone(), group, accumulators);
            if self.projection.seat_reasons {
                for (column, at) in columns.zip(first..) {
                    accumulators.explain(group, column, self.chunk.counts(at).reasons(standing, trial, free, switches));
                }
            }
        }
    }

    /// Adds the seats of months in which one rule holds.
    pub fn add_seats(
        &self,
        rule: SeatRule,
        first: usize,
        columns: Range<usize>,
        group: u32,
        accumulators: &mut Accumulators,
    ) {
        let (chunk, counts) = (self.chunk, first..first + columns.len());
        if rule.available {
            if let Some(sums) = accumulators.sums_between(Sum::Available, group, &columns) {
                chunk.seats.add_to(counts.clone(), sums);
            }
            if let Some(sums) = accumulators.sums_between(Sum::Assigned, group, &columns) {
                chunk.assigned.add_to(counts.clone(), sums);
            }
            if let Some(sums) = accumulators.sums_between(Sum::DeploymentOpportunity, group, &columns) {
                chunk.seats.add_excess_to(&chunk.assigned, counts.clone(), sums);
            }
            if let Some(sums) = accumulators.sums_between(Sum::IdleSeats, group, &columns) {
                chunk.assigned.add_excess_to(&chunk.active_assigned, counts.clone(), sums);
            }
        }
        if rule.active
            && let Some(sums) = accumulators.sums_between(Sum::Active, group, &columns)
        {
            chunk.active.add_to(counts, sums);
        }
    }

    fn read_revenue(&self, accumulators: &mut Accumulators) {
        for bit in self.window.in_range() {
            let offset = self.window.offset(bit);
            for row in self.chunk.months.get(offset).map_or(&[][..], |month| &month.revenue) {
                let position = row.subscription as usize;
                let subscription = &self.chunk.subscriptions[position];
                let customer = self.chunk.customer_of[position] as usize;
                let run = self.chunk.run_at(subscription, offset).filter(|run| {
                    self.compiled.customer_passes(&self.chunk.customers[customer])
                        && self.subscription_passes(position)
                        && self.compiled.matches(subscription, run)
                });
                let Some(run) = run else { continue };
                self.groups_of(self.customer_part(customer), position, run, |key, product_key, attribution_key| {
                    let group = accumulators.group(key, product_key, attribution_key);
                    accumulators.bill(row.currency, group, self.window.column(bit), row.amount);
                });
            }
        }
    }
}

fn passes(filter: Option<&[bool]>, code: u32) -> bool {
    filter.is_none_or(|passes| passes[code as usize])
}

impl CompiledQuery<'_> {
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
    pub fn subscription_passes(&self, chunk: &CustomerChunk, position: usize) -> bool {
        let subscription = &chunk.subscriptions[position];
        passes(self.sales_channels.as_deref(), subscription.sales_channel)
            && passes(self.pricing_models.as_deref(), subscription.pricing_model)
            && self.names_subscription(chunk, position)
    }

    /// It is one of the subscriptions asked for by id, if any are.
    #[inline]
    fn names_subscription(&self, chunk: &CustomerChunk, position: usize) -> bool {
        self.subscriptions.as_ref().is_none_or(|ids| {
            let owner = &chunk.customers[chunk.customer_of[position] as usize];
            ids.contains(&owner.header.subscriptions[position - owner.first_subscription as usize].id)
        })
    }

    /// What holds for the months of a run passes.
    #[inline]
    pub fn matches(&self, subscription: &ChunkSubscription, run: &AttributeRun) -> bool {
        let (seller, attributions) = run.terms(subscription);
        self.flags[usize::from(run.flags)]
            && self.sku_passes.get(run.sku as usize).is_some_and(|passes| *passes)
            && self.seller_passes(seller, attributions != 0)
            && !self.attribution_keys[attributions as usize].is_empty()
    }

    /// The combinations a subscription of a SKU falls into.
    pub fn product_keys_of(&self, sku: u32) -> &[u32] {
        self.product_keys_of_sku.get(sku as usize).map_or(&[], Vec::as_slice)
    }

    /// A reported usage row without attributions counts; one with some, when one of them passes and is of the group.
    pub fn usage_passes(&self, attributions: u32, attribution_key: GroupKey) -> bool {
        attributions == 0 || self.usage_attribution_keys[attributions as usize].contains(&attribution_key)
    }
}

/// The seller in a key's code.
pub fn seller_of(code: u32) -> Option<&'static str> {
    Seller::from_code(code.checked_sub(1)?).map(Seller::name)
}
