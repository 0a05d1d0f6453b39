#![allow(clippy::unwrap_used, reason = "tests")]
use insights_proto::ingestion::v1::CustomerChange;

use super::*;

fn response(epoch: i64, versions: std::ops::RangeInclusive<i64>, customers: &[(i64, i32)]) -> StreamChangesResponse {
    let change =
        |(customer, first_month): &(i64, i32)| CustomerChange { customer: *customer, first_month: *first_month };
    StreamChangesResponse {
        epoch,
        first_version: *versions.start(),
        last_version: *versions.end(),
        customers: customers.iter().map(change).collect(),
        ..StreamChangesResponse::default()
    }
}

#[test]
fn many_versions_become_one_application() {
    let mut pending = Pending::default();
    pending.add(response(1, 5..=5, &[(1, 10), (2, 10)]));
    pending.add(response(1, 6..=9, &[(1, 12), (2, 8), (3, 9)]));
    let changes = pending.changes.unwrap();
    assert_eq!((changes.first_version, changes.last_version, changes.rebuild), (5, 9, false));
    assert_eq!(changes.customers, BTreeMap::from([(1, 10), (2, 8), (3, 9)]));
}

#[test]
fn what_is_put_back_comes_before_what_came_meanwhile() {
    let (mut earlier, mut pending) = (Pending::default(), Pending::default());
    earlier.add(response(1, 5..=6, &[(1, 10)]));
    pending.add(response(1, 7..=7, &[(1, 11)]));
    pending.put_back(earlier.clone());
    let changes = pending.changes.clone().unwrap();
    assert_eq!((changes.first_version, changes.last_version, changes.customers[&1]), (5, 7, 10));
    let mut empty = Pending::default();
    empty.put_back(earlier.clone());
    assert_eq!(empty, earlier);
    earlier.put_back(Pending::default());
    assert_eq!(earlier.changes.unwrap().last_version, 6);
}

#[test]
fn another_epoch_rebuilds() {
    let mut pending = Pending::default();
    pending.add(response(1, 5..=6, &[(1, 10)]));
    pending.add(response(2, 1..=3, &[]));
    let changes = pending.changes.unwrap();
    assert_eq!((changes.epoch, changes.last_version, changes.rebuild), (2, 3, true));
}
