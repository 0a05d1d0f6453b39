//! A transaction on facts: the rows it has locked, and what it has changed so far.

mod publish;
mod user_cache;

use std::collections::HashMap;

use insights_database::{Transaction, bulk::Lock};
use insights_proto::ingestion::v1::{ListEffect, Precedence};

use crate::{
    error::Error,
    ids::{AllocatedUser, CustomerAddress, ResolvedSubscription, SurrogateIds},
    records::{
        erased::ErasedMarks,
        fact::{Fact, KeyPrefix, first_month},
    },
    tables::{catalogue, customer::LockedCustomers, partner::StoredPartner, subscription},
};

pub(crate) use publish::{PendingChanges, publish};
pub(crate) use user_cache::UserCache;

/// Counts of records, as a batch is answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordCounts {
    pub accepted: i64,
    pub duplicates: i64,
    pub superseded: i64,
    pub waiting: i64,
}

impl RecordCounts {
    /// Counts a record that changes nothing: something newer stands, or what it says is there already.
    pub(crate) fn changes_nothing(&mut self, superseded: bool) {
        if superseded {
            self.superseded += 1;
        } else {
            self.duplicates += 1;
        }
    }
}

impl std::ops::AddAssign for RecordCounts {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        self.superseded += other.superseded;
        self.waiting += other.waiting;
    }
}

/// A list of customers that is whole now, or is no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChangedList {
    /// Source and day.
    pub key: Vec<u8>,
    pub day: i32,
    pub recorded: i64,
}

/// A fact whose names are resolved to surrogate ids.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedFact<'a> {
    pub fact: &'a Fact,
    pub precedence: Precedence,
    pub recorded: i64,
    pub received: i64,
    pub owner: ResolvedOwner,
    pub key: Vec<u8>,
    /// What it is about got its number for this batch, so no fact of its key is stored. Should another writer have been faster, the row
    /// cannot be inserted.
    pub is_new: bool,
}

/// The owner of a fact, by surrogate id.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ResolvedOwner {
    Customer(CustomerAddress),
    Subscription(i32),
    SubscriptionRecord { subscription: i32, customer: CustomerAddress },
}

/// The stored key of a fact: its prefix by surrogate id, then its tail.
pub(crate) fn key(fact: &Fact, subscription: i32, ids: &SurrogateIds) -> Vec<u8> {
    let sku = || fact.sku.as_ref().and_then(|id| ids.skus.get(id)).copied().unwrap_or(0);
    let service = || fact.services.first().and_then(|name| ids.services.get(name)).copied().unwrap_or(0);
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

/// A fact refers to a subscription that [`WriteTransaction::read_subscriptions`] was not asked for.
pub(crate) const UNREAD_SUBSCRIPTION: Error = Error::Internal("a subscription of this transaction was not read");

// House: what was read, what is to be written and what is told about it; every rule works on all three.
/// A transaction on facts.
pub(crate) struct WriteTransaction<'a> {
    pub transaction: &'a Transaction,
    pub partner: &'a StoredPartner,
    pub users: &'a UserCache,
    /// What its batch was compared with.
    pub erased: &'a ErasedMarks,
    pub locked: LockedCustomers,
    /// Subscriptions by number, as read under the locks of their customers.
    pub subscriptions: HashMap<i32, ResolvedSubscription>,
    /// Whether SKUs are known, of those that [`Self::read_skus`] was asked about.
    pub skus: HashMap<String, bool>,
    pub changes: PendingChanges,
    pub counts: RecordCounts,
    pub numbered: Vec<AllocatedUser>,
    /// Lists of customers that came or went.
    pub lists: Vec<ChangedList>,
    /// What lists leave out, where that was asked for.
    pub effects: Option<Vec<ListEffect>>,
    /// Receive time of the batch, nanoseconds since 1970.
    pub now: i64,
}

