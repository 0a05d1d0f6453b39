//! Puts a chunk together, customer by customer, in the order of their numbers.

use std::collections::HashMap;
use std::sync::Arc;

use insights_domain::calendar::Month;
use insights_domain::facts::SubscriptionNumber;
use insights_domain::rollup::{MonthRollup, SubscriptionMonth};

use super::chunk::{
    ACTIVE_REPORTED, ASSIGNED_REPORTED, Chunk, ChunkCustomer, ChunkSubscription, ClassKind, ClassRow, HAS_STATE,
    MonthColumns, NO_SELLER, RevenueRow, Run, SEATS_REPORTED, STANDING_SHIFT, TRIAL, UsageRow,
};
use super::counts::Counts;
use super::dictionary::Dictionaries;
use super::header::CustomerHeader;
use super::{CustomerUpdate, seller_code};

/// A customer and its rollups by month.
type Part = (Arc<CustomerHeader>, Vec<(Month, MonthRollup)>);

/// A chunk in the making.
pub(super) struct ChunkBuilder<'a> {
    chunk: Chunk,
    counts: [Vec<u32>; 4],
    dictionaries: &'a mut Dictionaries,
}

impl<'a> ChunkBuilder<'a> {
    /// A chunk with `updates` in the place of what `old` holds of these customers.
    pub(super) fn rebuilt(
        old: Option<&Chunk>,
        mut updates: HashMap<i64, CustomerUpdate>,
        dictionaries: &'a mut Dictionaries,
    ) -> Chunk {
        let mut parts: Vec<Part> = Vec::new();
        for customer in old.map_or(&[][..], |chunk| &chunk.customers) {
            let number = customer.header.number;
            let mut months = old.and_then(|chunk| chunk.months_of(number, dictionaries)).unwrap_or_default();
            let header = match updates.remove(&number) {
                Some(update) => {
                    months.retain(|(month, _)| *month < update.from);
                    months.extend(update.months);
                    Arc::new(update.header)
                }
                None => customer.header.clone(),
            };
            parts.push((header, months));
        }
        parts.extend(updates.into_values().map(|update| (Arc::new(update.header), update.months)));
        parts.sort_by_key(|(header, _)| header.number);
        let mut builder = Self { chunk: Chunk::default(), counts: Default::default(), dictionaries };
        builder.lay_out(&parts);
        for (position, part) in parts.iter().enumerate() {
            builder.add_customer(position, part);
        }
        builder.finished()
    }

    /// Makes room for every customer and month.
    fn lay_out(&mut self, parts: &[Part]) {
        let months = || parts.iter().flat_map(|(_, months)| months).map(|(month, _)| month.index());
        let (Some(first), Some(last)) = (months().min(), months().max()) else { return };
        self.chunk.first = first;
        self.chunk.months = (first..=last).map(|_| MonthColumns::default()).collect();
        self.chunk.active_services = vec![0; parts.len() * self.chunk.months.len()];
    }

    fn finished(mut self) -> Chunk {
        let [seats, assigned, active, active_assigned] = self.counts.map(Counts::from);
        self.chunk = Chunk { seats, assigned, active, active_assigned, ..self.chunk };
        self.chunk.runs.shrink_to_fit();
        self.chunk
    }

    fn add_customer(&mut self, customer: usize, (header, months): &Part) {
        let first = self.chunk.subscriptions.len();
        self.chunk.customers.push(ChunkCustomer {
            country: self.dictionaries.texts.code(&header.country),
            segment: self.dictionaries.texts.code(&header.segment),
            industry: self.dictionaries.texts.code(&header.industry),
            first_subscription: count(first),
            subscription_count: count(header.subscriptions.len()),
            header: header.clone(),
        });
        let mut rows: Vec<Vec<(usize, &SubscriptionMonth)>> = vec![Vec::new(); header.subscriptions.len()];
        let position_of = |number: &SubscriptionNumber| {
            header.subscriptions.binary_search_by_key(number, |subscription| subscription.number).ok()
        };
        for (month, rollup) in months {
            let Some(offset) = self.chunk.offset(month.index()) else { continue };
            for row in &rollup.subscriptions {
                if let Some(position) = position_of(&row.subscription) {
                    rows[position].push((offset, row));
                }
            }
            self.add_month(customer, offset, rollup, &position_of);
        }
        for (subscription, rows) in header.subscriptions.iter().zip(&rows) {
            self.chunk.customer_of.push(count(customer));
            let columns = ChunkSubscription {
                number: subscription.number,
                sales_channel: self.dictionaries.texts.code(&subscription.sales_channel),
                pricing_model: self.dictionaries.texts.code(&subscription.pricing_model),
                seller: seller_code(subscription.seller),
                attributions: self.dictionaries.attribute(&subscription.attributions),
                first_run: count(self.chunk.runs.len()),
                run_count: 0,
                first_count: count(self.counts[0].len()),
            };
            self.chunk.subscriptions.push(columns);
            self.add_rows(rows);
        }
        for columns in &mut self.chunk.months {
            columns.class_ends.push(count(columns.classes.len()));
        }
    }

    /// Adds the months of the last subscription, in their order.
    fn add_rows(&mut self, rows: &[(usize, &SubscriptionMonth)]) {
        let position = self.chunk.subscriptions.len() - 1;
        let first_run = self.chunk.runs.len();
        let start = self.counts[0].len();
        for (offset, row) in rows {
            let run = self.run_of(*offset, row);
            match self.chunk.runs[first_run..].last_mut() {
                Some(last) if last.to == run.from && (Run { from: run.from, to: run.to, ..*last }) == run => {
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
            for (currency, amount) in &row.revenue {
                let currency = self.dictionaries.texts.code(&Some(currency.clone()));
                let revenue = RevenueRow { subscription: count(position), currency, amount: *amount };
                self.chunk.months[*offset].revenue.push(revenue);
            }
        }
        self.chunk.subscriptions[position].run_count = count(self.chunk.runs.len() - first_run);
    }

    fn run_of(&mut self, offset: usize, row: &SubscriptionMonth) -> Run {
        let bit = |set: bool, flag: u8| if set { flag } else { 0 };
        let from = u16::try_from(offset).unwrap_or(u16::MAX);
        Run {
            from,
            to: from.saturating_add(1),
            sku: row.sku,
            attributions: self.dictionaries.attribute(&row.attributions),
            seller: row.seller.map_or(NO_SELLER, seller_code),
            flags: bit(row.trial, TRIAL) | bit(row.has_state, HAS_STATE) | row.standing.code() << STANDING_SHIFT,
            reported: bit(row.reported.seats, SEATS_REPORTED)
                | bit(row.reported.assigned, ASSIGNED_REPORTED)
                | bit(row.reported.active, ACTIVE_REPORTED),
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
                attributions: dictionaries.attribute(&row.attributions),
            });
        }
        for class in &rollup.classes {
            let positions =
                |numbers: &[SubscriptionNumber]| numbers.iter().filter_map(position_of).map(count).collect::<Vec<_>>();
            let kind = ClassKind {
                active_services: dictionaries.services.code(&class.active_services),
                held: self.chunk.held.code(&positions(&class.held)),
                held_before: self.chunk.held.code(&positions(&class.held_before)),
                licensed: dictionaries.services.code(&class.licensed),
                licensed_before: dictionaries.services.code(&class.licensed_before),
            };
            columns.classes.push(ClassRow { kind: self.chunk.kinds.code(&kind), users: class.users });
        }
    }
}

/// A length or position as it is stored; chunks are far smaller than its range.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
