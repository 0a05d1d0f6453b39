//! Activity taken back.

use std::collections::{BTreeMap, BTreeSet};

use insights_database::{
    bulk::{self, statement},
    sea_orm::{ConnectionTrait, Value},
};
use insights_domain::calendar::{Day, Month};

use super::{
    Chunks, TABLE,
    chunk::{self, Chunk},
    last_day_of, lower_bound,
};
use crate::ledger::{
    Error,
    cells::CustomerAt,
    partner::{NO_DAY, Partner},
    work::Work,
};

/// The days of a month that lie from `from` to `to`, as a mask.
fn days_between(month: Month, from: Day, to: Day) -> u32 {
    let first = (from.epoch_days() - month.first_day().epoch_days()).clamp(0, 31);
    let last = (to.epoch_days() - month.first_day().epoch_days()).clamp(-1, 30);
    let below = |count: i32| (1_u64 << count) - 1;
    (below(last + 1) & !below(first)) as u32
}

/// Takes back what a customer did from one day to another. Returns whether there was anything.
pub(crate) async fn retract(
    work: &mut Work<'_>,
    customer: CustomerAt,
    service: Option<i32>,
    from: Day,
    to: Day,
) -> Result<bool, Error> {
    let sql = "SELECT month, bucket, body FROM ingestion_activity WHERE partner_no = $1 AND cell = $2 \
               AND customer_no = $3 AND month >= $4 AND month <= $5";
    let values: Vec<Value> = vec![
        work.partner.no.into(),
        customer.cell.into(),
        customer.no.into(),
        from.month().index().into(),
        to.month().index().into(),
    ];
    let rows = work.transaction.query_all_raw(statement(work.transaction, sql, values)).await?;
    let (mut changed, mut emptied) = (Chunks::default(), Chunks::default());
    let mut touched = BTreeSet::new();
    let mut first_month = i32::MAX;
    let mut last_gone = None;
    for row in &rows {
        let (month, bucket): (i32, i32) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let mut chunk = Chunk::decode(&row.try_get_by_index::<Vec<u8>>(2)?)?;
        let start = Month::from_index(month).ok_or_else(|| Error::Damaged(format!("month {month}")))?;
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
            Some(body) => changed.push(customer.no, month, bucket, body),
            None => emptied.push(customer.no, month, bucket, Vec::new()),
        }
        first_month = first_month.min(month);
        last_gone = last_gone.max(Some(start.first_day().plus(31 - gone.leading_zeros().cast_signed()).epoch_days()));
    }
    let bounded = lower_bound::cut(work, customer, service, from, to)?;
    if touched.is_empty() {
        return Ok(bounded);
    }
    changed.write(work, customer.cell).await?;
    bulk::delete(work.transaction, TABLE, &work.partner.fixed_cell(customer.cell), emptied.keys()).await?;
    let first = first_days(work, customer, &touched).await?;
    let state = work.held.get_mut(&customer).ok_or(Error::Moved)?;
    for service in touched {
        match first.get(&service) {
            Some(day) => state.first_activity.insert(service, *day),
            None => state.first_activity.remove(&service),
        };
    }
    state.changed = true;
    if work.counts(customer) {
        work.changes.note(customer.no, first_month);
        work.changes.retracted_activity = work.changes.retracted_activity.max(last_gone);
    }
    Ok(true)
}

/// The first days of activity on these services that are left. Months are read from the first on until all are found.
async fn first_days(
    work: &Work<'_>,
    customer: CustomerAt,
    services: &BTreeSet<i32>,
) -> Result<BTreeMap<i32, i32>, Error> {
    let of = "FROM ingestion_activity WHERE partner_no = $1 AND cell = $2 AND customer_no = $3";
    let sql = format!("SELECT month, body {of} AND month = (SELECT min(month) {of} AND month > $4)");
    let mut first: BTreeMap<i32, i32> = BTreeMap::new();
    let mut last_month = i32::MIN;
    loop {
        let place: Vec<Value> =
            vec![work.partner.no.into(), customer.cell.into(), customer.no.into(), last_month.into()];
        let rows = work.transaction.query_all_raw(statement(work.transaction, &sql, place)).await?;
        let Some(row) = rows.first() else { return Ok(first) };
        last_month = row.try_get_by_index(0)?;
        let start = Month::from_index(last_month).ok_or(Error::Moved)?.first_day();
        let mut days: BTreeMap<i32, u32> = BTreeMap::new();
        for row in &rows {
            for (service, masks) in Chunk::decode(&row.try_get_by_index::<Vec<u8>>(1)?)?.services() {
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

/// The last day on which anybody of any known customer used anything; [`NO_DAY`] when nobody did.
pub(crate) async fn last_day_of_partner<C: ConnectionTrait>(connection: &C, partner: &Partner) -> Result<i32, Error> {
    let known = "FROM ingestion_activity a JOIN ingestion_customer c ON c.partner_no = a.partner_no AND c.cell = a.cell \
                 AND c.customer_no = a.customer_no AND c.known WHERE a.partner_no = $1";
    let sql = format!("SELECT a.month, a.body {known} AND a.month = (SELECT max(a.month) {known})");
    let rows = connection.query_all_raw(statement(connection, sql, vec![partner.no.into()])).await?;
    let mut last = NO_DAY;
    for row in &rows {
        let day = last_day_of(row.try_get_by_index(0)?, &row.try_get_by_index::<Vec<u8>>(1)?)?;
        last = last.max(day.unwrap_or(NO_DAY));
    }
    Ok(last)
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