impl<'a> WriteTransaction<'a> {
    pub(crate) fn new(
        transaction: &'a Transaction,
        partner: &'a StoredPartner,
        (users, erased): (&'a UserCache, &'a ErasedMarks),
        locked: LockedCustomers,
        now: i64,
    ) -> Self {
        Self {
            transaction,
            partner,
            users,
            erased,
            locked,
            subscriptions: HashMap::new(),
            skus: HashMap::new(),
            changes: PendingChanges::default(),
            counts: RecordCounts::default(),
            numbered: Vec::new(),
            lists: Vec::new(),
            effects: None,
            now,
        }
    }

    /// Whether facts of this customer count: it is known, and not the placeholder of unattached facts.
    pub(crate) fn counts(&self, customer: CustomerAddress) -> bool {
        self.locked.get(&customer).is_some_and(|state| state.known && !state.is_unattached())
    }

    /// [`Error::CustomerShared`] where others may write to one of these customers meanwhile.
    pub(crate) fn have_alone(&self, customers: [CustomerAddress; 2]) -> Result<(), Error> {
        let shared = |at: &CustomerAddress| self.locked.get(at).is_some_and(|state| state.shared);
        if customers.iter().any(shared) { Err(Error::CustomerShared) } else { Ok(()) }
    }

    /// Notes that a fact that does not wait was added, changed or deleted.
    pub(crate) fn note(&mut self, customer: CustomerAddress, day: i32) {
        if self.counts(customer) {
            self.changes.note(customer.number, first_month(day));
        }
    }

    /// The customer beside whom a fact is kept.
    pub(crate) fn customer(&self, owner: ResolvedOwner) -> Result<CustomerAddress, Error> {
        match owner {
            ResolvedOwner::Customer(customer) | ResolvedOwner::SubscriptionRecord { customer, .. } => Ok(customer),
            ResolvedOwner::Subscription(number) => {
                self.subscriptions.get(&number).map(|at| at.customer).ok_or(UNREAD_SUBSCRIPTION)
            }
        }
    }

    /// The reference that a fact waits for; empty when everything it refers to is known. [`Self::read_skus`] was asked about its SKU.
    pub(crate) fn waits_for(
        &self,
        customer: CustomerAddress,
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

    /// Reads whether these SKUs are known. Unknown ones are locked, so that they cannot become known before this transaction
    /// ends: the writer that brings one locks it first.
    pub(crate) async fn read_skus(&mut self, ids: impl IntoIterator<Item = String>) -> Result<(), Error> {
        let mut new: Vec<String> = ids.into_iter().filter(|id| !self.skus.contains_key(id)).collect();
        new.sort();
        new.dedup();
        let mut unknown = Vec::new();
        for sku in catalogue::look_up_skus(self.transaction, self.partner, new).await? {
            if !sku.known {
                unknown.push(sku.sku_no);
            }
            self.skus.insert(sku.sku_id, sku.known);
        }
        for sku in catalogue::lock_skus(self.transaction, self.partner, unknown, Lock::Share).await? {
            self.skus.insert(sku.sku_id, sku.known);
        }
        Ok(())
    }

    /// Reads which customers have these subscriptions now, and locks them. [`Error::SubscriptionMoved`] when one is with a customer that
    /// this transaction has not locked.
    pub(crate) async fn read_subscriptions(&mut self, mut numbers: Vec<i32>, lock: Lock) -> Result<(), Error> {
        numbers.sort_unstable();
        numbers.dedup();
        let count = numbers.len();
        for entry in subscription::lock(self.transaction, self.partner, numbers, lock).await? {
            if !self.locked.contains_key(&entry.customer) {
                return Err(Error::SubscriptionMoved);
            }
            self.subscriptions.insert(entry.number, entry);
        }
        if self.subscriptions.len() < count {
            let what = "a subscription that has a number has no row".to_owned();
            return Err(self.partner.missing(self.transaction, what).await);
        }
        Ok(())
    }
}
