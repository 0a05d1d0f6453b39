mod definitions;
mod pre_aggregates;
mod slices;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use insights_domain::calendar::Month;
use insights_domain::percentage::Percentage;
use insights_domain::rollup::{MonthRollup, UsageMonth};
use insights_domain::standing::Standing;
use insights_proto::metrics::v1::{Dimension, Measure};

use super::*;
use crate::query::{Filter, Top};
use world::*;

#[test]
fn a_customer_goes_and_comes_back() {
    let partner = partner("2026-06-30");
    let states = [("2026-01-10", "Active", 5), ("2026-03-15", "Suspended", 5), ("2026-05-10", "Active", 5)];
    let sold = [Sold { sku: E3, states: &states, users: &[], locations: &[] }];
    let cube = Cube::new(partner.clone()).apply(partner.clone(), vec![customer(1, "BR", &sold, &[], &partner)]);
    let measures =
        [Measure::Customers, Measure::New, Measure::Existing, Measure::Churned, Measure::Returning, Measure::Available];
    let answer = cube.query(&query(&measures, &[], "2026-01", "2026-12"), Visibility::default());
    let figures: Vec<_> = counts(&answer).into_iter().map(|(of, _, values)| (of, values)).collect();
    let expected = [
        ("2026-01", [1, 1, 0, 0, 0, 5]),
        ("2026-02", [1, 0, 1, 0, 0, 5]),
        ("2026-03", [0, 0, 0, 1, 0, 0]),
        ("2026-04", [0, 0, 0, 0, 0, 0]),
        ("2026-05", [1, 1, 0, 0, 1, 5]),
        ("2026-06", [1, 0, 1, 0, 0, 5]),
    ];
    assert_eq!(figures, expected.map(|(of, values)| (of.to_owned(), values.to_vec())));
    let grouped = cube.query(
        &query(&[Measure::Customers, Measure::Churned], &[Dimension::Country], "2026-03", "2026-05"),
        Visibility::default(),
    );
    let expected = vec![
        ("2026-03".to_owned(), vec![some("BR")], vec![0, 1]),
        ("2026-05".to_owned(), vec![some("BR")], vec![1, 0]),
    ];
    assert_eq!(counts(&grouped), expected);
}

#[test]
fn months_before_history_give_no_rows() {
    let partner = partner("2026-06-30");
    let sold = [Sold { sku: E3, states: &[("2012-01-01", "Active", 5)], users: &[], locations: &[] }];
    let cube = Cube::new(partner.clone()).apply(partner.clone(), vec![customer(1, "BR", &sold, &[], &partner)]);
    let answer =
        cube.query(&query(&[Measure::Customers, Measure::New], &[], "2015-09", "2015-12"), Visibility::default());
    let rows = counts(&answer);
    assert_eq!((rows[0].0.as_str(), &rows[0].2), ("2015-11", &vec![1, 1]));
    assert_eq!((rows[1].0.as_str(), &rows[1].2), ("2015-12", &vec![1, 0]));
}

#[test]
fn a_customer_under_two_locations_counts_once_in_the_total() {
    let partner = partner("2026-06-30");
    let sold = [Sold { sku: E3, states: &[("2026-06-10", "Active", 5)], users: &[], locations: &["L1", "L2"] }];
    let cube = Cube::new(partner.clone()).apply(partner.clone(), vec![customer(1, "BR", &sold, &[], &partner)]);
    let measures = [Measure::Customers, Measure::Available];
    assert_eq!(counts(&cube.query(&query(&measures, &[], "2026-06", "2026-06"), Visibility::default()))[0].2, [1, 5]);
    let by_location = query(&measures, &[Dimension::Location], "2026-06", "2026-06");
    let answer = cube.query(&by_location, Visibility::default());
    assert!(answer.overlapping);
    let rows: Vec<_> = counts(&answer).into_iter().map(|(_, group, values)| (group, values)).collect();
    assert_eq!(rows, [(vec![some("L1")], vec![1, 5]), (vec![some("L2")], vec![1, 5])]);
    let bound = BTreeSet::from(["L2".to_owned()]);
    let answer = cube.query(&by_location, Visibility { locations: Some(&bound), revenue: false });
    assert_eq!(counts(&answer).len(), 1);
    let elsewhere = BTreeSet::from(["L3".to_owned()]);
    let answer = cube.query(
        &query(&measures, &[], "2026-06", "2026-06"),
        Visibility { locations: Some(&elsewhere), revenue: false },
    );
    assert_eq!(counts(&answer)[0].2, [0, 0]);
}

