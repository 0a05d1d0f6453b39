//! Some hundred customers of one cell as columns, one set of columns per month.

use std::collections::HashMap;
use std::sync::Arc;

use insights_domain::amount::Amount;
use insights_domain::calendar::Month;
use insights_domain::facts::{Seller, SubscriptionNumber};
use insights_domain::rollup::{MonthRollup, Reported, SubscriptionMonth, UsageMonth, UserClass};
use insights_domain::standing::Standing;

use super::dictionary::{Dictionaries, Dictionary};
use super::header::CustomerHeader;
use super::{CustomerUpdate, seller_code};

/// Something is known of a subscription in a month.
pub(super) const PRESENT: u8 = 1;
/// It is on trial.
pub(super) const TRIAL: u8 = 1 << 1;
/// It has a state by the day.
pub(super) const HAS_STATE: u8 = 1 << 2;
const STANDING_SHIFT: u8 = 3;
/// Its standing and seats come from a report.
pub(super) const SEATS_REPORTED: u8 = 1;
/// Its assigned comes from a report.
pub(super) const ASSIGNED_REPORTED: u8 = 1 << 1;
/// Its active comes from a report.
pub(super) const ACTIVE_REPORTED: u8 = 1 << 2;
/// No own seller in the month.
const NO_SELLER: u8 = u8::MAX;
/// No figure.
const NOTHING: u32 = u32::MAX;

/// The standing in a row's flags.
pub(super) fn standing_of(flags: u8) -> Standing {
    Standing::from_code(flags >> STANDING_SHIFT)
}

/// Customers of one cell, their subscriptions side by side.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    pub customers: Vec<ChunkCustomer>,
    pub subscriptions: Vec<ChunkSubscription>,
    /// Index of the customer of each subscription.
    pub customer_of: Vec<u32>,
    /// From `first` on, without gaps.
    pub months: Vec<MonthColumns>,
    first: i32,
    /// What a user did and held; subscriptions by their position among the customer's.
    pub kinds: Dictionary<ClassKind>,
    /// Sorted positions among a customer's subscriptions.
    pub held: Dictionary<Vec<u32>>,
}

/// A customer in a chunk.
#[derive(Clone, Debug)]
pub(super) struct ChunkCustomer {
    pub header: Arc<CustomerHeader>,
    pub country: u32,
    pub segment: u32,
    pub industry: u32,
    /// Its subscriptions' first position, and how many there are.
    pub first_subscription: u32,
    pub subscription_count: u32,
}

/// A subscription in a chunk.
#[derive(Clone, Debug)]
pub(super) struct ChunkSubscription {
    pub number: SubscriptionNumber,
    pub sales_channel: u32,
    pub pricing_model: u32,
    pub seller: u8,
    pub attributions: u32,
}

/// What users of a class did and held, in codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ClassKind {
    pub active_services: u32,
    pub held: u32,
    pub held_before: u32,
    pub licensed: u32,
    pub licensed_before: u32,
}

/// One month of a chunk.
#[derive(Clone, Debug, Default)]
pub(super) struct MonthColumns {
    // By subscription.
    pub flags: Vec<u8>,
    pub reported: Vec<u8>,
    pub sku: Vec<u32>,
    pub seats: Vec<u32>,
    pub assigned: Vec<u32>,
    pub active: Vec<u32>,
    pub active_assigned: Vec<u32>,
    /// Months with a seller or attributions of their own, by subscription.
    pub own: Vec<OwnTerms>,
    /// By subscription and currency.
    pub revenue: Vec<RevenueRow>,
    // By customer.
    pub active_services: Vec<u32>,
    /// By customer and service.
    pub usage: Vec<UsageRow>,
    /// Where each customer's classes end.
    pub class_ends: Vec<u32>,
    pub classes: Vec<ClassRow>,
}

/// A subscription whose seller or attributions differ in one month.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnTerms {
    pub subscription: u32,
    seller: u8,
    attributions: u32,
}

