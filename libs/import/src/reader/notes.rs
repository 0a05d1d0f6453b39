//! What the user should know about a file besides its rows.

use std::collections::BTreeSet;

use insights_domain::standing::Standing;

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
    /// What else there is to say, in whole sentences.
    pub remarks: BTreeSet<&'static str>,
}

/// Quantities that stand for "as many as you like", found on free SKUs.
const SENTINELS: [i64; 3] = [10_000, 50_000, 1_000_000];

impl Notes {
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

    /// Looks at the seats of a SKU that is not known to be free.
    pub(crate) fn seats(&mut self, sku: &str, seats: i64) {
        if SENTINELS.contains(&seats) {
            add(&mut self.perhaps_free, sku);
        }
    }
}

fn add(set: &mut BTreeSet<String>, item: &str) {
    if set.len() < LISTED && !set.contains(item) {
        set.insert(item.to_owned());
    }
}
