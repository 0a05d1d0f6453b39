//! Surrogate ids: small numbers in the place of natural ids.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Shards of a partner.
pub(crate) const SHARDS: i32 = 16;

/// The number of the customer beside whom facts are kept whose subscription nobody has said anything about: one in every
/// shard, so that writers of such facts in different shards do not meet.
pub(crate) const UNATTACHED: i64 = -1;

/// A customer's number and shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CustomerKey {
    pub shard: i32,
    pub number: i64,
}

/// Where the partner's own records are kept: beside no customer.
pub(crate) const OF_PARTNER: CustomerKey = CustomerKey { shard: 0, number: 0 };

/// A user who has a number, to be remembered after commit.
pub(crate) type AllocatedUser = (CustomerKey, u128, i32);

/// What a batch names.
#[derive(Debug, Default)]
pub(crate) struct BatchNames {
    pub customers: BTreeSet<String>,
    /// Customers that are only asked about: nothing is made for them.
    pub mentioned: BTreeSet<String>,
    /// With the customer that the subscription's own record names, if it is in the batch.
    pub subscriptions: BTreeMap<String, Option<String>>,
    pub skus: BTreeSet<String>,
    pub services: BTreeSet<String>,
}

/// A subscription's number, and whose it was when looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SubscriptionEntry {
    pub number: i32,
    pub customer: CustomerKey,
    /// Its own record has come.
    pub known: bool,
}

/// The numbers of what a batch names.
#[derive(Clone, Debug, Default)]
pub(crate) struct SurrogateIds {
    pub customers: HashMap<String, CustomerKey>,
    pub subscriptions: HashMap<String, SubscriptionEntry>,
    pub skus: HashMap<String, i32>,
    pub services: HashMap<String, i32>,
}

impl SurrogateIds {
    /// Whether everything wanted has a number.
    pub(crate) fn cover(&self, wanted: &BatchNames) -> bool {
        wanted.customers.iter().all(|id| self.customers.contains_key(id))
            && wanted.subscriptions.keys().all(|id| self.subscriptions.contains_key(id))
            && wanted.skus.iter().all(|id| self.skus.contains_key(id))
            && wanted.services.iter().all(|name| self.services.contains_key(name))
    }
}
