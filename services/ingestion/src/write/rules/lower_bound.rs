//! Activity that is only known from dates of last activity, so that counts over a window are lower bounds.
//!
//! The first and the last such day are kept by customer and service. A day between them changes nothing; a retraction cuts its days
//! off either end.

use std::collections::HashMap;

use insights_domain::calendar::Day;

use super::shard_dictionary::ShardDictionary;
use crate::{error::Error, ids::CustomerAddress, records::CheckedActivity, write::transaction::WriteTransaction};

/// Notes the days of those facts of a shard that are dates of last activity.
pub(super) fn note(
    tx: &mut WriteTransaction<'_>,
    activity: &CheckedActivity,
    facts: &[u32],
    places: &ShardDictionary,
) -> Result<(), Error> {
    if activity.lower_bound.is_empty() {
        return Ok(());
    }
    let columns = &activity.columns;
    let mut found: HashMap<(u32, u32), (i32, i32)> = HashMap::new();
    for fact in facts {
        let fact = *fact as usize;
        let service = columns.service[fact] as usize;
        if activity.lower_bound[service] {
            let key = (places.customer_of[columns.customer[fact] as usize], places.service_of[service]);
            let day = columns.day[fact];
            let (first, last) = found.entry(key).or_insert((day, day));
            (*first, *last) = (day.min(*first), day.max(*last));
        }
    }
    for ((customer, service), days) in found {
        widen(tx, places.customers[customer as usize], places.services[service as usize], days)?;
    }
    Ok(())
}

fn widen(
    tx: &mut WriteTransaction<'_>,
    customer: CustomerAddress,
    service: i32,
    (first, last): (i32, i32),
) -> Result<(), Error> {
    let state = tx.locked.get_mut(&customer).ok_or(Error::Internal("a customer of this transaction is not locked"))?;
    let before = state.lower_bound.get(&service).copied();
    let after = before.map_or((first, last), |(from, to)| (from.min(first), to.max(last)));
    if before == Some(after) {
        return Ok(());
    }
    state.lower_bound.insert(service, after);
    state.changed = true;
    // Windows that hold an earlier day are already marked.
    let differs = before.filter(|(from, _)| *from == after.0).map_or(after.0, |(_, to)| to);
    tx.note(customer, differs);
    Ok(())
}

/// Cuts the days from `from` to `to` off. Returns whether anything changed.
pub(super) fn cut(
    tx: &mut WriteTransaction<'_>,
    customer: CustomerAddress,
    service: Option<i32>,
    from: Day,
    to: Day,
) -> Result<bool, Error> {
    let (from, to) = (from.epoch_days(), to.epoch_days());
    let state = tx.locked.get_mut(&customer).ok_or(Error::Internal("a customer of this transaction is not locked"))?;
    let before = state.lower_bound.clone();
    let mut differs = None;
    for (number, days) in &before {
        let left = cut_off(*days, from, to);
        if service.is_some_and(|service| service != *number) || left == Some(*days) {
            continue;
        }
        match left {
            Some(left) => state.lower_bound.insert(*number, left),
            None => state.lower_bound.remove(number),
        };
        differs = Some(differs.map_or(days.0, |day: i32| day.min(days.0)));
    }
    let Some(day) = differs else { return Ok(false) };
    state.changed = true;
    tx.note(customer, day);
    Ok(true)
}

/// The rest of a range of days after a retraction from `from` to `to`. Days in the middle of the range cannot be cut out.
fn cut_off((first, last): (i32, i32), from: i32, to: i32) -> Option<(i32, i32)> {
    let first = if from <= first { first.max(to + 1) } else { first };
    let last = if to >= last { last.min(from - 1) } else { last };
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_cut_off_either_end() {
        assert_eq!(cut_off((10, 20), 21, 30), Some((10, 20)));
        assert_eq!(cut_off((10, 20), 1, 9), Some((10, 20)));
        assert_eq!(cut_off((10, 20), 1, 10), Some((11, 20)));
        assert_eq!(cut_off((10, 20), 15, 30), Some((10, 14)));
        assert_eq!(cut_off((10, 20), 12, 15), Some((10, 20)));
        assert_eq!(cut_off((10, 20), 10, 20), None);
        assert_eq!(cut_off((10, 10), 10, 10), None);
    }
}
