//! A cache of the numbers of users.
//!
//! Numbers never change and only committed ones are cached, so a cached number is right until something is erased. Numbers from
//! before are not found any more, and go with the cache.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{ids::AllocatedUser, tables::partner::StoredPartner};

/// Passes a user's hash through: its bits are evenly spread already.
#[derive(Debug, Default)]
pub(crate) struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, value: u128) {
        self.0 = value as u64;
    }
}

pub(crate) type UserNumbers = HashMap<u128, i32, BuildHasherDefault<IdentityHasher>>;

/// A partner, the number of its erasures, and a customer.
type CacheKey = (i32, i64, i64);

/// Numbers of users, by partner and customer.
#[derive(Debug, Default)]
pub(crate) struct UserCache {
    customers: RwLock<HashMap<CacheKey, Arc<RwLock<UserNumbers>>>>,
    users: AtomicUsize,
}

/// Users above which the cache is cleared, at about 50 bytes each.
const MOST_CACHED: usize = 4_000_000;

impl UserCache {
    pub(crate) fn of(&self, partner: &StoredPartner, customer: i64) -> Option<Arc<RwLock<UserNumbers>>> {
        let customers = self.customers.read().unwrap_or_else(PoisonError::into_inner);
        customers.get(&(partner.number, partner.erasures, customer)).cloned()
    }

    /// Adds committed numbers.
    pub(crate) fn remember(&self, partner: &StoredPartner, numbered: &[AllocatedUser]) {
        if numbered.is_empty() {
            return;
        }
        let mut customers = self.customers.write().unwrap_or_else(PoisonError::into_inner);
        if self.users.fetch_add(numbered.len(), Ordering::Relaxed) > MOST_CACHED {
            customers.clear();
            self.users.store(numbered.len(), Ordering::Relaxed);
        }
        for (customer, user, number) in numbered {
            let numbers = customers.entry((partner.number, partner.erasures, customer.number)).or_default();
            numbers.write().unwrap_or_else(PoisonError::into_inner).insert(*user, *number);
        }
    }
}
