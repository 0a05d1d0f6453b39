//! When the records that an importer sends for want of better ones count as recorded.
//!
//! Of two records of one key the one recorded later counts, and a record that says nothing counts as recorded when it is
//! received. What a file merely names, or describes in part, is therefore dated back to before 1990, the poorer the
//! further, so that it gives way to every real record and to every fuller one, in whatever order the files come.

use insights_domain::calendar::Month;
use insights_proto::ingestion::v1::{Customer, Record, record::Kind};
use prost_types::Timestamp;

/// How much a stub knows; a fuller one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fullness {
    /// Its id, perhaps a name.
    Named,
    /// What a list says of it: a customer's name and domain, an offer's name.
    Listed,
    /// What the figures are grouped by: country, segment, product.
    Described,
    /// Everything but the certainty of a catalogue.
    Known,
}

/// 1960-01-01.
const FIRST_SIGHT: i64 = -315_619_200;

impl Fullness {
    /// The first of January 1950, 1955, 1970 and 1980.
    const fn base(self) -> i64 {
        match self {
            Self::Named => -631_152_000,
            Self::Listed => -473_385_600,
            Self::Described => 0,
            Self::Known => 315_532_800,
        }
    }

    /// Of a file of months: a later month knows better.
    pub(crate) fn in_month(self, month: Month) -> Timestamp {
        Timestamp { seconds: self.base() + i64::from(month.index() - 1970 * 12), nanos: 0 }
    }

    /// Of a file made at `made`, in seconds since 1970: a later file knows better. A thousandth of its age keeps the
    /// levels apart for thousands of years.
    pub(crate) fn in_file(self, made: i64) -> Timestamp {
        slow(self.base(), made)
    }
}

/// Of what holds only if nobody has said anything before: the earliest file wins.
pub(crate) fn first_sight(made: i64) -> Timestamp {
    slow(FIRST_SIGHT, -made)
}

fn slow(base: i64, made: i64) -> Timestamp {
    let nanos = i32::try_from(made.rem_euclid(1000)).unwrap_or_default() * 1_000_000;
    Timestamp { seconds: base + made.div_euclid(1000), nanos }
}

/// How much is known of a customer.
pub(crate) fn fullness(customer: &Customer) -> Fullness {
    let described = customer.country.is_some() || customer.segment.is_some() || customer.industry.is_some();
    if described { Fullness::Described } else { Fullness::Named }
}

/// The stub of a customer of whom a file says nothing.
pub(crate) fn bare_customer(customer_id: &str, made: i64) -> Record {
    let customer = Customer { customer_id: customer_id.to_owned(), ..Customer::default() };
    Record {
        recorded_at: Some(Fullness::Named.in_file(made)),
        kind: Some(Kind::Customer(customer)),
        ..Record::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(time: Timestamp) -> (i64, i32) {
        (time.seconds, time.nanos)
    }

    #[test]
    fn fuller_wins_then_later() {
        let (early, late) = (1_700_000_000, 1_700_000_001);
        let month = Month::from_index(2024 * 12).unwrap();
        let times = [
            Fullness::Named.in_month(month),
            Fullness::Named.in_file(early),
            Fullness::Named.in_file(late),
            Fullness::Listed.in_file(early),
            Fullness::Described.in_month(month.previous()),
            Fullness::Described.in_month(month),
            Fullness::Known.in_file(early),
        ];
        assert!(times.map(order).is_sorted(), "{times:?}");
        assert!(times.iter().all(|time| time.seconds < 631_152_000), "all before 1990");
        assert!(order(first_sight(late)) < order(first_sight(early)), "the earliest file wins");
    }
}
