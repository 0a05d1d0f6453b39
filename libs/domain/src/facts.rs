//! One customer's facts, as the rollup reads them: numbers instead of names, users as ordinals.

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::calendar::{Day, Month};
use crate::coverage::Coverage;

/// Number of a SKU within its partner.
pub type SkuNumber = u32;
/// Number of a service within its partner.
pub type ServiceNumber = u32;
/// Ordinal of a user within its customer.
pub type UserNumber = u32;

/// Number of a subscription within its partner, or of what a customer has of a SKU by report alone; and of a further part of it, by
/// its SKU. Parts stand after what they are parts of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionNumber {
    number: u32,
    /// 0 of the subscription itself.
    part: SkuNumber,
}

impl SubscriptionNumber {
    const BY_SKU: u32 = 1 << 31;

    /// A subscription's number, below 2³¹.
    pub const fn of_subscription(number: u32) -> Self {
        Self { number: number & !Self::BY_SKU, part: 0 }
    }

    /// What rows by customer and SKU stand for: the subscription `customer/sku`.
    pub const fn of_sku(sku: SkuNumber) -> Self {
        Self { number: sku | Self::BY_SKU, part: 0 }
    }

    /// The part of another SKU than that of the subscription itself.
    #[must_use]
    pub const fn part(self, sku: SkuNumber) -> Self {
        Self { part: sku, ..self }
    }

    /// That of the subscription which it is a part of; its own where it is none.
    #[must_use]
    pub const fn whole(self) -> Self {
        Self { part: 0, ..self }
    }

    /// Whether it is a further part of a subscription.
    pub const fn is_part(self) -> bool {
        self.part != 0
    }

    /// The SKU, when it stands for rows by customer and SKU.
    pub const fn sku(self) -> Option<SkuNumber> {
        if self.number & Self::BY_SKU == 0 { None } else { Some(self.number & !Self::BY_SKU) }
    }

    /// As one integer, to store it; below 2³² but for parts.
    pub const fn code(self) -> u64 {
        (self.part as u64) << 32 | self.number as u64
    }

    /// From the integer of [`Self::code`].
    pub const fn from_code(code: u64) -> Self {
        Self { number: code as u32, part: (code >> 32) as u32 }
    }
}

/// Who sold a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Seller {
    /// The partner itself.
    #[default]
    Own = 0,
    /// Another partner.
    Other = 1,
    /// The vendor.
    Direct = 2,
}

impl Seller {
    /// Every seller, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Own, Self::Other, Self::Direct];

    /// From its code.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.get(code as usize).copied()
    }

    /// Its code, 0 to 2.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Its name in records, answers and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Other => "other",
            Self::Direct => "direct",
        }
    }

    /// From its name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|seller| seller.name().eq_ignore_ascii_case(name))
    }
}

/// Why a subscription belongs to the partner.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attribution {
    /// The partner location's id.
    pub location: Option<String>,
    /// Such as CSP.
    pub kind: Option<String>,
}

/// The SKUs that have come, with what the rollup needs of them, and what else it needs of the partner as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// The services of each SKU; a SKU that is missing here has not come, and what names it waits.
    pub services: BTreeMap<SkuNumber, Vec<ServiceNumber>>,
    /// The months that reports of all customers cover.
    pub coverage: Coverage,
}

/// Everything stored about one customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerFacts {
    /// The customer itself has come; until then nothing counts.
    pub known: bool,
    /// Its subscriptions.
    pub subscriptions: Vec<SubscriptionFacts>,
    /// Licences by sources that name no subscription.
    pub licences: Vec<Licence>,
    /// Activity, at least of the months asked for and the month before.
    pub activity: Vec<Activity>,
    /// First day of activity by service, over all time.
    pub first_activity: BTreeMap<ServiceNumber, Day>,
    /// First and last day on which activity is known from dates of last activity alone, by service.
    pub lower_bound: BTreeMap<ServiceNumber, (Day, Day)>,
    /// Rows by customer and SKU.
    pub by_sku: Vec<BySku>,
    /// Reported users by service and month.
    pub reported_usage: Vec<ReportedUsage>,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionFacts {
    /// Its number.
    pub number: SubscriptionNumber,
    /// Its own SKU.
    pub sku: SkuNumber,
    /// Its own trial flag.
    pub trial: bool,
    /// It is paid by use, so it has no seats.
    pub paid_by_use: bool,
    /// States in any order, one per day.
    pub states: Vec<State>,
    /// Assignments in any order; those of one user unite.
    pub assignments: Vec<Assignment>,
    /// Reported rows, one per month and part, those of a month in the order of the SKUs' ids.
    pub reported: Vec<ReportedSeats>,
    /// Billed revenue, one per month, currency and part.
    pub revenue: Vec<Revenue>,
    /// When whole lists say that it is gone; in any order.
    pub absences: Vec<Absence>,
}

