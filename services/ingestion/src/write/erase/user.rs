//! A user: its facts, its days of activity and its number, at every customer that has it.

use std::collections::BTreeSet;

use insights_database::{Transaction, sea_orm::ConnectionTrait};
use insights_domain::calendar::{Day, Month};
use insights_service::fail_point;

use super::subject::ResolvedSubject;
use crate::{
    error::Error,
    ids::{CustomerAddress, UNATTACHED},
    records::fact::FactKind,
    tables::{
        activity,
        chunk::BUCKET,
        customer,
        fact::{self, FactRow},
        partner::StoredPartner,
        user,
    },
    write::{
        Ledger,
        erased::marks,
        retry::{TRIES, transact},
        rules::activity_retraction,
        transaction::{WriteTransaction, publish},
    },
};

/// Customers asked about at a time.
const CUSTOMERS: i64 = 500;

/// A customer that has the user, and its number there; none: only facts that wait for their customer name it.
type UserPlace = (CustomerAddress, Option<i32>);

pub(super) async fn counts<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    resolved: &ResolvedSubject,
    user: u128,
) -> Result<Vec<(&'static str, i64)>, Error> {
    let (mut users, mut assignments, mut licences, mut days) = (0, 0, 0, 0);
    for (at, number) in places(connection, partner, resolved, user).await? {
        for row in facts_of(connection, partner, at, user).await? {
            *(if row.kind == FactKind::Assignment { &mut assignments } else { &mut licences }) += 1;
        }
        if let Some(number) = number {
            users += 1;
            days += active_days(connection, partner, at, number).await?;
        }
    }
    let (assignment, licensed) = (FactKind::Assignment.name(), FactKind::Licensed.name());
    Ok(vec![("users", users), (assignment, assignments), (licensed, licences), ("activity", days)])
}

/// Erases the user, a customer a transaction, each with the partner's next version.
pub(super) async fn erase(
    ledger: &Ledger,
    partner: &StoredPartner,
    resolved: &ResolvedSubject,
    user: u128,
) -> Result<(), Error> {
    for place in places(ledger.database.reader(), partner, resolved, user).await? {
        transact!(ledger, |transaction| erase_in(ledger, transaction, partner, place, user))?;
        fail_point::hit("ingestion.erasure_user");
    }
    Ok(())
}

async fn erase_in(
    ledger: &Ledger,
    transaction: &Transaction,
    partner: &StoredPartner,
    (at, number): UserPlace,
    user: u128,
) -> Result<(), Error> {
    let locked = customer::lock(transaction, partner, &BTreeSet::from([at]), ledger.locks.customers).await?;
    let (marks, now) = (marks(ledger, partner).await?, ledger.receipts.receive(partner, 0)?);
    let mut tx = WriteTransaction::new(transaction, partner, (&ledger.users, &marks), locked, now);
    let rows = facts_of(transaction, partner, at, user).await?;
    fact::delete(transaction, partner, at.shard, &rows).await?;
    for row in rows.iter().filter(|row| row.waits_for.is_empty()) {
        tx.note(at, row.day);
    }
    if let Some(number) = number {
        activity_retraction::erase_user(&mut tx, at, number).await?;
        user::delete(transaction, partner, at, Some(user)).await?;
    }
    customer::update(transaction, partner, &tx.locked).await?;
    publish(transaction, partner, tx.changes, now).await?;
    Ok(())
}

async fn facts_of<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    at: CustomerAddress,
    user: u128,
) -> Result<Vec<FactRow>, Error> {
    let kinds = [FactKind::Assignment, FactKind::Licensed];
    let mut rows = fact::read_days(connection, partner, at, kinds, [i32::MIN, i32::MAX]).await?;
    rows.retain(|row| row.user() == Some(user));
    Ok(rows)
}

async fn active_days<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    at: CustomerAddress,
    number: i32,
) -> Result<i64, Error> {
    let Some(months) = every_month() else { return Ok(0) };
    let (bucket, place) = (number / BUCKET as i32, number as usize % BUCKET);
    let rows = activity::read_months(connection, partner, at, months).await?;
    let of_user = rows.iter().filter(|row| row.bucket == bucket).flat_map(|row| row.chunk.services());
    Ok(of_user.map(|(_, masks)| i64::from(masks[place].count_ones())).sum())
}

/// The first and the last month there may be.
fn every_month() -> Option<[Month; 2]> {
    Some([Day::from_ymd(1900, 1, 1)?.month(), Day::from_ymd(2199, 12, 31)?.month()])
}

/// The customers who have the user: the one named, or any.
async fn places<C: ConnectionTrait>(
    connection: &C,
    partner: &StoredPartner,
    resolved: &ResolvedSubject,
    user: u128,
) -> Result<Vec<UserPlace>, Error> {
    if !resolved.anywhere {
        let Some(at) = resolved.customer else { return Ok(Vec::new()) };
        let found = user::look_up(connection, partner, at.shard, &[(at.number, user)]).await?;
        return Ok(found.into_iter().map(|(_, number)| (at, Some(number))).collect());
    }
    let mut places = Vec::new();
    for shard in partner.shards() {
        let waiting = CustomerAddress { shard, number: UNATTACHED };
        if !facts_of(connection, partner, waiting, user).await?.is_empty() {
            places.push((waiting, None));
        }
        let mut after = 0;
        loop {
            let numbers = customer::numbers_after(connection, partner, shard, after, CUSTOMERS).await?;
            let Some(last) = numbers.last() else { break };
            after = *last;
            let pairs: Vec<(i64, u128)> = numbers.iter().map(|number| (*number, user)).collect();
            let found = user::look_up(connection, partner, shard, &pairs).await?;
            let place = |(at, number): (usize, i32)| (CustomerAddress { shard, number: numbers[at] }, Some(number));
            places.extend(found.into_iter().map(place));
        }
    }
    Ok(places)
}
