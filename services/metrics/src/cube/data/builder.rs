//! Puts a chunk together, customer by customer, in the order of their numbers.

use std::collections::HashMap;
use std::sync::Arc;

use insights_domain::calendar::Month;
use insights_domain::facts::{Seller, SubscriptionNumber};
use insights_domain::rollup::{MonthRollup, SubscriptionMonth};
use insights_domain::standing::is_paid;

use crate::cube::data::chunk::{
    ACTIVE_REPORTED, ACTIVE_UNKNOWN, ASSIGNED_REPORTED, AttributeRun, Attributes, CARRIED, ChunkCustomer,
    ChunkSubscription, ClassKind, ClassRow, ConstantRun, CustomerChunk, HAS_STATE, MonthColumns, NO_SELLER,
    NOT_CONSTANT, RevenueRow, SEATS_REPORTED, STANDING_SHIFT, TRIAL, UsageRow, standing_of,
};
use crate::cube::data::columns::{CustomerText, SubscriptionText};
use crate::cube::data::counts::{Counts, SeatColumns};
use crate::cube::data::cube::CustomerUpdate;
use crate::cube::data::dictionary::{Dictionaries, Dictionary};
use crate::cube::data::pre_aggregates::pre_aggregate;
use crate::rollups::header::{CustomerHeader, SubscriptionHeader};

/// Months of a customer that are taken over from the chunk before, as they stand in its columns.
#[derive(Clone, Copy)]
struct KeptMonths<'o> {
    chunk: &'o CustomerChunk,
    customer: usize,
    /// The offset of the first month that is not.
    until: usize,
}

/// A customer of the new chunk.
struct CustomerPart<'o> {
    header: Arc<CustomerHeader>,
    kept: Option<KeptMonths<'o>>,
    /// Every later month of which something is known.
    months: Vec<(Month, MonthRollup)>,
}

impl<'o> CustomerPart<'o> {
    /// A customer of the chunk before, with what changed of it.
    fn changed(
        chunk: &'o CustomerChunk,
        customer: usize,
        update: Option<CustomerUpdate>,
        dictionaries: &Dictionaries,
    ) -> Self {
        let before = &chunk.customers[customer].header;
        let kept = |until| Some(KeptMonths { chunk, customer, until });
        let Some(CustomerUpdate { header, from, mut months }) = update else {
            return Self { header: before.clone(), kept: kept(chunk.months.len()), months: Vec::new() };
        };
        let numbers = |header: &CustomerHeader| -> Vec<SubscriptionNumber> {
            header.subscriptions.iter().map(|subscription| subscription.number).collect()
        };
        if numbers(before) == numbers(&header) {
            let until = usize::try_from(from.index() - chunk.first).unwrap_or_default().min(chunk.months.len());
            return Self { header: Arc::new(header), kept: kept(until), months };
        }
        // What users hold is kept by the positions of subscriptions, and those have moved.
        let mut all = chunk.months_of(before.number, dictionaries).unwrap_or_default();
        all.retain(|(month, _)| *month < from);
        all.append(&mut months);
        Self { header: Arc::new(header), kept: None, months: all }
    }

    /// The indexes of the first and last month of which something is known.
    fn bounds(&self) -> Option<(i32, i32)> {
        let kept = self.kept.and_then(|kept| {
            let known = |offset: &usize| kept.chunk.knows(kept.customer, *offset);
            let index = |offset: usize| Some(kept.chunk.first + i32::try_from(offset).ok()?);
            Some((index((0..kept.until).find(known)?)?, index((0..kept.until).rfind(known)?)?))
        });
        let new = self.months.first().zip(self.months.last());
        let new = new.map(|((first, _), (last, _))| (first.index(), last.index()));
        match (kept, new) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (kept, new) => kept.or(new),
        }
    }
}

/// A chunk in the making.
pub struct ChunkBuilder<'a> {
    chunk: CustomerChunk,
    counts: [Vec<u32>; 4],
    grace: HashMap<usize, u32>,
    dictionaries: &'a mut Dictionaries,
    // By code in the dictionaries of the chunk before: that in the new one's, once it has one.
    kinds: Vec<Option<u32>>,
    held: Vec<Option<u32>>,
}

