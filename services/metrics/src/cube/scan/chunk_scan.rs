//! Reads one chunk for a query.

use crate::cube::compile::codes::PlacedChunk;
use crate::cube::compile::compiled_query::CompiledQuery;
use crate::cube::compile::dimensions::DimensionColumn;
use crate::cube::compile::keys::GroupKey;
use crate::cube::compile::projection::{Projection, Sum};
use crate::cube::data::chunk::{AttributeRun, CustomerChunk, NOT_CONSTANT};
use crate::cube::scan::accumulators::Accumulators;
use crate::cube::scan::constant_runs::{ANYTHING, CUSTOMERS, SEATS, add_sums, read_constant_run};
use crate::cube::scan::customers::{count_customer, count_whole};
use crate::cube::scan::revenue::read_revenue;
use crate::cube::scan::runs::{count_parts, read_runs};
use crate::cube::scan::scratch::Scratch;
use crate::cube::scan::users::count_users;
use crate::cube::scan::window::ScanWindow;

/// One chunk under a query.
pub struct ChunkScan<'p, 'a> {
    pub(super) compiled: &'p CompiledQuery<'a>,
    pub(super) chunk: &'p CustomerChunk,
    pub(super) placed: &'p PlacedChunk<'a>,
    pub(super) projection: &'p Projection,
    pub(super) window: ScanWindow,
    /// Constant runs tell all that the query needs of the subscriptions that have one.
    constant_runs_suffice: bool,
    /// It matters what comes from detail: some other figure of the partner comes from a report.
    pub(super) needs_detail: bool,
    /// Seats with use are asked for, and of some in the chunk there may be more than is known.
    pub(super) bounded_seats: bool,
    /// The query takes every subscription with a constant run, and all of a customer's are in one group.
    takes_all: bool,
    /// Customers that never had so many seats are passed over.
    least_seats: u64,
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
        let window = ScanWindow::new(chunk, first.max(compiled.range().floor.index()), accumulators)?;
        let include_grace = compiled.query().switches.include_grace;
        Some(Self {
            compiled,
            chunk,
            placed,
            projection,
            window,
            constant_runs_suffice: !compiled.grouping().by_state && !projection.seat_reasons && !include_grace,
            needs_detail: projection.sources.any() && compiled.chunks().have_reports(),
            bounded_seats: projection.bounded_seats && chunk.months.iter().any(|month| !month.lower_bound.is_empty()),
            takes_all: compiled.takes_all_of(chunk),
            least_seats: 0,
        })
    }

    /// Passes over customers that never had so many seats.
    #[must_use]
    pub fn with_least_seats(self, least_seats: u64) -> Self {
        Self { least_seats, ..self }
    }

    /// Adds what the query needs to `accumulators`.
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
            read_revenue(self, accumulators);
        }
    }

    /// Every customer passes, and it does not matter which is which: seats are pre-aggregated, but for a few.
    fn read_sums_or_customers(&self, accumulators: &mut Accumulators, scratch: &mut Scratch) {
        let Some(sums) = &self.chunk.pre_aggregates.seats else {
            return self.read_customers::<SEATS>(accumulators, scratch);
        };
        for (attributes, sums) in self.chunk.pre_aggregates.attributes.iter().zip(sums) {
            add_sums(self, self.compiled.attribute_groups().group(*attributes), sums, accumulators, scratch);
        }
        for position in self.chunk.pre_aggregates.varying.iter().map(|position| *position as usize) {
            if self.is_named(position) {
                read_runs(self, self.chunk.customer_of[position] as usize, 0, position, accumulators, scratch);
            }
        }
    }

    #[inline(never)]
    fn read_customers<const FOR: u8>(&self, accumulators: &mut Accumulators, scratch: &mut Scratch) {
        let read = |customer| self.read_customer::<FOR>(customer, accumulators, scratch);
        match self.compiled.customers_of(self.placed) {
            Some(customers) => customers.for_each(read),
            None => (0..self.chunk.customers.len()).for_each(read),
        }
    }

    #[inline]
    fn read_customer<const FOR: u8>(&self, customer: usize, accumulators: &mut Accumulators, scratch: &mut Scratch) {
        let owner = &self.chunk.customers[customer];
        if owner.most_seats < self.least_seats || !self.compiled.predicate().customer(owner) {
            return;
        }
        let part = self.customer_part(customer);
        scratch.begin();
        if FOR == CUSTOMERS
            && let Some(counted) = owner.counted.filter(|_| self.takes_all)
        {
            return count_whole(self, customer, part, self.window.cut(counted), accumulators, scratch);
        }
        for position in owner.subscriptions() {
            let run = &self.chunk.constant_runs[position];
            if self.constant_runs_suffice && run.attributes != NOT_CONSTANT {
                read_constant_run::<FOR>(self, part, position, run, accumulators, scratch);
                continue;
            }
            if self.is_named(position) {
                read_runs(self, customer, part, position, accumulators, scratch);
            }
        }
        if FOR == ANYTHING && !scratch.counted_parts.is_empty() {
            count_parts(self, accumulators, scratch);
        }
        for (group, months) in scratch.counted_months.iter().filter(|_| FOR != SEATS) {
            count_customer(self, customer, *group, *months, accumulators);
        }
        if self.projection.users {
            count_users(self, customer, part, accumulators, scratch);
        }
    }

    /// The subscription is one of those asked for by id, if any are.
    #[inline]
    pub(super) fn is_named(&self, position: usize) -> bool {
        self.compiled.predicate().names_subscription(self.chunk, position)
    }

    /// The part of the key that a customer gives.
    #[inline]
    pub(super) fn customer_part(&self, customer: usize) -> GroupKey {
        if !self.compiled.grouping().by_own {
            return 0;
        }
        let columns = &self.chunk.customers[customer];
        self.compiled.layout().customer_part(&columns.texts, self.placed.customer_code(customer))
    }

    /// The part of the key that a subscription itself gives.
    #[inline]
    pub(super) fn subscription_part(&self, position: usize) -> GroupKey {
        let code = self.placed.subscription_code(position);
        self.compiled.layout().part(DimensionColumn::Subscription, code)
    }

    /// Calls `each` with every group that a matching subscription falls into during a run: its key, its combination of product,
    /// SKU and service, and the part of the key that an attribution gives.
    pub(super) fn groups_of(
        &self,
        customer_part: GroupKey,
        position: usize,
        run: &AttributeRun,
        mut each: impl FnMut(GroupKey, u32, GroupKey),
    ) {
        let compiled = self.compiled;
        let mut each = |key, product_key, attribution_part| {
            if compiled.wants(key) {
                each(key, product_key, attribution_part);
            }
        };
        if !compiled.grouping().splits_customers {
            each(customer_part, 0, 0);
            return;
        }
        let attributes = run.attributes(&self.chunk.subscriptions[position]);
        let mut base = customer_part;
        if compiled.grouping().splits_subscriptions {
            base += self.subscription_part(position)
                + compiled.layout().attributes_part(&attributes)
                + compiled.layout().state_part(run.flags);
        }
        for product_key in compiled.products().of_sku(run.sku) {
            for attribution_part in compiled.attributions().of_subscription(attributes.attributions) {
                let part = compiled.products().key(*product_key).part;
                each(base + part + attribution_part, *product_key, *attribution_part);
            }
        }
    }
}
