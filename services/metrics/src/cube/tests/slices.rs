//! Answers in slices, and idle seats.

use std::collections::BTreeSet;

use insights_proto::metrics::v1::{Dimension, Measure};

use super::world::*;
use crate::cube::{Cube, Visibility};
use crate::query::{Filter, Slice};

#[test]
fn slices_of_a_query_are_together_its_answer() {
    let partner = partner("2026-06-30");
    let states = [("2026-02-01", "Active", 5)];
    let of = |number: i64| {
        let sold = [
            Sold { sku: E3, states: &states, users: &[1, 2], locations: &["L1", "L2"] },
            Sold { sku: CRM, states: &[("2026-06-10", "Suspended", 7)], users: &[], locations: &["L1"] },
            Sold { sku: CRM, states: &[("2026-05-10", "Active", 7)], users: &[], locations: &[] },
        ];
        let mut update = customer(number, ["BR", "PT"][number as usize % 2], &sold, &[(1, 1, "2026-06-20")], &partner);
        // In chunks of few.
        update.header.cell = i32::try_from(number % 11).unwrap();
        update
    };
    let cube = Cube::new(partner.clone()).apply(partner.clone(), (1..=60).map(of).collect());
    for group_by in [
        &[Dimension::Customer, Dimension::Subscription][..],
        &[Dimension::Subscription],
        &[Dimension::Country, Dimension::Location],
        &[Dimension::Sku, Dimension::Customer],
    ] {
        let measures = [Measure::Available, Measure::Assigned, Measure::Active, Measure::IdleSeats];
        let mut asked = query(&measures, group_by, "2026-05", "2026-06");
        asked.filters = vec![Filter { dimension: Dimension::Country, values: vec![some("BR")] }];
        let whole = counts(&cube.query(&asked, Visibility::default()));
        assert!(whole.len() > 4, "{group_by:?}: {whole:?}");
        for count in [1, 7, 1000] {
            let (mut after, mut together, mut slices) = (Vec::new(), Vec::new(), 0);
            loop {
                asked.slice = Some(Slice { after: after.clone(), count });
                let rows = counts(&cube.query(&asked, Visibility::default()));
                let groups: BTreeSet<_> = rows.iter().map(|(_, group, _)| group.clone()).collect();
                assert!(groups.len() <= count, "{group_by:?}");
                let Some(last) = groups.last() else { break };
                assert!(*last > after);
                after.clone_from(last);
                together.extend(rows);
                slices += 1;
            }
            together.sort();
            assert_eq!(together, whole, "{group_by:?} {count} at a time");
            assert!(slices > 1 || count > 2, "{group_by:?} {count} at a time");
        }
    }
}

#[test]
fn idle_seats_are_assigned_and_not_used() {
    let partner = partner("2026-06-30");
    let states = [("2026-02-01", "Active", 5), ("2026-06-10", "Suspended", 5)];
    let sold = [
        Sold { sku: E3, states: &states[..1], users: &[1, 2, 3], locations: &[] },
        Sold { sku: E3, states: &states, users: &[1, 2], locations: &[] },
        Sold { sku: CRM, states: &states[..1], users: &[1], locations: &[] },
    ];
    // One of them works with the first service in May, another with one that only the second SKU lacks.
    let activity = [(1, 1, "2026-05-20"), (2, YAMMER, "2026-06-20")];
    let cube = Cube::new(partner.clone()).apply(partner.clone(), vec![customer(1, "BR", &sold, &activity, &partner)]);
    let measures = [Measure::Assigned, Measure::Active, Measure::IdleSeats];
    let rows = counts(&cube.query(&query(&measures, &[], "2026-04", "2026-06"), Visibility::default()));
    let figures: Vec<_> = rows.into_iter().map(|(of, _, values)| (of, values)).collect();
    let expected = [("2026-04", [6, 0, 6]), ("2026-05", [6, 2, 4]), ("2026-06", [4, 2, 3])];
    assert_eq!(figures, expected.map(|(of, values)| (of.to_owned(), values.to_vec())));
}
