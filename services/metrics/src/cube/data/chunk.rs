//! Some hundred customers of one cell as columns.
//!
//! What can be filtered or grouped by changes rarely: each subscription has it as [`AttributeRun`]s of months. Its counts stand
//! side by side, a month after the other, from its first run on; a customer's users and revenue stand month by month.

use std::ops::Range;
use std::sync::Arc;

use insights_domain::amount::Amount;
use insights_domain::calendar::Month;
use insights_domain::facts::{Seller, SubscriptionNumber};
use insights_domain::rollup::{MonthRollup, Reported, SubscriptionMonth, UsageMonth, UserClass};
use insights_domain::standing::Standing;
use insights_domain::usage::SeatCounts;

use crate::cube::data::columns::{CustomerTexts, SubscriptionTexts};
use crate::cube::data::counts::SeatColumns;
use crate::cube::data::dictionary::{Dictionaries, Dictionary};
use crate::cube::data::pre_aggregates::PreAggregates;
use crate::rollups::header::CustomerHeader;

/// It is on trial.
pub const TRIAL: u8 = 1;
/// It has a state by the day.
pub const HAS_STATE: u8 = 1 << 1;
pub const STANDING_SHIFT: u8 = 2;
/// Its standing and seats come from a report.
pub const SEATS_REPORTED: u8 = 1;
/// Its assigned comes from a report.
pub const ASSIGNED_REPORTED: u8 = 1 << 1;
/// Its active comes from a report.
pub const ACTIVE_REPORTED: u8 = 1 << 2;
/// What comes from a report is of an earlier month: the report does not cover this one.
pub const CARRIED: u8 = 1 << 3;
/// Nobody knows what was used.
pub const ACTIVE_UNKNOWN: u8 = 1 << 4;
/// No own seller in the month.
pub const NO_SELLER: u8 = u8::MAX;

/// The standing in a run's flags.
pub fn standing_of(flags: u8) -> Standing {
    Standing::from_code(flags >> STANDING_SHIFT)
}

/// Customers of one cell, their subscriptions side by side.
// House: one field a column, or what is said of all of them.
#[derive(Clone, Debug, Default)]
pub struct CustomerChunk {
    pub customers: Vec<ChunkCustomer>,
    pub subscriptions: Vec<ChunkSubscription>,
    /// Index of the customer of each subscription.
    pub customer_of: Vec<u32>,
    /// By subscription, in the order of months; months of which nothing is known are in none.
    pub runs: Vec<AttributeRun>,
    /// By subscription.
    pub constant_runs: Vec<ConstantRun>,
    /// By subscription and month.
    pub seats: SeatColumns,
    /// By customer and month: the code of the services with activity.
    pub active_services: Vec<u32>,
    /// From `first` on, without gaps.
    pub months: Vec<MonthColumns>,
    /// The index of the first month.
    pub first: i32,
    /// Something of it comes from reports.
    pub reported: bool,
    /// Some subscriptions have several parts.
    pub has_parts: bool,
    pub pre_aggregates: PreAggregates,
    pub classes: ClassDictionaries,
}

/// Codes for classes of users.
#[derive(Clone, Debug, Default)]
pub struct ClassDictionaries {
    /// What a user did and held; subscriptions by their position among the customer's.
    pub kinds: Dictionary<ClassKind>,
    /// Sorted positions among a customer's subscriptions.
    pub held: Dictionary<Vec<u32>>,
}

/// A customer in a chunk.
#[derive(Clone, Debug)]
pub struct ChunkCustomer {
    pub header: Arc<CustomerHeader>,
    pub texts: CustomerTexts,
    /// Its subscriptions' first position, and how many there are.
    pub first_subscription: u32,
    pub subscription_count: u32,
    /// The months in which one of its subscriptions counts; `None` when some have no constant run.
    pub counted: Option<u64>,
    /// It never had more seats at a time, in good standing or not.
    pub most_seats: u64,
}

impl ChunkCustomer {
    /// The positions of its subscriptions.
    pub fn subscriptions(&self) -> Range<usize> {
        let first = self.first_subscription as usize;
        first..first + self.subscription_count as usize
    }
}

/// A subscription in a chunk.
#[derive(Clone, Debug)]
pub struct ChunkSubscription {
    pub number: SubscriptionNumber,
    pub texts: SubscriptionTexts,
    pub seller: u8,
    pub attributions: u32,
    /// Its first run, and how many there are.
    pub first_run: u32,
    pub run_count: u32,
    /// The position of its counts in the month of its first run.
    pub first_count: u32,
    /// The position of the subscription that it is a part of; its own where it is none.
    pub whole: u32,
    /// It is one of several parts.
    pub in_parts: bool,
}

/// What subscriptions share and can be filtered on and grouped by, but for the state in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes {
    pub sku: u32,
    pub seller: u8,
    pub attributions: u32,
    pub texts: SubscriptionTexts,
}

/// The code of no attributes.
pub const NOT_CONSTANT: u16 = u16::MAX;

