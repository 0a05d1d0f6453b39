//! A customer's users are numbered densely from 0; everything else refers to the number.
//!
//! Numbers are given under the hold of the customer's row and never change, so a cached one is always right; caches are
//! filled only with what is committed.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use insights_database::bulk::{self, Column, Conflict};

use super::{
    Error,
    cells::CustomerAt,
    work::{NumberedUser, Work},
};

/// Hashes are evenly spread already.
#[derive(Debug, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
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

type Numbers = HashMap<u128, i32, BuildHasherDefault<Spread>>;

/// Numbers of users, by partner and customer.
#[derive(Debug, Default)]
pub(crate) struct UserCache {
    customers: RwLock<HashMap<(i32, i64), Arc<RwLock<Numbers>>>>,
    users: AtomicUsize,
}

/// Above this many users the cache starts anew: about 50 bytes each.
const MOST_CACHED: usize = 4_000_000;

impl UserCache {
    fn of(&self, partner: i32, customer: i64) -> Option<Arc<RwLock<Numbers>>> {
        let customers = self.customers.read().unwrap_or_else(PoisonError::into_inner);
        customers.get(&(partner, customer)).cloned()
    }

    /// Remembers committed numbers.
    pub(crate) fn remember(&self, partner: i32, numbered: &[NumberedUser]) {
        if numbered.is_empty() {
            return;
        }
        let mut customers = self.customers.write().unwrap_or_else(PoisonError::into_inner);
        if self.users.fetch_add(numbered.len(), Ordering::Relaxed) > MOST_CACHED {
            customers.clear();
            self.users.store(numbered.len(), Ordering::Relaxed);
        }
        for (customer, user, no) in numbered {
            let numbers = customers.entry((partner, customer.no)).or_default();
            numbers.write().unwrap_or_else(PoisonError::into_inner).insert(*user, *no);
        }
    }
}

const UNKNOWN: i32 = -1;

/// The numbers of users of one cell, given where there is none yet. Their customers are held. Quickest where users of one
/// customer stand together.
pub(crate) async fn user_numbers(work: &mut Work<'_>, cell: i32, pairs: &[(i64, u128)]) -> Result<Vec<i32>, Error> {
    let mut found = Vec::with_capacity(pairs.len());
    for users in pairs.chunk_by(|a, b| a.0 == b.0) {
        match work.users.of(work.partner.no, users[0].0) {
            Some(numbers) => {
                let numbers = numbers.read().unwrap_or_else(PoisonError::into_inner);
                found.extend(users.iter().map(|(_, user)| numbers.get(user).copied().unwrap_or(UNKNOWN)));
            }
            None => found.resize(found.len() + users.len(), UNKNOWN),
        }
    }
    if found.contains(&UNKNOWN) {
        number_missing(work, cell, pairs, &mut found).await?;
    }
    Ok(found)
}

/// Looks up what the cache does not know, and gives numbers to those who have none.
async fn number_missing(work: &mut Work<'_>, cell: i32, pairs: &[(i64, u128)], found: &mut [i32]) -> Result<(), Error> {
    let mut numbers: HashMap<(i64, u128), i32> = HashMap::new();
    let mut missing = Vec::new();
    for (pair, _) in pairs.iter().zip(&*found).filter(|(_, no)| **no == UNKNOWN) {
        if numbers.insert(*pair, UNKNOWN).is_none() {
            missing.push(*pair);
        }
    }
    let fixed = work.partner.fixed_cell(cell);
    let keys = vec![
        ("customer_no", Column::BigInt(missing.iter().map(|pair| pair.0).collect())),
        ("hash", Column::Bytes(missing.iter().map(|pair| pair.1.to_be_bytes().to_vec()).collect())),
    ];
    for row in bulk::lookup(work.transaction, "ingestion_user", &fixed, keys, "user_no").await? {
        let place = usize::try_from(row.try_get_by_index::<i64>(0)?).unwrap_or_default();
        numbers.insert(missing[place], row.try_get_by_index(1)?);
    }
    let mut new = (Vec::new(), Vec::new(), Vec::new());
    for pair in missing {
        let (customer, user) = pair;
        let at = CustomerAt { cell, no: customer };
        let no = numbers.entry(pair).or_insert(UNKNOWN);
        if *no == UNKNOWN {
            let state = work.held.get_mut(&at).ok_or(Error::Moved)?;
            *no = state.users;
            state.users += 1;
            state.changed = true;
            new.0.push(customer);
            new.1.push(user.to_be_bytes().to_vec());
            new.2.push(*no);
        }
        work.numbered.push((at, user, *no));
    }
    for (no, pair) in found.iter_mut().zip(pairs).filter(|(no, _)| **no == UNKNOWN) {
        *no = numbers.get(pair).copied().ok_or(Error::Moved)?;
    }
    let columns =
        vec![("customer_no", Column::BigInt(new.0)), ("hash", Column::Bytes(new.1)), ("user_no", Column::Int(new.2))];
    bulk::upsert(work.transaction, "ingestion_user", &fixed, columns, Conflict::Fail).await?;
    Ok(())
}