impl OwnTerms {
    /// The seller and attributions of the month.
    pub(super) fn over(self, subscription: &ChunkSubscription) -> (u8, u32) {
        let seller = if self.seller == NO_SELLER { subscription.seller } else { self.seller };
        let attributions = if self.attributions == 0 { subscription.attributions } else { self.attributions };
        (seller, attributions)
    }
}

/// Revenue of a subscription in a currency.
#[derive(Clone, Copy, Debug)]
pub(super) struct RevenueRow {
    pub subscription: u32,
    pub currency: u32,
    pub amount: Amount,
}

/// Reported users of a customer and service.
#[derive(Clone, Copy, Debug)]
pub(super) struct UsageRow {
    pub customer: u32,
    pub service: u32,
    active: u32,
    total: u32,
    has_active: bool,
    has_total: bool,
    pub attributions: u32,
}

impl UsageRow {
    /// Active users, where they serve.
    pub(super) fn active_users(self) -> Option<u32> {
        self.has_active.then_some(self.active)
    }

    /// Total users, where they serve.
    pub(super) fn total_users(self) -> Option<u32> {
        self.has_total.then_some(self.total)
    }
}

/// Users of a kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClassRow {
    pub kind: u32,
    pub users: u32,
}

impl MonthColumns {
    /// The classes of a customer.
    pub(super) fn classes_of(&self, customer: usize) -> &[ClassRow] {
        let end = self.class_ends[customer] as usize;
        let start = customer.checked_sub(1).map_or(0, |before| self.class_ends[before] as usize);
        &self.classes[start..end]
    }

    /// The reported users of a customer.
    pub(super) fn usage_of(&self, customer: usize) -> &[UsageRow] {
        let start = self.usage.partition_point(|row| (row.customer as usize) < customer);
        let count = self.usage[start..].partition_point(|row| row.customer as usize == customer);
        &self.usage[start..start + count]
    }
}

impl Chunk {
    pub(super) fn first_month(&self) -> Option<Month> {
        if self.months.is_empty() { None } else { Month::from_index(self.first) }
    }

    /// The columns of a month, if anything is known of it.
    pub(super) fn month(&self, month: Month) -> Option<&MonthColumns> {
        self.months.get(usize::try_from(month.index() - self.first).ok()?)
    }

    /// One customer's rollups by month, read back from the columns.
    pub(super) fn months_of(&self, number: i64, dictionaries: &Dictionaries) -> Option<Vec<(Month, MonthRollup)>> {
        let customer = self.customers.binary_search_by_key(&number, |customer| customer.header.number).ok()?;
        let months = self.months.iter().enumerate().filter_map(|(position, columns)| {
            let month = Month::from_index(self.first + i32::try_from(position).ok()?)?;
            Some((month, self.rollup(columns, customer, dictionaries)))
        });
        Some(months.filter(|(_, rollup)| !rollup.is_empty()).collect())
    }

    fn rollup(&self, columns: &MonthColumns, customer: usize, dictionaries: &Dictionaries) -> MonthRollup {
        let owner = &self.customers[customer];
        let first = owner.first_subscription as usize;
        let positions = first..first + owner.subscription_count as usize;
        let numbers = |held: u32| {
            let positions = self.held.value(held).iter();
            positions.map(|position| self.subscriptions[first + *position as usize].number).collect()
        };
        let services = |set: u32| dictionaries.services.value(set).clone();
        let classes = columns.classes_of(customer).iter().map(|row| {
            let kind = self.kinds.value(row.kind);
            UserClass {
                active_services: services(kind.active_services),
                held: numbers(kind.held),
                held_before: numbers(kind.held_before),
                licensed: services(kind.licensed),
                licensed_before: services(kind.licensed_before),
                users: row.users,
            }
        });
        MonthRollup {
            subscriptions: positions
                .filter(|position| columns.flags[*position] & PRESENT != 0)
                .map(|position| self.row(columns, position, dictionaries))
                .collect(),
            classes: classes.collect(),
            active_services: services(columns.active_services[customer]),
            reported_usage: columns
                .usage_of(customer)
                .iter()
                .map(|row| UsageMonth {
                    service: row.service,
                    active_users: row.active_users(),
                    total_users: row.total_users(),
                    attributions: dictionaries.attributions.value(row.attributions).clone(),
                })
                .collect(),
        }
    }