/// All months of a subscription whose attributes never change, as bits counted from the chunk's first month. It holds what most
/// queries need in half a cache line. A subscription has one when all its runs have one SKU, the subscription's own terms and a
/// state, and come from detail, and no month comes after the chunk's 64th.
#[derive(Clone, Copy, Debug)]
pub struct ConstantRun {
    /// Something is known.
    pub known: u64,
    /// It counts: see [`Standing::counts`].
    pub counted: u64,
    /// It is paid for: see [`is_paid`](insights_domain::standing::is_paid).
    pub paid: u64,
    /// The position that its counts would have in the chunk's first month; wraps below 0.
    pub first_count: u32,
    /// The code of its attributes; [`NOT_CONSTANT`]: the subscription has no constant run, and nothing else here says anything.
    pub attributes: u16,
}

impl ConstantRun {
    /// Of a subscription that is read by its runs.
    pub const NONE: Self = Self { known: 0, counted: 0, paid: 0, first_count: 0, attributes: NOT_CONSTANT };

    /// The positions of its counts in consecutive months, counted from the chunk's first.
    pub fn counts_in(&self, months: &Range<usize>) -> Range<usize> {
        let first = self.first_count.wrapping_add(months.start as u32) as usize;
        first..first + months.len()
    }
}

/// Months in which nothing of a subscription changes that can be filtered or grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttributeRun {
    /// Its first month and the one after its last, counted from the chunk's first.
    pub from: u16,
    pub to: u16,
    pub sku: u32,
    /// Those of the months alone; 0: the subscription's.
    pub attributions: u32,
    /// That of the months alone; [`NO_SELLER`]: the subscription's.
    pub seller: u8,
    pub flags: u8,
    pub reported: u8,
}

impl AttributeRun {
    /// The seller and attributions of its months.
    pub const fn terms(&self, subscription: &ChunkSubscription) -> (u8, u32) {
        let seller = if self.seller == NO_SELLER { subscription.seller } else { self.seller };
        let attributions = if self.attributions == 0 { subscription.attributions } else { self.attributions };
        (seller, attributions)
    }

    /// What its months share with those of other subscriptions.
    #[inline]
    pub const fn attributes(&self, subscription: &ChunkSubscription) -> Attributes {
        let (seller, attributions) = self.terms(subscription);
        Attributes { sku: self.sku, seller, attributions, texts: subscription.texts }
    }
}

/// What users of a class did and held, in codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClassKind {
    pub active_services: u32,
    pub held: u32,
    pub held_before: u32,
    pub licensed: u32,
    pub licensed_before: u32,
}

/// One month of a chunk.
#[derive(Clone, Debug, Default)]
pub struct MonthColumns {
    /// By subscription and currency.
    pub revenue: Vec<RevenueRow>,
    /// By customer and service.
    pub usage: Vec<UsageRow>,
    /// By customer: the code of the services whose use may be greater than what is known; few have any.
    pub lower_bound: Vec<(u32, u32)>,
    /// Where each customer's classes end.
    pub class_ends: Vec<u32>,
    pub classes: Vec<ClassRow>,
}

/// Revenue of a subscription in a currency.
#[derive(Clone, Copy, Debug)]
pub struct RevenueRow {
    pub subscription: u32,
    pub currency: u32,
    pub amount: Amount,
}

/// Reported users of a customer and service.
#[derive(Clone, Copy, Debug)]
pub struct UsageRow {
    pub customer: u32,
    pub service: u32,
    /// Active users, where they serve.
    pub active_users: Option<u32>,
    /// Total users, where they serve.
    pub total_users: Option<u32>,
    /// The row is that of an earlier month, and active users are unknown.
    pub carried: bool,
    pub attributions: u32,
}

/// Users of a kind.
#[derive(Clone, Copy, Debug)]
pub struct ClassRow {
    pub kind: u32,
    pub users: u32,
}

impl MonthColumns {
    /// The classes of a customer.
    pub fn classes_of(&self, customer: usize) -> &[ClassRow] {
        let end = self.class_ends[customer] as usize;
        let start = customer.checked_sub(1).map_or(0, |before| self.class_ends[before] as usize);
        &self.classes[start..end]
    }

    /// The code of a customer's services whose use may be greater than what is known.
    pub fn lower_bound_of(&self, customer: usize) -> u32 {
        let of = |(customer, _): &(u32, u32)| *customer as usize;
        self.lower_bound.binary_search_by_key(&customer, of).map_or(0, |at| self.lower_bound[at].1)
    }

    /// The reported users of a customer.
    pub fn usage_of(&self, customer: usize) -> &[UsageRow] {
        if self.usage.is_empty() {
            return &[];
        }
        let start = self.usage.partition_point(|row| (row.customer as usize) < customer);
        let count = self.usage[start..].partition_point(|row| row.customer as usize == customer);
        &self.usage[start..start + count]
    }
}

impl CustomerChunk {
    pub fn first_month(&self) -> Option<Month> {
        if self.months.is_empty() { None } else { Month::from_index(self.first) }
    }

