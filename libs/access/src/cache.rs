//! Verified tokens, remembered until they end or the issuer's keys change, because a signature costs a hundred times a look.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::Identity;

pub(crate) struct Cache {
    /// By a hash of the token: the memory of a server should not be a list of usable tokens.
    entries: Mutex<HashMap<[u8; 32], CachedIdentity>>,
    limit: usize,
}

struct CachedIdentity {
    identity: Identity,
    generation: u64,
    /// Seconds since 1970, leeway included.
    ends: i64,
}

impl Cache {
    pub(crate) fn new(limit: usize) -> Self {
        Self { entries: Mutex::new(HashMap::new()), limit }
    }

    pub(crate) fn key(token: &str) -> [u8; 32] {
        *blake3::hash(token.as_bytes()).as_bytes()
    }

    /// The identity with the generation of the keys that verified it.
    pub(crate) fn get(&self, key: &[u8; 32], now: i64) -> Option<(Identity, u64)> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(key).filter(|entry| entry.ends > now)?;
        Some((entry.identity.clone(), entry.generation))
    }

    pub(crate) fn put(&self, key: [u8; 32], identity: Identity, generation: u64, ends: i64, now: i64) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.limit {
            entries.retain(|_, entry| entry.ends > now);
        }
        if entries.len() >= self.limit {
            // Full of valid tokens: start over rather than keep an order of use.
            entries.clear();
        }
        entries.insert(key, CachedIdentity { identity, generation, ends });
    }
}
