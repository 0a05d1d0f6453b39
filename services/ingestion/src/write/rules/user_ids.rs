//! The numbers of a customer's users, dense from 0; all other tables refer to the number.
//!
//! Numbers are allocated under the lock of the customer's row.

use std::{collections::HashMap, sync::PoisonError};

use crate::{error::Error, ids::CustomerAddress, tables::user, write::transaction::WriteTransaction};

const UNKNOWN: i32 = -1;

/// The numbers of users of one shard, allocated where there is none; their customers are locked. Fastest when users of one
/// customer are adjacent.
pub(crate) async fn user_ids(
    tx: &mut WriteTransaction<'_>,
    shard: i32,
    pairs: &[(i64, u128)],
) -> Result<Vec<i32>, Error> {
    let mut found = Vec::with_capacity(pairs.len());
    for users in pairs.chunk_by(|a, b| a.0 == b.0) {
        match tx.users.of(tx.partner, users[0].0) {
            Some(numbers) => {
                let numbers = numbers.read().unwrap_or_else(PoisonError::into_inner);
                found.extend(users.iter().map(|(_, user)| numbers.get(user).copied().unwrap_or(UNKNOWN)));
            }
            None => found.resize(found.len() + users.len(), UNKNOWN),
        }
    }
    if found.contains(&UNKNOWN) {
        allocate_missing(tx, shard, pairs, &mut found).await?;
    }
    Ok(found)
}

/// Looks up the numbers that are not cached, and allocates the missing ones.
async fn allocate_missing(
    tx: &mut WriteTransaction<'_>,
    shard: i32,
    pairs: &[(i64, u128)],
    found: &mut [i32],
) -> Result<(), Error> {
    let mut numbers: HashMap<(i64, u128), i32> = HashMap::new();
    let mut missing = Vec::new();
    for (pair, _) in pairs.iter().zip(&*found).filter(|(_, number)| **number == UNKNOWN) {
        if numbers.insert(*pair, UNKNOWN).is_none() {
            missing.push(*pair);
        }
    }
    for (position, number) in user::look_up(tx.transaction, tx.partner, shard, &missing).await? {
        numbers.insert(missing[position], number);
    }
    let mut new = Vec::new();
    for pair in missing {
        let (customer, user) = pair;
        let at = CustomerAddress { shard, number: customer };
        let number = numbers.entry(pair).or_insert(UNKNOWN);
        if *number == UNKNOWN {
            let state =
                tx.locked.get_mut(&at).ok_or(Error::Internal("a customer of this transaction is not locked"))?;
            *number = state.users;
            state.users += 1;
            state.changed = true;
            new.push((customer, user, *number));
        }
        tx.numbered.push((at, user, *number));
    }
    for (number, pair) in found.iter_mut().zip(pairs).filter(|(number, _)| **number == UNKNOWN) {
        *number = numbers.get(pair).copied().ok_or(Error::Internal("a user was given no id"))?;
    }
    user::insert(tx.transaction, tx.partner, shard, &new).await
}
