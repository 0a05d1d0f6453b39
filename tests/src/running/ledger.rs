//! What writers sent and what they were promised.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Shared by all writers and readers of an installation.
#[derive(Debug, Default)]
pub struct Ledger {
    inner: Mutex<Inner>,
}

/// The state of a ledger at one moment.
#[derive(Clone, Debug, Default)]
pub struct Inner {
    /// Batches of which anything may be stored.
    pub sent: BTreeSet<u64>,
    /// Batches of which everything must be.
    pub acknowledged: BTreeSet<u64>,
    /// The greatest version acknowledged.
    pub version: i64,
    /// Calls that were answered.
    pub acknowledgements: usize,
    /// Answers given to readers, by reader.
    pub answers: BTreeMap<String, usize>,
    /// Calls that failed, by who said what.
    pub failures: BTreeMap<String, usize>,
    /// What was promised and is not so.
    pub broken: Vec<String>,
}

impl Ledger {
    /// Locks the state: writers and readers wait while it is held.
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a failed call. Who is gone says nothing; what the product says while something is away is UNAVAILABLE with a time to
    /// come back after, or that the deadline has passed.
    pub fn failed(&self, who: &str, status: &Status) {
        let said = status.get_error_details();
        let mut inner = self.lock();
        let Some(info) = said.error_info() else {
            let heard = format!("{who}: connection lost ({:?})", status.code());
            *inner.failures.entry(heard).or_default() += 1;
            return;
        };
        let retry = said.retry_info().is_some();
        let heard = format!("{who}: {:?} {}{}", status.code(), info.reason, if retry { " with RetryInfo" } else { "" });
        let known = match status.code() {
            Code::Unavailable => retry,
            Code::DeadlineExceeded => true,
            _ => false,
        };
        if !known {
            inner.broken.push(format!("{heard}: {}", status.message()));
        }
        *inner.failures.entry(heard).or_default() += 1;
    }

    /// Notes what should not be.
    pub fn broke(&self, what: String) {
        self.lock().broken.push(what);
    }
}
