//! Surrogate ids: the small numbers that stand for the ids of sources in the tables. What shards and unattached facts are:
//! `docs/transactions.md`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Shards of a partner.
pub(crate) const SHARDS: i32 = 16;

/// The number of the placeholder customer beside whom unattached facts are kept: those of subscriptions whose customer is not known
/// yet. Every shard has one, so that writers of such facts in different shards do not meet.
pub(crate) const UNATTACHED: i64 = -1;

/// A customer's number and shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CustomerAddress {
    pub shard: i32,
    pub number: i64,
}

/// The place of the partner's own records, which belong to no customer.
pub(crate) const OF_PARTNER: CustomerAddress = CustomerAddress { shard: 0, number: 0 };

/// A user (customer, hash) and its number, to be cached after the commit.
pub(crate) type AllocatedUser = (CustomerAddress, u128, i32);

/// The ids that a batch names.
#[derive(Debug, Default)]
pub(crate) struct BatchNames {
    pub customers: BTreeSet<String>,
    /// Customers that only retractions name: no id is allocated to them.
    pub mentioned: BTreeSet<String>,
    /// By id, with the customer that the subscription's own record names, if that is in the batch.
    pub subscriptions: BTreeMap<String, Option<String>>,
    pub skus: BTreeSet<String>,
    pub services: BTreeSet<String>,
}

/// A subscription's number, and its customer when it was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResolvedSubscription {
    pub number: i32,
    pub customer: CustomerAddress,
    /// Its own record has come.
    pub known: bool,
}

/// The surrogate ids of what a batch names.
#[derive(Clone, Debug, Default)]
pub(crate) struct SurrogateIds {
    pub customers: HashMap<String, CustomerAddress>,
    pub subscriptions: HashMap<String, ResolvedSubscription>,
    pub skus: HashMap<String, i32>,
    pub services: HashMap<String, i32>,
    /// The last customer and the last subscription that had numbers before some were given out for this batch, if any were.
    pub last_before: Option<(i64, i32)>,
}

impl SurrogateIds {
    /// Whether the customer got its number for this batch.
    pub(crate) fn is_new_customer(&self, number: i64) -> bool {
        self.last_before.is_some_and(|(last, _)| number > last)
    }

    /// Whether the subscription got its number for this batch.
    pub(crate) fn is_new_subscription(&self, number: i32) -> bool {
        self.last_before.is_some_and(|(_, last)| number > last)
    }

    /// Whether all names have an id; those that are only mentioned need none.
    pub(crate) fn cover(&self, names: &BatchNames) -> bool {
        names.customers.iter().all(|id| self.customers.contains_key(id))
            && names.subscriptions.keys().all(|id| self.subscriptions.contains_key(id))
            && names.skus.iter().all(|id| self.skus.contains_key(id))
            && names.services.iter().all(|name| self.services.contains_key(name))
    }
}