/// Whole lists say that something is gone, from a day until (not including) another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    /// First day gone.
    pub from: Day,
    /// First day no longer gone.
    pub to: Option<Day>,
}

impl Absence {
    /// Whether any of these holds on a day.
    pub fn any_on(absences: &[Self], day: Day) -> bool {
        absences.iter().any(|absence| absence.from <= day && absence.to.is_none_or(|to| day < to))
    }
}

/// A state, in force from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// From this day on.
    pub effective: Day,
    /// The source's word.
    pub status: String,
    /// Seats sold.
    pub seats: u32,
    /// The SKU, where it names one.
    pub sku: Option<SkuNumber>,
    /// The trial flag, where it has one.
    pub trial: Option<bool>,
}

/// A user holds a seat from a day until (not including) another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The user.
    pub user: UserNumber,
    /// First day held.
    pub from: Day,
    /// First day no longer held.
    pub to: Option<Day>,
}

/// A user is licensed for a service from a day until (not including) another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Licence {
    /// The user.
    pub user: UserNumber,
    /// The service.
    pub service: ServiceNumber,
    /// First day.
    pub from: Day,
    /// First day no longer.
    pub to: Option<Day>,
}

/// The days of one month on which a user used a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// The user.
    pub user: UserNumber,
    /// The service.
    pub service: ServiceNumber,
    /// The month.
    pub month: Month,
    /// Bit 0 is day 1.
    pub days: u32,
}

/// Reported seats of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedSeats {
    /// The month.
    pub month: Month,
    /// The part of the subscription that it is about, by its SKU; none: all of it. None of rows by customer and SKU.
    pub sku: Option<SkuNumber>,
    /// Seats sold.
    pub available: u32,
    /// Seats in grace, beside those sold.
    pub grace: u32,
    /// Seats assigned.
    pub assigned: Option<u32>,
    /// Seats with use.
    pub active: Option<u32>,
    /// The source's word for the standing; none: Active.
    pub status: Option<String>,
    /// The seller; used of rows by customer and SKU alone.
    pub seller: Option<Seller>,
    /// Attributions of the month; none: the subscription's own.
    pub attributions: Vec<Attribution>,
    /// The report it is a row of; empty: of those that name none.
    pub report: String,
    /// The report is about this customer alone.
    pub of_customer: bool,
}

/// Billed revenue of a month in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revenue {
    /// The month.
    pub month: Month,
    /// The part of the subscription that was billed, by its SKU; none: all of it. None of rows by customer and SKU.
    pub sku: Option<SkuNumber>,
    /// ISO 4217 code.
    pub currency: String,
    /// The amount.
    pub amount: Amount,
    /// The seller; used of rows by customer and SKU alone.
    pub seller: Option<Seller>,
}

/// What is known of a customer and SKU without a subscription id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BySku {
    /// The SKU.
    pub sku: SkuNumber,
    /// Reported rows, one per month.
    pub reported: Vec<ReportedSeats>,
    /// Billed revenue, one per month and currency.
    pub revenue: Vec<Revenue>,
    /// When whole lists say that the reported seats are gone; in any order.
    pub absences: Vec<Absence>,
}

/// Reported users of a service and month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedUsage {
    /// The service.
    pub service: ServiceNumber,
    /// The month.
    pub month: Month,
    /// Paid units available.
    pub paid_available_units: u32,
    /// Users active in the month.
    pub monthly_active_users: u32,
    /// Attributions of the month.
    pub attributions: Vec<Attribution>,
}

#[cfg(test)]
mod tests {
    use super::Seller;

    #[test]
    fn codes_and_names_of_sellers_lead_back() {
        for (code, seller) in (0..).zip(Seller::ALL) {
            assert_eq!((u32::from(seller.code()), Seller::from_code(code)), (code, Some(seller)));
            assert_eq!(Seller::from_name(&seller.name().to_uppercase()), Some(seller));
        }
        assert_eq!((Seller::from_code(3), Seller::from_name("nobody")), (None, None));
    }
}
