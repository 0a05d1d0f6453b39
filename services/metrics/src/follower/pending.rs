//! Changes that came and are not applied yet: many versions become one application.

use std::collections::BTreeMap;

use insights_proto::ingestion::v1::StreamChangesResponse;

/// What is to be applied to one partner's rollups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// What the feed said; none: only the clock went on.
    pub changes: Option<ChangesToApply>,
}

/// Changes of consecutive versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangesToApply {
    /// The epoch of the versions.
    pub epoch: i64,
    /// The first version covered.
    pub first_version: i64,
    /// The last version covered.
    pub last_version: i64,
    /// What the feed said of the last version.
    pub stamp: i64,
    /// Everything must be rolled up anew.
    pub rebuild: bool,
    /// Who changed, each with the index of the first month that may differ.
    pub customers: BTreeMap<i64, i32>,
}

impl Pending {
    /// Adds what the feed said next.
    pub fn add(&mut self, response: StreamChangesResponse) {
        let customers = response.customers.into_iter().map(|change| (change.customer, change.first_month)).collect();
        self.unite(ChangesToApply {
            epoch: response.epoch,
            first_version: response.first_version,
            last_version: response.last_version,
            stamp: response.stamp,
            rebuild: response.rebuild,
            customers,
        });
    }

    /// Puts back what could not be applied, before what came meanwhile.
    pub fn put_back(&mut self, earlier: Self) {
        let later = std::mem::replace(self, earlier);
        if let Some(changes) = later.changes {
            self.unite(changes);
        }
    }

    fn unite(&mut self, later: ChangesToApply) {
        let Some(changes) = &mut self.changes else {
            self.changes = Some(later);
            return;
        };
        changes.rebuild |= later.rebuild || later.epoch != changes.epoch;
        changes.epoch = later.epoch;
        changes.first_version = changes.first_version.min(later.first_version);
        changes.last_version = later.last_version;
        changes.stamp = later.stamp;
        for (customer, month) in later.customers {
            let first = changes.customers.entry(customer).or_insert(month);
            *first = month.min(*first);
        }
    }
}

#[cfg(test)]
#[path = "pending_tests.rs"]
mod tests;
