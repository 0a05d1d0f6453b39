//! What the user should know about a file besides its rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use insights_domain::standing::Standing;

/// What is said of a report of days to come.
pub(crate) const AHEAD: &str = "rows are of days that lie ahead, which no report is about: they count once the day has come. Are the \
    dates read the right way (--dates)?";
/// Things of one sort listed; a file that is wrong throughout must not fill the memory.
const LISTED: usize = 1_000;

/// What the user should know about a file besides its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Columns that the format does not know, as the file spells them.
    pub unknown_columns: Vec<String>,
    /// Service plans and workloads without a known service: each became a service of its own name.
    pub unmapped_services: BTreeSet<String>,
    /// Countries that no list knows; the records went without.
    pub unknown_countries: BTreeSet<String>,
    /// Status words nobody has seen before: kept as they are, in good standing nowhere.
    pub unknown_statuses: BTreeSet<String>,
    /// SKUs that look free by their number of seats and are not known to be.
    pub perhaps_free: BTreeSet<String>,
    /// SKUs with as many seats that are known to be free.
    pub free_without_end: BTreeSet<String>,
    /// What was done to fields so that their rows could be taken, by field.
    pub mended: BTreeMap<(String, Mending), MendedRows>,
    /// What else there is to say, in whole sentences.
    pub remarks: BTreeSet<&'static str>,
}

/// What was done to a field so that its row could be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mending {
    /// A date that stands for none was taken as none.
    NoDay,
    /// What is no date was left out.
    DateLeftOut,
    /// An amount was rounded to the decimals that are kept.
    Rounded,
    /// What is no amount was left out.
    AmountLeftOut,
    /// A user without a name was taken for a user of its own.
    Nameless,
    /// As many seats were taken as stand for seats without end.
    SeatsWithoutEnd,
}

impl fmt::Display for Mending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NoDay => "a date that stands for none, such as 9999-12-31 or 0001-01-01, is taken as none",
            Self::DateLeftOut => "what is no date is left out, the rest of the row is taken",
            Self::Rounded => "an amount with more than 6 decimals is rounded half to even",
            Self::AmountLeftOut => "what is no amount, or may be two, is left out, the rest of the row is taken",
            Self::Nameless => {
                "a user whose name is unknown cannot be told from others without one: each row counts as a user of its own"
            }
            Self::SeatsWithoutEnd => {
                "seats without end, free by all appearance: mark the SKU as free where it costs nothing"
            }
        })
    }
}

/// The rows that something was done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MendedRows {
    /// How many.
    pub rows: u64,
    /// The first of them.
    pub first: u64,
}

/// Quantities that stand for "as many as you like", found on free SKUs; so does everything beyond the greatest.
const SENTINELS: [i64; 5] = [10_000, 50_000, 100_000, 500_000, 1_000_000];

/// Whether a number of seats stands for seats without end.
pub(crate) fn without_end(seats: i64) -> bool {
    SENTINELS.contains(&seats) || SENTINELS.iter().all(|sentinel| seats > *sentinel)
}

impl Notes {
    /// Something was done to a field of a row.
    pub(crate) fn mended(&mut self, row: u64, field: &str, what: Mending) {
        // There are as many fields as columns, in a list at most as many as the format knows.
        let rows = self.mended.entry((field.to_owned(), what)).or_insert(MendedRows { rows: 0, first: row });
        rows.rows += 1;
        rows.first = rows.first.min(row);
    }

    pub(crate) fn unmapped_service(&mut self, name: &str) {
        add(&mut self.unmapped_services, name);
    }

    pub(crate) fn unknown_country(&mut self, name: &str) {
        add(&mut self.unknown_countries, name);
    }

    /// Looks at a source's word for a standing.
    pub(crate) fn status(&mut self, word: &str) {
        if Standing::from_source_word(word) == Standing::Other {
            add(&mut self.unknown_statuses, word);
        }
    }

    /// Looks at the seats of a SKU.
    pub(crate) fn seats(&mut self, sku: &str, free: bool, seats: i64) {
        if without_end(seats) {
            add(if free { &mut self.free_without_end } else { &mut self.perhaps_free }, sku);
        }
    }
}

fn add(set: &mut BTreeSet<String>, item: &str) {
    if set.len() < LISTED && !set.contains(item) {
        set.insert(item.to_owned());
    }
}