#[test]
fn usage_over_two_products_counts_users_once() {
    let partner = partner("2026-06-30");
    let states = [("2026-06-01", "Active", 5)];
    let sold = [
        Sold { sku: E3, states: &states, users: &[1, 2], locations: &[] },
        Sold { sku: CRM, states: &states, users: &[1], locations: &[] },
    ];
    let activity = [(1, 1, "2026-06-20"), (1, 3, "2026-06-21")];
    let cube = Cube::new(partner.clone()).apply(partner.clone(), vec![customer(1, "BR", &sold, &activity, &partner)]);
    let answer = cube.query(&query(&[Measure::UsagePercent], &[], "2026-06", "2026-06"), Visibility::default());
    assert_eq!(answer.rows[0].values, [Figure::Percentage(Percentage::of(1, 2))]);
    let by_product = cube
        .query(&query(&[Measure::UsagePercent], &[Dimension::Product], "2026-06", "2026-06"), Visibility::default());
    let rows: Vec<_> = by_product.rows.iter().map(|row| (row.dimensions[0].clone(), row.values[0])).collect();
    let expected = [
        (some("Dynamics 365 Sales"), Figure::Percentage(Percentage::of(1, 1))),
        (some("Office 365"), Figure::Percentage(Percentage::of(1, 2))),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn use_without_a_licence_is_explained() {
    let partner = partner("2026-06-30");
    let licensed: Vec<u32> = (0..20).collect();
    let activity: Vec<_> = (0..30).map(|user| (user, YAMMER, "2026-06-20")).collect();
    let sold = [Sold { sku: E3, states: &[("2026-06-01", "Active", 20)], users: &licensed, locations: &[] }];
    let cube = Cube::new(partner.clone()).apply(partner.clone(), vec![customer(1, "BR", &sold, &activity, &partner)]);
    let mut asked = query(&[Measure::UsagePercent], &[Dimension::Service], "2026-06", "2026-06");
    asked.filters = vec![Filter { dimension: Dimension::Service, values: vec![some("Yammer")] }];
    let rows = cube.explain(&asked, Visibility::default());
    let of_yammer = rows.iter().find(|row| row.dimensions == [some("Yammer")]).unwrap();
    assert_eq!((of_yammer.reasons.total(), of_yammer.denominator), (30, 20));
    assert_eq!((of_yammer.reasons.covered, of_yammer.reasons.unlicensed_use), (20, 10));
}

#[test]
fn a_sku_without_services_has_the_missing_service() {
    let mut partner = partner("2026-06-30");
    let bare = SkuHeader { known: true, id: "bare".into(), product: "Bare".into(), ..SkuHeader::default() };
    partner.skus.insert(9, bare);
    let states = [("2026-06-01", "Active", 5)];
    let sold = [
        Sold { sku: E3, states: &states, users: &[1], locations: &[] },
        Sold { sku: 9, states: &states, users: &[1, 2], locations: &[] },
    ];
    let activity = [(1, YAMMER, "2026-06-20")];
    let cube = Cube::new(partner.clone()).apply(partner.clone(), vec![customer(1, "BR", &sold, &activity, &partner)]);
    let measures = [Measure::Subscriptions, Measure::ActiveUsers, Measure::TotalUsers];
    let mut asked = query(&measures, &[Dimension::Service], "2026-06", "2026-06");
    let of_none = |answer: &QueryAnswer| counts(answer).into_iter().find(|row| row.1 == [None]).unwrap().2;
    assert_eq!(of_none(&cube.query(&asked, Visibility::default())), [1, 0, 2]);
    asked.filters = vec![Filter { dimension: Dimension::Service, values: vec![None] }];
    assert_eq!(of_none(&cube.query(&asked, Visibility::default())), [1, 0, 2]);
    asked.group_by.clear();
    assert_eq!(counts(&cube.query(&asked, Visibility::default()))[0].2, [1, 0, 2]);
}

#[test]
fn the_top_groups_are_those_of_the_last_month() {
    let partner = partner("2026-06-30");
    let seats = |first: u32, last: u32| [("2026-02-01", "Active", first), ("2026-06-01", "Active", last)];
    let of = |number, states: &[(&str, &str, u32)]| {
        customer(number, "BR", &[Sold { sku: E3, states, users: &[], locations: &[] }], &[], &partner)
    };
    let customers = vec![of(1, &seats(90, 1)), of(2, &seats(2, 5)), of(3, &seats(3, 7)), of(4, &seats(4, 5))];
    let cube = Cube::new(partner.clone()).apply(partner.clone(), customers);
    let mut asked = query(&[Measure::Available], &[Dimension::Customer], "2026-05", "2026-12");
    // A caller who may not see revenue gets the ranking by seats.
    for measure in [Measure::Available, Measure::BilledRevenue] {
        asked.top = Some(Top { measure, count: 2 });
        let rows: Vec<_> = counts(&cube.query(&asked, Visibility::default()))
            .into_iter()
            .map(|(of, group, values)| (of, group[0].clone(), values[0]))
            .collect();
        let expected = [("2026-05", "c2", 2), ("2026-05", "c3", 3), ("2026-06", "c2", 5), ("2026-06", "c3", 7)];
        assert_eq!(rows, expected.map(|(of, id, seats)| (of.to_owned(), some(id), seats)));
    }
    asked.top = Some(Top { measure: Measure::NewSeats, count: 1 });
    assert_eq!(counts(&cube.query(&asked, Visibility::default()))[0].1, [some("c3")]);
}

#[test]
fn groups_without_rows_take_no_place_among_the_top() {
    let partner = partner("2026-06-30");
    let of = |number, states: &[(&str, &str, u32)]| {
        customer(number, "BR", &[Sold { sku: E3, states, users: &[], locations: &[] }], &[], &partner)
    };
    let gone = [("2026-02-01", "Active", 4), ("2026-06-01", "Suspended", 4)];
    let customers = vec![
        of(1, &[("2026-02-01", "Suspended", 9)]),
        of(2, &[("2026-02-01", "Active", 5)]),
        of(3, &gone),
        of(4, &[("2026-02-01", "Active", 7)]),
    ];
    let cube = Cube::new(partner.clone()).apply(partner.clone(), customers);
    let mut asked = query(&[Measure::Available], &[Dimension::Customer], "2026-05", "2026-12");
    let mut top = |measure, count| {
        asked.top = Some(Top { measure, count });
        let rows = counts(&cube.query(&asked, Visibility::default()));
        rows.into_iter().map(|(_, group, _)| group[0].clone().unwrap()).collect::<BTreeSet<_>>()
    };
    for count in [3, 4, 100] {
        // The third had seats in May: it has a row, and scores 0.
        assert_eq!(top(Measure::Available, count), BTreeSet::from(["c2", "c3", "c4"].map(str::to_owned)));
        // No group scores in what is not shown.
        assert_eq!(top(Measure::ActiveUsers, count), BTreeSet::from(["c2", "c3", "c4"].map(str::to_owned)));
    }
    assert_eq!(top(Measure::ActiveUsers, 1), BTreeSet::from(["c2".to_owned()]));
    assert_eq!(top(Measure::NewSeats, 2), BTreeSet::from(["c2", "c4"].map(str::to_owned)), "it lost four");
    // Of whom the ranking of June knows nothing scores 0, too, and comes first by its name.
    assert_eq!(top(Measure::Active, 2), BTreeSet::from(["c2", "c3"].map(str::to_owned)));
}

#[test]
fn applying_changes_equals_building_anew() {
    let partner = partner("2026-06-30");
    let old = [Sold { sku: E3, states: &[("2026-02-01", "Active", 5)], users: &[1, 2], locations: &["L1"] }];
    let new = [
        Sold {
            sku: E3,
            states: &[("2026-02-01", "Active", 5), ("2026-04-02", "Expired", 7)],
            users: &[1, 2],
            locations: &["L1"],
        },
        Sold { sku: CRM, states: &[("2026-04-01", "Active", 3)], users: &[2], locations: &[] },
    ];
    let activity = [(1, 1, "2026-05-30"), (2, 3, "2026-06-01"), (3, YAMMER, "2026-06-02")];
    let neighbours = [customer(1, "BR", &old, &activity, &partner), customer(3, "PT", &new, &activity, &partner)];
    let mut changed = customer(2, "BR", &new, &activity, &partner);
    let base = Cube::new(partner.clone())
        .apply(partner.clone(), [&neighbours[..], &[customer(2, "BR", &old, &[], &partner)]].concat());
    changed.from = month("2026-04");
    changed.months.retain(|(of, _)| *of >= changed.from);
    let stepwise = base.apply(partner.clone(), vec![changed]);
    let anew = Cube::new(partner.clone())
        .apply(partner.clone(), [&neighbours[..], &[customer(2, "BR", &new, &activity, &partner)]].concat());
    for number in 1..=3 {
        assert_eq!(stepwise.customer_months(0, number), anew.customer_months(0, number));
    }
    let read_back = anew.customer_months(0, 3).unwrap();
    assert_eq!(read_back, customer(3, "PT", &new, &activity, &partner).months);
    assert_eq!((anew.customer_count(), anew.first_month()), (3, Some(month("2026-02"))));
    let measures = [Measure::Customers, Measure::ActiveUsers, Measure::TotalUsers];
    for dimension in [Dimension::Country, Dimension::Sku, Dimension::Service, Dimension::Customer, Dimension::Standing]
    {
        let asked = query(&measures, &[dimension], "2026-01", "2026-06");
        assert_eq!(
            stepwise.query(&asked, Visibility::default()),
            anew.query(&asked, Visibility::default()),
            "{dimension:?}"
        );
    }
}

#[test]
fn many_chunks_add_up_to_what_each_of_them_has() {
    let partner = partner("2026-06-30");
    let of = |number: i64| {
        let seats = u32::try_from(number).unwrap();
        let states = [("2026-02-01", "Active", seats), ("2026-05-01", "Expired", 1), ("2026-06-01", "Active", seats)];
        let sold = [Sold { sku: E3, states: &states, users: &[1, 2], locations: &[] }];
        let mut update = customer(number, "BR", &sold, &[(1, 1, "2026-06-20")], &partner);
        // A chunk of its own.
        update.header.cell = i32::try_from(number).unwrap();
        update
    };
    use Measure as M;
    let customers = [M::Customers, M::ActiveCustomers, M::New, M::Churned, M::Returning];
    let measures = [&customers[..], &[M::Subscriptions, M::Available, M::ActiveUsers, M::TotalUsers]].concat();
    let asked = query(&measures, &[Dimension::Country], "2026-03", "2026-06");
    let cube = Cube::new(partner.clone()).apply(partner.clone(), (1..=100).map(of).collect());
    let mut sums: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for number in 1..=100 {
        let alone = Cube::new(partner.clone()).apply(partner.clone(), vec![of(number)]);
        for (month, _, values) in counts(&alone.query(&asked, Visibility::default())) {
            let sum = sums.entry(month).or_insert_with(|| vec![0; values.len()]);
            sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
    }
    let answer: BTreeMap<_, _> = counts(&cube.query(&asked, Visibility::default()))
        .into_iter()
        .map(|(month, _, values)| (month, values))
        .collect();
    assert_eq!(answer, sums);
    assert_eq!(answer["2026-05"][..6], [0, 0, 0, 100, 0, 0]);
    assert_eq!(answer["2026-06"], [100, 100, 100, 0, 100, 100, 5050, 100, 200]);
    let mut top = query(&[Measure::Available], &[Dimension::Customer], "2026-06", "2026-06");
    top.top = Some(Top { measure: Measure::Available, count: 3 });
    let best: Vec<_> = counts(&cube.query(&top, Visibility::default())).into_iter().map(|row| row.2[0]).collect();
    assert_eq!(best, [100, 98, 99], "in the order of their ids");
}

#[test]
fn subscriptions_count_by_their_constant_runs_as_by_their_runs() {
    let partner = partner("2026-06-30");
    let day =
        |month: i64| Month::from_index(2026 * 12 - i32::try_from(month).unwrap()).unwrap().first_day().to_string();
    let of = |number: i64| {
        let words = ["Active", "Expired", "Active", "InGracePeriod", "Active"];
        // Some begin more months ago than a constant run has room for.
        let days: Vec<String> = (0..5).map(|at| day((number % 9 + 1) * (5 - at) * 2 - 6)).collect();
        let states: Vec<(&str, &str, u32)> = (0..5)
            .map(|at| (days[at as usize].as_str(), words[(at + number) as usize % 5], (number * 7 + at) as u32))
            .collect();
        let sold = |sku, states, locations| Sold { sku, states, users: &[1, 2], locations };
        let sold =
            [sold(E3, &states[..], &["L1", "L2"][..]), sold(CRM, &states[2..], &["L1"]), sold(E3, &states[1..], &[])];
        customer(number, ["BR", "PT"][number as usize % 2], &sold, &[(1, 1, "2026-06-20")], &partner)
    };
    let cube = Cube::new(partner.clone()).apply(partner.clone(), (1..=40).map(of).collect());
    use Measure as M;
    let measures = [
        [M::Customers, M::New, M::Churned, M::Returning, M::Subscriptions],
        [M::Available, M::Assigned, M::Active, M::NewSeats, M::DeploymentOpportunity],
    ];
    let standings = Standing::ALL.map(|standing| some(standing.name())).to_vec();
    let mut told = BTreeSet::new();
    for group_by in [
        &[][..],
        &[Dimension::Sku],
        &[Dimension::Customer],
        &[Dimension::Subscription],
        &[Dimension::Country, Dimension::Location],
        &[Dimension::Location, Dimension::Product],
    ] {
        for (measures, from) in [(&measures[0], "2024-01"), (&measures[1], "2019-01"), (&measures[1], "2026-06")] {
            let mut asked = query(measures, group_by, from, "2026-06");
            let by_lifespans = counts(&cube.query(&asked, Visibility::default()));
            // A query about standings is answered by runs.
            asked.filters = vec![Filter { dimension: Dimension::Standing, values: standings.clone() }];
            assert_eq!(
                by_lifespans,
                counts(&cube.query(&asked, Visibility::default())),
                "{measures:?} by {group_by:?}"
            );
            told.extend(by_lifespans.into_iter().flat_map(|(_, _, values)| values));
        }
    }
    assert!(told.len() > 100, "the worlds say too little: {told:?}");
}

#[test]
fn what_stays_is_copied_when_a_neighbour_changes() {
    let partner = partner("2026-06-30");
    let state = |day, seats| [(day, "Active", seats)];
    let of = |number, states: &[(&str, &str, u32)]| {
        let sold = [
            Sold { sku: E3, states, users: &[1, 2, 3], locations: &["L1"] },
            Sold { sku: CRM, states: &[("2026-03-01", "Active", 70_000)], users: &[1], locations: &[] },
        ];
        customer(number, "BR", &sold, &[(1, 1, "2026-04-20"), (2, 3, "2026-06-20")], &partner)
    };
    let first = |number| of(number, &state("2026-04-01", 5));
    let mut cube = Cube::new(partner.clone()).apply(partner.clone(), (1..=3).map(first).collect());
    // Earlier months come, later ones change, the earlier go again; the neighbours stay as they are.
    for states in [state("2026-01-01", 6), state("2026-05-01", 7), state("2026-04-01", 8)] {
        let changed = of(2, &states);
        let expected = changed.months.clone();
        cube = cube.apply(partner.clone(), vec![changed]);
        assert_eq!(cube.customer_months(0, 2), Some(expected));
        for neighbour in [1, 3] {
            assert_eq!(cube.customer_months(0, neighbour), Some(first(neighbour).months));
        }
    }
    let mut late = of(3, &[("2026-04-01", "Active", 5), ("2026-06-01", "Active", 9)]);
    let expected = late.months.clone();
    late.from = month("2026-06");
    late.months.retain(|(of, _)| *of >= late.from);
    cube = cube.apply(partner.clone(), vec![late]);
    assert_eq!(cube.customer_months(0, 3), Some(expected));
}

#[test]
fn two_services_are_two_though_nobody_knows_one_of_them() {
    let partner = partner("2026-06-30");
    let mut update = customer(1, "BR", &[], &[], &partner);
    let reported = UsageMonth {
        service: YAMMER,
        active_users: Some(7),
        total_users: Some(9),
        carried: false,
        attributions: vec![],
    };
    update.months = vec![(month("2026-06"), MonthRollup { reported_usage: vec![reported], ..MonthRollup::default() })];
    let cube = Cube::new(partner.clone()).apply(partner, vec![update]);
    let mut asked = query(&[Measure::ActiveUsers, Measure::TotalUsers], &[], "2026-06", "2026-06");
    for (services, figures) in [
        (&["Yammer"][..], [Figure::Count(7), Figure::Count(9)]),
        (&["Yammer", "Forms"], [Figure::Null, Figure::Null]),
        (&["Yammer", "Exchange"], [Figure::Null, Figure::Null]),
    ] {
        asked.filters =
            vec![Filter { dimension: Dimension::Service, values: services.iter().map(|it| some(it)).collect() }];
        assert_eq!(cube.query(&asked, Visibility::default()).rows[0].values, figures, "{services:?}");
    }
}

#[test]
fn use_that_may_be_greater_is_said_of_every_chunk() {
    let partner = partner("2026-06-30");
    let of = |number: i64| {
        let states = [("2026-02-01", "Active", 5)];
        let sold = [Sold { sku: E3, states: &states, users: &[1, 2], locations: &[] }];
        let mut update = customer(number, "BR", &sold, &[(1, 1, "2026-06-20")], &partner);
        update.header.cell = i32::try_from(number).unwrap();
        for (month, rollup) in &mut update.months {
            if month.to_string() == "2026-06" {
                rollup.lower_bound_services = vec![1];
            }
        }
        update
    };
    let cube = Cube::new(partner.clone()).apply(partner.clone(), (1..=100).map(of).collect());
    for measure in [Measure::Active, Measure::ActiveUsers, Measure::ActiveCustomers] {
        let rows =
            cube.query(&query(&[measure], &[Dimension::Customer], "2026-05", "2026-06"), Visibility::default()).rows;
        let bounded = rows.iter().filter(|row| row.lower_bound).map(|row| row.month.to_string());
        assert_eq!(bounded.collect::<Vec<_>>(), vec!["2026-06"; 100], "{measure:?}");
    }
}