    fn row(&self, columns: &MonthColumns, position: usize, dictionaries: &Dictionaries) -> SubscriptionMonth {
        let own = columns.own.iter().find(|own| own.subscription as usize == position);
        let revenue = columns.revenue.iter().filter(|row| row.subscription as usize == position);
        let (flags, reported) = (columns.flags[position], columns.reported[position]);
        SubscriptionMonth {
            subscription: self.subscriptions[position].number,
            sku: columns.sku[position],
            standing: standing_of(flags),
            trial: flags & TRIAL != 0,
            has_state: flags & HAS_STATE != 0,
            seats: columns.seats[position],
            assigned: columns.assigned[position],
            active: columns.active[position],
            active_assigned: columns.active_assigned[position],
            reported: Reported {
                seats: reported & SEATS_REPORTED != 0,
                assigned: reported & ASSIGNED_REPORTED != 0,
                active: reported & ACTIVE_REPORTED != 0,
            },
            seller: own.and_then(|own| Seller::ALL.into_iter().find(|seller| seller_code(*seller) == own.seller)),
            attributions: own.map(|own| dictionaries.attributions.value(own.attributions).clone()).unwrap_or_default(),
            revenue: revenue
                .map(|row| (dictionaries.texts.value(row.currency).clone().unwrap_or_default(), row.amount))
                .collect(),
        }
    }
}

/// Puts a chunk together, customer by customer, in the order of their numbers.
pub(super) struct ChunkBuilder<'a> {
    chunk: Chunk,
    dictionaries: &'a mut Dictionaries,
}

impl<'a> ChunkBuilder<'a> {
    /// A chunk with `updates` in the place of what `old` holds of these customers.
    pub(super) fn rebuilt(
        old: Option<&Chunk>,
        mut updates: HashMap<i64, CustomerUpdate>,
        dictionaries: &'a mut Dictionaries,
    ) -> Chunk {
        let mut parts: Vec<(Arc<CustomerHeader>, Vec<(Month, MonthRollup)>)> = Vec::new();
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
        let mut builder = Self { chunk: Chunk::default(), dictionaries };
        builder.lay_out(&parts);
        for (position, (_, months)) in parts.iter().enumerate() {
            builder.fill(position, months);
        }
        builder.chunk
    }

    /// Makes room for every customer, subscription and month.
    fn lay_out(&mut self, parts: &[(Arc<CustomerHeader>, Vec<(Month, MonthRollup)>)]) {
        let chunk = &mut self.chunk;
        for (position, (header, _)) in parts.iter().enumerate() {
            let dictionaries = &mut *self.dictionaries;
            chunk.customers.push(ChunkCustomer {
                country: dictionaries.texts.code(&header.country),
                segment: dictionaries.texts.code(&header.segment),
                industry: dictionaries.texts.code(&header.industry),
                first_subscription: count(chunk.subscriptions.len()),
                subscription_count: count(header.subscriptions.len()),
                header: header.clone(),
            });
            for subscription in &header.subscriptions {
                chunk.customer_of.push(count(position));
                chunk.subscriptions.push(ChunkSubscription {
                    number: subscription.number,
                    sales_channel: dictionaries.texts.code(&subscription.sales_channel),
                    pricing_model: dictionaries.texts.code(&subscription.pricing_model),
                    seller: seller_code(subscription.seller),
                    attributions: dictionaries.attribute(&subscription.attributions),
                });
            }
        }
        let months = || parts.iter().flat_map(|(_, months)| months).map(|(month, _)| month.index());
        let (Some(first), Some(last)) = (months().min(), months().max()) else { return };
        chunk.first = first;
        let (subscriptions, customers) = (chunk.subscriptions.len(), chunk.customers.len());
        chunk.months = (first..=last)
            .map(|_| MonthColumns {
                flags: vec![0; subscriptions],
                reported: vec![0; subscriptions],
                sku: vec![0; subscriptions],
                seats: vec![0; subscriptions],
                assigned: vec![0; subscriptions],
                active: vec![0; subscriptions],
                active_assigned: vec![0; subscriptions],
                active_services: vec![0; customers],
                ..MonthColumns::default()
            })
            .collect();
    }

