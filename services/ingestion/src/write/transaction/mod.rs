//! One transaction at work: what it holds, what it has changed so far.

mod publish;
mod user_cache;

use std::collections::HashMap;

use insights_database::{
    Transaction,
    bulk::{self, Column, Lock},
};

use crate::{
    error::Error,
    ids::{AllocatedUser, CustomerKey, SubscriptionEntry, SurrogateIds},
    records::fact::{Fact, KeyPrefix, first_month},
    tables::{customer::LockedCustomers, partner::PartnerRow},
};

pub(crate) use publish::{PendingChanges, publish};
pub(crate) use user_cache::UserCache;

/// Counts over records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordCounts {
    pub accepted: i64,
    pub duplicates: i64,
    pub waiting: i64,
}

impl std::ops::AddAssign for RecordCounts {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        self.waiting += other.waiting;
    }
}

/// A fact with numbers in the place of names.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedFact<'a> {
    pub fact: &'a Fact,
    pub recorded: i64,
    pub received: i64,
    pub owner: ResolvedOwner,
    pub key: Vec<u8>,
}

/// Whose fact it is, by number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ResolvedOwner {
    Customer(CustomerKey),
    Subscription(i32),
    SubscriptionRecord { subscription: i32, customer: CustomerKey },
}

/// The key of a fact.
pub(crate) fn key(fact: &Fact, subscription: i32, numbers: &SurrogateIds) -> Vec<u8> {
    let sku = || fact.sku.as_ref().and_then(|id| numbers.skus.get(id)).copied().unwrap_or(0);
    let service = || fact.services.first().and_then(|name| numbers.services.get(name)).copied().unwrap_or(0);
    let mut key = Vec::with_capacity(8 + fact.tail.len());
    match fact.prefix {
        KeyPrefix::None => {}
        KeyPrefix::Subscription => key.extend(subscription.to_be_bytes()),
        KeyPrefix::Sku => {
            key.extend([0; 4]);
            key.extend(sku().to_be_bytes());
        }
        KeyPrefix::OwnSku => key.extend(sku().to_be_bytes()),
        KeyPrefix::Service => key.extend(service().to_be_bytes()),
    }
    key.extend(&fact.tail);
    key
}

/// One transaction at work.
pub(crate) struct WriteTransaction<'a> {
    pub transaction: &'a Transaction,
    pub partner: &'a PartnerRow,
    pub users: &'a UserCache,
    pub locked: LockedCustomers,
    /// Subscriptions by number as they are now, under the hold of their customers.
    pub subscriptions: HashMap<i32, SubscriptionEntry>,
    /// Whether the catalogue has a SKU, for those asked about.
    pub skus: HashMap<String, bool>,
    pub changes: PendingChanges,
    pub counts: RecordCounts,
    pub numbered: Vec<AllocatedUser>,
    /// Receive time of the batch, nanoseconds since 1970.
    pub now: i64,
}

impl<'a> WriteTransaction<'a> {
    pub(crate) fn new(
        transaction: &'a Transaction,
        partner: &'a PartnerRow,
        users: &'a UserCache,
        locked: LockedCustomers,
        now: i64,
    ) -> Self {
        Self {
            transaction,
            partner,
            users,
            locked,
            subscriptions: HashMap::new(),
            skus: HashMap::new(),
            changes: PendingChanges::default(),
            counts: RecordCounts::default(),
            numbered: Vec::new(),
            now,
        }
    }

    /// Whether facts of this customer count: its own record has come.
    pub(crate) fn counts(&self, customer: CustomerKey) -> bool {
        self.locked.get(&customer).is_some_and(|state| state.known && !state.is_unattached())
    }

    /// Notes that a fact came, changed or went that waits for nothing.
    pub(crate) fn note(&mut self, customer: CustomerKey, day: i32) {
        if self.counts(customer) {
            self.changes.note(customer.number, first_month(day));
        }
    }

    /// The customer a fact belongs to now.
    pub(crate) fn customer(&self, owner: ResolvedOwner) -> Result<CustomerKey, Error> {
        match owner {
            ResolvedOwner::Customer(customer) | ResolvedOwner::SubscriptionRecord { customer, .. } => Ok(customer),
            ResolvedOwner::Subscription(number) => {
                self.subscriptions.get(&number).map(|at| at.customer).ok_or(Error::Moved)
            }
        }
    }

    /// What a fact waits for; empty when everything it refers to is there. The SKU must have been asked about.
    pub(crate) fn waits_for(
        &self,
        customer: CustomerKey,
        unknown_subscription: Option<&str>,
        sku: Option<&str>,
    ) -> String {
        if let Some(id) = unknown_subscription {
            return format!("subscription/{id}");
        }
        if let Some(state) = self.locked.get(&customer).filter(|state| !state.known) {
            return format!("customer/{}", state.id);
        }
        match sku {
            Some(id) if self.skus.get(id) == Some(&false) => format!("sku/{id}"),
            _ => String::new(),
        }
    }

    /// Asks whether the catalogue has these SKUs. Those it has not are held, so that they cannot come unnoticed before
    /// this transaction ends; whoever brings one holds it first.
    pub(crate) async fn ask_skus(&mut self, ids: impl IntoIterator<Item = String>) -> Result<(), Error> {
        let mut new: Vec<String> = ids.into_iter().filter(|id| !self.skus.contains_key(id)).collect();
        new.sort();
        new.dedup();
        let fixed = self.partner.fixed();
        let keys = vec![("sku_id", Column::Text(new))];
        let mut unknown = Vec::new();
        for row in bulk::lookup(self.transaction, "ingestion_sku", &fixed, keys, "sku_id, sku_no, known").await? {
            let known: bool = row.try_get_by_index(3)?;
            if !known {
                unknown.push(row.try_get_by_index::<i32>(2)?);
            }
            self.skus.insert(row.try_get_by_index(1)?, known);
        }
        let key = ("sku_no", Column::Int(unknown));
        for row in bulk::lock(self.transaction, "ingestion_sku", &fixed, key, "sku_id, known", Lock::Share).await? {
            self.skus.insert(row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        }
        Ok(())
    }

    /// Reads where these subscriptions are now. Fails with [`Error::Moved`] when one is with a customer not held.
    pub(crate) async fn read_subscriptions(&mut self, mut numbers: Vec<i32>) -> Result<(), Error> {
        numbers.sort_unstable();
        numbers.dedup();
        let count = numbers.len();
        let keys = vec![("subscription_no", Column::Int(numbers))];
        let select = "subscription_no, cell, customer_no, known";
        let fixed = self.partner.fixed();
        for row in bulk::lookup(self.transaction, "ingestion_subscription", &fixed, keys, select).await? {
            let customer = CustomerKey { shard: row.try_get_by_index(2)?, number: row.try_get_by_index(3)? };
            if !self.locked.contains_key(&customer) {
                return Err(Error::Moved);
            }
            let at = SubscriptionEntry { number: row.try_get_by_index(1)?, customer, known: row.try_get_by_index(4)? };
            self.subscriptions.insert(at.number, at);
        }
        if self.subscriptions.len() < count { Err(Error::Moved) } else { Ok(()) }
    }
}