    /// How many months after the chunk's first a month is, if anything is known of it.
    pub fn offset(&self, month: i32) -> Option<usize> {
        usize::try_from(month - self.first).ok().filter(|offset| *offset < self.months.len())
    }

    /// Something is known of a customer in a month.
    pub fn knows(&self, customer: usize, offset: usize) -> bool {
        let columns = &self.months[offset];
        let mut subscriptions = self.subscriptions[self.customers[customer].subscriptions()].iter();
        self.active_services(customer, offset) != 0
            || !columns.classes_of(customer).is_empty()
            || !columns.usage_of(customer).is_empty()
            || columns.lower_bound_of(customer) != 0
            || subscriptions.any(|subscription| self.run_at(subscription, offset).is_some())
    }

    /// The runs of a subscription.
    pub fn runs_of(&self, subscription: &ChunkSubscription) -> &[AttributeRun] {
        let first = subscription.first_run as usize;
        &self.runs[first..first + subscription.run_count as usize]
    }

    /// The run in which a month of a subscription lies.
    pub fn run_at(&self, subscription: &ChunkSubscription, offset: usize) -> Option<&AttributeRun> {
        self.runs_of(subscription).iter().find(|run| (usize::from(run.from)..usize::from(run.to)).contains(&offset))
    }

    /// The position of a subscription's counts in a month of one of its runs.
    pub fn count_at(&self, subscription: &ChunkSubscription, offset: usize) -> usize {
        let first = self.runs.get(subscription.first_run as usize).map_or(0, |run| usize::from(run.from));
        subscription.first_count as usize + offset - first
    }

    /// The counts at a position.
    pub fn counts(&self, position: usize) -> SeatCounts {
        self.seats.at(position)
    }

    /// The code of the services with activity of a customer.
    pub fn active_services(&self, customer: usize, offset: usize) -> u32 {
        self.active_services[customer * self.months.len() + offset]
    }

    /// One customer's rollups by month, read back from the columns.
    pub fn months_of(&self, number: i64, dictionaries: &Dictionaries) -> Option<Vec<(Month, MonthRollup)>> {
        let customer = self.customers.binary_search_by_key(&number, |customer| customer.header.number).ok()?;
        let months = (0..self.months.len()).filter_map(|offset| {
            let month = Month::from_index(self.first + i32::try_from(offset).ok()?)?;
            Some((month, self.rollup(offset, customer, dictionaries)))
        });
        Some(months.filter(|(_, rollup)| !rollup.is_empty()).collect())
    }

    fn rollup(&self, offset: usize, customer: usize, dictionaries: &Dictionaries) -> MonthRollup {
        let columns = &self.months[offset];
        let positions = self.customers[customer].subscriptions();
        let first = positions.start;
        let numbers = |held: u32| {
            let positions = self.classes.held.value(held).iter();
            positions.map(|position| self.subscriptions[first + *position as usize].number).collect()
        };
        let services = |set: u32| dictionaries.services.value(set).clone();
        let classes = columns.classes_of(customer).iter().map(|row| {
            let kind = self.classes.kinds.value(row.kind);
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
            subscriptions: positions.filter_map(|position| self.row(offset, position, dictionaries)).collect(),
            classes: classes.collect(),
            active_services: services(self.active_services(customer, offset)),
            lower_bound_services: services(columns.lower_bound_of(customer)),
            reported_usage: columns
                .usage_of(customer)
                .iter()
                .map(|row| UsageMonth {
                    service: row.service,
                    active_users: row.active_users,
                    total_users: row.total_users,
                    carried: row.carried,
                    attributions: dictionaries.attributions.value(row.attributions).clone(),
                })
                .collect(),
        }
    }

    fn row(&self, offset: usize, position: usize, dictionaries: &Dictionaries) -> Option<SubscriptionMonth> {
        let subscription = &self.subscriptions[position];
        let run = self.run_at(subscription, offset)?;
        let counts = self.counts(self.count_at(subscription, offset));
        let billed = &self.months[offset].revenue;
        let first = billed.partition_point(|row| (row.subscription as usize) < position);
        let revenue = billed[first..].iter().take_while(|row| row.subscription as usize == position);
        Some(SubscriptionMonth {
            subscription: subscription.number,
            sku: run.sku,
            standing: standing_of(run.flags),
            trial: run.flags & TRIAL != 0,
            has_state: run.flags & HAS_STATE != 0,
            seats: counts.seats,
            grace: counts.grace,
            assigned: counts.assigned,
            active: counts.active,
            active_assigned: counts.active_assigned,
            reported: Reported {
                seats: run.reported & SEATS_REPORTED != 0,
                assigned: run.reported & ASSIGNED_REPORTED != 0,
                active: run.reported & ACTIVE_REPORTED != 0,
            },
            carried: run.reported & CARRIED != 0,
            active_unknown: run.reported & ACTIVE_UNKNOWN != 0,
            seller: Seller::from_code(run.seller.into()),
            attributions: dictionaries.attributions.value(run.attributions).clone(),
            revenue: revenue
                .map(|row| (dictionaries.texts.value(row.currency).clone().unwrap_or_default(), row.amount))
                .collect(),
        })
    }
}
