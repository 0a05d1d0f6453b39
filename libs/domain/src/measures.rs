//! The definitions of measures, each as a plain function of one customer, subscription or month. What counts and what is good
//! stands in [`standing`](crate::standing), seats and users in [`usage`](crate::usage).
//!
//! Code that computes a measure in a faster form names the definition that it stands for, and a test holds both equal.

/// What a measure counts or sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Customers.
    Customers,
    /// Subscriptions.
    Subscriptions,
    /// Seats: sold, assigned, or in use.
    Seats,
    /// Billed revenue.
    Revenue,
    /// Users within a customer.
    Users,
}

/// Seats and revenue are not defined by service. The message follows the measure's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not defined by service: a seat carries all services of its SKU; filter or group by sku or product instead")]
pub struct NotByService;

impl NotByService {
    /// The rule as a sentence about all seats, without a measure before it.
    pub const RULE: &str = "seats are not defined by service";
}

impl Subject {
    /// Whether the measure can be filtered on or grouped by service.
    ///
    /// # Errors
    /// A seat is sold, assigned and billed with all services of its SKU together, so no part of it belongs to one of them.
    pub const fn by_service(self) -> Result<(), NotByService> {
        match self {
            Self::Seats | Self::Revenue => Err(NotByService),
            Self::Customers | Self::Subscriptions | Self::Users => Ok(()),
        }
    }
}

/// In which months a customer counts, as far as one of them asks: it counts when one of its subscriptions that match does
/// ([`Standing::counts`](crate::standing::Standing::counts)) on the month's snapshot day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    /// It counted in some month before the previous one.
    pub earlier: bool,
    /// It counted in the previous month.
    pub before: bool,
    /// It counts in the month.
    pub now: bool,
}

impl Presence {
    /// Of the month at a position among consecutive months.
    pub fn at(counts: &[bool], month: usize) -> Self {
        let of = |month: usize| counts.get(month).is_some_and(|counts| *counts);
        let before = month.checked_sub(1);
        Self {
            earlier: before.is_some_and(|before| counts.iter().take(before).any(|counts| *counts)),
            before: before.is_some_and(of),
            now: of(month),
        }
    }

    /// The customer came with the month, for the first time or again.
    pub const fn is_new(self) -> bool {
        self.now && !self.before
    }

    /// The customer was there before and still is.
    pub const fn is_existing(self) -> bool {
        self.now && self.before
    }

    /// The customer is there no longer.
    pub const fn has_churned(self) -> bool {
        self.before && !self.now
    }

    /// The customer is new and was there earlier.
    pub const fn is_returning(self) -> bool {
        self.is_new() && self.earlier
    }
}

/// Existing customers: those that are not new.
pub const fn existing(customers: u64, new: u64) -> u64 {
    customers - new
}

/// New seats: available ones against those of the month before; below 0 when there are fewer.
pub const fn new_seats(before: u64, available: u64) -> i64 {
    available.cast_signed() - before.cast_signed()
}

/// Unassigned seats of a subscription, the deployment opportunity: available ones without an assignment. More assigned
/// than sold leave none, and take nothing away from other subscriptions.
pub const fn unassigned(available: u64, assigned: u64) -> u64 {
    available.saturating_sub(assigned)
}

/// Idle seats of a subscription: assigned ones that their holders did not use in the window.
pub const fn idle(assigned: u64, active_and_assigned: u64) -> u64 {
    assigned.saturating_sub(active_and_assigned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_comes_goes_and_returns() {
        let counts = [true, true, false, false, true];
        let of: Vec<[bool; 4]> = (0..=counts.len())
            .map(|month| Presence::at(&counts, month))
            .map(|of| [of.is_new(), of.is_existing(), of.has_churned(), of.is_returning()])
            .collect();
        let (new, existing, churned) =
            ([true, false, false, false], [false, true, false, false], [false, false, true, false]);
        assert_eq!(of, [new, existing, churned, [false; 4], [true, false, false, true], churned]);
    }

    #[test]
    fn seats_are_unassigned_idle_and_new() {
        assert_eq!([unassigned(10, 4), unassigned(4, 10)], [6, 0]);
        assert_eq!([idle(10, 4), idle(4, 10)], [6, 0]);
        assert_eq!([new_seats(5, 12), new_seats(12, 5)], [7, -7]);
        assert_eq!(existing(7, 3), 4);
    }

    #[test]
    fn seats_and_revenue_are_not_defined_by_service() {
        for subject in [Subject::Seats, Subject::Revenue] {
            assert_eq!(subject.by_service(), Err(NotByService));
        }
        for subject in [Subject::Customers, Subject::Subscriptions, Subject::Users] {
            assert_eq!(subject.by_service(), Ok(()));
        }
    }
}
