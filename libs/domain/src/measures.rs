//! The definitions of measures.

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

#[cfg(test)]
mod tests {
    use super::*;

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
