//! Records that stand in until better ones come: of customers, SKUs and locations that a file only names or describes in part.
//!
//! Each says how much the file knows (its [`Precedence`]) and when, so that it gives way to every record of a source itself and to
//! every fuller provisional one, in whatever order the files come.

use insights_domain::calendar::Month;
use insights_proto::ingestion::v1::{Customer, Precedence, Record, record::Kind};
use prost_types::Timestamp;

const SECONDS_PER_DAY: i64 = 86_400;

/// A record from a monthly file, recorded at the end of the month: of two months the later counts.
pub(crate) fn of_month(precedence: Precedence, month: Month, kind: Kind) -> Record {
    record(precedence, i64::from(month.last_day().epoch_days()) * SECONDS_PER_DAY, kind)
}

/// A record from a file made at `made`, in seconds since 1970: of two files the later counts.
pub(crate) fn of_file(precedence: Precedence, made: i64, kind: Kind) -> Record {
    record(precedence, made, kind)
}

/// A record of what is assumed for want of any statement, seen at `seen`, in seconds since 1970: of two files the earlier counts.
pub(crate) fn on_first_sight(seen: i64, kind: Kind) -> Record {
    record(Precedence::FirstSight, seen, kind)
}

fn record(precedence: Precedence, seconds: i64, kind: Kind) -> Record {
    Record { recorded_at: Some(Timestamp { seconds, nanos: 0 }), precedence: precedence.into(), kind: Some(kind) }
}

/// How much is known of a customer.
pub(crate) fn precedence_of(customer: &Customer) -> Precedence {
    let described = customer.country.is_some() || customer.segment.is_some() || customer.industry.is_some();
    if described { Precedence::Described } else { Precedence::Named }
}

/// A customer of whom a file says nothing but the id.
pub(crate) fn bare_customer(customer_id: &str, made: i64) -> Record {
    let customer = Customer { customer_id: customer_id.to_owned(), ..Customer::default() };
    of_file(Precedence::Named, made, Kind::Customer(customer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_say_how_much_is_known_and_when() {
        let month = Month::from_index(2024 * 12).unwrap();
        let kind = || Kind::Customer(Customer::default());
        let said = |record: Record| (record.precedence(), record.recorded_at.unwrap_or_default().seconds);
        assert_eq!(said(of_month(Precedence::Described, month, kind())), (Precedence::Described, 1_706_659_200));
        assert_eq!(said(of_file(Precedence::Known, 1_700_000_000, kind())), (Precedence::Known, 1_700_000_000));
        assert_eq!(said(on_first_sight(5, kind())), (Precedence::FirstSight, 5));
        assert_eq!(said(bare_customer("C", 7)), (Precedence::Named, 7));
    }

    #[test]
    fn a_customer_is_described_by_what_figures_are_grouped_by() {
        let named = Customer { name: Some("Fabrikam".into()), ..Customer::default() };
        let described = Customer { country: Some("BR".into()), ..named.clone() };
        assert_eq!(precedence_of(&named), Precedence::Named);
        assert_eq!(precedence_of(&described), Precedence::Described);
    }
}