    fn fill(&mut self, customer: usize, months: &[(Month, MonthRollup)]) {
        for (month, rollup) in months {
            let Ok(position) = usize::try_from(month.index() - self.chunk.first) else { continue };
            self.fill_month(customer, position, rollup);
        }
        for columns in &mut self.chunk.months {
            columns.class_ends.push(count(columns.classes.len()));
        }
    }

    fn fill_month(&mut self, customer: usize, month: usize, rollup: &MonthRollup) {
        let owner = &self.chunk.customers[customer];
        let first = owner.first_subscription as usize;
        let owned = &self.chunk.subscriptions[first..first + owner.subscription_count as usize];
        let position =
            |number: &SubscriptionNumber| owned.binary_search_by_key(number, |subscription| subscription.number).ok();
        let columns = &mut self.chunk.months[month];
        for row in &rollup.subscriptions {
            if let Some(position) = position(&row.subscription) {
                columns.set(first + position, row, self.dictionaries);
            }
        }
        columns.active_services[customer] = self.dictionaries.services.code(&rollup.active_services);
        for row in &rollup.reported_usage {
            columns.usage.push(UsageRow {
                customer: count(customer),
                service: row.service,
                active: row.active_users.unwrap_or_default(),
                total: row.total_users.unwrap_or_default(),
                has_active: row.active_users.is_some(),
                has_total: row.total_users.is_some(),
                attributions: self.dictionaries.attribute(&row.attributions),
            });
        }
        for class in &rollup.classes {
            let positions =
                |numbers: &[SubscriptionNumber]| numbers.iter().filter_map(position).map(count).collect::<Vec<_>>();
            let kind = ClassKind {
                active_services: self.dictionaries.services.code(&class.active_services),
                held: self.chunk.held.code(&positions(&class.held)),
                held_before: self.chunk.held.code(&positions(&class.held_before)),
                licensed: self.dictionaries.services.code(&class.licensed),
                licensed_before: self.dictionaries.services.code(&class.licensed_before),
            };
            columns.classes.push(ClassRow { kind: self.chunk.kinds.code(&kind), users: class.users });
        }
    }
}

impl MonthColumns {
    fn set(&mut self, position: usize, row: &SubscriptionMonth, dictionaries: &mut Dictionaries) {
        let bit = |set: bool, flag: u8| if set { flag } else { 0 };
        self.flags[position] =
            PRESENT | bit(row.trial, TRIAL) | bit(row.has_state, HAS_STATE) | row.standing.code() << STANDING_SHIFT;
        self.reported[position] = bit(row.reported.seats, SEATS_REPORTED)
            | bit(row.reported.assigned, ASSIGNED_REPORTED)
            | bit(row.reported.active, ACTIVE_REPORTED);
        self.sku[position] = row.sku;
        self.seats[position] = row.seats;
        self.assigned[position] = row.assigned;
        self.active[position] = row.active;
        self.active_assigned[position] = row.active_assigned;
        if row.seller.is_some() || !row.attributions.is_empty() {
            self.own.push(OwnTerms {
                subscription: count(position),
                seller: row.seller.map_or(NO_SELLER, seller_code),
                attributions: dictionaries.attribute(&row.attributions),
            });
        }
        for (currency, amount) in &row.revenue {
            let currency = dictionaries.texts.code(&Some(currency.clone()));
            self.revenue.push(RevenueRow { subscription: count(position), currency, amount: *amount });
        }
    }
}

/// A length or position as it is stored; chunks are far smaller than its range.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(NOTHING)
}
