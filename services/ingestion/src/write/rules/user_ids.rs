//! A customer's users are numbered densely from 0; everything else refers to the number.
//!
//! Numbers are given under the hold of the customer's row and never change, so a cached one is always right; caches are
//! filled only with what is committed.

use std::{collections::HashMap, sync::PoisonError};

use insights_database::bulk::{self, Column, Conflict};

use crate::{error::Error, ids::CustomerKey, write::transaction::WriteTransaction};

const UNKNOWN: i32 = -1;

/// The numbers of users of one shard, given where there is none yet. Their customers are held. Quickest where users of one
/// customer stand together.
pub(crate) async fn user_numbers(
    tx: &mut WriteTransaction<'_>,
    shard: i32,
    pairs: &[(i64, u128)],
) -> Result<Vec<i32>, Error> {
    let mut found = Vec::with_capacity(pairs.len());
    for users in pairs.chunk_by(|a, b| a.0 == b.0) {
        match tx.users.of(tx.partner.number, users[0].0) {
            Some(numbers) => {
                let numbers = numbers.read().unwrap_or_else(PoisonError::into_inner);
                found.extend(users.iter().map(|(_, user)| numbers.get(user).copied().unwrap_or(UNKNOWN)));
            }
            None => found.resize(found.len() + users.len(), UNKNOWN),
        }
    }
    if found.contains(&UNKNOWN) {
        number_missing(tx, shard, pairs, &mut found).await?;
    }
    Ok(found)
}

/// Looks up what the cache does not know, and gives numbers to those who have none.
async fn number_missing(
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
    let fixed = tx.partner.fixed_shard(shard);
    let keys = vec![
        ("customer_no", Column::BigInt(missing.iter().map(|pair| pair.0).collect())),
        ("hash", Column::Bytes(missing.iter().map(|pair| pair.1.to_be_bytes().to_vec()).collect())),
    ];
    for row in bulk::lookup(tx.transaction, "ingestion_user", &fixed, keys, "user_no").await? {
        let place = usize::try_from(row.try_get_by_index::<i64>(0)?).unwrap_or_default();
        numbers.insert(missing[place], row.try_get_by_index(1)?);
    }
    let mut new = (Vec::new(), Vec::new(), Vec::new());
    for pair in missing {
        let (customer, user) = pair;
        let at = CustomerKey { shard, number: customer };
        let number = numbers.entry(pair).or_insert(UNKNOWN);
        if *number == UNKNOWN {
            let state = tx.locked.get_mut(&at).ok_or(Error::Moved)?;
            *number = state.users;
            state.users += 1;
            state.changed = true;
            new.0.push(customer);
            new.1.push(user.to_be_bytes().to_vec());
            new.2.push(*number);
        }
        tx.numbered.push((at, user, *number));
    }
    for (number, pair) in found.iter_mut().zip(pairs).filter(|(number, _)| **number == UNKNOWN) {
        *number = numbers.get(pair).copied().ok_or(Error::Moved)?;
    }
    let columns =
        vec![("customer_no", Column::BigInt(new.0)), ("hash", Column::Bytes(new.1)), ("user_no", Column::Int(new.2))];
    bulk::upsert(tx.transaction, "ingestion_user", &fixed, columns, Conflict::Fail).await?;
    Ok(())
}
