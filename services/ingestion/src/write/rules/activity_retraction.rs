//! Retraction of activity.

use std::collections::{BTreeMap, BTreeSet};

use insights_domain::calendar::{Day, Month};

use super::lower_bound;
use crate::{
    error::Error,
    ids::CustomerAddress,
    tables::{
        activity::{self as table, ChunkColumns},
        chunk::{self, BUCKET},
    },
    write::transaction::WriteTransaction,
};

/// The days of a month that lie from `from` to `to`, as a mask.
fn days_between(month: Month, from: Day, to: Day) -> u32 {
    let first = (from.epoch_days() - month.first_day().epoch_days()).clamp(0, 31);
    let last = (to.epoch_days() - month.first_day().epoch_days()).clamp(-1, 30);
    let below = |count: i32| (1_u64 << count) - 1;
    (below(last + 1) & !below(first)) as u32
}

/// Deletes the activity of a customer from one day to another. Returns whether there was any.
pub(crate) async fn retract(
    tx: &mut WriteTransaction<'_>,
    customer: CustomerAddress,
    service: Option<i32>,
    from: Day,
    to: Day,
) -> Result<bool, Error> {
    let months = [from.month(), to.month()];
    let rows = table::read_months(tx.transaction, tx.partner, customer, months).await?;
    let (mut changed, mut emptied) = (ChunkColumns::default(), ChunkColumns::default());
    let mut touched = BTreeSet::new();
    let mut first_month = i32::MAX;
    let mut last_gone = None;
    for table::ChunkRow { month: start, bucket, mut chunk } in rows {
        let month = start.index();
        let range = days_between(start, from, to);
        let mut gone = 0;
        for (number, masks) in chunk.services_mut().filter(|(number, _)| service.is_none_or(|only| only == *number)) {
            let days = chunk::days(masks) & range;
            if days != 0 {
                masks.iter_mut().for_each(|mask| *mask &= !range);
                touched.insert(number);
                gone |= days;
            }
        }
        if gone == 0 {
            continue;
        }
        match chunk.encode() {
            Some(body) => changed.push(customer.number, month, bucket, body),
            None => emptied.push(customer.number, month, bucket, Vec::new()),
        }
        first_month = first_month.min(month);
        last_gone = last_gone.max(Some(start.first_day().plus(31 - gone.leading_zeros().cast_signed()).epoch_days()));
    }
    let bounded = lower_bound::cut(tx, customer, service, from, to)?;
    if touched.is_empty() {
        return Ok(bounded);
    }
    write_back(tx, customer, [changed, emptied], touched).await?;
    if tx.counts(customer) {
        tx.changes.note(customer.number, first_month);
        tx.changes.retracted_activity = tx.changes.retracted_activity.max(last_gone);
    }
    Ok(true)
}

/// Deletes all activity of one of a customer's users.
pub(crate) async fn erase_user(
    tx: &mut WriteTransaction<'_>,
    customer: CustomerAddress,
    user: i32,
) -> Result<(), Error> {
    let (first, last) = (Day::from_ymd(1900, 1, 1), Day::from_ymd(2199, 12, 31));
    let (Some(first), Some(last)) = (first, last) else { return Err(Error::Internal("the calendar has no bounds")) };
    let (bucket, place) = (user / BUCKET as i32, user as usize % BUCKET);
    let rows = table::read_months(tx.transaction, tx.partner, customer, [first.month(), last.month()]).await?;
    let (mut changed, mut emptied) = (ChunkColumns::default(), ChunkColumns::default());
    let mut touched = BTreeSet::new();
    for table::ChunkRow { month: start, bucket, mut chunk } in rows.into_iter().filter(|row| row.bucket == bucket) {
        let mut gone = 0;
        for (number, masks) in chunk.services_mut().filter(|(_, masks)| masks[place] != 0) {
            gone |= std::mem::take(&mut masks[place]);
            touched.insert(number);
        }
        if gone == 0 {
            continue;
        }
        let month = start.index();
        match chunk.encode() {
            Some(body) => changed.push(customer.number, month, bucket, body),
            None => emptied.push(customer.number, month, bucket, Vec::new()),
        }
        let last = start.first_day().plus(31 - gone.leading_zeros().cast_signed()).epoch_days();
        tx.note(customer, start.first_day().epoch_days());
        if tx.counts(customer) {
            tx.changes.retracted_activity = tx.changes.retracted_activity.max(Some(last));
        }
    }
    write_back(tx, customer, [changed, emptied], touched).await
}

/// Writes chunks that changed, deletes those that are empty now, and finds the first days of the services anew.
async fn write_back(
    tx: &mut WriteTransaction<'_>,
    customer: CustomerAddress,
    [changed, emptied]: [ChunkColumns; 2],
    touched: BTreeSet<i32>,
) -> Result<(), Error> {
    if touched.is_empty() {
        return Ok(());
    }
    table::write(tx.transaction, tx.partner, customer.shard, changed).await?;
    table::delete(tx.transaction, tx.partner, customer.shard, emptied).await?;
    let first = first_days(tx, customer, &touched).await?;
    let state = tx.locked.get_mut(&customer).ok_or(Error::Internal("a customer of this transaction is not locked"))?;
    for service in touched {
        match first.get(&service) {
            Some(day) => state.first_activity.insert(service, *day),
            None => state.first_activity.remove(&service),
        };
    }
    state.changed = true;
    Ok(())
}

/// The remaining first days of activity on these services. Months are read from the first on until all are found.
async fn first_days(
    tx: &WriteTransaction<'_>,
    customer: CustomerAddress,
    services: &BTreeSet<i32>,
) -> Result<BTreeMap<i32, i32>, Error> {
    let mut first: BTreeMap<i32, i32> = BTreeMap::new();
    let mut last_month = i32::MIN;
    loop {
        let rows = table::read_next_month(tx.transaction, tx.partner, customer, last_month).await?;
        let Some(row) = rows.first() else { return Ok(first) };
        last_month = row.month.index();
        let start = row.month.first_day();
        let mut days: BTreeMap<i32, u32> = BTreeMap::new();
        for row in &rows {
            for (service, masks) in row.chunk.services() {
                *days.entry(service).or_default() |= chunk::days(masks);
            }
        }
        for (service, days) in days.into_iter().filter(|(service, _)| services.contains(service)) {
            first.entry(service).or_insert(start.plus(days.trailing_zeros().cast_signed()).epoch_days());
        }
        if services.iter().all(|service| first.contains_key(service)) {
            return Ok(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_by_month() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let may = "2024-05".parse::<Month>().unwrap();
        assert_eq!(days_between(may, day("2024-05-01"), day("2024-05-31")), 0x7FFF_FFFF);
        assert_eq!(days_between(may, day("2024-01-01"), day("2024-09-30")), 0x7FFF_FFFF);
        assert_eq!(days_between(may, day("2024-05-03"), day("2024-05-04")), 0b1100);
        assert_eq!(days_between(may, day("2024-06-01"), day("2024-06-04")), 0);
        assert_eq!(days_between(may, day("2024-04-01"), day("2024-04-30")), 0);
        assert_eq!(days_between(may, day("2024-04-01"), day("2024-05-01")), 1);
    }
}
