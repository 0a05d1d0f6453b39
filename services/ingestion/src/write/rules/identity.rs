//! The rule of identity: which of two records of one key counts.
//!
//! The record of the greater precedence counts; of equal precedence the one recorded later; of those recorded at the same time
//! the one of the greater canonical bytes. So what is stored does not depend on the order of arrival.

use insights_proto::ingestion::v1::Precedence;

use crate::tables::fact::FactRow;

/// What a new record means for the stored row of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Changes nothing: it says what is stored, or less than is known of it.
    Duplicate,
    /// Changes nothing: it says something else, of which something newer is stored.
    Superseded,
    /// Has the same content, but takes more to be replaced: see [`raise`].
    Raised,
    /// Takes the place of the stored row.
    Replaces,
}

/// Judges a new record against the stored row of its key.
pub(super) fn verdict(stored: &FactRow, new: &FactRow) -> Verdict {
    if (rank(new), &new.body) <= (rank(stored), &stored.body) {
        let is_as_good = new.precedence == stored.precedence && new.precedence != Precedence::FirstSight;
        if is_as_good && new.body != stored.body { Verdict::Superseded } else { Verdict::Duplicate }
    } else if new.body == stored.body {
        Verdict::Raised
    } else {
        Verdict::Replaces
    }
}

/// Gives the stored row the precedence and the time of a new record of the same content.
pub(super) fn raise(stored: &mut FactRow, new: &FactRow) {
    (stored.precedence, stored.recorded) = (new.precedence, new.recorded);
}

/// Precedence, then time; the greater counts. Of records on first sight the earlier counts.
fn rank(row: &FactRow) -> (u8, i64) {
    match row.precedence {
        Precedence::Named => (1, row.recorded),
        Precedence::Listed => (2, row.recorded),
        Precedence::FirstSight => (3, -row.recorded),
        Precedence::Described => (4, row.recorded),
        Precedence::Known => (5, row.recorded),
        Precedence::Unspecified => (6, row.recorded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::OF_PARTNER, records::fact::FactKind};

    fn row(precedence: Precedence, recorded: i64, body: &str) -> FactRow {
        FactRow {
            customer: OF_PARTNER,
            kind: FactKind::Customer,
            key: Vec::new(),
            precedence,
            recorded,
            received: 0,
            day: 0,
            body: body.as_bytes().to_vec(),
            waits_for: String::new(),
        }
    }

    #[test]
    fn every_row_counts_over_those_before_it() {
        let rising = [
            row(Precedence::Named, 1, "a"),
            row(Precedence::Named, 1, "b"),
            row(Precedence::Named, 9, "a"),
            row(Precedence::Listed, 5, "a"),
            row(Precedence::FirstSight, 7, "a"),
            row(Precedence::FirstSight, 6, "a"),
            row(Precedence::Described, 1, "a"),
            row(Precedence::Known, 1, "a"),
            row(Precedence::Unspecified, -1, "a"),
            row(Precedence::Unspecified, 0, "a"),
        ];
        for (position, stored) in rising.iter().enumerate() {
            for earlier in &rising[..=position] {
                let is_older = earlier.body != stored.body && earlier.precedence == stored.precedence;
                let expected = if is_older { Verdict::Superseded } else { Verdict::Duplicate };
                assert_eq!(verdict(stored, earlier), expected, "{earlier:?}");
            }
            for later in &rising[position + 1..] {
                let expected = if later.body == stored.body { Verdict::Raised } else { Verdict::Replaces };
                assert_eq!(verdict(stored, later), expected, "{later:?}");
            }
        }
    }

    #[test]
    fn a_raised_row_takes_more_to_be_replaced() {
        let (mut stored, again) = (row(Precedence::Named, 1, "a"), row(Precedence::Described, 0, "a"));
        raise(&mut stored, &again);
        assert_eq!(verdict(&stored, &again), Verdict::Duplicate);
        assert_eq!(verdict(&stored, &row(Precedence::Listed, 9, "b")), Verdict::Duplicate);
    }
}