impl<'a> ChunkBuilder<'a> {
    /// A chunk with `updates` in the place of what `old` holds of these customers.
    pub fn rebuilt(
        old: Option<&CustomerChunk>,
        mut updates: HashMap<i64, CustomerUpdate>,
        dictionaries: &'a mut Dictionaries,
    ) -> CustomerChunk {
        let mut parts = Vec::new();
        if let Some(old) = old {
            for (customer, columns) in old.customers.iter().enumerate() {
                let update = updates.remove(&columns.header.number);
                parts.push(CustomerPart::changed(old, customer, update, dictionaries));
            }
        }
        let new = updates.into_values();
        parts.extend(new.map(|new| CustomerPart { header: Arc::new(new.header), kept: None, months: new.months }));
        parts.sort_by_key(|part| part.header.number);
        let mut builder = Self {
            chunk: CustomerChunk::default(),
            counts: Default::default(),
            grace: HashMap::new(),
            dictionaries,
            kinds: vec![None; old.map_or(0, |old| old.classes.kinds.values().len())],
            held: vec![None; old.map_or(0, |old| old.classes.held.values().len())],
        };
        builder.lay_out(&parts);
        for (position, part) in parts.iter().enumerate() {
            builder.add_customer(position, part);
        }
        builder.finished()
    }

