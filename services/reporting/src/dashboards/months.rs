//! The months of a page, and the base months of its changes.

use insights_domain::calendar::Month;
use insights_proto::metrics::v1::Freshness;

/// The months of a page: both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthSpan {
    /// First month.
    pub from: Month,
    /// Last month.
    pub to: Month,
    /// The earliest month with data; none without data.
    pub first_data: Option<Month>,
}

impl MonthSpan {
    /// Number of months.
    #[must_use]
    pub fn length(&self) -> i32 {
        self.to.index() - self.from.index() + 1
    }

    /// The base of a stock's change: the month before the range.
    #[must_use]
    pub fn base(&self) -> Month {
        self.from.previous()
    }

    /// First month of a flow's base: the range of equal length that ends with [`MonthSpan::base`].
    #[must_use]
    pub fn base_from(&self) -> Month {
        self.from.plus(-self.length())
    }

    /// The months of the range.
    pub fn months(&self) -> impl Iterator<Item = Month> + use<> {
        months(self.from, self.to)
    }

    /// Whether it is known who came in a month. Who was there in the earliest month with data came nobody knows when.
    #[must_use]
    pub fn arrivals_known(&self, month: Month) -> bool {
        self.first_data != Some(month)
    }

    /// Whether flows are known in each month from this one on: the month before it has data.
    #[must_use]
    pub fn flows_known_from(&self, month: Month) -> bool {
        self.stored(month.previous())
    }

    /// Whether a month has stored data.
    #[must_use]
    pub fn stored(&self, month: Month) -> bool {
        self.first_data.is_some_and(|first| first <= month)
    }
}

/// The months from one to another, both included.
pub fn months(from: Month, to: Month) -> impl Iterator<Item = Month> + use<> {
    (0..=to.index() - from.index()).map(move |later| from.plus(later))
}

/// The last month with data.
#[must_use]
pub fn last_month(freshness: &Freshness) -> Option<Month> {
    freshness.complete_through.get(..7)?.parse().ok()
}

/// The first month with data.
#[must_use]
pub fn first_month(freshness: &Freshness) -> Option<Month> {
    freshness.first_month.parse().ok()
}
