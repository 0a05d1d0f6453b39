//! What the product must show after a feed, counted from the facts that were sent: a fast product that loses some is no good.

use std::collections::HashSet;

use insights_domain::calendar::Day;
use insights_proto::metrics::v1::{Dimension, Measure, Query, Row, value};

use crate::{
    Failure,
    feed_partner::{FeedPartner, SERVICES, uses},
    product::Caller,
};

/// Users of each service on a stretch of days within the window, and on the last of them also those of `more`: pairs of a user and
/// a service.
pub fn users_by_service(
    partner: &FeedPartner,
    days: (Day, Day),
    more: impl Iterator<Item = (u32, usize)>,
) -> Vec<(String, i64)> {
    let mut used: [HashSet<u32>; SERVICES.len()] = Default::default();
    for (user, service) in more {
        used[service].insert(user);
    }
    let days: Vec<Day> = (0..=days.1.epoch_days() - days.0.epoch_days()).map(|day| days.0.plus(day)).collect();
    for (service, used) in used.iter_mut().enumerate() {
        used.extend((0..partner.user_count()).filter(|user| days.iter().any(|day| uses(*user, service, *day))));
    }
    let counts = SERVICES.iter().zip(used).map(|((name, _), used)| ((*name).to_owned(), used.len() as i64));
    sorted(counts.collect())
}

/// Fails unless the product shows these users by service in the partner's month. Returns how many figures were compared.
pub async fn shows(
    caller: &Caller,
    partner: &FeedPartner,
    version: i64,
    expected: &[(String, i64)],
) -> Result<i64, Failure> {
    let query = Query {
        measures: vec![Measure::ActiveUsers.into()],
        group_by: vec![Dimension::Service.into()],
        from_month: partner.month.to_string(),
        to_month: partner.month.to_string(),
        ..Query::default()
    };
    let rows = caller.query(query, version).await?.result.ok_or("an answer without a result")?.rows;
    equal(&counts(&rows)?, expected)
}

fn equal(shown: &[(String, i64)], expected: &[(String, i64)]) -> Result<i64, Failure> {
    if shown != expected {
        return Err(format!("the product shows {shown:?} active users, the facts say {expected:?}").into());
    }
    Ok(expected.len() as i64)
}

fn counts(rows: &[Row]) -> Result<Vec<(String, i64)>, Failure> {
    let mut counts = Vec::with_capacity(rows.len());
    for row in rows {
        let name = row.dimensions.first().and_then(|dimension| dimension.value.clone()).unwrap_or_default();
        match row.values.first().and_then(|figure| figure.kind.as_ref()) {
            Some(value::Kind::Count(count)) => counts.push((name, *count)),
            other => return Err(format!("{other:?} is no count").into()),
        }
    }
    Ok(sorted(counts))
}

fn sorted(mut counts: Vec<(String, i64)>) -> Vec<(String, i64)> {
    counts.sort();
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scenario;

    #[test]
    fn every_day_and_every_small_batch_counts() {
        let partner = FeedPartner::new(Scenario::TINY);
        let first = partner.month.first_day();
        let of = |last: i32, more: &[(u32, usize)]| {
            users_by_service(&partner, (first, first.plus(last)), more.iter().copied())
        };
        let (one, two) = (of(0, &[]), of(1, &[]));
        assert_eq!(one.len(), SERVICES.len());
        assert!(one.iter().zip(&two).all(|((_, one), (_, two))| 0 < *one && one < two), "{one:?} {two:?}");
        let idle = (0..partner.user_count()).find(|user| !uses(*user, 5, first)).unwrap();
        let more = of(0, &[(idle, 5), (idle, 5)]);
        let yammer = |counts: &[(String, i64)]| counts.iter().find(|(name, _)| name == "Yammer").unwrap().1;
        assert_eq!(yammer(&more), yammer(&one) + 1);
        assert!(equal(&one, &two).is_err());
        assert_eq!(equal(&one, &one.clone()).unwrap(), 6);
    }
}