    /// Makes room for every customer and month.
    fn lay_out(&mut self, parts: &[CustomerPart<'_>]) {
        let bounds = parts.iter().filter_map(CustomerPart::bounds);
        let bounds = bounds.reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)));
        let Some((first, last)) = bounds else { return };
        self.chunk.first = first;
        self.chunk.months = (first..=last).map(|_| MonthColumns::default()).collect();
        self.chunk.active_services = vec![0; parts.len() * self.chunk.months.len()];
    }

    fn finished(mut self) -> CustomerChunk {
        let [sold, assigned, active, active_assigned] = self.counts.map(Counts::from);
        let seats = SeatColumns { sold, assigned, active, active_assigned, grace: self.grace };
        let reported = self.chunk.runs.iter().any(|run| run.reported != 0)
            || self.chunk.months.iter().any(|month| !month.usage.is_empty());
        self.chunk = CustomerChunk { seats, reported, ..self.chunk };
        self.chunk.runs.shrink_to_fit();
        self.chunk.constant_runs.shrink_to_fit();
        self.chunk.subscriptions.shrink_to_fit();
        pre_aggregate(&mut self.chunk);
        self.chunk
    }

    fn add_customer(&mut self, customer: usize, part: &CustomerPart<'_>) {
        let header = &part.header;
        self.chunk.customers.push(ChunkCustomer {
            texts: CustomerText::ALL.map(|text| self.dictionaries.texts.code(text.of(header))),
            first_subscription: count(self.chunk.subscriptions.len()),
            subscription_count: count(header.subscriptions.len()),
            header: header.clone(),
            counted: None,
            most_seats: 0,
        });
        if let Some(kept) = part.kept {
            self.keep_months(customer, kept);
        }
        let mut rows: Vec<Vec<(usize, &SubscriptionMonth)>> = vec![Vec::new(); header.subscriptions.len()];
        let position_of = |number: &SubscriptionNumber| {
            header.subscriptions.binary_search_by_key(number, |subscription| subscription.number).ok()
        };
        for (month, rollup) in &part.months {
            let Some(offset) = self.chunk.offset(month.index()) else { continue };
            for row in &rollup.subscriptions {
                if let Some(position) = position_of(&row.subscription) {
                    rows[position].push((offset, row));
                }
            }
            self.add_month(customer, offset, rollup, &position_of);
        }
        let first_subscription = count(self.chunk.subscriptions.len());
        for (position, (subscription, rows)) in header.subscriptions.iter().zip(&rows).enumerate() {
            self.chunk.customer_of.push(count(customer));
            let first_run = self.chunk.runs.len();
            self.chunk.subscriptions.push(ChunkSubscription {
                number: subscription.number,
                texts: SubscriptionText::ALL.map(|text| self.dictionaries.texts.code(text.of(subscription))),
                seller: subscription.seller.code(),
                attributions: self.dictionaries.attribute(&subscription.attributions),
                first_run: count(first_run),
                run_count: 0,
                first_count: count(self.counts[0].len()),
                whole: first_subscription + whole_of(&header.subscriptions, position),
                in_parts: in_parts(&header.subscriptions, position),
            });
            self.chunk.has_parts |= subscription.number.is_part();
            if let Some(kept) = part.kept {
                self.keep_rows(kept, position);
            }
            self.add_rows(rows, first_run);
        }
        for columns in &mut self.chunk.months {
            columns.class_ends.push(count(columns.classes.len()));
        }
    }

    /// Takes over what is known of the customer itself, and its revenue.
    fn keep_months(&mut self, customer: usize, kept: KeptMonths<'_>) {
        let (old, months) = (kept.chunk, self.chunk.months.len());
        let (from, to) = (old.customers[kept.customer].subscriptions(), self.chunk.subscriptions.len());
        for offset in 0..kept.until {
            let Some(place) = self.chunk.offset(old.first + i32::try_from(offset).unwrap_or_default()) else {
                continue;
            };
            let columns = &old.months[offset];
            self.chunk.active_services[customer * months + place] = old.active_services(kept.customer, offset);
            self.bound(customer, place, columns.lower_bound_of(kept.customer));
            let first = columns.revenue.partition_point(|row| (row.subscription as usize) < from.start);
            let revenue = columns.revenue[first..].iter().take_while(|row| (row.subscription as usize) < from.end);
            self.chunk.months[place].revenue.extend(
                revenue
                    .map(|row| RevenueRow { subscription: count(row.subscription as usize - from.start + to), ..*row }),
            );
            let usage = columns.usage_of(kept.customer).iter();
            self.chunk.months[place].usage.extend(usage.map(|row| UsageRow { customer: count(customer), ..*row }));
            for row in columns.classes_of(kept.customer) {
                let kind = self.kept_kind(old, row.kind);
                self.chunk.months[place].classes.push(ClassRow { kind, users: row.users });
            }
        }
    }

    /// Notes the services of a customer whose use may be greater than what is known.
    fn bound(&mut self, customer: usize, offset: usize, services: u32) {
        if services != 0 {
            self.chunk.months[offset].lower_bound.push((count(customer), services));
        }
    }

    /// The code of a kind of the chunk before. Kinds without users are left behind.
    fn kept_kind(&mut self, old: &CustomerChunk, code: u32) -> u32 {
        if let Some(code) = self.kinds[code as usize] {
            return code;
        }
        let kind = *old.classes.kinds.value(code);
        let mut held = |code: u32| {
            let chunk = &mut self.chunk;
            *self.held[code as usize].get_or_insert_with(|| chunk.classes.held.code(old.classes.held.value(code)))
        };
        let kind = ClassKind { held: held(kind.held), held_before: held(kind.held_before), ..kind };
        *self.kinds[code as usize].insert(self.chunk.classes.kinds.code(&kind))
    }

    /// Takes over the months of the last subscription, which is at a position among its customer's.
    fn keep_rows(&mut self, kept: KeptMonths<'_>, position: usize) {
        let (old, until) = (kept.chunk, kept.until);
        let subscription = &old.subscriptions[old.customers[kept.customer].subscriptions().start + position];
        let shift = old.first - self.chunk.first;
        let moved = |offset: usize| {
            u16::try_from(i32::try_from(offset).unwrap_or(i32::MAX).saturating_add(shift)).unwrap_or(u16::MAX)
        };
        let runs = old.runs_of(subscription).iter().filter(|run| usize::from(run.from) < until);
        let (mut first, mut end) = (None, 0);
        for run in runs {
            first.get_or_insert(usize::from(run.from));
            end = usize::from(run.to).min(until);
            self.chunk.runs.push(AttributeRun { from: moved(run.from.into()), to: moved(end), ..*run });
        }
        let start = subscription.first_count as usize;
        for at in start..start + end - first.unwrap_or_default() {
            let counts = old.counts(at);
            self.note_grace_at(self.counts[0].len(), counts.grace);
            let counts = [counts.seats, counts.assigned, counts.active, counts.active_assigned];
            for (column, value) in self.counts.iter_mut().zip(counts) {
                column.push(value);
            }
        }
    }

    /// Adds months of the last subscription, in their order.
    fn add_rows(&mut self, rows: &[(usize, &SubscriptionMonth)], first_run: usize) {
        let position = self.chunk.subscriptions.len() - 1;
        let start = self.chunk.subscriptions[position].first_count as usize;
        for (offset, row) in rows {
            let run = self.run_of(*offset, row);
            match self.chunk.runs[first_run..].last_mut() {
                Some(last) if last.to == run.from && (AttributeRun { from: run.from, to: run.to, ..*last }) == run => {
                    last.to = run.to;
                }
                _ => self.chunk.runs.push(run),
            }
            let first = usize::from(self.chunk.runs[first_run].from);
            let counts = [row.seats, row.assigned, row.active, row.active_assigned];
            for (column, value) in self.counts.iter_mut().zip(counts) {
                // Months of which nothing is known, between others, count nothing.
                column.resize(start + offset - first, 0);
                column.push(value);
            }
            self.note_grace_at(start + offset - first, row.grace);
            for (currency, amount) in &row.revenue {
                let currency = self.dictionaries.texts.code(&Some(currency.clone()));
                let revenue = RevenueRow { subscription: count(position), currency, amount: *amount };
                self.chunk.months[*offset].revenue.push(revenue);
            }
        }
        let runs = &self.chunk.runs[first_run..];
        self.chunk.subscriptions[position].run_count = count(runs.len());
        let constant_run = constant_run(&self.chunk.subscriptions[position], runs, &mut self.dictionaries.attributes);
        self.chunk.constant_runs.push(constant_run.unwrap_or(ConstantRun::NONE));
    }

    /// Notes seats in grace beside the counts at a position.
    fn note_grace_at(&mut self, position: usize, grace: u32) {
        if grace > 0 {
            self.grace.insert(position, grace);
        }
    }

    fn run_of(&mut self, offset: usize, row: &SubscriptionMonth) -> AttributeRun {
        let bit = |set: bool, flag: u8| if set { flag } else { 0 };
        let from = u16::try_from(offset).unwrap_or(u16::MAX);
        AttributeRun {
            from,
            to: from.saturating_add(1),
            sku: row.sku,
            attributions: self.dictionaries.attribute(&row.attributions),
            seller: row.seller.map_or(NO_SELLER, Seller::code),
            flags: bit(row.trial, TRIAL) | bit(row.has_state, HAS_STATE) | row.standing.code() << STANDING_SHIFT,
            reported: bit(row.reported.seats, SEATS_REPORTED)
                | bit(row.reported.assigned, ASSIGNED_REPORTED)
                | bit(row.reported.active, ACTIVE_REPORTED)
                | bit(row.carried, CARRIED)
                | bit(row.active_unknown, ACTIVE_UNKNOWN),
        }
    }

    /// Adds what is known of the customer itself in a month.
    fn add_month(
        &mut self,
        customer: usize,
        offset: usize,
        rollup: &MonthRollup,
        position_of: &impl Fn(&SubscriptionNumber) -> Option<usize>,
    ) {
        let lower_bound = self.dictionaries.services.code(&rollup.lower_bound_services);
        self.bound(customer, offset, lower_bound);
        let dictionaries = &mut *self.dictionaries;
        let months = self.chunk.months.len();
        self.chunk.active_services[customer * months + offset] = dictionaries.services.code(&rollup.active_services);
        let columns = &mut self.chunk.months[offset];
        for row in &rollup.reported_usage {
            columns.usage.push(UsageRow {
                customer: count(customer),
                service: row.service,
                active_users: row.active_users,
                total_users: row.total_users,
                carried: row.carried,
                attributions: dictionaries.attribute(&row.attributions),
            });
        }
        for class in &rollup.classes {
            let positions =
                |numbers: &[SubscriptionNumber]| numbers.iter().filter_map(position_of).map(count).collect::<Vec<_>>();
            let kind = ClassKind {
                active_services: dictionaries.services.code(&class.active_services),
                held: self.chunk.classes.held.code(&positions(&class.held)),
                held_before: self.chunk.classes.held.code(&positions(&class.held_before)),
                licensed: dictionaries.services.code(&class.licensed),
                licensed_before: dictionaries.services.code(&class.licensed_before),
            };
            columns.classes.push(ClassRow { kind: self.chunk.classes.kinds.code(&kind), users: class.users });
        }
    }
}

/// The position, among its customer's, of the subscription that one is a part of.
fn whole_of(subscriptions: &[SubscriptionHeader], position: usize) -> u32 {
    let whole = subscriptions[position].number.whole();
    count(subscriptions[..position].iter().rposition(|it| it.number == whole).unwrap_or(position))
}

/// Whether a subscription has parts beside it.
fn in_parts(subscriptions: &[SubscriptionHeader], position: usize) -> bool {
    let number = subscriptions[position].number;
    number.is_part() || subscriptions.get(position + 1).is_some_and(|next| next.number.whole() == number)
}

/// The constant run of a subscription, if it has one.
fn constant_run(
    subscription: &ChunkSubscription,
    runs: &[AttributeRun],
    combinations: &mut Dictionary<Attributes>,
) -> Option<ConstantRun> {
    let (first, terms_of) = (runs.first()?, |run: &AttributeRun| (run.sku, run.attributions, run.seller, run.reported));
    let mut constant_run = ConstantRun::NONE;
    for run in runs {
        if terms_of(run) != (first.sku, 0, NO_SELLER, 0) || run.flags & HAS_STATE == 0 || run.to > 64 {
            return None;
        }
        let months = u64::MAX >> (64 - (run.to - run.from)) << run.from;
        let (standing, trial) = (standing_of(run.flags), run.flags & TRIAL != 0);
        constant_run.known |= months;
        constant_run.counted |= if standing.counts() { months } else { 0 };
        constant_run.paid |= if is_paid(standing, trial) { months } else { 0 };
    }
    let code = combinations.code_of_at_most(NOT_CONSTANT.into(), &first.attributes(subscription))?;
    let first_count = subscription.first_count.wrapping_sub(first.from.into());
    Some(ConstantRun { first_count, attributes: u16::try_from(code).ok()?, ..constant_run })
}

/// A length or position as it is stored; chunks are far smaller than its range.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
